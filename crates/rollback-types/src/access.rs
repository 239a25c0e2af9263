//! People, tokens and the audit, as pages and API show them. No secret is in any of these, except [`NewToken`].

use serde::{Deserialize, Serialize};

use crate::{Cursor, Role, Timestamp};

/// How somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignInWay {
    /// By name and password, then a session.
    Password,
    /// By an API token.
    Token,
    /// By an OpenID Connect provider, then a session.
    Oidc,
    /// By being on the server's own machine: a `stepback` command.
    Cli,
    /// Stepback itself, such as its schedule.
    System,
}

impl SignInWay {
    /// All.
    pub const ALL: [Self; 5] = [Self::Password, Self::Token, Self::Oidc, Self::Cli, Self::System];

    /// The word in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Token => "token",
            Self::Oidc => "oidc",
            Self::Cli => "cli",
            Self::System => "system",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == word)
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The user's name; for a token `token:` and its name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// How they signed in.
    pub via: SignInWay,
}

/// Where a user's proof comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UserKind {
    /// A password kept here.
    Password,
    /// An OpenID Connect provider; the role is what the provider says.
    Oidc,
}

impl UserKind {
    /// The word in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Oidc => "oidc",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Password, Self::Oidc].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserView {
    /// The name; upper and lower case are the same name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Where their proof comes from.
    pub kind: UserKind,
    /// Since when they may not sign in; absent: they may.
    pub disabled_at: Option<Timestamp>,
    /// When they were added.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When the password was last set.
    pub password_set_at: Option<Timestamp>,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// Sessions that have not ended.
    pub sessions: u64,
}

/// A sign-in that goes on, as its own user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Tells it from the user's others; opens nothing.
    pub id: String,
    /// When it began.
    pub since: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// The one that asks.
    pub is_this_one: bool,
}

/// Whether a token opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    /// It does.
    Active,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl TokenState {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// An API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenView {
    /// The id, the middle part of the token.
    pub id: String,
    /// The name; what the token does is told of `token:` and this name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it opens anything.
    pub state: TokenState,
    /// When it was made.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When it ends; absent: only when revoked.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A token just made: the only time its secret is told. No `Debug`: it must not be printed by accident.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewToken {
    /// The token's row.
    pub token: TokenView,
    /// What goes after `Authorization: Bearer`. It is shown once and kept nowhere.
    pub secret: String,
}

/// How something audited ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It began, and its end is not written: it goes on, or the program ended in between.
    Begun,
    /// It was done.
    Done,
    /// It was refused; nothing was done.
    Refused,
    /// It went wrong.
    Failed,
}

impl AuditOutcome {
    /// All.
    pub const ALL: [Self; 4] = [Self::Begun, Self::Done, Self::Refused, Self::Failed];

    /// The word in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }

    /// What an HTTP status says: below 400 done, below 500 refused, else failed.
    pub fn of_status(status: u16) -> Self {
        match status {
            0..400 => Self::Done,
            400..500 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// A row of the audit. Texts are as they were given, only bounded in length: they may hold anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditRow {
    /// The number; later rows have greater ones.
    pub id: i64,
    /// When it began.
    pub at: Timestamp,
    /// Who: a user's name, `token:NAME`, `cli:UNIX-USER`; absent: nobody had signed in.
    pub actor: Option<String>,
    /// Their role then.
    pub role: Option<Role>,
    /// How they had signed in.
    pub via: Option<SignInWay>,
    /// The address it came from.
    pub address: Option<String>,
    /// What: method and route, or a command.
    pub action: String,
    /// On what: a version, a run, a user.
    pub subject: Option<String>,
    /// The digest of the plan that was agreed to.
    pub digest: Option<String>,
    /// The reason that was given.
    pub reason: Option<String>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// What there is to say about the end.
    pub detail: Option<String>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Which rows of the audit, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AuditQuery {
    /// Only of this actor, written exactly; upper and lower case are the same.
    pub actor: Option<String>,
    /// Only where the action holds this text; upper and lower case are the same.
    pub action: Option<String>,
    /// Only with this outcome.
    pub outcome: Option<AuditOutcome>,
    /// Only from this moment on.
    pub since: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
    /// Rows of a page, 1 to 200; 50 when absent.
    pub limit: Option<u32>,
}

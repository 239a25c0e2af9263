//! What can go wrong.

/// Something about users, tokens, sessions or the audit could not be done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The file cannot be used.
    #[error("{path} (users, sessions, tokens and audit) cannot be used: {detail}")]
    Unusable {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// No space is left.
    #[error("{path} (users, sessions, tokens and audit) cannot grow: the disk is full")]
    Full {
        /// The file.
        path: String,
    },
    /// No such user.
    #[error("there is no user {0}")]
    NoSuchUser(String),
    /// The name is taken.
    #[error("there is a user {0} already")]
    UserExists(String),
    /// Nobody could administrate any more.
    #[error("{0} is the last administrator who may sign in")]
    LastAdministrator(String),
    /// A provider keeps that.
    #[error("{name} signs in by OpenID Connect: {what} is the provider's to say")]
    OfProvider {
        /// The user.
        name: String,
        /// What was to be changed.
        what: &'static str,
    },
    /// No such token.
    #[error("there is no token {0}")]
    NoSuchToken(String),
    /// It ended, or is another's.
    #[error("there is no such sign-in of yours, or it has ended")]
    NoSuchSession,
    /// The name is taken.
    #[error("there is a token named {0} that was not revoked")]
    TokenExists(String),
    /// A time that ends before it begins, or too far away.
    #[error("a token's time must be between one minute and ten years")]
    BadExpiry,
    /// A cursor that no page gave.
    #[error("the cursor is not one that a page of the audit gave")]
    BadCursor,
    /// The audit already has what was to be added.
    #[error("row {0} of the audit has its end, or what it was about, already")]
    AuditWritten(i64),
}

impl AccessError {
    /// What to do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => {
                "Look at the file's rights, its folder and its disk, then try again; until then nobody can sign in and \
                 nothing is started."
            }
            Self::Full { .. } => "Make space on the disk, then try again; until then nothing is started.",
            Self::NoSuchUser(_) => "`stepback user list` and the page People name all users.",
            Self::UserExists(_) => "Choose another name, or change that user.",
            Self::LastAdministrator(_) => "Make another administrator first.",
            Self::OfProvider { .. } => "Change it at the provider; it acts at the next sign-in.",
            Self::NoSuchToken(_) => "`stepback token list` and the page People name all tokens.",
            Self::NoSuchSession => "Load the page again: it names those that go on.",
            Self::TokenExists(_) => "Choose another name, or revoke that token first.",
            Self::BadExpiry => "Give a time such as 30d or 12h.",
            Self::BadCursor => "Leave the cursor out to begin with the newest row.",
            Self::AuditWritten(_) => "Nothing; this is a fault of Stepback's own, please report it.",
        }
    }

    /// The file itself is at fault, not what was asked for.
    pub fn is_of_file(&self) -> bool {
        matches!(self, Self::Unusable { .. } | Self::Full { .. })
    }
}

/// A sign-in was not granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Name or password is wrong, or the user is disabled: which of these is not told.
    #[error("the name or the password is wrong, or this user may not sign in")]
    Refused,
    /// Too many tries failed; the password was not looked at.
    #[error("too many tries failed; wait {seconds} s")]
    Wait {
        /// Until then every try is refused.
        seconds: u64,
    },
    /// Too many people sign in at this moment; nothing was looked at, and the try does not count.
    #[error("too many sign-ins are waiting at this moment; try again in some seconds")]
    Busy,
    /// The file.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// The first administrator was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FirstStartError {
    /// Another key, or one that was used.
    #[error("the link's key is not the one that this start of Stepback printed, or it was used")]
    WrongKey,
    /// There are users.
    #[error("there is a user already; the link is only for the first one")]
    NotFirst,
    /// The file.
    #[error(transparent)]
    Access(#[from] AccessError),
}

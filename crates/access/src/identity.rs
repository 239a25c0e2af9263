//! Who asks, and on what proof.

use rollback_types::{Me, Role, SignInWay};
use serde::{Deserialize, Serialize};

/// Somebody whose proof was looked at just now. Keep none beyond a request; a stream asks
/// [`Access::still_valid`](crate::Access::still_valid) from time to time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's name; for a token `token:` and its name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// How they proved who they are.
    pub via: SignInWay,
    pub(crate) proof: Proof,
}

/// What has to hold still for the identity to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A sign-in or a session of a user.
    User { mark: SessionMark, session: Option<[u8; 32]> },
    /// A token.
    Token { id: String },
}

/// What a session holds about its user: put it into the session's data under [`SessionMark::KEY`] after sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionMark {
    pub(crate) user_id: i64,
    /// The user's generation at sign-in: when theirs has grown, the session is over.
    pub(crate) generation: i64,
}

impl SessionMark {
    /// The name of the mark in the session's data.
    pub const KEY: &str = "user";
}

impl Identity {
    /// What the session is to hold; absent for a token, which has none.
    pub fn session_mark(&self) -> Option<SessionMark> {
        match &self.proof {
            Proof::User { mark, .. } => Some(*mark),
            Proof::Token { .. } => None,
        }
    }

    /// As pages and API show it.
    pub fn me(&self) -> Me {
        Me { name: self.name.clone(), role: self.role, via: self.via }
    }
}

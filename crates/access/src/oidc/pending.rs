//! A sign-in that is under way at the provider.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What has to come back to the one who began. Keep it in a cookie of its own (`HttpOnly; Secure; SameSite=Lax`, since
/// the provider sends the browser back from another site) until [`Oidc::finish`](super::Oidc::finish), and delete it then.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    pub(super) state: String,
    pub(super) nonce: String,
    /// PKCE's: who steals the code has no use for it.
    pub(super) verifier: String,
    pub(super) at: i64,
    /// Where the person wanted to go. It is not checked here.
    pub next: String,
}

impl Pending {
    /// A text for a cookie.
    pub fn to_cookie(&self) -> String {
        // Strings and numbers always serialise; were they not to, the sign-in would be begun anew.
        hex::encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the text of a cookie.
    pub fn from_cookie(text: &str) -> Option<Self> {
        serde_json::from_slice(&hex::decode(text).ok()?).ok()
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

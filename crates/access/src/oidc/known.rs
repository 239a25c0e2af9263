//! What the provider says of itself, kept for a while: whoever asks for a sign-in must not make us ask the provider each time.

use openidconnect::IssuerUrl;
use openidconnect::core::CoreProviderMetadata;
use tokio::sync::Mutex;

use super::{OidcError, http};

/// Addresses and keys are asked for again after this.
const KEPT_MS: i64 = 10 * 60 * 1000;
/// Between two questions in any case: also where it did not answer, or a token is signed by a key that is not known.
const PAUSE_MS: i64 = 5_000;

/// The last answer, or that there was none.
#[derive(Debug, Default)]
pub(super) struct Known {
    of_itself: Mutex<Option<Answer>>,
    /// A proof could not be shown to it, and when that was. It takes nothing from what is known: whoever comes with a proof
    /// of their own making must not keep others from setting out.
    away: Mutex<Option<(i64, OidcError)>>,
}

#[derive(Debug)]
struct Answer {
    at: i64,
    said: Result<CoreProviderMetadata, OidcError>,
}

impl Known {
    pub(super) async fn metadata(&self, issuer: &IssuerUrl, now: i64) -> Result<CoreProviderMetadata, OidcError> {
        self.asked_within(KEPT_MS, issuer, now).await
    }

    /// For who needs keys that are not among those that are known.
    pub(super) async fn newer_metadata(&self, issuer: &IssuerUrl, now: i64) -> Result<CoreProviderMetadata, OidcError> {
        self.asked_within(PAUSE_MS, issuer, now).await
    }

    /// It did not answer who brought a proof: nobody else's is shown to it for a moment.
    pub(super) async fn is_away(&self, error: OidcError, now: i64) {
        *self.away.lock().await = Some((now, error));
    }

    /// Whether a proof may be shown to it.
    pub(super) async fn may_be_asked(&self, now: i64) -> Result<(), OidcError> {
        match &*self.away.lock().await {
            Some((at, error)) if now.abs_diff(*at) < PAUSE_MS.unsigned_abs() => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// One question at a time; who waits for it gets its answer too.
    async fn asked_within(&self, kept: i64, issuer: &IssuerUrl, now: i64) -> Result<CoreProviderMetadata, OidcError> {
        let mut last = self.of_itself.lock().await;
        if let Some(answer) = &*last {
            let kept = if answer.said.is_ok() { kept } else { PAUSE_MS };
            // A clock that was set back must not make an answer last. Who waited came a little before what they waited for.
            if now.abs_diff(answer.at) < kept.unsigned_abs() {
                return answer.said.clone();
            }
        }
        let said = CoreProviderMetadata::discover_async(issuer.clone(), &http::send).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            OidcError::Provider(format!("{error}{cause}"))
        });
        *last = Some(Answer { at: now, said: said.clone() });
        said
    }
}

//! Letting somebody in: a session of their own, and before it the audit's row.

use access::{AuditEntry, Identity, SessionMark, SignInError};
use axum::Extension;
use axum::response::Response;
use rollback_types::{AuditOutcome, Role};
use tower_sessions::Session;

use crate::access::door::{Told, Unwritten, Written};
use crate::access::refusal::see_other;
use crate::state::AppState;

/// Why somebody was not let in, and where that is shown.
#[derive(Debug)]
pub(super) struct NotIn {
    address: String,
    why: String,
    outcome: AuditOutcome,
    is_written: bool,
}

impl NotIn {
    pub(super) fn refused(address: String, why: impl Into<String>) -> Self {
        Self { address, why: why.into(), outcome: AuditOutcome::Refused, is_written: false }
    }

    pub(super) fn failed(address: String, why: impl ToString) -> Self {
        let why = why.to_string();
        tracing::error!(error = %why, "a sign-in failed");
        Self { address, why, outcome: AuditOutcome::Failed, is_written: false }
    }

    /// By what a password proved, or did not; `back` makes an address of the failure's word.
    pub(super) fn by(error: &SignInError, back: impl Fn(&str) -> String) -> Self {
        match error {
            SignInError::Refused => Self::refused(back("refused"), error.to_string()),
            // The page waits a second, as it does when a wait has passed already.
            SignInError::Busy => Self::refused(back("wait&seconds=1"), error.to_string()),
            SignInError::Wait { seconds } => Self::refused(back(&format!("wait&seconds={seconds}")), error.to_string()),
            SignInError::Access(error) => Self::failed(back("unavailable"), error),
        }
    }

    pub(super) fn answer(self) -> Response {
        let mut response = see_other(&self.address);
        response.extensions_mut().insert(Told { outcome: self.outcome, detail: self.why });
        if self.is_written {
            response.extensions_mut().insert(Written);
        }
        response
    }
}

/// Does what lets a stranger in, between the two entries of its row: what cannot be written is not done. Where the door
/// has written a row already, since somebody is signed in, that one does.
pub(super) async fn granted(
    state: &AppState,
    unwritten: Option<Extension<Unwritten>>,
    name: &str,
    role: Role,
    unavailable: impl FnOnce() -> String,
    work: impl Future<Output = Result<(), NotIn>>,
) -> Result<(), NotIn> {
    let Some(Extension(Unwritten(entry))) = unwritten else { return work.await };
    let entry = AuditEntry { actor: Some(name.to_owned()), role: Some(role), ..entry };
    let row = state.access.audit_begin(&entry).await.map_err(|error| NotIn::failed(unavailable(), error))?;
    let done = work.await.map_err(|not_in| NotIn { is_written: true, ..not_in });
    let (outcome, why) = match &done {
        Ok(()) => (AuditOutcome::Done, None),
        Err(not_in) => (not_in.outcome, Some(not_in.why.as_str())),
    };
    if let Err(error) = state.access.audit_end(row, outcome, Some(303), why).await {
        tracing::error!(%error, "how a sign-in ended could not be written to the audit");
    }
    done
}

/// A session of one's own, under a new id: one that somebody else planted before is worth nothing.
pub(super) async fn begin(session: &Session, identity: &Identity) -> Result<(), tower_sessions::session::Error> {
    session.clear().await;
    session.cycle_id().await?;
    session.insert(SessionMark::KEY, identity.session_mark()).await
}

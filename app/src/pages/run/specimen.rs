//! A run for tests of what its page says.

use rollback_types::{PlanDigest, RunId, RunKind, RunState, RunSummary, Timestamp, VersionId};

/// Run #1, a rollback of "v2" that stands in this state.
pub(super) fn rollback_of_v2(state: RunState) -> RunSummary {
    let at = Timestamp::from_unix_ms(0);
    RunSummary {
        id: RunId(1),
        kind: RunKind::Rollback,
        version_id: VersionId::new("v2"),
        state,
        reason: "why".into(),
        actor: "ada".into(),
        plan_digest: PlanDigest("d".into()),
        started_at: at,
        ended_at: Some(at),
        duration_ms: Some(0),
        waited_ms: 0,
        stood_still_ms: 0,
        last_sign_at: None,
        summary: None,
        last_event: 9,
    }
}

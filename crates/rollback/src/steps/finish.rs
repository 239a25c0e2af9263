//! Step 8: the state becomes `rolled_back`, and the log says what was really done.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use rollback_types::{RollbackTarget, Step};

use crate::context::{Halt, Outcome, StepContext};
use crate::store::FinishRequest;
use crate::story::{BY_DECISION, skipped};

pub(super) async fn finish(cx: &mut StepContext, target: &RollbackTarget) -> Result<Outcome, Halt> {
    let spec = &cx.shared.spec;
    let details = {
        let done = cx.shared.done.lock().unwrap_or_else(PoisonError::into_inner);
        let attempted = cx.shared.attempted.lock().unwrap_or_else(PoisonError::into_inner);
        told(&done, &attempted)
    };
    cx.checkpoint()?;
    let log_id = cx
        .shared
        .stores
        .records
        .mark_rolled_back(&FinishRequest {
            target: target.clone(),
            reason: spec.reason.clone(),
            run_key: spec.run_key.clone(),
            details,
        })
        .await?;
    Ok(Outcome::Done { count: None, said: format!("the version is rolled_back, operation log entry {log_id}") })
}

/// Step by step. A lane that was skipped after it had begun to change its store has not left it alone.
fn told(done: &BTreeMap<Step, String>, attempted: &BTreeMap<Step, u64>) -> String {
    let by_decision = skipped(BY_DECISION);
    let line = |(step, said): (&Step, &String)| {
        if said.starts_with(&by_decision) && attempted.contains_key(step) {
            format!("{step}: begun, and what it had changed by then stays so; then {said}")
        } else {
            format!("{step}: {said}")
        }
    };
    done.iter().map(line).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_acted_before_it_was_skipped_is_told_as_begun() {
        let done = BTreeMap::from([
            (Step::DropChapters, "7 rows dropped".to_owned()),
            (Step::DeletePoints, skipped(&format!("{BY_DECISION}done by hand"))),
            (Step::DeleteNodes, skipped(&format!("{BY_DECISION}done by hand"))),
            (Step::RestoreQdrant, skipped("the way back is in again")),
        ]);
        let attempted = BTreeMap::from([(Step::DropChapters, 7), (Step::DeleteNodes, 23), (Step::RestoreQdrant, 3)]);
        let said = told(&done, &attempted);
        assert!(said.contains("step 4: skipped by decision: done by hand;"), "{said}");
        assert!(said.contains("step 5: begun, and what it had changed by then stays so; then skipped by"), "{said}");
        assert_eq!(said.matches("begun").count(), 1, "{said}");
    }
}

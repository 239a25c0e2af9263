//! Step 8: the state becomes `rolled_back`, and the log says what was really done.

use std::sync::PoisonError;

use rollback_types::RollbackTarget;

use crate::context::{Halt, Outcome, StepContext};
use crate::store::FinishRequest;

pub(super) async fn finish(cx: &mut StepContext, target: &RollbackTarget) -> Result<Outcome, Halt> {
    let spec = &cx.shared.spec;
    let details = {
        let done = cx.shared.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.iter().map(|(step, said)| format!("{step}: {said}")).collect::<Vec<_>>().join("; ")
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

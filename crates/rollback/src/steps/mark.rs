//! Step 2: the state becomes `rolling_back` and the log row is opened, in one transaction.

use rollback_types::RollbackTarget;

use crate::context::{Halt, Outcome, StepContext};
use crate::store::MarkRequest;

pub(super) async fn mark(cx: &mut StepContext, target: &RollbackTarget) -> Result<Outcome, Halt> {
    let spec = &cx.shared.spec;
    cx.checkpoint()?;
    let marked = cx
        .shared
        .stores
        .records
        .mark_rolling_back(&MarkRequest {
            target: target.clone(),
            expected: spec.expected.clone(),
            reason: spec.reason.clone(),
            run_key: spec.run_key.clone(),
        })
        .await?;
    let said = if marked.repeated {
        format!("already marked by this run, operation log entry {}", marked.log_id)
    } else {
        format!("1 registry row, operation log entry {}", marked.log_id)
    };
    Ok(Outcome::Done { count: None, said })
}

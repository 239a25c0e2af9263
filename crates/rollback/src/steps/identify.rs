//! Step 1: reads the row again. It is still a candidate, and still what the plan saw.

use rollback_types::RollbackTarget;

use crate::context::{Halt, Outcome, StepContext};

const SAFE: &str = "Nothing was changed: the run had not begun to act.";

pub(super) async fn identify(cx: &mut StepContext, target: &RollbackTarget) -> Result<Outcome, Halt> {
    let spec = &cx.shared.spec;
    let row = cx.shared.stores.records.version(target.id()).await?;
    let Some(row) = row else {
        let said = format!("{} is not in the registry any more", target);
        return Err(Halt::refused("changed", None, said, SAFE, "Abort, and look at the versions again."));
    };
    if row.status != spec.expected || !row.candidacy.is_offered() {
        let said = format!("{} was {} in the plan and is {} now", target, spec.expected, row.status);
        return Err(Halt::refused("changed", None, said, SAFE, "Abort, look at the version and plan again."));
    }
    Ok(Outcome::Done { count: None, said: format!("{}, unchanged since the plan", row.status) })
}

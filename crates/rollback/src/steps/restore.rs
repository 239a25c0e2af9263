//! Step 7, one lane: compares production with the copy that step 6 has just proven. Equal: nothing to restore, and
//! the proof is kept. Different: the lane fails and says so, because this version cannot restore.

use std::sync::PoisonError;

use rollback_types::StoreKind;

use crate::backup::VerifiedBackup;
use crate::context::{Halt, Outcome, StepContext};
use crate::plan::compare::{compare, not_covered};
use crate::plan::gather::base_points;
use crate::plan::production_of;

pub(super) async fn restore(cx: &mut StepContext, store: StoreKind) -> Result<Outcome, Halt> {
    let verified: Option<VerifiedBackup> = cx.shared.verified.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(verified) = verified else {
        return Err(Halt::refused(
            "latest_copy_not_verified",
            Some(store),
            "latest-copy was not verified by this run",
            "Production was not touched.",
            "Abort, and plan again.",
        ));
    };
    let production = production_of(&cx.shared.stores, &cx.shared.settings, store, &cx.shared.spec.selectors).await?;
    let (mut differs, mut evidence) = compare(store, Some(&production), verified.contents(store));
    if store == StoreKind::Qdrant && differs == Some(true) {
        let base = base_points(&cx.shared.stores, &cx.shared.settings, &production).await?;
        (differs, evidence) =
            not_covered(&production, base.as_ref(), verified.contents(store)).unwrap_or((differs, evidence));
    }
    let acknowledged = cx.shared.spec.acknowledged.iter().any(|a| *a == format!("not_comparable:{}", store.as_str()));
    match differs {
        Some(false) => Ok(Outcome::NothingToRestore { proof: format!("production equals latest-copy: {evidence}") }),
        None if !acknowledged => Err(Halt::refused(
            "not_comparable",
            Some(store),
            format!("{store}: whether production equals latest-copy cannot be told: {evidence}"),
            "The staging data is gone; production is as it was found.",
            "Compare by hand; then skip the lane with a reason, or abort.",
        )),
        None => Ok(Outcome::NothingToRestore { proof: format!("acknowledged in the plan: {evidence}") }),
        Some(true) => Err(Halt::refused(
            "production_differs",
            Some(store),
            format!("{store}: production differs from latest-copy: {evidence}"),
            "The staging data is gone; production is as it was found, and latest-copy is proven intact.",
            "Restore this store by hand (never copy metadata.db over the live file: that erases registry and log), then try \
             again; or skip it with a reason if the difference is wanted.",
        )),
    }
}

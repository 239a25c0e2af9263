//! Step 6: the whole ladder again on latest-copy, read from end to end. The hashes are those of the plan.

use std::sync::PoisonError;

use rollback_types::BackupSource;

use crate::context::{Halt, Outcome, StepContext};

const SAFE: &str =
    "The staging data is gone; production was not touched, and nothing is restored from a copy that is not proven.";

pub(super) async fn verify_copy(cx: &mut StepContext) -> Result<Outcome, Halt> {
    let progress = cx.progress_from_thread();
    let (examination, verified) = cx.shared.verifier.verify(&BackupSource::LatestCopy, Some(progress)).await;
    let Some(verified) = verified else {
        return Err(Halt::refused(
            "latest_copy_not_intact",
            None,
            examination.health.verdict,
            SAFE,
            "Repair or replace latest-copy (a kept version or v1_baseline may serve), then try again; or abort.",
        ));
    };
    for (store, hash) in verified.hashes() {
        if cx.shared.spec.hashes.get(store) != Some(hash) {
            return Err(Halt::refused(
                "latest_copy_changed",
                Some(*store),
                format!("the {store} file of latest-copy is not the one the plan saw: its SHA-256 is {hash}"),
                SAFE,
                "Find out who replaced it. Abort, and plan again with the new copy.",
            ));
        }
    }
    let bytes: u64 = examination.health.files.iter().filter_map(|f| f.bytes).sum();
    *cx.shared.verified.lock().unwrap_or_else(PoisonError::into_inner) = Some(verified);
    Ok(Outcome::Done {
        count: Some(bytes),
        said: "all three files read to their end; the same hashes as in the plan".into(),
    })
}

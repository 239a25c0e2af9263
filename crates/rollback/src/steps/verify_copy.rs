//! Step 6: the whole ladder again on the copy, read from end to end. The hashes are those of the plan. And the same for a
//! new backup, the trial restore included, before it takes latest-copy's place.

use std::sync::PoisonError;

use rollback_types::quantity::{counted, short_hash};
use rollback_types::{BackupSource, RunKind, Rung, RungResult, RungState, StoreKind};

use crate::backup::Examination;
use crate::context::{Halt, Outcome, StepContext};
use crate::meter::Unit;

fn safe(cx: &StepContext) -> &'static str {
    match cx.shared.spec.kind {
        RunKind::Rollback => {
            "The staging data is gone; production was not touched, and nothing is restored from a copy that is not proven."
        }
        _ => "Production was not touched, and nothing is restored from a copy that is not proven.",
    }
}

/// What to do where the file is not the one that the plan saw.
const OTHER_FILE: &str = "Find out who replaced it. Put the old file back and try again; or abort, and plan again with the new \
                          file: this run goes on only with the one that its plan saw.";

pub(super) async fn verify_copy(cx: &mut StepContext) -> Result<Outcome, Halt> {
    let progress = cx.progress_from_thread();
    let source = cx.shared.spec.source.clone();
    let (examination, verified) = cx.shared.verifier.verify(&source, Some(progress)).await;
    let Some(verified) = verified else {
        let code = if source == BackupSource::LatestCopy { "latest_copy_not_intact" } else { "backup_not_intact" };
        let health = examination.health;
        // A person's word would not help a file that the plan never saw: the hashes are compared with the plan's next.
        let planned = |store: &StoreKind| {
            let now = health.files.iter().find(|f| f.store == *store).and_then(|f| f.sha256.as_ref());
            now == cx.shared.spec.hashes.get(store)
        };
        let by_a_person = health.remedy.as_ref().filter(|_| !health.replaced.is_empty());
        let remedy = match by_a_person {
            Some(remedy) if health.replaced.iter().all(planned) => format!("{remedy} Then try again; or abort."),
            Some(_) => OTHER_FILE.to_owned(),
            None => {
                "Repair or replace it (a kept version or v1_baseline may serve), then try again; or abort.".to_owned()
            }
        };
        return Err(Halt::refused(code, None, health.verdict, safe(cx), &remedy));
    };
    for (store, hash) in verified.hashes() {
        if cx.shared.spec.hashes.get(store) != Some(hash) {
            return Err(Halt::refused(
                "latest_copy_changed",
                Some(*store),
                format!(
                    "the {store} file of {} is not the one the plan saw: its SHA-256 begins with {} now",
                    source.name(),
                    short_hash(hash)
                ),
                safe(cx),
                OTHER_FILE,
            ));
        }
    }
    if let Some(store) = cx.shared.spec.hashes.keys().find(|store| !verified.hashes().contains_key(store)) {
        return Err(Halt::refused(
            "latest_copy_changed",
            Some(*store),
            format!("the {store} file of {}, which the plan saw, is gone", source.name()),
            safe(cx),
            "Put it back, then try again; or abort, and plan again.",
        ));
    }
    let bytes = bytes(&examination);
    let files = verified.hashes().len();
    *cx.shared.verified.lock().unwrap_or_else(PoisonError::into_inner) = Some(verified);
    Ok(Outcome::Done {
        count: Some(bytes),
        said: format!(
            "{} of {} read to the end; the same hashes as in the plan",
            counted(files as u64, "files"),
            source.name()
        ),
    })
}

/// Of a new backup: every rung, the highest too.
pub(super) async fn prove_copy(cx: &mut StepContext) -> Result<Outcome, Halt> {
    let source = cx.shared.fresh();
    let read = cx.phase_in_parts("Reading the new copy to its end", Unit::Bytes).await?;
    cx.shared.verifier.examine(&source, false, Some(read)).await;
    // What was just read is not read again: the meter is of the trial.
    cx.phase("Trying the new copy in scratch places").await?;
    let progress = cx.progress_from_thread();
    let examination = cx.shared.verifier.try_restore(&source, Some(progress)).await;
    // In the per-version layout points and paragraphs need not agree, and the rung between stays open.
    let tried = all_tried(&examination);
    if !examination.health.intact || !tried {
        let why = if examination.health.intact {
            "not every file could be restored on trial: is a store down, or a disk full?".to_owned()
        } else {
            examination.health.verdict
        };
        return Err(Halt::refused(
            "backup_not_intact",
            None,
            format!("the new copy is not proven: {why}"),
            "latest-copy is as it was; production was only read.",
            "See the backup's rungs and the stores, then try again; or abort: the unfinished copy goes at the next start.",
        ));
    }
    Ok(Outcome::Done { count: Some(bytes(&examination)), said: examination.health.verdict })
}

fn all_tried(examination: &Examination) -> bool {
    let passed = |r: &RungResult| r.rung == Rung::TrialRestore && r.state == RungState::Passed;
    examination.health.files.iter().all(|file| file.rungs.iter().any(passed))
}

fn bytes(examination: &Examination) -> u64 {
    examination.health.files.iter().filter_map(|f| f.bytes).sum()
}

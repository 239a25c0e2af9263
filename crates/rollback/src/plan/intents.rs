//! What each planned step will do, in one sentence.

use rollback_types::plan::{PlannedStep, StorePlans};
use rollback_types::quantity::{count, counted};
use rollback_types::{BackupSource, RunKind, Step, StorePlan};

use crate::settings::Settings;

/// The steps of this kind of run.
pub(super) fn planned_steps(
    kind: RunKind,
    source: Option<&BackupSource>,
    stores: &StorePlans,
    settings: &Settings,
) -> Vec<PlannedStep> {
    let name = source.map_or("the copy".into(), BackupSource::name);
    let intent = |step: Step| match step {
        Step::Identify => "reads the registry row again: still a candidate, still what this plan saw".to_owned(),
        Step::Mark => "sets the state to rolling_back and opens an operation log entry, in one transaction".into(),
        Step::DropChapters => {
            let kept = if settings.keep_evidence { "keeps a copy of the rows, then drops" } else { "drops" };
            goes(&stores.sqlite, "rows", &format!("{kept} {}", stores.sqlite.staging.name))
        }
        Step::DeletePoints => goes(&stores.qdrant, "points", &format!("deletes {}", stores.qdrant.staging.name)),
        Step::DeleteNodes => goes(
            &stores.neo4j,
            "nodes",
            &format!("deletes {} in batches of {}", stores.neo4j.staging.name, count(settings.batch_size.into())),
        ),
        Step::VerifyCopy => {
            format!("reads all files of {name} again and compares their hashes with this plan's")
        }
        Step::RestoreSqlite => restore(&stores.sqlite, kind, &name),
        Step::RestoreQdrant => restore(&stores.qdrant, kind, &name),
        Step::RestoreNeo4j => restore(&stores.neo4j, kind, &name),
        Step::Finish => "sets the state to rolled_back and closes the operation log, in one transaction".into(),
        Step::Validate => "runs the seven checks and a search; changes nothing".into(),
        Step::CopySqlite => "copies the database as it is at one moment, with its checksum".into(),
        Step::CopyQdrant => "takes a snapshot of the production collection, with its checksum".into(),
        Step::CopyNeo4j => "exports the graph, with its checksum".into(),
        Step::ProveCopy => "climbs the whole ladder on the new copy, the trial restore included".into(),
        Step::SwapCopy => "puts the new folder in latest-copy's place in one rename, and keeps the old one".into(),
    };
    kind.steps()
        .into_iter()
        .map(|step| PlannedStep { step, number: step.number(), title: step.title().to_owned(), intent: intent(step) })
        .collect()
}

fn goes(plan: &StorePlan, unit: &str, does: &str) -> String {
    if plan.staging.present {
        format!("{does}: {}", counted(plan.staging.units(), unit))
    } else {
        format!("finds nothing to do: there is no staging data ({})", plan.staging.name)
    }
}

fn restore(plan: &StorePlan, kind: RunKind, name: &str) -> String {
    if let (true, Some(why)) = (plan.restore, &plan.cannot_restore) {
        return format!("cannot be restored: {why}");
    }
    if plan.restore {
        return format!(
            "takes a way back, tries {name} in a scratch place, restores it and proves what is there: {}",
            plan.evidence
        );
    }
    match plan.differs {
        _ if kind != RunKind::Rollback => "will be skipped: not chosen".to_owned(),
        Some(false) => format!("will be skipped: production equals {name} ({})", plan.evidence),
        Some(true) => format!("will be skipped, though production differs from {name}: {}", plan.evidence),
        None => format!("cannot be told yet: {}", plan.evidence),
    }
}

//! The document's checklist "after rollback": what the run's own evidence proves or disproves, and what it leaves to a
//! person.

use rollback_types::{
    AfterCheck, AfterItem, AfterState, RunKind, RunView, Step, StepState, StoreKind, Tick, ValidationVerdict, Wording,
};

use super::Told;
use super::balance::{lane, removal};
use crate::steps::EQUALS_COPY;

/// What the evidence says.
enum Evidence {
    Proves(String),
    Disproves(String),
    LeavesOpen(String),
}

use Evidence::{Disproves, LeavesOpen, Proves};

/// The items of this kind of run, in the document's order.
pub(super) fn checklist(view: &RunView, told: &Told) -> Vec<AfterCheck> {
    AfterItem::of(view.run.kind).iter().map(|item| check(*item, view, told)).collect()
}

fn check(item: AfterItem, view: &RunView, told: &Told) -> AfterCheck {
    let evidence = match item {
        AfterItem::StagingRemoved => staging_removed(view),
        AfterItem::ProductionIntact => production_intact(view, told),
        AfterItem::ValidationPassed => validation_passed(view),
        AfterItem::StatusUpdated => status_updated(view),
        AfterItem::RootCause => return written(item, told.notes.root_cause.as_ref()),
        AfterItem::Lessons => return written(item, told.notes.lessons.as_ref()),
    };
    let (state, detail) = match evidence {
        Proves(detail) => (AfterState::Proven, detail),
        Disproves(detail) => (AfterState::Disproven, detail),
        LeavesOpen(detail) => (AfterState::Open, detail),
    };
    let tick: Option<&Tick> = told.notes.ticks.get(&item).filter(|_| state == AfterState::Open);
    AfterCheck {
        item,
        title: item.title().to_owned(),
        state: if tick.is_some_and(|t| t.done) { AfterState::Ticked } else { state },
        detail,
        by: tick.map(|t| t.by.clone()),
        at: tick.map(|t| t.at),
    }
}

/// An item that is done by writing.
fn written(item: AfterItem, wording: Option<&Wording>) -> AfterCheck {
    let (state, detail) = match wording {
        Some(_) => (AfterState::Proven, "written in this report"),
        None => (AfterState::Open, "not written yet"),
    };
    AfterCheck {
        item,
        title: item.title().to_owned(),
        state,
        detail: detail.to_owned(),
        by: wording.map(|w| w.now.by.clone()),
        at: wording.map(|w| w.now.at),
    }
}

fn state(view: &RunView, step: Step) -> StepState {
    view.step(step).map_or(StepState::Pending, |s| s.state)
}

fn named(steps: &[Step]) -> String {
    steps.iter().map(Step::to_string).collect::<Vec<_>>().join(", ")
}

fn staging_removed(view: &RunView) -> Evidence {
    let steps = StoreKind::ALL.map(removal);
    let open: Vec<Step> =
        steps.into_iter().filter(|s| !matches!(state(view, *s), StepState::Done | StepState::FoundAbsent)).collect();
    if open.is_empty() {
        return Proves("steps 3, 4 and 5 looked again after they had removed it".to_owned());
    }
    LeavesOpen(format!("{} did not prove it: look into the store", named(&open)))
}

/// Production was compared with the copy, or restored from it and compared then; and no critical check failed.
fn production_intact(view: &RunView, told: &Told) -> Evidence {
    if verdict(view) == Some(ValidationVerdict::Unsound) {
        return Disproves("critical checks of the validation failed".to_owned());
    }
    let restored = |step| state(view, step) == StepState::Done;
    let equal = |step| {
        let outcome = view.step(step).and_then(|s| s.outcome.as_deref()).unwrap_or_default();
        let reason = outcome.strip_prefix("skipped: ").unwrap_or(outcome);
        state(view, step) == StepState::Skipped
            && reason.starts_with(EQUALS_COPY)
            && !told.was_skipped_by_decision(step)
    };
    let lanes = StoreKind::ALL.map(lane);
    let open: Vec<Step> = lanes.into_iter().filter(|step| !restored(*step) && !equal(*step)).collect();
    match open.as_slice() {
        [] => Proves("every store equals the copy, or was restored from it and counted again".to_owned()),
        open if view.run.kind == RunKind::Rollback => {
            LeavesOpen(format!("{} did not compare production with the copy", named(open)))
        }
        open => LeavesOpen(format!("{} restored nothing, so production was not compared there", named(open))),
    }
}

fn verdict(view: &RunView) -> Option<ValidationVerdict> {
    view.validation.as_ref().map(|report| report.verdict)
}

fn validation_passed(view: &RunView) -> Evidence {
    match verdict(view) {
        Some(ValidationVerdict::Sound) => Proves("all checks passed".to_owned()),
        Some(ValidationVerdict::SoundWithWarnings) => LeavesOpen("the critical checks passed, others warn".to_owned()),
        Some(ValidationVerdict::Incomplete) => LeavesOpen("not everything could be checked".to_owned()),
        Some(ValidationVerdict::Unsound) => Disproves("critical checks failed".to_owned()),
        None => LeavesOpen("the run did not validate".to_owned()),
    }
}

fn status_updated(view: &RunView) -> Evidence {
    match state(view, Step::Finish) {
        StepState::Done | StepState::FoundAbsent => Proves("step 8 wrote it and read it back".to_owned()),
        _ if view.run.state.is_over() => Disproves("step 8 was not carried out by this run".to_owned()),
        _ => LeavesOpen("step 8 is not through".to_owned()),
    }
}

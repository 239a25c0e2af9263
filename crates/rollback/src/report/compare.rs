//! Two reports side by side.

use rollback_types::{
    ComparedRun, ComparedStep, CountComparison, RunComparison, RunReport, Step, StepComparison, StepOutcome, StepState,
    StoreKind,
};

/// What two runs have in common, and in what they differ.
pub(crate) fn compare(a: &RunReport, b: &RunReport) -> RunComparison {
    RunComparison {
        longer_ms: longer(a.run.duration_ms, b.run.duration_ms),
        steps: steps(a, b),
        counts: counts(a, b),
        a: run(a),
        b: run(b),
    }
}

fn run(report: &RunReport) -> ComparedRun {
    let restored = |s: &&StepOutcome| s.step.is_restore() && s.state == StepState::Done;
    ComparedRun {
        run: report.run.clone(),
        approved_by: report.approved_by.clone(),
        source: report.source.clone(),
        restored: report.steps.iter().filter(restored).filter_map(|s| s.step.lane()).collect(),
        decisions: report.decisions.len() as u64,
        interruptions: report.interruptions.len() as u64,
        findings: report.findings.len() as u64,
        validation: report.validation.as_ref().map(|v| v.verdict),
        root_cause: report.root_cause.as_ref().map(|w| w.now.text.clone()),
        lessons: report.lessons.as_ref().map(|w| w.now.text.clone()),
    }
}

/// `b - a`, where both are known.
fn longer(a: Option<u64>, b: Option<u64>) -> Option<i64> {
    i64::try_from(i128::from(b?) - i128::from(a?)).ok()
}

fn steps(a: &RunReport, b: &RunReport) -> Vec<StepComparison> {
    let of = |report: &RunReport, step: Step| report.steps.iter().find(|s| s.step == step).cloned();
    let compared = |s: StepOutcome| ComparedStep {
        state: s.state,
        outcome: s.error.map(|e| e.message).or(s.outcome),
        took_ms: s.took_ms,
        attempts: s.attempts,
    };
    Step::ALL
        .into_iter()
        .filter_map(|step| {
            let (a, b) = (of(a, step), of(b, step));
            let title = a.as_ref().or(b.as_ref())?.title.clone();
            let longer_ms = longer(a.as_ref().and_then(|s| s.took_ms), b.as_ref().and_then(|s| s.took_ms));
            Some(StepComparison { step, title, a: a.map(compared), b: b.map(compared), longer_ms })
        })
        .collect()
}

fn counts(a: &RunReport, b: &RunReport) -> Vec<CountComparison> {
    let of = |report: &RunReport, store: StoreKind| {
        report.stores.iter().find(|s| s.store == store).map(|s| s.counts.clone()).unwrap_or_default()
    };
    StoreKind::ALL
        .into_iter()
        .flat_map(|store| {
            let (a, b) = (of(a, store), of(b, store));
            let mut names: Vec<String> = a.iter().map(|c| c.what.clone()).collect();
            names.extend(b.iter().map(|c| c.what.clone()).filter(|name| !a.iter().any(|c| c.what == *name)));
            names
                .into_iter()
                .map(|what| CountComparison {
                    store,
                    a: a.iter().find(|c| c.what == what).cloned(),
                    b: b.iter().find(|c| c.what == what).cloned(),
                    what,
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::longer;

    #[test]
    fn a_difference_has_a_sign_and_is_of_two_known_times() {
        assert_eq!((longer(Some(5), Some(7)), longer(Some(7), Some(5))), (Some(2), Some(-2)));
        assert_eq!((longer(None, Some(5)), longer(Some(5), None)), (None, None));
        assert_eq!(longer(Some(0), Some(u64::MAX)), None, "no such time fits; nothing is made up");
    }
}

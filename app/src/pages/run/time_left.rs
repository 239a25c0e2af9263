//! How long a step usually takes here, and how long the rest of a run may take: the document's estimate beside what earlier
//! runs took, and never one for the other.

use rollback::{Overdue, TimeLeft};
use rollback_types::{RunKind, Step, StepDuration};

use super::meter::whole_seconds;
use crate::format;
use crate::pages::plan::sentences::listed;

/// `delete_nodes usually 4.0 s here · the document: 5 min`, a line for each step of a kind.
pub(super) fn of_steps(kind: RunKind, medians: &[StepDuration]) -> String {
    let lines: Vec<String> =
        kind.steps().into_iter().map(|step| format!("{} {}", step.as_str(), of_step(step, medians))).collect();
    lines.join("\n")
}

fn of_step(step: Step, medians: &[StepDuration]) -> String {
    let documented = format::duration(u64::from(step.documented_seconds()) * 1_000);
    let of_whom = if step.is_restore() { " for the three lanes together" } else { "" };
    let here = medians.iter().find(|m| m.step == step && m.runs > 0).map(|m| {
        let took = format::duration(m.median_ms);
        // One run makes no custom.
        if m.runs == 1 { format!("{took} here the one time before · ") } else { format!("usually {took} here · ") }
    });
    format!("{}the document: {documented}{of_whom}", here.unwrap_or_default())
}

/// What is left of the run, and by what that is known; nothing when nothing can be said.
pub(super) fn sentence(left: &TimeLeft) -> Option<String> {
    let TimeLeft { learned_ms, documented_ms, documented, overdue } = left;
    let (here, there) = (rough(*learned_ms), rough(*documented_ms));
    // Another lane may be part of the sum, at work at the same time: what is left is not left after it.
    let besides = if overdue.is_empty() { "" } else { " besides" };
    let sum = match (*learned_ms, *documented_ms) {
        (0, 0) => None,
        (_, 0) => Some(format!("About {here} left{besides}, by earlier runs here.")),
        (0, _) => {
            let steps = names(documented);
            Some(format!(
                "Up to {there} left{besides} by the document’s longest estimates. Nothing is learned here yet about {steps}."
            ))
        }
        _ => {
            let both = rough(learned_ms + documented_ms);
            let steps = names(documented);
            Some(format!(
                "About {both} left{besides}: {here} by earlier runs here, and up to {there} by the document’s longest estimates for {steps}."
            ))
        }
    };
    let late = overdue.iter().map(late);
    let all: Vec<String> = late.chain(sum).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// Seconds below ten minutes, minutes above: a sum of estimates is no more exact.
fn rough(ms: u64) -> String {
    const MINUTE: u64 = 60_000;
    if ms < 10 * MINUTE { whole_seconds(ms) } else { format::duration(ms.div_ceil(MINUTE) * MINUTE) }
}

fn names(steps: &[Step]) -> String {
    listed(&steps.iter().map(Step::to_string).collect::<Vec<_>>())
}

/// `Step 5 takes longer than usual here (4.0 s).`
fn late(overdue: &Overdue) -> String {
    let expected = format::duration(overdue.expected_ms);
    let by = if overdue.learned {
        format!("usual here ({expected})")
    } else {
        format!("the document’s longest estimate ({expected})")
    };
    // It begins a sentence.
    let step = overdue.step.to_string();
    let mut letters = step.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("{}{} takes longer than {by}.", first.unwrap_or_default(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_what_is_learned_beside_the_document() {
        let medians = |runs| [StepDuration { step: Step::DeleteNodes, median_ms: 4_000, runs, documented_ms: 300_000 }];
        assert_eq!(of_step(Step::DeleteNodes, &medians(12)), "usually 4.0 s here · the document: 5 min");
        assert_eq!(of_step(Step::DeleteNodes, &medians(1)), "4.0 s here the one time before · the document: 5 min");
        assert_eq!(of_step(Step::DeleteNodes, &medians(0)), "the document: 5 min");
        assert_eq!(of_step(Step::RestoreNeo4j, &[]), "the document: 10 min for the three lanes together");
        let lines = of_steps(RunKind::Rollback, &medians(12));
        assert_eq!(lines.lines().count(), RunKind::Rollback.steps().len());
        assert!(lines.contains("\ndelete_nodes usually 4.0 s here"), "{lines}");
    }

    #[test]
    fn the_rest_of_a_run_says_by_what_it_is_known() {
        assert_eq!(sentence(&TimeLeft::default()), None);
        let learned = TimeLeft { learned_ms: 61_500, ..TimeLeft::default() };
        assert_eq!(sentence(&learned).unwrap(), "About 1 min 02 s left, by earlier runs here.");
        let steps = vec![Step::RestoreQdrant, Step::Validate];
        let documented = TimeLeft { documented_ms: 1_500_000, documented: steps.clone(), ..TimeLeft::default() };
        let said = sentence(&documented).unwrap();
        assert!(said.starts_with("Up to 25 min left by the document’s"), "{said}");
        let both = TimeLeft { learned_ms: 40_000, ..documented };
        assert_eq!(
            sentence(&both).unwrap(),
            "About 26 min left: 40 s by earlier runs here, and up to 25 min by the document’s longest estimates for \
             step 7 (Qdrant) and the validation."
        );
    }

    #[test]
    fn what_takes_longer_than_usual_says_so_and_is_in_no_sum() {
        let overdue = vec![Overdue { step: Step::DeleteNodes, expected_ms: 4_000, learned: true }];
        let alone = TimeLeft { overdue: overdue.clone(), ..TimeLeft::default() };
        assert_eq!(sentence(&alone).unwrap(), "Step 5 takes longer than usual here (4.0 s).");
        let with_rest = TimeLeft { learned_ms: 100, ..alone };
        assert_eq!(
            sentence(&with_rest).unwrap(),
            "Step 5 takes longer than usual here (4.0 s). About 1 s left besides, by earlier runs here."
        );
    }
}

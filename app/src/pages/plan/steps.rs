//! The steps to come, with what each will do.

use leptos::prelude::*;
use rollback_types::{PlannedStep, RunKind, Step};

use super::sentences::listed;
use crate::components::{Card, Icon, IconName};
use crate::format;

/// The steps of this kind of run; lanes of one number in one entry.
#[component]
pub fn StepsCard(
    /// The kind of run.
    kind: RunKind,
    /// The steps in the document's order.
    steps: Vec<PlannedStep>,
    /// Only those that an interrupted run has left.
    #[prop(default = false)]
    left: bool,
) -> impl IntoView {
    let side_by_side = side_by_side(&steps);
    let mut groups: Vec<Vec<PlannedStep>> = Vec::new();
    for step in steps {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|f| f.number == step.number) => group.push(step),
            _ => groups.push(vec![step]),
        }
    }
    let items = groups.into_iter().map(group).collect_view();
    let title = match kind {
        _ if left => "The steps that are left",
        RunKind::Rollback => "The eight steps",
        _ => "The steps",
    };
    let tag = side_by_side.map(|t| view! { <span class="tag">{t}</span> });
    view! {
        <Card title=title aside=view! { {tag} }.into_any()>
            <ol class="steps">{items}</ol>
        </Card>
    }
}

/// Which of the removals run at the same time: `3, 4 and 5 side by side`.
fn side_by_side(steps: &[PlannedStep]) -> Option<String> {
    let removals = steps.iter().filter(|s| is_removal(s.step)).map(|s| s.number.to_string());
    let removals: Vec<String> = removals.collect();
    (removals.len() > 1).then(|| format!("{} side by side", listed(&removals)))
}

fn is_removal(step: Step) -> bool {
    matches!(step, Step::DropChapters | Step::DeletePoints | Step::DeleteNodes)
}

fn group(steps: Vec<PlannedStep>) -> Option<impl IntoView> {
    let first = steps.first()?.clone();
    let together = is_removal(first.step);
    let several = steps.len() > 1;
    let title = match (several, first.step) {
        (false, _) => first.title,
        (true, Step::CopySqlite) => "Copy production".to_owned(),
        (true, _) => "Restore, store by store".to_owned(),
    };
    let intents = steps
        .into_iter()
        .map(|s| {
            let store = several.then(|| s.step.lane()).flatten();
            let prefix = store.map(|s| view! { <b>{s.title()}": "</b> });
            view! {
                <div class="d foreign">
                    {prefix}
                    {format::visible(&s.intent)}
                </div>
            }
        })
        .collect_view();
    // The document counts eight; the validation follows them.
    let mark = if first.step == Step::Validate {
        view! { <Icon name=IconName::Shield /> }.into_any()
    } else {
        view! { {first.number} }.into_any()
    };
    Some(view! {
        <li class=if together { "step pending together" } else { "step pending" }>
            <span class="mark">{mark}</span>
            <div>
                <div class="t">{title}</div>
                {intents}
            </div>
        </li>
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_removals_that_are_there_run_side_by_side() {
        let of = |steps: &[Step]| {
            let planned = |step: &Step| PlannedStep {
                step: *step,
                number: step.number(),
                title: String::new(),
                intent: String::new(),
            };
            side_by_side(&steps.iter().map(planned).collect::<Vec<_>>())
        };
        assert_eq!(of(&RunKind::Rollback.steps()).as_deref(), Some("3, 4 and 5 side by side"));
        assert_eq!(of(&[Step::DeletePoints, Step::DeleteNodes, Step::Finish]).as_deref(), Some("4 and 5 side by side"));
        assert_eq!(of(&[Step::DeleteNodes, Step::RestoreSqlite, Step::RestoreQdrant]), None);
    }
}

//! The steps to come, with what each will do.

use leptos::prelude::*;
use rollback_types::{PlannedStep, RunKind, Step};

use crate::components::{Card, Icon, IconName};
use crate::format;

/// The steps of this kind of run; lanes of one number in one entry.
#[component]
pub fn StepsCard(
    /// The kind of run.
    kind: RunKind,
    /// The steps in the document's order.
    steps: Vec<PlannedStep>,
) -> impl IntoView {
    let mut groups: Vec<Vec<PlannedStep>> = Vec::new();
    for step in steps {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|f| f.number == step.number) => group.push(step),
            _ => groups.push(vec![step]),
        }
    }
    let items = groups.into_iter().map(group).collect_view();
    let (title, tag) = match kind {
        RunKind::Rollback => ("The eight steps", Some("3, 4 and 5 side by side")),
        _ => ("The steps", None),
    };
    let tag = tag.map(|t| view! { <span class="tag">{t}</span> });
    view! {
        <Card title=title aside=view! { {tag} }.into_any()>
            <ol class="steps">{items}</ol>
        </Card>
    }
}

fn group(steps: Vec<PlannedStep>) -> Option<impl IntoView> {
    let first = steps.first()?.clone();
    let together = matches!(first.step, Step::DropChapters | Step::DeletePoints | Step::DeleteNodes);
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

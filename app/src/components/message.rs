//! What the page has to say: verdicts, warnings, errors, and what would be here.

use leptos::prelude::*;
use rollback_types::{Problem, ProblemKind, Verdict, VerdictLevel};

use super::badge::Tone;
use super::diff::{Change, Diff};
use super::icon::{Icon, IconName};
#[cfg(feature = "ssr")]
use super::toast::Toast;
use crate::format;

/// A remark in a tone, with a heading of its own.
#[component]
pub fn Callout(
    /// The tone.
    tone: Tone,
    /// The heading: a sentence.
    #[prop(into)]
    title: String,
    /// More.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let icon = match tone {
        Tone::Good => IconName::Check,
        Tone::Bad => IconName::Cross,
        Tone::Warn => IconName::Warning,
        Tone::Run => IconName::Spinner,
        Tone::Idle => IconName::Info,
    };
    view! {
        <div class=format!("callout {}", tone.class())>
            <Icon name=icon />
            <div>
                <strong>{title}</strong>
                {children.map(|c| c())}
            </div>
        </div>
    }
}

/// What would be here, and what to do next.
#[component]
pub fn EmptyState(
    /// What is not here.
    #[prop(into)]
    title: String,
    /// What would be here, and what to do.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty">
            <strong>{title}</strong>
            <div>{children()}</div>
        </div>
    }
}

/// What happened, what is safe, what to do next.
#[component]
pub fn ErrorPanel(
    /// The problem.
    #[prop(into)]
    problem: Problem,
    /// Where to try again; by default there is no such link.
    #[prop(optional, into)]
    retry: Option<String>,
) -> impl IntoView {
    let line = |term: &'static str, text: Option<String>| {
        text.map(|t| {
            view! {
                <p>
                    <b>{term}</b>
                    " "
                    <span class="foreign">{format::visible_lines(&t)}</span>
                </p>
            }
        })
    };
    let refusals = problem
        .refusals
        .iter()
        .map(|r| view! { <li class="foreign">{format::visible_lines(&r.message)}</li> })
        .collect_view();
    let changes: Vec<Change> = problem.differences.iter().cloned().map(Change::from).collect();
    view! {
        <div class="callout bad" role="alert">
            <Icon name=IconName::Cross />
            <div>
                <strong>{problem.title.clone()}</strong>
                <p class="foreign">{format::visible_lines(&problem.detail)}</p>
                {(!problem.refusals.is_empty()).then(|| view! { <ul>{refusals}</ul> })}
                {(!changes.is_empty()).then(|| view! { <Diff label="What changed" changes=changes /> })}
                {line("Safe:", problem.safe.clone())}
                {line("What to do:", problem.remedy.clone())}
                {problem
                    .active_run
                    .map(|id| {
                        view! {
                            <p>
                                <a href=format!("/runs/{id}")>{format!("Open run #{id}")}</a>
                            </p>
                        }
                    })}
                {(problem.kind == ProblemKind::SignInRequired).then(sign_in_again)}
                {(problem.kind == ProblemKind::StoreUnavailable)
                    .then(|| {
                        view! {
                            <p>
                                <a href="/">"How all three stores are, on the overview"</a>
                            </p>
                        }
                    })}
                {retry
                    .map(|href| {
                        view! {
                            <p>
                                <a class="btn" href=href>
                                    "Try again"
                                </a>
                            </p>
                        }
                    })}
            </div>
        </div>
    }
}

/// That the form which led here was carried out; nothing where there was none.
#[cfg(feature = "ssr")]
#[component]
pub fn Said() -> impl IntoView {
    let said = crate::notice::done().map(|sentence| view! { <Toast tone=Tone::Good text=sentence /> });
    let found = crate::notice::found().map(|(tone, sentence)| view! { <Toast tone=tone text=sentence /> });
    view! { <div class="outcome">{said} {found}</div> }
}

/// The way to the door, and back to this page.
fn sign_in_again() -> impl IntoView {
    let next = crate::address::here();
    view! {
        <p>
            <a class="btn" href=format!("/sign-in{}", format::query([("next", next.as_str())]))>
                "Sign in"
            </a>
        </p>
    }
}

/// Is the thing itself missing, rather than something broken?
pub fn is_missing(problem: &Problem) -> bool {
    problem.kind == ProblemKind::NotFound
}

/// One verdict that answers: can I roll back now, and if not, why?
#[component]
pub fn VerdictPanel(
    /// The verdict.
    verdict: Verdict,
    /// What it is about, for assistive software.
    #[prop(default = "Verdict".to_owned(), into)]
    label: String,
    /// The run that it speaks of, in a line below the headline.
    #[prop(optional_no_strip)]
    run: Option<AnyView>,
    /// What to press.
    #[prop(optional)]
    action: Option<AnyView>,
) -> impl IntoView {
    let (tone, icon) = verdict_look(verdict.level);
    // What to do when all is well, or about a run, is what the button says.
    let remedy = verdict.remedy.filter(|_| verdict.level != VerdictLevel::Ready && run.is_none());
    let reasons = match verdict.reasons.as_slice() {
        [] => None,
        [one] => Some(view! { <p class="foreign">{format::visible(one)}</p> }.into_any()),
        many => {
            let items = many.iter().map(|r| view! { <li class="foreign">{format::visible(r)}</li> }).collect_view();
            Some(view! { <ul>{items}</ul> }.into_any())
        }
    };
    view! {
        <section class=format!("verdict {}", tone.class()) aria-label=label>
            <Icon name=icon />
            <div>
                <strong>{verdict.headline}</strong>
                {run}
                {reasons}
                {remedy
                    .map(|r| {
                        view! {
                            <p>
                                <b>"What to do:"</b>
                                " "
                                <span class="foreign">{format::visible(&r)}</span>
                            </p>
                        }
                    })}
            </div>
            {action}
        </section>
    }
}

fn verdict_look(level: VerdictLevel) -> (Tone, IconName) {
    match level {
        VerdictLevel::Ready => (Tone::Good, IconName::Shield),
        VerdictLevel::Quiet => (Tone::Idle, IconName::Shield),
        VerdictLevel::Running => (Tone::Run, IconName::Spinner),
        VerdictLevel::Attention => (Tone::Warn, IconName::Warning),
        VerdictLevel::Blocked => (Tone::Bad, IconName::Cross),
    }
}

/// Shown while something loads after a click; the server always sends complete pages.
#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <p class="loading" role="status">
            <Icon name=IconName::Spinner />
            "Loading…"
        </p>
    }
}

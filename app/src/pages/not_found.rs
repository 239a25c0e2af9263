//! What stands in the place of a page: there is none at the address, or the server refused it, or could not make it.

use leptos::prelude::*;
use rollback_types::{Problem, ProblemKind};

use crate::account::account;
use crate::components::{Icon, IconName, PageHeader, ProblemFacts};
use crate::format;

/// The problem that the server wants shown in the place of the page that was asked for. It gives this as a context.
#[derive(Clone, Debug)]
pub struct InPlaceOfPage {
    /// The problem. The answer has its status.
    pub problem: Problem,
    /// The page the reader came from, if it was one of ours.
    pub came_from: Option<String>,
}

/// The fallback of the routes: a problem of the server's, or "not found" with status 404.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    match use_context::<InPlaceOfPage>() {
        Some(shown) => view! { <ProblemPage shown=shown /> }.into_any(),
        None => {
            #[cfg(feature = "ssr")]
            crate::api::error::set_status(404);
            view! { <ProblemPage shown=InPlaceOfPage { problem: no_such_page(), came_from: None } /> }.into_any()
        }
    }
}

fn no_such_page() -> Problem {
    let mut problem = Problem::new(ProblemKind::NotFound, "This address leads nowhere.")
        .safe("Nothing was changed.")
        .remedy("The pages are listed in the navigation; versions and runs have links of their own.");
    problem.title = "There is no such page".to_owned();
    problem
}

/// A problem, and nothing else.
#[component]
fn ProblemPage(shown: InPlaceOfPage) -> impl IntoView {
    let InPlaceOfPage { problem, came_from } = shown;
    let icon = icon_of(problem.kind);
    let over = view! {
        <Icon name=icon />
        {format!("Answered with status {}", problem.status)}
    };
    let who = account().filter(|_| problem.kind == ProblemKind::RoleRequired).map(|account| {
        view! {
            <footer>
                "You are signed in as " <bdi class="foreign">{format::visible(&account.name)}</bdi>
                {format!(", with the role {}. The try stands in the audit.", account.role)}
            </footer>
        }
    });
    let run = problem
        .active_run
        .map(|id| view! { <a class="btn" href=format!("/runs/{id}")>{format!("Open run #{id}")}</a> });
    let tab = problem.title.clone();
    let title = problem.title.clone();
    view! {
        <PageHeader tab=tab over=over.into_any()>
            {title}
        </PageHeader>
        <section class="card problem-page" aria-label="What happened, and what to do">
            <div class="body">
                <ProblemFacts problem=problem />
                <div class="actions">
                    {run} <a class="btn primary" href="/">
                        "To the overview"
                    </a> {came_from.map(|page| view! { <a class="btn" href=page>"Back to where you were"</a> })}
                </div>
            </div>
            {who}
        </section>
    }
}

fn icon_of(kind: ProblemKind) -> IconName {
    match kind {
        ProblemKind::NotFound => IconName::Search,
        ProblemKind::Forbidden
        | ProblemKind::RoleRequired
        | ProblemKind::SignInRequired
        | ProblemKind::ApprovalRequired => IconName::Key,
        ProblemKind::TooManyRequests => IconName::Clock,
        ProblemKind::StoreUnavailable
        | ProblemKind::JournalUnavailable
        | ProblemKind::AccessUnavailable
        | ProblemKind::Internal => IconName::Cross,
        _ => IconName::Warning,
    }
}

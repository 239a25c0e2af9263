//! There is no such page.

use leptos::prelude::*;

use crate::components::{EmptyState, PageHeader};

/// The fallback of the routes; answers with status 404.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::api::error::set_status(404);
    view! {
        <PageHeader tab="Not found">"There is no such page"</PageHeader>
        <EmptyState title="This address leads nowhere.">
            <p>"Nothing was changed. The pages are listed in the navigation; versions and runs have links of their own."</p>
            <p>
                <a class="btn" href="/">
                    "To the overview"
                </a>
            </p>
        </EmptyState>
    }
}

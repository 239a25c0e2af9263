//! Surfaces: a page's header, cards, lists of facts.

use leptos::prelude::*;
use leptos_meta::Title;
use rollback_types::StoreKind;

use super::store::StoreDot;
use crate::format;

/// A page's title (in the tab too), a sentence about it, and what can be done.
#[component]
pub fn PageHeader(
    /// The title of the tab, without the program's name.
    #[prop(into)]
    tab: String,
    /// The heading.
    children: Children,
    /// A word above the heading.
    #[prop(optional)]
    over: Option<AnyView>,
    /// A sentence below it.
    #[prop(optional)]
    lead: Option<AnyView>,
    /// Badges and buttons beside it.
    #[prop(optional)]
    tools: Option<AnyView>,
) -> impl IntoView {
    view! {
        <Title text=tab />
        <div class="head">
            <div>
                {over.map(|o| view! { <div class="tag">{o}</div> })} <h1>{children()}</h1>
                {lead.map(|l| view! { <p class="muted">{l}</p> })}
            </div>
            {tools.map(|t| view! { <div class="toolbar">{t}</div> })}
        </div>
    }
}

/// A titled surface. The title makes the section's id and its accessible name.
#[component]
pub fn Card(
    /// The heading.
    #[prop(into)]
    title: String,
    /// More classes, such as `c7` for its width in a `.grid`.
    #[prop(optional, into)]
    class: String,
    /// What stands beside the heading.
    #[prop(optional)]
    aside: Option<AnyView>,
    /// What stands below.
    #[prop(optional)]
    footer: Option<AnyView>,
    /// The content; wrap it in `.body` for padding, leave tables and lists bare.
    children: Children,
) -> impl IntoView {
    let id = format!("card-{}", format::slug(&title));
    let label = id.clone();
    view! {
        <section class=format!("card {class}") aria-labelledby=label>
            <header>
                <h2 id=id>{title}</h2>
                {aside}
            </header>
            {children()}
            {footer.map(|f| view! { <footer>{f}</footer> })}
        </section>
    }
}

/// Facts: terms with their values.
#[component]
pub fn KeyValue(
    /// [`Fact`]s.
    children: Children,
) -> impl IntoView {
    view! { <dl class="kv">{children()}</dl> }
}

/// One fact of a [`KeyValue`].
#[component]
pub fn Fact(
    /// The term.
    #[prop(into)]
    term: String,
    /// The store it is about, shown as its dot.
    #[prop(optional)]
    store: Option<StoreKind>,
    /// The value.
    children: Children,
) -> impl IntoView {
    view! {
        <div>
            <dt>{store.map(|store| view! { <StoreDot store=store /> })} {term}</dt>
            <dd>{children()}</dd>
        </div>
    }
}

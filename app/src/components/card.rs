//! Surfaces: a page's header, cards, lists of facts.

use leptos::prelude::*;
use rollback_types::StoreKind;

use super::icon::{Icon, IconName};
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
    set_tab_title(tab);
    let follows = tools.is_some();
    view! {
        <div class="head">
            <div>
                {over.map(|o| view! { <div class="tag">{o}</div> })} <h1>{children()}</h1>
                {lead.map(|l| view! { <p class="muted">{l}</p> })}
            </div>
            {tools.map(|t| view! { <div class="toolbar">{t}</div> })}
        </div>
        {follows.then(line_lost)}
    }
}

/// Shown while the connection that the header tells of is lost: nothing on the page is claimed of now.
fn line_lost() -> impl IntoView {
    view! {
        <div class="callout warn when-away">
            <Icon name=IconName::Warning />
            <div>
                <strong>"The line to Stepback is lost."</strong>
                <p>
                    "What stands here is as it was when the line was lost, and may be otherwise by now. This page goes on by itself when the line is back."
                </p>
            </div>
        </div>
    }
}

/// The text of the browser's tab, which the server writes into the page's head.
#[cfg(feature = "ssr")]
pub fn set_tab_title(text: String) {
    // Called for what it writes; it shows nothing in its place.
    let _shows_nothing = leptos_meta::Title(leptos_meta::TitleProps::builder().text(text).build());
}

/// In the browser: as the server's formatter writes it.
#[cfg(not(feature = "ssr"))]
pub fn set_tab_title(text: String) {
    #[cfg(feature = "hydrate")]
    document().set_title(&crate::tab_title(text));
    #[cfg(not(feature = "hydrate"))]
    let _ = text;
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

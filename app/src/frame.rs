//! What surrounds every page: navigation, the deployment's name, the engines behind the three stores.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use rollback_types::{Layout, StoreKind};
use serde::{Deserialize, Serialize};

use crate::components::{Icon, IconName, StoreDot};

/// What answers in the place of one store, by configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineName {
    /// Which store.
    pub store: StoreKind,
    /// `SQLite`, `Qdrant`, `Neo4j`, or `embedded`.
    pub engine: String,
}

/// What the frame says about the deployment. The server gives this as a context; it costs no question to a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its name, by configuration.
    pub name: String,
    /// The engines of the three stores.
    pub engines: Vec<EngineName>,
    /// The layout found at the start, if the registry could be read then.
    pub layout: Option<Layout>,
}

/// Tells style and tests that the page answers to JavaScript now.
pub fn mark_hydrated() {
    Effect::new(|_| {
        #[cfg(feature = "hydrate")]
        if let Some(root) = document().document_element() {
            // An attribute of a fixed, legal name cannot be refused.
            let _set = root.set_attribute("data-hydrated", "");
        }
    });
}

/// `/` goes to the search field of the page, if it has one; never while something is being typed.
fn search_by_key() {
    #[cfg(feature = "hydrate")]
    Effect::new(|_| {
        use wasm_bindgen::JsCast as _;
        let listener = window_event_listener(leptos::ev::keydown, |event| {
            let typing = event
                .target()
                .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
                .is_some_and(|e| matches!(e.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"));
            if event.key() != "/" || event.ctrl_key() || event.meta_key() || event.alt_key() || typing {
                return;
            }
            let field = document().query_selector("input[type=search]").ok().flatten();
            if let Some(field) = field.and_then(|f| f.dyn_into::<web_sys::HtmlInputElement>().ok()) {
                event.prevent_default();
                // A field that cannot take the focus just does not get it.
                let _focused = field.focus();
            }
        });
        on_cleanup(move || listener.remove());
    });
}

struct Place {
    href: &'static str,
    icon: IconName,
    label: &'static str,
}

const PLACES: [Place; 4] = [
    Place { href: "/", icon: IconName::Home, label: "Overview" },
    Place { href: "/versions", icon: IconName::List, label: "Versions" },
    Place { href: "/runs", icon: IconName::Clock, label: "Runs" },
    Place { href: "/backups", icon: IconName::Box, label: "Backups" },
];

/// Is `path` the place at `href`, or below it? A restore belongs to the backup it restores from.
fn current(href: &str, path: &str) -> Option<&'static str> {
    if href == "/backups" && path.starts_with("/restore/") {
        return Some("true");
    }
    if path == href || (href != "/" && path == format!("{href}/")) {
        return Some("page");
    }
    (href != "/" && path.starts_with(href) && path[href.len()..].starts_with('/')).then_some("true")
}

/// Navigation beside (on a phone: below) the page's own content.
#[component]
pub fn Frame(
    /// The page.
    children: Children,
) -> impl IntoView {
    let deployment = SharedValue::new(|| use_context::<Deployment>().unwrap_or_default()).into_inner();
    search_by_key();
    let path = use_location().pathname;
    let link = move |place: &Place| {
        let href = place.href;
        view! {
            <a href=href aria-current=move || current(href, &path.get())>
                <Icon name=place.icon />
                <span>{place.label}</span>
            </a>
        }
    };
    let engines = deployment
        .engines
        .iter()
        .map(|e| {
            let (store, engine) = (e.store, e.engine.clone());
            let text = if engine == "embedded" { format!("{store}: embedded") } else { engine };
            view! {
                <li>
                    <StoreDot store=store />
                    {text}
                </li>
            }
        })
        .collect_view();

    view! {
        // The browser's own way moves the focus, the router's would only scroll.
        <a class="skip" href="#main" rel="external">
            "Skip to the content"
        </a>
        <div class="app">
            <header class="side">
                <a class="brand" href="/">
                    <Icon name=IconName::Back />
                    <span>"Stepback"</span>
                </a>
                <nav aria-label="Main">{PLACES.iter().map(link).collect_view()}</nav>
                <div class="deployment">
                    <p class="deployment-name">{deployment.name.clone()}</p>
                    <p>{deployment.layout.map(Layout::title)}</p>
                    <ul>{engines}</ul>
                </div>
            </header>
            <main id="main" tabindex="-1">
                {children()}
            </main>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_current_on_itself_and_below_but_not_beside() {
        assert_eq!(current("/", "/"), Some("page"));
        assert_eq!(current("/", "/versions"), None);
        assert_eq!(current("/versions", "/versions"), Some("page"));
        assert_eq!(current("/versions", "/versions/v2"), Some("true"));
        assert_eq!(current("/versions", "/versionsx"), None);
        assert_eq!(current("/backups", "/restore/latest-copy"), Some("true"));
    }
}

//! What surrounds every page: navigation, the deployment's name, the engines behind the three stores.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use rollback_types::{Layout, Role, StoreKind};
use serde::{Deserialize, Serialize};

use crate::account::{Account, account, in_words, may};
use crate::alive::Alive;
use crate::components::key_help::KeyHelp;
use crate::components::{Icon, IconName, StoreDot, key_help, palette};

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
    /// How many other people must approve a plan that changes anything.
    pub approvals_required: u32,
    /// The provider at which people may sign in, by the name that the settings give it.
    pub provider: Option<String>,
}

/// How many other people must approve a plan that changes anything.
pub fn approvals_required() -> u32 {
    use_context::<Deployment>().map_or(0, |deployment| deployment.approvals_required)
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

/// Only where plans want approval.
const APPROVALS: Place = Place { href: "/approvals", icon: IconName::Shield, label: "Approvals" };

/// What only administrators have a use for.
const ADMINISTRATION: [Place; 2] = [
    Place { href: "/people", icon: IconName::People, label: "People" },
    Place { href: "/audit", icon: IconName::Book, label: "Audit" },
];

/// Pages before sign-in stand alone: there is nowhere to go from them.
fn stands_alone(path: &str) -> bool {
    matches!(path.trim_end_matches('/'), "/sign-in" | "/welcome")
}

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
    let deployment = use_context::<Deployment>().unwrap_or_default();
    let path = use_location().pathname.get_untracked();
    let link = |place: &Place| place_link(place, &path, "");
    let asks = deployment.approvals_required > 0;
    let places = PLACES.iter().map(link).collect_view();
    let approvals = asks.then(|| link(&APPROVALS));
    let seldom = |place: &Place| place_link(place, &path, "seldom");
    let administration = may(Role::Administrator).then(|| ADMINISTRATION.iter().map(seldom).collect_view());
    let alone = stands_alone(&path);

    view! {
        <a class="skip" href="#main">
            "Skip to the content"
        </a>
        <div class=if alone { "app alone" } else { "app" }>
            {(!alone)
                .then(|| {
                    view! {
                            <header class="side">
                                <a class="brand" href="/">
                                    <Icon name=IconName::Back />
                                    <span>"Stepback"</span>
                                </a>
                                <button
                                    class="keys-btn go-to needs-js"
                                    type="button"
                                    aria-haspopup="dialog"
                                    data-opens=palette::ID
                                >
                                    <Icon name=IconName::Search />
                                    <span>"Go to…"</span>
                                    <kbd aria-hidden="true">"Ctrl K"</kbd>
                                </button>
                                <nav aria-label="Main">{places} {approvals} {administration}</nav>
                                <DeploymentName deployment=deployment />
                                <button
                                    class="keys-btn needs-js"
                                    type="button"
                                    aria-haspopup="dialog"
                                    data-opens=key_help::ID
                                >
                                    <Icon name=IconName::Question />
                                    <span>"Keyboard"</span>
                                </button>
                                {account().map(|account| view! { <AccountMenu account=account path=path.clone() /> })}
                            </header>
                    }
                })}
            <main id="main" tabindex="-1">
                {children()}
            </main>
        </div>
        <KeyHelp />
        <Alive />
    }
}

/// The way to a place, seen from the page at `path`.
fn place_link(place: &Place, path: &str, class: &'static str) -> impl IntoView + use<> {
    let href = place.href;
    view! {
        <a href=href class=(!class.is_empty()).then_some(class) aria-current=current(href, path)>
            <Icon name=place.icon />
            <span>{place.label}</span>
        </a>
    }
}

/// The deployment's name, its layout, and what answers for each store.
#[component]
fn DeploymentName(deployment: Deployment) -> impl IntoView {
    let engines = deployment
        .engines
        .into_iter()
        .map(|EngineName { store, engine }| {
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
        <div class="deployment">
            <p class="deployment-name">{deployment.name}</p>
            <p>{deployment.layout.map(Layout::title)}</p>
            <ul>{engines}</ul>
        </div>
    }
}

/// Who is signed in, what they may do, and the way out. Plain forms. On a phone also where administrators go: the places at
/// its lower edge are as many as it holds.
#[component]
fn AccountMenu(account: Account, path: String) -> impl IntoView {
    let name = crate::format::visible(&account.name);
    let administration = account.role.covers(Role::Administrator).then(|| {
        let places = ADMINISTRATION.iter().map(|place| place_link(place, &path, "")).collect_view();
        view! { <nav aria-label="Administration">{places}</nav> }
    });
    view! {
        <details class="account">
            <summary>
                <Icon name=IconName::Key />
                <span class="who">
                    <span class="sr">"Account: "</span>
                    <bdi class="foreign">{name}</bdi>
                    <span class="under">{account.role.as_str()}</span>
                </span>
            </summary>
            <div class="account-menu">
                <p class="small muted">{format!("Role {}: {}.", account.role, in_words(account.role))}</p>
                {administration}
                <a class="btn small" href="/password">
                    "Change your password"
                </a>
                <form method="post" action="/session/sign-out">
                    <button class="btn small" type="submit">
                        "Sign out"
                    </button>
                </form>
                <form method="post" action="/session/sign-out-everywhere">
                    <button class="btn small" type="submit">
                        "Sign out everywhere"
                    </button>
                </form>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pages_before_sign_in_stand_alone() {
        assert!(stands_alone("/sign-in") && stands_alone("/welcome/"));
        assert!(!stands_alone("/") && !stands_alone("/sign-in/other") && !stands_alone("/people"));
    }

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

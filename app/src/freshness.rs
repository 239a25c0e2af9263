//! A page that stays true while it is looked at: the server tells when something changed, and the page is asked for again.
//! Its fragments take the new content; where that would disturb whoever reads or fills in, the page says that it is old.
#![allow(missing_docs, reason = "the island macro makes an undocumented type of what the server passes on")]

use leptos::prelude::*;

use crate::components::ConnectionState;
use crate::event_stream::Connection;
use crate::fragment;

/// What all pages said before this one was made, as the stream of changes names it; nothing where nobody watched. The server
/// gives this as a context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenBefore(pub Option<String>);

/// How the overview hears of changes; keeps its fragments true.
#[cfg(feature = "ssr")]
#[component]
pub fn OverviewFreshness(
    /// What the server saw when it rendered the page, as the stream of changes names it.
    seen: String,
) -> impl IntoView {
    view! { <Freshness seen=seen everywhere=false says=String::new() link=String::new() /> }
}

/// How any other page hears of changes. Without a word about it before, the page is compared once with what is so.
#[cfg(feature = "ssr")]
#[component]
pub fn PageFreshness(
    /// What is said once a fragment that is held would be another.
    #[prop(default = "This list has changed.")]
    says: &'static str,
    /// The link beside it, which loads the page again.
    #[prop(default = "Show what is new")]
    link: &'static str,
) -> impl IntoView {
    let seen = use_context::<SeenBefore>().and_then(|before| before.0).unwrap_or_default();
    view! { <Freshness seen=seen everywhere=true says=says.to_owned() link=link.to_owned() /> }
}

/// The connection, in words; and the notice that the page is old.
#[island]
pub fn Freshness(seen: String, everywhere: bool, says: String, link: String) -> impl IntoView {
    let connection = RwSignal::new(Connection::default());
    // The words of what is old; none of its own where it has no others than the page.
    let old = RwSignal::new(None::<String>);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::Watch { seen: seen.clone().into(), everywhere, old }.begin(connection));
    #[cfg(not(feature = "hydrate"))]
    let _ = (seen, everywhere);
    view! {
        <ConnectionState connection=connection />
        <div class="old-page" role="status">
            {move || {
                old.get()
                    .map(|own| old_page(if own.is_empty() { says.clone() } else { own }, link.clone(), fragment::address()))
            }}
        </div>
    }
}

/// What is said of an old page, and the way to a new one.
pub(crate) fn old_page(says: String, link: String, href: String) -> impl IntoView {
    view! {
        <p>{says}</p>
        <a class="btn small" href=href>
            {link}
        </a>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::RefCell;

    use leptos::prelude::*;
    use rollback_types::Change;

    use crate::event_stream::{Connection, EventStream, Listener};
    use crate::fragment;

    pub struct Watch {
        pub seen: RefCell<String>,
        pub everywhere: bool,
        pub old: RwSignal<Option<String>>,
    }

    impl Watch {
        pub fn begin(self, connection: RwSignal<Connection>) {
            fragment::tell(self.old);
            let act = move |text: &str| {
                let Ok(change) = serde_json::from_str::<Change>(text) else { return };
                let now = if self.everywhere { change.everywhere } else { change.seen };
                if *self.seen.borrow() != now {
                    self.seen.replace(now);
                    if self.old.with_untracked(Option::is_some) { fragment::renew_later() } else { fragment::renew() }
                }
            };
            let changes = Listener { name: "message", act: Box::new(act) };
            let stream = EventStream::open(|| "/api/v1/changes".to_owned(), vec![changes], connection);
            // As long as the page.
            std::mem::forget(stream);
        }
    }
}

//! A page that stays true while it is looked at: the server tells when something changed, and the page's fragments are
//! fetched anew.
#![allow(missing_docs, reason = "the island macro makes an undocumented type of what the server passes on")]

use leptos::prelude::*;

use crate::components::ConnectionState;
use crate::event_stream::Connection;

/// How the page hears of changes; keeps its fragments true.
#[island]
pub fn Freshness(
    /// What the server saw when it rendered the page, as the stream of changes names it.
    seen: String,
) -> impl IntoView {
    let connection = RwSignal::new(Connection::default());
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::keep(seen.clone(), connection));
    #[cfg(not(feature = "hydrate"))]
    let _ = seen;
    view! { <ConnectionState connection=connection /> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::RefCell;

    use leptos::prelude::*;
    use rollback_types::Change;

    use crate::event_stream::{Connection, EventStream, Listener};
    use crate::fragment::renew;

    pub fn keep(seen: String, connection: RwSignal<Connection>) {
        let seen = RefCell::new(seen);
        let act = move |text: &str| {
            let Ok(change) = serde_json::from_str::<Change>(text) else { return };
            if seen.replace(change.seen.clone()) != change.seen {
                renew();
            }
        };
        let changes = Listener { name: "message", act: Box::new(act) };
        let stream = EventStream::open(|| "/api/v1/changes".to_owned(), vec![changes], connection);
        // As long as the page.
        std::mem::forget(stream);
    }
}

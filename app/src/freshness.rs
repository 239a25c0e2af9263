//! A page that stays true while it is looked at: its fragments are fetched anew, and it says so when that no longer works.
#![allow(missing_docs, reason = "the island macro makes an undocumented type of what the server passes on")]

use leptos::prelude::*;
use rollback_types::Timestamp;

use crate::components::{Time, TimeStyle};

/// When this page was seen; said loudly when the server no longer answers.
#[island]
pub fn Freshness(
    /// When the server rendered it.
    at: Timestamp,
) -> impl IntoView {
    let seen = RwSignal::new(at);
    let stale = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    browser::keep(seen, stale);
    view! {
        <span class=move || if stale.get() { "live stale" } else { "live" }>
            {move || if stale.get() { "Not answering, seen " } else { "Seen " }}
            {move || view! { <Time at=seen.get() style=TimeStyle::Relative /> }}
        </span>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use leptos::prelude::*;
    use rollback_types::Timestamp;

    use crate::components::clock::first_now;
    use crate::fragment::{Renewal, renew};

    /// Between two looks.
    const EVERY: Duration = Duration::from_secs(10);

    pub fn keep(seen: RwSignal<Timestamp>, stale: RwSignal<bool>) {
        let look = move || {
            if document().hidden() {
                return;
            }
            leptos::task::spawn_local(async move {
                let answered = renew().await == Renewal::Done;
                stale.set(!answered);
                if answered {
                    seen.set(first_now());
                }
            });
        };
        // Refused by no browser; without it the page stays as it was loaded, and says when that was.
        let _ticks = set_interval_with_handle(look, EVERY);
        // Who comes back to the page wants to see what is so now.
        let _for_ever = window_event_listener_untyped("visibilitychange", move |_| look());
    }
}

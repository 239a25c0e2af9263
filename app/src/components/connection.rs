//! How the page hears of what it shows.

use leptos::prelude::*;

use super::clock::{Time, TimeStyle};
use crate::event_stream::Connection;

/// Live, reconnecting, stale since, ended.
#[component]
pub fn ConnectionState(
    /// How it is now.
    #[prop(into)]
    connection: Signal<Connection>,
) -> impl IntoView {
    let look = move || match connection.get() {
        // Nothing is claimed before the page is alive.
        Connection::Rendered => ("live needs-js rendered", "Connecting"),
        Connection::Live => ("live", "Live"),
        Connection::Reconnecting => ("live stale", "Reconnecting"),
        Connection::Paused => ("live paused", "Paused while hidden"),
        Connection::Ended => ("live ended", "At rest"),
        Connection::Stale(_) => ("live offline", "Stale since "),
    };
    let since = move || match connection.get() {
        Connection::Stale(at) => Some(view! { <Time at=at style=TimeStyle::Absolute /> }),
        _ => None,
    };
    view! {
        <span class=move || look().0>
            <span>{move || look().1}{since}</span>
        </span>
    }
}

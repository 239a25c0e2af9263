//! How the page hears of what it shows.

use leptos::prelude::*;

use super::clock::{Time, TimeStyle};
use crate::event_stream::Connection;

/// Said, once each, to those who do not see it.
const LOST: &str = "The line to Stepback is lost: what is shown may be old.";
const BACK: &str = "The line to Stepback is back.";

/// Live, reconnecting, stale since, ended. That the line is lost, and back again, is told to assistive software too; a short
/// break is not.
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
    let said = Memo::new(move |before: Option<&&'static str>| match (connection.get(), before) {
        (Connection::Stale(_), _) => LOST,
        (Connection::Live | Connection::Ended, Some(&LOST)) => BACK,
        (_, before) => before.copied().unwrap_or_default(),
    });
    view! {
        <span class=move || look().0>
            <span>{move || look().1}{since}</span>
            <span class="sr" role="status">
                {move || said.get()}
            </span>
        </span>
    }
}

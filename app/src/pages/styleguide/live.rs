//! What changes while it is looked at, each state of it standing still.

use leptos::prelude::*;

use super::specimens::{ago, run};
use crate::components::{Card, ConnectionState, DialogButton, palette};
use crate::event_stream::Connection;
use crate::freshness::old_page;
use crate::live::LiveRun;
use crate::pages::run::log::Log;

/// How a page hears of what it shows, and that it is old.
#[component]
pub(super) fn ConnectionSection() -> impl IntoView {
    let states = [
        Connection::Rendered,
        Connection::Live,
        Connection::Reconnecting,
        Connection::Stale(ago(4)),
        Connection::Paused,
        Connection::Ended,
    ];
    let states =
        states.into_iter().map(|state| view! { <ConnectionState connection=Signal::stored(state) /> }).collect_view();
    view! {
        <Card title="Connection">
            <div class="body">
                <h3>"Whether what is shown is what is so"</h3>
                <p class="specimens">{states}</p>
                <h3>"A page that is old; it stays at the lower edge, and moves nothing"</h3>
                <div class="old-page">
                    {old_page("This list has changed.".to_owned(), "Show what is new".to_owned(), "#card-connection".to_owned())}
                </div>
                <h3>"To go anywhere"</h3>
                <p>
                    <DialogButton dialog=palette::ID>"Open the palette"</DialogButton>
                </p>
            </div>
        </Card>
    }
}

/// A log with a line of every kind. No island keeps it, so nothing in it can be pressed.
#[component]
pub(super) fn LogSection() -> impl IntoView {
    view! {
        <div inert=true>
            <Log live=LiveRun::new(run()) />
        </div>
    }
}

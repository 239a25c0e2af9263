//! What the server renders of a run is fetched anew when a step begins, ends or fails, and when the run does; and while a step
//! is at work, again and again: its bar grows, and less is left.

use std::time::Duration;

use leptos::prelude::*;
use rollback_types::StepState;

use crate::event_stream::Connection;
use crate::fragment::renew;
use crate::live::LiveRun;

/// Steps that move together are asked for once.
const REST: Duration = Duration::from_millis(250);
/// Between two looks at a step that is at work. What it counts comes over the stream meanwhile.
const GROWS: Duration = Duration::from_secs(15);

/// Keeps the page's fragments at the run's state.
pub fn keep(live: LiveRun) {
    let moved = Memo::new(move |_| {
        live.view.with(|v| {
            let begun = v.steps.iter().filter(|s| s.started_at.is_some()).count();
            let ended = v.steps.iter().filter(|s| s.ended_at.is_some()).count();
            (begun, ended, v.run.state, v.validation.is_some())
        })
    });
    let asked = StoredValue::new(0_u32);
    Effect::new(move |before: Option<_>| {
        let so = moved.get();
        // The page came with what was so when it was rendered.
        if before.is_none() {
            return so;
        }
        let now = asked.get_value().wrapping_add(1);
        asked.set_value(now);
        set_timeout(
            move || {
                if asked.get_value() == now {
                    renew();
                }
            },
            REST,
        );
        so
    });
    // In a hidden tab, and without a line, nothing is asked for.
    let grows = Memo::new(move |_| {
        live.connection.get() == Connection::Live
            && live.view.with(|v| v.steps.iter().any(|s| s.state == StepState::Running))
    });
    Effect::new(move |_| {
        if grows.get()
            && let Ok(ticker) = set_interval_with_handle(renew, GROWS)
        {
            on_cleanup(move || ticker.clear());
        }
    });
}

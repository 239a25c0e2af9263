//! What the server renders of a run is fetched anew when a step begins, ends or fails, and when the run does.

use std::time::Duration;

use leptos::prelude::*;

use crate::fragment::renew;
use crate::live::LiveRun;

/// Steps that move together are asked for once.
const REST: Duration = Duration::from_millis(250);

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
}

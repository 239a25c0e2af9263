//! Times as the server wrote them, in UTC, become the reader's own; what is told by its age stays true.

use std::time::Duration;

use leptos::prelude::*;
use rollback_types::Timestamp;
use wasm_bindgen::JsCast as _;
use web_sys::Element;

use crate::components::clock::{TimeStyle, first_now};

/// The coarsest age is told in minutes, the finest in seconds.
const EVERY: Duration = Duration::from_secs(10);

/// Writes every time on the page now, and again and again.
pub fn keep() {
    write();
    // Refused by no browser; without it the ages on the page are those of its loading.
    let _ticks = set_interval_with_handle(write, EVERY);
}

/// Writes every time on the page.
pub fn write() {
    let Ok(times) = document().query_selector_all("time[data-style]") else { return };
    let now = first_now();
    for i in 0..times.length() {
        if let Some(time) = times.get(i).and_then(|node| node.dyn_into::<Element>().ok()) {
            write_one(&time, now);
        }
    }
}

fn write_one(time: &Element, now: Timestamp) {
    let at = time.get_attribute("datetime").and_then(|at| moment(&at));
    let style = time.get_attribute("data-style").and_then(|word| TimeStyle::parse(&word));
    // The text node stays: where an island made it, the island holds it.
    if let (Some(at), Some(style), Some(text)) = (at, style, time.first_child()) {
        let new = style.text(at, now);
        if text.node_value().as_deref() != Some(new.as_str()) {
            text.set_node_value(Some(&new));
        }
    }
}

/// A moment as the server writes it.
fn moment(text: &str) -> Option<Timestamp> {
    let ms = js_sys::Date::parse(text);
    // Milliseconds since 1970 fit an f64 exactly.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    ms.is_finite().then(|| Timestamp::from_unix_ms(ms as i64))
}

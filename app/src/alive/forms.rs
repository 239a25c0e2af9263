//! Forms: sent once however often a button is pressed, said to be on their way, and sent by a change where they ask for it.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlFormElement, HtmlInputElement, SubmitEvent};

use super::closest;

/// On a form that is on its way.
const BUSY: &str = "data-busy";

/// Answers to all forms of the page.
pub fn listen() {
    let _for_ever = window_event_listener_untyped("submit", |event| {
        let Some(form) = closest(&event, "form[method=post]").filter(|_| !event.default_prevented()) else { return };
        if form.has_attribute(BUSY) {
            event.prevent_default();
        } else {
            // An attribute of a fixed, legal name cannot be refused.
            let _set = form.set_attribute(BUSY, "");
            say_at_work(&event);
        }
    });
    let _for_ever = window_event_listener_untyped("change", |event| {
        let form = closest(&event, "form[data-send-on-change]").and_then(|e| e.dyn_into::<HtmlFormElement>().ok());
        if let Some(form) = form {
            say_none_alone(&form);
            // Refused only when the form's own checks fail; the browser then says which.
            let _sent = form.request_submit();
        }
    });
    // A page that the browser kept and shows again has nothing on its way.
    let _for_ever = window_event_listener_untyped("pageshow", |_| set_timeout(nothing_on_its_way, Duration::ZERO));
}

/// A field that says "none" says it only where nothing is ticked.
fn say_none_alone(form: &HtmlFormElement) {
    let ticked = form.query_selector("input[type=checkbox]:checked").ok().flatten().is_some();
    if let Ok(Some(none)) = form.query_selector("input[data-when-none]")
        && let Some(none) = none.dyn_ref::<HtmlInputElement>()
    {
        none.set_disabled(ticked);
    }
}

/// The button that was pressed says what goes on, where that may take a while.
fn say_at_work(event: &web_sys::Event) {
    let button = event.dyn_ref::<SubmitEvent>().and_then(SubmitEvent::submitter);
    let Some((button, words)) = button.and_then(|b| b.get_attribute("data-at-work").map(|words| (b, words))) else {
        return;
    };
    if let Ok(Some(icon)) = button.query_selector("use") {
        // An attribute of a fixed, legal name cannot be refused.
        let _set = icon.set_attribute("href", "#i-spinner");
    }
    // As above.
    let _set = button.set_attribute("aria-label", &words);
    if let Some(label) = button.last_child() {
        label.set_node_value(Some(&words));
    }
}

fn nothing_on_its_way() {
    let Ok(busy) = document().query_selector_all("form[data-busy]") else { return };
    for i in 0..busy.length() {
        if let Some(form) = busy.get(i).and_then(|node| node.dyn_into::<Element>().ok()) {
            // As above.
            let _removed = form.remove_attribute(BUSY);
        }
    }
}

//! Forms: sent once however often a button is pressed, said to be on their way, and sent by a change where they ask for it.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlFormElement, HtmlInputElement, SubmitEvent};

use super::closest;

/// A form that was sent this long ago may be sent again; the server does nothing twice. A start may wait for a backup that is
/// being tried, and counts everything once more.
const LONGEST: Duration = Duration::from_secs(60);
/// On a form that is on its way.
const BUSY: &str = "data-busy";

/// Begins the key under which the field that planned anew is kept, until the new page gives it the focus.
const FOCUS: &str = "stepback-focus";

/// Answers to all forms of the page.
pub fn listen() {
    bring_to_life();
    let _for_ever = window_event_listener_untyped("submit", |event| {
        // Of a form that every change sends, the last word counts.
        let form = closest(&event, "form[method=post]:not([data-send-on-change])");
        let Some(form) = form.filter(|_| !event.default_prevented()) else { return };
        if form.has_attribute(BUSY) {
            event.prevent_default();
        } else {
            // An attribute of a fixed, legal name cannot be refused.
            let _set = form.set_attribute(BUSY, "");
            crate::typed::keep(&form);
            say_at_work(&event);
            // Whoever stopped the browser's waiting may send it again.
            set_timeout(nothing_on_its_way, LONGEST);
        }
    });
    let _for_ever = window_event_listener_untyped("change", |event| {
        // On a form every change sends it; on a field that field's alone.
        let asks = closest(&event, "[data-send-on-change]").and_then(|e| e.closest("form").ok().flatten());
        let form = asks.and_then(|e| e.dyn_into::<HtmlFormElement>().ok());
        if let Some(form) = form {
            say_none_alone(&form);
            keep_focus(&event);
            // Refused only when the form's own checks fail; the browser then says which.
            let _sent = form.request_submit();
        }
    });
    let _for_ever = window_event_listener_untyped("change", |event| {
        let Some(asks) = closest(&event, "input[data-shows]") else { return };
        let shown = asks.dyn_ref::<HtmlInputElement>().is_some_and(HtmlInputElement::checked);
        for id in asks.get_attribute("data-shows").unwrap_or_default().split(' ') {
            if let Some(field) = document().get_element_by_id(id) {
                // An attribute of a fixed, legal name cannot be refused.
                let _set = field.set_attribute("type", if shown { "text" } else { "password" });
            }
        }
    });
    // A page that the browser kept and shows again is as old as it was left: it is loaded anew.
    let _for_ever = window_event_listener(leptos::ev::pageshow, |event| {
        if event.persisted() {
            crate::fetch::leave();
        }
    });
}

/// Fields that only a script listens to can be used now; the one that asked for this page has the focus again.
fn bring_to_life() {
    let Ok(fields) = document().query_selector_all("input[data-alive]") else { return };
    let wanted = window().session_storage().ok().flatten().and_then(|kept| {
        let wanted = kept.get_item(FOCUS).ok().flatten();
        // What cannot be removed goes with the tab.
        let _removed = kept.remove_item(FOCUS);
        wanted
    });
    for i in 0..fields.length() {
        let Some(field) = fields.get(i).and_then(|node| node.dyn_into::<HtmlInputElement>().ok()) else { continue };
        field.set_disabled(false);
        if wanted.as_deref() == Some(field.value().as_str()) {
            // A field that cannot take the focus just does not get it.
            let _focused = field.focus();
        }
    }
}

fn keep_focus(event: &web_sys::Event) {
    let field = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
    if let (Some(field), Ok(Some(kept))) = (field, window().session_storage()) {
        // A full storage keeps nothing.
        let _kept = kept.set_item(FOCUS, &field.value());
    }
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

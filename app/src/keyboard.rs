//! Keys that work on every page. They show, search and move; no single one starts anything, and none works while something
//! is being typed. Ctrl/Cmd+Enter sends what was filled in.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};

use crate::alive::closest;
use crate::components::{key_help, palette};

/// Where something is typed or chosen.
const FIELDS: &str = "input, textarea, select, [contenteditable]";

fn find(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

/// Opens a dialog of the page, if none is open.
fn open(id: &str) {
    let dialog = document().get_element_by_id(id).and_then(|e| e.dyn_into::<HtmlDialogElement>().ok());
    if let Some(dialog) = dialog.filter(|d| !d.open()) {
        // Refused only to a dialog that is open or not on the page.
        let _shown = dialog.show_modal();
    }
}

/// Answers to the keys, and to the buttons that open a dialog.
pub fn listen() {
    let _for_ever = window_event_listener(leptos::ev::keydown, |event| {
        if event.default_prevented() || event.is_composing() || event.alt_key() || find("dialog[open]").is_some() {
            return;
        }
        let command = event.ctrl_key() || event.meta_key();
        let key = event.key();
        if command && !event.shift_key() && key.eq_ignore_ascii_case("k") {
            event.prevent_default();
            open(palette::ID);
            return;
        }
        if command && key == "Enter" {
            // Held down, it is still one press; J and K go on.
            if !event.repeat() {
                send(&event);
            }
            return;
        }
        if key == "Escape" {
            close_around(&event);
            return;
        }
        if command || closest(&event, FIELDS).is_some() {
            return;
        }
        match key.as_str() {
            "?" => open(key_help::ID),
            "j" => move_row(1),
            "k" => move_row(-1),
            "/" if search() => {}
            _ => return,
        }
        event.prevent_default();
    });
    let _for_ever = window_event_listener(leptos::ev::click, |event| {
        if let Some(id) = closest(&event, "button[data-opens]").and_then(|button| button.get_attribute("data-opens")) {
            open(&id);
        } else if closest(&event, "button.cancel").is_some() {
            close_around(&event);
        } else if let Some(details) = closest(&event, ".decision:not([open]):has(.danger)")
            && let Ok(Some(cancel)) = details.query_selector(".cancel")
        {
            // Once it is open: whoever presses Enter twice has done nothing.
            request_animation_frame(move || focus(cancel));
        }
    });
}

/// What cannot take the focus just does not get it.
fn focus(element: Element) {
    if let Ok(element) = element.dyn_into::<HtmlElement>() {
        let _focused = element.focus();
    }
}

/// Goes to the search field of the page, if it has one.
fn search() -> bool {
    let field = find("input[type=search]").and_then(|f| f.dyn_into::<HtmlInputElement>().ok());
    // A field that cannot take the focus just does not get it.
    field.is_some_and(|field| field.focus().is_ok())
}

/// Presses the button of the form that is being filled in, as a hand would: one that a guard keeps shut does nothing. Where a
/// form has several, which one is meant is not known.
fn send(event: &web_sys::Event) {
    let form = closest(event, FIELDS).and_then(|field| field.closest("form[method=post]").ok().flatten());
    let Some(buttons) = form.and_then(|form| form.query_selector_all("button[type=submit]").ok()) else { return };
    if buttons.length() == 1
        && let Some(button) = buttons.get(0).and_then(|button| button.dyn_into::<HtmlElement>().ok())
    {
        event.prevent_default();
        button.click();
    }
}

/// Closes the menu or the form that is open around what has the focus, which goes back to what opened it.
fn close_around(event: &web_sys::Event) {
    const OPEN: &str = "details:is(.account, .columns, .decision)[open]";
    // A menu is closed from wherever one is.
    let Some(open) = closest(event, OPEN).or_else(|| find("details:is(.account, .columns)[open]")) else { return };
    event.prevent_default();
    // An attribute of a fixed, legal name cannot be refused.
    let _closed = open.remove_attribute("open");
    if let Ok(Some(summary)) = open.query_selector("summary") {
        focus(summary);
    }
}

/// Gives the focus to the link of the next row, or of the one before: rows of the first table with links that is no chart's.
/// It stops at both ends.
fn move_row(by: i32) {
    let rows = find("main table:not(.figures *):has(tbody a[href])")
        .and_then(|table| table.query_selector_all("tbody tr:has(a[href])").ok());
    let Some(rows) = rows else { return };
    let row = |index: u32| rows.get(index)?.dyn_into::<Element>().ok();
    let active = document().active_element();
    let now = (0..rows.length()).find(|i| row(*i).is_some_and(|row| row.contains(active.as_deref())));
    let next = match now {
        Some(now) => now.checked_add_signed(by),
        None => Some(0),
    };
    let link = next.and_then(row).and_then(|row| row.query_selector("a[href]").ok().flatten());
    if let Some(link) = link {
        focus(link);
    }
}

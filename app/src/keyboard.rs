//! Keys that work on every page. They show, search and move; none starts anything, and none works while something is
//! being typed.

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
        }
    });
}

/// Goes to the search field of the page, if it has one.
fn search() -> bool {
    let field = find("input[type=search]").and_then(|f| f.dyn_into::<HtmlInputElement>().ok());
    // A field that cannot take the focus just does not get it.
    field.is_some_and(|field| field.focus().is_ok())
}

/// Gives the focus to the link of the next row, or of the one before: rows of the first table with links. It stops at
/// both ends.
fn move_row(by: i32) {
    let Some(table) = find("main table:has(tbody a[href])") else { return };
    let now = document().active_element().and_then(|e| e.closest("tbody tr").ok().flatten());
    let beside = |row: &Element| {
        if by > 0 { row.next_element_sibling() } else { row.previous_element_sibling() }
    };
    let mut row = match now.filter(|row| table.contains(Some(row.as_ref()))) {
        Some(row) => beside(&row),
        None => table.query_selector("tbody tr").ok().flatten(),
    };
    // Rows without a link are passed over.
    while let Some(here) = row {
        if let Some(link) = here.query_selector("a[href]").ok().flatten() {
            if let Ok(link) = link.dyn_into::<HtmlElement>() {
                // A link that cannot take the focus just does not get it.
                let _focused = link.focus();
            }
            return;
        }
        row = beside(&here);
    }
}

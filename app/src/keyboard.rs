//! Keys that work on every page. They show, search and move; none starts anything, and none works while something is
//! being typed.

use leptos::html::Dialog;
use leptos::prelude::*;

use crate::components::key_help::KeyHelp;
use crate::components::palette::Palette;

/// Opens a dialog, if none is open.
pub fn open(dialog: NodeRef<Dialog>) {
    if let Some(dialog) = dialog.get_untracked().filter(|d| !d.open()) {
        // Refused only to a dialog that is open or not on the page.
        let _shown = dialog.show_modal();
    }
}

/// The dialogs that keys open, and the keys.
#[component]
pub fn Keyboard(
    /// The list of keys; a button opens it too.
    help: NodeRef<Dialog>,
) -> impl IntoView {
    let palette = NodeRef::<Dialog>::new();
    #[cfg(feature = "hydrate")]
    listen(help, palette);
    view! {
        <KeyHelp dialog=help />
        <Palette dialog=palette />
    }
}

#[cfg(feature = "hydrate")]
fn listen(help: NodeRef<Dialog>, palette: NodeRef<Dialog>) {
    use wasm_bindgen::JsCast as _;

    const FIELDS: &str = "input, textarea, select, [contenteditable]";
    Effect::new(move |_| {
        let listener = window_event_listener(leptos::ev::keydown, move |event| {
            let present = |selector: &str| document().query_selector(selector).ok().flatten().is_some();
            if event.default_prevented() || event.is_composing() || event.alt_key() || present("dialog[open]") {
                return;
            }
            let command = event.ctrl_key() || event.meta_key();
            let key = event.key();
            if command && !event.shift_key() && key.eq_ignore_ascii_case("k") {
                event.prevent_default();
                open(palette);
                return;
            }
            let target = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
            if command || target.is_some_and(|e| e.closest(FIELDS).ok().flatten().is_some()) {
                return;
            }
            match key.as_str() {
                "?" => open(help),
                "j" => move_row(1),
                "k" => move_row(-1),
                _ => return,
            }
            event.prevent_default();
        });
        on_cleanup(move || listener.remove());
    });
}

/// Gives the focus to the link of the next row, or of the one before: rows of the first table with links. It stops at
/// both ends.
#[cfg(feature = "hydrate")]
fn move_row(by: i32) {
    use wasm_bindgen::JsCast as _;

    let Some(table) = document().query_selector("main table:has(tbody a[href])").ok().flatten() else { return };
    let now = document().active_element().and_then(|e| e.closest("tbody tr").ok().flatten());
    let beside = |row: &web_sys::Element| {
        if by > 0 { row.next_element_sibling() } else { row.previous_element_sibling() }
    };
    let mut row = match now.filter(|row| table.contains(Some(row.as_ref()))) {
        Some(row) => beside(&row),
        None => table.query_selector("tbody tr").ok().flatten(),
    };
    // Rows without a link are passed over.
    while let Some(here) = row {
        if let Some(link) = here.query_selector("a[href]").ok().flatten() {
            if let Ok(link) = link.dyn_into::<web_sys::HtmlElement>() {
                // A link that cannot take the focus just does not get it.
                let _focused = link.focus();
            }
            return;
        }
        row = beside(&here);
    }
}

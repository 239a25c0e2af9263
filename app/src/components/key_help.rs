//! The list of keys, as a dialog.

use leptos::prelude::*;

use super::dialog::Dialog;

/// The dialog's id.
pub const ID: &str = "key-help";

/// Each key, and what it does.
const KEYS: [(&str, &str); 7] = [
    ("?", "Show this list"),
    ("/", "Go to the page's search field"),
    ("J", "Next row of the first table"),
    ("K", "Row before it"),
    ("Ctrl+K or ⌘K", "Go to a page, a version, a run or a backup"),
    ("Ctrl+Enter or ⌘Enter", "Send the form that you fill in"),
    ("Esc", "Close a dialog, or what is open where you are"),
];

/// The keys. The browser keeps the focus inside while it is open, and gives it back afterwards.
#[component]
pub fn KeyHelp() -> impl IntoView {
    let rows = KEYS
        .into_iter()
        .map(|(key, does)| {
            view! {
                <div>
                    <dt>{pressed(key)}</dt>
                    <dd>{does}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <Dialog id=ID title="Keyboard">
            <dl class="keys">{rows}</dl>
            <p class="small muted">"No single key starts or decides anything. Keys rest while you type in a field."</p>
        </Dialog>
    }
}

/// Each of the keys that do the same, as a key.
fn pressed(keys: &'static str) -> impl IntoView {
    let keys = keys.split(" or ").enumerate();
    keys.map(|(n, key)| view! { {(n > 0).then_some(" or ")} <kbd>{key}</kbd> }).collect_view()
}

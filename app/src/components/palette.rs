//! The palette: a field and a list, to go to any page, to a run by its number, and to whatever the server finds by a part of
//! its name.

use std::time::Duration;

use leptos::html::Dialog;
use leptos::prelude::*;
use rollback_types::Role;
use serde::{Deserialize, Serialize};

use crate::account::may;

/// The dialog's id.
pub const ID: &str = "palette";

/// A question is asked once typing rests this long.
const REST: Duration = Duration::from_millis(200);

/// Pages, and plans to begin with, by the least role that has a use for them.
const PAGES: [(&str, &str, Role); 15] = [
    ("Overview", "/", Role::Viewer),
    ("Versions", "/versions", Role::Viewer),
    ("Runs", "/runs", Role::Viewer),
    ("Compare two runs", "/runs/compare", Role::Viewer),
    ("Backups", "/backups", Role::Viewer),
    ("Plan a new backup", "/backups/new", Role::Operator),
    ("Plan a restore from latest-copy", "/restore/latest-copy", Role::Operator),
    ("Approvals", "/approvals", Role::Viewer),
    ("People", "/people", Role::Administrator),
    ("Tokens", "/people/tokens", Role::Administrator),
    ("Audit", "/audit", Role::Administrator),
    ("Connect a deployment", "/setup", Role::Administrator),
    ("Your password", "/password", Role::Viewer),
    ("Style guide", "/styleguide", Role::Viewer),
    ("The API’s description", "/api/openapi.json", Role::Viewer),
];

/// Somewhere to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What it is, in a word.
    pub kind: String,
    /// Its name.
    pub label: String,
    /// Its address on this server.
    pub href: String,
}

/// What fits a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// Versions, runs, backups and people.
    pub found: Vec<Place>,
    /// All of them could be asked.
    pub complete: bool,
}

/// The number of a run: `7`, `#7`, `run 7`.
fn run_number(typed: &str) -> Option<i64> {
    let typed = typed.trim().to_lowercase();
    let number = typed.strip_prefix("run").unwrap_or(&typed).trim_start().trim_start_matches('#');
    number.parse().ok().filter(|n| *n > 0)
}

/// The run and the pages that fit what is typed.
fn known(typed: &str, allowed: impl Fn(Role) -> bool) -> Vec<Place> {
    let wanted = typed.trim().to_lowercase();
    let run =
        run_number(typed).map(|n| Place { kind: "Run".to_owned(), label: format!("#{n}"), href: format!("/runs/{n}") });
    let pages = PAGES.iter().filter(|(label, _, least)| allowed(*least) && label.to_lowercase().contains(&wanted)).map(
        |(label, href, _)| Place { kind: "Page".to_owned(), label: (*label).to_owned(), href: (*href).to_owned() },
    );
    run.into_iter().chain(pages).collect()
}

/// What the server finds; `None` where it could not be asked.
#[cfg(feature = "hydrate")]
async fn named(text: &str) -> Option<Places> {
    let query = crate::format::query([("q", text)]);
    crate::fetch::json(&format!("/rpc/places{query}")).await.ok()
}

#[cfg(not(feature = "hydrate"))]
async fn named(_text: &str) -> Option<Places> {
    None
}

/// The list may be longer than what is seen of it.
#[cfg(feature = "hydrate")]
fn bring_into_sight(entry: usize) {
    use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

    if let Some(entry) = document().get_element_by_id(&format!("palette-{entry}")) {
        let nearest = ScrollIntoViewOptions::new();
        nearest.set_block(ScrollLogicalPosition::Nearest);
        entry.scroll_into_view_with_scroll_into_view_options(&nearest);
    }
}

#[cfg(not(feature = "hydrate"))]
fn bring_into_sight(_entry: usize) {}

/// The palette. It only goes somewhere; it starts nothing.
#[component]
pub fn Palette() -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    let typed = RwSignal::new(String::new());
    let others = RwSignal::new(Vec::<Place>::new());
    let trouble = RwSignal::new(false);
    let at = RwSignal::new(0_usize);
    // What is answered late is no answer to what is typed now.
    let asked = StoredValue::new(0_u32);
    let entries = Memo::new(move |_| {
        let mut all = known(&typed.get(), may);
        all.extend(others.get());
        all
    });

    let search = move || {
        let now = asked.get_value().wrapping_add(1);
        asked.set_value(now);
        set_timeout(
            move || {
                let text = typed.get_untracked().trim().to_owned();
                if asked.try_get_value() != Some(now) || text.is_empty() {
                    return;
                }
                leptos::task::spawn_local(async move {
                    let found = named(&text).await;
                    if asked.try_get_value() == Some(now) {
                        trouble.set(found.as_ref().is_none_or(|found| !found.complete));
                        others.set(found.map_or_else(Vec::new, |found| found.found));
                    }
                });
            },
            REST,
        );
    };
    let go = move |place: &Place| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
        // An address of this very server is refused by no browser.
        let _going = window().location().set_href(&place.href);
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let many = entries.with_untracked(Vec::len);
        let choose = |by: usize| {
            at.update(|i| *i = (*i + by) % many);
            bring_into_sight(at.get_untracked());
        };
        match event.key().as_str() {
            "ArrowDown" if many > 0 => choose(1),
            "ArrowUp" if many > 0 => choose(many - 1),
            "Enter" if !event.is_composing() => {
                if let Some(entry) = entries.with_untracked(|e| e.get(at.get_untracked()).cloned()) {
                    go(&entry);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let emptied = move |_| {
        typed.set(String::new());
        others.set(Vec::new());
        trouble.set(false);
        at.set(0);
    };
    let options = move || {
        let option = |(i, entry): (usize, Place)| {
            let Place { kind, label, .. } = entry.clone();
            view! {
                <li
                    role="option"
                    id=format!("palette-{i}")
                    aria-selected=move || (at.get() == i).to_string()
                    on:click=move |_| go(&entry)
                >
                    <bdi class="foreign">{label}</bdi>
                    <span class="tag">{kind}</span>
                </li>
            }
        };
        entries.get().into_iter().enumerate().map(option).collect_view()
    };
    let status = move || match (trouble.get(), entries.with(Vec::len)) {
        (true, _) => {
            "Not everything could be searched. Pages, and runs by their number, can still be reached.".to_owned()
        }
        (false, 0) => "Nothing fits.".to_owned(),
        (false, 1) => "1 place".to_owned(),
        (false, n) => format!("{n} places"),
    };
    view! {
        <dialog class="dialog palette" id=ID node_ref=dialog aria-labelledby="palette-title" on:close=emptied>
            <h2 id="palette-title">"Go to"</h2>
            <input
                class="input"
                type="text"
                role="combobox"
                autocomplete="off"
                spellcheck="false"
                autofocus
                aria-label="Page, version, run or backup"
                placeholder="Page, version, run or backup"
                aria-expanded=move || (!entries.with(Vec::is_empty)).to_string()
                aria-controls="palette-list"
                aria-activedescendant=move || (!entries.with(Vec::is_empty)).then(|| format!("palette-{}", at.get()))
                prop:value=move || typed.get()
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    others.set(Vec::new());
                    at.set(0);
                    search();
                }
                on:keydown=on_key
            />
            <ul id="palette-list" role="listbox" aria-label="Places" hidden=move || entries.with(Vec::is_empty)>
                {options}
            </ul>
            <p class="small muted" role="status">
                {status}
            </p>
        </dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_by_its_number() {
        for typed in ["7", "#7", " run 7", "Run #7"] {
            assert_eq!(run_number(typed), Some(7), "{typed}");
        }
        for typed in ["", "0", "-1", "v7", "7a", "99999999999999999999"] {
            assert_eq!(run_number(typed), None, "{typed}");
        }
    }

    #[test]
    fn pages_of_other_roles_are_not_offered() {
        let labels = |typed: &str, role: Role| -> Vec<String> {
            known(typed, |least| role.covers(least)).into_iter().map(|e| e.label).collect()
        };
        assert_eq!(labels("AUD", Role::Administrator), ["Audit"]);
        assert!(labels("audit", Role::Operator).is_empty());
        assert!(!labels("", Role::Viewer).contains(&"Plan a new backup".to_owned()));
        assert_eq!(labels("7", Role::Viewer), ["#7"]);
    }
}

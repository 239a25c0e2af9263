//! Buttons that copy the text they carry.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use super::closest;

/// How long "Copied" is said.
const SAID: Duration = Duration::from_secs(2);

/// Answers to every button that carries a text to copy.
pub fn listen() {
    let _for_ever = window_event_listener(leptos::ev::click, |event| {
        if let Some(button) = closest(&event, "button[data-copy]") {
            copy(button);
        }
    });
}

fn copy(button: Element) {
    // Without a secure context browsers have no clipboard; the text can still be selected.
    let Some(text) = button.get_attribute("data-copy").filter(|_| window().is_secure_context()) else { return };
    let promise = window().navigator().clipboard().write_text(&text);
    leptos::task::spawn_local(async move {
        if JsFuture::from(promise).await.is_ok() {
            say(&button, "#i-check", "Copied");
            set_timeout(move || say(&button, "#i-copy", ""), SAID);
        }
    });
}

/// The icon within the button, and the words beside it.
fn say(button: &Element, icon: &str, words: &str) {
    if let Ok(Some(shown)) = button.query_selector("use") {
        // An attribute of a fixed, legal name cannot be refused.
        let _set = shown.set_attribute("href", icon);
    }
    if let Some(status) = button.next_element_sibling() {
        status.set_text_content(Some(words));
    }
}

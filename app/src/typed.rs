//! What somebody typed and could not send, because their sign-in had ended: the tab keeps it, and the same person finds it
//! again after signing in. No password, no consent and no repeated name is kept.

/// The fields of forms that are given back.
pub const GIVEN_BACK: [&str; 8] = ["reason", "name", "role", "days", "root_cause", "lessons", "remark", "seen"];

#[cfg(feature = "hydrate")]
pub use browser::{give_back, keep, keep_all};

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::*;
    use serde::{Deserialize, Serialize};
    use wasm_bindgen::JsCast as _;
    use web_sys::{Element, HtmlInputElement, HtmlTextAreaElement, Storage};

    use super::GIVEN_BACK;
    use crate::account::account;

    const KEY: &str = "stepback-typed";
    const FIELDS: &str = "form[method=post] textarea[name], form[method=post] input[type=text][name]";
    const SIGN_IN: &str = "/sign-in";

    #[derive(Default, Deserialize, Serialize)]
    struct Kept {
        who: String,
        page: String,
        /// The way led to the sign-in since.
        signs_in: bool,
        /// Form, field, text.
        fields: Vec<(String, String, String)>,
    }

    fn storage() -> Option<Storage> {
        window().session_storage().ok().flatten()
    }

    fn write(kept: &Kept) {
        if let (Some(storage), Ok(text)) = (storage(), serde_json::to_string(kept)) {
            // A full storage keeps nothing.
            let _kept = storage.set_item(KEY, &text);
        }
    }

    /// Keeps what is typed in all forms of the page.
    pub fn keep_all() {
        keep_where(|_| true);
    }

    /// Keeps what is typed in a form that is being sent.
    pub fn keep(form: &Element) {
        keep_where(|field| form.contains(Some(field.as_ref())));
    }

    fn keep_where(wanted: impl Fn(&Element) -> bool) {
        let Some(account) = account() else { return };
        let mut fields = Vec::new();
        each(|form, name, field| {
            let text = text_of(&field);
            if wanted(&field) && !text.is_empty() {
                fields.push((form, name, text));
            }
        });
        write(&Kept { who: account.name, page: crate::address::here(), signs_in: false, fields });
    }

    /// Gives back what was kept, where its way led to the sign-in and from there back to this page. Anywhere else it is
    /// forgotten: what was sent has arrived.
    pub fn give_back() {
        let Some(storage) = storage() else { return };
        let kept = storage.get_item(KEY).ok().flatten();
        let Some(mut kept) = kept.and_then(|text| serde_json::from_str::<Kept>(&text).ok()) else { return };
        if window().location().pathname().is_ok_and(|path| path == SIGN_IN) {
            kept.signs_in = true;
            return write(&kept);
        }
        // What cannot be removed goes with the tab.
        let _removed = storage.remove_item(KEY);
        let is_own = account().is_some_and(|account| account.name == kept.who);
        if !(kept.signs_in && is_own && crate::address::here() == kept.page) {
            return;
        }
        each(|form, name, field| {
            let of_field = |(of, called, _): &&(String, String, String)| *of == form && *called == name;
            if let Some((_, _, text)) = kept.fields.iter().find(of_field).filter(|_| text_of(&field).is_empty()) {
                set(&field, text);
            }
        });
    }

    /// Every field that may be given back, with its form's address and its name.
    fn each(mut act: impl FnMut(String, String, Element)) {
        let Ok(fields) = document().query_selector_all(FIELDS) else { return };
        for i in 0..fields.length() {
            let Some(field) = fields.get(i).and_then(|node| node.dyn_into::<Element>().ok()) else { continue };
            let form = field.closest("form").ok().flatten().and_then(|form| form.get_attribute("action"));
            let name = field.get_attribute("name").filter(|name| GIVEN_BACK.contains(&name.as_str()));
            if let (Some(form), Some(name)) = (form, name) {
                act(form, name, field);
            }
        }
    }

    fn text_of(field: &Element) -> String {
        match field.dyn_ref::<HtmlTextAreaElement>() {
            Some(area) => area.value(),
            None => field.dyn_ref::<HtmlInputElement>().map(HtmlInputElement::value).unwrap_or_default(),
        }
    }

    fn set(field: &Element, text: &str) {
        if let Some(area) = field.dyn_ref::<HtmlTextAreaElement>() {
            area.set_value(text);
        } else if let Some(input) = field.dyn_ref::<HtmlInputElement>() {
            input.set_value(text);
        }
        if let Ok(Some(details)) = field.closest("details") {
            // An attribute of a fixed, legal name cannot be refused.
            let _opened = details.set_attribute("open", "");
        }
        // Whoever counts or checks what is typed hears of it.
        if let Ok(event) = document().create_event("Event") {
            event.init_event_with_bubbles("input", true);
            let _heard = field.dispatch_event(&event);
        }
    }
}

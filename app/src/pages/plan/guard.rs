//! Says early what a confirmation still misses. The server checks everything again; without this the form works as well.

use leptos::html::Div;
use leptos::prelude::*;

/// Around the form of a confirmation: its button stays disabled, with the reason beside it, until nothing is missing, and
/// again once the plan is old. Ctrl/Cmd+Enter (`keyboard.rs`) presses it as well.
#[island]
pub fn ConfirmGuard(
    /// What is to be typed, if anything is.
    name: Option<String>,
    /// Codes of the acknowledgements to tick.
    asked: Vec<String>,
    /// Said while the form is on its way.
    at_work: String,
    children: Children,
) -> impl IntoView {
    let place = NodeRef::<Div>::new();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if let Some(place) = place.get() {
            browser::Guard { place, name: name.clone(), asked: asked.clone(), at_work: at_work.clone() }.watch();
        }
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (name, asked, at_work);
    view! {
        <div class="guard" node_ref=place>
            {children()}
        </div>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{Event, HtmlButtonElement, HtmlDivElement, HtmlInputElement, HtmlTextAreaElement, Storage};

    use crate::pages::plan::confirmation::Confirmation;

    pub struct Guard {
        pub place: HtmlDivElement,
        pub name: Option<String>,
        pub asked: Vec<String>,
        pub at_work: String,
    }

    impl Guard {
        pub fn watch(self) {
            self.take_up_reason();
            self.tell();
            let place = self.place.clone();
            // Sending the form from within is heard here as well.
            let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| {
                if event.type_() == "submit" {
                    self.say(&self.at_work);
                } else {
                    self.keep_reason();
                    self.tell();
                }
            });
            for kind in ["input", "change", "submit"] {
                // Fails only for a name that is no string.
                let _ = place.add_event_listener_with_callback(kind, listener.as_ref().unchecked_ref());
            }
            // It lives as long as the page.
            listener.forget();
        }

        fn find<T: JsCast>(&self, selector: &str) -> Option<T> {
            self.place.query_selector(selector).ok().flatten()?.dyn_into().ok()
        }

        fn reason(&self) -> Option<HtmlTextAreaElement> {
            self.find("textarea[name=reason]")
        }

        fn filled_in(&self) -> Confirmation {
            let typed: Option<HtmlInputElement> = self.find("input[name=confirm_version_id]");
            let ticked = |code: &&String| {
                let Ok(boxes) = self.place.query_selector_all("input[type=checkbox]:checked") else { return false };
                (0..boxes.length())
                    .filter_map(|i| boxes.get(i)?.dyn_into::<HtmlInputElement>().ok())
                    .any(|ticked| ticked.value() == **code)
            };
            Confirmation {
                reason: self.reason().map(|field| field.value()).unwrap_or_default(),
                typed_id: typed.map(|field| field.value()).unwrap_or_default(),
                acknowledged: self.asked.iter().filter(ticked).cloned().collect(),
            }
        }

        fn missing(&self) -> Option<String> {
            if crate::fragment::is_old() {
                return Some("What you read is old: plan again before you confirm.".to_owned());
            }
            self.filled_in().missing(self.name.as_deref(), &self.asked)
        }

        fn tell(&self) {
            let missing = self.missing();
            if let Some(button) = self.find::<HtmlButtonElement>("button[type=submit]") {
                button.set_disabled(missing.is_some());
            }
            self.say(missing.as_deref().unwrap_or_default());
        }

        fn say(&self, words: &str) {
            if let Some(hint) = self.find::<web_sys::HtmlElement>("[aria-live]")
                && hint.text_content().as_deref() != Some(words)
            {
                hint.set_text_content(Some(words));
            }
        }

        /// Another choice of stores plans anew, on a page loaded anew: the reason need not be typed again.
        fn keep_reason(&self) {
            if let (Some(kept), Some(field)) = (Kept::here(), self.reason())
                && !field.read_only()
            {
                kept.keep(&field.value());
            }
        }

        fn take_up_reason(&self) {
            let kept = Kept::here().and_then(|kept| kept.reason());
            if let (Some(reason), Some(field)) = (kept, self.reason())
                && field.value().is_empty()
            {
                field.set_value(&reason);
            }
        }
    }

    /// The reason that was typed on this page, while this tab does not leave it.
    struct Kept {
        storage: Storage,
        key: String,
    }

    impl Kept {
        fn here() -> Option<Self> {
            // Without storage, as in some private windows, nothing is kept.
            let storage = window().session_storage().ok().flatten()?;
            Some(Self { storage, key: format!("{}{}", super::KEPT, window().location().pathname().ok()?) })
        }

        fn keep(&self, reason: &str) {
            // A full storage keeps nothing.
            let _kept = self.storage.set_item(&self.key, reason);
        }

        fn reason(&self) -> Option<String> {
            self.storage.get_item(&self.key).ok().flatten()
        }
    }
}

/// Begins the key of a reason that is kept; the page's path follows.
#[cfg(feature = "hydrate")]
const KEPT: &str = "stepback-reason:";

/// Whoever is on another page has given up what was typed, or has sent it.
#[cfg(feature = "hydrate")]
pub fn forget_others() {
    let (Ok(Some(storage)), Ok(here)) = (window().session_storage(), window().location().pathname()) else { return };
    let keys = (0..storage.length().unwrap_or(0)).filter_map(|i| storage.key(i).ok().flatten());
    let others: Vec<String> = keys.filter(|key| key.strip_prefix(KEPT).is_some_and(|path| path != here)).collect();
    for key in others {
        // What cannot be removed goes with the tab.
        let _removed = storage.remove_item(&key);
    }
}

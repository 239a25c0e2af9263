//! Parts of a page that the browser fetches anew from the page's own address.
//!
//! What the server renders stays the server's: where something changed, the page is asked for again, and each fragment that
//! is not as it was takes the place of the old one. A fragment somebody is typing in waits.

#[cfg(feature = "ssr")]
use leptos::prelude::*;

/// A part of the page with a name of its own.
#[cfg(feature = "ssr")]
#[component]
pub fn Fragment(
    /// Its id, the same in every rendering of the page.
    id: &'static str,
    /// It stands within a sentence.
    #[prop(optional)]
    inline: bool,
    /// Its content; no island may be within.
    children: Children,
) -> impl IntoView {
    if inline {
        return view! { <span id=id data-fragment="">{children()}</span> }.into_any();
    }
    view! {
        <div id=id class="fragment" data-fragment="">
            {children()}
        </div>
    }
    .into_any()
}

#[cfg(feature = "hydrate")]
pub use browser::{begin, renew};

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::{Cell, RefCell};
    use std::collections::HashMap;
    use std::time::Duration;

    use leptos::prelude::*;
    use wasm_bindgen::JsCast as _;
    use web_sys::{Document, DomParser, Element, HtmlElement, SupportedType};

    use crate::alive::times;
    use crate::fetch::{self, Unanswered};

    /// Before the page is asked for again where the server did not answer, or a fragment was in use.
    const AGAIN: Duration = Duration::from_secs(5);

    thread_local! {
        /// The page is being asked for.
        static UNDER_WAY: Cell<bool> = const { Cell::new(false) };
        /// Something changed since.
        static WANTED: Cell<bool> = const { Cell::new(false) };
    }

    /// Asks for this page again, and shows what is new in its fragments: one answer at a time, and until all of it is
    /// shown. Whoever is signed out elsewhere is led to the door.
    pub fn renew() {
        WANTED.set(true);
        if UNDER_WAY.replace(true) {
            return;
        }
        leptos::task::spawn_local(async {
            while WANTED.replace(false) {
                if !renew_once().await {
                    set_timeout(renew, AGAIN);
                }
            }
            UNDER_WAY.set(false);
        });
    }

    /// Whether everything is shown that the server has.
    async fn renew_once() -> bool {
        let text = match fetch::page(&crate::address::here()).await {
            Ok(text) => text,
            Err(Unanswered::SignedOut) => {
                fetch::signed_out();
                return false;
            }
            Err(Unanswered::Refused | Unanswered::Unreachable) => return false,
        };
        let parsed = DomParser::new().and_then(|parser| parser.parse_from_string(&text, SupportedType::TextHtml));
        let Ok(new) = parsed else { return false };
        let all = show(&new);
        times::write();
        all
    }

    /// Keeps what the server wrote, before anything of it is changed here.
    pub fn begin() {
        each(|fragment| remember(&fragment, fragment.inner_html()));
    }

    fn each(act: impl Fn(Element)) {
        let Ok(fragments) = document().query_selector_all("[data-fragment]") else { return };
        (0..fragments.length()).filter_map(|i| fragments.get(i)?.dyn_into().ok()).for_each(act);
    }

    /// Whether every fragment is as the new page has it; one that is in use is left for later.
    fn show(new: &Document) -> bool {
        let all = Cell::new(true);
        each(|old| {
            let Some(fresh) = new.get_element_by_id(&old.id()) else { return };
            // Compared as the server wrote both: times on this page are already the reader's own.
            let written = fresh.inner_html();
            if as_written(&old).as_deref() == Some(written.as_str()) {
                return;
            }
            if in_use(&old) {
                all.set(false);
            } else {
                let kept = Kept::of(&old);
                old.set_inner_html(&written);
                kept.give_back(&old);
                remember(&old, written);
            }
        });
        all.get()
    }

    thread_local! {
        /// What the server wrote last, by fragment.
        static WRITTEN: RefCell<HashMap<String, String>> = RefCell::default();
    }

    fn as_written(fragment: &Element) -> Option<String> {
        WRITTEN.with_borrow(|written| written.get(&fragment.id()).cloned())
    }

    fn remember(fragment: &Element, written: String) {
        WRITTEN.with_borrow_mut(|all| all.insert(fragment.id(), written));
    }

    /// What a reader did in a fragment: what they opened, and the link that has the focus.
    struct Kept {
        opened: Vec<String>,
        focused: Option<String>,
    }

    impl Kept {
        fn of(fragment: &Element) -> Self {
            let active = document().active_element().filter(|active| fragment.contains(Some(active.as_ref())));
            let mut opened = Vec::new();
            summaries(fragment, |details, words| {
                if details.has_attribute("open") {
                    opened.push(words);
                }
            });
            Self { opened, focused: active.and_then(|active| active.get_attribute("href")) }
        }

        fn give_back(&self, fragment: &Element) {
            summaries(fragment, |details, words| {
                if self.opened.contains(&words) {
                    // An attribute of a fixed, legal name cannot be refused.
                    let _opened = details.set_attribute("open", "");
                }
            });
            let Some(focused) = &self.focused else { return };
            let Ok(links) = fragment.query_selector_all("a[href]") else { return };
            let mut links = (0..links.length()).filter_map(|i| links.get(i)?.dyn_into::<HtmlElement>().ok());
            if let Some(link) = links.find(|link| link.get_attribute("href").as_ref() == Some(focused)) {
                // A link that cannot take the focus just does not get it.
                let _focused = link.focus();
            }
        }
    }

    /// Every part of a fragment that opens, with the words that it is opened by.
    fn summaries(fragment: &Element, mut act: impl FnMut(Element, String)) {
        let Ok(all) = fragment.query_selector_all("details > summary") else { return };
        for i in 0..all.length() {
            let Some(summary) = all.get(i) else { continue };
            if let Some(details) = summary.parent_element() {
                act(details, summary.text_content().unwrap_or_default());
            }
        }
    }

    /// Somebody is typing in it, or has opened a form of it.
    fn in_use(fragment: &Element) -> bool {
        const FIELDS: &str = "input:not([type=hidden]), textarea, select";
        let typing = document()
            .active_element()
            .is_some_and(|active| fragment.contains(Some(active.as_ref())) && active.matches(FIELDS).unwrap_or(false));
        let opened = fragment.query_selector("details.decision[open]").ok().flatten().is_some();
        typing || opened
    }
}

//! Parts of a page that the browser fetches anew from the page's own address.
//!
//! What the server renders stays the server's: where something changed, the page is asked for again, and each fragment that
//! is not as it was takes the place of the old one. A fragment that somebody is pressing on, marking or typing in waits. One that
//! is *held* stays as it is, because somebody reads it or acts on it; that it is old is told, and the document has [`OLD`].

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
    /// It is not renewed: the page says that it is old.
    #[prop(optional)]
    held: bool,
    /// Its content; no island may be within one that is renewed.
    children: Children,
) -> impl IntoView {
    let kind = if held { HELD } else { "" };
    if inline {
        return view! { <span id=id data-fragment=kind>{children()}</span> }.into_any();
    }
    view! {
        <div id=id class="fragment" data-fragment=kind>
            {children()}
        </div>
    }
    .into_any()
}

/// Marks a fragment that is held.
#[cfg(any(feature = "ssr", feature = "hydrate"))]
const HELD: &str = "held";

/// What the server wrote, but for the words of its times: those are another every minute, and kept true by the page itself.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser compares"))]
fn sense(written: &str) -> String {
    let mut parts = written.split("<time");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (tag, rest) = part.split_once('>').unwrap_or((part, ""));
        out.push_str(tag);
        out.push_str(rest.split_once("</time>").map_or(rest, |(_, after)| after));
    }
    out
}

#[cfg(feature = "hydrate")]
pub use browser::{address, begin, is_old, renew, renew_later, tell};

/// The address of this page; the browser adds the plan that is read on it.
#[cfg(not(feature = "hydrate"))]
pub fn address() -> String {
    crate::address::here()
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::{Cell, RefCell};
    use std::time::Duration;

    use leptos::prelude::*;
    use wasm_bindgen::JsCast as _;
    use web_sys::{
        Document, DomParser, Element, Event, FocusOptions, HtmlElement, HtmlTextAreaElement, Node, SupportedType,
    };

    use super::{HELD, sense};
    use crate::alive::times;
    use crate::event_stream::hidden;
    use crate::fetch::{self, Unanswered};

    /// Before the page is asked for again where the server did not answer, or a fragment was in use.
    const AGAIN: Duration = Duration::from_secs(5);
    /// Before it is asked for again while what is held is old: that stays so, and a plan's page is costly.
    const LATER: Duration = Duration::from_secs(30);
    /// So often marked text holds back what is new: nobody copies for longer, and what is shown must not stay old.
    const LOOKS_WHILE_MARKED: u8 = 6;
    /// On the document once what is held is old: styles take away what must not be done by it any more.
    const OLD: &str = "data-old";
    /// Names, on a held fragment, the plan that is read: the page says then what changed since.
    const DIGEST: &str = "[data-fragment=held] [data-digest]";

    thread_local! {
        /// The page is being asked for.
        static UNDER_WAY: Cell<bool> = const { Cell::new(false) };
        /// Something changed since.
        static WANTED: Cell<bool> = const { Cell::new(false) };
        /// It will be asked for again after a while: once, however often that was wanted.
        static AWAITED: Cell<bool> = const { Cell::new(false) };
        /// Set once a fragment that is held is old.
        static TOLD: Cell<Option<RwSignal<Option<String>>>> = const { Cell::new(None) };
        /// Looks in a row that something held back.
        static HELD_BACK: Cell<u8> = const { Cell::new(0) };
    }

    /// Where it is told that a fragment which is held is old, in its own words if it has some.
    pub fn tell(old: RwSignal<Option<String>>) {
        TOLD.set(Some(old));
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
                    renew_after(AGAIN);
                }
            }
            UNDER_WAY.set(false);
        });
    }

    /// The same, in a while: for a page whose reader has been told that it is old.
    pub fn renew_later() {
        renew_after(LATER);
    }

    fn renew_after(pause: Duration) {
        if !AWAITED.replace(true) {
            set_timeout(renew_again, pause);
        }
    }

    fn renew_again() {
        AWAITED.set(false);
        renew();
    }

    /// Whether everything is shown that the server has, or nothing more is to be had.
    async fn renew_once() -> bool {
        if is_not_the_time() {
            return false;
        }
        let answer = fetch::page(&address()).await;
        if is_not_the_time() {
            return false;
        }
        let text = match answer {
            Ok(text) => text,
            Err(Unanswered::SignedOut) => {
                fetch::signed_out();
                return false;
            }
            // The version, or the run that was to be resumed, is past planning.
            Err(Unanswered::Gone) => {
                if plan_read().is_some() {
                    say_old(String::new());
                }
                return true;
            }
            // It would be refused again; the next change asks anew.
            Err(Unanswered::Refused) => return true,
            Err(Unanswered::Unreachable) => return false,
        };
        let parsed = DomParser::new().and_then(|parser| parser.parse_from_string(&text, SupportedType::TextHtml));
        let Ok(new) = parsed else { return false };
        let all = show(&new);
        times::write();
        all
    }

    /// Nobody looks, or a form of this page is on its way: what that has changed, its own answer tells.
    fn is_not_the_time() -> bool {
        hidden() || document().query_selector("form[data-busy]").is_ok_and(|form| form.is_some())
    }

    /// The page's own address, with the plan that is read on it, if one is: the server says then what changed since.
    pub fn address() -> String {
        let here = crate::address::here();
        match plan_read() {
            Some(read) if !here.contains("read=") => {
                format!("{here}{}read={read}", if here.contains('?') { '&' } else { '?' })
            }
            _ => here,
        }
    }

    /// The digest of the plan on this page, if one is read on it.
    fn plan_read() -> Option<String> {
        document().query_selector(DIGEST).ok()??.get_attribute("data-digest")
    }

    /// Keeps what the server wrote, before anything of it is changed here.
    pub fn begin() {
        each(|fragment| remember(&fragment, fragment.inner_html()));
        for over in ["pointerup", "pointercancel", "dragend", "keyup"] {
            let _for_ever = window_event_listener_untyped(over, |_| {
                if AWAITED.get() {
                    // After the click, which comes in the same go.
                    set_timeout(renew, Duration::ZERO);
                }
            });
        }
    }

    fn each(act: impl Fn(Element)) {
        let Ok(fragments) = document().query_selector_all("[data-fragment]") else { return };
        (0..fragments.length()).filter_map(|i| fragments.get(i)?.dyn_into().ok()).for_each(act);
    }

    /// What is held here is not what the server has any more.
    pub fn is_old() -> bool {
        document().document_element().is_some_and(|root| root.has_attribute(OLD))
    }

    /// Says so to the reader, to styles, and to the guards of forms that confirm it. What was said first stays.
    fn say_old(words: String) {
        if let Some(told) = TOLD.get()
            && told.get_untracked().is_none()
        {
            told.set(Some(words));
        }
        let Some(root) = document().document_element() else { return };
        // An attribute of a fixed, legal name cannot be refused.
        let _set = root.set_attribute(OLD, "");
        for guard in all(&root, ".guard") {
            // A guard looks again at every change.
            let _heard = Event::new("change").map(|change| guard.dispatch_event(&change));
        }
    }

    /// Whether every fragment is as the new page has it; one that is in use is left for later.
    fn show(new: &Document) -> bool {
        let all = Cell::new(true);
        each(|old| {
            let Some(fresh) = new.get_element_by_id(&old.id()) else { return };
            // Compared as the server wrote both: times on this page are already the reader's own.
            let written = fresh.inner_html();
            if as_written(&old).is_some_and(|before| sense(&before) == sense(&written)) {
                return;
            }
            if old.get_attribute("data-fragment").as_deref() == Some(HELD) {
                let own =
                    fresh.query_selector("[data-says]").ok().flatten().and_then(|one| one.get_attribute("data-says"));
                say_old(own.unwrap_or_default());
            } else if in_use(&old) || is_marked(&old) && HELD_BACK.get() < LOOKS_WHILE_MARKED {
                all.set(false);
            } else {
                let kept = Kept::of(&old);
                old.set_inner_html(&written);
                kept.give_back(&old);
                remember(&old, written);
            }
        });
        HELD_BACK.set(if all.get() { 0 } else { HELD_BACK.get().saturating_add(1) });
        all.get()
    }

    thread_local! {
        /// What the server wrote last, by fragment.
        static WRITTEN: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
    }

    fn as_written(fragment: &Element) -> Option<String> {
        let id = fragment.id();
        WRITTEN.with_borrow(|all| all.iter().find(|(of, _)| *of == id).map(|(_, written)| written.clone()))
    }

    fn remember(fragment: &Element, written: String) {
        let id = fragment.id();
        WRITTEN.with_borrow_mut(|all| match all.iter_mut().find(|(of, _)| *of == id) {
            Some((_, before)) => *before = written,
            None => all.push((id, written)),
        });
    }

    /// What takes the focus.
    const FOCUSABLE: &str = "a[href], button, summary, input, select, textarea, [tabindex]";
    /// What scrolls within the page.
    const SCROLLS: &str = ".scroll, .chart, [tabindex=\"0\"]";

    /// What a reader did in a fragment: what they opened or closed, how far they scrolled, and what has the focus.
    struct Kept {
        opened: Vec<((String, usize), bool)>,
        scrolled: Vec<(i32, i32)>,
        focused: Option<(String, usize)>,
    }

    impl Kept {
        fn of(fragment: &Element) -> Self {
            let active = document().active_element();
            Self {
                opened: named(fragment, "details", summary_of)
                    .map(|(details, name)| (name, details.has_attribute("open")))
                    .collect(),
                scrolled: all(fragment, SCROLLS).map(|place| (place.scroll_left(), place.scroll_top())).collect(),
                focused: named(fragment, FOCUSABLE, name_of)
                    .find(|(one, _)| active.as_ref() == Some(one))
                    .map(|(_, name)| name),
            }
        }

        fn give_back(&self, fragment: &Element) {
            for (details, name) in named(fragment, "details", summary_of) {
                // An attribute of a fixed, legal name cannot be refused.
                let _set = match self.opened.iter().find(|(of, _)| *of == name) {
                    Some((_, true)) => details.set_attribute("open", ""),
                    Some((_, false)) => details.remove_attribute("open"),
                    None => Ok(()),
                };
            }
            for (place, (left, top)) in all(fragment, SCROLLS).zip(&self.scrolled) {
                place.set_scroll_left(*left);
                place.set_scroll_top(*top);
            }
            let Some(focused) = &self.focused else { return };
            let same = named(fragment, FOCUSABLE, name_of).find(|(_, name)| name == focused).map(|(one, _)| one);
            // What had the focus may be gone: then it stays on the page's content.
            let place = same.or_else(|| document().get_element_by_id("main"));
            if let Some(place) = place.and_then(|place| place.dyn_into::<HtmlElement>().ok()) {
                let quietly = FocusOptions::new();
                quietly.set_prevent_scroll(true);
                // What cannot take the focus just does not get it.
                let _focused = place.focus_with_options(&quietly);
            }
        }
    }

    fn all(fragment: &Element, selector: &str) -> impl Iterator<Item = Element> + use<> {
        let found = fragment.query_selector_all(selector).ok();
        let count = found.as_ref().map_or(0, web_sys::NodeList::length);
        (0..count).filter_map(move |i| found.as_ref()?.get(i)?.dyn_into().ok())
    }

    /// What fits a selector, each by its name and how many of that name stand before it.
    fn named(
        fragment: &Element,
        selector: &str,
        name: fn(&Element) -> String,
    ) -> impl Iterator<Item = (Element, (String, usize))> + use<> {
        let mut seen = Vec::<String>::new();
        all(fragment, selector).map(move |one| {
            let name = name(&one);
            let before = seen.iter().filter(|other| **other == name).count();
            seen.push(name.clone());
            (one, (name, before))
        })
    }

    /// A part that opens, by the words that open it.
    fn summary_of(details: &Element) -> String {
        let summary = details.query_selector("summary").ok().flatten();
        summary.and_then(|summary| summary.text_content()).unwrap_or_default()
    }

    /// Where it leads, what it is called, what it says.
    fn name_of(one: &Element) -> String {
        let attributes = ["id", "href", "name", "value", "aria-label", "aria-labelledby"]
            .map(|name| one.get_attribute(name).unwrap_or_default());
        let form = one.closest("form").ok().flatten().and_then(|form| form.get_attribute("action")).unwrap_or_default();
        // What scrolls under a name is the same one, whatever is drawn in it by now.
        let is_named = one.has_attribute("aria-label") || one.has_attribute("aria-labelledby");
        let text = if is_named { None } else { one.text_content() };
        format!("{} {} {form} {}", one.tag_name(), attributes.join(" "), text.unwrap_or_default())
    }

    /// Text of it is marked, to be copied.
    fn is_marked(fragment: &Element) -> bool {
        let Ok(Some(selection)) = window().get_selection() else { return false };
        let within = |end: Option<Node>| fragment.contains(end.as_ref());
        !selection.is_collapsed() && (within(selection.anchor_node()) || within(selection.focus_node()))
    }

    /// Somebody is pressing on it, which is a click only where it ends on the same thing, is typing in it, or has opened a form of it.
    fn in_use(fragment: &Element) -> bool {
        const FIELDS: &str = "input:not([type=hidden]), textarea, select";
        let typing = document()
            .active_element()
            .is_some_and(|active| fragment.contains(Some(active.as_ref())) && active.matches(FIELDS).unwrap_or(false));
        let opened = fragment.query_selector("details.decision[open], :active").ok().flatten().is_some();
        typing || opened || all(fragment, "textarea").any(|area| is_filled_in(&area))
    }

    /// Something was typed that the server does not know.
    fn is_filled_in(area: &Element) -> bool {
        let typed = |area: &HtmlTextAreaElement| area.default_value().is_ok_and(|default| default != area.value());
        area.dyn_ref().is_some_and(typed)
    }
}

#[cfg(test)]
mod tests {
    use super::sense;

    #[test]
    fn that_a_minute_passed_is_no_change_and_another_moment_is_one() {
        let page = |at: &str, words: &str| format!("<p>a <time datetime=\"{at}\">{words}</time> b</p><time>x</time>");
        assert_eq!(sense(&page("1", "1 minute ago")), sense(&page("1", "2 minutes ago")));
        assert_ne!(sense(&page("1", "now")), sense(&page("2", "now")));
        assert_ne!(sense("<p>a</p>"), sense("<p>b</p>"));
        assert_eq!(sense("<time"), "", "what is cut off breaks nothing");
    }
}

//! The log: one line an event, with the time since the run began. A window of it stands in the page, however long it is.

use leptos::html;
use leptos::prelude::*;
use rollback_types::{LogLevel, LogLine};

use super::log_window::Window;
use crate::components::{Card, Icon, IconName};
use crate::format;
use crate::live::LiveRun;

/// A log scrolled this near to its end counts as followed, in pixels.
const NEAR_END: i32 = 32;

/// The log of this page's run.
#[island]
pub fn LogCard() -> impl IntoView {
    LiveRun::of_page().map(|live| view! { <Log live=live /> })
}

/// The log with its switches.
#[component]
pub(crate) fn Log(
    /// Whose log.
    live: LiveRun,
) -> impl IntoView {
    let id = live.view.with_untracked(|v| v.run.id);
    let wrap = RwSignal::new(true);
    let window = RwSignal::new(live.view.with_untracked(|v| Window::at_end_of(&v.log)));
    let follow = RwSignal::new(true);
    let place = NodeRef::<html::Div>::new();
    let newest = Memo::new(move |_| live.view.with(|v| v.log.last().map(|line| line.number)));
    Effect::new(move |_| {
        let _new_lines = newest.get();
        window.update(|w| live.view.with_untracked(|v| w.take_in(&v.log)));
        if follow.get() && window.with_untracked(Window::is_at_end) {
            to_end(place);
        }
    });
    // Lines that come while the log moves to its end must not look like a reader who turns away from it.
    let top = StoredValue::new(0);
    let scrolled = move |_| {
        if let Some(log) = place.get_untracked() {
            let (before, now) = (top.get_value(), log.scroll_top());
            top.set_value(now);
            if now + log.client_height() >= log.scroll_height() - NEAR_END {
                follow.set(window.with_untracked(Window::is_at_end));
            } else if now < before {
                follow.set(false);
            }
        }
    };
    let following = move |_| {
        follow.update(|f| *f = !*f);
        if follow.get_untracked() {
            window.set(live.view.with_untracked(|v| Window::at_end_of(&v.log)));
            to_end(place);
        }
    };
    let tools = view! {
        <div class="toolbar">
            <button
                type="button"
                class="btn small needs-js"
                aria-pressed=move || follow.get().to_string()
                on:click=following
            >
                "Follow"
            </button>
            <button
                type="button"
                class="btn small needs-js"
                aria-pressed=move || wrap.get().to_string()
                on:click=move |_| wrap.update(|w| *w = !*w)
            >
                "Wrap"
            </button>
            <a class="btn small" href=format!("/api/v1/runs/{id}/log.txt") download=format!("run-{id}.log")>
                <Icon name=IconName::Download />
                "Download"
            </a>
        </div>
    };
    let ask = move |part: Part| {
        follow.set(false);
        fetch(live, window, part, place);
    };
    let more = move |shown: fn(&Window) -> bool, part: Part, label: &'static str| {
        let needed = Memo::new(move |_| window.with(shown));
        move || {
            needed.get().then(|| {
                view! {
                    <p class="log-more needs-js">
                        <button type="button" class="btn small" on:click=move |_| ask(part)>
                            {label}
                        </button>
                    </p>
                }
            })
        }
    };
    // A line that was found is another one than where it stands in the log: what was sought is marked in it.
    let shown =
        move || window.with(|w| w.lines().iter().map(|line| (w.is_narrowed(), line.clone())).collect::<Vec<_>>());
    view! {
        <Card title="Log" aside=tools.into_any()>
            <LogSearch live=live window=window follow=follow place=place />
            <div
                class=move || if wrap.get() { "log wrap" } else { "log" }
                node_ref=place
                role="region"
                aria-label="Log of the run"
                tabindex="0"
                on:scroll=scrolled
            >
                {more(Window::has_earlier, Part::Earlier, "Show earlier lines")}
                <For each=shown key=|(found, line)| (*found, line.number) let(entry)>
                    {line_view(&entry.1, window.with_untracked(|w| w.sought().map(str::to_owned)))}
                </For>
                {move || window.with(nothing_found).map(|said| view! { <p class="log-more muted">{said}</p> })}
                {more(Window::has_later, Part::Later, "Show later lines")}
            </div>
        </Card>
    }
}

/// What stands in the place of lines where a search has none.
fn nothing_found(window: &Window) -> Option<String> {
    let nothing = window.lines().is_empty() && !window.is_waiting() && !window.trouble();
    let what = if window.is_grave() { "No warning and no error" } else { "Nothing" };
    match window.sought() {
        _ if !nothing => None,
        Some(sought) => Some(format!("{what} in the log holds “{}”.", format::visible(sought))),
        None => window.is_grave().then(|| format!("{what} stands in the log.")),
    }
}

/// Searches the whole log, on the server.
#[component]
fn LogSearch(
    live: LiveRun,
    window: RwSignal<Window>,
    follow: RwSignal<bool>,
    place: NodeRef<html::Div>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let search = move |text: String, grave: bool| {
        if text.trim().is_empty() && !grave {
            follow.set(true);
            window.set(live.view.with_untracked(|v| Window::at_end_of(&v.log)));
        } else {
            follow.set(false);
            window.update(|w| w.search(&text, grave));
            fetch(live, window, Part::Matches, place);
        }
    };
    let found = move || {
        window.with(|w| match (w.trouble(), w.is_narrowed()) {
            (true, _) => "The server did not answer. Try again.".to_owned(),
            (false, false) => String::new(),
            (false, true) if w.is_waiting() => "Searching…".to_owned(),
            (false, true) => {
                let more = if w.has_earlier() { ", the latest of more" } else { "" };
                format!("{}{more}", format::counted(w.lines().len() as u64, "lines"))
            }
        })
    };
    let is_grave = move || window.with_untracked(Window::is_grave);
    view! {
        <form class="log-search needs-js" role="search" aria-label="The log" on:submit=move |event| {
            event.prevent_default();
            search(typed.get_untracked(), is_grave());
        }>
            <input
                class="input"
                type="search"
                aria-label="Search the log"
                placeholder="Search the log"
                maxlength="200"
                autocomplete="off"
                spellcheck="false"
                on:input=move |event| {
                    let text = event_target_value(&event);
                    // The field's own cross empties it: then everything is shown again at once.
                    if text.is_empty() {
                        search(String::new(), is_grave());
                    }
                    typed.set(text);
                }
            />
            <button class="btn small" type="submit">
                "Search"
            </button>
            <button
                class="btn small"
                type="button"
                aria-pressed=move || window.with(Window::is_grave).to_string()
                on:click=move |_| search(typed.get_untracked(), !is_grave())
            >
                "Warnings and errors"
            </button>
            <span class="small muted" role="status">
                {found}
            </span>
        </form>
    }
}

/// A part of the log that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Earlier,
    Later,
    Matches,
}

#[cfg(not(feature = "hydrate"))]
fn fetch(_: LiveRun, _: RwSignal<Window>, _: Part, _: NodeRef<html::Div>) {}

#[cfg(feature = "hydrate")]
fn fetch(live: LiveRun, window: RwSignal<Window>, part: Part, place: NodeRef<html::Div>) {
    use rollback_types::LogPart;

    let id = live.view.with_untracked(|v| v.run.id);
    let (first, last, sought) = window.with_untracked(|w| (w.first(), w.last(), w.sought().map(str::to_owned)));
    let bound = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
    let text = sought.clone().unwrap_or_default();
    let grave = window.with_untracked(Window::is_grave);
    let mut pairs = vec![("q", text), ("level", if grave { "warning".to_owned() } else { String::new() })];
    match part {
        Part::Earlier => pairs.push(("before", bound(first))),
        Part::Later => pairs.push(("after", bound(last))),
        Part::Matches => {}
    }
    let query = format::query(pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (*k, v.as_str())));
    window.update(|w| w.wait());
    leptos::task::spawn_local(async move {
        let answer = crate::fetch::json::<LogPart>(&format!("/api/v1/runs/{id}/log{query}")).await;
        let used = window.try_update(|w| {
            // What is answered late is no answer to what is asked now: the window may have moved meanwhile.
            let moved = match part {
                Part::Earlier => w.first() != first,
                Part::Later => w.last() != last,
                Part::Matches => false,
            };
            if moved || w.is_grave() != grave || w.sought() != sought.as_deref() {
                return false;
            }
            match (answer, part) {
                (Err(_), _) => w.fail(),
                (Ok(lines), Part::Earlier) => w.put_before(lines),
                (Ok(lines), Part::Later) => w.put_after(lines),
                (Ok(lines), Part::Matches) => w.put_found(lines),
            }
            true
        });
        // The button that was pressed goes with the last of its lines: the focus stays in the log, unless it has left the
        // button meanwhile. A button that is gone already has left it to the body.
        let gone = window.with_untracked(|w| match part {
            Part::Earlier => !w.has_earlier(),
            Part::Later => !w.has_later(),
            Part::Matches => false,
        });
        let is_on_it = || {
            let active = document().active_element();
            active.is_none_or(|e| e.matches("body,.log-more>button").unwrap_or(false))
        };
        if used == Some(true)
            && gone
            && is_on_it()
            && let Some(log) = place.get_untracked()
        {
            let quietly = web_sys::FocusOptions::new();
            quietly.set_prevent_scroll(true);
            // What cannot take the focus just does not get it.
            let _focused = log.focus_with_options(&quietly);
        }
    });
}

fn to_end(place: NodeRef<html::Div>) {
    request_animation_frame(move || {
        if let Some(log) = place.get_untracked() {
            log.set_scroll_top(log.scroll_height());
        }
    });
}

/// A text with every place marked that holds what was sought, whatever the case of its ASCII letters.
fn marked(text: &str, sought: &str) -> Vec<AnyView> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = position(rest, sought) {
        let (before, found) = rest.split_at(at);
        let (found, after) = found.split_at(sought.len());
        parts.push(before.to_owned().into_any());
        parts.push(view! { <mark>{found.to_owned()}</mark> }.into_any());
        rest = after;
    }
    parts.push(rest.to_owned().into_any());
    parts
}

/// Where the text holds what is sought. Both are UTF-8, in which no character begins within another.
fn position(text: &str, sought: &str) -> Option<usize> {
    let windows = text.as_bytes().windows(sought.len().max(1));
    windows.enumerate().find(|(_, part)| part.eq_ignore_ascii_case(sought.as_bytes())).map(|(at, _)| at)
}

/// One line, with what was sought marked in it.
pub(super) fn line_view(line: &LogLine, sought: Option<String>) -> impl IntoView + use<> {
    let shown = format::visible_lines(&line.text);
    let text = match sought {
        Some(sought) => marked(&shown, &format::visible_lines(&sought)).into_any(),
        None => shown.into_any(),
    };
    let (class, word) = match line.level {
        LogLevel::Info => ("line info", None),
        LogLevel::Warning => ("line warning", Some("Warning: ")),
        LogLevel::Error => ("line error", Some("Error: ")),
    };
    view! {
        <div class=class>
            <span class="at" title=line.at.to_string()>
                {format::offset(line.offset_ms)}
            </span>
            <span class="text foreign">
                {word.map(|w| view! { <b class="level">{w}</b> })} {text}
            </span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::position;

    #[test]
    fn what_is_sought_is_found_whatever_its_case_and_never_within_a_character() {
        assert_eq!(position("step 5: Deleted", "delETED"), Some(8));
        assert_eq!(position("städte, Städte", "ädte"), Some(2));
        assert_eq!(position("日本語", "語"), Some(6));
        for (text, sought) in [("", "a"), ("a", "ab"), ("abc", "x"), ("abc", "")] {
            assert_eq!(position(text, sought), None, "{text} {sought}");
        }
    }
}

//! The log: one line an event, with the time since the run began.

use leptos::html;
use leptos::prelude::*;
use rollback_types::{LogLevel, LogLine};

use crate::components::{Card, Icon, IconName};
use crate::format;
use crate::live::LiveRun;

/// So many lines are in the page at first, and come with each "Show earlier".
const WINDOW: usize = 400;
/// A log scrolled this near to its end counts as followed, in pixels.
const NEAR_END: i32 = 32;

/// The log of this page's run.
#[island]
pub fn LogCard() -> impl IntoView {
    LiveRun::of_page().map(|live| view! { <Log live=live /> })
}

/// The log with its switches.
#[component]
fn Log(live: LiveRun) -> impl IntoView {
    let id = live.view.with_untracked(|v| v.run.id);
    let (follow, wrap, window) = (RwSignal::new(true), RwSignal::new(true), RwSignal::new(WINDOW));
    let count = Memo::new(move |_| live.view.with(|v| v.log.len()));
    let hidden = Memo::new(move |_| count.get().saturating_sub(window.get()));
    let lines = move || {
        let from = hidden.get();
        let _changed = count.get();
        live.view.with_untracked(|v| v.log.get(from..).unwrap_or_default().to_vec())
    };
    let place = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if count.get() > 0 && follow.get() {
            request_animation_frame(move || {
                if let Some(log) = place.get_untracked() {
                    log.set_scroll_top(log.scroll_height());
                }
            });
        }
    });
    // Lines that come while the log moves to its end must not look like a reader who turns away from it.
    let top = StoredValue::new(0);
    let scrolled = move |_| {
        if let Some(log) = place.get_untracked() {
            let (before, now) = (top.get_value(), log.scroll_top());
            top.set_value(now);
            if now + log.client_height() >= log.scroll_height() - NEAR_END {
                follow.set(true);
            } else if now < before {
                follow.set(false);
            }
        }
    };
    let toggle = |label: &'static str, on: RwSignal<bool>| {
        view! {
            <button
                type="button"
                class="btn small needs-js"
                aria-pressed=move || on.get().to_string()
                on:click=move |_| on.update(|v| *v = !*v)
            >
                {label}
            </button>
        }
    };
    let tools = view! {
        <div class="toolbar">
            {toggle("Follow", follow)} {toggle("Wrap", wrap)}
            <a
                class="btn small"
                href=format!("/api/v1/runs/{id}")
                download=format!("run-{id}.json")
                on:click=move |ev| save(&ev, live)
            >
                <Icon name=IconName::Download />
                "Download"
            </a>
        </div>
    };
    view! {
        <Card title="Log" aside=tools.into_any()>
            {move || {
                let n = hidden.get();
                (n > 0)
                    .then(|| {
                        view! {
                            <p class="log-earlier">
                                {format!("{} not shown. ", format::counted(n as u64, "earlier lines"))}
                                <button
                                    type="button"
                                    class="btn small needs-js"
                                    on:click=move |_| {
                                        follow.set(false);
                                        window.update(|w| *w += WINDOW);
                                    }
                                >
                                    "Show earlier"
                                </button>
                            </p>
                        }
                    })
            }}
            <div
                class=move || if wrap.get() { "log wrap" } else { "log" }
                node_ref=place
                role="region"
                aria-label="Log of the run"
                tabindex="0"
                on:scroll=scrolled
            >
                <For each=lines key=|line| line.number let(line)>
                    {line_view(&line)}
                </For>
            </div>
        </Card>
    }
}

fn line_view(line: &LogLine) -> impl IntoView + use<> {
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
                {word.map(|w| view! { <span class="sr">{w}</span> })} {format::visible_lines(&line.text)}
            </span>
        </div>
    }
}

/// The log as text. Without JavaScript the link itself leads to the run as JSON.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser saves"))]
fn as_text(lines: &[LogLine]) -> String {
    lines.iter().fold(String::new(), |mut out, line| {
        let level = match line.level {
            LogLevel::Info => "info",
            LogLevel::Warning => "warning",
            LogLevel::Error => "error",
        };
        let text = format::visible(&line.text);
        out.push_str(&format!("{} {}s {level} {text}\n", line.at, format::offset(line.offset_ms)));
        out
    })
}

#[cfg(not(feature = "hydrate"))]
fn save(_: &leptos::ev::MouseEvent, _: LiveRun) {}

#[cfg(feature = "hydrate")]
fn save(ev: &leptos::ev::MouseEvent, live: LiveRun) {
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{Blob, HtmlAnchorElement, Url};

    let (id, text) = live.view.with_untracked(|v| (v.run.id, as_text(&v.log)));
    let parts = js_sys::Array::of1(&JsValue::from_str(&text));
    // Should the browser refuse any of this, the link does what it does without JavaScript.
    let Ok(url) = Blob::new_with_str_sequence(&parts).and_then(|blob| Url::create_object_url_with_blob(&blob)) else {
        return;
    };
    let Some(link) = document().create_element("a").ok().and_then(|e| e.dyn_into::<HtmlAnchorElement>().ok()) else {
        return;
    };
    ev.prevent_default();
    link.set_href(&url);
    link.set_download(&format!("run-{id}.log"));
    link.click();
    set_timeout(
        move || {
            // Fails only for what is no address.
            let _released = Url::revoke_object_url(&url);
        },
        std::time::Duration::from_secs(10),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::Timestamp;

    #[test]
    fn a_saved_line_is_one_line_whatever_it_says() {
        let line = LogLine {
            number: 1,
            at: Timestamp::from_unix_ms(0),
            offset_ms: 1_234,
            level: LogLevel::Error,
            step: None,
            text: "two\nlines\u{1b}[31m".into(),
        };
        let text = as_text(&[line]);
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with("1970-01-01T00:00:00.000Z +1.23s error two"));
        assert!(!text.contains('\u{1b}'));
    }
}

//! What a browser's tab tells of a run while another one is looked at: its icon, and a notification when it ends or asks.

use leptos::prelude::*;
use rollback_types::{RunId, RunState};

use crate::live::LiveRun;

/// The icon of a run in this state; the same shapes as its badge, so that colour is not all.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser changes icons"))]
fn icon(state: RunState, lost: bool) -> &'static str {
    match state {
        _ if lost => "/favicon-attention.svg",
        RunState::Running => "/favicon-running.svg",
        RunState::NeedsDecision | RunState::Interrupted | RunState::CompletedWithFindings => "/favicon-attention.svg",
        RunState::Completed => "/favicon-done.svg",
        RunState::Aborted => "/favicon-failed.svg",
    }
}

/// Somebody waits for this change: the run asks, or goes on no more.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser notifies"))]
fn is_news(before: RunState, now: RunState) -> bool {
    matches!(before, RunState::Running | RunState::NeedsDecision) && now != before && now != RunState::Running
}

/// Keeps the tab's icon at the run's state, and offers to tell when the run ends or asks, where the browser can.
#[component]
pub fn TabState(
    /// The run.
    live: LiveRun,
) -> impl IntoView {
    let state = Memo::new(move |_| live.view.with(|v| v.run.state));
    // Whether to ask is known only in the browser: until then the button's place is kept, so that nothing moves.
    let may_ask = RwSignal::new(false);
    // What the button says: once somebody has answered, what came of it. It stays, and with it the focus.
    let says = RwSignal::new(ASKS);
    #[cfg(feature = "hydrate")]
    {
        browser::watch(live, state, may_ask);
        browser::look_while_hidden(live);
    }
    let worth_asking = move || matches!(state.get(), RunState::Running | RunState::NeedsDecision);
    view! {
        <Show when=worth_asking>
            <button
                class=move || if may_ask.get() { "btn small" } else { "btn small not-offered" }
                type="button"
                aria-live="polite"
                on:click=move |_| ask(says)
            >
                {move || says.get()}
            </button>
        </Show>
    }
}

/// What the button offers.
const ASKS: &str = "Notify me when it ends";

fn ask(says: RwSignal<&'static str>) {
    #[cfg(feature = "hydrate")]
    browser::ask(says);
    #[cfg(not(feature = "hydrate"))]
    let _ = says;
}

/// `needs a decision: run #7`, the state first: tabs show little.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser changes titles"))]
fn title(id: RunId, state: RunState, lost: bool) -> String {
    let word = crate::components::badge::run_look(state).2;
    if lost { format!("{}, run #{id}", super::header::last_known(word)) } else { format!("{word}: run #{id}") }
}

/// `Run #7: needs a decision`.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser notifies"))]
fn notice(id: RunId, state: RunState) -> String {
    format!("Run #{id}: {}", crate::components::badge::run_look(state).2)
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::*;
    use rollback_types::RunState;
    use web_sys::{Notification, NotificationPermission, VisibilityState};

    use super::{ASKS, icon, is_news, notice, title};
    use crate::event_stream::Connection;
    use crate::fetch;
    use crate::live::{LiveRun, Seen};

    /// The browser knows notifications; over plain HTTP beyond loopback some do not.
    fn known() -> bool {
        js_sys::Reflect::has(&js_sys::global(), &"Notification".into()).unwrap_or(false)
    }

    pub fn watch(live: LiveRun, state: Memo<RunState>, may_ask: RwSignal<bool>) {
        let id = live.view.with_untracked(|v| v.run.id);
        let lost = live.is_lost();
        Effect::new(move |before: Option<RunState>| {
            let (now, lost) = (state.get(), lost.get());
            set_icon(icon(now, lost));
            document().set_title(&crate::tab_title(title(id, now, lost)));
            if let Some(before) = before
                && is_news(before, now)
            {
                tell(&notice(id, now));
            }
            now
        });
        Effect::new(move |_| may_ask.set(known() && Notification::permission() == NotificationPermission::Default));
    }

    /// A hidden tab has given its stream back, and asks now and then instead: its title, its icon and the notification are
    /// all that is seen of it.
    pub fn look_while_hidden(live: LiveRun) {
        Effect::new(move |_| {
            let every = std::time::Duration::from_secs(10);
            if let Ok(ticker) = set_interval_with_handle(move || look(live), every) {
                on_cleanup(move || ticker.clear());
            }
        });
    }

    /// Nothing follows that a hidden tab could tell of.
    fn is_over(state: RunState) -> bool {
        matches!(state, RunState::Completed | RunState::CompletedWithFindings | RunState::Aborted)
    }

    fn look(live: LiveRun) {
        let running = live.view.try_with_untracked(|v| (!is_over(v.run.state)).then_some(v.run.id));
        let Some(Some(id)) = running else { return };
        if document().visibility_state() != VisibilityState::Hidden {
            return;
        }
        leptos::task::spawn_local(async move {
            // What cannot be asked now is asked again soon, and the stream tells it when the tab is looked at.
            let seen = fetch::json_in_background::<Seen>(&format!("/api/v1/runs/{id}/summary")).await;
            // Whoever looks meanwhile has the stream again, which knows better.
            if document().visibility_state() == VisibilityState::Hidden {
                live.connection.set(if seen.is_ok() { Connection::Paused } else { Connection::Reconnecting });
            }
            if let Ok(seen) = seen {
                // The events themselves come by the stream, once somebody looks.
                live.view.update(|v| v.run.state = seen.state);
            }
        });
    }

    fn set_icon(href: &str) {
        if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
            // An attribute of a fixed, legal name cannot be refused.
            let _set = link.set_attribute("href", href);
        }
    }

    /// Only to those who look elsewhere.
    fn tell(text: &str) {
        let elsewhere = document().visibility_state() == VisibilityState::Hidden;
        if elsewhere && known() && Notification::permission() == NotificationPermission::Granted {
            // Some mobile browsers know notifications by workers only; the page tells the same.
            let _told = Notification::new(text);
        }
    }

    pub fn ask(says: RwSignal<&'static str>) {
        leptos::task::spawn_local(async move {
            if let Ok(answer) = Notification::request_permission() {
                // What it was, the permission tells.
                let _answer = wasm_bindgen_futures::JsFuture::from(answer).await;
            }
            says.set(match Notification::permission() {
                NotificationPermission::Granted => "You will be notified",
                NotificationPermission::Denied => "The browser forbids it",
                // It was put off: whoever wants may be asked again.
                _ => ASKS,
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_is_a_file() {
        let states = [
            RunState::Running,
            RunState::NeedsDecision,
            RunState::Interrupted,
            RunState::Completed,
            RunState::CompletedWithFindings,
            RunState::Aborted,
        ];
        for (state, lost) in states.into_iter().flat_map(|state| [(state, false), (state, true)]) {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../public").to_owned() + icon(state, lost);
            assert!(std::path::Path::new(&file).is_file(), "{file}");
        }
    }

    #[test]
    fn without_a_line_nothing_is_claimed_of_now() {
        assert_eq!(title(RunId(7), RunState::Running, false), "running: run #7");
        assert_eq!(title(RunId(7), RunState::Running, true), "line lost, last known: running, run #7");
        assert_ne!(icon(RunState::Running, true), icon(RunState::Running, false));
    }

    #[test]
    fn only_what_somebody_waits_for_is_news() {
        assert!(is_news(RunState::Running, RunState::NeedsDecision) && is_news(RunState::Running, RunState::Aborted));
        assert!(!is_news(RunState::NeedsDecision, RunState::Running));
        assert!(is_news(RunState::NeedsDecision, RunState::Completed), "somebody else decided");
        assert!(!is_news(RunState::Completed, RunState::Completed));
        assert_eq!(notice(RunId(7), RunState::Completed), "Run #7: completed");
    }
}

//! A run as it happens: the browser's end of `GET /api/v1/runs/{id}/events`.
//!
//! The page was rendered with the run's state up to some event; the stream begins after that one. Numbered events come as
//! plain messages, progress as `progress`, the stream's end as `end`. `EventSource` reconnects by itself while the server
//! answers; when it gives up we open a new one, waiting longer each time. A hidden tab gives its connection back, because
//! a browser grants six to a host.

use leptos::prelude::*;
use rollback_types::{RunView, Step, Timestamp};

/// How the page hears of its run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Connection {
    /// Rendered by the server; no script has run yet.
    #[default]
    Rendered,
    /// Connected: what is shown is what is so.
    Live,
    /// The connection broke a moment ago.
    Reconnecting,
    /// It has been broken for a while: what is shown may be old. Since when.
    Stale(Timestamp),
    /// The tab is hidden: the connection was given back.
    Paused,
    /// The run has ended; nothing more will come.
    Ended,
}

/// What a page needs to show a run as it happens. Copied freely: all of it is signals.
#[derive(Clone, Copy, Debug)]
pub struct LiveRun {
    /// The run.
    pub view: RwSignal<RunView>,
    /// How the page hears of it.
    pub connection: RwSignal<Connection>,
    /// Every progress seen, for rates: the step, when (milliseconds by the browser's clock), and units done.
    pub progress: RwSignal<Option<(Step, f64, u64)>>,
}

impl LiveRun {
    /// Shows `view`, and in the browser follows the run from there. The page's other islands find it by
    /// [`of_page`](Self::of_page).
    pub fn new(view: RunView) -> Self {
        let live = Self {
            view: RwSignal::new(view),
            connection: RwSignal::new(Connection::default()),
            progress: RwSignal::new(None),
        };
        #[cfg(feature = "hydrate")]
        {
            browser::PAGE.set(Some(live));
            Effect::new(move |_| browser::follow(live));
        }
        live
    }

    /// The run of this page: on the server from the context, in the browser as the first of its islands made it.
    pub fn of_page() -> Option<Self> {
        #[cfg(feature = "hydrate")]
        return browser::PAGE.get();
        #[cfg(not(feature = "hydrate"))]
        use_context()
    }
}

/// Milliseconds until the next try after so many failed ones: 1 s, doubling up to 30 s.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser reconnects"))]
fn back_off_ms(failures: u32) -> u32 {
    1_000u32.saturating_mul(1 << failures.min(5)).min(30_000)
}

#[cfg(feature = "hydrate")]
pub(crate) mod browser {
    use std::cell::{Cell, RefCell};
    use std::rc::{Rc, Weak};
    use std::time::Duration;

    use leptos::ev;
    use leptos::leptos_dom::helpers::{TimeoutHandle, WindowListenerHandle, set_timeout_with_handle};
    use leptos::prelude::*;
    use rollback_types::{Event, Progress, RunState, RunView, Timestamp};
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{EventSource, MessageEvent, VisibilityState};

    use crate::fetch::{self, Unanswered};

    use super::{Connection, LiveRun, back_off_ms};

    thread_local! {
        /// The run of this page, once an island has made it.
        pub static PAGE: Cell<Option<LiveRun>> = const { Cell::new(None) };
    }

    /// A broken connection is called stale after this.
    const STALE_AFTER_MS: f64 = 8_000.0;

    type OnMessage = Closure<dyn FnMut(MessageEvent)>;
    type OnEvent = Closure<dyn FnMut(web_sys::Event)>;

    /// One open stream. Dropping it closes the stream before its closures go.
    struct Stream {
        source: EventSource,
        _messages: [OnMessage; 3],
        _states: [OnEvent; 2],
    }

    impl Drop for Stream {
        fn drop(&mut self) {
            self.source.set_onmessage(None);
            self.source.set_onerror(None);
            self.source.set_onopen(None);
            self.source.close();
        }
    }

    /// How a run stands, of all that the API says of it.
    #[derive(Debug, serde::Deserialize)]
    pub struct Seen {
        /// Its state.
        pub state: RunState,
    }

    struct Follower {
        live: LiveRun,
        stream: RefCell<Option<Stream>>,
        retry: Cell<Option<TimeoutHandle>>,
        failures: Cell<u32>,
        broken_since: Cell<Option<f64>>,
        /// Received, not yet shown: a burst becomes one change of the page.
        waiting: RefCell<(Vec<Event>, Vec<Progress>)>,
        flush_asked: Cell<bool>,
        visibility: RefCell<Option<OnEvent>>,
        leaving: Cell<Option<WindowListenerHandle>>,
    }

    /// Follows the run until the page that called this is left or the run ends.
    pub fn follow(live: LiveRun) {
        if live.view.with_untracked(is_over) {
            live.connection.set(Connection::Ended);
            return;
        }
        let follower = Rc::new(Follower {
            live,
            stream: RefCell::new(None),
            retry: Cell::new(None),
            failures: Cell::new(0),
            broken_since: Cell::new(None),
            waiting: RefCell::default(),
            flush_asked: Cell::new(false),
            visibility: RefCell::new(None),
            leaving: Cell::new(None),
        });
        follower.watch_visibility();
        if hidden() {
            live.connection.set(Connection::Paused);
        } else {
            follower.open();
        }
        let kept = StoredValue::new_local(follower);
        on_cleanup(move || {
            kept.try_with_value(|f| f.stop());
        });
    }

    /// No event follows. An interrupted run may still be resumed or abandoned, here or by somebody else.
    fn is_over(view: &RunView) -> bool {
        view.run.ended_at.is_some() && view.run.state != RunState::Interrupted
    }

    fn hidden() -> bool {
        document().visibility_state() == VisibilityState::Hidden
    }

    fn now_ms() -> f64 {
        js_sys::Date::now()
    }

    fn moment(ms: f64) -> Timestamp {
        // Milliseconds since 1970 fit both types.
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        Timestamp::from_unix_ms(ms as i64)
    }

    impl Follower {
        fn open(self: &Rc<Self>) {
            let (id, after) = self.live.view.with_untracked(|v| (v.run.id, v.run.last_event));
            let Ok(source) = EventSource::new(&format!("/api/v1/runs/{id}/events?after={after}")) else {
                // Only a malformed address or a forbidding policy ends here: no use in trying again.
                self.live.connection.set(Connection::Stale(moment(now_ms())));
                return;
            };
            let on_event = on_message(self, |f, text| {
                if let Ok(event) = serde_json::from_str::<Event>(text) {
                    f.waiting.borrow_mut().0.push(event);
                    f.ask_flush();
                }
            });
            let on_progress = on_message(self, |f, text| {
                if let Ok(progress) = serde_json::from_str::<Progress>(text) {
                    f.waiting.borrow_mut().1.push(progress);
                    f.ask_flush();
                }
            });
            let on_end = on_message(self, |f, _| {
                f.flush();
                // Of a run that goes on only this stream ends, as when the server stops: the browser connects again.
                if f.live.view.with_untracked(is_over) {
                    f.end();
                }
            });
            let on_open = on_state(self, |f| {
                f.failures.set(0);
                f.broken_since.set(None);
                f.live.connection.set(Connection::Live);
            });
            let on_error = on_state(self, Self::broke);
            source.set_onmessage(Some(on_event.as_ref().unchecked_ref()));
            source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
            source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
            for (name, listener) in [("progress", &on_progress), ("end", &on_end)] {
                // Fails only for a name that is no string.
                let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            }
            let stream = Stream { source, _messages: [on_event, on_progress, on_end], _states: [on_open, on_error] };
            self.stream.replace(Some(stream));
        }

        /// The connection broke: say so, and open a new one if the browser will not.
        fn broke(self: &Rc<Self>) {
            let since = self.broken_since.get().unwrap_or_else(now_ms);
            self.broken_since.set(Some(since));
            self.live.connection.set(if now_ms() - since > STALE_AFTER_MS {
                Connection::Stale(moment(since))
            } else {
                Connection::Reconnecting
            });
            let gave_up = self.stream.borrow().as_ref().is_some_and(|s| s.source.ready_state() == EventSource::CLOSED);
            if gave_up {
                self.ask_why();
                let failures = self.failures.get();
                self.failures.set(failures.saturating_add(1));
                let me = Rc::downgrade(self);
                let again = move || {
                    if let Some(f) = me.upgrade() {
                        f.open();
                    }
                };
                let wait = Duration::from_millis(u64::from(back_off_ms(failures)));
                self.retry.set(set_timeout_with_handle(again, wait).ok());
            }
        }

        /// A stream does not tell why it was refused; the run itself does.
        fn ask_why(&self) {
            let id = self.live.view.with_untracked(|v| v.run.id);
            leptos::task::spawn_local(async move {
                if let Err(Unanswered::SignedOut) = fetch::json::<Seen>(&format!("/api/v1/runs/{id}")).await {
                    fetch::leave();
                }
            });
        }

        fn ask_flush(self: &Rc<Self>) {
            if !self.flush_asked.replace(true) {
                let me = Rc::downgrade(self);
                request_animation_frame(move || {
                    if let Some(f) = me.upgrade() {
                        f.flush();
                    }
                });
            }
        }

        /// Shows what was received.
        fn flush(&self) {
            self.flush_asked.set(false);
            let (events, progress) = std::mem::take(&mut *self.waiting.borrow_mut());
            if !events.is_empty() || !progress.is_empty() {
                self.live.view.update(|view| {
                    for event in &events {
                        view.apply(event);
                    }
                    for p in &progress {
                        view.apply_progress(p);
                    }
                });
            }
            let now = now_ms();
            for p in progress {
                self.live.progress.set(Some((p.step, now, p.done)));
            }
            if self.live.view.with_untracked(is_over) {
                self.end();
            }
        }

        fn end(&self) {
            self.stop();
            self.live.connection.set(Connection::Ended);
        }

        fn release(&self) {
            if let Some(timer) = self.retry.take() {
                timer.clear();
            }
            // A closure of the stream may be what calls us: it must not be dropped under its own feet.
            if let Some(stream) = self.stream.take() {
                stream.source.close();
                set_timeout(move || drop(stream), Duration::ZERO);
            }
        }

        fn stop(&self) {
            self.release();
            if let Some(listener) = self.visibility.take() {
                let target = document();
                // Fails only for a name that is no string.
                let _ =
                    target.remove_event_listener_with_callback("visibilitychange", listener.as_ref().unchecked_ref());
                set_timeout(move || drop(listener), Duration::ZERO);
            }
            if let Some(handle) = self.leaving.take() {
                handle.remove();
            }
        }

        fn watch_visibility(self: &Rc<Self>) {
            let listener = on_state(self, |f| {
                if hidden() {
                    f.flush();
                    f.release();
                    if f.live.connection.get_untracked() != Connection::Ended {
                        f.live.connection.set(Connection::Paused);
                    }
                } else if f.live.connection.get_untracked() == Connection::Paused {
                    f.live.connection.set(Connection::Reconnecting);
                    f.open();
                }
            });
            // Fails only for a name that is no string.
            let _ = document().add_event_listener_with_callback("visibilitychange", listener.as_ref().unchecked_ref());
            self.visibility.replace(Some(listener));
            // A page kept in the back/forward cache must not hold a connection.
            let me = Rc::downgrade(self);
            let me = StoredValue::new_local(me);
            self.leaving.set(Some(window_event_listener(ev::pagehide, move |_| {
                if let Some(f) = me.try_with_value(Weak::upgrade).flatten() {
                    f.release();
                    f.live.connection.set(Connection::Paused);
                }
            })));
        }
    }

    fn on_message(follower: &Rc<Follower>, act: fn(&Rc<Follower>, &str)) -> OnMessage {
        let me = Rc::downgrade(follower);
        Closure::new(move |message: MessageEvent| {
            if let (Some(f), Some(text)) = (me.upgrade(), message.data().as_string()) {
                act(&f, &text);
            }
        })
    }

    fn on_state(follower: &Rc<Follower>, act: fn(&Rc<Follower>)) -> OnEvent {
        let me = Rc::downgrade(follower);
        Closure::new(move |_: web_sys::Event| {
            if let Some(f) = me.upgrade() {
                act(&f);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::back_off_ms;

    #[test]
    fn waits_grow_and_are_bounded() {
        let waits: Vec<u32> = (0..40).map(back_off_ms).collect();
        assert_eq!(waits[..5], [1_000, 2_000, 4_000, 8_000, 16_000]);
        assert!(waits[5..].iter().all(|w| *w == 30_000));
    }
}

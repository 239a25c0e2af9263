//! One stream of server-sent events for one page.
//!
//! `EventSource` reconnects by itself while the server answers; when it gives up we open a new one, waiting longer each time.
//! A hidden tab gives its connection back, because a browser grants six to a host, and takes it up again when it is looked
//! at.

use rollback_types::Timestamp;

/// How the page hears of what it shows.
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
    /// Nothing more will come.
    Ended,
}

/// Milliseconds until the next try after so many failed ones: 1 s, doubling up to 30 s.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser reconnects"))]
fn back_off_ms(failures: u32) -> u32 {
    1_000u32.saturating_mul(1 << failures.min(5)).min(30_000)
}

#[cfg(feature = "hydrate")]
pub use browser::{EventStream, Listener, hidden};

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::{Cell, RefCell};
    use std::rc::{Rc, Weak};
    use std::time::Duration;

    use leptos::ev;
    use leptos::leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle};
    use leptos::prelude::*;
    use serde::de::IgnoredAny;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{EventSource, MessageEvent, VisibilityState};

    use super::{Connection, back_off_ms};
    use crate::components::clock::first_now;
    use crate::fetch::{self, Unanswered};

    /// A broken connection is called stale after this.
    const STALE_AFTER_MS: u64 = 8_000;
    /// The server tells something at least every ten seconds: a line that is silent for longer is dead.
    const SILENT_MS: u64 = 25_000;
    /// Between two looks whether the line is silent.
    const LOOK: Duration = Duration::from_secs(5);
    /// Whoever is signed in may ask for this, and it costs nothing: why a stream was refused, the stream does not tell.
    const WHO_AM_I: &str = "/api/v1/me";

    type OnMessage = Closure<dyn FnMut(MessageEvent)>;
    type OnEvent = Closure<dyn FnMut(web_sys::Event)>;

    /// What is done with the messages of one name; unnamed ones are `message`. Beats are heard by the stream itself.
    pub struct Listener {
        /// The name.
        pub name: &'static str,
        /// What is done with a message's text.
        pub act: Box<dyn Fn(&str)>,
    }

    /// One open connection. Dropping it closes it before its closures go.
    struct Open {
        source: EventSource,
        _messages: Vec<OnMessage>,
        _states: [OnEvent; 2],
    }

    impl Drop for Open {
        fn drop(&mut self) {
            self.source.set_onerror(None);
            self.source.set_onopen(None);
            self.source.close();
        }
    }

    /// The stream. It lives as long as the page, or until it is ended.
    #[derive(Clone)]
    pub struct EventStream(Rc<Inner>);

    struct Inner {
        address: Box<dyn Fn() -> String>,
        listeners: Vec<Listener>,
        connection: RwSignal<Connection>,
        open: RefCell<Option<Open>>,
        retry: Cell<Option<TimeoutHandle>>,
        failures: Cell<u32>,
        broken_since: Cell<Option<rollback_types::Timestamp>>,
        heard_at: Cell<rollback_types::Timestamp>,
    }

    /// The page's tab is not looked at.
    pub fn hidden() -> bool {
        document().visibility_state() == VisibilityState::Hidden
    }

    impl EventStream {
        /// Opens the stream at an address, which is asked for anew with every try, and tells by `connection` how it goes.
        pub fn open(
            address: impl Fn() -> String + 'static,
            listeners: Vec<Listener>,
            connection: RwSignal<Connection>,
        ) -> Self {
            let inner = Rc::new(Inner {
                address: Box::new(address),
                listeners,
                connection,
                open: RefCell::new(None),
                retry: Cell::new(None),
                failures: Cell::new(0),
                broken_since: Cell::new(None),
                heard_at: Cell::new(first_now()),
            });
            inner.watch_page();
            inner.watch_line();
            if hidden() {
                connection.set(Connection::Paused);
            } else {
                inner.connect();
            }
            Self(inner)
        }

        /// Closes it for good.
        pub fn end(&self) {
            self.0.release();
            self.0.connection.set(Connection::Ended);
        }
    }

    impl Inner {
        fn has_ended(&self) -> bool {
            self.connection.get_untracked() == Connection::Ended
        }

        fn connect(self: &Rc<Self>) {
            if self.has_ended() {
                return;
            }
            let Ok(source) = EventSource::new(&(self.address)()) else {
                // Only a malformed address or a forbidding policy ends here: no use in trying again.
                self.connection.set(Connection::Stale(first_now()));
                return;
            };
            let me = Rc::downgrade(self);
            let beat = OnMessage::new(move |_| {
                if let Some(me) = me.upgrade() {
                    me.heard_at.set(first_now());
                }
            });
            // Fails only for a name that is no string.
            let _ = source.add_event_listener_with_callback("beat", beat.as_ref().unchecked_ref());
            let signed_out = OnMessage::new(|_| fetch::signed_out());
            // As above.
            let _ = source.add_event_listener_with_callback("signed_out", signed_out.as_ref().unchecked_ref());
            let messages = (0..self.listeners.len()).map(|i| {
                let me = Rc::downgrade(self);
                let heard = OnMessage::new(move |message: MessageEvent| {
                    if let (Some(me), Some(text)) = (me.upgrade(), message.data().as_string()) {
                        me.heard_at.set(first_now());
                        (me.listeners[i].act)(&text);
                    }
                });
                // Fails only for a name that is no string.
                let _ = source.add_event_listener_with_callback(self.listeners[i].name, heard.as_ref().unchecked_ref());
                heard
            });
            let messages = messages.chain([beat, signed_out]).collect();
            let on_open = self.on_state(|me| {
                me.failures.set(0);
                me.broken_since.set(None);
                me.heard_at.set(first_now());
                me.connection.set(Connection::Live);
            });
            let on_error = self.on_state(Self::broke);
            source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
            source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
            self.open.replace(Some(Open { source, _messages: messages, _states: [on_open, on_error] }));
        }

        /// The connection broke: say so, and open a new one if the browser will not.
        fn broke(self: &Rc<Self>) {
            if self.has_ended() {
                return;
            }
            let now = first_now();
            let since = self.broken_since.get().unwrap_or(now);
            self.broken_since.set(Some(since));
            let stale = now.since_ms(since) > STALE_AFTER_MS;
            self.connection.set(if stale { Connection::Stale(since) } else { Connection::Reconnecting });
            let gave_up = self.open.borrow().as_ref().is_some_and(|o| o.source.ready_state() == EventSource::CLOSED);
            if gave_up {
                leptos::task::spawn_local(async {
                    if let Err(Unanswered::SignedOut) = fetch::json_in_background::<IgnoredAny>(WHO_AM_I).await {
                        fetch::signed_out();
                    }
                });
                let failures = self.failures.get();
                self.failures.set(failures.saturating_add(1));
                let me = Rc::downgrade(self);
                let again = move || {
                    if let Some(me) = me.upgrade() {
                        me.connect();
                    }
                };
                let wait = Duration::from_millis(u64::from(back_off_ms(failures)));
                self.retry.set(set_timeout_with_handle(again, wait).ok());
            }
        }

        /// A line that broke without a word is given up, and a new one opened.
        fn watch_line(self: &Rc<Self>) {
            let me = Rc::downgrade(self);
            let look = move || {
                let Some(me) = me.upgrade() else { return };
                let waits = matches!(me.connection.get_untracked(), Connection::Live | Connection::Reconnecting);
                let heard_at = me.heard_at.get();
                if waits && me.open.borrow().is_some() && first_now().since_ms(heard_at) > SILENT_MS {
                    me.release();
                    me.broken_since.set(Some(heard_at));
                    me.connection.set(Connection::Stale(heard_at));
                    me.heard_at.set(first_now());
                    me.connect();
                }
            };
            // Refused by no browser; without it a dead line is noticed when the browser notices.
            let _ticks = set_interval_with_handle(look, LOOK);
        }

        fn release(&self) {
            if let Some(timer) = self.retry.take() {
                timer.clear();
            }
            // A closure of the stream may be what calls us: it must not be dropped under its own feet.
            if let Some(open) = self.open.take() {
                open.source.close();
                set_timeout(move || drop(open), Duration::ZERO);
            }
        }

        fn pause(&self) {
            if !self.has_ended() {
                self.release();
                self.connection.set(Connection::Paused);
            }
        }

        /// A tab that is hidden, and a page that the browser keeps to go back to, hold no connection.
        fn watch_page(self: &Rc<Self>) {
            let me = StoredValue::new_local(Rc::downgrade(self));
            let with = move |act: fn(&Rc<Self>)| {
                if let Some(me) = me.try_with_value(Weak::upgrade).flatten() {
                    act(&me);
                }
            };
            let seen = OnEvent::new(move |_| {
                with(|me| {
                    if hidden() {
                        me.pause();
                    } else {
                        me.take_up();
                    }
                });
            });
            // Fails only for a name that is no string.
            let _ = document().add_event_listener_with_callback("visibilitychange", seen.as_ref().unchecked_ref());
            // As long as the page.
            seen.forget();
            let _for_ever = window_event_listener(ev::pagehide, move |_| with(|me| me.pause()));
        }

        fn take_up(self: &Rc<Self>) {
            // A hidden page that asks by itself may have found the server gone.
            let waits = matches!(self.connection.get_untracked(), Connection::Paused | Connection::Reconnecting);
            if waits && self.open.borrow().is_none() && !hidden() {
                self.connection.set(Connection::Reconnecting);
                self.connect();
            }
        }

        fn on_state(self: &Rc<Self>, act: fn(&Rc<Self>)) -> OnEvent {
            let me = Rc::downgrade(self);
            Closure::new(move |_: web_sys::Event| {
                if let Some(me) = me.upgrade() {
                    act(&me);
                }
            })
        }
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

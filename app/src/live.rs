//! A run as it happens: the browser's end of `GET /api/v1/runs/{id}/events`.
//!
//! The page was rendered with the run's state up to some event; the stream begins after that one. Numbered events come as
//! plain messages, progress as `progress`, the stream's end as `end`.

use leptos::prelude::*;
use rollback_types::{RunView, Step};

use crate::event_stream::Connection;

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
        // Of a run that is over nothing will come, which is known before any script runs.
        let connection = if view.run.ended_at.is_some() { Connection::Ended } else { Connection::default() };
        let live =
            Self { view: RwSignal::new(view), connection: RwSignal::new(connection), progress: RwSignal::new(None) };
        #[cfg(feature = "hydrate")]
        {
            browser::PAGE.set(Some(live));
            // Once the page is as the server wrote it: what changes before would not be seen.
            Effect::new(move |_| browser::follow(live));
        }
        live
    }

    /// The run goes on, and the page does not hear of it any more: it knows what was so last, and nothing of now.
    pub fn is_lost(self) -> Memo<bool> {
        Memo::new(move |_| {
            let silent = matches!(self.connection.get(), Connection::Reconnecting | Connection::Stale(_));
            silent && self.view.with(|v| v.run.state.is_active())
        })
    }

    /// The run of this page: on the server from the context, in the browser as the first of its islands made it.
    pub fn of_page() -> Option<Self> {
        #[cfg(feature = "hydrate")]
        return browser::PAGE.get();
        #[cfg(not(feature = "hydrate"))]
        use_context()
    }
}

/// How a run stands, of all that the API says of it.
#[cfg(feature = "hydrate")]
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Seen {
    /// Its state.
    pub state: rollback_types::RunState,
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use leptos::prelude::*;
    use rollback_types::{Event, Progress, RunState, RunView};

    use super::{LiveRun, Seen};
    use crate::event_stream::{Connection, EventStream, Listener, hidden};
    use crate::fetch;

    thread_local! {
        /// The run of this page, once an island has made it.
        pub static PAGE: Cell<Option<LiveRun>> = const { Cell::new(None) };
    }

    /// Lines of the log that are held; the server has them all.
    const LINES: usize = 1_000;

    /// Received, not yet shown: a burst becomes one change of the page.
    struct Follower {
        live: LiveRun,
        stream: RefCell<Option<EventStream>>,
        waiting: RefCell<(Vec<Event>, Vec<Progress>)>,
        flush_asked: Cell<bool>,
    }

    /// Follows the run until it ends.
    pub fn follow(live: LiveRun) {
        if live.view.with_untracked(is_over) {
            live.connection.set(Connection::Ended);
            wait_for_resume(live);
            return;
        }
        let follower = Rc::new(Follower {
            live,
            stream: RefCell::new(None),
            waiting: RefCell::default(),
            flush_asked: Cell::new(false),
        });
        let listener = |name, act: fn(&Rc<Follower>, &str)| {
            let me = Rc::clone(&follower);
            Listener { name, act: Box::new(move |text| act(&me, text)) }
        };
        let listeners = vec![
            listener("message", |f, text| {
                if let Some(event) = serde_json::from_str(text).ok().or_else(|| Event::of_tomorrow(text)) {
                    f.waiting.borrow_mut().0.push(event);
                    f.ask_flush();
                }
            }),
            listener("progress", |f, text| {
                if let Ok(progress) = serde_json::from_str(text) {
                    f.waiting.borrow_mut().1.push(progress);
                    f.ask_flush();
                }
            }),
            // Of a run that goes on only this stream ends, as when the server stops: the browser connects again.
            listener("end", |f, _| f.flush()),
        ];
        let address = move || {
            let (id, after) = live.view.with_untracked(|v| (v.run.id, v.run.last_event));
            format!("/api/v1/runs/{id}/events?after={after}&beats=on")
        };
        follower.stream.replace(Some(EventStream::open(address, listeners, live.connection)));
    }

    /// No event follows for now.
    fn is_over(view: &RunView) -> bool {
        view.run.ended_at.is_some()
    }

    /// An interrupted run may still be resumed or abandoned, here or by somebody else: then the page is another one.
    fn wait_for_resume(live: LiveRun) {
        let (id, state) = live.view.with_untracked(|v| (v.run.id, v.run.state));
        if state != RunState::Interrupted {
            return;
        }
        let look = move || {
            if hidden() {
                return;
            }
            leptos::task::spawn_local(async move {
                let seen = fetch::json_in_background::<Seen>(&format!("/api/v1/runs/{id}/summary")).await;
                if seen.is_ok_and(|seen| seen.state != RunState::Interrupted) {
                    fetch::leave();
                }
            });
        };
        // Refused by no browser; without it the page says what is so when it is loaded again.
        let _ticks = set_interval_with_handle(look, std::time::Duration::from_secs(10));
    }

    impl Follower {
        fn ask_flush(self: &Rc<Self>) {
            if !self.flush_asked.replace(true) {
                let me = Rc::clone(self);
                request_animation_frame(move || me.flush());
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
                    view.keep_last_lines(LINES);
                    for p in &progress {
                        view.apply_progress(p);
                    }
                });
            }
            let now = js_sys::Date::now();
            // While something else is done, nothing is counted: that is no pace.
            for p in progress.iter().filter(|p| p.doing.is_none()) {
                self.live.progress.set(Some((p.step, now, p.done)));
            }
            if self.live.view.with_untracked(is_over)
                && let Some(stream) = &*self.stream.borrow()
            {
                stream.end();
                wait_for_resume(self.live);
            }
        }
    }
}

//! Moments in time: UTC from the server, the reader's zone once the page is alive.

use leptos::prelude::*;
use rollback_types::Timestamp;

use crate::format;

/// The browser's idea of now, in a context. `None` on the server and until the page is alive, so that both render the
/// same first.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    now: RwSignal<Option<Timestamp>>,
}

impl Clock {
    /// Puts a clock into the context; it starts once the page is alive and ticks every ten seconds.
    pub fn provide() {
        let now = RwSignal::new(None);
        provide_context(Self { now });
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| {
            now.set(Some(browser_now()));
            let tick =
                set_interval_with_handle(move || now.set(Some(browser_now())), std::time::Duration::from_secs(10));
            on_cleanup(move || {
                if let Ok(tick) = tick {
                    tick.clear();
                }
            });
        });
    }

    /// The browser's now, once the page is alive.
    pub fn now(self) -> Option<Timestamp> {
        self.now.get()
    }
}

#[cfg(feature = "hydrate")]
fn browser_now() -> Timestamp {
    // Milliseconds since 1970 fit an f64 exactly.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    Timestamp::from_unix_ms(js_sys::Date::now() as i64)
}

/// Now, for the first rendering only.
pub fn first_now() -> Timestamp {
    #[cfg(feature = "hydrate")]
    return browser_now();
    #[cfg(all(feature = "ssr", not(feature = "hydrate")))]
    return Timestamp::now();
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    Timestamp::from_unix_ms(0)
}

/// In the reader's zone.
#[cfg(feature = "hydrate")]
fn local(at: Timestamp) -> String {
    #[expect(clippy::cast_precision_loss, reason = "exact for every time that can be written")]
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at.unix_ms() as f64));
    let small = |n: u32| u8::try_from(n).unwrap_or(0);
    format::Civil {
        year: i32::try_from(date.get_full_year()).unwrap_or(0),
        month: small(date.get_month() + 1),
        day: small(date.get_date()),
        hour: small(date.get_hours()),
        minute: small(date.get_minutes()),
    }
    .text()
}

#[cfg(not(feature = "hydrate"))]
fn local(at: Timestamp) -> String {
    format::utc(at)
}

/// How much a [`Time`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStyle {
    /// `22 Nov 2026, 22:58 · 38 minutes ago`.
    #[default]
    Both,
    /// `38 minutes ago`, the rest as a tool tip.
    Relative,
    /// `22 Nov 2026, 22:58`.
    Absolute,
}

/// A moment.
#[component]
pub fn Time(
    /// When.
    at: Timestamp,
    /// How much to say.
    #[prop(optional)]
    style: TimeStyle,
) -> impl IntoView {
    let clock = use_context::<Clock>();
    let alive = move || clock.and_then(Clock::now);
    let absolute = move || if alive().is_some() { local(at) } else { format::utc(at) };
    let relative = move || format::relative(at, alive().unwrap_or_else(first_now));
    let text = move || match style {
        TimeStyle::Both => format!("{} · {}", absolute(), relative()),
        TimeStyle::Relative => relative(),
        TimeStyle::Absolute => absolute(),
    };
    view! {
        <time datetime=at.to_string() title=format::utc(at)>
            {text}
        </time>
    }
}

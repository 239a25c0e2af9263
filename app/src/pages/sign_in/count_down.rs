//! The wait before the next try at the door.

use leptos::prelude::*;

/// What to do; `left` are the seconds that must still pass.
pub fn waiting(left: u32) -> String {
    if left == 0 {
        return "You can try again now.".to_owned();
    }
    let unit = if left == 1 { "second" } else { "seconds" };
    format!("Try again in {left} {unit}. Each further failure makes the wait longer.")
}

/// Counts down, and keeps the door's button disabled meanwhile. Without it nothing is disabled: the server makes one wait
/// anyway.
#[island]
pub fn CountDown(
    /// How long to wait.
    seconds: u32,
) -> impl IntoView {
    let left = RwSignal::new(seconds);
    #[cfg(feature = "hydrate")]
    count(left);
    view! { <p>{move || waiting(left.get())}</p> }
}

#[cfg(feature = "hydrate")]
fn count(left: RwSignal<u32>) {
    use wasm_bindgen::JsCast as _;

    let tick = move || left.update(|s| *s = s.saturating_sub(1));
    let ticker = set_interval_with_handle(tick, std::time::Duration::from_secs(1)).ok();
    Effect::new(move |_| {
        let over = left.get() == 0;
        let button = document().query_selector("form[action='/session/sign-in'] button").ok().flatten();
        if let Some(button) = button.and_then(|b| b.dyn_into::<web_sys::HtmlButtonElement>().ok()) {
            button.set_disabled(!over);
        }
        if let Some(ticker) = ticker.filter(|_| over) {
            ticker.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_seconds() {
        assert!(waiting(8).contains("8 seconds"));
        assert!(waiting(1).contains("1 second."));
        assert_eq!(waiting(0), "You can try again now.");
    }
}

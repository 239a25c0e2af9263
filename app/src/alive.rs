//! What the browser adds to every page: keys and the palette, the reader's own time, copying, and forms that answer at
//! once. Pages are whole without it.

#[cfg(feature = "hydrate")]
mod copying;
#[cfg(feature = "hydrate")]
mod forms;
#[cfg(feature = "hydrate")]
pub mod times;

use leptos::prelude::*;

use crate::components::palette::Palette;

/// Listens on the page. Stands at its end: once it is alive, so is everything before it, and the document says so by
/// `data-hydrated`.
#[island]
pub fn Alive() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    {
        crate::fragment::begin();
        crate::keyboard::listen();
        times::keep();
        copying::listen();
        forms::listen();
        forget_notice();
        crate::typed::give_back();
        crate::pages::plan::guard::forget_others();
        if let Some(root) = document().document_element() {
            // An attribute of a fixed, legal name cannot be refused.
            let _set = root.set_attribute("data-hydrated", "");
        }
    }
    view! { <Palette /> }
}

/// The key of what this page said once has no use any more, nor the plan that was read before it: nobody should copy them with
/// the address.
#[cfg(feature = "hydrate")]
fn forget_notice() {
    let location = window().location();
    let (Ok(path), Ok(search), Ok(hash)) = (location.pathname(), location.search(), location.hash()) else { return };
    let pairs: Vec<&str> = search.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()).collect();
    let kept: Vec<&str> =
        pairs.iter().copied().filter(|pair| !pair.starts_with("notice=") && !pair.starts_with("read=")).collect();
    if kept.len() < pairs.len()
        && let Ok(history) = window().history()
    {
        let mark = if kept.is_empty() { "" } else { "?" };
        let plain = format!("{path}{mark}{}{hash}", kept.join("&"));
        // Refused only to other hosts' addresses, which this is not.
        let _replaced = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&plain));
    }
}

/// The element that an event came from, or the nearest around it, that fits the selector.
#[cfg(feature = "hydrate")]
pub(crate) fn closest(event: &web_sys::Event, selector: &str) -> Option<web_sys::Element> {
    use wasm_bindgen::JsCast as _;

    event.target()?.dyn_into::<web_sys::Element>().ok()?.closest(selector).ok().flatten()
}

//! The WASM entry: the islands of the pages, nothing else.

// The islands are functions of this crate; the linker keeps them where the crate is named.
extern crate app as _;

/// Called by the boot module once the WASM is there, before it gives each island its element.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}

//! The stores by name and colour. Their colours are used for nothing else.

use leptos::prelude::*;
use rollback_types::StoreKind;

/// A store's colour, as a dot.
#[component]
pub fn StoreDot(
    /// Which store.
    store: StoreKind,
) -> impl IntoView {
    view! { <i class=format!("dot {}", store.as_str()) aria-hidden="true"></i> }
}

/// A store's dot and name.
#[component]
pub fn StoreName(
    /// Which store.
    store: StoreKind,
) -> impl IntoView {
    view! {
        <span class="store">
            <StoreDot store=store />
            {store.title()}
        </span>
    }
}

/// A bar: how much of a whole. In a store's colour when it is about one.
#[component]
pub fn Meter(
    /// What it measures, for assistive software.
    #[prop(into)]
    label: Signal<String>,
    /// 0 to 100.
    #[prop(into)]
    percent: Signal<u8>,
    /// Whose data it is about.
    #[prop(optional_no_strip)]
    store: Option<StoreKind>,
) -> impl IntoView {
    let class = format!("bar {}", store.map_or("", StoreKind::as_str));
    view! {
        <div
            class=class
            role="meter"
            aria-label=move || label.get()
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || percent.get().to_string()
        >
            <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                <rect width=move || percent.get().to_string() height="1"></rect>
            </svg>
        </div>
    }
}

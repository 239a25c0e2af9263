//! A chart, and the figures behind it.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;

use super::table::{Column, DataTable};
use crate::api::runs::Drawings;

/// The chart for whoever has room for it, and a narrow one for whoever has not.
#[component]
pub fn Chart(
    /// What it shows, in the words of its card: the name of the place that scrolls.
    #[prop(into)]
    title: String,
    /// Both drawings.
    drawings: Drawings,
) -> impl IntoView {
    view! {
        <div
            class="chart wide"
            tabindex="0"
            role="region"
            aria-label=format!("Chart: {title}")
            inner_html=drawings.wide
        ></div>
        <div class="chart narrow" inner_html=drawings.narrow></div>
    }
}

/// What a chart draws, as a table that opens.
#[component]
pub fn Figures(
    /// What it shows, in the words of its card.
    #[prop(into)]
    title: String,
    /// The heads of its columns.
    columns: Vec<Column>,
    /// The rows.
    children: Children,
) -> impl IntoView {
    view! {
        <details class="figures">
            <summary>"The figures"</summary>
            <DataTable label=format!("Figures: {title}") columns=columns class="">
                {children()}
            </DataTable>
        </details>
    }
}

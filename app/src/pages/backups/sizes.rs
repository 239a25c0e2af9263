//! How large the backups are, oldest first: drawn, with the figures behind the drawing.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::StoreKind;

use crate::api::backups::{BackupSize, BackupSizes};
use crate::components::{Card, Chart, Column, Figures, Time, TimeStyle};
use crate::format;

const TITLE: &str = "Sizes over time";

/// The card; nothing while there is too little to draw.
#[component]
pub(super) fn SizesCard(sizes: BackupSizes) -> impl IntoView {
    let BackupSizes { chart, sizes } = sizes;
    chart.map(|drawings| {
        let rows = sizes.iter().map(row).collect_view();
        let stores = StoreKind::ALL.into_iter().map(|store| Column::number(store.title()));
        let columns = [Column::text("Backup"), Column::text("Written")]
            .into_iter()
            .chain(stores)
            .chain([Column::number("Together")])
            .collect();
        let footer = "By the moment each was written. The colours are the stores’; grey is what latest-copy weighed before it was \
                      made anew, of which only the sum is known.";
        view! {
            <Card title=TITLE footer=view! { <p>{footer}</p> }.into_any()>
                <Chart title=TITLE drawings=drawings />
                <Figures title=TITLE columns=columns>
                    {rows}
                </Figures>
            </Card>
        }
    })
}

fn row(size: &BackupSize) -> impl IntoView + use<> {
    let parts = size
        .parts
        .into_iter()
        .map(|bytes| view! { <td class="num">{bytes.map_or_else(|| "–".to_owned(), format::bytes)}</td> });
    view! {
        <tr>
            <td class="id">{format::clip(&format::visible(&size.name), 120)}</td>
            <td>
                <Time at=size.at style=TimeStyle::Absolute />
            </td>
            {parts.collect_view()}
            <td class="num">{format::bytes(size.total)}</td>
        </tr>
    }
}

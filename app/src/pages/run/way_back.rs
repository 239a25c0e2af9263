//! What this run saved before it restored: how big, how long it is kept, and the way to undo.

use leptos::prelude::*;
use rollback_types::RunId;

use crate::api::backups::{WayBackView, run_way_back};
use crate::components::{Card, ErrorPanel, Fact, KeyValue, StoreName, Time};
use crate::format;
use crate::pages::backups::{Remove, UndoLink};

/// The card; nothing when the run saved nothing.
#[component]
pub fn WayBackCard(
    /// The run.
    id: RunId,
    /// It has ended.
    ended: bool,
) -> impl IntoView {
    let found = Resource::new_blocking(|| (), move |()| run_way_back(id));
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(Some(way)) => {
                        view! {
                            <Card title="Way back">
                                <Kept way=way ended=ended />
                            </Card>
                        }
                            .into_any()
                    }
                    Ok(None) => ().into_any(),
                    Err(e) => view! { <ErrorPanel problem=e /> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Kept(way: WayBackView, ended: bool) -> impl IntoView {
    let id = way.run.id;
    let stores = way.stores.iter().map(|s| view! { <StoreName store=*s /> " " }).collect_view();
    view! {
        <div class="body">
            <p>"What production held before this run restored it."</p>
            <KeyValue>
                <Fact term="Stores">{stores}</Fact>
                <Fact term="Size">{format::bytes(way.bytes)}</Fact>
                <Fact term="Kept until">
                    {match way.kept_until {
                        Some(at) => view! { <Time at=at /> }.into_any(),
                        None => "the run has ended, and a while after".into_any(),
                    }}
                </Fact>
                <Fact term="Folder">
                    <code class="foreign">{format::visible(&way.folder)}</code>
                </Fact>
            </KeyValue>
            // While the run goes on, its own decisions are the way back.
            {ended
                .then(|| {
                    view! {
                        <div class="actions">
                            <UndoLink run=id /> <Remove run=id />
                        </div>
                    }
                })}
        </div>
    }
}

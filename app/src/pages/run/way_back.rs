//! What this run saved before it restored: how big, how long it is kept, and the way to undo.

use leptos::prelude::*;

use crate::api::backups::{RemoveWayBack, WayBackView, run_way_back};
use crate::components::{Card, ErrorPanel, Fact, KeyValue, StoreName, Time};
use crate::format;
use crate::live::LiveRun;
use crate::pages::backups::{Remove, UndoLink};

/// The card; nothing when the run saved nothing.
#[component]
pub fn WayBackCard(
    /// The run.
    live: LiveRun,
) -> impl IntoView {
    let id = live.view.with_untracked(|v| v.run.id);
    let remove = ServerAction::<RemoveWayBack>::new();
    // Looked for again when a lane of step 7 is through and when the run ends.
    let moment = Memo::new(move |_| {
        live.view.with(|v| {
            let through = v.steps.iter().filter(|s| s.step.is_restore() && s.state.is_through()).count();
            (through, v.run.ended_at.is_some())
        })
    });
    let found = Resource::new_blocking(move || (moment.get(), remove.version().get()), move |_| run_way_back(id));
    let refused = move || {
        remove.value().get().and_then(Result::err).map(|e| view! { <div class="body"><ErrorPanel problem=e /></div> })
    };
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(Some(way)) => {
                        view! {
                            <Card title="Way back">
                                {refused} <Kept way=way remove=remove ended=moment.get_untracked().1 />
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
fn Kept(way: WayBackView, remove: ServerAction<RemoveWayBack>, ended: bool) -> impl IntoView {
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
                            <UndoLink run=id /> <Remove run=id remove=remove />
                        </div>
                    }
                })}
        </div>
    }
}

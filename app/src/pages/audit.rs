//! Who did what, when, from where, on what ground; and what was refused. For administrators.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

pub(super) mod asked;
mod deeds;

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use rollback_types::{AuditOutcome, AuditRow, Page, SignInWay};

use self::asked::Asked;
use crate::api::access::audit_page;
use crate::components::{
    Badge, Callout, Column, DataTable, EmptyState, ErrorPanel, FieldKind, Icon, IconName, Loading, PageHeader,
    Pagination, TextField, Time, TimeStyle, Tone,
};
use crate::format;

/// `/audit`.
#[component]
pub fn AuditPage() -> impl IntoView {
    let search = use_location().search;
    let asked = Memo::new(move |_| search.with(|s| Asked::read(s)));
    let rows = Resource::new_blocking(move || asked.get(), |asked| audit_page(asked.query()));
    let tools = view! {
        <a class="btn" href=move || asked.with(Asked::download) download="stepback-audit.ndjson" rel="external">
            <Icon name=IconName::Download />
            "Download"
        </a>
    };
    let lead = "Everything that was asked for and could change something, and everything that was refused. Nothing is ever \
                changed or removed here.";
    view! {
        <PageHeader tab="Audit" lead=lead.into_any() tools=tools.into_any()>
            "Audit"
        </PageHeader>
        {move || view! { <Filter asked=asked.get() /> }}
        {move || asked.with(|asked| no_days(&asked.no_days))}
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                let asked = asked.get_untracked();
                match rows.await {
                    Ok(page) => listing(page, &asked).into_any(),
                    Err(problem) => view! { <ErrorPanel problem=problem retry="/audit" /> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// A plain form: the filter stands in the address.
#[component]
fn Filter(asked: Asked) -> impl IntoView {
    let field = |id: &'static str, label: &'static str, kind: FieldKind, value: String| {
        view! { <TextField id=format!("audit-{id}") name=id label=label kind=kind value=value filter=true most=200 /> }
    };
    let outcomes = AuditOutcome::ALL
        .into_iter()
        .map(|o| {
            view! {
                <option value=o.as_str() selected=asked.outcome == Some(o)>
                    {look(o).2}
                </option>
            }
        })
        .collect_view();
    let filtered = asked.is_filtered();
    view! {
        <details class="card audit-filter" open=filtered>
            <summary>"Filter"</summary>
            <form role="search" aria-label="Filter the audit" method="get" action="/audit">
                <div class="fields">
                    {field("actor", "Who", FieldKind::Name, asked.actor.unwrap_or_default())}
                    {field("action", "What holds", FieldKind::Name, asked.action.unwrap_or_default())} <div class="field">
                        <label for="audit-outcome">"Outcome"</label>
                        <select id="audit-outcome" name="outcome">
                            <option value="">"all"</option>
                            {outcomes}
                        </select>
                    </div> {field("since", "From this day on (UTC)", FieldKind::Day, asked.since.unwrap_or_default())}
                    {field("until", "Up to this day (UTC)", FieldKind::Day, asked.until.unwrap_or_default())}
                </div>
                <div class="actions">
                    <button class="btn primary" type="submit">
                        "Show what fits"
                    </button>
                    {filtered
                        .then(|| {
                            view! {
                                <a class="btn" href="/audit">
                                    "Show all"
                                </a>
                            }
                        })}
                </div>
            </form>
        </details>
    }
}

/// What stands in the address in a day's place, and is none.
fn no_days(words: &[String]) -> Option<impl IntoView + use<>> {
    let shown: Vec<String> = words.iter().map(|w| format!("“{}”", format::clip(&format::visible(w), 40))).collect();
    (!shown.is_empty()).then(|| {
        let title =
            format!("{} is no day, such as 2026-11-23, so the entries of all days are shown.", shown.join(", "));
        view! { <Callout tone=Tone::Warn title=title /> }
    })
}

fn listing(page: Page<AuditRow>, asked: &Asked) -> impl IntoView + use<> {
    if page.items.is_empty() {
        return view! {
            <EmptyState title="No entry fits.">
                <p>"Sign-ins, starts, decisions and refusals would be listed here, the newest first."</p>
                <p>
                    <a class="btn" href="/audit">
                        "Show all"
                    </a>
                </p>
            </EmptyState>
        }
        .into_any();
    }
    let first = asked.cursor.is_some().then(|| asked.path(None));
    let next = page.next_cursor.as_ref().map(|c| asked.path(Some(&c.0)));
    let rows = page.items.into_iter().map(row).collect_view();
    view! {
        <section class="card" aria-label="Entries">
            <DataTable
                label="Entries of the audit"
                columns=vec![
                    Column::text("When"),
                    Column::text("Who"),
                    Column::text("What"),
                    Column::text("Outcome"),
                    Column::text("From"),
                ]
                class="stack audit"
            >
                {rows}
            </DataTable>
        </section>
        <Pagination label="Pages of the audit" first=first next=next />
    }
    .into_any()
}

fn look(outcome: AuditOutcome) -> (Tone, IconName, &'static str) {
    match outcome {
        AuditOutcome::Begun => (Tone::Warn, IconName::Question, "end not written"),
        AuditOutcome::Done => (Tone::Good, IconName::Check, "done"),
        AuditOutcome::Refused => (Tone::Bad, IconName::Cross, "refused"),
        AuditOutcome::Failed => (Tone::Bad, IconName::Warning, "failed"),
    }
}

fn row(r: AuditRow) -> impl IntoView {
    let (tone, icon, word) = look(r.outcome);
    let role = match (r.role, r.via) {
        // At the command line everybody is an administrator, and the name says that it was there.
        (_, Some(SignInWay::Cli)) => "on the server’s own machine".to_owned(),
        (Some(role), Some(via)) => format!("{role}, by {}", via.as_str()),
        (Some(role), None) => role.to_string(),
        _ => "not signed in".to_owned(),
    };
    let line = |term: &'static str, text: Option<String>| {
        text.map(|t| {
            view! {
                <span class="under foreign">
                    {term} ": " <bdi>{format::clip(&format::visible_lines(&t), 500)}</bdi>
                </span>
            }
        })
    };
    let digest = r.digest.map(|d| {
        let full = format::clip(&format::visible(&d), 100);
        view! {
            <span class="under">
                "digest: " <code title=full.clone()>{format::clip(&full, 12)}</code>
            </span>
        }
    });
    view! {
        <tr>
            <td class="muted nowrap">
                <Time at=r.at style=TimeStyle::Exact />
            </td>
            <td>
                <bdi class="foreign">{r.actor.map_or_else(|| "nobody".to_owned(), |a| format::clip(&format::visible(&a), 80))}</bdi>
                <span class="under">{role}</span>
            </td>
            <td class="wide what">
                {deeds::deed(&r.action)}
                <span class="under">
                    <code class="foreign">{format::clip(&format::visible(&r.action), 200)}</code>
                </span>
                {line("subject", r.subject)}
                {line("reason", r.reason)}
                {digest}
                {line("told", r.detail)}
            </td>
            <td class="state">
                <Badge tone=tone icon=icon text=word.to_owned() />
            </td>
            <td data-label="From" class="foreign from">
                {r.address.map(|a| format::visible(&a))}
            </td>
        </tr>
    }
}

//! `/runs/{id}/report`: what happened, for those who were not there; and where people add why, and what they learned.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

mod course;
mod words;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use rollback_types::run_kind::subject_in_words;
use rollback_types::{CountChange, RunId, RunReport, StoreBalance, StoreKind, VersionId};

use self::course::{BeforeSection, CourseSection, StepsSection, ValidationSection};
use self::words::{AddForm, ChecklistSection, WordsSection};
use crate::api::reports::{Annotate, get_report};
use crate::api::runs::{Drawings, run_chart};
use crate::components::{
    Callout, Card, Column, DataTable, ErrorPanel, Fact, Foreign, Icon, IconName, KeyValue, Loading, PageHeader,
    RunBadge, Said, StoreName, Time, TimeStyle, Tone, VersionName, message,
};
use crate::pages::outcome::StoreOutcomes;
use crate::pages::run::NoSuchRun;
use crate::pages::run_rows::{Took, title};
use crate::{format, notice};

const COUNTS: &str = "Counts before and after";

/// The page.
#[component]
pub fn ReportPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").and_then(|text| text.parse::<RunId>().ok()));
    let made = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => (get_report(id).await.map(Some), run_chart(id).await.ok()),
                None => (Ok(None), None),
            }
        },
    );
    view! {
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                let (report, chart) = made.await;
                match report {
                    Ok(Some(report)) => view! { <Report report=report chart=chart /> }.into_any(),
                    Err(e) if !message::is_missing(&e.0) => {
                        view! {
                            <PageHeader tab="Report">"Report"</PageHeader>
                            <ErrorPanel problem=*e.0 />
                        }
                            .into_any()
                    }
                    _ => view! { <NoSuchRun /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Report(report: RunReport, chart: Option<Drawings>) -> impl IntoView {
    let run = &report.run;
    let (id, kind, version, state) =
        (run.id, run.kind, VersionId::new(subject_in_words(run.kind, &run.version_id)), run.state);
    let over = report.is_over();
    let lead = view! {
        <Foreign text=run.reason.clone() />
        " · started by "
        <Foreign text=run.actor.clone() />
        ", "
        <Time at=run.started_at style=TimeStyle::Absolute />
    };
    let tools = view! {
        <RunBadge state=state />
        <a class="btn small" href=format!("/runs/{id}")>
            "The run"
        </a>
        <a class="btn small" href=format!("/runs/compare?a={id}")>
            "Compare…"
        </a>
        <a class="btn small" href=format!("/api/v1/runs/{id}/report.md") download=format!("run-{id}-report.md") rel="external">
            <Icon name=IconName::Download />
            "Markdown"
        </a>
        <a class="btn small" href=format!("/api/v1/runs/{id}/report") download=format!("run-{id}-report.json") rel="external">
            <Icon name=IconName::Download />
            "JSON"
        </a>
    };
    let refused = notice::refused::<Annotate>().map(|problem| view! { <ErrorPanel problem=problem /> });
    let gaps = (!report.gaps.is_empty()).then(|| {
        let gaps = report.gaps.iter().map(|gap| view! { <p class="foreign">{format::visible(gap)}</p> }).collect_view();
        view! { <Callout tone=Tone::Warn title="This report has gaps.">{gaps}</Callout> }
    });
    view! {
        <PageHeader
            tab=format!("Report of run #{id}")
            over=view! { {format!("Report · run #{id}")} }.into_any()
            lead=lead.into_any()
            tools=tools.into_any()
        >
            {title(kind)}
            " "
            <VersionName id=version />
        </PageHeader>
        <Said />
        {refused}
        {(!over)
            .then(|| {
                view! {
                    <Callout tone=Tone::Run title="The run is not over: this is its report so far.">
                        <p>"Root cause, lessons and the checklist can be filled in when it is."</p>
                    </Callout>
                }
            })}
        {gaps}
        <div class="report">
            {contents(&report)}
            <FactsSection report=report.clone() />
            <WordsSection report=report.clone() />
            <ChecklistSection checklist=report.checklist.clone() />
            {over.then(|| view! { <AddForm report=report.clone() /> })}
            {(!report.stores.is_empty()).then(|| view! { <CountsSection stores=report.stores.clone() /> })}
            <StepsSection run=report.run.id steps=report.steps.clone() chart=chart />
            <CourseSection report=report.clone() />
            {report.validation.clone().map(|validation| view! { <ValidationSection validation=validation /> })}
            <BeforeSection report=report.clone() />
        </div>
        <p class="small muted">"Made from the journal, " <Time at=report.made_at style=TimeStyle::Absolute /> "."</p>
    }
}

/// Where to find what: the report is long, and on a phone longer.
fn contents(report: &RunReport) -> impl IntoView + use<> {
    let run = &report.run;
    let sections = [
        (true, words::WHY),
        (!report.checklist.is_empty(), words::AFTER),
        (report.is_over(), words::ADD),
        (!report.stores.is_empty(), COUNTS),
        (true, course::STEPS),
        (course::is_told(report), course::COURSE),
        (report.validation.is_some(), course::VALIDATION),
        (course::speaks_for_it(report), course::FOR_IT),
        (!report.before.is_empty(), course::BEFORE),
    ];
    let links = sections
        .into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, title)| {
            view! {
                <li>
                    <a class="chip" href=format!("#card-{}", format::slug(title))>
                        {title}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <nav class="no-print" aria-label=format!("Contents of the report of run #{}", run.id)>
            <ul class="chips">{links}</ul>
        </nav>
    }
}

#[component]
fn FactsSection(report: RunReport) -> impl IntoView {
    let run = report.run;
    let took = run.duration_ms.map(|_| run.clone()).map(|run| view! { <Fact term="Took"><Took run=run /></Fact> });
    let digest = run.plan_digest.0;
    let expected = report.time.map(|time| {
        let median =
            time.median_ms.map(|ms| format!("; {} as the median here", format::duration(ms))).unwrap_or_default();
        format!("{} by the document{median}", format::duration(time.documented_ms))
    });
    let copy = report.source.map(|source| format::clip(&format::visible(&source.name()), 120));
    let saved = report.way_back.map(|w| {
        let stores: Vec<_> = w.stores.iter().map(|s| s.title()).collect();
        view! {
            {format!("{}, {}", stores.join(", "), format::bytes(w.bytes))}
            {w.kept_until.map(|at| view! { ", kept until " <Time at=at style=TimeStyle::Absolute /> })}
        }
    });
    view! {
        <Card title="What happened">
            <div class="body">
                {run.summary.as_ref().map(|s| view! { <p class="foreign">{format::visible_lines(s)}</p> })}
                <StoreOutcomes outcomes=report.outcomes />
                <KeyValue>
                    <Fact term="Began">
                        <Time at=run.started_at style=TimeStyle::Absolute />
                    </Fact>
                    {run
                        .ended_at
                        .map(|at| {
                            view! {
                                <Fact term="Ended">
                                    <Time at=at style=TimeStyle::Absolute />
                                </Fact>
                            }
                        })}
                    {took}
                    {expected.map(|text| view! { <Fact term="Expected">{text}</Fact> })}
                    <Fact term="Started by">
                        <Foreign text=run.actor />
                    </Fact>
                    {(!report.approved_by.is_empty())
                        .then(|| {
                            view! {
                                <Fact term="Approved by">
                                    <Foreign text=report.approved_by.join(", ") />
                                </Fact>
                            }
                        })}
                    {copy.map(|name| view! { <Fact term="Copy proven"><bdi class="foreign">{name}</bdi></Fact> })}
                    {saved.map(|s| view! { <Fact term="Way back">{s}</Fact> })}
                    <Fact term="Plan">
                        <code title=digest.clone()>{format::short_digest(&digest)}</code>
                        {report.take_over.then_some(" · took over an earlier rollback")}
                    </Fact>
                </KeyValue>
            </div>
        </Card>
    }
}

/// `35,118`, or that it is not known.
pub(super) fn count(n: Option<u64>) -> String {
    n.map_or_else(|| "not known".to_owned(), format::count)
}

#[component]
fn CountsSection(stores: Vec<StoreBalance>) -> impl IntoView {
    let row = |store: StoreKind, c: &CountChange| {
        view! {
            <tr>
                <th scope="row">
                    <StoreName store=store />
                </th>
                <td>{format::visible(&c.what)}</td>
                <td class="num" data-label="Before">{count(c.before)}</td>
                <td class="num" data-label="After">{count(c.after)}</td>
            </tr>
        }
    };
    let rows = stores.iter().flat_map(|s| s.counts.iter().map(|c| row(s.store, c)).collect::<Vec<_>>()).collect_view();
    let proofs = stores
        .iter()
        .map(|s| {
            view! {
                <li>
                    <StoreName store=s.store />
                    " "
                    <span class="foreign">{format::visible(&s.proof)}</span>
                    <span class="under foreign">{format::visible(&s.evidence)}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title=COUNTS>
            <DataTable columns=vec![
                Column::text("Store"),
                Column::text("What"),
                Column::number("Before"),
                Column::number("After"),
            ]>{rows}</DataTable>
            <ul class="plain-list proofs-of">{proofs}</ul>
        </Card>
    }
}

//! Version: everything the registry says of one version, what is staged of it, and whether it can be rolled back.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{
    Candidacy, OperationRow, Problem, ProblemKind, Role, RunKind, Timestamp, VersionDetail, VersionRow,
};

use super::overview::ValidateForm;
use super::plan::before::TriggersCard;
use super::plan::subject::Subject;
use super::run_rows::RunRows;
use super::staged::StagedCard;
use super::versions::number;
use crate::address::use_version_id;
use crate::api::runs::Validate;
use crate::api::versions::get_version;
use crate::components::message::is_missing;
use crate::components::{
    Badge, Callout, Card, Column, DataTable, EmptyState, ErrorPanel, Fact, Foreign, IconName, KeyValue, Loading,
    PageHeader, Time, Tone, VersionBadge, VersionName, plan_link,
};
use crate::fragment::Fragment;
use crate::freshness::PageFreshness;
use crate::{format, notice};

/// `/versions/{id}`.
#[component]
pub fn VersionPage() -> impl IntoView {
    let id = use_version_id();
    let version = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            // The address of the page that is being left for.
            if id.is_empty() {
                return Err(Problem::new(ProblemKind::NotFound, "The address names no version.").into());
            }
            get_version(id).await
        },
    );
    view! {
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match version.await {
                    Ok(detail) => view! { <Detail detail=detail /> }.into_any(),
                    Err(error) if is_missing(&error.0) => {
                        view! { <Missing id=id.get_untracked() /> }.into_any()
                    }
                    Err(error) => {
                        view! {
                            <PageHeader tab="Version">"Version"</PageHeader>
                            <ErrorPanel problem=error retry=format::version_path(&id.get_untracked()).unwrap_or_default() />
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn Missing(id: String) -> impl IntoView {
    let shown = format::clip(&format::visible(&id), 200);
    view! {
        <PageHeader tab="No such version">"There is no such version"</PageHeader>
        <EmptyState title="The registry does not know this id.">
            <p>
                <bdi class="id">{shown}</bdi>
            </p>
            <p>"It may have been typed wrongly, or belong to another deployment. Nothing was changed."</p>
            <p>
                <a class="btn" href="/versions">
                    "All versions"
                </a>
            </p>
        </EmptyState>
    }
}

#[component]
pub(super) fn Detail(detail: VersionDetail) -> impl IntoView {
    let VersionDetail { version, rollback, interrupted_run, staging, operations, runs, layout, triggers } = detail;
    let offered = version.candidacy.is_offered();
    let plan = offered.then(|| format::version_path(version.version_id.as_str())).flatten();
    let take_over = version.candidacy == Candidacy::TakeOver;
    // What was begun goes on before it is begun anew.
    let resumed = interrupted_run.filter(|_| offered);
    let refused = notice::refused::<Validate>().map(|problem| view! { <ErrorPanel problem=problem /> });
    // Only what was counted and is there can be looked at.
    let staged = offered && staging.iter().any(|s| s.staging.as_ref().is_some_and(|c| c.present));
    let subject = version.version_id.as_str().to_owned();
    // A safety backup inside the stores is no candidate, but a source for a restore once it is a backup.
    let safety = version
        .version_id
        .is_safety_backup()
        .then(|| Subject { kind: RunKind::MakeBackup, name: version.version_id.as_str().to_owned() }.path());
    let tools = {
        let status = version.status.clone();
        view! {
            <PageFreshness />
            <Fragment id="version-tools">
            <VersionBadge state=status />
            {safety
                .map(|path| {
                    view! {
                        <a class="btn" href=path>
                            {plan_link(Role::Operator, "Make it a backup…", "See the plan of a backup")}
                        </a>
                    }
                })}
            {staged
                .then(|| view! { <ValidateForm subject=subject label="Validate what is staged" /> })}
            {resumed
                .map(|run| {
                    view! {
                        <a class="btn primary" href=format!("/runs/{run}")>
                            {format!("{} run #{run}", plan_link(Role::Operator, "Resume", "See"))}
                        </a>
                    }
                })}
            {plan
                .map(|path| {
                    let does = if take_over { "Plan the take-over" } else { "Plan rollback" };
                    view! {
                        <a class=if resumed.is_some() { "btn" } else { "btn primary" } href=format!("{path}/plan")>
                            {plan_link(Role::Operator, does, "See the plan")}
                        </a>
                    }
                })}
            </Fragment>
        }
        .into_any()
    };
    let tone = match &version.candidacy {
        Candidacy::Candidate if resumed.is_some() => Tone::Warn,
        Candidacy::Candidate => Tone::Good,
        Candidacy::TakeOver => Tone::Warn,
        Candidacy::Refused(_) => Tone::Idle,
    };
    let lead = version.status_message.clone().map(|m| view! { <Foreign text=m /> });
    let name = version.version_id.clone();
    let tab = format::clip(&format::short_id(name.as_str()), 40);
    view! {
        <PageHeader
            tab=tab
            over=format!("Version · {}", layout.title()).into_any()
            lead=view! {
                <Fragment id="version-lead" inline=true>{lead}</Fragment>
            }
                .into_any()
            tools=tools
        >
            <VersionName id=name />
        </PageHeader>
        {refused}
        <Fragment id="version-now">
        <Callout tone=tone title=format::visible(&rollback) />
        <div class="grid">
            <div class="col c7">
                <TriggersCard triggers=triggers />
                <Registry version=version.clone() />
            </div>
            <div class="col c5">
                <StagedCard staged=staging goes=offered layout=Some(layout) of=Some(version.version_id.clone()) /> {oddities(&version.oddities)}
            </div>
            <Card title="Operation log" class="c12">
                <Operations operations=operations />
            </Card>
            <Card title="Runs about this version" class="c12">
                <RunRows runs=runs />
            </Card>
        </div>
        </Fragment>
    }
}

fn oddities(sentences: &[String]) -> impl IntoView + use<> {
    (!sentences.is_empty()).then(|| {
        let items = sentences.iter().map(|s| view! { <li class="foreign">{format::visible(s)}</li> }).collect_view();
        view! {
            <Callout tone=Tone::Warn title="The row holds values that are not what their column promises.">
                <ul>{items}</ul>
                <p>"They are shown as they are and changed by nothing here."</p>
            </Callout>
        }
    })
}

fn text(value: Option<String>) -> AnyView {
    match value {
        Some(t) if !t.is_empty() => view! { <Foreign text=t /> }.into_any(),
        Some(_) => view! { <span class="muted">"(empty)"</span> }.into_any(),
        None => nothing(),
    }
}

fn nothing() -> AnyView {
    view! { <span class="muted">"–"</span> }.into_any()
}

fn time(value: Option<Timestamp>) -> AnyView {
    value.map_or_else(nothing, |at| view! { <Time at=at /> }.into_any())
}

#[component]
fn Registry(version: VersionRow) -> impl IntoView {
    let v = version;
    let validated = match v.validation_passed {
        Some(true) => view! { <Badge tone=Tone::Good icon=IconName::Check text="passed".to_owned() /> }.into_any(),
        Some(false) => view! { <Badge tone=Tone::Bad icon=IconName::Cross text="failed".to_owned() /> }.into_any(),
        None => nothing(),
    };
    let count = |n: Option<i64>| n.map_or_else(nothing, |n| number(n).into_any());
    view! {
        <Card title="Registry row">
            <div class="body">
                <KeyValue>
                    <Fact term="Id">
                        <div class="long">
                            <bdi class="id">{format::visible(v.version_id.as_str())}</bdi>
                        </div>
                    </Fact>
                    <Fact term="State">
                        <code>{format::clip(&format::visible(v.status.as_str()), 200)}</code>
                    </Fact>
                    <Fact term="Message">{text(v.status_message)}</Fact>
                    <Fact term="Made">{time(v.created_at)}</Fact>
                    <Fact term="Last changed">{time(v.updated_at)}</Fact>
                    <Fact term="Chapters">{count(v.chapter_count)}</Fact>
                    <Fact term="Paragraphs">{count(v.paragraph_count)}</Fact>
                    <Fact term="Validation">{validated}</Fact>
                    <Fact term="Committed by">{text(v.committed_by)}</Fact>
                    <Fact term="Commit">{text(v.commit_hash)}</Fact>
                    <Fact term="SQLite snapshot">{text(v.sqlite_snapshot)}</Fact>
                    <Fact term="Qdrant snapshot">{text(v.qdrant_snapshot)}</Fact>
                    <Fact term="Neo4j snapshot">{text(v.neo4j_snapshot)}</Fact>
                    <Fact term="Notes">{text(v.notes)}</Fact>
                </KeyValue>
            </div>
        </Card>
    }
}

#[component]
fn Operations(operations: Vec<OperationRow>) -> impl IntoView {
    if operations.is_empty() {
        return view! {
            <EmptyState title="The operation log says nothing of it.">
                <p>"Ingestions, validations and rollbacks of this version would be listed here."</p>
            </EmptyState>
        }
        .into_any();
    }
    let rows = operations.into_iter().map(operation).collect_view();
    view! {
        <DataTable
            columns=vec![
                Column::number("No."),
                Column::text("Operation"),
                Column::text("Outcome"),
                Column::text("Details"),
                Column::number("Took"),
                Column::number("When"),
            ]
            class="stack operations"
        >
            {rows}
        </DataTable>
    }
    .into_any()
}

fn operation(o: OperationRow) -> impl IntoView {
    let (tone, icon) = outcome_look(&o.status);
    // Most registries write whole seconds.
    let took = o.completed_at.zip(o.created_at).map(|(end, begin)| match end.since_ms(begin) {
        0 => "below 1 s".to_owned(),
        ms => format::duration(ms),
    });
    view! {
        <tr>
            <td class="num muted">{o.id.to_string()}</td>
            <td class="foreign">
                <code>{format::clip(&format::visible(&o.operation_type), 80)}</code>
            </td>
            <td class="state">
                <Badge tone=tone icon=icon text=format::clip(&format::visible(&o.status), 40) />
            </td>
            <td class="wide foreign small">
                {o.details.map(|d| view! { <bdi>{format::clip(&format::visible_lines(&d), 600)}</bdi> })}
            </td>
            <td class="num hide">{took}</td>
            <td class="num muted">{time(o.created_at)}</td>
        </tr>
    }
}

/// The log's words are free text: the known ones get a tone.
fn outcome_look(status: &str) -> (Tone, IconName) {
    match status {
        "completed" | "success" => (Tone::Good, IconName::Check),
        "failed" | "error" => (Tone::Bad, IconName::Cross),
        "in_progress" | "running" => (Tone::Run, IconName::Clock),
        _ => (Tone::Idle, IconName::Circle),
    }
}

//! Every run there was: what, why, who, when, how long, and what came of it.

mod asked;
mod over_time;

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use rollback_types::{Page, RunCount, RunKind, RunState, RunSummary, StepDuration};

use self::asked::Asked;
use self::over_time::OverTime;
use crate::api::runs::{count_runs, list_runs, median_chart, step_durations};
use crate::components::badge::run_look;
use crate::components::{
    Callout, Card, Chart, Chip, Column, DataTable, EmptyState, ErrorPanel, Figures, FilterChips, Foreign, Loading,
    Moment, PageHeader, Pagination, RunBadge, RunLink, SearchField, Tone,
};
use crate::format;
use crate::fragment::Fragment;
use crate::freshness::PageFreshness;
use crate::pages::plan::sentences::listed;
use crate::pages::run_rows::{Took, subject};

const DURATIONS: &str = "Durations per step";

const STATES: [RunState; 6] = [
    RunState::Running,
    RunState::NeedsDecision,
    RunState::Interrupted,
    RunState::Completed,
    RunState::CompletedWithFindings,
    RunState::Aborted,
];

/// The history.
#[component]
pub fn HistoryPage() -> impl IntoView {
    let search = use_location().search;
    let asked = Memo::new(move |_| search.with(|s| Asked::read(s)));
    let runs = Resource::new_blocking(move || asked.get(), |asked| list_runs(asked.query()));
    let counts = Resource::new_blocking(move || asked.get(), |asked| count_runs(asked.query()));
    let lead = view! { "Every rollback, restore, validation and backup that was started here." };
    let tools = view! {
        <PageFreshness />
        <a class="btn" href="/runs/compare">
            "Compare two runs"
        </a>
    };
    view! {
        <PageHeader tab="Runs" lead=lead.into_any() tools=tools.into_any()>
            "Runs"
        </PageHeader>
        {move || no_days(&asked.get().no_days)}
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let asked = asked.get_untracked();
                // Where they cannot be counted the list says why.
                let counts = counts.await.ok().flatten();
                filters(&asked, counts.as_deref())
            })}
        </Transition>
        {move || view! { <OverTime asked=asked.get() /> }}
        <Fragment id="runs-list" held=true>
            <Transition fallback=Loading>
                {move || Suspend::new(async move {
                    let asked = asked.get_untracked();
                    match runs.await {
                        Ok(page) => listing(page, &asked).into_any(),
                        Err(e) => {
                            view! { <ErrorPanel problem=*e.0 retry=asked.path(None) /> }.into_any()
                        }
                    }
                })}
            </Transition>
        </Fragment>
        <Durations />
    }
}

/// What stands in the address in a day's place, and is none.
fn no_days(days: &[(&'static str, String)]) -> Option<impl IntoView + use<>> {
    let shown: Vec<String> =
        days.iter().map(|(field, day)| format!("{field}: “{}”", format::clip(&format::visible(day), 40))).collect();
    (!shown.is_empty()).then(|| {
        let none = if shown.len() == 1 { "is no day" } else { "are no days" };
        let title = format!("{} {none}, such as 2026-11-23, so the runs of all days are shown.", listed(&shown));
        view! { <Callout tone=Tone::Warn title=title /> }
    })
}

/// How many runs a chip would show: of a state among those of the kind that is chosen, and the other way round.
fn count(counts: Option<&[RunCount]>, state: Option<RunState>, kind: Option<RunKind>) -> Option<u64> {
    let fits = |c: &&RunCount| state.is_none_or(|state| c.state == state) && kind.is_none_or(|kind| c.kind == kind);
    counts.map(|counts| counts.iter().filter(fits).map(|c| c.count).sum())
}

fn filters(asked: &Asked, counts: Option<&[RunCount]>) -> impl IntoView + use<> {
    let of_state = |state: Option<RunState>, label: &str| Chip {
        label: label.to_owned(),
        href: Asked { state, ..asked.clone() }.path(None),
        on: asked.state == state,
        count: count(counts, state, asked.kind),
    };
    let of_kind = |kind: Option<RunKind>, label: &str| Chip {
        label: label.to_owned(),
        href: Asked { kind, ..asked.clone() }.path(None),
        on: asked.kind == kind,
        count: count(counts, asked.state, kind),
    };
    let states: Vec<Chip> = std::iter::once(of_state(None, "All states"))
        .chain(STATES.into_iter().map(|s| of_state(Some(s), run_look(s).2)))
        .collect();
    let kinds: Vec<Chip> = std::iter::once(of_kind(None, "All kinds"))
        .chain(RunKind::ALL.into_iter().map(|k| of_kind(Some(k), k.title())))
        .collect();
    let version = asked.version.clone().map(|v| {
        let without = Asked { version: None, ..asked.clone() };
        view! {
            <p class="small">
                "Only runs of "
                <bdi class="id">{format::clip(&format::visible(&v), 120)}</bdi>
                " · "
                <a href=without.path(None)>"runs of every version"</a>
            </p>
        }
    });
    view! {
        <div class="filters">
            {search(asked)}
            <FilterChips label="State" chips=states />
            <FilterChips label="Kind" chips=kinds />
            {version}
        </div>
    }
}

/// A plain form: what it asks for stands in the address, beside what the chips have chosen.
fn search(asked: &Asked) -> impl IntoView + use<> {
    let kept = [
        ("state", asked.state.map(RunState::as_str).map(str::to_owned)),
        ("kind", asked.kind.map(RunKind::as_str).map(str::to_owned)),
        ("version", asked.version.clone()),
    ];
    let kept = kept
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| view! { <input type="hidden" name=name value=value /> }))
        .collect_view();
    let day = |name: &'static str, label: &'static str, value: &Option<String>| {
        view! {
            <label class="sort">
                {label}
                <input type="date" name=name value=value.clone().unwrap_or_default() />
            </label>
        }
    };
    let without = Asked { search: None, from: None, to: None, no_days: Vec::new(), ..asked.clone() };
    let cleared = (without != *asked).then(|| {
        view! {
            <a class="btn" href=without.path(None)>
                "Clear"
            </a>
        }
    });
    view! {
        <form class="filter-form" role="search" aria-label="Search the runs" method="get" action="/runs">
            {kept}
            <SearchField name="q" label="Reason, version or who" value=asked.search.clone().unwrap_or_default() />
            {day("from", asked::FROM, &asked.from)}
            {day("to", asked::TO, &asked.to)}
            {cleared}
        </form>
    }
}

fn listing(page: Page<RunSummary>, asked: &Asked) -> impl IntoView + use<> {
    let first = asked.cursor.is_some().then(|| asked.path(None));
    let next = page.next_cursor.as_ref().map(|c| asked.path(Some(&c.0)));
    if page.items.is_empty() {
        return empty(asked).into_any();
    }
    let rows = page.items.into_iter().map(row).collect_view();
    view! {
        <section class="card" aria-label="Runs">
            <DataTable
                columns=vec![
                    Column::text("Run"),
                    Column::text("State"),
                    Column::text("What"),
                    Column::text("Reason"),
                    Column::text("By"),
                    Column::number("Took"),
                    Column::text("Started"),
                ]
                class="stack runs"
            >
                {rows}
            </DataTable>
        </section>
        <Pagination label="Pages of runs" first=first next=next />
    }
    .into_any()
}

fn row(run: RunSummary) -> impl IntoView {
    let took = view! { <Took run=run.clone() /> };
    let reason = format::clip(&run.reason, 200);
    let summary = run.summary.as_deref().map(|s| {
        view! { <span class="under foreign">{format::clip(&format::visible(s), 200)}</span> }
    });
    view! {
        <tr>
            <td>
                <RunLink id=run.id />
                <a class="under" href=format!("/runs/{}/report", run.id) aria-label=format!("Report of run #{}", run.id)>
                    "Report"
                </a>
            </td>
            <td>
                <RunBadge state=run.state />
            </td>
            <td class="wide what">
                <span class="kind">{run.kind.title()}</span>
                <span class="subject">{subject(run.kind, &run.version_id)}</span>
            </td>
            <td class="wide reason">
                <Foreign text=reason />
                {summary}
            </td>
            <td data-label="By">
                <Foreign text=run.actor />
            </td>
            <td class="num" data-label="Took">
                {took}
            </td>
            <td class="wide muted">
                <Moment at=run.started_at />
            </td>
        </tr>
    }
}

fn empty(asked: &Asked) -> impl IntoView + use<> {
    if *asked != (Asked { no_days: asked.no_days.clone(), ..Asked::default() }) {
        view! {
            <EmptyState title="No run matches.">
                <p>
                    <a class="btn" href="/runs">
                        "All runs"
                    </a>
                </p>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            <EmptyState title="No run was started here yet.">
                <p>"Each run will stand here with its reason, its steps and its log. Begin with a version that failed."</p>
                <p>
                    <a class="btn" href="/versions">
                        "To the versions"
                    </a>
                </p>
            </EmptyState>
        }
        .into_any()
    }
}

/// Durations per step: median here, and the document's estimate.
#[component]
fn Durations() -> impl IntoView {
    let figures = Resource::new_blocking(|| (), |()| async { (median_chart().await, step_durations().await) });
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                let (chart, medians) = figures.await;
                let chart = match chart {
                    Ok(drawings) => view! { <Chart title=DURATIONS drawings=drawings /> }.into_any(),
                    Err(e) => view! { <div class="body"><ErrorPanel problem=*e.0 /></div> }.into_any(),
                };
                let medians = medians.unwrap_or_default();
                let footer = view! {
                    <p>
                        "Rollbacks only. Dots: the median of completed ones here. Strokes: the document’s longest estimate. Each mark on \
                        the axis is ten times the one before, up to ten seconds."
                    </p>
                };
                view! {
                    <Card title=DURATIONS footer=footer.into_any()>
                        {chart}
                        <Figures
                            title=DURATIONS
                            columns=vec![
                                Column::text("Step"),
                                Column::number("Median here"),
                                Column::number("Runs"),
                                Column::number("The document"),
                            ]
                        >
                            {figure_rows(&medians)}
                        </Figures>
                    </Card>
                }
            })}
        </Transition>
    }
}

fn figure_rows(medians: &[StepDuration]) -> impl IntoView + use<> {
    RunKind::Rollback
        .steps()
        .into_iter()
        .map(|step| {
            let here = medians.iter().find(|m| m.step == step && m.runs > 0);
            view! {
                <tr>
                    <td>{step.numbered_title()}</td>
                    <td class="num">{here.map_or_else(|| "–".to_owned(), |m| format::duration(m.median_ms))}</td>
                    <td class="num">{here.map_or(0, |m| m.runs)}</td>
                    <td class="num">{format::duration(u64::from(step.documented_seconds()) * 1_000)}</td>
                </tr>
            }
        })
        .collect_view()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_counts_what_it_would_show_beside_the_other_choice() {
        let of = |state, kind, count| RunCount { state, kind, count };
        let counts = [
            of(RunState::Completed, RunKind::Rollback, 4),
            of(RunState::Completed, RunKind::Validate, 2),
            of(RunState::Aborted, RunKind::Rollback, 1),
        ];
        let counts = Some(&counts[..]);
        assert_eq!(count(counts, None, None), Some(7));
        assert_eq!(count(counts, Some(RunState::Completed), None), Some(6));
        assert_eq!(count(counts, Some(RunState::Completed), Some(RunKind::Validate)), Some(2));
        assert_eq!(count(counts, Some(RunState::Aborted), Some(RunKind::Validate)), Some(0));
        assert_eq!(count(None, None, None), None, "what was not counted has no number");
    }

    #[test]
    fn every_state_can_be_filtered() {
        for state in STATES {
            assert_eq!(RunState::parse(state.as_str()), Some(state));
        }
    }
}

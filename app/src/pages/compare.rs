//! `/runs/compare?a=7&b=9`: two runs side by side.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use rollback_types::{ComparedRun, ComparedStep, CountChange, CountComparison, RunComparison, RunId, StepComparison};

use crate::address;
use crate::api::reports::compare_runs;
use crate::components::{
    Card, Column, DataTable, EmptyState, ErrorPanel, FieldKind, Foreign, Loading, PageHeader, RunBadge, RunLink,
    StepBadge, StoreName, TextField, Time, TimeStyle, message,
};
use crate::format;
use crate::pages::report::count;
use crate::pages::run_rows::{Took, about};

/// The page.
#[component]
pub fn ComparePage() -> impl IntoView {
    let search = use_location().search;
    let asked = Memo::new(move |_| search.with(|s| Asked::read(s)));
    let compared = Resource::new_blocking(
        move || asked.get(),
        |asked| async move {
            match (asked.a.run(), asked.b.run()) {
                (Some(a), Some(b)) => compare_runs(a, b).await.map(Some),
                _ => Ok(None),
            }
        },
    );
    view! {
        <PageHeader tab="Compare runs" lead=view! { "Two runs side by side: what they did, how long it took, what they counted." }.into_any()>
            "Compare two runs"
        </PageHeader>
        {move || choose(&asked.get())}
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match compared.await {
                    Ok(Some(compared)) => comparison(compared).into_any(),
                    Ok(None) => nothing(asked.get_untracked().is_wrong()).into_any(),
                    Err(e) if message::is_missing(&e.0) => nothing(true).into_any(),
                    Err(e) => view! { <ErrorPanel problem=*e.0 /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// What a field of the form holds: a number, or what somebody typed in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Typed(String);

impl Typed {
    fn run(&self) -> Option<RunId> {
        self.0.trim().trim_start_matches('#').parse().ok().filter(|run: &RunId| run.0 > 0)
    }

    fn is_wrong(&self) -> bool {
        !self.0.trim().is_empty() && self.run().is_none()
    }
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    a: Typed,
    b: Typed,
}

impl Asked {
    fn read(search: &str) -> Self {
        address::pairs(search).fold(Self::default(), |mut asked, (key, value)| {
            match key.as_str() {
                "a" => asked.a = Typed(value),
                "b" => asked.b = Typed(value),
                _ => {}
            }
            asked
        })
    }

    fn is_wrong(&self) -> bool {
        self.a.is_wrong() || self.b.is_wrong()
    }
}

/// The form: its answer stands in the address.
fn choose(asked: &Asked) -> impl IntoView + use<> {
    let field = |name: &'static str, label: &'static str, typed: &Typed| {
        let value = typed.run().map_or_else(|| format::clip(&typed.0, 20), |run| run.to_string());
        view! {
            <TextField
                id=format!("compare-{name}")
                name=name
                label=label
                kind=FieldKind::Number
                value=value
                required=true
                most=20
            />
        }
    };
    view! {
        <form class="compare-choose" method="get" action="/runs/compare" aria-label="Choose two runs">
            {field("a", "First run", &asked.a)}
            {field("b", "Second run", &asked.b)}
            <button class="btn primary" type="submit">
                "Compare"
            </button>
            <a class="btn" href="/runs">
                "All runs"
            </a>
        </form>
    }
}

fn nothing(wrong: bool) -> impl IntoView {
    let title = if wrong { "There is no such run." } else { "Two runs are to be chosen." };
    #[cfg(feature = "ssr")]
    if wrong {
        crate::api::error::set_status(404);
    }
    view! {
        <EmptyState title=title>
            <p>"Each is named by its number, as the history shows it: 7, or #7. What both did, and in what they differ, would be here."</p>
        </EmptyState>
    }
}

fn comparison(c: RunComparison) -> impl IntoView {
    let heads = |first: &str| {
        vec![
            Column::text(first),
            Column::text(format!("Run #{}", c.a.run.id)),
            Column::text(format!("Run #{}", c.b.run.id)),
        ]
    };
    let (fact_heads, mut step_heads, mut count_heads) = (heads("What"), heads("Step"), heads("Count"));
    step_heads.push(Column::number("Difference"));
    count_heads.insert(0, Column::text("Store"));
    let steps = c.steps.into_iter().map(step).collect_view();
    let counts = (!c.counts.is_empty()).then(|| {
        let rows = c.counts.into_iter().map(counted).collect_view();
        view! {
            <Card title="Counts, before and after">
                <DataTable label="Counts of both runs" columns=count_heads class="compare">
                    {rows}
                </DataTable>
            </Card>
        }
    });
    view! {
        <Card title="Facts">
            <DataTable label="Facts of both runs" columns=fact_heads class="compare">
                {facts(&c.a, &c.b, c.longer_ms)}
            </DataTable>
        </Card>
        <Card title="Step by step">
            <DataTable label="Steps of both runs" columns=step_heads class="compare">
                {steps}
            </DataTable>
        </Card>
        {counts}
    }
}

fn facts(a: &ComparedRun, b: &ComparedRun, longer_ms: Option<i64>) -> impl IntoView + use<> {
    let line = |term: &'static str, of: fn(&ComparedRun) -> String| {
        let (a, b) = (of(a), of(b));
        let class = if a == b { "same" } else { "differs" };
        view! {
            <tr>
                <th scope="row">{term}</th>
                <td class=class>
                    <Foreign text=a />
                </td>
                <td class=class>
                    <Foreign text=b />
                </td>
            </tr>
        }
    };
    let side = |c: &ComparedRun| {
        view! {
            <td>
                <RunLink id=c.run.id />
                " "
                {about(&c.run)}
                <span class="under">
                    <a href=format!("/runs/{}/report", c.run.id)>"Report"</a>
                </span>
            </td>
        }
    };
    let badge = |c: &ComparedRun| {
        view! {
            <td>
                <RunBadge state=c.run.state />
            </td>
        }
    };
    let began = |c: &ComparedRun| {
        view! {
            <td>
                <Time at=c.run.started_at style=TimeStyle::Absolute />
            </td>
        }
    };
    let took = |c: &ComparedRun| view! { <Took run=c.run.clone() /> };
    view! {
        <tr>
            <th scope="row">"Run"</th>
            {side(a)}
            {side(b)}
        </tr>
        <tr>
            <th scope="row">"Outcome"</th>
            {badge(a)}
            {badge(b)}
        </tr>
        <tr>
            <th scope="row">"Began"</th>
            {began(a)}
            {began(b)}
        </tr>
        <tr>
            <th scope="row">"Took"</th>
            <td>{took(a)}</td>
            <td>{took(b)} {longer_ms.map(|ms| view! { <span class="under">{difference(ms)}</span> })}</td>
        </tr>
        {line("Reason", |c| c.run.reason.clone())}
        {line("Started by", |c| c.run.actor.clone())}
        {line("Approved by", |c| listed(c.approved_by.iter().map(String::as_str)))}
        {line("Copy proven", |c| c.source.as_ref().map_or_else(|| "none".to_owned(), |s| s.name().into_owned()))}
        {line("Restored", |c| listed(c.restored.iter().map(|s| s.title())))}
        {line("Decisions", |c| format::count(c.decisions))}
        {line("Interruptions", |c| format::count(c.interruptions))}
        {line("Findings", |c| format::count(c.findings))}
        {line("Validation", |c| c.validation.map_or("none", |v| v.title()).to_owned())}
        {line("Root cause", |c| written(&c.root_cause))}
        {line("Lessons learned", |c| written(&c.lessons))}
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn written(text: &Option<String>) -> String {
    text.as_ref().map_or_else(|| "not written".to_owned(), |text| format::clip(text, 600))
}

/// `1.2 s longer`, `40 ms shorter`, `the same`.
fn difference(longer_ms: i64) -> String {
    let size = format::duration(longer_ms.unsigned_abs());
    match longer_ms {
        0 => "the same".to_owned(),
        1.. => format!("{size} longer"),
        _ => format!("{size} shorter"),
    }
}

fn step(s: StepComparison) -> impl IntoView {
    let side = |c: Option<ComparedStep>| {
        match c {
        None => view! { <td class="same">"no such step"</td> }.into_any(),
        Some(c) => view! {
            <td>
                <StepBadge state=c.state />
                {c.took_ms.map(|ms| format!(" {}", format::duration(ms)))}
                {(c.attempts > 1).then(|| format!(" in {} tries", c.attempts))}
                {c.outcome.map(|text| view! { <span class="under foreign">{format::clip(&format::visible(&text), 300)}</span> })}
            </td>
        }
        .into_any(),
    }
    };
    view! {
        <tr>
            <th scope="row">{s.title}</th>
            {side(s.a)}
            {side(s.b)}
            <td class="num">{s.longer_ms.map_or_else(|| "–".to_owned(), difference)}</td>
        </tr>
    }
}

fn counted(c: CountComparison) -> impl IntoView {
    let side = |c: &Option<CountChange>| match c {
        None => "–".to_owned(),
        Some(c) => format!("{} → {}", count(c.before), count(c.after)),
    };
    let (a, b) = (side(&c.a), side(&c.b));
    let class = if a == b { "same" } else { "differs" };
    view! {
        <tr>
            <th scope="row">
                <StoreName store=c.store />
            </th>
            <td>{format::visible(&c.what)}</td>
            <td class=class>{a}</td>
            <td class=class>{b}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_named_as_people_write_them() {
        let asked = Asked::read("?a=%237&b=+9+&c=1");
        assert_eq!((asked.a.run(), asked.b.run(), asked.is_wrong()), (Some(RunId(7)), Some(RunId(9)), false));
        for odd in ["one", "-1", "0", "99999999999999999999", "7;drop"] {
            let asked = Asked::read(&format!("?a={odd}&b=7"));
            assert!(asked.is_wrong() && asked.a.run().is_none(), "{odd}");
        }
        assert!(!Asked::read("?a=7").is_wrong(), "one that is not chosen yet is not wrong");
    }

    #[test]
    fn a_difference_says_which_way() {
        assert_eq!(difference(1_200), "1.2 s longer");
        assert_eq!(difference(-40), "40 ms shorter");
        assert_eq!(difference(0), "the same");
        assert!(difference(i64::MIN).ends_with("shorter"));
    }
}

//! Runs: start, decide, look.
//!
//! `start_rollback`, `validate` and `decide_run` are targets of plain forms. Posted without JavaScript they answer with a redirect:
//! to the run, or back to the page, which then shows the problem.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json, PostUrl};
use rollback_types::{
    LogPart, LogQuery, Page, RollbackPlan, RunId, RunKind, RunQuery, RunSummary, RunView, StepDuration,
};
use serde::{Deserialize, Serialize};

use super::error::ApiError;

#[cfg(feature = "ssr")]
use super::{actor, chosen, refused, refused_form, service};

/// Starts a run of any kind and leads to it. `restore` is a word of [`crate::choice`].
#[server(name = StartRollback, prefix = "/rpc", endpoint = "start", input = PostUrl, output = Json)]
pub async fn start_rollback(
    version_id: String,
    plan_digest: String,
    reason: String,
    #[server(default)] confirm_version_id: String,
    #[server(default)] kind: RunKind,
    #[server(default)] acknowledgements: Vec<String>,
    #[server(default)] restore: String,
) -> Result<RunId, ApiError> {
    let request = rollback_types::StartRequest {
        kind,
        version_id,
        plan_digest: plan_digest.trim().to_owned(),
        // What a paste brings along; the id itself must agree to the letter.
        confirm_version_id: confirm_version_id.trim().to_owned(),
        reason: one_line_ends(&reason),
        restore: chosen(&restore).map_err(refused_form)?,
        acknowledgements,
    };
    let run = service()?.start(&request, &actor()?).await.map_err(refused_form)?;
    leptos_axum::redirect(&format!("/runs/{}", run.run.id));
    Ok(run.run.id)
}

/// Validates production, or what a version has staged: plans and starts in one go, for it changes nothing. Leads to the
/// run.
#[server(name = Validate, prefix = "/rpc", endpoint = "validate", input = PostUrl, output = Json)]
pub async fn validate(subject: String) -> Result<RunId, ApiError> {
    let service = service()?;
    let kind = RunKind::Validate;
    let plan = rollback_types::PlanRequest { kind, version_id: subject.clone(), ..Default::default() };
    let plan = service.plan(&plan).await.map_err(refused_form)?;
    let request = rollback_types::StartRequest {
        kind,
        confirm_version_id: subject.clone(),
        version_id: subject,
        plan_digest: plan.digest.0,
        reason: "validation by hand".to_owned(),
        restore: None,
        acknowledgements: plan.acknowledgements.into_iter().map(|a| a.asked.code).collect(),
    };
    let run = service.start(&request, &actor()?).await.map_err(refused_form)?;
    leptos_axum::redirect(&format!("/runs/{}", run.run.id));
    Ok(run.run.id)
}

/// Decides about a failed step: `retry`, `skip` (with a reason), `way_back` or `abort`; `failure` is the try that was seen to fail.
#[server(name = DecideRun, prefix = "/rpc", endpoint = "decide", input = PostUrl, output = Json)]
pub async fn decide_run(
    run: i64,
    step: String,
    decision: String,
    #[server(default)] reason: Option<String>,
    #[server(default)] failure: Option<u32>,
) -> Result<(), ApiError> {
    use rollback::ServiceError::Invalid;
    use rollback_types::{Decision, Step};

    let step = Step::parse(&step).ok_or_else(|| refused_form(Invalid("There is no step of that name.".to_owned())))?;
    let decision = [Decision::Retry, Decision::Skip, Decision::WayBack, Decision::Abort]
        .into_iter()
        .find(|d| d.as_str() == decision)
        .ok_or_else(|| refused_form(Invalid("A decision is one of retry, skip, way_back and abort.".to_owned())))?;
    let reason = reason.map(|r| one_line_ends(&r)).filter(|r| !r.is_empty());
    service()?.decide_about(RunId(run), (step, failure), decision, reason, &actor()?).await.map_err(refused_form)?;
    // To no part of the page: without JavaScript it loads itself again, which browsers do not do to a part.
    leptos_axum::redirect(&format!("/runs/{run}"));
    Ok(())
}

/// The plan of what is left of an interrupted run; changes nothing.
#[server(name = ResumePlan, prefix = "/rpc", endpoint = "resume-plan", input = GetUrl, output = Json)]
pub async fn resume_plan(run: i64) -> Result<RollbackPlan, ApiError> {
    service()?.resume_plan(RunId(run), &[]).await.map_err(refused)
}

/// Goes on with an interrupted run by the plan of what is left, and leads to it.
#[server(name = ResumeRun, prefix = "/rpc", endpoint = "resume", input = PostUrl, output = Json)]
pub async fn resume_run(
    run: i64,
    plan_digest: String,
    reason: String,
    #[server(default)] acknowledgements: Vec<String>,
) -> Result<(), ApiError> {
    let request = rollback_types::ResumeRequest {
        plan_digest: plan_digest.trim().to_owned(),
        reason: one_line_ends(&reason),
        acknowledgements,
    };
    service()?.resume(RunId(run), &request, &actor()?).await.map_err(refused_form)?;
    leptos_axum::redirect(&format!("/runs/{run}"));
    Ok(())
}

/// Gives an interrupted run up; it is aborted then.
#[server(name = AbandonRun, prefix = "/rpc", endpoint = "abandon", input = PostUrl, output = Json)]
pub async fn abandon_run(run: i64, reason: String) -> Result<(), ApiError> {
    service()?.abandon(RunId(run), &one_line_ends(&reason), &actor()?).await.map_err(refused_form)?;
    leptos_axum::redirect(&format!("/runs/{run}"));
    Ok(())
}

/// Runs, newest first.
#[server(name = ListRuns, prefix = "/rpc", endpoint = "runs", input = GetUrl, output = Json)]
pub async fn list_runs(#[server(default)] query: RunQuery) -> Result<Page<RunSummary>, ApiError> {
    service()?.runs(&query).await.map_err(refused)
}

/// How many runs of each state and kind fit, whatever of both is asked for; nothing where that is not counted.
#[cfg(feature = "ssr")]
pub(crate) async fn count_runs(query: RunQuery) -> Result<Option<Vec<rollback_types::RunCount>>, ApiError> {
    service()?.run_counts(&query).await.map_err(refused)
}

/// Lines of the log that a run's page begins with.
#[cfg(feature = "ssr")]
const LINES: usize = 400;

/// One run with its steps and the end of its log.
#[server(name = GetRun, prefix = "/rpc", endpoint = "run", input = GetUrl, output = Json)]
pub async fn get_run(id: RunId) -> Result<RunView, ApiError> {
    service()?.run_with_log(id, LINES).await.map_err(refused)
}

/// Lines of a run's log before the event of that number. That they cannot be read is shown in their place: it is not the page's
/// status.
#[cfg(feature = "ssr")]
pub(crate) async fn log_before(id: RunId, number: u64) -> Result<LogPart, rollback_types::Problem> {
    let query = LogQuery { before: Some(number), ..LogQuery::default() };
    Ok(service()?.log(id, &query).await?)
}

/// The later run that took over the version of a rollback that did not come to its end, if one did.
#[cfg(feature = "ssr")]
pub(crate) async fn taken_over_by(run: &RunSummary) -> Result<Option<RunSummary>, ApiError> {
    service()?.taken_over_by(run).await.map_err(refused)
}

/// Median durations of the steps here, beside the document's.
#[server(name = StepDurations, prefix = "/rpc", endpoint = "step-durations", input = GetUrl, output = Json)]
pub async fn step_durations() -> Result<Vec<StepDuration>, ApiError> {
    service()?.step_durations().await.map_err(refused)
}

/// Median durations of the steps, and how long the rest of a run that is at work may take, as far as they can be read.
#[cfg(feature = "ssr")]
pub(crate) async fn durations(run: &RunView) -> Result<(Vec<StepDuration>, Option<rollback::TimeLeft>), ApiError> {
    Ok(service()?.durations_beside(run).await)
}

/// A chart as SVG, twice: for a wide place and for a narrow one. Their texts are escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawings {
    /// For a desk.
    pub wide: String,
    /// For a phone.
    pub narrow: String,
}

/// When each step of one run worked.
#[server(name = RunChart, prefix = "/rpc", endpoint = "run-chart", input = GetUrl, output = Json)]
pub async fn run_chart(id: RunId) -> Result<Drawings, ApiError> {
    let run = service()?.run_with_log(id, 0).await.map_err(refused)?;
    Drawings::of_run(&run, rollback_types::Timestamp::now())
}

#[cfg(feature = "ssr")]
impl Drawings {
    /// When each step of a run worked up to a moment, of a run that was read already: to read all its events once more would be
    /// half of its page's time.
    pub(crate) fn of_run(run: &RunView, now: rollback_types::Timestamp) -> Result<Self, ApiError> {
        use crate::charts::{Room, timeline_chart};

        let wide = drawn(timeline_chart("run-chart", run, now, Room::Wide))?;
        let narrow = drawn(timeline_chart("run-chart-narrow", run, now, Room::Narrow))?;
        Ok(Self { wide, narrow })
    }
}

/// Median durations of the steps beside the document's estimates, as SVG.
#[server(name = MedianChart, prefix = "/rpc", endpoint = "median-chart", input = GetUrl, output = Json)]
pub async fn median_chart() -> Result<Drawings, ApiError> {
    use crate::charts::{Room, durations_chart};

    let medians = service()?.step_durations().await.map_err(refused)?;
    let rows: Vec<_> = RunKind::Rollback
        .steps()
        .into_iter()
        .map(|step| crate::charts::DurationRow {
            step,
            measured_ms: medians.iter().find(|m| m.step == step && m.runs > 0).map(|m| m.median_ms),
            documented_ms: u64::from(step.documented_seconds()) * 1_000,
        })
        .collect();
    let chart = |id, room| drawn(durations_chart(id, "Durations per step", "median here", &rows, room));
    Ok(Drawings { wide: chart("median-chart", Room::Wide)?, narrow: chart("median-chart-narrow", Room::Narrow)? })
}

#[cfg(feature = "ssr")]
pub(super) fn drawn(chart: Result<String, crate::charts::ChartError>) -> Result<String, ApiError> {
    chart.map_err(|e| {
        super::error::set_status(500);
        rollback_types::Problem::new(rollback_types::ProblemKind::Internal, e.to_string())
            .safe("The figures themselves are in the table.")
            .into()
    })
}

/// Browsers send line ends of a text field as CR LF.
#[cfg(feature = "ssr")]
pub(super) fn one_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use super::*;

    /// Read as the server function reads it: nested at most five deep, brackets percent-encoded.
    fn read<T: serde::de::DeserializeOwned>(body: &str) -> T {
        serde_qs::Config::new(5, false).deserialize_str(body).unwrap()
    }

    #[test]
    fn a_plain_form_carries_any_number_of_acknowledgements() {
        let fixed = "version_id=v2&plan_digest=d&confirm_version_id=v2&reason=it+failed%0D%0Atwice";
        let none: StartRollback = read(fixed);
        assert!(none.acknowledgements.is_empty() && none.restore.is_empty());
        assert_eq!(none.kind, RunKind::Rollback);
        assert_eq!(one_line_ends(&none.reason), "it failed\ntwice");
        let one: StartRollback = read(&format!("{fixed}&acknowledgements%5B%5D=second_candidate%3Av1"));
        assert_eq!(one.acknowledgements, ["second_candidate:v1"]);
        let two: StartRollback = read(&format!("{fixed}&acknowledgements%5B%5D=a&acknowledgements%5B%5D=b"));
        assert_eq!(two.acknowledgements, ["a", "b"]);
        let undo: StartRollback = read("version_id=latest-copy&plan_digest=d&reason=why&kind=make_backup&restore=none");
        assert_eq!((undo.kind, undo.confirm_version_id.as_str()), (RunKind::MakeBackup, ""));
        assert_eq!(chosen(&undo.restore).unwrap(), Some(vec![]));
    }

    #[test]
    fn a_decision_may_come_without_a_reason() {
        let plain: DecideRun = read("run=7&step=delete_nodes&decision=retry");
        assert_eq!((plain.run, plain.reason, plain.failure), (7, None, None));
        let about: DecideRun = read("run=7&step=delete_nodes&failure=2&decision=retry");
        assert_eq!(about.failure, Some(2));
        let skip: DecideRun = read("run=7&step=delete_nodes&decision=skip&reason=done+by+hand");
        assert_eq!(skip.reason.as_deref(), Some("done by hand"));
    }

    #[test]
    fn the_first_page_of_runs_has_no_parameters() {
        let all: ListRuns = read("");
        assert_eq!(all.query, RunQuery::default());
        let some: ListRuns = read("query[state]=needs_decision&query[limit]=20");
        assert_eq!((some.query.state, some.query.limit), (Some(rollback_types::RunState::NeedsDecision), Some(20)));
    }
}

//! A run's report, what people add to it, two runs side by side, and runs over time.
//!
//! `annotate` is the target of a plain form.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json, PostUrl};
use rollback_types::{RunComparison, RunId, RunQuery, RunReport, RunSummary};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::runs::Drawings;

#[cfg(feature = "ssr")]
use super::runs::drawn;
#[cfg(feature = "ssr")]
use super::{actor, refused, refused_form, service};

/// What a run did and what people say of it.
#[server(name = GetReport, prefix = "/rpc", endpoint = "report", input = GetUrl, output = Json)]
pub async fn get_report(id: RunId) -> Result<RunReport, ApiError> {
    service()?.report(id).await.map_err(refused)
}

/// Two runs side by side.
#[server(name = CompareRuns, prefix = "/rpc", endpoint = "compare", input = GetUrl, output = Json)]
pub async fn compare_runs(a: RunId, b: RunId) -> Result<RunComparison, ApiError> {
    service()?.compare(a, b).await.map_err(refused)
}

/// Adds to the report of a run that is over, and leads back to it. `offered` are the items of the checklist that the form
/// showed, `done` those of them that are ticked: a form does not send what is not ticked. `seen` is the run's last event
/// when the form was made.
#[server(name = Annotate, prefix = "/rpc", endpoint = "annotate", input = PostUrl, output = Json)]
pub async fn annotate(
    run: i64,
    seen: u64,
    #[server(default)] root_cause: String,
    #[server(default)] lessons: String,
    #[server(default)] remark: String,
    #[server(default)] offered: Vec<String>,
    #[server(default)] done: Vec<String>,
) -> Result<(), ApiError> {
    use rollback_types::{AfterItem, Note};

    let mut notes =
        vec![Note::RootCause { text: root_cause }, Note::Lessons { text: lessons }, Note::Remark { text: remark }];
    for word in offered {
        let item = AfterItem::parse(&word).ok_or_else(|| {
            refused_form(rollback::ServiceError::Invalid("The checklist has no item of that name.".to_owned()))
        })?;
        notes.push(Note::Ticked { item, done: done.contains(&word) });
    }
    let request = rollback_types::NoteRequest { notes, seen: Some(seen) };
    service()?.annotate(RunId(run), &request, &actor()?).await.map_err(refused_form)?;
    let said = "What you wrote is kept in the journal, with your name.".to_owned();
    crate::notice::lead_to(&format!("/runs/{run}/report"), crate::notice::Notice::Done(said));
    Ok(())
}

/// Runs over time, drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHistory {
    /// Absent when there is too little to draw.
    pub chart: Option<Drawings>,
    /// What it shows, newest first.
    pub runs: Vec<RunSummary>,
    /// There are older ones that fit.
    pub more: bool,
}

/// The latest 200 runs that fit, by when they began, how long they took and how they ended.
#[server(name = HistoryChart, prefix = "/rpc", endpoint = "history-chart", input = GetUrl, output = Json)]
pub async fn history_chart(#[server(default)] query: RunQuery) -> Result<RunHistory, ApiError> {
    use crate::charts::Room;

    let query = RunQuery { cursor: None, limit: Some(200), ..query };
    let page = service()?.runs(&query).await.map_err(refused)?;
    let (runs, more) = (page.items, page.next_cursor.is_some());
    let chart = |id, room| crate::charts::history_chart(id, &runs, room).transpose().map(drawn).transpose();
    let (wide, narrow) = (chart("history-chart", Room::Wide)?, chart("history-chart-narrow", Room::Narrow)?);
    let chart = wide.zip(narrow).map(|(wide, narrow)| Drawings { wide, narrow });
    Ok(RunHistory { chart, runs, more })
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use super::*;

    #[test]
    fn a_plain_form_carries_any_number_of_ticks() {
        // Read as the server function reads it: nested at most five deep, brackets percent-encoded.
        let read = |body: &str| -> Annotate { serde_qs::Config::new(5, false).deserialize_str(body).unwrap() };
        let bare = read("run=7&seen=30&root_cause=&lessons=&remark=");
        assert_eq!((bare.run, bare.seen, bare.offered.len(), bare.done.len()), (7, 30, 0, 0));
        let form = read(
            "run=7&seen=30&offered%5B%5D=staging_removed&offered%5B%5D=validation_passed&done%5B%5D=staging_removed",
        );
        assert_eq!(form.offered, ["staging_removed", "validation_passed"]);
        assert_eq!(form.done, ["staging_removed"]);
    }
}

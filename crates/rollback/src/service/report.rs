//! A run's report, what people add to it, and two runs side by side.

use std::ops::RangeInclusive;

use rollback_types::quantity::{count, counted};
use rollback_types::{
    AfterCheck, Event, EventKind, Note, NoteRequest, Notes, Role, RunComparison, RunId, RunReport, RunView,
    SavedWayBack, Timestamp,
};

use super::{Answer, RollbackService};
use crate::Actor;
use crate::error::ServiceError;
use crate::report::{Sources, compare, report};
use crate::story::Story;

/// Events read from the journal at once.
const PAGE: u32 = 500;

impl RollbackService {
    /// What a run did and what people say of it. Of a run that is not over: so far.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the journal's.
    pub async fn report(&self, id: RunId) -> Answer<RunReport> {
        let record = self.record(id).await?;
        let plan = serde_json::from_str(&record.plan_json).map_err(|e| {
            format!("The confirmed plan cannot be read any more, so counts and evidence are missing: {e}.")
        });
        let mut view = RunView::new(record.summary);
        let mut events: Vec<Event> = Vec::new();
        let left = self.read_on(&mut view, |_, page| events.extend(page)).await?;
        Self::tell_orphan_view(&mut view, left);
        let mut gaps = Vec::new();
        let way_back = match self.way_back(id).await {
            Ok(found) => found.map(|w| SavedWayBack { stores: w.stores, bytes: w.bytes, kept_until: w.kept_until }),
            Err(e) => {
                gaps.push(format!("Whether there is a way back could not be looked at: {e}."));
                None
            }
        };
        let medians = self.journal.step_durations().await?;
        let made_at = Timestamp::now();
        Ok(report(Sources { view, events: &events, plan, medians: &medians, way_back, gaps, made_at }))
    }

    /// Two runs side by side.
    ///
    /// # Errors
    /// As [`report`](Self::report).
    pub async fn compare(&self, a: RunId, b: RunId) -> Answer<RunComparison> {
        Ok(compare(&self.report(a).await?, &self.report(b).await?))
    }

    /// Adds notes to a run that is over, as one entry of the journal; the run stays as it ended. Notes that say what stands
    /// already are left out; when none is left, nothing is written.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::Invalid`] for the notes, [`ServiceError::NotFound`],
    /// [`ServiceError::Conflict`] when the run is not over, or the journal's. Nothing was written then.
    pub async fn annotate(&self, id: RunId, request: &NoteRequest, actor: &Actor) -> Answer<RunReport> {
        actor.must_be(Role::Operator, "add to a run's report")?;
        if request.notes.is_empty() || request.notes.len() > NoteRequest::MOST {
            return Err(ServiceError::field(
                "/notes",
                format!("1 to {} notes can be added at a time.", NoteRequest::MOST),
            ));
        }
        let _one_at_a_time = self.noting.lock().await;
        let story = Story::read(self.journal.as_ref(), id).await?;
        if !story.procedure.is_over() {
            let state = story.record.summary.state.as_str().replace('_', " ");
            return Err(ServiceError::Conflict(format!(
                "Run #{id} is {state}. Its report can be added to when it is over."
            )));
        }
        let report = self.report(id).await?;
        let notes = self.new_notes(id, request, &report.checklist).await?;
        if notes.is_empty() {
            return Ok(report);
        }
        let kind = EventKind::RunAnnotated { notes, actor: actor.name().to_owned() };
        let mut procedure = story.procedure;
        procedure.apply(&kind).map_err(|e| ServiceError::Conflict(format!("A defect in Stepback: {e}.")))?;
        let event = Event { number: story.last + 1, run_id: id, at: Timestamp::now(), kind };
        self.journal.append(&event, procedure.run_state()).await?;
        self.report(id).await
    }

    /// Those that say something new, as they are kept.
    async fn new_notes(&self, id: RunId, request: &NoteRequest, checklist: &[AfterCheck]) -> Answer<Vec<Note>> {
        let (now, seen) = self.notes(id, request.seen).await?;
        let mut new = Vec::new();
        for note in &request.notes {
            let note = trimmed(note);
            // Given back as it was found: what others wrote meanwhile holds.
            if now.says(&note) || seen.says(&note) && request.seen.is_some() {
                continue;
            }
            checked(&note, checklist)?;
            new.push(note);
        }
        Ok(new)
    }

    /// All notes, and those up to the event that a writer had seen.
    async fn notes(&self, id: RunId, seen: Option<u64>) -> Answer<(Notes, Notes)> {
        let (mut all, mut before, mut last) = (Notes::default(), Notes::default(), 0);
        loop {
            let events = self.journal.events(id, last, PAGE).await?;
            if events.is_empty() {
                return Ok((all, before));
            }
            for event in events {
                last = event.number;
                let EventKind::RunAnnotated { notes, actor } = &event.kind else { continue };
                for note in notes {
                    all.apply(note, actor, event.at);
                    if seen.is_none_or(|seen| event.number <= seen) {
                        before.apply(note, actor, event.at);
                    }
                }
            }
        }
    }
}

/// Without what a form adds: line ends as CR LF, space around.
fn trimmed(note: &Note) -> Note {
    let text = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    match note {
        Note::RootCause { text: t } => Note::RootCause { text: text(t) },
        Note::Lessons { text: t } => Note::Lessons { text: text(t) },
        Note::Remark { text: t } => Note::Remark { text: text(t) },
        Note::Ticked { .. } => note.clone(),
    }
}

fn checked(note: &Note, checklist: &[AfterCheck]) -> Answer<()> {
    match note {
        Note::RootCause { text } => checked_text("root cause", text, Note::TEXT),
        Note::Lessons { text } => checked_text("text of lessons", text, Note::TEXT),
        Note::Remark { text } => checked_text("remark", text, Note::REMARK),
        Note::Ticked { item, .. } => {
            let title = item.title();
            match checklist.iter().find(|check| check.item == *item) {
                Some(check) if check.is_for_person() => Ok(()),
                Some(_) if item.is_text() => {
                    Err(ServiceError::Invalid(format!("“{title}” is done by writing it, not by a tick.")))
                }
                Some(check) => Err(ServiceError::Invalid(format!(
                    "“{title}” is not a person's to tick: the run's own evidence says {}.",
                    check.detail
                ))),
                None => Err(ServiceError::Invalid(format!("“{title}” does not concern this kind of run."))),
            }
        }
    }
}

fn checked_text(name: &str, text: &str, allowed: RangeInclusive<usize>) -> Answer<()> {
    let length = text.chars().count();
    if length == 0 {
        let said =
            format!("The {name} is empty: what was written can be replaced by another text, but not be taken away.");
        return Err(ServiceError::field("/notes", said));
    }
    if !allowed.contains(&length) {
        let (least, most) = (allowed.start(), allowed.end());
        let (has, most) = (counted(length as u64, "characters"), count(*most as u64));
        return Err(ServiceError::field("/notes", format!("The {name} has {has}; {least} to {most} are allowed.")));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
        return Err(ServiceError::field(
            "/notes",
            format!("The {name} has control characters in it, which are not allowed."),
        ));
    }
    Ok(())
}

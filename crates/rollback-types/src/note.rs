//! What people add to a run that is over: root cause, lessons learned, ticks of the "after" checklist, remarks.
//!
//! Notes are events like any other: numbered, journalled, never changed. A later text supersedes an earlier one, which
//! stays in the journal and in the report.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::{RunKind, Timestamp};

/// Something that a person adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Note {
    /// Why it came to the run; supersedes an earlier text.
    RootCause {
        /// 3 to 3,000 characters.
        text: String,
    },
    /// What is to be done otherwise; supersedes an earlier text.
    Lessons {
        /// 3 to 3,000 characters.
        text: String,
    },
    /// Anything else worth keeping; stands beside earlier ones.
    Remark {
        /// 3 to 1,000 characters.
        text: String,
    },
    /// An item of the "after" checklist that the run's own evidence leaves open.
    Ticked {
        /// Which.
        item: AfterItem,
        /// Done, or after all not.
        done: bool,
    },
}

impl Note {
    /// Characters of a root cause, and of lessons. All fields of the report's form together fit the largest request.
    pub const TEXT: RangeInclusive<usize> = 3..=3_000;
    /// Characters of a remark.
    pub const REMARK: RangeInclusive<usize> = 3..=1_000;

    /// What it is, in the log: "root cause".
    pub fn title(&self) -> String {
        match self {
            Self::RootCause { .. } => "root cause".to_owned(),
            Self::Lessons { .. } => "lessons learned".to_owned(),
            Self::Remark { .. } => "a remark".to_owned(),
            Self::Ticked { item, done: true } => format!("“{}” ticked", item.title()),
            Self::Ticked { item, done: false } => format!("“{}” not ticked any more", item.title()),
        }
    }
}

/// An item of the document's safety checklist, "after rollback".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AfterItem {
    /// All staging data removed.
    StagingRemoved,
    /// Production data verified intact.
    ProductionIntact,
    /// Validation checks passed.
    ValidationPassed,
    /// Version status updated to `rolled_back`.
    StatusUpdated,
    /// Root cause documented: by writing it.
    RootCause,
    /// Lessons learned captured: by writing them.
    Lessons,
}

impl AfterItem {
    /// All, in the document's order.
    pub const ALL: [Self; 6] = [
        Self::StagingRemoved,
        Self::ProductionIntact,
        Self::ValidationPassed,
        Self::StatusUpdated,
        Self::RootCause,
        Self::Lessons,
    ];

    /// Those that concern a kind of run.
    pub fn of(kind: RunKind) -> &'static [Self] {
        match kind {
            RunKind::Rollback => &Self::ALL,
            RunKind::RestoreProduction | RunKind::UndoRestore => {
                &[Self::ProductionIntact, Self::ValidationPassed, Self::RootCause, Self::Lessons]
            }
            RunKind::Validate => &[Self::ValidationPassed],
            RunKind::MakeBackup => &[],
        }
    }

    /// The word in JSON and in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StagingRemoved => "staging_removed",
            Self::ProductionIntact => "production_intact",
            Self::ValidationPassed => "validation_passed",
            Self::StatusUpdated => "status_updated",
            Self::RootCause => "root_cause",
            Self::Lessons => "lessons",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.as_str() == word)
    }

    /// The document's words.
    pub fn title(self) -> &'static str {
        match self {
            Self::StagingRemoved => "All staging data removed",
            Self::ProductionIntact => "Production data verified intact",
            Self::ValidationPassed => "Validation checks passed",
            Self::StatusUpdated => "Version status updated to rolled_back",
            Self::RootCause => "Root cause documented",
            Self::Lessons => "Lessons learned captured",
        }
    }

    /// Done by writing a text, not by a tick.
    pub fn is_text(self) -> bool {
        matches!(self, Self::RootCause | Self::Lessons)
    }
}

/// What to add to a run that is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NoteRequest {
    /// 1 to 20. Those that say what stands already are left out.
    pub notes: Vec<Note>,
    /// The run's last event that the writer had seen: what stood there and is given back unchanged was not written by
    /// them, and does not supersede what others wrote meanwhile.
    #[serde(default)]
    pub seen: Option<u64>,
}

impl NoteRequest {
    /// The most notes of one request.
    pub const MOST: usize = 20;
}

/// A text with who wrote it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Written {
    /// The text.
    pub text: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A text as it stands, and as it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Wording {
    /// What holds.
    #[serde(flatten)]
    pub now: Written,
    /// What it superseded, newest first.
    pub earlier: Vec<Written>,
}

/// A person's word about an item of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tick {
    /// Done, or after all not.
    pub done: bool,
    /// Who says so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// All that people added to a run, folded: the same on the server and wherever events are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Why it came to the run.
    pub root_cause: Option<Wording>,
    /// What is to be done otherwise.
    pub lessons: Option<Wording>,
    /// Anything else, oldest first.
    pub remarks: Vec<Written>,
    /// The latest word about each item.
    pub ticks: BTreeMap<AfterItem, Tick>,
}

impl Notes {
    /// Takes in one note.
    pub fn apply(&mut self, note: &Note, by: &str, at: Timestamp) {
        let written = |text: &str| Written { text: text.to_owned(), by: by.to_owned(), at };
        match note {
            Note::RootCause { text } => supersede(&mut self.root_cause, written(text)),
            Note::Lessons { text } => supersede(&mut self.lessons, written(text)),
            Note::Remark { text } => self.remarks.push(written(text)),
            Note::Ticked { item, done } => {
                self.ticks.insert(*item, Tick { done: *done, by: by.to_owned(), at });
            }
        }
    }

    /// It says what stands here already. A text that is not there is the same as an empty one, and no tick as an open
    /// item; a remark says something new unless the very text is here.
    pub fn says(&self, note: &Note) -> bool {
        let same = |wording: &Option<Wording>, text: &str| match wording {
            Some(wording) => wording.now.text == text,
            None => text.is_empty(),
        };
        match note {
            Note::RootCause { text } => same(&self.root_cause, text),
            Note::Lessons { text } => same(&self.lessons, text),
            Note::Remark { text } => text.is_empty() || self.remarks.iter().any(|r| r.text == *text),
            Note::Ticked { item, done } => self.ticks.get(item).is_some_and(|tick| tick.done) == *done,
        }
    }
}

fn supersede(wording: &mut Option<Wording>, now: Written) {
    let earlier = match wording.take() {
        Some(mut old) => {
            old.earlier.insert(0, old.now);
            old.earlier
        }
        None => Vec::new(),
    };
    *wording = Some(Wording { now, earlier });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_note() -> impl Strategy<Value = Note> {
        prop_oneof![
            "[a-c]{3}".prop_map(|text| Note::RootCause { text }),
            "[a-c]{3}".prop_map(|text| Note::Lessons { text }),
            "[a-c]{3}".prop_map(|text| Note::Remark { text }),
            (proptest::sample::select(AfterItem::ALL.to_vec()), any::<bool>())
                .prop_map(|(item, done)| Note::Ticked { item, done }),
        ]
    }

    proptest! {
        /// Whatever is written: the last word holds, every earlier one is kept, in its order, with its writer.
        #[test]
        fn nothing_that_was_written_is_lost(all in proptest::collection::vec((any_note(), 0u8..3), 0..30)) {
            let mut notes = Notes::default();
            for ((note, who), at) in all.iter().zip(0..) {
                notes.apply(note, &who.to_string(), Timestamp::from_unix_ms(at));
                prop_assert!(notes.says(note));
            }
            let mut causes: Vec<(String, String)> = Vec::new();
            let mut remarks = Vec::new();
            for (note, who) in &all {
                match note {
                    Note::RootCause { text } => causes.insert(0, (text.clone(), who.to_string())),
                    Note::Remark { text } => remarks.push(text.clone()),
                    _ => {}
                }
            }
            let kept: Vec<(String, String)> = notes.root_cause.iter()
                .flat_map(|w| std::iter::once(&w.now).chain(&w.earlier))
                .map(|w| (w.text.clone(), w.by.clone())).collect();
            prop_assert_eq!(kept, causes);
            prop_assert_eq!(notes.remarks.iter().map(|r| r.text.clone()).collect::<Vec<_>>(), remarks);
            for item in AfterItem::ALL {
                let last = all.iter().rev().find_map(|(n, _)| match n {
                    Note::Ticked { item: i, done } if *i == item => Some(*done),
                    _ => None,
                });
                prop_assert_eq!(notes.ticks.get(&item).map(|t| t.done), last);
            }
        }

        /// A note reads back as it was written.
        #[test]
        fn a_note_survives_json(note in any_note()) {
            let json = serde_json::to_string(&note).unwrap();
            prop_assert_eq!(serde_json::from_str::<Note>(&json).unwrap(), note);
        }
    }

    #[test]
    fn every_word_reads_back_and_is_the_jsons() {
        for item in AfterItem::ALL {
            assert_eq!(AfterItem::parse(item.as_str()), Some(item));
            assert_eq!(serde_json::to_value(item).unwrap(), item.as_str());
        }
        let json = serde_json::json!({ "about": "ticked", "item": "staging_removed", "done": true });
        let note: Note = serde_json::from_value(json).unwrap();
        assert_eq!(note, Note::Ticked { item: AfterItem::StagingRemoved, done: true });
    }

    #[test]
    fn what_is_not_there_is_said_by_nothing() {
        let notes = Notes::default();
        assert!(notes.says(&Note::RootCause { text: String::new() }));
        assert!(!notes.says(&Note::RootCause { text: "a disk".into() }));
        assert!(notes.says(&Note::Ticked { item: AfterItem::StagingRemoved, done: false }));
        assert!(!notes.says(&Note::Ticked { item: AfterItem::StagingRemoved, done: true }));
    }
}

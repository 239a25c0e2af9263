//! `/setup`: leads through connecting a real deployment, testing each store as it goes. Its end is a file to copy: nothing
//! that is typed here is kept, and no setting is changed.

mod file;
mod stages;

use std::collections::BTreeMap;

use leptos::prelude::*;

pub use self::file::FOLDER;
use self::file::FileStage;
use self::stages::{FoldedStage, OpenStage, WaitingStage};
use crate::components::{Callout, PageHeader, Tone};

/// One part of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// `metadata.db`.
    Sqlite,
    /// The vectors.
    Qdrant,
    /// The graph.
    Neo4j,
    /// latest-copy and the kept versions.
    Backups,
    /// The finished settings.
    File,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Self; 5] = [Self::Sqlite, Self::Qdrant, Self::Neo4j, Self::Backups, Self::File];

    /// The word in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Qdrant => "qdrant",
            Self::Neo4j => "neo4j",
            Self::Backups => "backups",
            Self::File => "file",
        }
    }

    /// The stage of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// The name on the page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Qdrant => "Qdrant",
            Self::Neo4j => "Neo4j",
            Self::Backups => "Backups",
            Self::File => "The settings’ file",
        }
    }

    /// Counted from 1.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|stage| *stage == self).map_or(1, |at| at + 1)
    }

    /// The one after it; the last one stays.
    pub fn next(self) -> Self {
        Self::ALL.into_iter().find(|stage| *stage > self).unwrap_or(Self::File)
    }
}

/// What was typed, but for secrets: those are in no page and no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The deployment's name.
    pub deployment: String,
    /// The path of `metadata.db`.
    pub metadata: String,
    /// The zone of times without one.
    pub local_offset: String,
    /// Qdrant's gRPC address.
    pub qdrant_url: String,
    /// A key was given at the last test.
    pub qdrant_with_key: bool,
    /// Neo4j's address.
    pub neo4j_uri: String,
    /// Neo4j's user.
    pub neo4j_user: String,
    /// A password was given at the last test.
    pub neo4j_with_password: bool,
    /// Neo4j's database; empty for the user's own.
    pub neo4j_database: String,
    /// The backups' folder.
    pub backups: String,
}

/// How a test came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As it should be.
    Good,
    /// It works, but should be looked at.
    Warned,
    /// Somebody went on without a test that worked.
    NotProven,
    /// A rollback cannot work like this.
    Failed,
}

impl Outcome {
    /// The word in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warned => "warned",
            Self::NotProven => "not proven",
            Self::Failed => "failed",
        }
    }

    /// The outcome of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Good, Self::Warned, Self::NotProven, Self::Failed].into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// One line of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub remedy: Option<String>,
}

/// How far somebody has come. The server gives it as a context; without it the page is at its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// What was typed.
    pub typed: Typed,
    /// The stage to be filled in.
    pub open: Stage,
    /// How the last test of each stage came out.
    pub outcomes: BTreeMap<Stage, Outcome>,
    /// The stage that was tested just now, and what was found.
    pub findings: Option<(Stage, Vec<Finding>)>,
    /// What cannot be as it was typed, by the field's name.
    pub wrong: BTreeMap<&'static str, String>,
    /// The finished file, at the end.
    pub file: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            typed: Typed { local_offset: "local".into(), neo4j_user: "neo4j".into(), ..Typed::default() },
            open: Stage::Sqlite,
            outcomes: BTreeMap::new(),
            findings: None,
            wrong: BTreeMap::new(),
            file: None,
        }
    }
}

impl Setup {
    /// What was found of this stage just now.
    fn findings_of(&self, stage: Stage) -> Option<&[Finding]> {
        self.findings.as_ref().filter(|(of, _)| *of == stage).map(|(_, findings)| findings.as_slice())
    }
}

/// `/setup`.
#[component]
pub fn SetupPage() -> impl IntoView {
    let setup = use_context::<Setup>().unwrap_or_default();
    let stages = Stage::ALL
        .into_iter()
        .map(|stage| {
            let setup = setup.clone();
            if stage == setup.open {
                match stage {
                    Stage::File => view! { <FileStage setup=setup /> }.into_any(),
                    _ => view! { <OpenStage stage=stage setup=setup /> }.into_any(),
                }
            } else if setup.outcomes.contains_key(&stage) {
                view! { <FoldedStage stage=stage setup=setup /> }.into_any()
            } else {
                view! { <WaitingStage stage=stage /> }.into_any()
            }
        })
        .collect_view();
    let lead = "Four places to point Stepback at, each tested as you go. At the end: a file to copy.";
    view! {
        <PageHeader tab="Connect a deployment" lead=lead.into_any()>
            "Connect a deployment"
        </PageHeader>
        <div class="setup">
            <Callout tone=Tone::Idle title="This page looks, and changes nothing.">
                <p>
                    "The tests write to no store. A password or a key is used for its one test, then forgotten. Settings come into \
                     force by a file on the server, which you put there yourself."
                </p>
            </Callout>
            <ol class="stages">{stages}</ol>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_follow_each_other_and_end_with_the_file() {
        assert_eq!(Stage::ALL.map(Stage::number), [1, 2, 3, 4, 5]);
        assert_eq!(Stage::Sqlite.next(), Stage::Qdrant);
        assert_eq!(Stage::Backups.next(), Stage::File);
        assert_eq!(Stage::File.next(), Stage::File);
        for stage in Stage::ALL {
            assert_eq!(Stage::parse(stage.as_str()), Some(stage));
        }
    }
}

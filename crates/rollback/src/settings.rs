//! What configuration decides about the procedure.

use std::path::PathBuf;
use std::time::Duration;

use rollback_types::Layout;

use crate::names::Names;
use crate::validation::SearchCommand;

/// Settings of one deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The deployment's name, shown on every page.
    pub deployment: String,
    /// Names of collection, alias and label.
    pub names: Names,
    /// States beyond the known ones that an administrator declared to be candidates.
    pub extra_states: Vec<String>,
    /// The layout an administrator insists on; with another one every plan is refused. The mixed one counts as shared.
    pub expected_layout: Option<Layout>,
    /// Keep a copy of the staged rows before they go.
    pub keep_evidence: bool,
    /// Each run has a folder of its own in here.
    pub evidence_dir: PathBuf,
    /// Nodes deleted in one transaction.
    pub batch_size: u32,
    /// Chapters that production should have, where the registry does not say.
    pub expected_chapters: Option<u64>,
    /// The operator's own search test.
    pub search_command: Option<SearchCommand>,
    /// How long a run's way back is kept after the run ended.
    pub way_back_retention: Duration,
    /// How many other people must approve a plan before it starts; 0 asks for nobody.
    pub approvals_required: u32,
    /// Space that must be free, at least.
    pub min_free_bytes: u64,
    /// How long the overview shows what it counted last, before it asks the stores again: counting every id and node for
    /// every tab every few seconds would be a load of its own.
    pub overview_age: Duration,
    /// The pause between the two looks that tell whether staging still moves.
    pub settle: Duration,
    /// Pauses before a passing fault is tried again; their number is the number of tries.
    pub retry_pauses: Vec<Duration>,
    /// How long step 4 waits for the collection to come to rest.
    pub rest_limit: Duration,
    /// The pause between two looks while waiting for it.
    pub rest_poll: Duration,
    /// The least time between two reports of a step's progress.
    pub progress_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deployment: "hybridflow".into(),
            names: Names::default(),
            extra_states: Vec::new(),
            expected_layout: None,
            keep_evidence: true,
            evidence_dir: PathBuf::from("stepback-data/runs"),
            batch_size: 5_000,
            expected_chapters: None,
            search_command: None,
            way_back_retention: Duration::from_secs(14 * 24 * 3_600),
            approvals_required: 0,
            min_free_bytes: 500_000_000,
            overview_age: Duration::from_secs(4),
            settle: Duration::from_secs(1),
            retry_pauses: [250, 1_000, 4_000].map(Duration::from_millis).to_vec(),
            rest_limit: Duration::from_secs(120),
            rest_poll: Duration::from_millis(500),
            progress_interval: Duration::from_millis(150),
        }
    }
}

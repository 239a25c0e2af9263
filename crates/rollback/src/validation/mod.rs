//! The validation checklist: seven checks, a search smoke test, and the operator's own command. Changes nothing.
//!
//! Checks that do not need each other run at the same time; every store is streamed. A store that fails, or takes too
//! long, leaves its checks *not checked*, never passed. In the per-version layout a version is compared with
//! a version, never a whole with a whole: chunk ids carry theirs (`…::{version}`), and so do the points' payloads.

mod command;
mod counted;
mod graph;
mod offenders;
mod search;
mod sets;
mod survey;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rollback_types::{
    CheckOutcome, CheckResult, CheckSeverity, Layout, Offenders, RollbackTarget, SearchResult, Timestamp,
    ValidationReport, ValidationScope, VersionId,
};

pub use command::SearchCommand;
pub use offenders::{FolderSink, NoSink, OffenderList, OffenderSink};

use crate::names::Names;
use crate::store::{GraphScope, OnProgress, StagingSelector, StoreError};
use crate::stores::Stores;

/// HybridFlow's documents give the whole checklist this long.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(15 * 60);

/// What is validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What serves searches: all but the nodes that these select.
    Production {
        /// Nodes that are not production.
        staging: Vec<StagingSelector>,
    },
    /// What is staged for a version.
    Staging(RollbackTarget),
}

impl Subject {
    fn version(&self) -> Option<&str> {
        match self {
            Self::Production { .. } => None,
            Self::Staging(target) => Some(target.as_str()),
        }
    }

    fn scope(&self) -> ValidationScope {
        match self {
            Self::Production { .. } => ValidationScope::Production,
            Self::Staging(target) => ValidationScope::Staging { version_id: target.id().clone() },
        }
    }
}

/// How many chapters there should be, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedChapters {
    /// The version's row in the registry.
    Registry {
        /// So many.
        count: u64,
        /// Which version's.
        version: VersionId,
    },
    /// A restore from an older backup, which put them in on purpose.
    Restored {
        /// So many.
        count: u64,
        /// Which restore it was; a clause.
        why: String,
    },
    /// The configuration.
    Configured(u64),
    /// The copy that production is compared with.
    Copy(u64),
    /// Nobody: check 1 is not checked.
    Unknown,
}

impl ExpectedChapters {
    /// The registry's count. One of nought or less is none: the pipeline's code writes nought until a version is committed.
    pub fn of_row(version: VersionId, chapter_count: Option<i64>) -> Self {
        match chapter_count.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0) {
            Some(count) => Self::Registry { count, version },
            None => Self::Unknown,
        }
    }

    /// Where nothing else says it, the configuration does.
    #[must_use]
    pub fn or_configured(self, configured: Option<u64>) -> Self {
        match (self, configured) {
            (Self::Unknown, Some(n)) => Self::Configured(n),
            (known, _) => known,
        }
    }
}

/// A validation to be carried out.
#[derive(Clone)]
pub struct Validation {
    /// Where to look.
    pub stores: Stores,
    /// Names of collection, alias and label.
    pub names: Names,
    /// How the deployment is laid out.
    pub layout: Layout,
    /// What to look at.
    pub subject: Subject,
    /// For check 1.
    pub expected: ExpectedChapters,
    /// The median of the last search test of the same collection, in microseconds.
    pub last_search_us: Option<u64>,
    /// The operator's own test.
    pub command: Option<SearchCommand>,
    /// Takes the full lists of offenders.
    pub sink: Arc<dyn OffenderSink>,
    /// Told the parts done and the parts in all: each check, the search test, the command.
    pub on_progress: OnProgress,
    /// Checks that take longer are given up and not checked; the search test has this time again.
    pub limit: Duration,
}

/// What all checks look at.
struct Look<'a> {
    stores: &'a Stores,
    layout: Layout,
    subject: &'a Subject,
    scope: GraphScope,
    expected: &'a ExpectedChapters,
    collection: Result<Collection, StoreError>,
    sink: &'a dyn OffenderSink,
    /// A part is done.
    done: &'a (dyn Fn() + Send + Sync),
}

/// The collection that is looked at.
#[derive(Clone, Debug)]
struct Collection {
    name: String,
    is_there: bool,
    points: u64,
}

impl Look<'_> {
    /// The collection, for the sentences.
    fn place(&self) -> String {
        match &self.collection {
            Ok(c) if c.is_there => c.name.clone(),
            Ok(c) => format!("Qdrant (there is no collection {})", c.name),
            Err(_) => "Qdrant".to_owned(),
        }
    }
}

impl Validation {
    /// Looks at everything, then searches, then runs the command: searching is timed, and should have the stores to itself.
    pub async fn run(&self) -> ValidationReport {
        let (started_at, started) = (Timestamp::now(), Instant::now());
        let parts = 8 + u64::from(self.command.is_some());
        let done = AtomicU64::new(0);
        let done = || (self.on_progress)(done.fetch_add(1, Ordering::Relaxed) + 1, parts);
        let scope = match &self.subject {
            Subject::Production { staging } => GraphScope::Production(staging.clone()),
            Subject::Staging(target) => GraphScope::Staging(self.names.staging_selector(self.layout, target)),
        };
        let look = Look {
            stores: &self.stores,
            layout: self.layout,
            subject: &self.subject,
            scope,
            expected: &self.expected,
            collection: self.collection().await,
            sink: self.sink.as_ref(),
            done: &done,
        };
        let (counted, fifth, sixth, seventh) = tokio::join!(
            self.within_limit(counted::checks(&look), &[1, 2, 3, 4]),
            self.within_limit(async { vec![graph::parents(&look).await] }, &[5]),
            self.within_limit(async { vec![graph::chains(&look).await] }, &[6]),
            self.within_limit(async { vec![graph::cross_references(&look).await] }, &[7]),
        );
        let checks = [counted, fifth, sixth, seventh].concat();
        let search = self.search(&look.collection).await;
        done();
        let command = match &self.command {
            Some(command) => {
                let result = command::run(command).await;
                done();
                Some(result)
            }
            None => None,
        };
        let scope = self.subject.scope();
        ValidationReport::new(scope, checks, Some(search), command, started_at, millis(started))
    }

    /// The collection to look at. Its name is looked up each time: an alias can move.
    async fn collection(&self) -> Result<Collection, StoreError> {
        let vectors = &self.stores.vectors;
        let name = match &self.subject {
            Subject::Production { .. } => self.names.production_collection(&vectors.aliases().await?),
            Subject::Staging(target) => self.names.staging_collection(self.layout, target),
        };
        let points = vectors.count(&name).await?;
        Ok(Collection { name, is_there: points.is_some(), points: points.unwrap_or(0) })
    }

    async fn search(&self, collection: &Result<Collection, StoreError>) -> SearchResult {
        let vectors = self.stores.vectors.as_ref();
        let search = search::smoke_test(vectors, collection, &self.subject, self.last_search_us);
        match tokio::time::timeout(self.limit, search).await {
            Ok(result) => result,
            Err(_) => SearchResult {
                state: CheckOutcome::Failed,
                severity: CheckSeverity::Critical,
                detail: format!("20 searches had not ended after {:?}", self.limit),
                sampled: 0,
                not_found: Vec::new(),
                too_few: 0,
                median_us: None,
                last_known_us: self.last_search_us,
                slower: false,
            },
        }
    }

    /// The checks, or that there was no time for them.
    async fn within_limit(&self, checks: impl Future<Output = Vec<CheckResult>>, numbers: &[u8]) -> Vec<CheckResult> {
        let started = Instant::now();
        let given_up = |number: &u8| {
            let detail =
                format!("given up after {:?}; look at the load of the stores, then validate again", self.limit);
            judged(*number, None, detail, Vec::new(), started)
        };
        match tokio::time::timeout(self.limit, checks).await {
            Ok(checks) => checks,
            Err(_) => numbers.iter().map(given_up).collect(),
        }
    }
}

/// A check's result; `None`: not checked.
fn judged(
    number: u8,
    passed: Option<bool>,
    detail: String,
    offenders: Vec<Offenders>,
    started: Instant,
) -> CheckResult {
    CheckResult {
        number,
        title: CheckResult::title_of(number).to_owned(),
        severity: CheckResult::severity_of(number),
        state: match passed {
            Some(true) => CheckOutcome::Passed,
            Some(false) => CheckOutcome::Failed,
            None => CheckOutcome::NotChecked,
        },
        detail,
        expected: None,
        found: None,
        offending: offenders.iter().map(|o| o.count).sum(),
        offenders,
        took_ms: millis(started),
    }
}

fn not_checked(number: u8, error: &StoreError, started: Instant) -> CheckResult {
    judged(number, None, format!("{error}. {}", error.remedy()), Vec::new(), started)
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakeDeployment;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_leaves_its_checks_not_checked() {
        let folder = tempfile::tempdir().unwrap();
        let validation = Validation {
            stores: FakeDeployment::new(folder.path()).unwrap().stores(),
            names: Names::default(),
            layout: Layout::Shared,
            subject: Subject::Production { staging: Vec::new() },
            expected: ExpectedChapters::Unknown,
            last_search_us: None,
            command: None,
            sink: Arc::new(NoSink),
            on_progress: Arc::new(|_, _| {}),
            limit: DEFAULT_LIMIT,
        };
        let checks = validation.within_limit(std::future::pending(), &[1, 2, 3, 4]).await;
        assert_eq!(checks.iter().map(|c| c.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(checks.iter().all(|c| c.state == CheckOutcome::NotChecked && c.detail.contains("900s")));
    }

    #[test]
    fn the_registry_comes_before_the_configuration() {
        for (registry, configured, expected) in [
            (Some(12), Some(220), ExpectedChapters::Registry { count: 12, version: VersionId::new("v2") }),
            (Some(0), Some(220), ExpectedChapters::Configured(220)),
            (Some(-3), None, ExpectedChapters::Unknown),
            (None, Some(220), ExpectedChapters::Configured(220)),
            (None, None, ExpectedChapters::Unknown),
        ] {
            let of_row = ExpectedChapters::of_row(VersionId::new("v2"), registry);
            assert_eq!(of_row.or_configured(configured), expected);
        }
    }
}

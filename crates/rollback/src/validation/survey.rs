//! One look at all points and all paragraphs: what checks 2 to 4 count.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream::BoxStream;
use rollback_types::{Layout, OffenderKind, VersionId};

use super::offenders::{Collector, OffenderSink};
use super::sets::{IdSource, MAX_HASHES, Tally};
use crate::store::{GraphScope, GraphStore, PointRef, StoreError, VectorStore};

/// What the store tells in place of a chunk id that is not there.
const NO_CHUNK_ID: &str = "(no chunk_id)";

/// What has no version of its own, in the per-version layout.
const PRODUCTION: &str = "production";

/// More versions than these are counted together: ids can hold anything.
const MAX_VERSIONS: usize = 100;

/// Ids by the version they belong to; only in the per-version layout.
pub(super) type Versions = BTreeMap<String, u64>;

/// The points of a collection.
pub(super) struct Points<'a> {
    pub vectors: &'a dyn VectorStore,
    /// `None`: there is no such collection, and so no points.
    pub collection: Option<&'a str>,
    pub layout: Layout,
    /// The version whose points count; the others were copied along.
    pub only: Option<&'a str>,
}

/// The paragraphs in scope.
pub(super) struct Paragraphs<'a> {
    pub graph: &'a dyn GraphStore,
    pub scope: &'a GraphScope,
}

/// What the points are.
pub(super) struct PointSurvey<'a> {
    pub tally: Tally,
    /// Points that count, those without a chunk id among them.
    pub counted: u64,
    /// Points of other versions in a staging collection.
    pub copied: u64,
    pub versions: Versions,
    /// The chapters that have a point, of any version.
    pub chapters: BTreeSet<String>,
    pub nameless: Collector<'a>,
}

/// What the paragraphs are.
pub(super) struct ParagraphSurvey<'a> {
    pub tally: Tally,
    pub counted: u64,
    pub versions: Versions,
    pub nameless: Collector<'a>,
}

impl Points<'_> {
    /// Looks at all of them once; `keys` are the chapters to look for.
    pub(super) async fn survey<'s>(
        &self,
        keys: &BTreeSet<String>,
        sink: &'s dyn OffenderSink,
    ) -> Result<PointSurvey<'s>, StoreError> {
        let mut survey = PointSurvey {
            tally: Tally::new(MAX_HASHES),
            counted: 0,
            copied: 0,
            versions: Versions::new(),
            chapters: BTreeSet::new(),
            nameless: Collector::new(sink, OffenderKind::PointsWithoutChunkId),
        };
        let mut points = self.all();
        while let Some(point) = points.next().await {
            let point = point?;
            let chunk_id = self.chunk_id(&point);
            let seen = chunk_id.as_deref().and_then(|id| chapter_of(id, keys));
            if let Some(chapter) = seen.filter(|c| !survey.chapters.contains(*c)) {
                survey.chapters.insert(chapter.to_owned());
            }
            if !self.counts(&point, chunk_id.as_deref()) {
                survey.copied += 1;
                continue;
            }
            survey.counted += 1;
            self.count_version(&mut survey.versions, chunk_id.as_deref());
            match chunk_id {
                Some(id) => survey.tally.add(&id),
                None => survey.nameless.add(&format!("point {}", point.id)),
            }
        }
        Ok(survey)
    }

    fn all(&self) -> BoxStream<'_, Result<PointRef, StoreError>> {
        match self.collection {
            Some(collection) => self.vectors.points(collection),
            None => Box::pin(futures::stream::empty()),
        }
    }

    /// The chunk id as Neo4j has it: in the per-version layout it ends in the version, whether the payload writes it so
    /// or apart.
    fn chunk_id(&self, point: &PointRef) -> Option<String> {
        let id = point.chunk_id.clone()?;
        let version = point.version_id.as_deref().filter(|v| *v != PRODUCTION && !v.is_empty());
        match (self.layout, version) {
            (Layout::PerVersion, Some(version)) if !VersionId::new(version).is_baseline() => {
                let suffix = format!("::{version}");
                Some(if id.ends_with(&suffix) { id } else { id + &suffix })
            }
            _ => Some(id),
        }
    }

    fn counts(&self, point: &PointRef, chunk_id: Option<&str>) -> bool {
        let Some(only) = self.only else { return true };
        point.version_id.as_deref() == Some(only) || chunk_id.is_some_and(|id| version_of(id) == only)
    }

    fn count_version(&self, versions: &mut Versions, chunk_id: Option<&str>) {
        if self.layout == Layout::PerVersion {
            count(versions, chunk_id.map_or(PRODUCTION, version_of));
        }
    }
}

impl IdSource for Points<'_> {
    fn ids(&self) -> BoxStream<'_, Result<String, StoreError>> {
        Box::pin(self.all().filter_map(move |point| async move {
            let point = match point {
                Ok(point) => point,
                Err(e) => return Some(Err(e)),
            };
            let id = self.chunk_id(&point)?;
            self.counts(&point, Some(&id)).then_some(Ok(id))
        }))
    }
}

impl Paragraphs<'_> {
    /// Looks at all of them once.
    pub(super) async fn survey<'s>(
        &self,
        layout: Layout,
        sink: &'s dyn OffenderSink,
    ) -> Result<ParagraphSurvey<'s>, StoreError> {
        let mut survey = ParagraphSurvey {
            tally: Tally::new(MAX_HASHES),
            counted: 0,
            versions: Versions::new(),
            nameless: Collector::new(sink, OffenderKind::ParagraphsWithoutChunkId),
        };
        let mut paragraphs = self.graph.paragraphs(self.scope);
        while let Some(id) = paragraphs.next().await {
            let id = id?;
            survey.counted += 1;
            if layout == Layout::PerVersion {
                count(&mut survey.versions, version_of(&id));
            }
            if id == NO_CHUNK_ID { survey.nameless.add(&id) } else { survey.tally.add(&id) }
        }
        Ok(survey)
    }
}

impl IdSource for Paragraphs<'_> {
    fn ids(&self) -> BoxStream<'_, Result<String, StoreError>> {
        let nameless = |id: &Result<String, StoreError>| id.as_ref().is_ok_and(|id| id == NO_CHUNK_ID);
        Box::pin(self.graph.paragraphs(self.scope).filter(move |id| std::future::ready(!nameless(id))))
    }
}

/// The version that a chunk id ends in.
fn version_of(chunk_id: &str) -> &str {
    chunk_id.rsplit_once("::").map_or(PRODUCTION, |(_, version)| version)
}

fn count(versions: &mut Versions, version: &str) {
    let known = versions.len() < MAX_VERSIONS || versions.contains_key(version);
    *versions.entry(if known { version } else { "other versions" }.to_owned()).or_default() += 1;
}

/// The chapter whose `{textbook}:ch{n}:` the chunk id begins with.
fn chapter_of<'a>(chunk_id: &str, keys: &'a BTreeSet<String>) -> Option<&'a str> {
    // The textbook's id may itself hold a colon.
    chunk_id.match_indices(':').find_map(|(at, _)| keys.get(&chunk_id[..at])).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeDeployment, Moment};
    use crate::store::{Fault, StagingSelector};

    /// A second look, for the names of what differs, that swallowed an error would tell too few.
    #[tokio::test]
    async fn a_later_look_that_breaks_is_an_error_too() {
        let folder = tempfile::tempdir().unwrap();
        let deployment = FakeDeployment::new(folder.path()).unwrap();
        let stores = deployment.stores();
        let scope = GraphScope::Production(vec![StagingSelector::Label("staging".into())]);
        let points = Points {
            vectors: stores.vectors.as_ref(),
            collection: Some("textbook_chunks"),
            layout: Layout::Shared,
            only: None,
        };
        let paragraphs = Paragraphs { graph: stores.graph.as_ref(), scope: &scope };
        for source in [&points as &dyn IdSource, &paragraphs] {
            assert_eq!(source.ids().filter(|id| std::future::ready(id.is_ok())).count().await, 30);
            for operation in ["points", "paragraphs"] {
                deployment.faults.arm(operation, None, u32::MAX, Fault::TimedOut, Moment::After);
            }
            let told: Vec<bool> = source.ids().map(|id| id.is_ok()).collect().await;
            assert_eq!((told.len(), told.last()), (16, Some(&false)), "half of it, then the error");
            deployment.faults.clear();
        }
    }

    #[test]
    fn a_chapter_is_known_by_its_whole_prefix() {
        let keys: BTreeSet<String> = ["bailey:ch1", "bailey:ch60", "a:b:ch1"].map(str::to_owned).into();
        assert_eq!(chapter_of("bailey:ch60:2.1.1", &keys), Some("bailey:ch60"));
        assert_eq!(chapter_of("a:b:ch1:1::staging2", &keys), Some("a:b:ch1"));
        for other in ["bailey:ch6:1", "bailey:ch600:1", "bailey:ch60", "xbailey:ch1:1", "", ":", "bailey"] {
            assert_eq!(chapter_of(other, &keys), None, "{other}");
        }
    }

    #[test]
    fn versions_stay_few() {
        let mut versions = Versions::new();
        for i in 0..10_000 {
            count(&mut versions, &format!("v{i}"));
        }
        assert_eq!(versions.len(), MAX_VERSIONS + 1);
        assert_eq!(versions.values().sum::<u64>(), 10_000);
    }
}

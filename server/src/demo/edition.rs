//! Which parts make up production, the older copies, and the failed version.

use std::collections::BTreeSet;

use super::graph::connected_nodes;
use super::outline::Outline;
use super::part::Part;
use super::seeded::{is_chosen, share_start};
use super::shape::Shape;
use crate::cli::DemoLayout;

/// Everything a demo is derived from.
#[derive(Debug)]
pub(super) struct Book<'a> {
    pub outline: &'a Outline,
    pub shape: &'a Shape,
    pub seed: u64,
    pub layout: DemoLayout,
    /// The version that failed.
    pub failed: &'a str,
    /// The version committed last: it brought the new chapters.
    pub committed: &'a str,
    /// Chapters that the failed version changes, in the contaminated demo, in production.
    pub contaminated: bool,
}

/// The words and hashes of production.
const PRODUCTION: u64 = 0;
/// Those of the failed version.
const STAGED: u64 = 1;
/// Chapters, paragraphs and nodes that a contaminated demo has lost or gained.
const CONTAMINATED_CHAPTERS: usize = 3;
const LOST_POINTS: usize = 2;
const LOST_NODES: usize = 3;
const STRAYS: usize = 4;

impl<'a> Book<'a> {
    /// Is the chapter one of the newest, which the version committed last brought?
    pub fn is_new(&self, chapter: usize) -> bool {
        chapter + self.shape.new_chapters >= self.outline.chapters.len()
    }

    /// Does the failed version hold this chapter?
    pub fn is_staged(&self, chapter: usize) -> bool {
        is_chosen(chapter, self.outline.chapters.len(), self.shape.staged_chapters)
    }

    /// Production as the backups know it, oldest part first. `with_new`: with the chapters of the last commit.
    pub fn production(&self, with_new: bool) -> Vec<Part<'a>> {
        match self.layout {
            DemoLayout::Shared => {
                let mut part = self.part(|chapter| with_new || !self.is_new(chapter));
                part.textbooks = true;
                part.leftovers = self.shape.leftovers;
                vec![part]
            }
            DemoLayout::PerVersion => {
                let mut base = self.part(|chapter| !self.is_new(chapter));
                base.textbooks = true;
                base.leftovers = self.shape.leftovers;
                base.labels = vec!["Baseline", "v1_baseline"];
                base.payload_version = Some("production".to_owned());
                let mut parts = vec![base];
                if with_new {
                    let mut new = self.part(|chapter| self.is_new(chapter));
                    new.suffix = Some(self.committed.to_owned());
                    new.payload_version = new.suffix.clone();
                    parts.push(new);
                }
                parts
            }
        }
    }

    /// Production as the stores have it: contaminated, if asked for.
    pub fn live(&self) -> Vec<Part<'a>> {
        let mut parts = self.production(true);
        if self.layout == DemoLayout::PerVersion {
            // The safety backup before the failed version marked the live nodes; after a failure the mark stays.
            parts.iter_mut().for_each(|part| part.labels.push("latest_copy"));
        }
        if self.contaminated
            && self.layout == DemoLayout::Shared
            && let Some(part) = parts.first_mut()
        {
            let last = self.outline.paragraphs.len();
            part.lost_points = (0..LOST_POINTS).map(|i| share_start(i * 2 + 1, LOST_POINTS * 2, last)).collect();
            part.lost_nodes = (0..LOST_NODES).map(|i| share_start(i * 2 + 1, LOST_NODES * 2, last)).collect();
            part.strays = STRAYS;
        }
        parts
    }

    /// Chapters whose rows a failed ingestion rewrote in production.
    pub fn rewritten(&self) -> Vec<usize> {
        if !self.contaminated {
            return Vec::new();
        }
        (0..self.outline.chapters.len()).filter(|c| self.is_staged(*c)).take(CONTAMINATED_CHAPTERS).collect()
    }

    /// What the failed version wrote.
    pub fn staging(&self) -> Part<'a> {
        let mut part = self.part(|chapter| self.is_staged(chapter));
        part.revision = STAGED;
        match self.layout {
            DemoLayout::Shared => part.labels = vec!["staging"],
            DemoLayout::PerVersion => {
                part.suffix = Some(self.failed.to_owned());
                part.payload_version = part.suffix.clone();
            }
        }
        let staged: Vec<usize> = part.paragraphs().collect();
        let lost = self.shape.lost_paragraphs;
        part.lost_nodes = (0..lost).filter_map(|i| staged.get(share_start(i, lost, staged.len())).copied()).collect();
        part.leftovers = self.shape.staged_nodes.saturating_sub(connected_nodes(&part));
        part
    }

    fn part(&self, has: impl Fn(usize) -> bool) -> Part<'a> {
        Part {
            outline: self.outline,
            seed: self.seed,
            chapters: (0..self.outline.chapters.len()).map(has).collect(),
            suffix: None,
            payload_version: None,
            labels: Vec::new(),
            revision: PRODUCTION,
            textbooks: false,
            lost_nodes: BTreeSet::new(),
            lost_points: BTreeSet::new(),
            strays: 0,
            leftovers: 0,
        }
    }

    /// Chapters and paragraphs of production, with or without those of the last commit.
    pub fn counts(&self, with_new: bool) -> (usize, usize) {
        let has = |chapter: usize| with_new || !self.is_new(chapter);
        let chapters = (0..self.outline.chapters.len()).filter(|c| has(*c)).count();
        (chapters, self.outline.paragraphs.iter().filter(|p| has(p.chapter)).count())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::graph::Graph;
    use super::*;
    use crate::cli::DemoSize;

    fn counted(size: DemoSize, layout: DemoLayout) -> ((usize, usize), (usize, usize, usize)) {
        let shape = Shape::of(size);
        let outline = Outline::new(&shape);
        let book = Book {
            outline: &outline,
            shape: &shape,
            seed: 1,
            layout,
            failed: "failed",
            committed: "committed",
            contaminated: false,
        };
        let mut parts = book.production(true);
        let graph = Graph::new(&parts);
        let production = (graph.nodes().count(), graph.relationships().count());
        parts.push(book.staging());
        let graph = Graph::new(&parts);
        let staged: BTreeMap<i64, bool> = graph
            .nodes()
            .map(|n| {
                let texts = n.properties.values().filter_map(|v| v.as_str());
                let suffixed = texts.into_iter().any(|v| v.ends_with("::failed"));
                (n.id, n.labels.iter().any(|l| l == "staging") || suffixed)
            })
            .collect();
        let nodes = staged.values().filter(|staged| **staged).count();
        assert_eq!(staged.len(), production.0 + nodes, "every node has an id of its own");
        let (mut touching, mut crossing) = (0, 0);
        for r in graph.relationships() {
            let ends = (staged[&r.start], staged[&r.end]);
            touching += usize::from(ends.0 || ends.1);
            crossing += usize::from(ends.0 != ends.1);
        }
        assert_eq!(graph.relationships().count(), production.1 + touching);
        (production, (nodes, touching, crossing))
    }

    #[test]
    fn the_graph_has_the_size_it_should_in_both_layouts() {
        for layout in [DemoLayout::Shared, DemoLayout::PerVersion] {
            let (production, (nodes, touching, crossing)) = counted(DemoSize::Small, layout);
            assert_eq!(production, (1_500, 1_872));
            assert_eq!(nodes, 1_100);
            assert!(touching > 1_000, "{touching}");
            // Each staged chapter hangs under a production textbook.
            assert_eq!(crossing, 18);
        }
    }

    #[test]
    fn the_full_graph_has_the_real_size() {
        let (production, (nodes, _, crossing)) = counted(DemoSize::Full, DemoLayout::Shared);
        assert_eq!(production, (107_454, 106_859));
        assert_eq!((nodes, crossing), (40_000, 160));
    }
}

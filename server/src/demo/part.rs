//! What one version wrote: some chapters, with its labels, its ids and its faults.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::outline::{BOOKS, Outline};
use super::prose;
use super::seeded::Seeded;

/// What one version wrote into the three stores.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub outline: &'a Outline,
    pub seed: u64,
    /// By chapter: is it in?
    pub chapters: Vec<bool>,
    /// Ids end in `::{version}` (per-version layout).
    pub suffix: Option<String>,
    /// `version_id` in the points' payload (per-version layout).
    pub payload_version: Option<String>,
    /// Beside the node's own label.
    pub labels: Vec<&'static str>,
    /// Another revision has other words, vectors and hashes.
    pub revision: u64,
    /// It brings the textbooks' nodes; other parts hang their chapters under these.
    pub textbooks: bool,
    /// Paragraphs that are not in the graph.
    pub lost_nodes: BTreeSet<usize>,
    /// Paragraphs that are not among the points.
    pub lost_points: BTreeSet<usize>,
    /// Paragraphs that belong to no chapter, in graph and points.
    pub strays: usize,
    /// Figures and tables without relationships.
    pub leftovers: usize,
}

/// A point, before it is known where it goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DemoPoint {
    pub chunk_id: String,
    pub version_id: Option<String>,
    pub payload: Map<String, Value>,
    pub vector: Vec<f32>,
}

impl Part<'_> {
    /// The id as this version writes it.
    pub fn id(&self, base: &str) -> String {
        match &self.suffix {
            Some(version) => format!("{base}::{version}"),
            None => base.to_owned(),
        }
    }

    pub fn has(&self, chapter: usize) -> bool {
        self.chapters.get(chapter).copied().unwrap_or(false)
    }

    /// Paragraphs of its chapters, those lost among them.
    pub fn paragraphs(&self) -> impl Iterator<Item = usize> + Send + '_ {
        (0..self.outline.paragraphs.len()).filter(|p| self.has(self.outline.paragraphs[*p].chapter))
    }

    /// Those that are in the graph.
    pub fn has_node(&self, paragraph: usize) -> bool {
        self.has(self.outline.paragraphs[paragraph].chapter) && !self.lost_nodes.contains(&paragraph)
    }

    /// SHA-256 of what the chapter holds, as far as a demo has it: id and revision.
    pub fn content_hash(&self, chapter: usize) -> String {
        let content = format!("{}:{}:{}", self.seed, self.outline.chapter_id(chapter), self.revision);
        backup_formats::checksums::Sha256Digest::of(content.as_bytes()).to_string()
    }

    pub fn text(&self, paragraph: usize) -> String {
        prose::paragraph(self.seed, paragraph, self.revision)
    }

    /// The chunk id of a paragraph without a chapter: a section that no book has.
    pub fn stray_id(&self, number: usize) -> String {
        self.id(&format!("{}:99.9.{}", self.outline.chapter_id(0), number + 1))
    }

    /// Every point, one at a time.
    pub fn points(&self, dimensions: u32) -> impl Iterator<Item = DemoPoint> + Send + '_ {
        let own = self.paragraphs().filter(|p| !self.lost_points.contains(p)).map(move |p| {
            let chapter = self.outline.paragraphs[p].chapter;
            self.point(self.id(&self.outline.chunk_id(p)), chapter, p, dimensions)
        });
        // A stray has the text and the place of the book's first paragraphs.
        let strays = (0..self.strays).map(move |n| self.point(self.stray_id(n), 0, n, dimensions));
        own.chain(strays)
    }

    fn point(&self, chunk_id: String, chapter: usize, paragraph: usize, dimensions: u32) -> DemoPoint {
        let place = self.outline.chapters[chapter];
        let mut payload = Map::new();
        payload.insert("text".into(), self.text(paragraph).into());
        payload.insert("textbook_id".into(), BOOKS[place.book].0.into());
        payload.insert("chapter_number".into(), place.number.into());
        payload.insert("chapter_title".into(), prose::chapter_title(self.outline, chapter).into());
        payload.insert("page".into(), json!(self.outline.page(paragraph)));
        DemoPoint {
            chunk_id,
            version_id: self.payload_version.clone(),
            payload,
            vector: self.vector(chapter, paragraph, dimensions),
        }
    }

    /// Of length one, near the others of its chapter. Only sums, products and square roots: the same on every machine.
    fn vector(&self, chapter: usize, paragraph: usize, dimensions: u32) -> Vec<f32> {
        let mut centre = Seeded::new(self.seed, "centre", chapter as u64);
        let mut own = Seeded::new(self.seed ^ self.revision.rotate_left(32), "vector", paragraph as u64);
        let mut vector: Vec<f32> = (0..dimensions).map(|_| centre.signed() + 0.6 * own.signed()).collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|x| *x /= length);
        vector
    }
}

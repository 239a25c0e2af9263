//! The graph: every part's nodes and relationships, numbered once and then told one at a time.

use rollback_stores::graph_data::{GraphNode, GraphRelationship, Properties};
use serde_json::{Value, json};

use super::outline::{BOOKS, Place};
use super::part::Part;
use super::prose;
use super::seeded::Seeded;

/// What the backup's export holds beside data.
pub(super) const SCHEMA: [&str; 3] = [
    "CREATE RANGE INDEX paragraph_chunk_id FOR (n:Paragraph) ON (n.chunk_id)",
    "CREATE RANGE INDEX chapter_id FOR (n:Chapter) ON (n.id)",
    "CREATE CONSTRAINT textbook_id FOR (node:Textbook) REQUIRE (node.id) IS UNIQUE",
];

/// Parts with numbers for their nodes. The first part brings the textbooks.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    parts: Vec<Numbered<'a>>,
}

/// By index of the outline; absent where the part has no such node.
type Ids = Vec<Option<i64>>;

#[derive(Debug)]
struct Numbered<'a> {
    part: &'a Part<'a>,
    books: Ids,
    chapters: Ids,
    sections: Ids,
    subsections: Ids,
    subsubsections: Ids,
    paragraphs: Ids,
    figures: Ids,
    tables: Ids,
    /// Of strays and leftovers, which nothing refers to.
    others: i64,
}

impl<'a> Numbered<'a> {
    fn new(part: &'a Part<'a>, next: &mut i64) -> Self {
        let mut number = |present: bool| {
            present.then(|| {
                *next += 1;
                *next - 1
            })
        };
        let outline = part.outline;
        let numbered = Self {
            part,
            books: BOOKS.iter().map(|_| number(part.textbooks)).collect(),
            chapters: (0..outline.chapters.len()).map(|c| number(part.has(c))).collect(),
            sections: outline.sections.iter().map(|h| number(part.has(h.chapter))).collect(),
            subsections: outline.subsections.iter().map(|h| number(part.has(h.chapter))).collect(),
            subsubsections: outline.subsubsections.iter().map(|h| number(part.has(h.chapter))).collect(),
            paragraphs: (0..outline.paragraphs.len()).map(|p| number(part.has_node(p))).collect(),
            figures: outline.figures.iter().map(|p| number(part.has_node(*p))).collect(),
            tables: outline.tables.iter().map(|p| number(part.has_node(*p))).collect(),
            others: *next,
        };
        *next += i64::try_from(part.strays + part.leftovers).unwrap_or(i64::MAX / 2);
        numbered
    }

    fn place(&self, place: Place) -> Option<i64> {
        match place {
            Place::Section(i) => self.sections[i],
            Place::Subsection(i) => self.subsections[i],
            Place::Subsubsection(i) => self.subsubsections[i],
        }
    }

    fn node(&self, id: i64, label: &str, properties: Value) -> GraphNode {
        let mut labels = vec![label.to_owned()];
        labels.extend(self.part.labels.iter().map(|l| (*l).to_owned()));
        let properties: Properties = match properties {
            Value::Object(map) => map.into_iter().collect(),
            _ => Properties::new(),
        };
        GraphNode { id, labels, properties }
    }

    fn nodes(&self) -> impl Iterator<Item = GraphNode> + Send + '_ {
        let part = self.part;
        let outline = part.outline;
        let books = present(&self.books)
            .map(|(b, id)| self.node(id, "Textbook", json!({"id": BOOKS[b].0, "title": prose::book_title(b)})));
        let chapters = present(&self.chapters).map(move |(c, id)| {
            let chapter = outline.chapters[c];
            let title = prose::chapter_title(outline, c);
            let own = part.id(&outline.chapter_id(c));
            self.node(
                id,
                "Chapter",
                json!({"id": own, "number": chapter.number, "title": title,
                "textbook_id": BOOKS[chapter.book].0}),
            )
        });
        let sections = present(&self.sections)
            .map(|(i, id)| self.heading(id, "Section", outline.sections[i].chapter, Place::Section(i)));
        let subsections = present(&self.subsections)
            .map(|(i, id)| self.heading(id, "Subsection", outline.subsections[i].chapter, Place::Subsection(i)));
        let subsubsections = present(&self.subsubsections).map(|(i, id)| {
            self.heading(id, "Subsubsection", outline.subsubsections[i].chapter, Place::Subsubsection(i))
        });
        let paragraphs = present(&self.paragraphs).map(|(p, id)| self.paragraph(id, p));
        let figures = present(&self.figures).map(move |(i, id)| {
            let owner = part.id(&outline.chunk_id(outline.figures[i]));
            let caption = prose::caption(part.seed, "figure", i);
            self.node(id, "Figure", json!({"paragraph_id": owner, "figure_number": i + 1, "caption": caption}))
        });
        let tables = present(&self.tables).map(move |(i, id)| {
            let owner = part.id(&outline.chunk_id(outline.tables[i]));
            let caption = prose::caption(part.seed, "table", i);
            self.node(id, "Table", json!({"paragraph_id": owner, "table_number": i + 1, "caption": caption}))
        });
        let strays = (0..part.strays).map(move |n| {
            let properties = json!({"chunk_id": part.stray_id(n), "number": format!("99.9.{}", n + 1),
                "text": part.text(n), "page": 0});
            self.node(self.others + n as i64, "Paragraph", properties)
        });
        let leftovers = (0..part.leftovers).map(move |n| self.leftover(n));
        books
            .chain(chapters)
            .chain(sections)
            .chain(subsections)
            .chain(subsubsections)
            .chain(paragraphs)
            .chain(figures)
            .chain(tables)
            .chain(strays)
            .chain(leftovers)
    }

    fn heading(&self, id: i64, label: &str, chapter: usize, place: Place) -> GraphNode {
        let number = self.part.outline.number(place);
        let own = self.part.id(&format!("{}:s{number}", self.part.outline.chapter_id(chapter)));
        self.node(id, label, json!({"id": own, "number": number, "title": prose::heading(self.part.seed, place)}))
    }

    fn paragraph(&self, id: i64, p: usize) -> GraphNode {
        let part = self.part;
        let outline = part.outline;
        let mut random = Seeded::new(part.seed, "layout", p as u64);
        let top = random.below(600) as f64 + 40.5;
        let mut properties = json!({
            "chunk_id": part.id(&outline.chunk_id(p)),
            "number": outline.paragraph_number(p),
            "text": part.text(p),
            "page": outline.page(p),
            "bounds": [56.25, top, 538.75, top + 60.0 + random.below(80) as f64],
        });
        // About one in six points to another paragraph, perhaps of another book.
        if random.below(6) == 0
            && let Some(map) = properties.as_object_mut()
        {
            let other = outline.chunk_id(random.below(outline.paragraphs.len()));
            map.insert("cross_references".into(), json!([other]));
        }
        self.node(id, "Paragraph", properties)
    }

    /// What a rollback by hand left behind: only `paragraph_id` tells where it was from.
    fn leftover(&self, n: usize) -> GraphNode {
        let part = self.part;
        let outline = part.outline;
        let owner = outline.chunk_id((n * 7) % outline.paragraphs.len().max(1));
        let (label, kind) = if n % 5 == 4 { ("Table", "table") } else { ("Figure", "figure") };
        let properties = json!({"paragraph_id": part.id(&owner), "caption": prose::caption(part.seed, kind, n)});
        self.node(self.others + (part.strays + n) as i64, label, properties)
    }

    /// Relationships between this part's nodes; `books` may be another part's.
    fn relationships<'s>(&'s self, books: &'s Ids) -> impl Iterator<Item = GraphRelationship> + Send + 's {
        let outline = self.part.outline;
        let chapters = present(&self.chapters)
            .filter_map(move |(c, id)| Some(joined(books[outline.chapters[c].book]?, "CONTAINS", id)));
        let sections = present(&self.sections)
            .filter_map(|(i, id)| Some(joined(self.chapters[outline.sections[i].chapter]?, "HAS_SECTION", id)));
        let subsections = present(&self.subsections)
            .filter_map(|(i, id)| Some(joined(self.sections[outline.subsections[i].parent]?, "HAS_SUBSECTION", id)));
        let subsubsections = present(&self.subsubsections).filter_map(|(i, id)| {
            Some(joined(self.subsections[outline.subsubsections[i].parent]?, "HAS_SUBSUBSECTION", id))
        });
        let paragraphs = present(&self.paragraphs)
            .filter_map(|(p, id)| Some(joined(self.place(outline.paragraphs[p].place)?, "HAS_PARAGRAPH", id)));
        let next = self.neighbours().map(|(a, b)| joined(a, "NEXT", b));
        let previous = self.neighbours().map(|(a, b)| joined(b, "PREV", a));
        let figures = present(&self.figures)
            .filter_map(|(i, id)| Some(joined(self.paragraphs[outline.figures[i]]?, "CONTAINS_FIGURE", id)));
        let tables = present(&self.tables)
            .filter_map(|(i, id)| Some(joined(self.paragraphs[outline.tables[i]]?, "CONTAINS_TABLE", id)));
        chapters
            .chain(sections)
            .chain(subsections)
            .chain(subsubsections)
            .chain(paragraphs)
            .chain(next)
            .chain(previous)
            .chain(figures)
            .chain(tables)
    }

    /// Paragraphs that follow each other in one place.
    fn neighbours(&self) -> impl Iterator<Item = (i64, i64)> + Send + '_ {
        let follows = |p: &usize| self.part.outline.paragraphs[*p].number > 1;
        (1..self.paragraphs.len()).filter(follows).filter_map(|p| Some((self.paragraphs[p - 1]?, self.paragraphs[p]?)))
    }
}

fn present(ids: &Ids) -> impl Iterator<Item = (usize, i64)> + Send + '_ {
    ids.iter().enumerate().filter_map(|(i, id)| Some((i, (*id)?)))
}

fn joined(start: i64, rel_type: &str, end: i64) -> GraphRelationship {
    GraphRelationship { start, end, rel_type: rel_type.to_owned(), properties: Properties::new() }
}

impl<'a> Graph<'a> {
    pub fn new(parts: &'a [Part<'a>]) -> Self {
        let mut next = 0;
        Self { parts: parts.iter().map(|part| Numbered::new(part, &mut next)).collect() }
    }

    /// Every node, kind by kind in each part.
    pub fn nodes(&self) -> impl Iterator<Item = GraphNode> + Send + '_ {
        self.parts.iter().flat_map(Numbered::nodes)
    }

    /// Every relationship, type by type in each part.
    pub fn relationships(&self) -> impl Iterator<Item = GraphRelationship> + Send + '_ {
        let books = self.parts.first().map(|part| &part.books);
        self.parts.iter().filter_map(move |part| Some(part.relationships(books?))).flatten()
    }
}

/// How many nodes a part has, its leftovers not among them.
pub(super) fn connected_nodes(part: &Part<'_>) -> usize {
    Graph::new(std::slice::from_ref(part)).nodes().count() - part.leftovers
}

//! The books' structure: chapters, sections, paragraphs, figures, tables. Numbers only; text is written when it is needed,
//! so that a demo of real size needs little memory.

use std::ops::Range;

use super::seeded::{is_chosen, share_start};
use super::shape::Shape;

/// The three textbooks: id and title.
pub(super) const BOOKS: [(&str, &str); 3] = [
    ("bailey", "Bailey: Short Practice of Surgery"),
    ("sabiston", "Sabiston: Textbook of Surgery"),
    ("schwartz", "Schwartz: Principles of Surgery"),
];

#[derive(Clone, Copy, Debug)]
pub(super) struct Chapter {
    /// Index in [`BOOKS`].
    pub book: usize,
    /// From 1 in each book.
    pub number: u32,
}

/// A section, subsection or subsubsection: which one above it, and its number there, from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading {
    pub parent: usize,
    pub number: u32,
    pub chapter: usize,
}

/// What a paragraph stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Section(usize),
    Subsection(usize),
    Subsubsection(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Paragraph {
    pub chapter: usize,
    pub place: Place,
    /// From 1 in its place; 1 begins a chain of NEXT.
    pub number: u32,
}

/// Everything by index.
#[derive(Debug)]
pub(super) struct Outline {
    pub chapters: Vec<Chapter>,
    pub sections: Vec<Heading>,
    pub subsections: Vec<Heading>,
    pub subsubsections: Vec<Heading>,
    pub paragraphs: Vec<Paragraph>,
    /// The paragraph of each.
    pub figures: Vec<usize>,
    pub tables: Vec<usize>,
}

impl Outline {
    pub fn new(shape: &Shape) -> Self {
        let mut chapters = Vec::new();
        for (book, count) in shape.chapters.iter().enumerate() {
            chapters.extend((1..=*count).map(|number| Chapter { book, number }));
        }
        let sections = headings(chapters.len(), shape.sections, |chapter| chapter);
        let subsections = headings(sections.len(), shape.subsections, |i| sections[i].chapter);
        let subsubsections = headings(subsections.len(), shape.subsubsections, |i| subsections[i].chapter);

        // Where paragraphs stand, in reading order.
        let mut places = Vec::new();
        for (i, section) in sections.iter().enumerate() {
            if is_chosen(i, sections.len(), shape.introductions) {
                places.push((section.chapter, Place::Section(i)));
            }
            for j in shares(i, sections.len(), subsections.len()) {
                places.push((section.chapter, Place::Subsection(j)));
                let below = shares(j, subsections.len(), subsubsections.len());
                places.extend(below.map(|k| (section.chapter, Place::Subsubsection(k))));
            }
        }
        let mut paragraphs = Vec::with_capacity(shape.paragraphs);
        for (i, (chapter, place)) in places.iter().enumerate() {
            let many = shares(i, places.len(), shape.paragraphs).len();
            let numbers = 1..=u32::try_from(many).unwrap_or(u32::MAX);
            paragraphs.extend(numbers.map(|number| Paragraph { chapter: *chapter, place: *place, number }));
        }
        let spread = |many: usize| (0..many).map(|i| share_start(i, many, shape.paragraphs)).collect();
        Self {
            figures: spread(shape.figures),
            tables: spread(shape.tables),
            chapters,
            sections,
            subsections,
            subsubsections,
            paragraphs,
        }
    }

    /// `bailey:ch60`
    pub fn chapter_id(&self, chapter: usize) -> String {
        let Chapter { book, number } = self.chapters[chapter];
        format!("{}:ch{number}", BOOKS[book].0)
    }

    /// `2`, `2.1` or `2.1.1`, without the chapter.
    pub fn number(&self, place: Place) -> String {
        match place {
            Place::Section(i) => self.sections[i].number.to_string(),
            Place::Subsection(i) => {
                let own = self.subsections[i];
                format!("{}.{}", self.sections[own.parent].number, own.number)
            }
            Place::Subsubsection(i) => {
                let own = self.subsubsections[i];
                format!("{}.{}", self.number(Place::Subsection(own.parent)), own.number)
            }
        }
    }

    /// `2.1.1`; in a section's introduction `2.0.1`.
    pub fn paragraph_number(&self, paragraph: usize) -> String {
        let Paragraph { place, number, .. } = self.paragraphs[paragraph];
        match place {
            Place::Section(_) => format!("{}.0.{number}", self.number(place)),
            _ => format!("{}.{number}", self.number(place)),
        }
    }

    /// `bailey:ch60:2.1.1`
    pub fn chunk_id(&self, paragraph: usize) -> String {
        format!("{}:{}", self.chapter_id(self.paragraphs[paragraph].chapter), self.paragraph_number(paragraph))
    }

    /// A page: about four paragraphs on each, counted through the book's chapter.
    pub fn page(&self, paragraph: usize) -> u64 {
        let chapter = self.chapters[self.paragraphs[paragraph].chapter];
        u64::from(chapter.number) * 14 + (paragraph as u64 / 4) % 14
    }
}

fn headings(parents: usize, total: usize, chapter_of: impl Fn(usize) -> usize) -> Vec<Heading> {
    (0..parents)
        .flat_map(|parent| {
            let chapter = chapter_of(parent);
            (1_u32..).zip(shares(parent, parents, total)).map(move |(number, _)| Heading { parent, number, chapter })
        })
        .collect()
}

fn shares(i: usize, parts: usize, total: usize) -> Range<usize> {
    share_start(i, parts, total)..share_start(i + 1, parts, total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::DemoSize;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_and_every_chapter_has_paragraphs() {
        for size in [DemoSize::Small, DemoSize::Full] {
            let shape = Shape::of(size);
            let outline = Outline::new(&shape);
            assert_eq!(outline.sections.len(), shape.sections);
            assert_eq!(outline.subsections.len(), shape.subsections);
            assert_eq!(outline.subsubsections.len(), shape.subsubsections);
            assert_eq!(outline.paragraphs.len(), shape.paragraphs);
            let ids: HashSet<_> = (0..shape.paragraphs).map(|p| outline.chunk_id(p)).collect();
            assert_eq!(ids.len(), shape.paragraphs);
            let chapters: HashSet<_> = outline.paragraphs.iter().map(|p| p.chapter).collect();
            assert_eq!(chapters.len(), shape.all_chapters());
            let chains = outline.paragraphs.iter().filter(|p| p.number == 1).count();
            assert_eq!(chains, shape.subsections + shape.subsubsections + shape.introductions);
        }
    }

    #[test]
    fn ids_look_like_the_pipelines() {
        let outline = Outline::new(&Shape::of(DemoSize::Full));
        let ids: Vec<_> = (0..outline.paragraphs.len()).map(|p| outline.chunk_id(p)).collect();
        assert!(ids.contains(&"bailey:ch60:2.1.1".to_owned()));
    }
}

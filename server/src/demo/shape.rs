//! How much of everything.

use crate::cli::DemoSize;

/// How much of everything a demo holds. The graph's totals follow: see [`Shape::nodes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Chapters of bailey, sabiston and schwartz.
    pub chapters: [u32; 3],
    pub sections: usize,
    pub subsections: usize,
    pub subsubsections: usize,
    /// Sections that begin with paragraphs of their own, before their first subsection.
    pub introductions: usize,
    pub paragraphs: usize,
    pub figures: usize,
    pub tables: usize,
    /// Figures and tables without any relationship, as earlier rollbacks by hand left them behind.
    pub leftovers: usize,
    pub dimensions: u32,
    /// Chapters of the failed version.
    pub staged_chapters: usize,
    /// Nodes of the failed version, leftovers of its own included.
    pub staged_nodes: usize,
    /// Staged paragraphs that never reached the graph: why validation failed.
    pub lost_paragraphs: usize,
    /// Chapters that came with the version committed last.
    pub new_chapters: usize,
}

impl Shape {
    pub fn of(size: DemoSize) -> Self {
        match size {
            DemoSize::Small => Self {
                chapters: [10, 8, 6],
                sections: 120,
                subsections: 300,
                subsubsections: 60,
                introductions: 24,
                paragraphs: 600,
                figures: 240,
                tables: 96,
                leftovers: 57,
                dimensions: 32,
                staged_chapters: 18,
                staged_nodes: 1_100,
                lost_paragraphs: 14,
                new_chapters: 3,
            },
            // The counts by type are the documents', and so are the totals of nodes and relationships, which are about
            // twice the sum of the types: the other half are taken to be leftovers. The relationships that the tree
            // does not need are NEXT and PREV within each section: 26,647 of each.
            DemoSize::Full => Self {
                chapters: [92, 74, 54],
                sections: 2_023,
                subsections: 7_788,
                subsubsections: 1_413,
                introductions: 368,
                paragraphs: 36_216,
                figures: 4_649,
                tables: 1_256,
                leftovers: 53_886,
                dimensions: 768,
                staged_chapters: 160,
                staged_nodes: 40_000,
                lost_paragraphs: 36,
                new_chapters: 12,
            },
        }
    }

    #[cfg(test)]
    pub fn all_chapters(&self) -> usize {
        self.chapters.iter().map(|n| *n as usize).sum()
    }

    /// Nodes that hang together.
    #[cfg(test)]
    fn connected(&self) -> usize {
        let sections = self.sections + self.subsections + self.subsubsections;
        3 + self.all_chapters() + sections + self.paragraphs + self.figures + self.tables
    }

    /// All production nodes.
    #[cfg(test)]
    pub fn nodes(&self) -> usize {
        self.connected() + self.leftovers
    }

    /// All production relationships: a tree under each textbook, and the chains of paragraphs within a section.
    #[cfg(test)]
    pub fn relationships(&self) -> usize {
        let chains = self.subsections + self.subsubsections + self.introductions;
        self.connected() - 3 + 2 * (self.paragraphs - chains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_is_the_real_size() {
        let full = Shape::of(DemoSize::Full);
        assert_eq!(full.all_chapters(), 220);
        assert_eq!(full.nodes(), 107_454);
        assert_eq!(full.relationships(), 106_859);
        let small = Shape::of(DemoSize::Small);
        assert_eq!((small.nodes(), small.relationships()), (1_500, 1_872));
    }
}

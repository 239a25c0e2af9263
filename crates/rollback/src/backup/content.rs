//! The rung *content*: does each file hold what the registry says, and do the files agree with each other?

use rollback_types::quantity::{count, counted};
use rollback_types::{Layout, StoreKind, Timestamp};

use super::CopyContents;
use super::proof::Paragraphs;

/// What the files are compared with.
#[derive(Debug)]
pub(super) struct Expected {
    /// Chapters, by the registry's row of that version.
    pub chapters: Option<u64>,
    pub layout: Option<Layout>,
    /// A way back holds production as it was, good or bad: its files need not agree.
    pub as_it_was: bool,
    /// Nodes with the staging label that the export holds: a restore would bring them back.
    pub staged_nodes: u64,
}

/// How one file stands on the rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Right(String),
    Wrong(String),
    /// Cannot be told, and why.
    Open(String),
}

/// Judges one store's file beside the others.
pub(super) fn judge(
    store: StoreKind,
    contents: &CopyContents,
    found: Option<&Paragraphs>,
    expected: &Expected,
) -> Content {
    if expected.as_it_was {
        return Content::Open("what the store held, sound or not: compared with nothing".into());
    }
    match store {
        StoreKind::Sqlite => chapters(contents, expected),
        StoreKind::Qdrant => agree(contents, found, expected),
        StoreKind::Neo4j if expected.staged_nodes > 0 => Content::Wrong(format!(
            "it holds {}: it was made while a version was staged, and a restore would bring them back",
            counted(expected.staged_nodes, "staged nodes")
        )),
        StoreKind::Neo4j => match agree(contents, found, expected) {
            Content::Right(said) => Content::Right(format!("{said}{}", by_label(contents))),
            other => other,
        },
    }
}

fn chapters(contents: &CopyContents, expected: &Expected) -> Content {
    let Some(rows) = contents.sqlite.as_ref().and_then(|i| i.rows) else {
        return Content::Open("its chapters were not counted".into());
    };
    let chapters = counted(rows, "chapters");
    match expected.chapters {
        None if rows == 0 => Content::Wrong("it holds no chapter".into()),
        None => Content::Right(format!("{chapters}; no registry row says how many there should be")),
        Some(said) if rows == said => Content::Right(format!("{chapters}, as the registry says")),
        // There the row may count only the chapters that the update touched.
        Some(said) if expected.layout == Some(Layout::PerVersion) && rows > said => {
            Content::Right(format!("{chapters}; the registry's row counts {}, those the update touched", count(said)))
        }
        Some(said) => Content::Wrong(format!("{chapters}, and the registry says {}", count(said))),
    }
}

fn agree(contents: &CopyContents, found: Option<&Paragraphs>, expected: &Expected) -> Content {
    let (Some(snapshot), Some(found)) = (&contents.qdrant, found) else {
        return Content::Open("needs both the snapshot and the export".into());
    };
    let paragraphs = found.count;
    let Some(points) = snapshot.points else {
        return Content::Open("the snapshot's points cannot be counted offline; a trial restore counts them".into());
    };
    let (of_points, of_paragraphs) = (counted(points, "points"), counted(paragraphs, "paragraphs"));
    if expected.layout == Some(Layout::PerVersion) && points != paragraphs {
        return Content::Open(format!(
            "the snapshot has {of_points}, the export {of_paragraphs}: in this layout each version adds its own, \
             and the two need not agree"
        ));
    }
    if points != paragraphs {
        return Content::Wrong(format!("the snapshot has {of_points}, the export {of_paragraphs}"));
    }
    match (snapshot.digest.as_deref(), found.digest.as_deref()) {
        (Some(a), Some(b)) if a == b => Content::Right(format!("{of_points} = {of_paragraphs}, the same ids")),
        (Some(_), Some(_)) => {
            Content::Wrong(format!("{of_points} and as many paragraphs, but not of the same chunk ids"))
        }
        _ => Content::Right(format!("{of_points} = {of_paragraphs}; their ids could not be compared")),
    }
}

/// The labels people know: so that a graph without figures is seen.
fn by_label(contents: &CopyContents) -> String {
    let Some(graph) = &contents.neo4j else { return String::new() };
    let of = |label: &str, unit: &str| counted(graph.labels.get(label).copied().unwrap_or(0), unit);
    format!(
        "; {}, {}, {}, {}",
        of("Textbook", "textbooks"),
        of("Chapter", "chapters"),
        of("Figure", "figures"),
        of("Table", "tables")
    )
}

impl Content {
    /// Puts it on the ladder.
    pub(super) fn climb(self, ladder: &mut super::ladder::Ladder, at: Timestamp) {
        let rung = rollback_types::Rung::Content;
        match self {
            Self::Right(said) => ladder.pass(rung, said, at),
            Self::Wrong(why) => ladder.fail(rung, why, at),
            Self::Open(why) => ladder.leave_open(rung, why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::Inventory;

    fn contents(rows: u64, points: u64) -> CopyContents {
        CopyContents {
            sqlite: Some(Inventory { rows: Some(rows), ..Inventory::default() }),
            qdrant: Some(Inventory { points: Some(points), digest: Some("aa".into()), ..Inventory::default() }),
            neo4j: Some(Inventory::default()),
            snapshot_form: None,
            vectors: None,
        }
    }

    #[test]
    fn points_and_paragraphs_must_agree_in_number_and_ids() {
        let expected = Expected { chapters: Some(3), layout: Some(Layout::Shared), as_it_was: false, staged_nodes: 0 };
        let judged = |count, digest: &str| {
            let found = Paragraphs { count, digest: Some(digest.into()) };
            judge(StoreKind::Qdrant, &contents(3, 5), Some(&found), &expected)
        };
        assert!(matches!(judged(5, "aa"), Content::Right(_)));
        assert!(matches!(judged(5, "bb"), Content::Wrong(_)));
        assert!(matches!(judged(4, "aa"), Content::Wrong(_)));
        let way_back = Expected { chapters: None, layout: Some(Layout::Shared), as_it_was: true, staged_nodes: 0 };
        let found = Paragraphs { count: 4, digest: Some("aa".into()) };
        assert!(matches!(judge(StoreKind::Neo4j, &contents(3, 5), Some(&found), &way_back), Content::Open(_)));
        let per_version =
            Expected { chapters: None, layout: Some(Layout::PerVersion), as_it_was: false, staged_nodes: 0 };
        let fewer = Paragraphs { count: 4, digest: None };
        assert!(matches!(judge(StoreKind::Neo4j, &contents(3, 5), Some(&fewer), &per_version), Content::Open(_)));
    }

    #[test]
    fn an_export_made_while_something_was_staged_is_told() {
        let expected = Expected { chapters: None, layout: Some(Layout::Shared), as_it_was: false, staged_nodes: 3 };
        let found = Paragraphs { count: 5, digest: Some("aa".into()) };
        assert!(matches!(judge(StoreKind::Neo4j, &contents(3, 5), Some(&found), &expected), Content::Wrong(_)));
        assert!(matches!(judge(StoreKind::Qdrant, &contents(3, 5), Some(&found), &expected), Content::Right(_)));
    }

    #[test]
    fn chapters_are_as_many_as_the_registry_says() {
        let shared = |chapters| Expected { chapters, layout: Some(Layout::Shared), as_it_was: false, staged_nodes: 0 };
        let judged = |rows, expected: Expected| judge(StoreKind::Sqlite, &contents(rows, 1), None, &expected);
        assert!(matches!(judged(3, shared(Some(3))), Content::Right(_)));
        assert!(matches!(judged(4, shared(Some(3))), Content::Wrong(_)));
        assert!(matches!(judged(0, shared(None)), Content::Wrong(_)));
        let per_version =
            |chapters| Expected { chapters, layout: Some(Layout::PerVersion), as_it_was: false, staged_nodes: 0 };
        assert!(matches!(judged(4, per_version(Some(3))), Content::Right(_)));
        assert!(matches!(judged(2, per_version(Some(3))), Content::Wrong(_)));
    }
}

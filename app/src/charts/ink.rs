//! Stand-ins for the page's colours while plotters draws.

use plotters::style::RGBColor;
use rollback_types::Step;
use rollback_types::StoreKind;

/// Each stand-in with the custom property that takes its place. The values are chosen to be seen nowhere else.
const INKS: [(RGBColor, &str); 11] = [
    (TEXT, "var(--text)"),
    (MUTED, "var(--muted)"),
    (LINE, "var(--line)"),
    (ACCENT, "var(--accent)"),
    (SQLITE, "var(--sqlite)"),
    (QDRANT, "var(--qdrant)"),
    (NEO4J, "var(--neo4j)"),
    (GOOD, "var(--good)"),
    (WARN, "var(--warn)"),
    (BAD, "var(--bad)"),
    (SURFACE, "var(--surface)"),
];

/// Labels.
pub const TEXT: RGBColor = RGBColor(1, 254, 1);
/// What stands back: ticks, the document's estimates.
pub const MUTED: RGBColor = RGBColor(1, 254, 2);
/// The grid.
pub const LINE: RGBColor = RGBColor(1, 254, 3);
/// What was measured, for steps that belong to no store.
pub const ACCENT: RGBColor = RGBColor(1, 254, 4);
const SQLITE: RGBColor = RGBColor(1, 254, 5);
const QDRANT: RGBColor = RGBColor(1, 254, 6);
const NEO4J: RGBColor = RGBColor(1, 254, 7);

/// What ended well.
pub const GOOD: RGBColor = RGBColor(1, 254, 8);
/// What needs a look.
pub const WARN: RGBColor = RGBColor(1, 254, 9);
/// What was given up.
pub const BAD: RGBColor = RGBColor(1, 254, 10);
/// The ground that charts stand on.
pub const SURFACE: RGBColor = RGBColor(1, 254, 11);

/// The family plotters is given; taken out again, so that the page's applies.
pub const FAMILY: &str = "sans-serif";

/// The colour of a step: its store's for a lane.
pub fn of_step(step: Step) -> RGBColor {
    step.lane().map_or(ACCENT, of_store)
}

/// The colour of a store.
pub fn of_store(store: StoreKind) -> RGBColor {
    match store {
        StoreKind::Sqlite => SQLITE,
        StoreKind::Qdrant => QDRANT,
        StoreKind::Neo4j => NEO4J,
    }
}

/// The drawing with every stand-in replaced by its custom property.
pub fn replaced(body: &str) -> String {
    INKS.iter()
        .fold(body.to_owned(), |text, (RGBColor(r, g, b), property)| {
            text.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"{property}\""))
        })
        .replace(&format!(" font-family=\"{FAMILY}\""), "")
}

//! `stepback demo`: a believable HybridFlow deployment, the same for the same arguments.
//!
//! Everything follows from an [`outline`](outline::Outline) of three textbooks and a seed: nothing is drawn from the clock,
//! the machine or the order of threads. Points and nodes are made one at a time as they are written, so that real size
//! needs little memory. The folder is written beside its place and moved there when it is whole.

mod backups;
mod edition;
mod error;
mod folder;
mod graph;
mod metadata;
mod outline;
mod part;
mod prose;
mod seeded;
mod settings;
mod shape;
mod stores;
mod story;
mod story_pipeline;
mod story_shared;
mod writing;

use std::fmt;
use std::path::PathBuf;

use time::macros::format_description;
use time::{Date, OffsetDateTime, Time};

pub use error::DemoError;

use crate::cli::{DemoArgs, DemoLayout, DemoSize};
use edition::Book;
use folder::Folder;
use outline::Outline;
use shape::Shape;
use story::Plot;

/// The day on which the last version failed, when none is given.
pub const DEFAULT_DAY: &str = "2026-11-20";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoReport {
    /// The folder.
    pub dir: PathBuf,
    /// The version that failed.
    pub failed_version: String,
    /// Points in all collections.
    pub points: u64,
    /// Nodes, staging among them.
    pub nodes: u64,
    /// Relationships, staging among them.
    pub relationships: u64,
}

impl fmt::Display for DemoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Demo written: {} ({} points, {} nodes, {} relationships).",
            self.dir.display(),
            self.points,
            self.nodes,
            self.relationships
        )?;
        writeln!(f, "The version that failed: {}", self.failed_version)?;
        write!(f, "Look at it: stepback serve --config {}", self.dir.join("stepback.toml").display())
    }
}

/// Writes the demo.
///
/// # Errors
/// See [`DemoError`]; the folder itself is only ever there whole.
pub async fn create(args: &DemoArgs) -> Result<DemoReport, DemoError> {
    let end = end_of_story(&args.day)?;
    if args.neo4j_uri.is_some() && args.neo4j_password.is_none() {
        return Err(DemoError::NoPassword);
    }
    let description = format!(
        "A demo of Stepback's: size {:?}, layout {:?}, seed {}, day {}, contaminated {}.\n`stepback demo --force` may replace \
         this folder.\n",
        args.size, args.layout, args.seed, args.day, args.contaminated
    );
    let folder = Folder::begin(&args.dir, args.force, &description)?;
    let shape = Shape::of(args.size);
    let outline = Outline::new(&shape);
    let mut plot = Plot { seed: args.seed, end, counts: [(0, 0); 2] };
    let (failed, committed) = match args.layout {
        DemoLayout::Shared => story_shared::ids(&plot),
        DemoLayout::PerVersion => story_pipeline::ids(&plot),
    };
    let book = Book {
        outline: &outline,
        shape: &shape,
        seed: args.seed,
        layout: args.layout,
        failed: &failed,
        committed: &committed,
        contaminated: args.contaminated,
    };
    plot.counts = [book.counts(false), book.counts(true)];
    let written = writing::write(folder.path(), args, &book, &plot).await?;
    settings::write(folder.path(), args, outline.chapters.len())?;
    let dir = folder.finish()?;
    Ok(DemoReport {
        dir,
        failed_version: failed,
        points: written.points,
        nodes: written.nodes,
        relationships: written.relationships,
    })
}

/// The afternoon of that day.
fn end_of_story(day: &str) -> Result<OffsetDateTime, DemoError> {
    let date = Date::parse(day, format_description!("[year]-[month]-[day]"))
        .ok()
        .filter(|date| (1971..=9_000).contains(&date.year()))
        .ok_or_else(|| DemoError::Day(day.chars().take(40).collect()))?;
    let time = Time::from_hms(14, 30, 22).unwrap_or(Time::MIDNIGHT);
    Ok(OffsetDateTime::new_utc(date, time))
}

/// Real size is large: kept versions share their files there.
fn shares_files(size: DemoSize) -> bool {
    size == DemoSize::Full
}

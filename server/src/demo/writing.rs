//! The order of work: `metadata.db`, latest-copy, the failed version, the stores, the kept versions.

use std::path::{Path, PathBuf};

use time::Duration;

use super::backups::{BackupNames, KEPT, LATEST, date_files, share, write_checksums, write_export};
use super::edition::Book;
use super::error::{DemoError, doing};
use super::graph::Graph;
use super::metadata::{ChapterRow, Metadata, chapter_rows};
use super::part::Part;
use super::stores::{Collection, GraphTarget, VectorTarget};
use super::story::{Plot, Story, Version};
use super::{shares_files, story_pipeline, story_shared};
use crate::cli::{DemoArgs, DemoLayout};

/// How long before a version begins its latest-copy is made.
const BEFORE_A_VERSION: Duration = Duration::minutes(12);

/// How much the stores hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub points: u64,
    pub nodes: u64,
    pub relationships: u64,
}

pub(super) async fn write(folder: &Path, args: &DemoArgs, book: &Book<'_>, plot: &Plot) -> Result<Written, DemoError> {
    let staging = book.staging();
    let story = tell(book, plot, &staging);
    write_metadata(folder, book, plot, &story, &staging).await?;
    let vectors = match &args.qdrant_url {
        Some(url) => VectorTarget::server(url, args.qdrant_rest_url.as_deref(), args.qdrant_api_key.as_deref())?,
        None => VectorTarget::embedded(folder),
    };
    write_backups(folder, args, book, plot, &story, &vectors).await?;

    let mut parts = book.live();
    let (collections, aliases) = collections(book, plot, &parts, &staging);
    let points = vectors.load(&collections, &aliases, book.shape.dimensions).await?;
    drop(collections);

    parts.push(staging);
    let graph = match (&args.neo4j_uri, &args.neo4j_password) {
        (Some(uri), Some(password)) => GraphTarget::server(uri, &args.neo4j_user, password),
        _ => GraphTarget::embedded(folder).await?,
    };
    let (nodes, relationships) = graph.load(&Graph::new(&parts)).await?;
    Ok(Written { points, nodes, relationships })
}

fn tell(book: &Book<'_>, plot: &Plot, staging: &Part<'_>) -> Story {
    let lost: Vec<String> = staging.lost_nodes.iter().map(|p| staging.id(&book.outline.chunk_id(*p))).collect();
    let staged = (staging.chapters.iter().filter(|has| **has).count(), staging.paragraphs().count());
    match book.layout {
        DemoLayout::Shared => {
            let sample = lost.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
            let failure = format!("Check 4: {} chunk ids are in Qdrant but not in Neo4j ({sample}, …)", lost.len());
            story_shared::tell(plot, failure, staged)
        }
        DemoLayout::PerVersion => {
            let total = plot.count(true).1 + staged.1;
            let failure = format!(
                "['Count mismatch: Qdrant versioned={}, Neo4j={} (Qdrant staging total={total})']",
                staged.1,
                staged.1 - lost.len()
            );
            let touched: Vec<String> = (0..book.outline.chapters.len())
                .filter(|c| staging.has(*c))
                .map(|c| book.outline.chapter_id(c))
                .collect();
            story_pipeline::tell(plot, failure, &touched)
        }
    }
}

/// Rows of production's chapters, with the version that wrote each.
fn production_rows(book: &Book<'_>, plot: &Plot, with_new: bool) -> Vec<ChapterRow> {
    let baseline = match book.layout {
        DemoLayout::Shared => "v1_baseline".to_owned(),
        DemoLayout::PerVersion => story_pipeline::baseline_id(plot),
    };
    let mut rows = Vec::new();
    for part in book.production(with_new) {
        rows.extend(chapter_rows(&part, book.layout, |chapter| {
            if book.is_new(chapter) {
                (book.committed.to_owned(), plot.moment(11))
            } else {
                (baseline.clone(), plot.moment(112))
            }
        }));
    }
    rows
}

async fn write_metadata(
    folder: &Path,
    book: &Book<'_>,
    plot: &Plot,
    story: &Story,
    staging: &Part<'_>,
) -> Result<(), DemoError> {
    let path = folder.join("metadata.db");
    let latest = folder.join("backups/latest-copy");
    make(&latest)?;
    let result = async {
        let mut metadata = Metadata::create(&path, book.layout).await?;
        metadata.add_chapters("chapter_metadata", &production_rows(book, plot, true)).await?;
        let (before, failed) = story.versions.split_at(story.versions.len().saturating_sub(1));
        metadata.add_versions(before).await?;
        metadata.copy_to(&latest.join(LATEST.metadata)).await?;

        // From here on it is the failed version's work.
        metadata.add_versions(failed).await?;
        let rows = chapter_rows(staging, book.layout, |_| (book.failed.to_owned(), plot.moment(0)));
        match book.layout {
            DemoLayout::Shared => {
                metadata.create_chapters("chapter_metadata_staging").await?;
                metadata.add_chapters("chapter_metadata_staging", &rows).await?;
            }
            DemoLayout::PerVersion => {
                let name = format!("chapter_metadata_{}", story_pipeline::safety_backup(plot));
                metadata.copy_chapters(&name).await?;
            }
        }
        let rewritten: Vec<_> = book.rewritten();
        for row in &rows {
            let is_rewritten = |c: &usize| {
                let chapter = book.outline.chapters[*c];
                super::outline::BOOKS[chapter.book].0 == row.textbook && chapter.number == row.number
            };
            if rewritten.iter().any(is_rewritten) {
                metadata.rewrite_chapter(row).await?;
            }
        }
        metadata.close().await
    };
    result.await.map_err(|source| DemoError::Metadata { path: path.clone(), source })
}

async fn write_backups(
    folder: &Path,
    args: &DemoArgs,
    book: &Book<'_>,
    plot: &Plot,
    story: &Story,
    vectors: &VectorTarget,
) -> Result<(), DemoError> {
    tracing::info!("writing the backups");
    let backups = folder.join("backups");
    let latest = backups.join("latest-copy");
    write_files(&latest, LATEST, &book.production(true), book.shape.dimensions, vectors).await?;
    write_checksums(&latest, LATEST).map_err(doing(format!("writing {}", latest.join("checksums.txt").display())))?;
    // The pipeline makes it before it begins with a version.
    let made = plot.moment(0) - BEFORE_A_VERSION;
    date_files(&latest, LATEST, made).map_err(doing(format!("dating the files of {}", latest.display())))?;

    // Kept versions come in two editions: before and after the last chapters were added.
    let mut first: [Option<PathBuf>; 2] = [None, None];
    for (i, version) in story.versions.iter().enumerate() {
        let Some(with_new) = version.kept else { continue };
        let dir = backups.join(&version.id);
        make(&dir)?;
        write_old_metadata(&dir.join(KEPT.metadata), book, plot, &story.versions[..=i], with_new).await?;
        match &first[usize::from(with_new)] {
            Some(earlier) => {
                for name in [KEPT.snapshot, KEPT.graph] {
                    let (from, to) = (earlier.join(name), dir.join(name));
                    let copied =
                        if shares_files(args.size) { share(&from, &to) } else { std::fs::copy(&from, &to).map(|_| ()) };
                    copied.map_err(doing(format!("writing {}", to.display())))?;
                }
            }
            None => {
                write_files(&dir, KEPT, &book.production(with_new), book.shape.dimensions, vectors).await?;
                first[usize::from(with_new)] = Some(dir.clone());
            }
        }
        write_checksums(&dir, KEPT).map_err(doing(format!("writing {}", dir.join("checksums.txt").display())))?;
        date_files(&dir, KEPT, version.updated).map_err(doing(format!("dating the files of {}", dir.display())))?;
    }
    Ok(())
}

async fn write_files(
    dir: &Path,
    names: BackupNames,
    parts: &[Part<'_>],
    dimensions: u32,
    vectors: &VectorTarget,
) -> Result<(), DemoError> {
    vectors.snapshot(&dir.join(names.snapshot), parts, dimensions).await?;
    write_export(&dir.join(names.graph), parts)?;
    Ok(())
}

async fn write_old_metadata(
    path: &Path,
    book: &Book<'_>,
    plot: &Plot,
    versions: &[Version],
    with_new: bool,
) -> Result<(), DemoError> {
    let result = async {
        let mut metadata = Metadata::create(path, book.layout).await?;
        metadata.add_chapters("chapter_metadata", &production_rows(book, plot, with_new)).await?;
        metadata.add_versions(versions).await?;
        metadata.close().await
    };
    result.await.map_err(|source| DemoError::Metadata { path: path.to_path_buf(), source })
}

/// The collections and the aliases on them.
fn collections<'a>(
    book: &Book<'_>,
    plot: &Plot,
    live: &'a [Part<'a>],
    staging: &'a Part<'a>,
) -> (Vec<Collection<'a>>, Vec<(String, String)>) {
    let all: Vec<&Part<'_>> = live.iter().collect();
    let collection = |name: String, parts: &[&'a Part<'a>]| Collection { name, parts: parts.to_vec() };
    match book.layout {
        DemoLayout::Shared => {
            let collections = vec![
                collection("textbook_chunks".to_owned(), &all),
                collection("textbook_chunks_staging".to_owned(), &[staging]),
            ];
            (collections, Vec::new())
        }
        DemoLayout::PerVersion => {
            let named = |id: &str| format!("textbook_chunks_{id}");
            let mut with_staging = all.clone();
            with_staging.push(staging);
            let collections = vec![
                collection("textbook_chunks".to_owned(), all.get(..1).unwrap_or_default()),
                collection(named(book.committed), &all),
                collection(named(&story_pipeline::safety_backup(plot)), &all),
                collection(named(book.failed), &with_staging),
            ];
            let aliases = vec![
                ("textbook_chunks_latest".to_owned(), named(book.committed)),
                ("textbook_chunks_previous".to_owned(), "textbook_chunks".to_owned()),
                (named(&story_pipeline::baseline_id(plot)), "textbook_chunks".to_owned()),
            ];
            (collections, aliases)
        }
    }
}

fn make(dir: &Path) -> Result<(), DemoError> {
    std::fs::create_dir_all(dir).map_err(doing(format!("making {}", dir.display())))
}

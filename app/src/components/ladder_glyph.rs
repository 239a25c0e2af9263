//! The ladder of proofs in a few pixels, for lists: a row for each store, a mark for each rung.

use super::badge::{Tone, rung_look};
use leptos::prelude::*;
use rollback_types::{BackupFile, BackupHealth, Rung, RungState, StoreKind};

/// From one mark to the next.
const PITCH: usize = 7;
/// How much larger a single store's row is drawn: it stands alone in its cell.
const ALONE: usize = 2;

/// Form and tone say the same: a full square is proven, a hollow one asks for a person's word, a cross failed, a thin line is
/// not proven.
fn mark(x: usize, y: usize, state: Option<RungState>, replaced: bool) -> impl IntoView {
    let (left, top) = (x * PITCH, y * PITCH);
    let tone = rung_look(state, replaced).0;
    let shape = match tone {
        Tone::Good | Tone::Warn => format!("M{left} {top}h5v5h-5z"),
        Tone::Bad => format!("M{left} {top}l5 5m0-5l-5 5"),
        Tone::Run | Tone::Idle => format!("M{left} {}h5", top + 2),
    };
    view! { <path class=tone.class() d=shape></path> }
}

/// One backup.
#[component]
pub fn LadderGlyph(
    /// The backup.
    health: BackupHealth,
    /// Of this store alone; else of all.
    #[prop(optional)]
    store: Option<StoreKind>,
) -> impl IntoView {
    let files: Vec<&BackupFile> = health.files.iter().filter(|file| store.is_none_or(|s| file.store == s)).collect();
    let scale = if store.is_some() { ALONE } else { 1 };
    let marks = files
        .iter()
        .enumerate()
        .flat_map(|(y, file)| {
            let file = *file;
            let replaced = health.replaced.contains(&file.store);
            Rung::ALL
                .into_iter()
                .enumerate()
                .map(move |(x, rung)| mark(x, y, file.rungs.iter().find(|r| r.rung == rung).map(|r| r.state), replaced))
        })
        .collect_view();
    let width = Rung::ALL.len() * PITCH - 2;
    let height = (files.len() * PITCH).saturating_sub(2);
    view! {
        <svg
            class="ladder-glyph"
            role="img"
            aria-label=in_words(&health, &files)
            viewBox=format!("-1 -1 {} {}", width + 2, height + 2)
            width=(width + 2) * scale
            height=(height + 2) * scale
        >
            {marks}
        </svg>
    }
}

/// `latest-copy: SQLite proven up to content; Qdrant failed at SHA-256; Neo4j not proven`.
fn in_words(health: &BackupHealth, files: &[&BackupFile]) -> String {
    let files = files.iter().map(|file| {
        let store = file.store.title();
        match (file.lowest_failure(), file.highest_proven()) {
            (Some(_), _) if health.replaced.contains(&file.store) => format!("{store} replaced"),
            (Some(failed), _) => format!("{store} failed at {}", failed.rung.title()),
            (None, Some(rung)) => format!("{store} proven up to {}", rung.title()),
            (None, None) => format!("{store} not proven"),
        }
    });
    format!("{}: {}", health.source.name(), files.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use rollback_types::{BackupSource, RungResult, Timestamp};

    use super::*;

    #[test]
    fn the_glyph_says_in_words_what_it_draws() {
        let at = Timestamp::from_unix_ms(0);
        let rung = |rung, state| RungResult { rung, state, detail: String::new(), checked_at: None, took_ms: None };
        let file = |store, rungs| BackupFile {
            store,
            path: String::new(),
            bytes: None,
            modified_at: None,
            sha256: None,
            rungs,
        };
        let passed = rung(Rung::Exists, RungState::Passed);
        let files = vec![
            file(StoreKind::Sqlite, vec![passed.clone()]),
            file(StoreKind::Qdrant, vec![passed, rung(Rung::Sha256, RungState::Failed)]),
            file(StoreKind::Neo4j, vec![]),
        ];
        let health = BackupHealth {
            source: BackupSource::LatestCopy,
            folder: String::new(),
            intact: false,
            verdict: String::new(),
            remedy: None,
            files,
            checked_at: at,
            took_ms: 0,
            replaced: vec![],
            history: vec![],
        };
        let exists = Rung::Exists.title();
        let sha = Rung::Sha256.title();
        let all: Vec<&BackupFile> = health.files.iter().collect();
        assert_eq!(in_words(&health, &all[..1]), format!("latest-copy: SQLite proven up to {exists}"));
        assert_eq!(
            in_words(&health, &all),
            format!("latest-copy: SQLite proven up to {exists}; Qdrant failed at {sha}; Neo4j not proven")
        );
        let replaced = BackupHealth { replaced: vec![StoreKind::Qdrant], ..health.clone() };
        assert!(in_words(&replaced, &all).contains("; Qdrant replaced; "));
    }
}

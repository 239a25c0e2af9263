//! Backups on the ladder, and what runs saved before they restored.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json, PostUrl};
use rollback_types::{BackupHealth, RunId, RunSummary, StoreKind, Timestamp};
#[cfg(feature = "ssr")]
use rollback_types::{BackupSource, RunKind};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::runs::Drawings;
#[cfg(feature = "ssr")]
use crate::notice::{self, Notice};

#[cfg(feature = "ssr")]
use super::{actor, refused, refused_form, service};

/// latest-copy first, then the kept versions, newest first; as last proven.
#[server(name = ListBackups, prefix = "/rpc", endpoint = "backups", input = GetUrl, output = Json)]
pub async fn list_backups() -> Result<Vec<BackupHealth>, ApiError> {
    service()?.backups().await.map_err(refused)
}

/// How large one backup is, or what latest-copy was before it was made anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSize {
    /// Its name.
    pub name: String,
    /// When it was written, or last seen as it was.
    pub at: Timestamp,
    /// Bytes of each store's file, in the stores' order; nothing where it is not there, or not known any more.
    pub parts: [Option<u64>; 3],
    /// Bytes of all files.
    pub total: u64,
}

/// The backups by size, drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSizes {
    /// Absent when there is too little to draw.
    pub chart: Option<Drawings>,
    /// What is drawn, oldest first.
    pub sizes: Vec<BackupSize>,
}

#[cfg(feature = "ssr")]
impl BackupSizes {
    /// Of the backups, and of what looks at latest-copy remember.
    pub fn of(backups: &[BackupHealth]) -> Self {
        use crate::charts::Room;

        let mut sizes: Vec<BackupSize> = backups.iter().filter_map(size_now).collect();
        sizes.extend(backups.iter().filter(|b| b.source == BackupSource::LatestCopy).flat_map(sizes_before));
        sizes.sort_by_key(|size| size.at);
        // A list without its picture is still the list.
        let chart = |id, room| crate::charts::sizes_chart(id, &sizes, room).unwrap_or_default();
        let (wide, narrow) = (chart("sizes-chart", Room::Wide), chart("sizes-chart-narrow", Room::Narrow));
        let chart = wide.zip(narrow).map(|(wide, narrow)| Drawings { wide, narrow });
        Self { chart, sizes }
    }
}

#[cfg(feature = "ssr")]
fn size_now(health: &BackupHealth) -> Option<BackupSize> {
    let at = health.files.iter().filter_map(|file| file.modified_at).max()?;
    let parts = StoreKind::ALL.map(|store| health.files.iter().find(|file| file.store == store)?.bytes);
    let total = parts.iter().flatten().sum();
    Some(BackupSize { name: health.source.name().into_owned(), at, parts, total })
}

/// Of looks that follow each other and saw the same size, the last.
#[cfg(feature = "ssr")]
fn sizes_before(health: &BackupHealth) -> Vec<BackupSize> {
    let name = format!("{}, before", health.source.name());
    let looks = health.history.windows(2).filter(|pair| pair[0].bytes != pair[1].bytes).map(|pair| &pair[1]);
    looks.map(|look| BackupSize { name: name.clone(), at: look.at, parts: [None; 3], total: look.bytes }).collect()
}

/// Reads a backup's files again, even if they did not change; with `trial` restores each into a scratch place too.
#[server(name = VerifyBackup, prefix = "/rpc", endpoint = "verify-backup", input = PostUrl, output = Json)]
pub async fn verify_backup(name: String, #[server(default)] trial: bool) -> Result<(), ApiError> {
    let health = service()?.verify_backup(&name, trial, None, &actor()?).await.map_err(refused_form)?;
    // As the backup's own badge looks.
    let tone = crate::components::badge::backup_look(&health).0;
    let how = if trial { "restored into a scratch place" } else { "read again from beginning to end" };
    let failed = health.files.iter().any(|file| file.lowest_failure().is_some());
    let name = crate::format::clip(&crate::format::visible(&name), 120);
    let notice = if failed {
        let sentence = format!("{name} was {how}, and something about it fails. {}", health.verdict);
        Notice::Found { tone, sentence }
    } else {
        Notice::Done(format!("{name} was {how}. Nothing about it fails."))
    };
    notice::lead_to("/backups", notice);
    Ok(())
}

/// A person's word that files which took others' places, with or without a list of checksums that agrees with them, are the right
/// ones.
#[server(name = TrustBackup, prefix = "/rpc", endpoint = "trust-backup", input = PostUrl, output = Json)]
pub async fn trust_backup(name: String, seen: String, reason: String) -> Result<(), ApiError> {
    let health = service()?.trust_backup(&name, &seen, &reason, &actor()?).await.map_err(refused_form)?;
    let name = crate::format::clip(&crate::format::visible(&name), 120);
    notice::lead_to(
        "/backups",
        Notice::Done(format!("The files of {name} are trusted as they are now. {}", health.verdict)),
    );
    Ok(())
}

/// What a run saved before it restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBackView {
    /// The run.
    pub run: RunSummary,
    /// The stores it holds.
    pub stores: Vec<StoreKind>,
    /// Bytes of its files.
    pub bytes: u64,
    /// Its folder.
    pub folder: String,
    /// When the retention ends; absent while the run goes on.
    pub kept_until: Option<Timestamp>,
}

#[cfg(feature = "ssr")]
async fn way_back_of(service: &rollback::RollbackService, run: RunSummary) -> Result<Option<WayBackView>, ApiError> {
    let found = service.way_back(run.id).await.map_err(refused)?;
    Ok(found.map(|w| WayBackView {
        run,
        stores: w.stores,
        bytes: w.bytes,
        folder: w.folder.display().to_string(),
        kept_until: w.kept_until,
    }))
}

/// The ways back that are kept, newest run first.
#[server(name = WaysBack, prefix = "/rpc", endpoint = "ways-back", input = GetUrl, output = Json)]
pub async fn ways_back() -> Result<Vec<WayBackView>, ApiError> {
    let service = service()?;
    let mut query = rollback_types::RunQuery { limit: Some(200), ..Default::default() };
    let mut kept = Vec::new();
    loop {
        let page = service.runs(&query).await.map_err(refused)?;
        // Only these kinds restore.
        let restores = |run: &RunSummary| !matches!(run.kind, RunKind::Validate | RunKind::MakeBackup);
        for run in page.items.into_iter().filter(restores) {
            kept.extend(way_back_of(&service, run).await?);
        }
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(kept),
        }
    }
}

/// What one run saved; nothing when it restored nothing, or when that was removed.
#[server(name = RunWayBack, prefix = "/rpc", endpoint = "way-back", input = GetUrl, output = Json)]
pub async fn run_way_back(id: RunId) -> Result<Option<WayBackView>, ApiError> {
    let service = service()?;
    let run = service.run_summary(id).await.map_err(refused)?;
    way_back_of(&service, run).await
}

/// Removes what a run saved; the run's number is typed once more. Leads back to the page of backups.
#[server(name = RemoveWayBack, prefix = "/rpc", endpoint = "remove-way-back", input = PostUrl, output = Json)]
pub async fn remove_way_back(run: i64, confirm: String) -> Result<(), ApiError> {
    if confirm.trim().trim_start_matches('#') != run.to_string() {
        let said = format!("The number typed is not {run}: the way back of run #{run} stays.");
        return Err(refused_form(rollback::ServiceError::Invalid(said)));
    }
    service()?.remove_way_back(RunId(run), &actor()?).await.map_err(refused_form)?;
    let said = format!("The way back of run #{run} is gone: its restore is final.");
    notice::lead_to("/backups", Notice::Done(said));
    Ok(())
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use rollback_types::{BackupCheck, BackupFile};

    use super::*;

    #[test]
    fn sizes_stand_in_the_order_of_time_with_what_latest_copy_was_before() {
        let at = Timestamp::from_unix_ms;
        let look = |ms, bytes| BackupCheck {
            at: at(ms),
            intact: true,
            highest: None,
            failure: None,
            bytes,
            took_ms: 1,
            trial: false,
        };
        let file = |store, bytes, ms| BackupFile {
            store,
            path: String::new(),
            bytes: Some(bytes),
            modified_at: Some(at(ms)),
            sha256: None,
            rungs: vec![],
        };
        let backup = |source, written, history| BackupHealth {
            source,
            folder: String::new(),
            intact: true,
            verdict: String::new(),
            remedy: None,
            files: vec![file(StoreKind::Sqlite, 1, written), file(StoreKind::Neo4j, 4, written)],
            checked_at: at(0),
            took_ms: 1,
            history,
            replaced: vec![],
        };
        let kept = backup(BackupSource::Version(rollback_types::VersionId::new("v2")), 20, vec![look(90, 7)]);
        let latest = backup(BackupSource::LatestCopy, 50, vec![look(60, 5), look(55, 5), look(40, 9), look(30, 9)]);
        let sizes = BackupSizes::of(&[latest, kept]).sizes;
        let said: Vec<_> = sizes.iter().map(|s| (s.name.as_str(), s.at.unix_ms(), s.parts, s.total)).collect();
        assert_eq!(
            said,
            [
                ("v2", 20, [Some(1), None, Some(4)], 5),
                ("latest-copy, before", 40, [None; 3], 9),
                ("latest-copy", 50, [Some(1), None, Some(4)], 5),
            ]
        );
    }
}

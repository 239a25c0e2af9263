//! Backups on the ladder, and what runs saved before they restored.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json, PostUrl};
use rollback_types::{BackupHealth, RunId, RunSummary, StoreKind, Timestamp};
#[cfg(feature = "ssr")]
use rollback_types::{Role, RunKind};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
#[cfg(feature = "ssr")]
use crate::notice::{self, Notice};

#[cfg(feature = "ssr")]
use super::{actor, refused, refused_form, service};

/// latest-copy first, then the kept versions, newest first; as last proven.
#[server(name = ListBackups, prefix = "/rpc", endpoint = "backups", input = GetUrl, output = Json)]
pub async fn list_backups() -> Result<Vec<BackupHealth>, ApiError> {
    service()?.backups().await.map_err(refused)
}

/// Reads a backup's files again, even if they did not change; with `trial` restores each into a scratch place too.
#[server(name = VerifyBackup, prefix = "/rpc", endpoint = "verify-backup", input = PostUrl, output = Json)]
pub async fn verify_backup(name: String, #[server(default)] trial: bool) -> Result<(), ApiError> {
    actor()?.must_be(Role::Operator, "verify a backup").map_err(refused_form)?;
    let health = service()?.verify_backup(&name, trial, None).await.map_err(refused_form)?;
    let how = if trial { "restored into a scratch place" } else { "read again from beginning to end" };
    let found = match health.files.iter().any(|file| file.lowest_failure().is_some()) {
        true => "Something about it fails: see below.",
        false => "Nothing about it fails.",
    };
    let name = crate::format::clip(&crate::format::visible(&name), 120);
    notice::lead_to("/backups", Notice::Done(format!("{name} was {how}. {found}")));
    Ok(())
}

/// A person's word that files which took others' places, without a checksum on record, are the right ones.
#[server(name = TrustBackup, prefix = "/rpc", endpoint = "trust-backup", input = PostUrl, output = Json)]
pub async fn trust_backup(name: String, seen: String, reason: String) -> Result<(), ApiError> {
    let health = service()?.trust_backup_because(&name, &seen, &reason, &actor()?).await.map_err(refused_form)?;
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
    let run = service.run(id).await.map_err(refused)?.run;
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

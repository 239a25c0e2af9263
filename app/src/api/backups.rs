//! Backups on the ladder.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use rollback_types::BackupHealth;

use super::error::ApiError;

#[cfg(feature = "ssr")]
use super::{refused, service};

/// latest-copy first, then the kept versions, newest first; as last proven.
#[server(name = ListBackups, prefix = "/rpc", endpoint = "backups", input = GetUrl, output = Json)]
pub async fn list_backups() -> Result<Vec<BackupHealth>, ApiError> {
    service()?.backups().await.map_err(refused)
}

/// Hashes and opens latest-copy's files again, even if they did not change.
#[server(name = VerifyLatestCopy, prefix = "/rpc", endpoint = "verify-latest-copy", output = Json)]
pub async fn verify_latest_copy() -> Result<BackupHealth, ApiError> {
    service()?.latest_copy(true).await.map_err(refused)
}

//! Snapshots of a collection: made on the server and brought here, or sent there and restored.
//!
//! What must be known of the server (measured on 1.18): the bytes travel over REST only. Names of snapshots count
//! seconds, so two of one second are one file. An upload stays in the collection's list, and one that has the name of
//! the server's own snapshot overwrites it. An upload to an alias restores what the alias points to. A wrong checksum, a
//! cut file and other vectors are refused with the collection unharmed; another collection's snapshot is not. A
//! collection that a crash left broken answers 500 to everything, and an upload repairs it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::Method;
use hyper::header::CONTENT_LENGTH;
use qdrant_client::qdrant::{DeleteSnapshotRequestBuilder, SnapshotDescription};
use rollback::store::{CollectionStatus, CopyTaken, Fault, OnProgress, StoreError, VectorStore as _};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::time::Instant;
use uuid::Uuid;

use super::QdrantVectors;
use super::multipart::multipart;
use super::rest::{Failure, Rest, segment};
use super::snapshot_file::{
    about_file, blocking, checked_sha256, file_failed, inventory, look_into, must_be_new, part_of, put_in_place,
};
use crate::vector_point::readable;

/// By server, one snapshot of this process at a time: two made in the same second would be one file there.
static TURNS: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>> = Mutex::new(BTreeMap::new());
/// The least speed that is waited for, in bytes a second, on top of the long time-out.
const SLOWEST: u64 = 2 * 1024 * 1024;
/// How often a collection that is being optimised is looked at.
const REST_POLL: Duration = Duration::from_millis(250);
/// Between two tries to remove a file: right after a restore the server answers 500 for a fifth of a second.
const REMOVAL_PAUSE: Duration = Duration::from_millis(250);
/// How uploads are named: this, 32 digits, and `.snapshot`.
const UPLOAD_PREFIX: &str = "stepback-";

impl QdrantVectors {
    pub(super) async fn download_snapshot(
        &self,
        collection: &str,
        to: &Path,
        progress: &OnProgress,
    ) -> Result<CopyTaken, StoreError> {
        let operation = format!("making a snapshot of {}", readable(collection));
        self.refuse_alias(&operation, collection).await?;
        self.must_be_collection(&operation, collection).await?;
        must_be_new(&operation, to)?;
        let _turn = self.turn().await;
        self.ask_rest(&operation).await?;
        let name = collection.to_owned();
        let made = self
            .call(&operation, self.config.long_timeout, |client| async move { client.create_snapshot(name).await })
            .await?;
        let Some(made) = made.snapshot_description else {
            return Err(self.error(operation, Fault::Unexpected, "the server does not name the snapshot it made"));
        };
        let part = part_of(to);
        let fetched = self.fetch(&operation, collection, &made, &part, progress).await;
        let removed = self.remove_snapshot(&operation, collection, &made.name, 4).await;
        let finished = match (fetched, removed) {
            (Ok(taken), Ok(())) => {
                let (part, path) = (part.clone(), to.to_owned());
                blocking(move || put_in_place(&part, &path))
                    .await
                    .map(|()| CopyTaken { path: to.to_owned(), ..taken })
                    .map_err(|error| file_failed(&operation, to, &error))
            }
            (Ok(_), Err(error)) => Err(error),
            (Err(error), Ok(())) => Err(error),
            (Err(error), Err(_)) => Err(with_leftover(error, &made.name)),
        };
        if finished.is_err() {
            // Half a snapshot is of no use, and a repeat begins anew; the first error is the one to tell.
            let _ = tokio::fs::remove_file(&part).await;
        }
        finished
    }

    /// Brings the snapshot into `part`, which is durable and as the server said when this returns.
    async fn fetch(
        &self,
        operation: &str,
        collection: &str,
        made: &SnapshotDescription,
        part: &Path,
        progress: &OnProgress,
    ) -> Result<CopyTaken, StoreError> {
        let failed = |error: std::io::Error| file_failed(operation, part, &error);
        let path = format!("/collections/{}/snapshots/{}", segment(collection), segment(&made.name));
        let get = self.rest.send(Method::GET, &path, None);
        let mut answer = self.within(operation, self.config.long_timeout, get).await?;
        if answer.response.status() != hyper::StatusCode::OK {
            let refused = self.within(operation, self.config.request_timeout, self.rest.result(answer)).await;
            return Err(match refused {
                Err(error) => error,
                Ok(_) => self.rest_error(operation, Fault::Unexpected, "the answer is no file"),
            });
        }
        let announced =
            answer.response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let size: u64 = announced.unwrap_or_else(|| u64::try_from(made.size).unwrap_or_default());
        let mut file = BufWriter::with_capacity(1 << 20, tokio::fs::File::create(part).await.map_err(failed)?);
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        let body = answer.response.body_mut();
        loop {
            let next = async { body.frame().await.transpose().map_err(|error| self.rest.explain(&error)) };
            let Some(frame) = self.within(operation, self.config.long_timeout, next).await? else { break };
            let Ok(data) = frame.into_data() else { continue };
            hash.update(&data);
            file.write_all(&data).await.map_err(failed)?;
            bytes += data.len() as u64;
            progress(bytes, size.max(bytes));
        }
        file.flush().await.map_err(failed)?;
        file.into_inner().sync_all().await.map_err(failed)?;
        let sha256 = hex::encode(hash.finalize());
        let other =
            |what| self.rest_error(operation, Fault::Unexpected, format!("what came is not the snapshot: {what}"));
        if made.checksum.as_ref().is_some_and(|told| !told.eq_ignore_ascii_case(&sha256)) {
            return Err(other("its SHA-256 is not the one the server told"));
        }
        if u64::try_from(made.size).is_ok_and(|told| told > 0 && told != bytes) {
            return Err(other("its size is not the one the server told"));
        }
        let mut inventory = inventory(collection, &look_into(operation, part).await?);
        if inventory.points.is_none() {
            inventory.points = Some(self.exact_count(operation, collection, None).await?);
        }
        Ok(CopyTaken { path: part.to_owned(), bytes, sha256, inventory })
    }

    pub(super) async fn upload_snapshot(
        &self,
        collection: &str,
        from: &Path,
        sha256: &str,
        progress: &OnProgress,
    ) -> Result<(), StoreError> {
        let operation = format!("restoring {} from a snapshot", readable(collection));
        self.refuse_alias(&operation, collection).await?;
        let exists = self.is_collection(&operation, collection).await?;
        let Some(sha256) = checked_sha256(sha256) else {
            return Err(about_file(&operation, from, Fault::Refused, "the checksum it should have is no SHA-256"));
        };
        if look_into(&operation, from).await?.is_embedded() {
            let what = "it was made by the embedded store, no Qdrant server can restore it; nothing was changed. \
                        Choose a copy of this server";
            return Err(about_file(&operation, from, Fault::Refused, what));
        }
        let _turn = self.turn().await;
        // Told now, with a wrong key or address, and not after the whole file went out.
        self.ask_rest(&operation).await?;
        if exists {
            self.wait_for_rest(&operation, collection).await?;
        }
        let name = format!("{UPLOAD_PREFIX}{}.snapshot", Uuid::new_v4().simple());
        let sent = self.upload(&operation, collection, from, &name, &sha256, progress).await;
        match sent {
            Ok(()) => {
                // The restore is done whatever becomes of the upload; the next one sweeps what is left.
                if let Err(error) = self.remove_uploads(&operation, collection, &name, 4).await {
                    tracing::warn!(%error, name, "an uploaded snapshot stays in the collection's list");
                }
                Ok(())
            }
            Err(error) => match self.remove_uploads(&operation, collection, &name, 1).await {
                Ok(()) => Err(error),
                Err(_) => Err(with_leftover(error, &name)),
            },
        }
    }

    async fn upload(
        &self,
        operation: &str,
        collection: &str,
        from: &Path,
        name: &str,
        sha256: &str,
        progress: &OnProgress,
    ) -> Result<(), StoreError> {
        let failed = |error: std::io::Error| file_failed(operation, from, &error);
        let file = tokio::fs::File::open(from).await.map_err(failed)?;
        let size = file.metadata().await.map_err(failed)?.len();
        let path = format!(
            "/collections/{}/snapshots/upload?priority=snapshot&wait=true&checksum={sha256}",
            segment(collection)
        );
        let payload = multipart(file, size, name, progress.clone());
        let post = async {
            let answer = self.rest.send(Method::POST, &path, Some(payload)).await?;
            self.rest.result(answer).await
        };
        let limit = self.config.long_timeout + Duration::from_secs(size / SLOWEST);
        match self.within(operation, limit, post).await {
            Ok(serde_json::Value::Bool(true)) => Ok(()),
            Ok(_) => Err(self.rest_error(operation, Fault::Unexpected, "the server does not say that it restored it")),
            // The server names the two hashes the wrong way round.
            Err(error) if error.fault == Fault::Refused && error.detail.to_ascii_lowercase().contains("checksum") => {
                let what = format!(
                    "what arrived has another SHA-256 than {sha256}; the collection was not changed. Check the copy again, \
                     or use another"
                );
                Err(about_file(operation, from, Fault::Refused, what))
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until no other snapshot of this process is under way with this server.
    async fn turn(&self) -> tokio::sync::OwnedMutexGuard<()> {
        let server = self.endpoint.to_string();
        let turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner).entry(server).or_default().clone();
        turn.lock_owned().await
    }

    /// An upload to an alias would restore what it points to.
    async fn refuse_alias(&self, operation: &str, name: &str) -> Result<(), StoreError> {
        self.check_name(operation, name)?;
        match self.list_aliases(operation).await?.into_iter().find(|alias| alias.alias == name) {
            Some(alias) => {
                let detail = format!("it is an alias of {}, not a collection", readable(&alias.collection));
                Err(self.error(operation, Fault::Refused, detail))
            }
            None => Ok(()),
        }
    }

    /// Waits, with a limit, until the collection is not being optimised: a restore takes ten times as long then.
    async fn wait_for_rest(&self, operation: &str, collection: &str) -> Result<(), StoreError> {
        let deadline = Instant::now() + self.config.long_timeout / 3;
        loop {
            match self.status(collection).await {
                Ok(Some(CollectionStatus::Busy)) if Instant::now() < deadline => tokio::time::sleep(REST_POLL).await,
                Ok(_) => return Ok(()),
                // It is broken, and an upload is what repairs it.
                Err(error) if error.fault == Fault::ServerFailed => return Ok(()),
                Err(error) => return Err(StoreError { operation: operation.to_owned(), ..error }),
            }
        }
    }

    /// Removes this upload, and what earlier ones left that were cut short.
    async fn remove_uploads(
        &self,
        operation: &str,
        collection: &str,
        name: &str,
        tries: u32,
    ) -> Result<(), StoreError> {
        self.remove_snapshot(operation, collection, name, tries).await?;
        for left in self.snapshot_names(operation, collection).await?.iter().filter(|name| is_upload(name)) {
            self.remove_snapshot(operation, collection, left, tries).await?;
        }
        Ok(())
    }

    /// Removes a file from the collection's list and proves that it is gone.
    async fn remove_snapshot(
        &self,
        operation: &str,
        collection: &str,
        name: &str,
        tries: u32,
    ) -> Result<(), StoreError> {
        let mut tries_left = tries;
        loop {
            let request = DeleteSnapshotRequestBuilder::new(collection, name);
            // A file that is not there is an error as well: the list decides.
            let deleted =
                self.call(operation, self.config.request_timeout, |client| async move {
                    client.delete_snapshot(request).await
                })
                .await;
            let error = match (self.snapshot_names(operation, collection).await, deleted) {
                (Ok(names), _) if !names.iter().any(|left| left == name) => return Ok(()),
                (Ok(_), Err(error)) | (Err(error), _) => error,
                (Ok(_), Ok(_)) => self.error(operation, Fault::Unexpected, "it is still in the list of snapshots"),
            };
            tries_left = tries_left.saturating_sub(1);
            if tries_left == 0 {
                return Err(with_leftover(error, name));
            }
            tokio::time::sleep(REMOVAL_PAUSE).await;
        }
    }

    /// The collection's snapshot files; none when there is no such collection.
    async fn snapshot_names(&self, operation: &str, collection: &str) -> Result<Vec<String>, StoreError> {
        let name = collection.to_owned();
        let listed = self
            .call(operation, self.config.request_timeout, |client| async move { client.list_snapshots(name).await })
            .await;
        match listed {
            Ok(list) => Ok(list.snapshot_descriptions.into_iter().map(|snapshot| snapshot.name).collect()),
            Err(error) if error.fault == Fault::Missing => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Does Qdrant answer at the REST address, and take the key?
    async fn ask_rest(&self, operation: &str) -> Result<(), StoreError> {
        let ask = async {
            let answer = self.rest.send(Method::GET, "/collections", None).await?;
            self.rest.result(answer).await
        };
        let answer = self.within(operation, self.config.request_timeout, ask).await?;
        if answer.get("collections").is_some() {
            return Ok(());
        }
        Err(self.rest_error(operation, Fault::Foreign, "what answers there is no Qdrant"))
    }

    /// REST within `limit`.
    async fn within<T>(
        &self,
        operation: &str,
        limit: Duration,
        request: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(limit, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err((fault, detail))) => Err(self.rest_error(operation, fault, detail)),
            Err(_) => {
                let detail = format!("no answer in {} ms; what was asked may be done all the same", limit.as_millis());
                Err(self.rest_error(operation, Fault::TimedOut, detail))
            }
        }
    }

    fn rest_error(&self, operation: &str, fault: Fault, detail: impl Into<String>) -> StoreError {
        let Rest { endpoint, .. } = &self.rest;
        let mut detail = detail.into();
        if matches!(fault, Fault::Unreachable | Fault::Foreign) {
            detail.push_str(" (snapshots travel over REST: check qdrant.rest_url)");
        }
        StoreError { endpoint: endpoint.to_string(), ..self.error(operation, fault, detail) }
    }
}

/// Says which file may still be on the server.
fn with_leftover(error: StoreError, name: &str) -> StoreError {
    if error.detail.contains(name) {
        return error;
    }
    let detail = format!("{}; the file {name} may still be in the collection's list of snapshots", error.detail);
    StoreError { detail, ..error }
}

/// Is this the name of an upload of ours?
fn is_upload(name: &str) -> bool {
    let digits = name.strip_prefix(UPLOAD_PREFIX).and_then(|rest| rest.strip_suffix(".snapshot"));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_uploads_are_swept_away() {
        assert!(is_upload(&format!("{UPLOAD_PREFIX}{}.snapshot", Uuid::new_v4().simple())));
        for name in ["stepback-.snapshot", "stepback-nightly.snapshot", "chunks-2026-01-01-00-00-00.snapshot", ""] {
            assert!(!is_upload(name), "{name}");
        }
    }
}

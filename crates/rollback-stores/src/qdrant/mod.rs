//! Qdrant over gRPC; snapshots travel over REST.
//!
//! What the adapter must know about the server (measured on 1.18): deleting a missing collection or an alias answers
//! *ok* with `result: false`; an alias is followed in silence by every read; deleting a collection takes its aliases
//! along; only an exact count is true while the server indexes; health calls need no key.

mod config;
mod fault;
mod loader;
mod multipart;
mod points;
mod rest;
pub(crate) mod snapshot_file;
mod snapshots;

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use backup_formats::qdrant_snapshot::IdSetFingerprint;
use futures::stream::BoxStream;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::{
    CollectionInfo, CollectionStatus as WireStatus, Condition, CountPointsBuilder, DeleteCollectionBuilder, Filter,
    vectors_config,
};
use qdrant_client::{Qdrant, QdrantError};
use rollback::store::{
    Alias, CollectionStatus, CopyTaken, Engine, Fault, OnProgress, PointRef, Probe, Removal, SnapshotForm, StoreError,
    StoredVector, VectorShape, VectorStore,
};
use rollback_types::StoreKind;

use crate::vector_point::{VERSION_ID, name_fault, readable};
use config::Endpoint;
pub use config::{QdrantConfig, QdrantConfigError};
use rest::Rest;

/// A Qdrant server.
pub struct QdrantVectors {
    endpoint: Endpoint,
    config: QdrantConfig,
    client: RwLock<Qdrant>,
    rest: Rest,
}

impl fmt::Debug for QdrantVectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QdrantVectors").field("config", &self.config).finish_non_exhaustive()
    }
}

impl QdrantVectors {
    /// Prepares the client. Does not connect: a server that is down is found by the first call.
    ///
    /// # Errors
    /// [`QdrantConfigError`] when the address or the key can never work.
    pub fn new(config: QdrantConfig) -> Result<Self, QdrantConfigError> {
        let endpoint = config.grpc_endpoint()?;
        if let Some(key) = &config.api_key {
            config::check_key(key)?;
        }
        let client = connectable(&endpoint, &config).map_err(|_| QdrantConfigError::Host)?;
        let rest = Rest::new(&config)?;
        Ok(Self { endpoint, config, client: RwLock::new(client), rest })
    }

    fn error(&self, operation: impl Into<String>, fault: Fault, detail: impl Into<String>) -> StoreError {
        StoreError {
            store: StoreKind::Qdrant,
            endpoint: self.endpoint.to_string(),
            operation: operation.into(),
            fault,
            detail: detail.into(),
        }
    }

    fn client(&self) -> Qdrant {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One call within `limit`. The client itself repeats some calls, reconnects without a limit of its own and waits
    /// for ever on a server that says nothing: this bound holds over all of it.
    async fn call<T, F, O>(&self, operation: &str, limit: Duration, request: F) -> Result<T, StoreError>
    where
        F: FnOnce(Qdrant) -> O + Send,
        O: Future<Output = Result<T, QdrantError>> + Send,
    {
        match tokio::time::timeout(limit, request(self.client())).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let (fault, detail) = fault::classify(&error, self.endpoint.port);
                Err(self.error(operation, fault, detail))
            }
            Err(_) => {
                // A connection that went silent stays in the client's pool: leave it behind.
                if let Ok(fresh) = connectable(&self.endpoint, &self.config) {
                    *self.client.write().unwrap_or_else(PoisonError::into_inner) = fresh;
                }
                Err(self.error(operation, Fault::TimedOut, format!("no answer in {} ms", limit.as_millis())))
            }
        }
    }

    fn check_name(&self, operation: &str, name: &str) -> Result<(), StoreError> {
        match name_fault(name) {
            Some(fault) => Err(self.error(operation, Fault::Refused, fault)),
            None => Ok(()),
        }
    }

    /// What the server says of a collection; `None` when there is none of that name.
    async fn info(&self, operation: &str, collection: &str) -> Result<Option<CollectionInfo>, StoreError> {
        if !self.is_collection(operation, collection).await? {
            return Ok(None);
        }
        let name = collection.to_owned();
        let limit = self.config.request_timeout;
        let answer = self.call(operation, limit, |client| async move { client.collection_info(name).await }).await;
        match absent_as_none(answer)? {
            Some(answer) => answer
                .result
                .map(Some)
                .ok_or_else(|| self.error(operation, Fault::Unexpected, "the answer says nothing of the collection")),
            None => Ok(None),
        }
    }

    async fn list(&self, operation: &str) -> Result<Vec<String>, StoreError> {
        let answer = self
            .call(operation, self.config.request_timeout, |client| async move { client.list_collections().await })
            .await?;
        let mut names: Vec<String> = answer.collections.into_iter().map(|c| c.name).collect();
        names.sort();
        Ok(names)
    }

    async fn list_aliases(&self, operation: &str) -> Result<Vec<Alias>, StoreError> {
        let answer = self
            .call(operation, self.config.request_timeout, |client| async move { client.list_aliases().await })
            .await?;
        let mut aliases: Vec<Alias> =
            answer.aliases.into_iter().map(|a| Alias { alias: a.alias_name, collection: a.collection_name }).collect();
        aliases.sort();
        Ok(aliases)
    }

    /// Is there a collection of this very name? Every other read would follow an alias.
    async fn is_collection(&self, operation: &str, name: &str) -> Result<bool, StoreError> {
        self.check_name(operation, name)?;
        Ok(self.list(operation).await?.iter().any(|collection| collection == name))
    }

    async fn exact_count(&self, operation: &str, name: &str, filter: Option<Filter>) -> Result<u64, StoreError> {
        let mut request = CountPointsBuilder::new(name).exact(true);
        if let Some(filter) = filter {
            request = request.filter(filter);
        }
        let answer = self
            .call(operation, self.config.request_timeout, |client| async move { client.count(request).await })
            .await?;
        match answer.result {
            Some(result) => Ok(result.count),
            None => Err(self.error(operation, Fault::Unexpected, "the answer holds no count")),
        }
    }
}

/// A client that connects when first used, to this address and no other part of the configured text.
fn connectable(endpoint: &Endpoint, config: &QdrantConfig) -> Result<Qdrant, QdrantError> {
    let mut builder = Qdrant::from_url(&endpoint.to_string())
        .skip_compatibility_check()
        .connect_timeout(config.connect_timeout)
        // The outer bound of any call; each has a narrower one of its own.
        .timeout(config.long_timeout.max(config.request_timeout));
    builder.set_pool_size(1);
    if let Some(key) = &config.api_key {
        builder.set_api_key(key.expose());
    }
    builder.build()
}

/// `2 collections, 1 alias`.
pub(crate) fn inventory_sentence(collections: usize, aliases: usize) -> String {
    let c = if collections == 1 { "collection" } else { "collections" };
    let a = if aliases == 1 { "alias" } else { "aliases" };
    format!("{collections} {c}, {aliases} {a}")
}

#[async_trait]
impl VectorStore for QdrantVectors {
    fn engine(&self) -> Engine {
        Engine { name: "Qdrant", location: self.endpoint.to_string() }
    }

    fn snapshot_form(&self) -> SnapshotForm {
        SnapshotForm::Qdrant
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        let health =
            self.call("asking for its health", self.config.request_timeout, |client| async move {
                client.health_check().await
            })
            .await?;
        // Health needs no key; only the lists tell whether ours is taken.
        let operation = "listing the collections";
        let collections = self.list(operation).await?.len();
        let aliases = self.list_aliases(operation).await?.len();
        let version = Some(health.version).filter(|version| !version.is_empty());
        Ok(Probe { version, detail: inventory_sentence(collections, aliases), warning: None })
    }

    async fn collections(&self) -> Result<Vec<String>, StoreError> {
        self.list("listing the collections").await
    }

    async fn aliases(&self) -> Result<Vec<Alias>, StoreError> {
        self.list_aliases("listing the aliases").await
    }

    async fn count(&self, collection: &str) -> Result<Option<u64>, StoreError> {
        let operation = format!("counting the points of {}", readable(collection));
        if !self.is_collection(&operation, collection).await? {
            return Ok(None);
        }
        absent_as_none(self.exact_count(&operation, collection, None).await)
    }

    async fn shape(&self, collection: &str) -> Result<Option<VectorShape>, StoreError> {
        let operation = format!("asking what vectors {} holds", readable(collection));
        let info =
            self.info(&operation, collection).await?.and_then(|info| info.config?.params?.vectors_config?.config);
        let only = match info {
            Some(vectors_config::Config::Params(params)) => Some(params),
            // Named or not, as in a snapshot.
            Some(vectors_config::Config::ParamsMap(map)) if map.map.len() == 1 => map.map.into_values().next(),
            _ => None,
        };
        Ok(only.map(|params| VectorShape { size: params.size, distance: params.distance().as_str_name().to_owned() }))
    }

    async fn count_of_version(&self, collection: &str, version_id: &str) -> Result<u64, StoreError> {
        let operation = format!("counting the points of a version in {}", readable(collection));
        self.must_be_collection(&operation, collection).await?;
        // Not the `From<String>` of the client: it takes a text with a space for a full-text search.
        let keyword = MatchValue::Keyword(version_id.to_owned());
        let filter = Filter::must([Condition::matches(VERSION_ID, keyword)]);
        self.exact_count(&operation, collection, Some(filter)).await
    }

    async fn id_fingerprint(&self, collection: &str) -> Result<Option<IdSetFingerprint>, StoreError> {
        let operation = format!("reading the ids of {}", readable(collection));
        if !self.is_collection(&operation, collection).await? {
            return Ok(None);
        }
        let mut fingerprint = IdSetFingerprint::default();
        let mut offset = None;
        loop {
            let (ids, next) = self.id_page(&operation, collection, offset).await?;
            for id in &ids {
                fingerprint.insert(id);
            }
            match next {
                Some(next) => offset = Some(next),
                None => return Ok(Some(fingerprint)),
            }
        }
    }

    async fn status(&self, collection: &str) -> Result<Option<CollectionStatus>, StoreError> {
        let operation = format!("asking for the state of {}", readable(collection));
        let Some(info) = self.info(&operation, collection).await? else { return Ok(None) };
        match info.status() {
            WireStatus::Green => Ok(Some(CollectionStatus::Ready)),
            WireStatus::Yellow | WireStatus::Grey => Ok(Some(CollectionStatus::Busy)),
            WireStatus::Red => Ok(Some(CollectionStatus::Broken)),
            WireStatus::UnknownCollectionStatus => {
                Err(self.error(operation, Fault::Unexpected, "the answer holds no known state"))
            }
        }
    }

    async fn delete_collection(&self, collection: &str, at_most: u64) -> Result<Removal, StoreError> {
        let operation = format!("deleting the collection {}", readable(collection));
        let exists = self.is_collection(&operation, collection).await?;
        // Looked at again here, right before: an alias that was set since the plan makes the collection production.
        for alias in self.list_aliases(&operation).await? {
            if alias.alias == collection {
                let detail = format!("it is an alias of {}, not a collection", readable(&alias.collection));
                return Err(self.error(operation, Fault::Refused, detail));
            }
            if alias.collection == collection {
                let detail = format!("the alias {} points to it: it may be production", readable(&alias.alias));
                return Err(self.error(operation, Fault::Changed, detail));
            }
        }
        if !exists {
            return Ok(Removal::Absent);
        }
        // Without a bound nothing depends on the count, and a collection that a bad snapshot destroyed cannot be counted.
        let counted = match absent_as_none(self.exact_count(&operation, collection, None).await) {
            Err(_) if at_most == u64::MAX => Some(0),
            counted => counted?,
        };
        let Some(points) = counted else {
            return Ok(Removal::Absent);
        };
        if points > at_most {
            let detail = format!("{at_most} points were counted, now there are {points}: something is writing");
            return Err(self.error(operation, Fault::Changed, detail));
        }
        let request = DeleteCollectionBuilder::new(collection).timeout(self.config.long_timeout.as_secs().max(1));
        let answer = self
            .call(&operation, self.config.long_timeout, |client| async move { client.delete_collection(request).await })
            .await?;
        let left = self.is_collection(&operation, collection).await?;
        match (answer.result, left) {
            (true, false) => Ok(Removal::Removed(points)),
            // Somebody else deleted it between our look and our call.
            (false, false) => Ok(Removal::Absent),
            (_, true) => Err(self.error(operation, Fault::Unexpected, "it is still in the list of collections")),
        }
    }
    async fn take_snapshot(&self, collection: &str, to: &Path, progress: OnProgress) -> Result<CopyTaken, StoreError> {
        self.download_snapshot(collection, to, &progress).await
    }

    async fn restore_snapshot(
        &self,
        collection: &str,
        from: &Path,
        sha256: &str,
        progress: OnProgress,
    ) -> Result<(), StoreError> {
        self.upload_snapshot(collection, from, sha256, &progress).await
    }

    fn points(&self, collection: &str) -> BoxStream<'_, Result<PointRef, StoreError>> {
        self.every_point(collection)
    }

    async fn sample(&self, collection: &str, count: u32) -> Result<Vec<StoredVector>, StoreError> {
        self.random_points(collection, count).await
    }

    async fn nearest(&self, collection: &str, vector: &[f32], limit: u32) -> Result<Vec<String>, StoreError> {
        self.neighbours(collection, vector, limit).await
    }
}

/// `None` for a collection that went away between two calls.
fn absent_as_none<T>(answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.fault == Fault::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

//! Filling a Qdrant server: for the demo and for tests. The rollback itself never writes points.

use qdrant_client::qdrant::{
    CreateAliasBuilder, CreateCollectionBuilder, Distance, PointStruct, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant};
use rollback::store::{Fault, StoreError};

use super::QdrantVectors;
use crate::vector_point::{VectorPoint, readable};

/// Points sent at a time: about 3 MB at 768 dimensions.
const BATCH: usize = 1_000;

impl QdrantVectors {
    /// Creates a collection (cosine) and writes `points` into it, each batch confirmed before the next is sent.
    /// Returns the exact number of points in it afterwards.
    ///
    /// # Errors
    /// [`Fault::Refused`] when a collection or alias of that name exists, or a vector has another length; else as any
    /// call. What was written before an error stays.
    pub async fn load_collection<I>(&self, name: &str, dimensions: u64, points: I) -> Result<u64, StoreError>
    where
        I: IntoIterator<Item = VectorPoint> + Send,
        I::IntoIter: Send,
    {
        let operation = format!("creating the collection {}", readable(name));
        self.check_name(&operation, name)?;
        let request =
            CreateCollectionBuilder::new(name).vectors_config(VectorParamsBuilder::new(dimensions, Distance::Cosine));
        let created = self
            .call(&operation, self.config.long_timeout, |client| async move { client.create_collection(request).await })
            .await?;
        if !created.result {
            return Err(self.error(operation, Fault::Unexpected, "the server did not create it"));
        }
        let operation = format!("writing points into {}", readable(name));
        let mut batch = Vec::with_capacity(BATCH);
        for point in points {
            batch.push(wire_point(point));
            if batch.len() == BATCH {
                self.upsert(&operation, name, std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).await?;
            }
        }
        if !batch.is_empty() {
            self.upsert(&operation, name, batch).await?;
        }
        self.exact_count(&operation, name, None).await
    }

    async fn upsert(&self, operation: &str, name: &str, batch: Vec<PointStruct>) -> Result<(), StoreError> {
        let request = UpsertPointsBuilder::new(name, batch).wait(true);
        let send = |client: Qdrant| async move { client.upsert_points(request).await };
        self.call(operation, self.config.long_timeout, send).await.map(|_| ())
    }

    /// Points an alias to a collection; one that exists is repointed in one step.
    ///
    /// # Errors
    /// [`Fault::Missing`] when there is no such collection; else as any call.
    pub async fn set_alias(&self, alias: &str, collection: &str) -> Result<(), StoreError> {
        let operation = format!("pointing the alias {} to {}", readable(alias), readable(collection));
        self.check_name(&operation, alias)?;
        self.check_name(&operation, collection)?;
        let request = CreateAliasBuilder::new(collection, alias);
        let answer = self
            .call(&operation, self.config.request_timeout, |client| async move { client.create_alias(request).await })
            .await?;
        if answer.result { Ok(()) } else { Err(self.error(operation, Fault::Unexpected, "the server did not set it")) }
    }

    /// Removes an alias; the collection stays.
    ///
    /// # Errors
    /// As any call.
    pub async fn remove_alias(&self, alias: &str) -> Result<(), StoreError> {
        let operation = format!("removing the alias {}", readable(alias));
        self.check_name(&operation, alias)?;
        let name = alias.to_owned();
        self.call(&operation, self.config.request_timeout, |client| async move { client.delete_alias(name).await })
            .await
            .map(|_| ())
    }
}

fn wire_point(point: VectorPoint) -> PointStruct {
    PointStruct::new(point.id.to_string(), point.vector, Payload::from(point.payload))
}

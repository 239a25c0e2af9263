//! Reading points: ids, the two payload keys that matter, vectors, and neighbours.

use backup_formats::qdrant_snapshot::PointId as PlainId;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions;
use qdrant_client::qdrant::{
    PayloadIncludeSelector, PointId, Query, QueryPoints, QueryPointsBuilder, RetrievedPoint, Sample, ScoredPoint,
    ScrollPointsBuilder, SearchParamsBuilder, Value, vector_output,
};
use rollback::store::{Fault, PointRef, StoreError, StoredVector};

use super::QdrantVectors;
use crate::vector_point::{CHUNK_ID, VERSION_ID, readable};

/// Points asked for at a time: 36,000 ids take half a second at this size.
const SCROLL_PAGE: u32 = 10_000;
/// How many candidates the index keeps while it searches. Far above the default, so that a stored vector finds itself,
/// and still a search of the index and not past it.
const SEARCH_BREADTH: u64 = 256;

impl QdrantVectors {
    /// One page, and where the next begins.
    async fn scroll(
        &self,
        operation: &str,
        collection: &str,
        offset: Option<PointId>,
        payload: impl Into<SelectorOptions> + Send,
    ) -> Result<(Vec<RetrievedPoint>, Option<PointId>), StoreError> {
        let mut request =
            ScrollPointsBuilder::new(collection).limit(SCROLL_PAGE).with_payload(payload).with_vectors(false);
        if let Some(offset) = offset {
            request = request.offset(offset);
        }
        let page = self
            .call(operation, self.config.request_timeout, |client| async move { client.scroll(request).await })
            .await?;
        if page.result.is_empty() && page.next_page_offset.is_some() {
            return Err(self.error(operation, Fault::Unexpected, "an empty page that is not the last"));
        }
        Ok((page.result, page.next_page_offset))
    }

    /// The ids of one page, and where the next begins.
    pub(super) async fn id_page(
        &self,
        operation: &str,
        collection: &str,
        offset: Option<PointId>,
    ) -> Result<(Vec<PlainId>, Option<PointId>), StoreError> {
        let (points, next) = self.scroll(operation, collection, offset, false).await?;
        let ids = points.into_iter().map(|point| self.known_id(operation, point.id)).collect::<Result<_, _>>()?;
        Ok((ids, next))
    }

    fn known_id(&self, operation: &str, id: Option<PointId>) -> Result<PlainId, StoreError> {
        id.and_then(plain_id)
            .ok_or_else(|| self.error(operation, Fault::Unexpected, "a point has no id or a malformed one"))
    }

    pub(super) async fn must_be_collection(&self, operation: &str, collection: &str) -> Result<(), StoreError> {
        if self.is_collection(operation, collection).await? {
            return Ok(());
        }
        Err(self.error(operation, Fault::Missing, "there is no such collection"))
    }

    pub(super) fn every_point(&self, collection: &str) -> BoxStream<'_, Result<PointRef, StoreError>> {
        let operation = format!("reading the points of {}", readable(collection));
        let start = (operation, collection.to_owned(), Next::First);
        let pages = stream::try_unfold(start, move |(operation, collection, next)| async move {
            let offset = match next {
                Next::First => {
                    self.must_be_collection(&operation, &collection).await?;
                    None
                }
                Next::From(offset) => Some(offset),
                Next::None => return Ok(None),
            };
            let keys = PayloadIncludeSelector { fields: vec![CHUNK_ID.to_owned(), VERSION_ID.to_owned()] };
            let (points, next) = self.scroll(&operation, &collection, offset, keys).await?;
            let points = points
                .into_iter()
                .map(|mut point| {
                    let id = self.known_id(&operation, point.id)?.to_string();
                    let mut text = |key| point.payload.remove(key).and_then(text);
                    Ok(PointRef { id, chunk_id: text(CHUNK_ID), version_id: text(VERSION_ID) })
                })
                .collect::<Result<Vec<_>, StoreError>>()?;
            let next = next.map_or(Next::None, Next::From);
            Ok(Some((stream::iter(points).map(Ok), (operation, collection, next))))
        });
        pages.try_flatten().boxed()
    }

    async fn query(&self, operation: &str, request: QueryPoints) -> Result<Vec<ScoredPoint>, StoreError> {
        self.must_be_collection(operation, &request.collection_name).await?;
        let answer = self
            .call(operation, self.config.request_timeout, |client| async move { client.query(request).await })
            .await?;
        Ok(answer.result)
    }

    pub(super) async fn random_points(&self, collection: &str, count: u32) -> Result<Vec<StoredVector>, StoreError> {
        let operation = format!("reading a sample of {}", readable(collection));
        if count == 0 {
            return Ok(Vec::new());
        }
        let request = QueryPointsBuilder::new(collection)
            .query(Query::new_sample(Sample::Random))
            .limit(u64::from(count))
            .with_vectors(true);
        let points = self.query(&operation, request.into()).await?;
        let vector = |point: ScoredPoint| {
            let id = self.known_id(&operation, point.id)?.to_string();
            match point.vectors.and_then(|vectors| vectors.get_vector()) {
                Some(vector_output::Vector::Dense(dense)) => Ok(StoredVector { id, vector: dense.data }),
                _ => Err(self.error(
                    &operation,
                    Fault::Foreign,
                    "its points do not have the one unnamed vector that HybridFlow writes",
                )),
            }
        };
        points.into_iter().map(vector).collect()
    }

    pub(super) async fn neighbours(
        &self,
        collection: &str,
        vector: &[f32],
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let operation = format!("searching in {}", readable(collection));
        if limit == 0 {
            return Ok(Vec::new());
        }
        let request = QueryPointsBuilder::new(collection)
            .query(Query::new_nearest(vector.to_vec()))
            .params(SearchParamsBuilder::default().hnsw_ef(SEARCH_BREADTH))
            .limit(u64::from(limit));
        let found = self.query(&operation, request.into()).await?;
        found.into_iter().map(|point| self.known_id(&operation, point.id).map(|id| id.to_string())).collect()
    }
}

/// Where the next page begins.
enum Next {
    First,
    From(PointId),
    None,
}

fn text(value: Value) -> Option<String> {
    match value.kind? {
        Kind::StringValue(text) => Some(text),
        _ => None,
    }
}

/// The client's id in the words of the snapshot's.
fn plain_id(id: PointId) -> Option<PlainId> {
    match id.point_id_options? {
        PointIdOptions::Num(number) => Some(PlainId::Num(number)),
        PointIdOptions::Uuid(text) => Some(PlainId::Uuid(uuid::Uuid::parse_str(&text).ok()?.into_bytes())),
    }
}

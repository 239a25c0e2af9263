//! Points.

use std::collections::HashMap;

use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::points_server::Points;
use qdrant_client::qdrant::{
    CountPoints, CountResponse, CountResult, DeletePoints, DenseVector, GetPoints, GetResponse,
    PointsOperationResponse, QueryPoints, QueryResponse, RetrievedPoint, ScoredPoint, ScrollPoints, ScrollResponse,
    UpdateResult, UpdateStatus, UpsertPoints, Vector, VectorInput, VectorOutput, Vectors, VectorsOutput,
    WithPayloadSelector, WithVectorsSelector, query, vector, vector_input, vector_output, vectors, vectors_output,
    with_payload_selector, with_vectors_selector,
};
use tonic::{Request, Response, Status};

use super::super::data::{Data, Point, PointKey, fits};
use super::super::faults::Call;

fn applied() -> PointsOperationResponse {
    let result = UpdateResult { operation_id: Some(0), status: UpdateStatus::Completed.into() };
    PointsOperationResponse { result: Some(result), time: 0.0, usage: None }
}

/// The numbers of a dense, unnamed vector; an older client sends them in a field of their own.
fn dense(vectors: Option<Vectors>) -> Result<Vec<f32>, Status> {
    let Some(vectors::VectorsOptions::Vector(vector)) = vectors.and_then(|vectors| vectors.vectors_options) else {
        return Err(Status::unimplemented("the double only knows one unnamed vector a point"));
    };
    #[expect(deprecated, reason = "clients before 1.16 still send it")]
    let Vector { data, vector, .. } = vector;
    match vector {
        Some(vector::Vector::Dense(dense)) => Ok(dense.data),
        None => Ok(data),
        Some(_) => Err(Status::unimplemented("the double only knows dense vectors")),
    }
}

fn upsert(data: &mut Data, ask: UpsertPoints) -> Result<PointsOperationResponse, Status> {
    let found = data.find(&ask.collection_name)?;
    let dimensions = found.dimensions;
    let mut points = Vec::with_capacity(ask.points.len());
    for point in ask.points {
        let key = PointKey::read(point.id.as_ref())?;
        let vector = dense(point.vectors)?;
        if vector.len() as u64 != dimensions {
            return Err(Status::invalid_argument(format!(
                "Wrong input: Vector dimension error: expected dim: {dimensions}, got {}",
                vector.len()
            )));
        }
        points.push((key, Point { payload: point.payload, vector }));
    }
    found.points.extend(points);
    Ok(applied())
}

fn delete(data: &mut Data, ask: DeletePoints) -> Result<PointsOperationResponse, Status> {
    let found = data.find(&ask.collection_name)?;
    match ask.points.and_then(|points| points.points_selector_one_of) {
        Some(PointsSelectorOneOf::Points(list)) => {
            for id in &list.ids {
                found.points.remove(&PointKey::read(Some(id))?);
            }
        }
        Some(PointsSelectorOneOf::Filter(filter)) => {
            let mut going = Vec::new();
            for (key, point) in &found.points {
                if fits(Some(&filter), &point.payload)? {
                    going.push(*key);
                }
            }
            found.points.retain(|key, _| !going.contains(key));
        }
        None => return Err(Status::invalid_argument("PointsSelector is missing")),
    }
    Ok(applied())
}

fn count(data: &mut Data, ask: &CountPoints) -> Result<CountResponse, Status> {
    let found = data.find(&ask.collection_name)?;
    let mut count = 0;
    for point in found.points.values() {
        count += u64::from(fits(ask.filter.as_ref(), &point.payload)?);
    }
    if ask.exact == Some(false) {
        // An estimate; wrong on purpose, so that a test notices who asked for one.
        count += count / 10 + 1;
    }
    Ok(CountResponse { result: Some(CountResult { count }), time: 0.0, usage: None })
}

/// What of a point goes into an answer.
#[derive(Clone)]
struct Wanted {
    payload: bool,
    /// Of the payload only these, where it says so.
    keys: Option<Vec<String>>,
    vector: bool,
}

impl Wanted {
    fn read(payload: Option<WithPayloadSelector>, vectors: Option<WithVectorsSelector>) -> Self {
        use with_payload_selector::SelectorOptions as P;
        use with_vectors_selector::SelectorOptions as V;
        let payload = payload.and_then(|p| p.selector_options);
        Self {
            payload: !matches!(payload, Some(P::Enable(false))),
            keys: match payload {
                Some(P::Include(include)) => Some(include.fields),
                _ => None,
            },
            vector: matches!(vectors.and_then(|v| v.selector_options), Some(V::Enable(true) | V::Include(_))),
        }
    }

    fn retrieve(&self, key: PointKey, point: &Point) -> RetrievedPoint {
        let vector = || VectorOutput {
            vector: Some(vector_output::Vector::Dense(DenseVector { data: point.vector.clone() })),
            ..VectorOutput::default()
        };
        let mut payload = if self.payload { point.payload.clone() } else { HashMap::new() };
        if let Some(keys) = &self.keys {
            payload.retain(|key, _| keys.contains(key));
        }
        RetrievedPoint {
            id: Some(key.write()),
            payload,
            vectors: self
                .vector
                .then(|| VectorsOutput { vectors_options: Some(vectors_output::VectorsOptions::Vector(vector())) }),
            ..RetrievedPoint::default()
        }
    }
}

fn scroll(data: &mut Data, ask: ScrollPoints) -> Result<ScrollResponse, Status> {
    let found = data.find(&ask.collection_name)?;
    let limit = ask.limit.unwrap_or(10) as usize;
    if limit == 0 {
        return Err(Status::invalid_argument("Limit cannot be 0"));
    }
    let from = match &ask.offset {
        Some(id) => PointKey::read(Some(id))?,
        None => PointKey::Num(0),
    };
    let wanted = Wanted::read(ask.with_payload, ask.with_vectors);
    let mut result = Vec::new();
    let mut next_page_offset = None;
    for (key, point) in found.points.range(from..) {
        if !fits(ask.filter.as_ref(), &point.payload)? {
            continue;
        }
        if result.len() == limit {
            next_page_offset = Some(key.write());
            break;
        }
        result.push(wanted.retrieve(*key, point));
    }
    Ok(ScrollResponse { next_page_offset, result, time: 0.0, usage: None })
}

fn get(data: &mut Data, ask: GetPoints) -> Result<GetResponse, Status> {
    let found = data.find(&ask.collection_name)?;
    let wanted = Wanted::read(ask.with_payload, ask.with_vectors);
    let mut result = Vec::new();
    for id in &ask.ids {
        let key = PointKey::read(Some(id))?;
        if let Some(point) = found.points.get(&key) {
            result.push(wanted.retrieve(key, point));
        }
    }
    Ok(GetResponse { result, time: 0.0, usage: None })
}

/// Nearest neighbours of a vector, and "random" points: evenly spread ones here, which a random choice may be.
fn query(data: &mut Data, ask: QueryPoints) -> Result<QueryResponse, Status> {
    let found = data.find(&ask.collection_name)?;
    let limit = ask.limit.unwrap_or(10) as usize;
    let chosen: Vec<(&PointKey, &Point, f32)> = match ask.query.and_then(|query| query.variant) {
        Some(query::Variant::Sample(_)) => {
            let step = found.points.len().div_ceil(limit.max(1)).max(1);
            found.points.iter().step_by(step).map(|(key, point)| (key, point, 0.0)).collect()
        }
        Some(query::Variant::Nearest(VectorInput { variant: Some(vector_input::Variant::Dense(wanted)) })) => {
            if wanted.data.len() as u64 != found.dimensions {
                return Err(Status::invalid_argument(format!(
                    "Wrong input: Vector dimension error: expected dim: {}, got {}",
                    found.dimensions,
                    wanted.data.len()
                )));
            }
            let mut all: Vec<_> =
                found.points.iter().map(|(key, point)| (key, point, cosine(&wanted.data, &point.vector))).collect();
            all.sort_by(|a, b| b.2.total_cmp(&a.2));
            all
        }
        _ => return Err(Status::unimplemented("the double only knows samples and neighbours of a vector")),
    };
    // Unlike a scroll, a query gives no payload unless asked.
    let payload = ask.with_payload.unwrap_or_else(|| false.into());
    let wanted = Wanted::read(Some(payload), ask.with_vectors);
    let result = chosen
        .into_iter()
        .take(limit)
        .map(|(key, point, score)| {
            let RetrievedPoint { id, payload, vectors, .. } = wanted.retrieve(*key, point);
            ScoredPoint { id, payload, vectors, score, ..ScoredPoint::default() }
        })
        .collect();
    Ok(QueryResponse { result, time: 0.0, usage: None })
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    (dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()) as f32
}

super::service! {
    Points {
        async fn upsert(
            &self,
            request: Request<UpsertPoints>,
        ) -> Result<Response<PointsOperationResponse>, Status> {
            self.answer(Call::Upsert, request, upsert).await
        }

        async fn delete(
            &self,
            request: Request<DeletePoints>,
        ) -> Result<Response<PointsOperationResponse>, Status> {
            self.answer(Call::DeletePoints, request, delete).await
        }

        async fn get(&self, request: Request<GetPoints>) -> Result<Response<GetResponse>, Status> {
            self.answer(Call::GetPoints, request, get).await
        }

        async fn scroll(&self, request: Request<ScrollPoints>) -> Result<Response<ScrollResponse>, Status> {
            self.answer(Call::Scroll, request, scroll).await
        }

        async fn count(&self, request: Request<CountPoints>) -> Result<Response<CountResponse>, Status> {
            self.answer(Call::Count, request, |data, ask| count(data, &ask)).await
        }

        async fn query(&self, request: Request<QueryPoints>) -> Result<Response<QueryResponse>, Status> {
            self.answer(Call::Query, request, query).await
        }
    }
    rest {
        update_vectors: UpdatePointVectors => PointsOperationResponse,
        delete_vectors: DeletePointVectors => PointsOperationResponse,
        set_payload: SetPayloadPoints => PointsOperationResponse,
        overwrite_payload: SetPayloadPoints => PointsOperationResponse,
        delete_payload: DeletePayloadPoints => PointsOperationResponse,
        clear_payload: ClearPayloadPoints => PointsOperationResponse,
        create_field_index: CreateFieldIndexCollection => PointsOperationResponse,
        delete_field_index: DeleteFieldIndexCollection => PointsOperationResponse,
        create_vector_name: CreateVectorNameRequest => PointsOperationResponse,
        delete_vector_name: DeleteVectorNameRequest => PointsOperationResponse,
        search: SearchPoints => SearchResponse,
        search_batch: SearchBatchPoints => SearchBatchResponse,
        search_groups: SearchPointGroups => SearchGroupsResponse,
        recommend: RecommendPoints => RecommendResponse,
        recommend_batch: RecommendBatchPoints => RecommendBatchResponse,
        recommend_groups: RecommendPointGroups => RecommendGroupsResponse,
        discover: DiscoverPoints => DiscoverResponse,
        discover_batch: DiscoverBatchPoints => DiscoverBatchResponse,
        update_batch: UpdateBatchPoints => UpdateBatchResponse,
        query_batch: QueryBatchPoints => QueryBatchResponse,
        query_groups: QueryPointGroups => QueryGroupsResponse,
        facet: FacetCounts => FacetResponse,
        search_matrix_pairs: SearchMatrixPoints => SearchMatrixPairsResponse,
        search_matrix_offsets: SearchMatrixPoints => SearchMatrixOffsetsResponse,
    }
}

//! Points.

use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::points_server::Points;
use qdrant_client::qdrant::{
    CountPoints, CountResponse, CountResult, DeletePoints, DenseVector, GetPoints, GetResponse,
    PointsOperationResponse, RetrievedPoint, ScrollPoints, ScrollResponse, UpdateResult, UpdateStatus, UpsertPoints,
    Vector, VectorOutput, Vectors, VectorsOutput, WithPayloadSelector, WithVectorsSelector, vector, vector_output,
    vectors, vectors_output, with_payload_selector, with_vectors_selector,
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
#[derive(Clone, Copy)]
struct Wanted {
    payload: bool,
    vector: bool,
}

impl Wanted {
    fn read(payload: Option<WithPayloadSelector>, vectors: Option<WithVectorsSelector>) -> Self {
        use with_payload_selector::SelectorOptions as P;
        use with_vectors_selector::SelectorOptions as V;
        Self {
            payload: !matches!(payload.and_then(|p| p.selector_options), Some(P::Enable(false))),
            vector: matches!(vectors.and_then(|v| v.selector_options), Some(V::Enable(true) | V::Include(_))),
        }
    }

    fn retrieve(self, key: PointKey, point: &Point) -> RetrievedPoint {
        let vector = || VectorOutput {
            vector: Some(vector_output::Vector::Dense(DenseVector { data: point.vector.clone() })),
            ..VectorOutput::default()
        };
        RetrievedPoint {
            id: Some(key.write()),
            payload: if self.payload { point.payload.clone() } else { Default::default() },
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
        query: QueryPoints => QueryResponse,
        query_batch: QueryBatchPoints => QueryBatchResponse,
        query_groups: QueryPointGroups => QueryGroupsResponse,
        facet: FacetCounts => FacetResponse,
        search_matrix_pairs: SearchMatrixPoints => SearchMatrixPairsResponse,
        search_matrix_offsets: SearchMatrixPoints => SearchMatrixOffsetsResponse,
    }
}

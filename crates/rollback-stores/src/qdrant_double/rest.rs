//! The REST interface beside gRPC, as far as backups need it: collections, and snapshots with their bytes.

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, Multipart, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use qdrant_client::qdrant::Distance;
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::Shared;
use super::faults::{Call, Misbehaviour};
use super::snapshot::{Stored, sha256};

pub(super) fn router(shared: Shared) -> Router {
    let named = "/collections/{collection}/snapshots/{snapshot}";
    Router::new()
        .route("/collections", get(list))
        .route("/collections/{collection}", get(info).put(create).delete(delete))
        .route("/collections/{collection}/snapshots", get(list_snapshots).post(make_snapshot))
        .route("/collections/{collection}/snapshots/upload", post(upload))
        .route(named, get(download).delete(delete_snapshot))
        .layer(middleware::from_fn_with_state(shared.clone(), check_key))
        // Health needs no key, and says nothing about the collections.
        .route("/healthz", get(async || "healthz check passed"))
        .route("/readyz", get(async || "all shards are ready"))
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

/// A wrong key is answered in plain text.
async fn check_key(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let given = request.headers().get("api-key").map(|key| key.as_bytes());
    match &shared.api_key {
        Some(wanted) if given != Some(wanted.as_bytes()) => {
            (StatusCode::UNAUTHORIZED, "Must provide an API key or an Authorization bearer token").into_response()
        }
        _ => next.run(request).await,
    }
}

type Answer = Result<Json<Value>, Refusal>;

/// An error in the server's form.
struct Refusal(Status);

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let code = match self.0.code() {
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::AlreadyExists => StatusCode::CONFLICT,
            Code::InvalidArgument => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (code, Json(json!({"status": {"error": self.0.message()}, "time": 0.0}))).into_response()
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self(status)
    }
}

fn ok(result: Value) -> Answer {
    Ok(Json(json!({"result": result, "status": "ok", "time": 0.0})))
}

fn bad(text: impl Into<String>) -> Refusal {
    Refusal(Status::invalid_argument(text))
}

async fn list(State(shared): State<Shared>) -> Answer {
    let names: Vec<_> = shared.lock().collections.keys().map(|name| json!({"name": name})).collect();
    ok(json!({"collections": names}))
}

async fn info(State(shared): State<Shared>, Path(collection): Path<String>) -> Answer {
    let mut data = shared.lock();
    let found = data.find(&collection)?;
    ok(json!({
        "status": found.status.as_str_name().to_ascii_lowercase(),
        "points_count": found.points.len(),
        "config": {"params": {"vectors": {"size": found.dimensions, "distance": "Cosine"}}},
    }))
}

async fn create(State(shared): State<Shared>, Path(collection): Path<String>, Json(ask): Json<Value>) -> Answer {
    let size = ask.pointer("/vectors/size").and_then(Value::as_u64).ok_or_else(|| bad("vectors.size is missing"))?;
    if ask.pointer("/vectors/distance").and_then(Value::as_str) != Some("Cosine") {
        return Err(bad("the double only knows the distance Cosine"));
    }
    shared.lock().create_collection(&collection, size, Distance::Cosine.into())?;
    ok(json!(true))
}

async fn delete(State(shared): State<Shared>, Path(collection): Path<String>) -> Answer {
    ok(json!(shared.lock().delete_collection(&collection)))
}

fn describe(stored: &Stored) -> Value {
    json!({"name": stored.name, "size": stored.bytes, "creation_time": null, "checksum": stored.checksum})
}

async fn make_snapshot(State(shared): State<Shared>, Path(collection): Path<String>) -> Answer {
    let stored = shared.lock().make_snapshot(&collection)?;
    ok(describe(&stored))
}

async fn list_snapshots(State(shared): State<Shared>, Path(collection): Path<String>) -> Answer {
    let stored = shared.lock().list_snapshots(&collection)?;
    ok(stored.iter().map(describe).collect())
}

async fn download(
    State(shared): State<Shared>,
    Path((collection, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let misbehaviour = shared.begin(Call::DownloadSnapshot);
    let mut bytes = shared.lock().snapshot_bytes(&collection, &name)?;
    let size = bytes.len();
    let mut end = None;
    match misbehaviour {
        Some(Misbehaviour::Cut) => {
            bytes.truncate(size / 2);
            end = Some(Err(std::io::Error::other("cut")));
        }
        Some(Misbehaviour::Flip) => {
            if let Some(byte) = bytes.get_mut(size / 2) {
                *byte ^= 1;
            }
        }
        other => misbehave(other).await?,
    }
    let parts = std::iter::once(Ok(bytes)).chain(end);
    let body = Body::from_stream(futures::stream::iter(parts));
    Ok(([(CONTENT_LENGTH, size)], body).into_response())
}

/// Fails, hangs or waits, if told to.
async fn misbehave(misbehaviour: Option<Misbehaviour>) -> Result<(), Refusal> {
    match misbehaviour {
        None | Some(Misbehaviour::FailAfterwards(..)) => Ok(()),
        Some(Misbehaviour::Fail(code, text)) => Err(Refusal(Status::new(code, text))),
        Some(Misbehaviour::Hang) => std::future::pending().await,
        Some(Misbehaviour::Hold(gate)) => {
            gate.pass().await;
            Ok(())
        }
        Some(Misbehaviour::Cut | Misbehaviour::Flip) => Err(Refusal(Status::internal("only a download can do that"))),
    }
}

async fn delete_snapshot(State(shared): State<Shared>, Path((collection, name)): Path<(String, String)>) -> Answer {
    shared.lock().delete_snapshot(&collection, &name)?;
    ok(json!(true))
}

/// Recovers at once. With `wait=true` the answer tells how it went; without, it is 202 whatever happens.
async fn upload(
    State(shared): State<Shared>,
    Path(collection): Path<String>,
    Query(ask): Query<HashMap<String, String>>,
    mut form: Multipart,
) -> Response {
    let answer = match receive(&shared, &mut form).await {
        Ok((name, bytes, misbehaviour)) => {
            let restored = recover(&shared, &collection, &ask, &name, bytes);
            match (restored, misbehaviour) {
                (Ok(_), Some(Misbehaviour::FailAfterwards(code, text))) => Err(Refusal(Status::new(code, text))),
                (restored, _) => restored,
            }
        }
        Err(refusal) => Err(refusal),
    };
    if ask.get("wait").is_some_and(|wait| wait == "false") {
        return StatusCode::ACCEPTED.into_response();
    }
    answer.into_response()
}

/// The file's name and bytes, and what is still to go wrong.
async fn receive(shared: &Shared, form: &mut Multipart) -> Result<(String, Vec<u8>, Option<Misbehaviour>), Refusal> {
    let cut = |error: MultipartError| bad(error.to_string());
    let field = form.next_field().await.map_err(cut)?;
    let Some(mut field) = field.filter(|field| field.name() == Some("snapshot")) else {
        return Err(bad("the field `snapshot` is missing"));
    };
    let name = field.file_name().unwrap_or("upload.snapshot").to_owned();
    let mut bytes = field.chunk().await.map_err(cut)?.unwrap_or_default().to_vec();
    let misbehaviour = shared.begin(Call::UploadSnapshot);
    misbehave(misbehaviour.clone()).await?;
    while let Some(more) = field.chunk().await.map_err(cut)? {
        bytes.extend_from_slice(&more);
    }
    Ok((name, bytes, misbehaviour))
}

fn recover(shared: &Shared, collection: &str, ask: &HashMap<String, String>, name: &str, bytes: Vec<u8>) -> Answer {
    let found = sha256(&bytes);
    if let Some(wanted) = ask.get("checksum").filter(|wanted| **wanted != found) {
        // The real message names the two the wrong way round as well.
        return Err(bad(format!("Wrong input: Snapshot checksum mismatch: expected {found}, got {wanted}")));
    }
    shared.lock().restore(collection, name, bytes)?;
    ok(json!(true))
}

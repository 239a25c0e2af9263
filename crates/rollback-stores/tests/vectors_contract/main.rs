//! One suite for every adapter of `VectorStore`. The test that runs it says at run time on which stores: the embedded
//! one and the double always, a real Qdrant when `STEPBACK_TEST_QDRANT_URL` names one (key in
//! `STEPBACK_TEST_QDRANT_API_KEY`, REST in `STEPBACK_TEST_QDRANT_REST_URL` unless on port 6333 of the same host).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "these functions serve tests only")]

mod double_rest;
mod embedded_faults;
mod embedded_snapshots;
mod qdrant_faults;
mod snapshot_faults;
mod snapshots;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use rollback::store::{Alias, CollectionStatus, Fault, Removal, StoreError, VectorStore};
use rollback_stores::embedded_vectors::EmbeddedVectors;
use rollback_stores::qdrant::{QdrantConfig, QdrantVectors};
use rollback_stores::qdrant_double::QdrantDouble;
use rollback_stores::secret::Secret;
use rollback_stores::vector_point::VectorPoint;
use rollback_types::StoreKind;
use serde_json::{Map, Value};

const DIMENSIONS: u32 = 8;

/// Points of one version: distinct ids, vectors that differ, and payload with every kind of JSON.
fn points(version: &str, numbers: std::ops::Range<u32>) -> Vec<VectorPoint> {
    numbers
        .map(|number| {
            let chunk = format!("bailey:ch{}:{number}", number % 9);
            let mut more = Map::new();
            more.insert("text".to_owned(), Value::from("Straße \"quoted\" \\ \n end"));
            more.insert("page".to_owned(), Value::from(number));
            more.insert("bounds".to_owned(), serde_json::json!([1.5, null, {"deep": true}]));
            let vector = (0..DIMENSIONS).map(|axis| (number * 7 + axis) as f32 + 0.25).collect();
            VectorPoint::of_chunk(&chunk, Some(version), more, vector)
        })
        .collect()
}

/// How a store is filled: not part of the trait, because the rollback never does it.
enum Bench<'a> {
    Embedded(&'a EmbeddedVectors),
    Qdrant(&'a QdrantVectors),
}

impl Bench<'_> {
    fn store(&self) -> &dyn VectorStore {
        match self {
            Self::Embedded(store) => *store,
            Self::Qdrant(store) => *store,
        }
    }

    async fn load(&self, collection: &str, points: Vec<VectorPoint>) -> Result<(), StoreError> {
        let many = points.len() as u64;
        match self {
            Self::Embedded(store) => {
                store.create_collection(collection, DIMENSIONS).await?;
                assert_eq!(store.insert_points(collection, points).await?, many);
            }
            Self::Qdrant(store) => {
                assert_eq!(store.load_collection(collection, u64::from(DIMENSIONS), points).await?, many);
            }
        }
        Ok(())
    }

    async fn set_alias(&self, alias: &str, collection: &str) -> Result<(), StoreError> {
        match self {
            Self::Embedded(store) => store.set_alias(alias, collection).await,
            Self::Qdrant(store) => store.set_alias(alias, collection).await,
        }
    }

    async fn remove_alias(&self, alias: &str) -> Result<(), StoreError> {
        match self {
            Self::Embedded(store) => store.remove_alias(alias).await,
            Self::Qdrant(store) => store.remove_alias(alias).await,
        }
    }
}

/// Names that no other run uses, so that the suite can run on a server in use.
struct Names {
    production: String,
    staging: String,
    odd: String,
    latest: String,
}

impl Names {
    fn unique() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let unique = format!("stepback_test_{}_{}", std::process::id(), now.as_nanos());
        Self {
            production: format!("{unique}_chunks"),
            staging: format!("{unique}_chunks_staging"),
            odd: format!("{unique} odd 'name` ünï"),
            latest: format!("{unique}_latest"),
        }
    }
}

/// Runs the suites and removes what they made, whether they passed or not: the server may be in use.
async fn contract(bench: &Bench<'_>) {
    let names = Names::unique();
    guarded(bench, &names, suite(bench, &names)).await;
    let folder = tempfile::tempdir().unwrap();
    let names = Names::unique();
    guarded(bench, &names, snapshots::suite(bench, &names, folder.path())).await;
}

async fn guarded(bench: &Bench<'_>, names: &Names, suite: impl Future<Output = Result<(), StoreError>>) {
    let outcome = AssertUnwindSafe(suite).catch_unwind().await;
    // Removing again what the suite removed must do no harm.
    let alias = bench.remove_alias(&names.latest).await;
    let mut removals = Vec::new();
    for collection in [&names.production, &names.staging, &names.odd] {
        removals.push(bench.store().delete_collection(collection, u64::MAX).await);
    }
    match outcome {
        Ok(outcome) => outcome.unwrap(),
        Err(panic) => std::panic::resume_unwind(panic),
    }
    alias.unwrap();
    for removal in removals {
        removal.unwrap();
    }
}

async fn suite(bench: &Bench<'_>, names: &Names) -> Result<(), StoreError> {
    let store = bench.store();
    let Names { production, staging, odd, latest } = names;

    let missing = "stepback_test_no_such_collection";
    bench.load(production, points("production", 0..2_345)).await?;
    let mut staged = points("v2_minor_20251226_143022", 2_000..2_100);
    staged.extend(points("v3_minor_20260101_000000", 2_100..2_130));
    bench.load(staging, staged).await?;
    bench.load(odd, Vec::new()).await?;
    bench.set_alias(latest, production).await?;

    // What there is.
    let probe = store.probe().await?;
    assert!(probe.version.is_some_and(|version| !version.is_empty()));
    assert!(probe.detail.contains("collections"), "{}", probe.detail);
    let collections = store.collections().await?;
    assert!(collections.is_sorted());
    for name in [production, staging, odd] {
        assert!(collections.contains(name), "{name}");
    }
    assert!(!collections.contains(latest), "an alias is no collection");
    let alias = Alias { alias: latest.clone(), collection: production.clone() };
    assert!(store.aliases().await?.contains(&alias));

    // Counts are exact, and no alias is followed.
    assert_eq!(store.count(production).await?, Some(2_345));
    assert_eq!(store.count(staging).await?, Some(130));
    assert_eq!(store.count(odd).await?, Some(0));
    assert_eq!(store.count(missing).await?, None);
    assert_eq!(store.count(latest).await?, None, "an alias was followed");
    assert_eq!(store.count_of_version(staging, "v2_minor_20251226_143022").await?, 100);
    assert_eq!(store.count_of_version(staging, "v3_minor_20260101_000000").await?, 30);
    assert_eq!(store.count_of_version(staging, "v2_minor_20251226").await?, 0, "a prefix is another version");
    assert_eq!(store.count_of_version(staging, "' OR 1=1 --").await?, 0);
    for name in [latest.as_str(), missing] {
        assert_eq!(store.count_of_version(name, "production").await.map_err(|e| e.fault), Err(Fault::Missing));
    }

    // Ids as a set.
    let expected = points("any", 0..2_345)
        .iter()
        .map(|point| backup_formats::qdrant_snapshot::PointId::Uuid(point.id.into_bytes()))
        .collect::<Vec<_>>();
    assert_eq!(store.id_fingerprint(production).await?, Some(expected.iter().collect()));
    assert_eq!(store.id_fingerprint(odd).await?.map(|ids| ids.count), Some(0));
    assert_eq!(store.id_fingerprint(latest).await?, None);
    assert_eq!(store.id_fingerprint(missing).await?, None);

    // At rest, or still indexing on a real server.
    assert!(matches!(store.status(production).await?, Some(CollectionStatus::Ready | CollectionStatus::Busy)));
    let shape = store.shape(production).await?.expect("one kind of vectors");
    let length = store.sample(production, 1).await?[0].vector.len() as u64;
    assert_eq!((shape.size, shape.distance.as_str()), (length, "Cosine"));
    assert_eq!((store.shape(latest).await?, store.shape(missing).await?), (None, None), "an alias is no collection");
    assert_eq!(store.status(latest).await?, None);
    assert_eq!(store.status(missing).await?, None);

    // Deleting: never an alias, never what an alias points to, nothing that has no business in a name.
    let faults = [(latest.as_str(), Fault::Refused), (production, Fault::Changed), ("", Fault::Refused)];
    for (name, fault) in faults.into_iter().chain([("a/../b", Fault::Refused), ("a\nb", Fault::Refused)]) {
        let error = store.delete_collection(name, u64::MAX).await.expect_err("must be refused");
        assert_eq!((error.fault, error.store), (fault, StoreKind::Qdrant), "{name:?}: {error}");
    }
    assert_eq!(store.count("a/b").await.map_err(|e| e.fault), Err(Fault::Refused));
    assert_eq!(store.delete_collection(missing, u64::MAX).await?, Removal::Absent);
    assert_eq!(store.count(production).await?, Some(2_345));

    assert_eq!(store.delete_collection(staging, u64::MAX).await?, Removal::Removed(130));
    assert_eq!(store.count(staging).await?, None);
    assert!(!store.collections().await?.contains(staging));
    assert_eq!(store.delete_collection(staging, u64::MAX).await?, Removal::Absent, "safe to repeat");
    assert_eq!(store.delete_collection(odd, u64::MAX).await?, Removal::Removed(0));

    // All else is as before.
    assert_eq!(store.count(production).await?, Some(2_345));
    assert!(store.aliases().await?.contains(&alias));

    bench.remove_alias(latest).await?;
    assert_eq!(store.delete_collection(production, u64::MAX).await?, Removal::Removed(2_345));
    let left: Vec<_> =
        store.collections().await?.into_iter().filter(|name| [production, staging, odd].contains(&name)).collect();
    assert_eq!(left, Vec::<String>::new());
    Ok(())
}

fn patient(url: String) -> QdrantConfig {
    QdrantConfig { request_timeout: Duration::from_secs(30), ..QdrantConfig::new(url) }
}

#[tokio::test]
async fn every_vector_store_keeps_the_contract_embedded_and_double_and_real_where_configured() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = EmbeddedVectors::new(folder.path().join("vectors.db"));
    assert_eq!(embedded.engine().name, "embedded");
    contract(&Bench::Embedded(&embedded)).await;
    println!("ran on: embedded");

    let double = QdrantDouble::start_with_key("open sesame".replace(' ', "_").as_str()).unwrap();
    let config = QdrantConfig {
        api_key: Some(Secret::new("open_sesame")),
        rest_url: Some(double.rest_url()),
        ..patient(double.grpc_url())
    };
    let store = QdrantVectors::new(config).unwrap();
    assert_eq!(store.engine().location, double.grpc_url());
    contract(&Bench::Qdrant(&store)).await;
    assert_eq!(double.collection_names(), Vec::<String>::new());
    println!("ran on: the double (real client, real gRPC)");

    match std::env::var("STEPBACK_TEST_QDRANT_URL") {
        Ok(url) => {
            let api_key = std::env::var("STEPBACK_TEST_QDRANT_API_KEY").ok().map(Secret::new);
            let rest_url = std::env::var("STEPBACK_TEST_QDRANT_REST_URL").ok();
            let store = QdrantVectors::new(QdrantConfig { api_key, rest_url, ..patient(url) }).unwrap();
            contract(&Bench::Qdrant(&store)).await;
            println!("ran on: a real Qdrant");
        }
        Err(_) => println!("not run on a real Qdrant: STEPBACK_TEST_QDRANT_URL is not set"),
    }
}

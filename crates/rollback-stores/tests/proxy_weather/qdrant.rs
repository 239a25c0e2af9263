//! Qdrant: the double over real gRPC and REST, each behind a proxy.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use rollback::store::{OnProgress, Removal, StoreError, VectorStore};
use rollback_stores::qdrant::{QdrantConfig, QdrantVectors};
use rollback_stores::qdrant_double::QdrantDouble;
use rollback_stores::vector_point::VectorPoint;
use sha2::{Digest, Sha256};

use crate::proxy::{Proxy, Weather};
use crate::{WEATHERS, in_time, is_weather, no_task_is_left};

const POINTS: u64 = 300;

/// A store whose way to the server goes through two proxies, and a collection of its own.
struct Line {
    grpc: Proxy,
    rest: Proxy,
    store: QdrantVectors,
    collection: String,
    folder: tempfile::TempDir,
}

impl Line {
    async fn to(double: &QdrantDouble, name: &str) -> Self {
        let (grpc, rest) = (Proxy::to(address(&double.grpc_url())).await, Proxy::to(address(&double.rest_url())).await);
        let config = QdrantConfig {
            rest_url: Some(format!("http://{}", rest.address)),
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(3),
            long_timeout: Duration::from_secs(4),
            ..QdrantConfig::new(format!("http://{}", grpc.address))
        };
        fill(double, name);
        let folder = tempfile::tempdir().unwrap();
        Self { grpc, rest, store: QdrantVectors::new(config).unwrap(), collection: name.to_owned(), folder }
    }

    async fn set(&self, weather: Weather) {
        for proxy in [&self.grpc, &self.rest] {
            proxy.set(weather);
            if weather == Weather::Refused {
                proxy.closed().await;
            }
        }
    }

    async fn heal(&self) {
        self.grpc.heal().await;
        self.rest.heal().await;
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("taken.snapshot")
    }
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

fn fill(double: &QdrantDouble, name: &str) {
    double.create_collection(name, 4);
    let points = (0..POINTS).map(|n| {
        let vector = vec![n as f32, 1.0, 2.0, 3.0];
        VectorPoint::of_chunk(&format!("book:{n}"), Some("v2"), Default::default(), vector)
    });
    assert!(double.upsert_points(name, points));
}

fn quiet() -> OnProgress {
    Arc::new(|_, _| {})
}

async fn restore(line: &Line, from: &Path) -> Result<(), StoreError> {
    let sha256 = hex::encode(Sha256::digest(std::fs::read(from).unwrap()));
    line.store.restore_snapshot(&line.collection, from, &sha256, quiet()).await
}

type Call = for<'a> fn(&'a Line, &'a Path) -> BoxFuture<'a, Result<(), StoreError>>;

/// Every call of the trait. The path is of a snapshot of such a collection.
const CALLS: [(&str, Call); 13] = [
    ("probe", |l, _| async { l.store.probe().await.map(drop) }.boxed()),
    ("collections", |l, _| async { l.store.collections().await.map(drop) }.boxed()),
    ("aliases", |l, _| async { l.store.aliases().await.map(drop) }.boxed()),
    ("count", |l, _| {
        async { l.store.count(&l.collection).await.map(|n| assert!(n.is_none_or(|n| n == POINTS))) }.boxed()
    }),
    ("count_of_version", |l, _| {
        async { l.store.count_of_version(&l.collection, "v2").await.map(|n| assert_eq!(n, POINTS)) }.boxed()
    }),
    ("id_fingerprint", |l, _| {
        async { l.store.id_fingerprint(&l.collection).await.map(|ids| assert_eq!(ids.unwrap().count, POINTS)) }.boxed()
    }),
    ("status", |l, _| async { l.store.status(&l.collection).await.map(drop) }.boxed()),
    ("points", |l, _| {
        async {
            let all: Vec<_> = l.store.points(&l.collection).try_collect().await?;
            assert_eq!(all.len() as u64, POINTS, "half a list is no list");
            Ok(())
        }
        .boxed()
    }),
    ("sample", |l, _| async { l.store.sample(&l.collection, 20).await.map(drop) }.boxed()),
    ("nearest", |l, _| async { l.store.nearest(&l.collection, &[1.0; 4], 3).await.map(drop) }.boxed()),
    ("delete_collection", |l, _| {
        async {
            match l.store.delete_collection(&l.collection, POINTS).await? {
                Removal::Removed(n) => assert_eq!(n, POINTS),
                Removal::Absent => {}
            }
            Ok(())
        }
        .boxed()
    }),
    ("take_snapshot", |l, _| {
        async { l.store.take_snapshot(&l.collection, &l.file(), quiet()).await.map(drop) }.boxed()
    }),
    ("restore_snapshot", |l, from| restore(l, from).boxed()),
];

/// A call in bad weather, and once more in clear weather.
async fn comes_through(double: &QdrantDouble, kept: &Path, name: &str, call: Call, weather: Weather, warm: bool) {
    let line = Line::to(double, &format!("{name}_{}_{warm}", format!("{weather:?}").replace(['(', ')'], "_"))).await;
    if warm {
        // With a connection in use, as in the middle of a run.
        line.store.probe().await.unwrap();
    }
    line.set(weather).await;
    let result = in_time(name, call(&line, kept)).await;
    let succeeded = result.is_ok();
    is_weather(name, weather, result);
    line.heal().await;
    if name == "take_snapshot" {
        assert_eq!(line.file().exists(), succeeded, "half a file stays");
        if succeeded {
            std::fs::remove_file(line.file()).unwrap();
        }
    }
    if let Err(error) = in_time(name, call(&line, kept)).await {
        panic!("{name} after {weather:?}: {error}");
    }
    match name {
        "delete_collection" => assert_eq!(double.points(&line.collection), None),
        _ => assert_eq!(double.points(&line.collection), Some(usize::try_from(POINTS).unwrap()), "{name}"),
    }
}

async fn kept_snapshot(double: &QdrantDouble) -> (tempfile::TempDir, PathBuf) {
    let line = Line::to(double, "kept").await;
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.snapshot");
    line.store.take_snapshot("kept", &kept, quiet()).await.unwrap();
    (folder, kept)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_comes_through_every_weather() {
    let double = QdrantDouble::start().unwrap();
    let (_folder, kept) = kept_snapshot(&double).await;
    let cases = CALLS.iter().flat_map(|call| WEATHERS.map(|weather| (call, weather)));
    let cases = cases.flat_map(|(call, weather)| [(call, weather, false), (call, weather, true)]);
    stream::iter(cases)
        .for_each_concurrent(16, |((name, call), weather, warm)| {
            comes_through(&double, &kept, name, *call, weather, warm)
        })
        .await;
    no_task_is_left().await;
}

/// The bytes of a snapshot travel over REST: its weather alone, in the middle of the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_cut_on_its_way_is_taken_and_restored_the_next_time() {
    let double = QdrantDouble::start().unwrap();
    let (_folder, kept) = kept_snapshot(&double).await;
    let bytes = std::fs::metadata(&kept).unwrap().len();
    let weathers = [
        Weather::Refused,
        Weather::Silence,
        Weather::NoAnswer,
        Weather::ResetOnAnswer,
        Weather::ResetAfter(bytes / 2),
        Weather::HalfAnswer(bytes / 2),
        Weather::HalfClosed(bytes / 2),
    ];
    stream::iter(weathers.into_iter().flat_map(|weather| [(weather, true), (weather, false)]))
        .for_each_concurrent(16, |(weather, taking)| {
            let (double, kept) = (&double, &kept);
            async move {
                let name = format!("snapshot_{taking}_{}", format!("{weather:?}").replace(['(', ')'], "_"));
                let line = Line::to(double, &name).await;
                line.rest.set(weather);
                if weather == Weather::Refused {
                    line.rest.closed().await;
                }
                if taking {
                    let taken = in_time(&name, line.store.take_snapshot(&name, &line.file(), quiet())).await;
                    is_weather(&name, weather, taken.map(drop));
                    assert!(!line.file().exists(), "{name}: half a file stays");
                    line.rest.heal().await;
                    let taken = in_time(&name, line.store.take_snapshot(&name, &line.file(), quiet())).await;
                    assert_eq!(taken.unwrap().bytes, std::fs::metadata(line.file()).unwrap().len());
                } else {
                    // The answer of a restore is short: half of it is none of it.
                    let short = match weather {
                        Weather::ResetAfter(_) => Weather::ResetAfter(20),
                        Weather::HalfAnswer(_) => Weather::HalfAnswer(20),
                        Weather::HalfClosed(_) => Weather::HalfClosed(20),
                        other => other,
                    };
                    line.rest.set(short);
                    let restored = in_time(&name, restore(&line, kept)).await;
                    is_weather(&name, short, restored);
                    line.rest.heal().await;
                    in_time(&name, restore(&line, kept)).await.unwrap();
                }
                assert_eq!(double.points(&name), Some(usize::try_from(POINTS).unwrap()), "{name}");
                assert_eq!(double.snapshot_names(&name), Vec::<String>::new(), "{name}: a file stays on the server");
            }
        })
        .await;
    no_task_is_left().await;
}

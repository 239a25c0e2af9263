//! The real adapter and client against a server that misbehaves.

use std::future::Future;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use qdrant_client::qdrant::CollectionStatus as WireStatus;
use rollback::store::{CollectionStatus, Fault, Removal, StoreError, VectorStore};
use rollback_stores::qdrant::{QdrantConfig, QdrantVectors};
use rollback_stores::qdrant_double::{Call, Misbehaviour, QdrantDouble};
use rollback_stores::secret::Secret;
use tonic::Code;

use super::points;
use super::snapshots::every_point;

/// A test that would hang fails instead.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("the adapter did not come back")
}

fn store(url: &str) -> QdrantVectors {
    QdrantVectors::new(QdrantConfig { request_timeout: Duration::from_secs(30), ..QdrantConfig::new(url) }).unwrap()
}

/// One that gives up on ordinary calls at once, and on a deletion late.
fn hasty(url: &str) -> QdrantVectors {
    QdrantVectors::new(QdrantConfig {
        request_timeout: Duration::from_secs(2),
        long_timeout: Duration::from_secs(60),
        ..QdrantConfig::new(url)
    })
    .unwrap()
}

pub(crate) fn fault<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Fault {
    answer.expect_err("must fail").fault
}

fn with_staging() -> QdrantDouble {
    let double = QdrantDouble::start().unwrap();
    double.create_collection("staging", 8);
    assert!(double.upsert_points("staging", points("v2", 0..40)));
    double
}

#[tokio::test]
async fn a_wrong_or_missing_key_is_found_by_the_probe_though_health_needs_none() {
    let double = QdrantDouble::start_with_key("right").unwrap();
    for key in [None, Some("wrong-key")] {
        let config = QdrantConfig { api_key: key.map(Secret::new), ..QdrantConfig::new(double.grpc_url()) };
        let store = QdrantVectors::new(config).unwrap();
        let error = in_time(store.probe()).await.unwrap_err();
        assert_eq!(error.fault, Fault::Authentication);
        assert_eq!(error.endpoint, double.grpc_url());
        let shown = format!("{error} {error:?} {} {store:?}", error.remedy());
        assert!(!shown.contains("wrong-key"), "{shown}");
    }
    assert_eq!(double.calls().first(), Some(&Call::HealthCheck));
    let config = QdrantConfig { api_key: Some(Secret::new("right")), ..QdrantConfig::new(double.grpc_url()) };
    let probe = in_time(QdrantVectors::new(config).unwrap().probe()).await.unwrap();
    assert_eq!(probe.version.as_deref(), Some("1.18.3"));
    assert_eq!(probe.detail, "0 collections, 0 aliases");
}

#[tokio::test]
async fn a_refused_port_is_unreachable_and_making_the_adapter_never_fails_on_it() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let store = store(&url);
    let error = in_time(store.probe()).await.unwrap_err();
    assert_eq!((error.fault, error.endpoint.as_str()), (Fault::Unreachable, url.as_str()));
    assert!(error.detail.contains("refused"), "{error}");
    assert!(error.remedy().contains("hybridflow-qdrant"), "{}", error.remedy());
    assert_eq!(fault(in_time(store.count("x")).await), Fault::Unreachable);
    assert_eq!(fault(in_time(store.delete_collection("x", u64::MAX)).await), Fault::Unreachable);
}

#[tokio::test]
async fn an_unknown_host_is_unreachable() {
    let error = in_time(store("http://no-such-host.invalid:6334").probe()).await.unwrap_err();
    // Without any name server the question itself may go unanswered.
    assert!(matches!(error.fault, Fault::Unreachable | Fault::TimedOut), "{error}");
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_times_out() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let store = hasty(&format!("http://{}", silent.local_addr().unwrap()));
    assert_eq!(fault(in_time(store.probe()).await), Fault::TimedOut);
    assert_eq!(fault(in_time(store.count("staging")).await), Fault::TimedOut);
}

#[tokio::test]
async fn what_does_not_speak_grpc_is_foreign() {
    let double = QdrantDouble::start().unwrap();
    let error = in_time(store(&double.rest_url()).collections()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Foreign, "{error}");
    let address = double.grpc_url().replace("http:", "https:");
    let error = in_time(store(&address).collections()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
    assert!(error.detail.contains("http or https"), "{error}");
}

#[tokio::test]
async fn a_server_gone_in_the_middle_is_unreachable_and_found_again_when_it_is_back() {
    let mut double = with_staging();
    let store = store(&double.grpc_url());
    assert_eq!(in_time(store.count("staging")).await, Ok(Some(40)));
    double.stop();
    for _ in 0..3 {
        assert_eq!(fault(in_time(store.count("staging")).await), Fault::Unreachable);
    }
    double.restart().unwrap();
    assert_eq!(in_time(store.count("staging")).await, Ok(Some(40)));
    assert_eq!(in_time(store.delete_collection("staging", u64::MAX)).await, Ok(Removal::Removed(40)));
}

#[tokio::test]
async fn a_server_killed_during_a_call_is_unreachable() {
    let mut double = with_staging();
    let store = store(&double.grpc_url());
    let gate = double.hold_next(Call::DeleteCollection);
    let (deleted, ()) = in_time(async {
        tokio::join!(store.delete_collection("staging", u64::MAX), async {
            gate.reached().await;
            double.stop();
        })
    })
    .await;
    assert_eq!(fault(deleted), Fault::Unreachable);
    assert_eq!(double.points("staging"), Some(40));
}

#[tokio::test]
async fn the_servers_codes_become_faults() {
    let double = with_staging();
    let store = store(&double.grpc_url());
    for (code, expected) in [
        (Code::Unauthenticated, Fault::Authentication),
        (Code::PermissionDenied, Fault::Authentication),
        (Code::ResourceExhausted, Fault::Busy),
        (Code::Internal, Fault::ServerFailed),
        (Code::InvalidArgument, Fault::Refused),
        (Code::DeadlineExceeded, Fault::TimedOut),
    ] {
        // Some codes make the client try a second time by itself.
        double.arm(Call::Count, 2, Misbehaviour::Fail(code, "armed".to_owned()));
        let error = in_time(store.count("staging")).await.unwrap_err();
        assert_eq!(error.fault, expected, "{code:?}: {error}");
        assert_eq!(error.detail, "armed");
        double.disarm();
    }
    double.fail_next(1, Code::Internal);
    assert_eq!(fault(in_time(store.aliases()).await), Fault::ServerFailed);
    assert_eq!(in_time(store.count("staging")).await, Ok(Some(40)));
}

#[tokio::test]
async fn a_collection_that_goes_away_between_two_calls_is_absent() {
    let double = with_staging();
    let store = store(&double.grpc_url());
    double.arm(Call::Count, 1, Misbehaviour::Fail(Code::NotFound, "gone".to_owned()));
    assert_eq!(in_time(store.count("staging")).await, Ok(None));
    double.arm(Call::CollectionInfo, 1, Misbehaviour::Fail(Code::NotFound, "gone".to_owned()));
    assert_eq!(in_time(store.status("staging")).await, Ok(None));

    // Another tool deletes it while our own deletion is on its way: the server says "ok, false".
    let gate = double.hold_next(Call::DeleteCollection);
    let (deleted, ()) = in_time(async {
        tokio::join!(store.delete_collection("staging", u64::MAX), async {
            gate.reached().await;
            assert!(double.drop_collection("staging"));
            gate.open();
        })
    })
    .await;
    assert_eq!(deleted, Ok(Removal::Absent));
}

#[tokio::test]
async fn an_error_after_the_deletion_is_an_error_and_the_repeat_finds_it_absent() {
    let double = with_staging();
    let store = store(&double.grpc_url());
    let misbehaviour = Misbehaviour::FailAfterwards(Code::Internal, "Service internal error".to_owned());
    double.arm(Call::DeleteCollection, 1, misbehaviour);
    assert_eq!(fault(in_time(store.delete_collection("staging", u64::MAX)).await), Fault::ServerFailed);
    assert_eq!(in_time(store.count("staging")).await, Ok(None));
    assert_eq!(in_time(store.delete_collection("staging", u64::MAX)).await, Ok(Removal::Absent));
}

#[tokio::test]
async fn a_slow_deletion_has_longer_than_an_ordinary_call() {
    let double = with_staging();
    double.set_status("staging", WireStatus::Yellow);
    let store = hasty(&double.grpc_url());
    let gate = double.hold_next(Call::DeleteCollection);
    let (deleted, ()) = in_time(async {
        tokio::join!(store.delete_collection("staging", u64::MAX), async {
            gate.reached().await;
            // An ordinary call begun after it has timed out by now, the deletion has not.
            double.arm(Call::ListCollections, 1, Misbehaviour::Hang);
            assert_eq!(fault(store.collections().await), Fault::TimedOut);
            gate.open();
        })
    })
    .await;
    assert_eq!(deleted, Ok(Removal::Removed(40)));
    assert_eq!(double.points("staging"), None);
}

#[tokio::test]
async fn an_alias_or_its_collection_is_refused_before_anything_is_asked_of_the_server() {
    let double = with_staging();
    double.set_alias("latest", "staging");
    let store = store(&double.grpc_url());
    assert_eq!(fault(in_time(store.delete_collection("latest", u64::MAX)).await), Fault::Refused);
    assert_eq!(fault(in_time(store.delete_collection("staging", u64::MAX)).await), Fault::Changed);
    assert!(!double.calls().contains(&Call::DeleteCollection));
    assert_eq!(double.points("staging"), Some(40));
}

#[tokio::test]
async fn the_servers_colours_become_states() {
    let double = with_staging();
    let store = store(&double.grpc_url());
    for (colour, expected) in [
        (WireStatus::Green, CollectionStatus::Ready),
        (WireStatus::Yellow, CollectionStatus::Busy),
        (WireStatus::Grey, CollectionStatus::Busy),
        (WireStatus::Red, CollectionStatus::Broken),
    ] {
        double.set_status("staging", colour);
        assert_eq!(in_time(store.status("staging")).await, Ok(Some(expected)));
        assert_eq!(in_time(store.count("staging")).await, Ok(Some(40)), "the info call's figure was taken");
    }
    double.set_status("staging", WireStatus::UnknownCollectionStatus);
    assert_eq!(fault(in_time(store.status("staging")).await), Fault::Unexpected);
}

#[tokio::test]
async fn ids_are_read_page_by_page() {
    let double = QdrantDouble::start().unwrap();
    double.create_collection("large", 8);
    // Two whole pages and one id more.
    assert!(double.upsert_points("large", points("v2", 0..20_001)));
    let store = store(&double.grpc_url());
    let ids: Vec<_> = points("v2", 0..20_001)
        .iter()
        .map(|point| backup_formats::qdrant_snapshot::PointId::Uuid(point.id.into_bytes()))
        .collect();
    assert_eq!(in_time(store.id_fingerprint("large")).await, Ok(Some(ids.iter().collect())));
    assert_eq!(double.calls().iter().filter(|call| **call == Call::Scroll).count(), 3);
    let read = in_time(every_point(&store, "large")).await.unwrap();
    let distinct: std::collections::BTreeSet<_> = read.iter().map(|point| &point.id).collect();
    assert_eq!((read.len(), distinct.len()), (20_001, 20_001));
    // The client tries a second time by itself.
    double.arm(Call::Scroll, 2, Misbehaviour::Fail(Code::Internal, "armed".to_owned()));
    assert_eq!(fault(in_time(every_point(&store, "large")).await), Fault::ServerFailed);

    let gate = double.hold_next(Call::Scroll);
    let (read, ()) = in_time(async {
        tokio::join!(store.id_fingerprint("large"), async {
            gate.reached().await;
            assert!(double.drop_collection("large"));
            gate.open();
        })
    })
    .await;
    assert_eq!(fault(read), Fault::Missing, "half a set of ids is no set");
}

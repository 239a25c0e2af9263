//! Snapshots to and from a Qdrant server that misbehaves, and what must not be touched there.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use qdrant_client::qdrant::CollectionStatus as WireStatus;
use rollback::store::{CopyTaken, Fault, StoreError, VectorStore};
use rollback_stores::qdrant::{QdrantConfig, QdrantVectors};
use rollback_stores::qdrant_double::{Call, Misbehaviour, QdrantDouble};
use rollback_stores::secret::Secret;
use tonic::Code;

use super::double_rest::http;
use super::qdrant_faults::{fault, in_time};
use super::snapshots::{Told, quiet, scattered, sha256_of};

struct Server {
    double: QdrantDouble,
    store: QdrantVectors,
    folder: tempfile::TempDir,
}

impl Server {
    fn with(change: impl FnOnce(&mut QdrantConfig)) -> Self {
        let double = QdrantDouble::start().unwrap();
        double.create_collection("chunks", 8);
        assert!(double.upsert_points("chunks", scattered("production", 0..500)));
        let mut config = QdrantConfig { rest_url: Some(double.rest_url()), ..QdrantConfig::new(double.grpc_url()) };
        config.request_timeout = Duration::from_secs(30);
        change(&mut config);
        Self { store: QdrantVectors::new(config).unwrap(), double, folder: tempfile::tempdir().unwrap() }
    }

    fn start() -> Self {
        Self::with(|_| {})
    }

    /// One that gives up soon, but not so soon that a busy machine would fail it.
    fn hasty() -> Self {
        Self::with(|config| {
            config.request_timeout = Duration::from_secs(5);
            config.long_timeout = Duration::from_secs(5);
        })
    }

    async fn take(&self, name: &str) -> Result<CopyTaken, StoreError> {
        in_time(self.store.take_snapshot("chunks", &self.folder.path().join(name), quiet())).await
    }

    async fn restore(&self, copy: &CopyTaken) -> Result<(), StoreError> {
        in_time(self.store.restore_snapshot("chunks", &copy.path, &copy.sha256, quiet())).await
    }

    /// A copy, and production changed since.
    async fn copy_then_change(&self) -> (CopyTaken, String) {
        let copy = self.take("copy.snapshot").await.unwrap();
        let before = self.double.content("chunks").unwrap();
        assert!(self.double.upsert_points("chunks", scattered("failed", 300..700)));
        (copy, before)
    }

    fn content(&self) -> String {
        self.double.content("chunks").unwrap()
    }

    fn left(&self) -> Vec<String> {
        self.double.snapshot_names("chunks")
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count()
    }

    fn fail(&self, call: Call, times: u32, code: Code, text: &str) {
        self.double.arm(call, times, Misbehaviour::Fail(code, text.to_owned()));
    }
}

#[tokio::test]
async fn every_payload_and_vector_comes_back_and_nothing_is_left_on_the_server() {
    let server = Server::start();
    let (copy, before) = server.copy_then_change().await;
    assert_eq!(server.left(), Vec::<String>::new());
    assert_ne!(server.content(), before);
    server.restore(&copy).await.unwrap();
    assert_eq!(server.content(), before);
    assert_eq!(server.left(), Vec::<String>::new());
}

#[tokio::test]
async fn snapshots_of_others_are_neither_overwritten_nor_removed() {
    let server = Server::start();
    let (copy, _) = server.copy_then_change().await;
    assert_eq!(http(&server.double, "POST", "/collections/chunks/snapshots", "", b"").0, 200);
    let theirs = server.left();
    assert_eq!(theirs.len(), 1);
    server.restore(&copy).await.unwrap();
    assert_eq!(server.left(), theirs);
}

#[tokio::test]
async fn two_snapshots_at_the_same_time_do_not_overwrite_each_other() {
    let server = Server::start();
    // The double's names never differ: as on a real server within one second.
    let (one, two) = tokio::join!(server.take("one"), server.take("two"));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.sha256, two.sha256);
    assert_eq!(sha256_of(&two.path), two.sha256);
    assert_eq!(server.left(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_gone_in_the_middle_of_an_upload_is_an_error_and_a_retry_succeeds() {
    let mut server = Server::start();
    let (copy, before) = server.copy_then_change().await;
    let changed = server.content();
    let gate = server.double.hold_next(Call::UploadSnapshot);
    let restore = server.store.restore_snapshot("chunks", &copy.path, &copy.sha256, quiet());
    let (restored, ()) = in_time(async {
        tokio::join!(restore, async {
            gate.reached().await;
            server.double.stop();
        })
    })
    .await;
    let error = restored.unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
    assert!(error.detail.contains("may still be in the collection's list"), "{error}");
    assert_eq!(server.content(), changed);
    server.double.restart().unwrap();
    server.restore(&copy).await.unwrap();
    assert_eq!(server.content(), before);
    assert_eq!(server.left(), Vec::<String>::new());
}

#[tokio::test]
async fn a_broken_download_leaves_no_file_and_a_retry_succeeds() {
    let server = Server::start();
    for (misbehaviour, expected) in [
        (Misbehaviour::Cut, Fault::Unreachable),
        (Misbehaviour::Flip, Fault::Unexpected),
        (Misbehaviour::Fail(Code::Internal, "disk".to_owned()), Fault::ServerFailed),
        (Misbehaviour::Fail(Code::NotFound, "gone".to_owned()), Fault::Missing),
    ] {
        server.double.arm(Call::DownloadSnapshot, 1, misbehaviour);
        let error = server.take("copy.snapshot").await.unwrap_err();
        assert_eq!(error.fault, expected, "{error}");
        assert_eq!(error.endpoint, server.double.rest_url());
        assert_eq!((server.files(), server.left()), (0, Vec::new()), "{error}");
    }
    server.take("copy.snapshot").await.unwrap();
    assert_eq!(server.files(), 1);
}

#[tokio::test]
async fn a_server_that_hangs_times_out_both_ways() {
    let server = Server::hasty();
    server.double.arm(Call::DownloadSnapshot, 1, Misbehaviour::Hang);
    assert_eq!(fault(server.take("copy.snapshot").await), Fault::TimedOut);
    assert_eq!((server.files(), server.left()), (0, Vec::new()));
    let (copy, before) = server.copy_then_change().await;
    server.double.arm(Call::UploadSnapshot, 1, Misbehaviour::Hang);
    let error = server.restore(&copy).await.unwrap_err();
    assert_eq!(error.fault, Fault::TimedOut);
    assert!(error.detail.contains("may be done all the same"), "{error}");
    server.restore(&copy).await.unwrap();
    assert_eq!(server.content(), before);
}

#[tokio::test]
async fn an_error_of_the_server_harms_nothing_or_was_applied_all_the_same() {
    let server = Server::start();
    let (copy, before) = server.copy_then_change().await;
    let changed = server.content();
    server.fail(Call::UploadSnapshot, 1, Code::Internal, "Service internal error: no space");
    let error = server.restore(&copy).await.unwrap_err();
    assert_eq!(error.fault, Fault::ServerFailed, "{error}");
    assert!(error.detail.contains("no space"), "{error}");
    assert_eq!(server.content(), changed);

    let afterwards = Misbehaviour::FailAfterwards(Code::Internal, "Local shard 0 not found".to_owned());
    server.double.arm(Call::UploadSnapshot, 1, afterwards);
    assert_eq!(fault(server.restore(&copy).await), Fault::ServerFailed);
    assert_eq!(server.content(), before, "applied: the caller counts again");
    assert_eq!(server.left(), Vec::<String>::new(), "and still nothing stays");
}

#[tokio::test]
async fn a_wrong_checksum_is_told_the_right_way_round() {
    let server = Server::start();
    let (copy, _) = server.copy_then_change().await;
    let changed = server.content();
    let wrong = "0".repeat(64);
    let error = in_time(server.store.restore_snapshot("chunks", &copy.path, &wrong, quiet())).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused, "{error}");
    assert!(error.detail.contains(&format!("another SHA-256 than {wrong}")), "{error}");
    assert_eq!((server.content(), server.left()), (changed, Vec::new()));
}

#[tokio::test]
async fn vectors_of_another_size_are_refused_by_the_server_and_nothing_is_harmed() {
    let server = Server::start();
    let copy = server.take("copy.snapshot").await.unwrap();
    server.double.create_collection("narrow", 4);
    let restore = server.store.restore_snapshot("narrow", &copy.path, &copy.sha256, quiet());
    let error = in_time(restore).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused, "{error}");
    assert!(error.detail.contains("not compatible"), "{error}");
    assert_eq!(server.double.points("narrow"), Some(0));
    assert_eq!(server.double.snapshot_names("narrow"), Vec::<String>::new());
}

/// Reads a request's head.
fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).unwrap(), 1);
        head.push(byte[0]);
    }
}

#[tokio::test]
async fn a_refusal_before_the_whole_file_was_sent_is_understood() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
        let list = "HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{\"result\":{\"collections\":[]}}";
        stream.write_all(list.as_bytes()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 9\r\n\r\ntoo large").unwrap();
        // Not one byte of the file is read, and the connection stays open.
        stream
    });
    let server = Server::with(|config| config.rest_url = Some(proxy));
    let whole = Server::start();
    assert!(whole.double.upsert_points("chunks", scattered("more", 1_000..20_000)));
    let copy = whole.take("copy.snapshot").await.unwrap();
    let error = server.restore(&copy).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused, "{error}");
    assert!(error.detail.contains("413: too large"), "{error}");
    drop(answering.join().unwrap());
}

#[tokio::test]
async fn nothing_is_sent_while_the_collection_is_being_optimised() {
    let server = Server::start();
    let (copy, before) = server.copy_then_change().await;
    server.double.set_status("chunks", WireStatus::Yellow);
    let gate = server.double.hold_next(Call::CollectionInfo);
    let (restored, ()) = in_time(async {
        tokio::join!(server.restore(&copy), async {
            gate.reached().await;
            let second = server.double.hold_next(Call::CollectionInfo);
            gate.open();
            // It looked, found it busy, and looks again.
            second.reached().await;
            assert!(!server.double.calls().contains(&Call::UploadSnapshot));
            server.double.set_status("chunks", WireStatus::Green);
            second.open();
        })
    })
    .await;
    restored.unwrap();
    assert_eq!(server.content(), before);
}

#[tokio::test]
async fn a_collection_that_never_rests_is_restored_after_the_limit_and_a_broken_one_at_once() {
    let server = Server::hasty();
    let (copy, before) = server.copy_then_change().await;
    server.double.set_status("chunks", WireStatus::Grey);
    server.restore(&copy).await.unwrap();
    assert_eq!(server.content(), before);
    server.fail(Call::CollectionInfo, 1, Code::Internal, "Dirty shard 0");
    server.restore(&copy).await.unwrap();
    assert_eq!(server.left(), Vec::<String>::new());
}

#[tokio::test]
async fn a_moment_without_shards_after_the_swap_is_waited_out() {
    let server = Server::start();
    let (copy, before) = server.copy_then_change().await;
    server.fail(Call::DeleteSnapshot, 2, Code::Internal, "Local shard 0 not found");
    server.fail(Call::ListSnapshots, 2, Code::Internal, "Local shard 0 not found");
    server.restore(&copy).await.unwrap();
    assert_eq!((server.content(), server.left()), (before, Vec::new()));
}

#[tokio::test]
async fn an_upload_that_cannot_be_removed_is_no_failed_restore_and_swept_away_by_the_next() {
    let server = Server::start();
    let (copy, before) = server.copy_then_change().await;
    server.fail(Call::DeleteSnapshot, 4, Code::PermissionDenied, "read-only");
    server.restore(&copy).await.unwrap();
    assert_eq!((server.left().len(), server.content()), (1, before));
    server.restore(&copy).await.unwrap();
    assert_eq!(server.left(), Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_rest_address_is_found_before_anything_is_made_or_sent() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let good = Server::start();
    let (copy, _) = good.copy_then_change().await;
    let server = Server::with(|config| config.rest_url = Some(closed.clone()));
    let error = server.take("x").await.unwrap_err();
    assert_eq!((error.fault, error.endpoint.as_str()), (Fault::Unreachable, closed.as_str()), "{error}");
    assert!(error.detail.contains("refused") && error.detail.contains("qdrant.rest_url"), "{error}");
    assert_eq!(fault(server.restore(&copy).await), Fault::Unreachable);

    let server = Server::with(|config| config.rest_url = Some(config.url.clone()));
    for error in [server.take("x").await.unwrap_err(), server.restore(&copy).await.unwrap_err()] {
        assert!(matches!(error.fault, Fault::Foreign | Fault::Unreachable), "{error}");
    }
    for call in [Call::CreateSnapshot, Call::UploadSnapshot] {
        assert!(!server.double.calls().contains(&call));
    }
    let server = Server::with(|config| config.rest_url = Some(good.double.rest_url().replace("http:", "https:")));
    let error = server.take("x").await.unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
}

#[tokio::test]
async fn the_key_goes_over_rest_too_and_is_never_told() {
    let double = QdrantDouble::start_with_key("sesame-42").unwrap();
    let open = QdrantDouble::start().unwrap();
    open.create_collection("chunks", 8);
    let folder = tempfile::tempdir().unwrap();
    // gRPC to one that wants no key, REST to one that wants another: only REST refuses.
    let config = QdrantConfig {
        rest_url: Some(double.rest_url()),
        api_key: Some(Secret::new("wrong-key")),
        ..QdrantConfig::new(open.grpc_url())
    };
    let store = QdrantVectors::new(config).unwrap();
    let error = in_time(store.take_snapshot("chunks", &folder.path().join("x"), quiet())).await.unwrap_err();
    assert_eq!(error.fault, Fault::Authentication, "{error}");
    let shown = format!("{error} {error:?} {store:?}");
    assert!(!shown.contains("wrong-key"), "{shown}");
}

#[tokio::test]
async fn a_large_file_is_sent_in_pieces() {
    let server = Server::start();
    assert!(server.double.upsert_points("chunks", scattered("more", 1_000..8_000)));
    let (copy, before) = server.copy_then_change().await;
    let told = Told::default();
    in_time(server.store.restore_snapshot("chunks", &copy.path, &copy.sha256, told.sink())).await.unwrap();
    assert!(told.times() > 4, "{}", told.times());
    assert_eq!(server.content(), before);
    assert!(Path::new(&copy.path).exists());
}

//! The double's REST side: snapshots made, downloaded and restored behave as a real server's were measured to.

use std::io::{Read, Write};
use std::net::TcpStream;

use rollback_stores::qdrant_double::QdrantDouble;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::points;

/// One plain HTTP request; the status and the body.
pub(crate) fn http(double: &QdrantDouble, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let host = double.rest_url().replace("http://", "");
    let mut stream = TcpStream::connect(&host).unwrap();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let status = String::from_utf8_lossy(&answer[..end]).split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_off(end))
}

fn upload(double: &QdrantDouble, collection: &str, checksum: &str, file: &[u8]) -> u16 {
    let mut body =
        b"--edge\r\nContent-Disposition: form-data; name=\"snapshot\"; filename=\"up.snapshot\"\r\n\r\n".to_vec();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    let path = format!("/collections/{collection}/snapshots/upload?priority=snapshot&wait=true&checksum={checksum}");
    http(double, "POST", &path, "Content-Type: multipart/form-data; boundary=edge\r\n", &body).0
}

#[test]
fn a_snapshot_goes_round_and_a_wrong_checksum_harms_nothing() {
    let double = QdrantDouble::start().unwrap();
    double.create_collection("chunks", 8);
    assert!(double.upsert_points("chunks", points("production", 0..120)));
    double.set_alias("latest", "chunks");

    let (status, answer) = http(&double, "POST", "/collections/chunks/snapshots", "", b"");
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(status, 200);
    let name = answer["result"]["name"].as_str().unwrap().to_owned();
    let (status, file) = http(&double, "GET", &format!("/collections/chunks/snapshots/{name}"), "", b"");
    let checksum = hex::encode(Sha256::digest(&file));
    assert_eq!((status, answer["result"]["checksum"].as_str()), (200, Some(checksum.as_str())));

    // Through the alias: what it points to is restored, and the alias stays.
    assert!(double.upsert_points("chunks", points("failed", 120..200)));
    assert_eq!(upload(&double, "latest", &"0".repeat(64), &file), 400);
    assert_eq!(double.points("chunks"), Some(200));
    assert_eq!(upload(&double, "latest", &hex::encode(Sha256::digest(&file[..900])), &file[..900]), 500);
    assert_eq!(double.points("chunks"), Some(200));
    assert_eq!(upload(&double, "latest", &checksum, &file), 200);
    assert_eq!(double.points("chunks"), Some(120));
    assert_eq!(double.alias_pairs(), [("latest".to_owned(), "chunks".to_owned())]);

    // A missing collection is made; one of another size is refused.
    assert_eq!(upload(&double, "scratch", &checksum, &file), 200);
    assert_eq!(double.points("scratch"), Some(120));
    double.create_collection("narrow", 4);
    assert_eq!(upload(&double, "narrow", &checksum, &file), 400);

    let (status, answer) = http(&double, "DELETE", "/collections/no_such", "", b"");
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, &answer["result"]), (200, &Value::from(false)), "ok, and false");
    assert_eq!(http(&double, "GET", "/collections/no_such", "", b"").0, 404);
}

#[test]
fn rest_wants_the_key_but_for_health() {
    let double = QdrantDouble::start_with_key("right").unwrap();
    assert_eq!(http(&double, "GET", "/healthz", "", b"").0, 200);
    assert_eq!(http(&double, "GET", "/collections", "", b"").0, 401);
    assert_eq!(http(&double, "GET", "/collections", "api-key: right\r\n", b"").0, 200);
}

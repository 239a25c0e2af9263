use std::net::SocketAddr;

use axum::body::Bytes;
use axum::routing::get;
use futures::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::*;

const ASK: &[u8] = b"GET /short HTTP/1.1\r\nhost: x\r\n\r\n";

fn router() -> Router {
    let endless = || async {
        let part = Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 4096]));
        Body::from_stream(stream::repeat(part))
    };
    let quiet = || async {
        Body::from_stream(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b":\n\n")), ()))
        }))
    };
    Router::new().route("/short", get(|| async { "short" })).route("/endless", get(endless)).route("/quiet", get(quiet))
}

/// A client's end of a connection, the task that answers it, and what would stop the server.
fn connection() -> (DuplexStream, JoinHandle<()>, watch::Sender<bool>) {
    let (client, server) = duplex(16 * 1024);
    let (stop, stopping) = watch::channel(false);
    let peer = Peer { address: std::net::Ipv4Addr::LOCALHOST.into(), tls: false };
    (client, tokio::spawn(converse(server, peer, router(), stopping)), stop)
}

/// Reads the whole of the short answer.
async fn read_short(client: &mut (impl AsyncRead + Unpin)) {
    let mut read = Vec::new();
    while !read.ends_with(b"short") {
        assert_ne!(client.read_buf(&mut read).await.unwrap(), 0, "{}", String::from_utf8_lossy(&read));
    }
}

/// The connection has ended; an hour is longer than any time of ours.
async fn ended(answering: JoinHandle<()>) {
    tokio::time::timeout(Duration::from_secs(3_600), answering).await.expect("it ends").unwrap();
}

// The clock stands still but while all tasks wait: then it goes on to the next of what they wait for.

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_of_an_answer_is_let_go() {
    let (mut client, answering, _stop) = connection();
    client.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let begun = tokio::time::Instant::now();
    ended(answering).await;
    assert!(begun.elapsed() >= WRITE_TIME, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_is_not_let_go() {
    let (mut client, answering, _stop) = connection();
    client.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut part = [0; 16 * 1024];
    for _ in 0..20 {
        tokio::time::sleep(WRITE_TIME / 2).await;
        assert_ne!(client.read(&mut part).await.unwrap(), 0);
    }
    assert!(!answering.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_never_whole_and_a_connection_without_requests_are_closed() {
    for begun in [&b"GET /short HTTP/1.1\r\nhost"[..], b""] {
        let (mut client, answering, _stop) = connection();
        client.write_all(begun).await.unwrap();
        ended(answering).await;
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&said));
    }
    // One that was used and then stays idle, too.
    let (mut client, answering, _stop) = connection();
    client.write_all(ASK).await.unwrap();
    read_short(&mut client).await;
    ended(answering).await;
}

#[tokio::test(start_paused = true)]
async fn a_quiet_answer_that_is_read_goes_on() {
    let (mut client, answering, stop) = connection();
    client.write_all(b"GET /quiet HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut part = [0; 1024];
    for _ in 0..360 {
        assert_ne!(client.read(&mut part).await.unwrap(), 0, "an hour of it");
    }
    assert!(!answering.is_finished());
    drop((client, stop));
    ended(answering).await;
}

async fn server(most: usize, of_each: usize) -> (SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    let limits = Limits { most, addresses: Arc::new(Addresses::new(of_each, |_| false)) };
    tokio::spawn(answer(listener, None, router(), limits, stopping));
    (address, stop)
}

#[tokio::test]
async fn an_address_that_holds_all_it_may_gets_no_more_until_it_lets_go() {
    let (address, _stop) = server(100, 2).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(ASK).await.unwrap();
        read_short(&mut client).await;
        held.push(client);
    }
    let is_answered = async || {
        let mut one_more = TcpStream::connect(address).await.unwrap();
        let mut said = Vec::new();
        // The server may have closed it by now.
        let _written = one_more.write_all(ASK).await;
        matches!(one_more.read_buf(&mut said).await, Ok(n) if n > 0)
    };
    assert!(!is_answered().await);
    held.pop();
    while !is_answered().await {}
    drop(held);
}

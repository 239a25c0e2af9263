//! The accept loop: from a listener to requests, within limits.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

mod addresses;

pub(crate) use addresses::Addresses;

use crate::access::client::Peer;
use crate::tls::Certificate;

/// How long a client may take for a request's head, and leave a connection idle.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long a client may take nothing of an answer that waits for it.
const WRITE_TIME: Duration = Duration::from_secs(30);
#[cfg(target_os = "linux")]
/// How long sent bytes may stay without a sign of life: a machine that is gone is noticed by this.
const SILENCE_MS: u32 = 60_000;
/// How long the beginning of an encrypted connection may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;
/// Bytes of an answer that wait for the client, and of a head that is read.
const MAX_BUFFER: usize = 128 * 1024;
/// Headers of a request.
const MAX_HEADERS: usize = 64;
/// Before the next try when no connection can be accepted (too many open files).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How many connections are open at a time.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Of all; further ones wait in the system's queue.
    pub most: usize,
    /// Of each address; further ones are closed.
    pub addresses: Arc<Addresses>,
}

/// Answers connections within the limits until `stopping`, then lets the answers under way finish.
pub async fn answer(
    listener: TcpListener,
    tls: Option<Arc<Certificate>>,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.most));
    loop {
        let place = tokio::select! {
            () = stopped(&mut stopping) => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        // The semaphore is never closed.
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            () = stopped(&mut stopping) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let Some(own) = limits.addresses.enter(address.ip()) else {
                    tracing::debug!(from = %address.ip(), "a connection is closed: its address holds as many as it may");
                    continue;
                };
                let peer = Peer { address: address.ip(), tls: tls.is_some() };
                let (tls, router, stopping) = (tls.clone(), router.clone(), stopping.clone());
                tokio::spawn(async move {
                    begin(stream, tls, peer, router, stopping).await;
                    drop((own, place));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    // All places are free again when every connection has ended.
    if let Ok(all) = u32::try_from(limits.most) {
        let _ = places.acquire_many(all).await;
    }
}

async fn begin(
    stream: TcpStream,
    tls: Option<Arc<Certificate>>,
    peer: Peer,
    router: Router,
    stopping: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection is gone already");
        return;
    }
    // Without it a reader whose machine lost its power would hold its place for a quarter of an hour.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(&stream, SILENCE_MS) {
        tracing::debug!(%error, "a connection's time of silence could not be set");
    }
    let Some(tls) = tls else { return converse(stream, peer, router, stopping).await };
    match tokio::time::timeout(HANDSHAKE_TIME, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, peer, router, stopping).await,
        Ok(Err(error)) => tracing::debug!(%error, from = %peer.address, "an encrypted connection did not come about"),
        Err(_) => tracing::debug!(from = %peer.address, "an encrypted connection took too long to begin"),
    }
}

async fn converse<S>(stream: S, peer: Peer, router: Router, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME));
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, from = %peer.address, "a connection broke off");
    }
}

/// Resolves when the server stops, or its owner is gone.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

#[cfg(test)]
mod tests;

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
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::access::client::Peer;

/// How long a client may take for a request's head, and leave a connection idle.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long the beginning of an encrypted connection may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;
/// Headers of a request.
const MAX_HEADERS: usize = 64;
/// Before the next try when no connection can be accepted (too many open files).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Answers connections until `stopping`, then lets the answers under way finish. At most `most` are open at a time;
/// further ones wait in the system's queue.
pub async fn answer(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    most: usize,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(most));
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
                let peer = Peer { address: address.ip(), tls: tls.is_some() };
                let (tls, router, stopping) = (tls.clone(), router.clone(), stopping.clone());
                tokio::spawn(async move {
                    begin(stream, tls, peer, router, stopping).await;
                    drop(place);
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
    if let Ok(all) = u32::try_from(most) {
        let _ = places.acquire_many(all).await;
    }
}

async fn begin(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    peer: Peer,
    router: Router,
    stopping: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection is gone already");
        return;
    }
    let Some(tls) = tls else { return converse(stream, peer, router, stopping).await };
    match tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, peer, router, stopping).await,
        Ok(Err(error)) => tracing::debug!(%error, from = %peer.address, "an encrypted connection did not come about"),
        Err(_) => tracing::debug!(from = %peer.address, "an encrypted connection took too long to begin"),
    }
}

async fn converse<S>(stream: S, peer: Peer, router: Router, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
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
        .serve_connection(TokioIo::new(stream), service);
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

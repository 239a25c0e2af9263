//! A TCP proxy that makes bad weather between a client and a real server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What the proxy does to connections, old and new, until it is told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Bytes pass.
    Clear,
    /// Nothing listens; open connections are reset.
    Refused,
    /// Requests pass; with the first byte of an answer the connection is reset.
    ResetOnAnswer,
    /// So many bytes of answers pass in all, then connections are reset.
    ResetAfter(u64),
    /// Connections are taken and nothing passes either way.
    Silence,
    /// Requests pass and are carried out; no answer comes back.
    NoAnswer,
    /// So many bytes of answers pass in all, then nothing more.
    HalfAnswer(u64),
    /// The server's half is closed in good order after so many bytes of answers.
    HalfClosed(u64),
    /// So many bytes a second each way.
    Slow(u64),
    /// Every portion of an answer comes this much later.
    Late(Duration),
}

/// Listens until it is dropped; every connection ends with it.
pub struct Proxy {
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    answered: Arc<AtomicU64>,
    running: JoinHandle<()>,
}

impl Proxy {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, seen) = watch::channel(Weather::Clear);
        let answered = Arc::new(AtomicU64::new(0));
        let running = tokio::spawn(serve(listener, address, server, seen, answered.clone()));
        Self { address, weather, answered, running }
    }

    /// From now on; bytes of answers are counted anew.
    pub fn set(&self, weather: Weather) {
        self.answered.store(0, Ordering::SeqCst);
        self.weather.send_replace(weather);
    }

    /// Clear again, and waits until the port is open.
    pub async fn heal(&self) {
        self.set(Weather::Clear);
        while TcpStream::connect(self.address).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the port is closed, as [`Weather::Refused`] makes it.
    pub async fn closed(&self) {
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    server: SocketAddr,
    mut weather: watch::Receiver<Weather>,
    answered: Arc<AtomicU64>,
) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let now = *weather.borrow_and_update();
        match (now, &listener) {
            (Weather::Refused, _) => {
                listener = None;
                connections.shutdown().await;
                if weather.changed().await.is_err() {
                    return;
                }
            }
            (_, None) => listener = Some(TcpListener::bind(address).await.unwrap()),
            (_, Some(open)) => tokio::select! {
                accepted = open.accept() => {
                    let (client, _) = accepted.unwrap();
                    connections.spawn(pass(client, server, weather.clone(), answered.clone()));
                }
                changed = weather.changed() => if changed.is_err() { return },
            },
        }
    }
}

async fn pass(client: TcpStream, server: SocketAddr, weather: watch::Receiver<Weather>, answered: Arc<AtomicU64>) {
    let server = TcpStream::connect(server).await.unwrap();
    // Dropped without having sent all: the other side sees a reset and no end.
    client.set_zero_linger().unwrap();
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = requests(from_client, to_server, weather.clone()) => {}
        () = answers(from_server, to_client, weather, &answered) => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let now = wait_while(&mut weather, |w| w == Weather::Silence).await;
        if !send(&mut to, &buffer[..length], now).await {
            return;
        }
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    answered: &AtomicU64,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else {
            // The server is done. A reset now could take from the client what it has not read yet: let it close.
            let _ = to.shutdown().await;
            return std::future::pending().await;
        };
        let now = wait_while(&mut weather, |w| matches!(w, Weather::Silence | Weather::NoAnswer)).await;
        let before = answered.fetch_add(length as u64, Ordering::SeqCst);
        let room = |limit: u64| usize::try_from(limit.saturating_sub(before)).unwrap().min(length);
        match now {
            Weather::ResetOnAnswer | Weather::Refused => return,
            Weather::ResetAfter(limit) if room(limit) < length => {
                send(&mut to, &buffer[..room(limit)], now).await;
                return;
            }
            Weather::HalfClosed(limit) if room(limit) < length => {
                send(&mut to, &buffer[..room(limit)], now).await;
                let _ = to.shutdown().await;
                wait_while(&mut weather, |w| w == now).await;
                return;
            }
            Weather::HalfAnswer(limit) if room(limit) < length => {
                send(&mut to, &buffer[..room(limit)], now).await;
                wait_while(&mut weather, |w| w == now).await;
                // What was held back is lost: the line is of no more use.
                return;
            }
            Weather::Late(delay) => {
                tokio::time::sleep(delay).await;
                if !send(&mut to, &buffer[..length], now).await {
                    return;
                }
            }
            _ => {
                if !send(&mut to, &buffer[..length], now).await {
                    return;
                }
            }
        }
    }
}

/// `false`: nobody takes it.
async fn send(to: &mut OwnedWriteHalf, bytes: &[u8], weather: Weather) -> bool {
    let Weather::Slow(bytes_a_second) = weather else { return to.write_all(bytes).await.is_ok() };
    // A tenth of a second's worth at a time.
    for portion in bytes.chunks(usize::try_from(bytes_a_second / 10).unwrap().max(1)) {
        if to.write_all(portion).await.is_err() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    true
}

async fn wait_while(weather: &mut watch::Receiver<Weather>, stays: impl Fn(Weather) -> bool) -> Weather {
    let now = weather.wait_for(|now| !stays(*now)).await.ok().map(|now| *now);
    match now {
        Some(now) => now,
        // The proxy is gone; so is its connection, in a moment.
        None => std::future::pending().await,
    }
}

//! A stand-in for a Qdrant server, for tests: the real gRPC and part of the REST interface on free loopback ports,
//! over collections in memory. It behaves as a real 1.18 was measured to behave, faults included, and can be told to
//! fail, hang, stop and come back. Nothing is kept on disk.

mod data;
mod faults;
mod rest;
mod rpc;
mod snapshot;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qdrant_client::qdrant::{self, CollectionStatus};
use tokio::runtime::Runtime;
use tonic::Code;
use tonic::transport::server::TcpIncoming;

use crate::vector_point::VectorPoint;
use data::{Data, Point, PointKey};
pub use faults::{Call, Gate, Misbehaviour};

/// What the services share.
#[derive(Clone)]
struct Shared {
    data: Arc<Mutex<Data>>,
    api_key: Option<Arc<str>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call over REST, and says what it must do wrong.
    fn begin(&self, call: Call) -> Option<Misbehaviour> {
        let mut data = self.lock();
        data.seen.push(call);
        data.faults.take(call)
    }
}

/// The double. It runs in threads of its own, so that stopping it cuts every connection as a killed server would; the
/// data outlives a stop.
pub struct QdrantDouble {
    shared: Shared,
    grpc: SocketAddr,
    rest: SocketAddr,
    running: Option<Runtime>,
}

impl std::fmt::Debug for QdrantDouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QdrantDouble").field("grpc", &self.grpc).field("rest", &self.rest).finish_non_exhaustive()
    }
}

impl QdrantDouble {
    /// Starts one that wants no key.
    ///
    /// # Errors
    /// When no port or thread is to be had.
    pub fn start() -> io::Result<Self> {
        Self::start_with(None)
    }

    /// Starts one that wants this key with every call but health.
    ///
    /// # Errors
    /// When no port or thread is to be had.
    pub fn start_with_key(api_key: &str) -> io::Result<Self> {
        Self::start_with(Some(api_key.into()))
    }

    fn start_with(api_key: Option<Arc<str>>) -> io::Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (grpc, rest) = (TcpListener::bind(any)?, TcpListener::bind(any)?);
        let mut double = Self {
            shared: Shared { data: Arc::default(), api_key },
            grpc: grpc.local_addr()?,
            rest: rest.local_addr()?,
            running: None,
        };
        double.run(grpc, rest)?;
        Ok(double)
    }

    fn run(&mut self, grpc: TcpListener, rest: TcpListener) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("qdrant-double")
            .enable_all()
            .build()?;
        grpc.set_nonblocking(true)?;
        rest.set_nonblocking(true)?;
        {
            let _inside = runtime.enter();
            let incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(grpc)?).with_nodelay(Some(true));
            let server = rpc::router(&self.shared).serve_with_incoming(incoming);
            runtime.spawn(async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "the double's gRPC server ended");
                }
            });
            let listener = tokio::net::TcpListener::from_std(rest)?;
            let server = axum::serve(listener, rest::router(self.shared.clone()));
            runtime.spawn(async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "the double's REST server ended");
                }
            });
        }
        self.running = Some(runtime);
        Ok(())
    }

    /// Kills the server: every connection breaks, the ports are closed, the data stays.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.running.take() {
            runtime.shutdown_background();
        }
    }

    /// Starts a stopped server again on the same ports.
    ///
    /// # Errors
    /// When another program took a port meanwhile.
    pub fn restart(&mut self) -> io::Result<()> {
        self.stop();
        let (grpc, rest) = (bind_again(self.grpc)?, bind_again(self.rest)?);
        self.run(grpc, rest)
    }

    /// `http://127.0.0.1:<port>` of the gRPC side.
    pub fn grpc_url(&self) -> String {
        format!("http://{}", self.grpc)
    }

    /// `http://127.0.0.1:<port>` of the REST side.
    pub fn rest_url(&self) -> String {
        format!("http://{}", self.rest)
    }

    /// Makes an empty collection (cosine), or empties it.
    pub fn create_collection(&self, name: &str, dimensions: u64) {
        self.shared.lock().put_collection(name, dimensions, qdrant::Distance::Cosine.into());
    }

    /// Writes points into a collection; false when there is none of that name.
    pub fn upsert_points(&self, collection: &str, points: impl IntoIterator<Item = VectorPoint>) -> bool {
        let mut data = self.shared.lock();
        let Some(found) = data.collections.get_mut(collection) else { return false };
        for point in points {
            let payload: HashMap<_, _> = qdrant_client::Payload::from(point.payload).into();
            found.points.insert(PointKey::Uuid(point.id), Point { payload, vector: point.vector });
        }
        true
    }

    /// Another server that holds the same collections and aliases.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn copy_of(other: &Self) -> io::Result<Self> {
        let double = Self::start()?;
        let (collections, aliases) = {
            let data = other.shared.lock();
            (data.collections.clone(), data.aliases.clone())
        };
        let mut data = double.shared.lock();
        (data.collections, data.aliases) = (collections, aliases);
        drop(data);
        Ok(double)
    }

    /// Points an alias to a collection, whether there is one or not.
    pub fn set_alias(&self, alias: &str, collection: &str) {
        self.shared.lock().aliases.insert(alias.to_owned(), collection.to_owned());
    }

    /// Deletes a collection past the wire, as another tool would; false when there is none.
    pub fn drop_collection(&self, name: &str) -> bool {
        self.shared.lock().delete_collection(name)
    }

    /// What the collection says of itself; *green* unless set.
    pub fn set_status(&self, collection: &str, status: CollectionStatus) {
        if let Some(found) = self.shared.lock().collections.get_mut(collection) {
            found.status = status;
        }
    }

    /// How many points there are, counted past the wire; aliases are not followed.
    pub fn points(&self, collection: &str) -> Option<usize> {
        self.shared.lock().collections.get(collection).map(|found| found.points.len())
    }

    /// Names of all collections, sorted, seen past the wire.
    pub fn collection_names(&self) -> Vec<String> {
        self.shared.lock().collections.keys().cloned().collect()
    }

    /// Aliases with their collections, sorted, seen past the wire.
    pub fn alias_pairs(&self) -> Vec<(String, String)> {
        self.shared.lock().aliases.clone().into_iter().collect()
    }

    /// Names of a collection's snapshot files, sorted, seen past the wire; none when there is no such collection.
    pub fn snapshot_names(&self, collection: &str) -> Vec<String> {
        self.shared
            .lock()
            .collections
            .get(collection)
            .map(|c| c.snapshots.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// What is stored under a collection's name, to be compared: points with payload and vectors, in order of ids.
    pub fn content(&self, collection: &str) -> Option<String> {
        self.shared.lock().collections.get(collection).map(data::Collection::content)
    }

    /// Every gRPC call so far, and snapshots sent and fetched over REST, in order, refused ones too.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.lock().seen.clone()
    }

    /// The next `times` gRPC calls, whichever they are, fail with this code and do nothing.
    pub fn fail_next(&self, times: u32, code: Code) {
        let status = Misbehaviour::Fail(code, "armed by a test".to_owned());
        self.shared.lock().faults.arm(None, times, status);
    }

    /// The next `times` calls of this kind misbehave.
    pub fn arm(&self, call: Call, times: u32, misbehaviour: Misbehaviour) {
        self.shared.lock().faults.arm(Some(call), times, misbehaviour);
    }

    /// The next call of this kind waits until the gate is opened.
    pub fn hold_next(&self, call: Call) -> Gate {
        let gate = Gate::new();
        self.arm(call, 1, Misbehaviour::Hold(gate.clone()));
        gate
    }

    /// Forgets every armed fault.
    pub fn disarm(&self) {
        self.shared.lock().faults.disarm();
    }
}

impl Drop for QdrantDouble {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The old listener is closed by a thread that may still be at it.
fn bind_again(address: SocketAddr) -> io::Result<TcpListener> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && std::time::Instant::now() < deadline => {
                std::thread::yield_now();
            }
            bound => return bound,
        }
    }
}

//! The gRPC services, on the server traits that the client crate exports.

mod collections;
mod points;
mod snapshots;

use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::{Qdrant, QdrantServer};
use qdrant_client::qdrant::snapshots_server::SnapshotsServer;
use qdrant_client::qdrant::{HealthCheckReply, HealthCheckRequest};
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic::{Request, Response, Status};

use super::Shared;
use super::data::Data;
use super::faults::{Call, Misbehaviour};

/// One service for all four traits.
#[derive(Clone)]
struct Rpc {
    shared: Shared,
}

/// All services. Messages may be of any size, as on the real server.
pub(super) fn router(shared: &Shared) -> Router {
    let rpc = || Rpc { shared: shared.clone() };
    Server::builder()
        .add_service(QdrantServer::new(rpc()))
        .add_service(CollectionsServer::new(rpc()).max_decoding_message_size(usize::MAX))
        .add_service(PointsServer::new(rpc()).max_decoding_message_size(usize::MAX))
        .add_service(SnapshotsServer::new(rpc()))
}

impl Rpc {
    /// Answers one call: notes it, checks the key, misbehaves if told to, else does the work.
    async fn answer<Q, A>(
        &self,
        call: Call,
        request: Request<Q>,
        work: impl FnOnce(&mut Data, Q) -> Result<A, Status>,
    ) -> Result<Response<A>, Status> {
        let misbehaviour = {
            let mut data = self.shared.lock();
            data.seen.push(call);
            if call != Call::HealthCheck {
                self.check_key(&request)?;
            }
            data.faults.take(call)
        };
        let message = request.into_inner();
        match misbehaviour {
            None => {}
            Some(Misbehaviour::Fail(code, text)) => return Err(Status::new(code, text)),
            Some(Misbehaviour::FailAfterwards(code, text)) => {
                work(&mut self.shared.lock(), message)?;
                return Err(Status::new(code, text));
            }
            Some(Misbehaviour::Hang) => std::future::pending().await,
            Some(Misbehaviour::Hold(gate)) => gate.pass().await,
            Some(Misbehaviour::Cut | Misbehaviour::Flip) => {
                return Err(Status::internal("only a download can do that"));
            }
        }
        work(&mut self.shared.lock(), message).map(Response::new)
    }

    fn check_key<Q>(&self, request: &Request<Q>) -> Result<(), Status> {
        let Some(wanted) = &self.shared.api_key else { return Ok(()) };
        match request.metadata().get("api-key") {
            None => Err(Status::unauthenticated("Must provide an API key or an Authorization bearer token")),
            Some(key) if key.as_bytes() == wanted.as_bytes() => Ok(()),
            Some(_) => Err(Status::unauthenticated("Invalid API key or JWT")),
        }
    }
}

/// Implements a service's trait: the methods given, and `Unimplemented` for the rest.
macro_rules! service {
    ($service:path { $($body:tt)* } rest { $($name:ident: $ask:ident => $answer:ident,)* }) => {
        #[tonic::async_trait]
        impl $service for super::Rpc {
            $($body)*
            $(
                async fn $name(
                    &self,
                    _: tonic::Request<::qdrant_client::qdrant::$ask>,
                ) -> Result<tonic::Response<::qdrant_client::qdrant::$answer>, tonic::Status> {
                    Err(tonic::Status::unimplemented(concat!("the double has no ", stringify!($name))))
                }
            )*
        }
    };
}
use service;

#[tonic::async_trait]
impl Qdrant for Rpc {
    async fn health_check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckReply>, Status> {
        self.answer(Call::HealthCheck, request, |_, _| {
            Ok(HealthCheckReply {
                title: "qdrant - vector search engine".to_owned(),
                version: "1.18.3".to_owned(),
                commit: None,
            })
        })
        .await
    }
}

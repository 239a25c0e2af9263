//! Snapshots, as far as gRPC goes: making, listing and deleting. Bytes only travel over REST.

use qdrant_client::qdrant::snapshots_server::Snapshots;
use qdrant_client::qdrant::{
    CreateSnapshotRequest, CreateSnapshotResponse, DeleteSnapshotRequest, DeleteSnapshotResponse, ListSnapshotsRequest,
    ListSnapshotsResponse, SnapshotDescription,
};
use tonic::{Request, Response, Status};

use super::super::faults::Call;
use super::super::snapshot::Stored;

fn describe(stored: Stored) -> SnapshotDescription {
    SnapshotDescription {
        name: stored.name,
        creation_time: None,
        size: i64::try_from(stored.bytes).unwrap_or(i64::MAX),
        checksum: stored.checksum,
    }
}

super::service! {
    Snapshots {
        async fn create(
            &self,
            request: Request<CreateSnapshotRequest>,
        ) -> Result<Response<CreateSnapshotResponse>, Status> {
            self.answer(Call::CreateSnapshot, request, |data, ask| {
                let stored = data.make_snapshot(&ask.collection_name)?;
                Ok(CreateSnapshotResponse { snapshot_description: Some(describe(stored)), time: 0.0 })
            })
            .await
        }

        async fn list(
            &self,
            request: Request<ListSnapshotsRequest>,
        ) -> Result<Response<ListSnapshotsResponse>, Status> {
            self.answer(Call::ListSnapshots, request, |data, ask| {
                let stored = data.list_snapshots(&ask.collection_name)?;
                Ok(ListSnapshotsResponse {
                    snapshot_descriptions: stored.into_iter().map(describe).collect(),
                    time: 0.0,
                })
            })
            .await
        }

        async fn delete(
            &self,
            request: Request<DeleteSnapshotRequest>,
        ) -> Result<Response<DeleteSnapshotResponse>, Status> {
            self.answer(Call::DeleteSnapshot, request, |data, ask| {
                data.delete_snapshot(&ask.collection_name, &ask.snapshot_name)?;
                Ok(DeleteSnapshotResponse { time: 0.0 })
            })
            .await
        }
    }
    rest {
        create_full: CreateFullSnapshotRequest => CreateSnapshotResponse,
        list_full: ListFullSnapshotsRequest => ListSnapshotsResponse,
        delete_full: DeleteFullSnapshotRequest => DeleteSnapshotResponse,
    }
}

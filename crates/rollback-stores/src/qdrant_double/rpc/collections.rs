//! Collections and aliases.

use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::collections_server::Collections;
use qdrant_client::qdrant::{
    AliasDescription, ChangeAliases, CollectionConfig, CollectionDescription, CollectionExists,
    CollectionExistsRequest, CollectionExistsResponse, CollectionInfo, CollectionOperationResponse, CollectionParams,
    CollectionStatus, CreateCollection, DeleteCollection, GetCollectionInfoRequest, GetCollectionInfoResponse,
    ListAliasesRequest, ListAliasesResponse, ListCollectionsRequest, ListCollectionsResponse, OptimizerStatus,
    VectorParams, VectorsConfig, vectors_config,
};
use tonic::{Request, Response, Status};

use super::super::data::Data;
use super::super::faults::Call;

fn done(result: bool) -> CollectionOperationResponse {
    CollectionOperationResponse { result, time: 0.0 }
}

fn info(data: &mut Data, name: &str) -> Result<CollectionInfo, Status> {
    let found = data.find(name)?;
    let points = found.points.len() as u64;
    // While a server indexes, this figure is no exact count: neither is ours.
    let points = if found.status == CollectionStatus::Green { points } else { points + points / 2 + 1 };
    let vectors = VectorsConfig {
        config: Some(vectors_config::Config::Params(VectorParams {
            size: found.dimensions,
            distance: found.distance,
            ..VectorParams::default()
        })),
    };
    Ok(CollectionInfo {
        status: found.status.into(),
        optimizer_status: Some(OptimizerStatus { ok: true, error: String::new() }),
        segments_count: 1,
        points_count: Some(points),
        config: Some(CollectionConfig {
            params: Some(CollectionParams {
                shard_number: 1,
                vectors_config: Some(vectors),
                ..CollectionParams::default()
            }),
            ..CollectionConfig::default()
        }),
        ..CollectionInfo::default()
    })
}

fn create(data: &mut Data, ask: &CreateCollection) -> Result<CollectionOperationResponse, Status> {
    let config = ask.vectors_config.as_ref().and_then(|vectors| vectors.config.as_ref());
    let Some(vectors_config::Config::Params(params)) = config else {
        return Err(Status::unimplemented("the double only knows collections of one unnamed vector"));
    };
    data.create_collection(&ask.collection_name, params.size, params.distance)?;
    Ok(done(true))
}

/// One after the other: what came before a failing action stays done, as on the real server.
fn change_aliases(data: &mut Data, ask: ChangeAliases) -> Result<CollectionOperationResponse, Status> {
    for action in ask.actions.into_iter().filter_map(|operation| operation.action) {
        match action {
            Action::CreateAlias(create) => {
                if !data.collections.contains_key(&create.collection_name) {
                    let name = create.collection_name;
                    return Err(Status::not_found(format!("Not found: Collection `{name}` doesn't exist!")));
                }
                if data.collections.contains_key(&create.alias_name) {
                    let name = create.alias_name;
                    return Err(Status::already_exists(format!("Wrong input: Collection `{name}` already exists!")));
                }
                data.aliases.insert(create.alias_name, create.collection_name);
            }
            Action::DeleteAlias(delete) => {
                data.aliases.remove(&delete.alias_name);
            }
            Action::RenameAlias(rename) => {
                let Some(collection) = data.aliases.remove(&rename.old_alias_name) else {
                    let name = rename.old_alias_name;
                    return Err(Status::not_found(format!("Not found: Alias {name} does not exists!")));
                };
                data.aliases.insert(rename.new_alias_name, collection);
            }
        }
    }
    Ok(done(true))
}

super::service! {
    Collections {
        async fn get(
            &self,
            request: Request<GetCollectionInfoRequest>,
        ) -> Result<Response<GetCollectionInfoResponse>, Status> {
            self.answer(Call::CollectionInfo, request, |data, ask| {
                Ok(GetCollectionInfoResponse { result: Some(info(data, &ask.collection_name)?), time: 0.0 })
            })
            .await
        }

        async fn list(
            &self,
            request: Request<ListCollectionsRequest>,
        ) -> Result<Response<ListCollectionsResponse>, Status> {
            self.answer(Call::ListCollections, request, |data, _| {
                let collections =
                    data.collections.keys().map(|name| CollectionDescription { name: name.clone() }).collect();
                Ok(ListCollectionsResponse { collections, time: 0.0 })
            })
            .await
        }

        async fn create(
            &self,
            request: Request<CreateCollection>,
        ) -> Result<Response<CollectionOperationResponse>, Status> {
            self.answer(Call::CreateCollection, request, |data, ask| create(data, &ask)).await
        }

        async fn delete(
            &self,
            request: Request<DeleteCollection>,
        ) -> Result<Response<CollectionOperationResponse>, Status> {
            self.answer(Call::DeleteCollection, request, |data, ask| {
                Ok(done(data.delete_collection(&ask.collection_name)))
            })
            .await
        }

        async fn update_aliases(
            &self,
            request: Request<ChangeAliases>,
        ) -> Result<Response<CollectionOperationResponse>, Status> {
            self.answer(Call::UpdateAliases, request, change_aliases).await
        }

        async fn list_aliases(
            &self,
            request: Request<ListAliasesRequest>,
        ) -> Result<Response<ListAliasesResponse>, Status> {
            self.answer(Call::ListAliases, request, |data, _| {
                let aliases = data
                    .aliases
                    .iter()
                    .map(|(alias, collection)| AliasDescription {
                        alias_name: alias.clone(),
                        collection_name: collection.clone(),
                    })
                    .collect();
                Ok(ListAliasesResponse { aliases, time: 0.0 })
            })
            .await
        }

        async fn collection_exists(
            &self,
            request: Request<CollectionExistsRequest>,
        ) -> Result<Response<CollectionExistsResponse>, Status> {
            self.answer(Call::CollectionExists, request, |data, ask| {
                let exists = data.find(&ask.collection_name).is_ok();
                Ok(CollectionExistsResponse { result: Some(CollectionExists { exists }), time: 0.0 })
            })
            .await
        }
    }
    rest {
        update: UpdateCollection => CollectionOperationResponse,
        list_collection_aliases: ListCollectionAliasesRequest => ListAliasesResponse,
        collection_cluster_info: CollectionClusterInfoRequest => CollectionClusterInfoResponse,
        update_collection_cluster_setup: UpdateCollectionClusterSetupRequest => UpdateCollectionClusterSetupResponse,
        create_shard_key: CreateShardKeyRequest => CreateShardKeyResponse,
        delete_shard_key: DeleteShardKeyRequest => DeleteShardKeyResponse,
        list_shard_keys: ListShardKeysRequest => ListShardKeysResponse,
    }
}

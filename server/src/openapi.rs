//! The description of `/api/v1`, made from the handlers.

use utoipa::OpenApi;

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stepback",
        description = "Rolls back a failed version of a HybridFlow deployment in SQLite, Qdrant and Neo4j. Times are RFC 3339 \
            in UTC, sizes bytes, durations milliseconds. Errors are problem documents (RFC 9457).",
    ),
    paths(
        routes::list_versions,
        routes::one_version,
        routes::latest_copy,
        routes::list_backups,
        routes::one_backup,
        routes::verify_backup,
        routes::stores,
        routes::make_plan,
        routes::list_runs,
        routes::start_run,
        routes::one_run,
        routes::decide,
        routes::events,
        routes::way_back,
        routes::remove_way_back,
        routes::offenders,
        routes::healthz,
        routes::readyz,
    )
)]
struct Document;

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

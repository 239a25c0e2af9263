//! The pages and their files. A path that is neither is answered by the page's own "not found", with status 404.

use app::{App, shell};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Router, middleware};
use leptos_axum::{LeptosRoutes, generate_route_list, handle_server_fns_with_context};
use rollback_types::Problem;

use crate::state::AppState;

/// No problem document of ours is larger; one with a plan in it comes nearest.
const MAX_PROBLEM: usize = 4 * 1024 * 1024;

pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let routes = generate_route_list(App);
    let provide = {
        let state = state.clone();
        move || state.provide()
    };
    let assets = state.asset_paths();
    Router::new()
        .route("/rpc/{*function}", any(server_function))
        .leptos_routes_with_context(state, routes, provide, move || shell(assets.clone()))
        .fallback(file_or_page)
        .layer(middleware::from_fn(status_of_the_problem))
}

async fn server_function(State(state): State<AppState>, request: Request<Body>) -> impl IntoResponse {
    handle_server_fns_with_context(move || state.provide(), request).await
}

async fn status_of_the_problem(request: Request, next: Next) -> Response {
    let is_function = request.uri().path().starts_with("/rpc/");
    let response = next.run(request).await;
    if is_function && response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        return with_its_own_status(response).await;
    }
    response
}

/// Leptos answers 500 to arguments it cannot read; the problem document in the answer knows better.
async fn with_its_own_status(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, MAX_PROBLEM).await else {
        return head.status.into_response();
    };
    if let Ok(problem) = serde_json::from_slice::<Problem>(&bytes)
        && let Ok(status) = StatusCode::from_u16(problem.status)
    {
        head.status = status;
    }
    Response::from_parts(head, Body::from(bytes))
}

async fn file_or_page(State(state): State<AppState>, request: Request<Body>) -> Response {
    if let Some(file) = state.site.respond(request.uri().path(), request.headers()).await {
        return file;
    }
    let assets = state.asset_paths();
    let provide = {
        let state = state.clone();
        move || state.provide()
    };
    let render = leptos_axum::render_app_async_with_context(provide, move || shell(assets.clone()));
    render(request).await.into_response()
}

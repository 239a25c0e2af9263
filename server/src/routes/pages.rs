//! The pages and their files. A path that is neither is answered by the page's own "not found", with status 404.

use app::{App, shell};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use leptos_axum::{LeptosRoutes, generate_route_list, handle_server_fns_with_context};

use crate::state::AppState;

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
}

async fn server_function(State(state): State<AppState>, request: Request<Body>) -> impl IntoResponse {
    handle_server_fns_with_context(move || state.provide(), request).await
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

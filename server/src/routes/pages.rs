//! The pages and their files. A path that is neither is answered by the page's own "not found", with status 404.

use app::{App, Refused, shell};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leptos::prelude::{provide_context, use_context, use_nonce};
use leptos_axum::{ResponseOptions, generate_route_list, handle_server_fns_with_context};
use rollback::Actor;
use rollback_types::{AuditOutcome, Problem};

use crate::access::door::Told;
use crate::access::page_policy;
use crate::access::refusal::Refusal;
use crate::access::rules::{Guarded, Rule, VIEWER};
use crate::state::AppState;

/// No problem document of ours is larger; one with a plan in it comes nearest.
const MAX_PROBLEM: usize = 4 * 1024 * 1024;
/// Pages for those who are not signed in.
const PUBLIC: [&str; 2] = ["/sign-in", "/welcome"];

pub(super) fn routes(routes: Guarded) -> Guarded {
    // The application names its own pages, so none can be left out.
    generate_route_list(App).iter().fold(routes.functions(server_function), |routes, page| {
        let rule = if PUBLIC.contains(&page.path()) { Rule::Public } else { VIEWER };
        routes.get(page.path(), rule, render)
    })
}

async fn server_function(State(state): State<AppState>, request: Request<Body>) -> Response {
    let extensions = request.extensions().clone();
    let refused = Refused::default();
    let told = refused.clone();
    let provide = move || {
        state.provide(&extensions);
        provide_context(told.clone());
    };
    let mut response = handle_server_fns_with_context(provide, request).await.into_response();
    if let Some(status) = refused.status() {
        let detail = format!("{status}; the page shows why");
        response.extensions_mut().insert(Told { outcome: AuditOutcome::of_status(status), detail });
    }
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR { with_its_own_status(response).await } else { response }
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

/// A file, which is for everybody; else a page, which is not.
pub(super) async fn file_or_page(
    State(state): State<AppState>,
    actor: Option<Extension<Actor>>,
    request: Request<Body>,
) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") || path.starts_with("/rpc/") {
        return super::no_such_route().await.into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return super::wrong_method().await.into_response();
    }
    if let Some(file) = state.site.respond(path, request.headers()).await {
        return file;
    }
    match actor {
        Some(_) => render(State(state), request).await,
        None => Refusal::NotSignedIn.answer(request.method(), request.uri()),
    }
}

async fn render(State(state): State<AppState>, request: Request<Body>) -> Response {
    let (assets, renderer) = (state.asset_paths(), state.renderer.clone());
    let extensions = request.extensions().clone();
    let provide = move || {
        state.provide(&extensions);
        set_policy();
    };
    let render = leptos_axum::render_app_async_with_context(provide, move || shell(assets.clone()));
    renderer.render(move || render(request)).await
}

/// The page's policy names the nonce that its own scripts carry.
fn set_policy() {
    if let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>())
        && let Ok(policy) = HeaderValue::from_str(&page_policy(&nonce))
    {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

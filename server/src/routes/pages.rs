//! The pages and their files. A path that is neither is answered by the page's own "not found", with status 404.

use std::collections::BTreeMap;

use app::notice::{self, Notice, Shown};
use app::pages::welcome::WelcomeLink;
use app::typed::GIVEN_BACK;
use app::{App, Refused, shell};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use leptos::prelude::{provide_context, use_context, use_nonce};
use leptos_axum::{ResponseOptions, generate_route_list, handle_server_fns_with_context};
use rollback::Actor;
use rollback_types::{AuditOutcome, Problem};

use crate::access::door::{MAX_BODY, Told};
use crate::access::refusal::Refusal;
use crate::access::rules::{ADMINISTRATOR, Guarded, Rule, VIEWER};
use crate::access::{CookieStays, page_policy};
use crate::own_pages::{PUBLIC_PAGES, came_from};
use crate::problem::MAX_PROBLEM;
use crate::state::AppState;

/// Pages that are administrators' alone.
const ADMINISTRATION: [&str; 4] = ["/audit", "/people", "/people/tokens", "/setup"];

/// Where the link of the first start leads.
const WELCOME: &str = "/welcome";

pub(super) fn routes(routes: Guarded) -> Guarded {
    // The application names its own pages, so none can be left out.
    generate_route_list(App).iter().fold(routes.functions(server_function), |routes, page| {
        let rule = match page.path() {
            path if PUBLIC_PAGES.contains(&path) => Rule::Public,
            path if ADMINISTRATION.contains(&path) => ADMINISTRATOR,
            _ => VIEWER,
        };
        routes.get(page.path(), rule, render)
    })
}

async fn server_function(State(state): State<AppState>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let form = Form::of(&head, &body);
    let extensions = head.extensions.clone();
    let refused = Refused::default();
    let told = refused.clone();
    let provide = {
        let (state, extensions) = (state.clone(), extensions.clone());
        move || {
            state.provide(&extensions);
            provide_context(told.clone());
        }
    };
    let request = Request::from_parts(head, Body::from(body));
    let mut response = handle_server_fns_with_context(provide, request).await.into_response();
    if let Some(problem) = refused.problem() {
        let detail = format!("{}; the page shows why", problem.status);
        response.extensions_mut().insert(Told { outcome: AuditOutcome::of_status(problem.status), detail });
        if response.status().is_redirection()
            && let Some(reader) = extensions.get::<Actor>()
        {
            back_to_page(&mut response, &state, reader, form, problem);
        }
    }
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR { with_its_own_status(response).await } else { response }
}

/// What a browser's own form was.
struct Form {
    /// The page it stands on, as the browser says it. One that does not say it is led to the overview.
    page: String,
    /// The server function's address.
    function: String,
    /// What may be shown in the form again.
    typed: BTreeMap<String, String>,
}

impl Form {
    fn of(head: &axum::http::request::Parts, body: &[u8]) -> Self {
        let typed = form_urlencoded::parse(body)
            .filter(|(field, _)| GIVEN_BACK.contains(&field.as_ref()))
            .map(|(field, value)| (field.into_owned(), value.into_owned()))
            .collect();
        let page = came_from(&head.headers).unwrap_or_else(|| "/".to_owned());
        Self { page, function: head.uri.path().to_owned(), typed }
    }
}

/// Leads back to the form's page, where the problem is shown once.
fn back_to_page(response: &mut Response, state: &AppState, reader: &Actor, form: Form, problem: &Problem) {
    let Form { page, function, typed } = form;
    let notice = Notice::Refused { function, problem: Box::new(problem.clone()), typed };
    let address = match state.notices.leave(reader.name(), notice) {
        Some(key) => notice::with_key(&page, &key),
        None => page,
    };
    if let Ok(address) = HeaderValue::from_str(&address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
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

async fn render(State(state): State<AppState>, mut request: Request<Body>) -> Response {
    no_foreign_errors(request.uri_mut());
    let (assets, renderer) = (state.asset_paths(), state.renderer.clone());
    let extensions = request.extensions().clone();
    // A page's own look that was led here must not take from the reader's next one what it is told by.
    let is_door = PUBLIC_PAGES.contains(&request.uri().path());
    // A look at the head alone shows nobody anything.
    let looked_at = request.method() == Method::GET;
    let key = request.uri().query().and_then(notice::key_of).filter(|_| looked_at);
    let shown = key.zip(extensions.get::<Actor>());
    let shown = shown.and_then(|(key, reader)| state.notices.take(key, reader.name())).map(Shown);
    let link = if request.uri().path() == WELCOME { Some(welcome_link(&state, request.uri()).await) } else { None };
    let provide = move || {
        state.provide(&extensions);
        if let Some(link) = link {
            provide_context(link);
        }
        if let Some(shown) = shown.clone() {
            provide_context(shown);
        }
        set_policy();
    };
    let render = leptos_axum::render_app_async_with_context(provide, move || shell(assets.clone()));
    let mut response = renderer.render(move || render(request)).await;
    if is_door {
        response.extensions_mut().insert(CookieStays);
    }
    response
}

/// Whether the link of the first start still makes somebody. Where that cannot be read the form says why it makes nobody.
async fn welcome_link(state: &AppState, uri: &Uri) -> WelcomeLink {
    let key = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).find(|(name, _)| name == "key");
    let good = key.is_some_and(|(_, key)| state.access.is_first_key(&key));
    match state.access.has_users().await {
        Ok(true) => WelcomeLink::Used,
        Ok(false) if good => WelcomeLink::Good,
        Ok(false) => WelcomeLink::Unknown,
        Err(error) => {
            tracing::error!(%error, "whether there are users could not be read");
            if good { WelcomeLink::Good } else { WelcomeLink::Unknown }
        }
    }
}

/// Leptos shows an error that an address carries. None of ours do, so such an address is somebody else's making: it loses
/// its query.
fn no_foreign_errors(uri: &mut Uri) {
    let foreign = |query: &str| query.split('&').any(|pair| pair.starts_with("__err=") || pair.starts_with("__path="));
    if uri.query().is_some_and(foreign)
        && let Ok(plain) = uri.path().parse()
    {
        *uri = plain;
    }
}

/// A page that is shown in answer to something else than its own address, with what it is to show in its context.
pub(crate) async fn show<T>(state: &AppState, path: &'static str, extensions: Extensions, given: T) -> Response
where
    T: Clone + Send + Sync + 'static,
{
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static(path);
    *request.extensions_mut() = extensions.clone();
    let (state, assets, renderer) = (state.clone(), state.asset_paths(), state.renderer.clone());
    let provide = move || {
        state.provide(&extensions);
        provide_context(given.clone());
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

//! What a server function answers when it cannot do what was asked.

use leptos::prelude::*;
use leptos::server_fn::codec::JsonEncoding;
use rollback_types::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};

/// A problem document on its way to the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(transparent)]
#[error("{0}")]
pub struct ApiError(pub Box<Problem>);

/// The problem that a server function answers with, once there is one. A plain form's answer is a redirect either way: the
/// server's audit must not guess from it, and the page that the redirect leads to says what it was.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, Default)]
pub struct Refused(std::sync::Arc<std::sync::OnceLock<Problem>>);

#[cfg(feature = "ssr")]
impl Refused {
    /// The problem, if one was answered.
    pub fn problem(&self) -> Option<&Problem> {
        self.0.get()
    }

    fn note(problem: &Problem) {
        if let Some(refused) = use_context::<Self>() {
            // The first one is the cause of any other.
            let _known = refused.0.set(problem.clone());
        }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        #[cfg(feature = "ssr")]
        Refused::note(&problem);
        Self(Box::new(problem))
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        *error.0
    }
}

/// What went wrong between the page and the service, rather than in it.
impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let detail = error.to_string();
        let problem = match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                Problem::new(ProblemKind::InvalidRequest, detail).safe("Nothing was changed.")
            }
            ServerFnErrorErr::Request(_) => {
                let mut problem = Problem::new(ProblemKind::Internal, detail)
                    .safe("A run on the server goes on without this page.")
                    .remedy("Check that Stepback is still running and that this machine reaches it, then reload.");
                problem.title = "Stepback does not answer".to_owned();
                problem
            }
            _ => Problem::new(ProblemKind::Internal, detail)
                .safe("Nothing is done that is not in the journal first.")
                .remedy("Reload the page. If it stays so, see Stepback's own log."),
        };
        problem.into()
    }
}

/// The service, from the context the server gave.
///
/// # Errors
/// A problem of kind `internal` when there is none, which is a fault in the server's wiring.
#[cfg(feature = "ssr")]
pub fn service() -> Result<std::sync::Arc<rollback::RollbackService>, ApiError> {
    use_context::<std::sync::Arc<rollback::RollbackService>>().ok_or_else(|| {
        Problem::new(ProblemKind::Internal, "The server gave the page no service.").safe("Nothing was changed.").into()
    })
}

/// Who asks, as the server has proven it. Without anybody nothing is done.
///
/// # Errors
/// A problem of kind `sign-in-required`.
#[cfg(feature = "ssr")]
pub fn actor() -> Result<rollback::Actor, ApiError> {
    use_context::<rollback::Actor>().ok_or_else(|| {
        set_status(ProblemKind::SignInRequired.status());
        Problem::new(ProblemKind::SignInRequired, "Nobody is signed in, or not any more.")
            .safe("Nothing was changed. A run on the server goes on without this page.")
            .remedy("Sign in, then do it again.")
            .into()
    })
}

/// Makes the service's refusal a problem document, and its status the response's.
#[cfg(feature = "ssr")]
pub fn refused(error: rollback::ServiceError) -> ApiError {
    let problem = Problem::from(error);
    set_status(problem.status);
    problem.into()
}

/// Sets the status of the response being made; the page's own when called while rendering.
#[cfg(feature = "ssr")]
pub fn set_status(status: u16) {
    if let (Some(response), Ok(status)) =
        (use_context::<leptos_axum::ResponseOptions>(), http::StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}

/// Like `refused`, for what forms post. Their answer is a redirect back to the page, which a status of ours would turn into
/// a page of raw JSON. The page plans anew, so the plan stays behind.
#[cfg(feature = "ssr")]
pub fn refused_form(error: rollback::ServiceError) -> ApiError {
    let mut problem = Problem::from(error);
    problem.plan = None;
    of_form(problem)
}

/// A problem for what a form posted; its status is the response's, unless that is to be a redirect.
#[cfg(feature = "ssr")]
pub fn of_form(problem: Problem) -> ApiError {
    if !by_form() {
        set_status(problem.status);
    }
    problem.into()
}

/// The request is a form's, sent by the browser itself.
#[cfg(feature = "ssr")]
pub fn by_form() -> bool {
    use_context::<http::request::Parts>().is_some_and(|parts| {
        let accepted = parts.headers.get(http::header::ACCEPT).and_then(|v| v.to_str().ok());
        accepted.is_some_and(|a| a.contains("text/html"))
    })
}

//! Errors at the edge: problem documents (RFC 9457) as HTTP answers, and extractors that answer with them.

use access::AccessError;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{Form, FromRequest, FromRequestParts, Json, Request};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use rollback::ServiceError;
use rollback_types::{Problem, ProblemKind, Timestamp};

/// No problem document of ours is larger; one with a plan in it comes nearest.
pub(crate) const MAX_PROBLEM: usize = 4 * 1024 * 1024;

/// A problem on its way out.
#[derive(Clone, Debug)]
pub struct ApiProblem(Box<Problem>);

impl From<ServiceError> for ApiProblem {
    fn from(error: ServiceError) -> Self {
        Self(Box::new(error.into()))
    }
}

impl From<AccessError> for ApiProblem {
    fn from(error: AccessError) -> Self {
        let kind = match &error {
            AccessError::Unusable { .. } | AccessError::Full { .. } => ProblemKind::AccessUnavailable,
            AccessError::NoSuchUser(_) | AccessError::NoSuchToken(_) | AccessError::NoSuchSession => {
                ProblemKind::NotFound
            }
            AccessError::BadExpiry | AccessError::BadCursor => ProblemKind::InvalidRequest,
            AccessError::AuditWritten(_) => ProblemKind::Internal,
            AccessError::UserExists(_)
            | AccessError::LastAdministrator(_)
            | AccessError::OfProvider { .. }
            | AccessError::TokenExists(_) => ProblemKind::Conflict,
        };
        let problem = Problem::new(kind, format!("{error}.")).safe("Nothing was changed.");
        problem.remedy(error.remedy()).into()
    }
}

impl From<Problem> for ApiProblem {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl ApiProblem {
    /// The request makes no sense.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Problem::new(ProblemKind::InvalidRequest, detail).safe("Nothing was changed.").into()
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// A JSON body; whatever is wrong with it becomes a problem document.
#[derive(Debug)]
pub struct ApiJson<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for ApiJson<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => {
                let kind = match &rejection {
                    JsonRejection::MissingJsonContentType(_) => ProblemKind::UnsupportedMediaType,
                    other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => ProblemKind::TooLarge,
                    _ => ProblemKind::InvalidRequest,
                };
                Err(Problem::new(kind, rejection.body_text()).safe("Nothing was changed.").into())
            }
        }
    }
}

/// A form's body; whatever is wrong with it becomes a problem document.
#[derive(Debug)]
pub struct ApiForm<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for ApiForm<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        match Form::<T>::from_request(request, state).await {
            Ok(Form(value)) => Ok(Self(value)),
            Err(rejection) => {
                let kind = match &rejection {
                    FormRejection::InvalidFormContentType(_) => ProblemKind::UnsupportedMediaType,
                    _ => ProblemKind::InvalidRequest,
                };
                Err(Problem::new(kind, rejection.body_text()).safe("Nothing was changed.").into())
            }
        }
    }
}

/// The query string as pairs, in its order; repeated keys are kept.
#[derive(Debug)]
pub struct QueryPairs(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for QueryPairs {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        use axum::extract::Query;
        match Query::<Vec<(String, String)>>::from_request_parts(parts, state).await {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(rejection) => Err(ApiProblem::invalid(rejection.body_text())),
        }
    }
}

impl QueryPairs {
    /// Refuses keys that are not allowed, naming those that are.
    pub(crate) fn only(&self, allowed: &[&str]) -> Result<(), ApiProblem> {
        match self.0.iter().find(|(key, _)| !allowed.contains(&key.as_str())) {
            Some((key, _)) => {
                let key: String = key.chars().take(64).collect();
                Err(ApiProblem::invalid(format!("{key:?} is no parameter here; allowed are: {}", allowed.join(", "))))
            }
            None => Ok(()),
        }
    }

    /// The last value of a key, if it is there.
    pub(crate) fn last(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// A moment, if it is there.
    pub(crate) fn moment(&self, key: &str) -> Result<Option<Timestamp>, ApiProblem> {
        let given = self.last(key).filter(|text| !text.is_empty());
        let read = |text: &str| {
            text.parse().map_err(|_| {
                ApiProblem::invalid(format!(
                    "{key}: allowed is a moment as RFC 3339 has it, such as 2026-11-23T08:00:00Z"
                ))
            })
        };
        given.map(read).transpose()
    }

    /// A page's size.
    pub(crate) fn limit(&self) -> Result<Option<u32>, ApiProblem> {
        let Some(text) = self.last("limit") else { return Ok(None) };
        match text.parse::<u32>() {
            Ok(n @ 1..=200) => Ok(Some(n)),
            _ => Err(ApiProblem::invalid("limit: allowed is a whole number from 1 to 200")),
        }
    }
}

/// One part of the path as text; one that is not UTF-8 becomes a problem document.
#[derive(Debug)]
pub struct PathText(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        match axum::extract::Path::<String>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(text)) => Ok(Self(text)),
            Err(rejection) => Err(ApiProblem::invalid(rejection.body_text())),
        }
    }
}

impl PathText {
    /// The part as the number of a run.
    pub(crate) fn run_id(&self) -> Result<rollback_types::RunId, ApiProblem> {
        self.0.parse().map_err(|_| {
            let detail = "There is no such run: a run's id is a whole number.";
            Problem::new(ProblemKind::NotFound, detail).safe("Nothing was changed.").into()
        })
    }
}

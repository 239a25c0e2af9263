//! Errors on the wire: RFC 9457 problem documents.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Difference, Refusal, RollbackPlan, RunId};

/// What kind of problem, for machines; the last part of the document's `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ProblemKind {
    InvalidRequest,
    SignInRequired,
    Forbidden,
    RoleRequired,
    ApprovalRequired,
    NotFound,
    MethodNotAllowed,
    UnsupportedMediaType,
    TooLarge,
    TooManyRequests,
    StalePlan,
    ActiveRun,
    FailedAgain,
    Refused,
    Conflict,
    StoreUnavailable,
    JournalUnavailable,
    AccessUnavailable,
    Internal,
}

impl ProblemKind {
    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::SignInRequired => 401,
            Self::Forbidden | Self::RoleRequired => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyRequests => 429,
            Self::StalePlan | Self::ActiveRun | Self::FailedAgain | Self::Conflict | Self::ApprovalRequired => 409,
            Self::Refused => 422,
            Self::StoreUnavailable | Self::JournalUnavailable | Self::AccessUnavailable => 503,
            Self::Internal => 500,
        }
    }

    /// A short title.
    pub fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is not valid",
            Self::SignInRequired => "Sign in first",
            Self::ApprovalRequired => "Another person must approve first",
            Self::RoleRequired => "Your role does not allow that",
            Self::Forbidden => "That is not allowed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "That method is not allowed here",
            Self::UnsupportedMediaType => "Only JSON is taken here",
            Self::TooLarge => "The request is too large",
            Self::TooManyRequests => "Too many requests",
            Self::StalePlan => "Something changed since the plan was made",
            Self::ActiveRun => "Another run is active",
            Self::FailedAgain => "The step has failed again",
            Self::Refused => "The plan is refused",
            Self::Conflict => "That is not possible now",
            Self::StoreUnavailable => "A store is not available",
            Self::JournalUnavailable => "The journal cannot be used",
            Self::AccessUnavailable => "Sign-in and audit cannot be used",
            Self::Internal => "Something went wrong inside Stepback",
        }
    }
}

/// A problem document (RFC 9457) with Stepback's own members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `/problems/<kind>`.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// The kind.
    pub kind: ProblemKind,
    /// A short title.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened.
    pub detail: String,
    /// What is safe.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub safe: Option<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remedy: Option<String>,
    /// The run in the way (kind `active-run`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub active_run: Option<RunId>,
    /// The newest run that began since the plan was read, and changed the stores (kind `stale-plan`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub later_run: Option<RunId>,
    /// The plan as it is now (kinds `stale-plan` and `refused`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plan: Option<Box<RollbackPlan>>,
    /// Field by field, what changed (kind `stale-plan`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub differences: Vec<Difference>,
    /// Why it is refused (kind `refused`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refusals: Vec<Refusal>,
    /// Which fields of the request are wrong (kind `invalid-request`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldError>,
}

/// A field of a request that cannot be taken, for programs: what people read is the problem's `detail`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// A JSON pointer into the request's body, or the name of a query's field after `?`: `/reason`, `?limit`.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// A problem of this kind.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let word = serde_json::to_value(kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        Self {
            type_uri: format!("/problems/{word}"),
            kind,
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            safe: None,
            remedy: None,
            active_run: None,
            later_run: None,
            plan: None,
            differences: Vec::new(),
            refusals: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Says what is safe.
    #[must_use]
    pub fn safe(mut self, text: impl Into<String>) -> Self {
        self.safe = Some(text.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn remedy(mut self, text: impl Into<String>) -> Self {
        self.remedy = Some(text.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

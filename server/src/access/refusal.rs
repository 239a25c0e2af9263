//! Why a request is not let in, and how that is said: a page leads to the sign-in, a program gets a problem document.

use std::time::Duration;

use access::SessionEnd;
use app::format::minutes_in_words;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rollback_types::{Problem, ProblemKind, Role};

use super::door::MAX_BODY;
use super::identity::CookieStays;
use super::media::Media;
use crate::problem::ApiProblem;

/// Why a request is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another site made it, or it reached us by a strange name.
    Forged(&'static str),
    /// Nobody is signed in.
    NotSignedIn,
    /// Somebody was signed in, and is not any more: by signing out in another tab, or from elsewhere.
    SignedOut,
    /// A time-out ended the sign-in.
    SessionOver(SessionEnd),
    /// The token is unknown, revoked or out of date.
    WrongToken,
    /// The role does not do.
    Role {
        /// Whose role.
        role: Role,
        /// What it should be at least.
        least: Role,
    },
    /// There is no rule for the address. That is a fault in the server.
    NoRule,
    /// The address takes other methods.
    WrongMethod(Vec<Method>),
    /// The address takes bodies of this kind only.
    WrongMedia(Media),
    /// The body is larger than any of ours.
    TooLarge,
    /// Too many of them at a time.
    TooMany(&'static str),
    /// Sign-in or audit does not work.
    Unavailable,
}

impl Refusal {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Forged(_) | Self::Role { .. } | Self::NoRule => StatusCode::FORBIDDEN,
            Self::NotSignedIn | Self::SignedOut | Self::SessionOver(_) | Self::WrongToken => StatusCode::UNAUTHORIZED,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::WrongMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Why, in a sentence; for the answer and for the audit.
    pub fn reason(&self) -> String {
        match self {
            Self::Forged(why) | Self::TooMany(why) => (*why).to_owned(),
            Self::NotSignedIn => "Nobody is signed in, or the sign-in has ended.".to_owned(),
            Self::SignedOut => "The sign-in has ended.".to_owned(),
            Self::SessionOver(SessionEnd::Idle(after)) => {
                format!("The sign-in has ended, because nothing was done for {}.", minutes_in_words(minutes(*after)))
            }
            Self::SessionOver(SessionEnd::Absolute(after)) => {
                format!("The sign-in has ended: each lasts {} at most.", minutes_in_words(minutes(*after)))
            }
            Self::WrongToken => "The token is unknown, revoked or out of date.".to_owned(),
            Self::Role { role, least } => {
                format!("This needs the role {}; yours is {}.", least.as_str(), role.as_str())
            }
            Self::NoRule => "This address has no rule that says who may use it.".to_owned(),
            Self::WrongMethod(_) => "This address does not take that method.".to_owned(),
            Self::WrongMedia(taken) => format!("This address takes a body of the type {} only.", taken.as_str()),
            Self::TooLarge => format!("A request's body has {MAX_BODY} bytes at most."),
            Self::Unavailable => "The file of users, sessions and the audit cannot be used.".to_owned(),
        }
    }

    fn problem(&self) -> Problem {
        let (kind, remedy) = match self {
            Self::Forged(_) => {
                (ProblemKind::Forbidden, Some("Open Stepback by its own address, and use the forms of its own pages."))
            }
            Self::NotSignedIn | Self::SignedOut | Self::SessionOver(_) => {
                (ProblemKind::SignInRequired, Some("Sign in at /sign-in, or send a token: `Authorization: Bearer …`."))
            }
            Self::WrongToken => {
                (ProblemKind::SignInRequired, Some("Ask an administrator for a new token, or sign in at /sign-in."))
            }
            Self::Role { .. } => (ProblemKind::RoleRequired, Some("Ask an administrator for that role.")),
            Self::NoRule => (ProblemKind::Forbidden, Some("This is a defect in Stepback: report it.")),
            Self::WrongMethod(_) => (ProblemKind::MethodNotAllowed, Some("/api/openapi.json describes every address.")),
            Self::WrongMedia(_) => {
                (ProblemKind::UnsupportedMediaType, Some("Send such a body, and say so by Content-Type."))
            }
            Self::TooLarge => (ProblemKind::TooLarge, Some("Send less: reasons and notes have limits of their own.")),
            Self::TooMany(_) => (ProblemKind::TooManyRequests, Some("Close some, or wait and try again.")),
            Self::Unavailable => {
                (ProblemKind::AccessUnavailable, Some("See Stepback's own log and the disk of its data folder."))
            }
        };
        let problem = Problem::new(kind, self.reason()).safe("Nothing was changed.");
        match remedy {
            Some(remedy) => problem.remedy(remedy),
            None => problem,
        }
    }

    /// The answer.
    pub fn answer(&self, method: &Method, uri: &Uri) -> Response {
        if *method == Method::GET && is_page(uri.path()) {
            match self {
                Self::NotSignedIn => return to_sign_in(uri, None),
                Self::SignedOut => return to_sign_in(uri, Some("ended=elsewhere".to_owned())),
                Self::SessionOver(end) => {
                    let (reason, after) = reason_and_minutes(*end);
                    return cookie_stays(to_sign_in(uri, Some(format!("ended={reason}&minutes={after}"))));
                }
                _ => {}
            }
        }
        let mut response = ApiProblem::from(self.problem()).into_response();
        if matches!(self, Self::SessionOver(_)) {
            response = cookie_stays(response);
        }
        let headers = response.headers_mut();
        match self {
            Self::NotSignedIn | Self::SignedOut | Self::SessionOver(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::WrongToken => {
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::WrongMethod(allowed) => {
                let words: Vec<&str> = allowed.iter().map(Method::as_str).collect();
                if let Ok(value) = HeaderValue::from_str(&words.join(", ")) {
                    headers.insert(header::ALLOW, value);
                }
            }
            Self::TooMany(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            // What was not read of it is not waited for.
            Self::TooLarge => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Self::Forged(_) | Self::Role { .. } | Self::NoRule | Self::WrongMedia(_) | Self::Unavailable => {}
        }
        response
    }
}

impl From<Refusal> for ApiProblem {
    fn from(refusal: Refusal) -> Self {
        refusal.problem().into()
    }
}

/// An address that people open, as opposed to programs and scripts, and to files that browsers ask for on their own
/// (`/favicon.ico`).
pub fn is_page(path: &str) -> bool {
    let for_programs = ["/api/", "/rpc/", "/session/", "/pkg/"].iter().any(|prefix| path.starts_with(prefix));
    let top_file = path.strip_prefix('/').is_some_and(|name| name.contains('.') && !name.contains('/'));
    !for_programs && !top_file
}

fn cookie_stays(mut response: Response) -> Response {
    response.extensions_mut().insert(CookieStays);
    response
}

/// To the door, which says why a sign-in is needed, and leads back.
fn to_sign_in(uri: &Uri, ended: Option<String>) -> Response {
    let mut pairs: Vec<String> = ended.into_iter().collect();
    match uri.path_and_query().map_or("/", |p| p.as_str()) {
        "/" => {}
        asked => pairs.push(format!("next={}", utf8_percent_encode(asked, NON_ALPHANUMERIC))),
    }
    let mark = if pairs.is_empty() { "" } else { "?" };
    see_other(&format!("/sign-in{mark}{}", pairs.join("&")))
}

/// Which time-out it was in a word, and how many minutes it has.
pub fn reason_and_minutes(end: SessionEnd) -> (&'static str, u64) {
    match end {
        SessionEnd::Idle(after) => ("idle", minutes(after)),
        SessionEnd::Absolute(after) => ("time", minutes(after)),
    }
}

fn minutes(after: Duration) -> u64 {
    after.as_secs().div_ceil(60)
}

/// On to another address of ours, by GET.
pub fn see_other(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => (StatusCode::SEE_OTHER, [(header::LOCATION, HeaderValue::from_static("/"))]).into_response(),
    }
}

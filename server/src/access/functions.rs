//! The rules of the server functions, by their path. One that is missing here is refused, and a test fails.

use axum::http::Method;
use leptos::server_fn::axum::server_fn_paths;

use super::rules::{ADMINISTRATOR, OPERATOR, Rule, VIEWER};

/// Every server function and its rule.
pub const FUNCTIONS: &[(&str, Rule)] = &[
    ("/rpc/overview", VIEWER),
    ("/rpc/places", VIEWER),
    ("/rpc/versions", VIEWER),
    ("/rpc/version", VIEWER),
    ("/rpc/runs", VIEWER),
    ("/rpc/run", VIEWER),
    ("/rpc/step-durations", VIEWER),
    ("/rpc/run-chart", VIEWER),
    ("/rpc/median-chart", VIEWER),
    ("/rpc/history-chart", VIEWER),
    ("/rpc/report", VIEWER),
    ("/rpc/compare", VIEWER),
    ("/rpc/annotate", OPERATOR),
    ("/rpc/backups", VIEWER),
    ("/rpc/ways-back", VIEWER),
    ("/rpc/way-back", VIEWER),
    // A plan changes nothing, and its page tells a viewer what is not his to start.
    ("/rpc/plan", VIEWER),
    ("/rpc/start", OPERATOR),
    ("/rpc/validate", OPERATOR),
    ("/rpc/decide", OPERATOR),
    ("/rpc/verify-backup", OPERATOR),
    ("/rpc/trust-backup", OPERATOR),
    ("/rpc/resume-plan", VIEWER),
    ("/rpc/resume", OPERATOR),
    ("/rpc/abandon", OPERATOR),
    ("/rpc/remove-way-back", ADMINISTRATOR),
    ("/rpc/approvals", VIEWER),
    ("/rpc/approval", VIEWER),
    ("/rpc/consent", VIEWER),
    ("/rpc/ask-approval", OPERATOR),
    ("/rpc/vote", OPERATOR),
    // One's own sign-ins are everybody's to see and to end.
    ("/rpc/own-sessions", VIEWER),
    ("/rpc/end-session", VIEWER),
    ("/rpc/users", ADMINISTRATOR),
    ("/rpc/add-user", ADMINISTRATOR),
    ("/rpc/set-role", ADMINISTRATOR),
    ("/rpc/set-password", ADMINISTRATOR),
    ("/rpc/set-enabled", ADMINISTRATOR),
    ("/rpc/end-sessions", ADMINISTRATOR),
    ("/rpc/tokens", ADMINISTRATOR),
    ("/rpc/make-token", ADMINISTRATOR),
    ("/rpc/revoke-token", ADMINISTRATOR),
    ("/rpc/audit", ADMINISTRATOR),
];

/// The methods of the function at this path. Leptos would answer another with a text about its own insides.
pub fn methods(path: &str) -> Vec<Method> {
    server_fn_paths().filter(|(known, _)| *known == path).map(|(_, method)| method).collect()
}

/// The rule of the function at this path.
pub fn rule(path: &str) -> Option<Rule> {
    FUNCTIONS.iter().find(|(known, _)| *known == path).map(|(_, rule)| *rule)
}

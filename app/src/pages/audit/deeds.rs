//! What an entry of the audit was, in people's words. The request itself stands below it, and in the download.

/// By the last words of a page's function, or method and route of the API. What is not here is shown as it was kept.
const DEEDS: [(&[&str], &str); 26] = [
    (&["POST /rpc/start", "POST /api/v1/runs"], "Started a run"),
    (&["POST /rpc/validate"], "Started a validation"),
    (&["POST /rpc/decide", "POST /api/v1/runs/{id}/decision"], "Decided about a failed step"),
    (&["POST /rpc/resume", "POST /api/v1/runs/{id}/resume"], "Resumed a run"),
    (&["POST /rpc/abandon", "POST /api/v1/runs/{id}/abandon"], "Abandoned a run"),
    (&["POST /rpc/annotate", "POST /api/v1/runs/{id}/notes"], "Added to a run’s report"),
    (&["POST /rpc/remove-way-back", "DELETE /api/v1/runs/{id}/way-back"], "Removed a run’s way back"),
    (&["POST /rpc/verify-backup", "POST /api/v1/backups/{name}/verify"], "Had a backup read and proven"),
    (
        &["POST /rpc/trust-backup", "POST /api/v1/backups/{name}/trust", "stepback backup trust"],
        "Trusted replaced files",
    ),
    (
        &["POST /rpc/ask-approval", "POST /api/v1/approvals", "POST /api/v1/runs/{id}/approval"],
        "Asked for approval of a plan",
    ),
    (&["POST /rpc/vote", "POST /api/v1/approvals/{digest}/vote"], "Approved or refused a plan"),
    (&["POST /rpc/end-session"], "Ended a sign-in of their own"),
    (&["POST /rpc/end-sessions", "POST /api/v1/users/{name}/sign-out"], "Ended a person’s sign-ins"),
    (&["POST /rpc/add-user", "POST /api/v1/users"], "Added a person"),
    (&["POST /rpc/set-role"], "Changed a person’s role"),
    (&["POST /rpc/set-password"], "Set a person’s password"),
    (&["POST /rpc/set-enabled"], "Let a person in, or kept them out"),
    (&["POST /api/v1/users/{name}"], "Changed a person"),
    (&["POST /rpc/make-token", "POST /api/v1/tokens"], "Made a token"),
    (&["POST /rpc/revoke-token", "DELETE /api/v1/tokens/{id}"], "Revoked a token"),
    (&["POST /api/v1/plans"], "Planned a run"),
    (&["POST /session/welcome"], "Made the first account"),
    (&["POST /session/sign-in"], "Signed in"),
    (&["POST /session/password"], "Changed their own password"),
    (&["POST /session/sign-out"], "Signed out"),
    (&["POST /session/sign-out-everywhere"], "Signed out everywhere"),
];

/// `None` where there are no words for it.
pub(super) fn deed(action: &str) -> Option<&'static str> {
    DEEDS.iter().find(|(actions, _)| actions.contains(&action)).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_doors_are_told_in_the_same_words() {
        assert_eq!(deed("POST /rpc/start"), Some("Started a run"));
        assert_eq!(deed("POST /rpc/start"), deed("POST /api/v1/runs"));
        assert_eq!(deed("GET /somewhere"), None);
    }

    #[test]
    fn no_request_has_two_names() {
        let mut all: Vec<&str> = DEEDS.iter().flat_map(|(actions, _)| actions.iter().copied()).collect();
        let n = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), n);
    }
}

//! What an entry of the audit was about, in people's words: how it ended stands beside it. The request itself stands below it, and in the download.

/// By the last words of a page's function, or method and route of the API. What is not here is shown as it was kept.
const DEEDS: [(&[&str], &str); 29] = [
    (&["POST /rpc/start", "POST /api/v1/runs"], "Start of a run"),
    (&["POST /rpc/validate"], "Start of a validation"),
    (&["POST /rpc/decide", "POST /api/v1/runs/{id}/decision"], "Decision about a failed step"),
    (&["POST /rpc/resume", "POST /api/v1/runs/{id}/resume"], "Resuming of a run"),
    (&["POST /rpc/abandon", "POST /api/v1/runs/{id}/abandon"], "Abandoning of a run"),
    (&["POST /rpc/annotate", "POST /api/v1/runs/{id}/notes"], "Addition to a run’s report"),
    (&["POST /rpc/remove-way-back", "DELETE /api/v1/runs/{id}/way-back"], "Removal of a run’s way back"),
    (&["POST /rpc/verify-backup", "POST /api/v1/backups/{name}/verify"], "Proof of a backup"),
    (
        &["POST /rpc/trust-backup", "POST /api/v1/backups/{name}/trust", "stepback backup trust"],
        "Trust in replaced files",
    ),
    (
        &["POST /rpc/ask-approval", "POST /api/v1/approvals", "POST /api/v1/runs/{id}/approval"],
        "Request for approval of a plan",
    ),
    (&["POST /rpc/vote", "POST /api/v1/approvals/{digest}/vote"], "Vote on a plan"),
    (&["POST /rpc/end-session"], "End of a sign-in of their own"),
    (&["POST /rpc/end-sessions", "POST /api/v1/users/{name}/sign-out"], "End of a person’s sign-ins"),
    (&["POST /rpc/add-user", "POST /api/v1/users", "stepback user add"], "Addition of a person"),
    (&["POST /rpc/set-role", "stepback user role"], "Change of a person’s role"),
    (&["POST /rpc/set-password", "stepback user passwd"], "New password for a person"),
    (&["POST /rpc/set-enabled"], "Letting a person in, or keeping them out"),
    (&["stepback user disable"], "Keeping a person out"),
    (&["stepback user enable"], "Letting a person in again"),
    (&["POST /api/v1/users/{name}"], "Change of a person"),
    (&["POST /rpc/make-token", "POST /api/v1/tokens", "stepback token create"], "Making of a token"),
    (&["POST /rpc/revoke-token", "DELETE /api/v1/tokens/{id}", "stepback token revoke"], "Revoking of a token"),
    (&["POST /api/v1/plans"], "Plan of a run"),
    (&["POST /session/welcome"], "Making of the first account"),
    (&["POST /session/sign-in"], "Sign-in"),
    (&["GET /session/oidc"], "Sign-in by the provider"),
    (&["POST /session/password"], "Change of their own password"),
    (&["POST /session/sign-out"], "Sign-out"),
    (&["POST /session/sign-out-everywhere"], "Sign-out everywhere"),
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
        assert_eq!(deed("POST /rpc/start"), Some("Start of a run"));
        assert_eq!(deed("POST /rpc/start"), deed("POST /api/v1/runs"));
        for (command, page) in [("user add", "add-user"), ("user role", "set-role"), ("token create", "make-token")] {
            assert_eq!(deed(&format!("stepback {command}")), deed(&format!("POST /rpc/{page}")), "{command}");
        }
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

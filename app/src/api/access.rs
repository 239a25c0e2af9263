//! People, tokens, audit: for administrators. The rules of the addresses say so, and so does every function here. One's own
//! sign-ins are one's own.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json, PostUrl};
use rollback_types::{AuditQuery, AuditRow, NewToken, Page, Role, SessionView, TokenView, UserView};

use super::error::ApiError;

#[cfg(feature = "ssr")]
use self::door::{access, administrator, identity, invalid, lifetime, refused, refused_form};
#[cfg(feature = "ssr")]
use crate::notice::{self, Notice};

#[cfg(feature = "ssr")]
fn said(path: &str, sentence: &str) {
    notice::lead_to(path, Notice::Done(sentence.to_owned()));
}

/// Everybody who may sign in, or might once.
#[server(name = ListUsers, prefix = "/rpc", endpoint = "users", input = GetUrl, output = Json)]
pub async fn list_users() -> Result<Vec<UserView>, ApiError> {
    administrator()?;
    access()?.users().await.map_err(refused)
}

/// Adds a user who signs in with a password.
#[server(name = AddUser, prefix = "/rpc", endpoint = "add-user", input = PostUrl, output = Json)]
pub async fn add_user(name: String, role: Role, password: String) -> Result<(), ApiError> {
    let by = administrator()?;
    let name = access::UserName::new(name.trim()).map_err(|e| invalid(e.to_string()))?;
    let password = access::Password::choose(&name, password).map_err(|e| invalid(e.to_string()))?;
    access()?.add_user(&name, role, &password, by.name()).await.map_err(refused_form)?;
    said("/people", "The user was added, and can sign in now.");
    Ok(())
}

/// Gives another role; it holds from the user's next request.
#[server(name = SetRole, prefix = "/rpc", endpoint = "set-role", input = PostUrl, output = Json)]
pub async fn set_role(user: String, role: Role) -> Result<(), ApiError> {
    administrator()?;
    access()?.set_role(&user, role).await.map_err(refused_form)?;
    said("/people", "The role holds from the user’s next request.");
    Ok(())
}

/// Sets a new password, and ends the user's sessions.
#[server(name = SetPassword, prefix = "/rpc", endpoint = "set-password", input = PostUrl, output = Json)]
pub async fn set_password(user: String, password: String) -> Result<(), ApiError> {
    administrator()?;
    let name = access::UserName::new(&user).map_err(|e| invalid(e.to_string()))?;
    let password = access::Password::choose(&name, password).map_err(|e| invalid(e.to_string()))?;
    access()?.set_password(&user, &password).await.map_err(refused_form)?;
    said("/people", "The password is set; the user’s sessions have ended.");
    Ok(())
}

/// Lets a user sign in no more, or again.
#[server(name = SetEnabled, prefix = "/rpc", endpoint = "set-enabled", input = PostUrl, output = Json)]
pub async fn set_enabled(user: String, enabled: bool) -> Result<(), ApiError> {
    administrator()?;
    let access = access()?;
    if enabled { access.enable(&user).await } else { access.disable(&user).await }.map_err(refused_form)?;
    said("/people", "Done: it acts at once.");
    Ok(())
}

/// Ends all sessions of a user.
#[server(name = EndSessions, prefix = "/rpc", endpoint = "end-sessions", input = PostUrl, output = Json)]
pub async fn end_sessions(user: String) -> Result<(), ApiError> {
    administrator()?;
    access()?.sign_out_everywhere(&user).await.map_err(refused_form)?;
    said("/people", "The user’s sessions have ended.");
    Ok(())
}

/// Every token there ever was, without its secret.
#[server(name = ListTokens, prefix = "/rpc", endpoint = "tokens", input = GetUrl, output = Json)]
pub async fn list_tokens() -> Result<Vec<TokenView>, ApiError> {
    administrator()?;
    access()?.tokens().await.map_err(refused)
}

/// Makes a token. Its secret is shown once, by the page that this leads to, and stands in no address. `days` is empty for a token without an end.
#[server(name = MakeToken, prefix = "/rpc", endpoint = "make-token", input = PostUrl, output = Json)]
pub async fn make_token(name: String, role: Role, #[server(default)] days: String) -> Result<(), ApiError> {
    let by = administrator()?;
    let name = access::UserName::new(name.trim()).map_err(|e| invalid(e.to_string()))?;
    let expires = lifetime(&days).ok_or_else(|| invalid("Give the days as a number from 1 to 3650.".to_owned()))?;
    let (token, secret) = access()?.create_token(&name, role, expires, by.name()).await.map_err(refused_form)?;
    let new = NewToken { token, secret: secret.expose().to_owned() };
    notice::lead_to("/people/tokens", Notice::Token(Box::new(new)));
    Ok(())
}

/// Revokes a token: it opens nothing from now on.
#[server(name = RevokeToken, prefix = "/rpc", endpoint = "revoke-token", input = PostUrl, output = Json)]
pub async fn revoke_token(token: String) -> Result<(), ApiError> {
    administrator()?;
    access()?.revoke(&token).await.map_err(refused_form)?;
    said("/people/tokens", "The token is revoked: it opens nothing from now on.");
    Ok(())
}

/// Rows of the audit, newest first.
#[server(name = AuditPage, prefix = "/rpc", endpoint = "audit", input = GetUrl, output = Json)]
pub async fn audit_page(#[server(default)] query: AuditQuery) -> Result<Page<AuditRow>, ApiError> {
    administrator()?;
    access()?.audit_page(&query).await.map_err(refused)
}

/// The reader's own sign-ins that go on.
#[server(name = OwnSessions, prefix = "/rpc", endpoint = "own-sessions", input = GetUrl, output = Json)]
pub async fn own_sessions() -> Result<Vec<SessionView>, ApiError> {
    access()?.sessions_of(&identity()?).await.map_err(refused)
}

/// Ends one of the reader's own sign-ins.
#[server(name = EndSession, prefix = "/rpc", endpoint = "end-session", input = PostUrl, output = Json)]
pub async fn end_session(id: String) -> Result<(), ApiError> {
    access()?.end_session(&identity()?, &id).await.map_err(refused_form)?;
    said("/password", "That sign-in has ended.");
    Ok(())
}

#[cfg(feature = "ssr")]
mod door {
    use std::sync::Arc;
    use std::time::Duration;

    use access::{Access, AccessError};
    use leptos::prelude::use_context;
    use rollback::Actor;
    use rollback_types::{Problem, ProblemKind, Role};

    use crate::api::error::{ApiError, actor, of_form, refused_form as refused_by_service, set_status};

    const NOTHING_CHANGED: &str = "Nothing was changed.";

    pub(super) fn access() -> Result<Arc<Access>, ApiError> {
        use_context::<Arc<Access>>().ok_or_else(|| {
            set_status(500);
            Problem::new(ProblemKind::Internal, "The server gave the page no accounts.").safe(NOTHING_CHANGED).into()
        })
    }

    /// Who asks, and on what proof.
    pub(super) fn identity() -> Result<access::Identity, ApiError> {
        actor()?;
        use_context::<access::Identity>().ok_or_else(|| {
            set_status(500);
            Problem::new(ProblemKind::Internal, "The server did not say who asks.").safe(NOTHING_CHANGED).into()
        })
    }

    /// Who asks, if they are an administrator.
    pub(super) fn administrator() -> Result<Actor, ApiError> {
        let actor = actor()?;
        actor.must_be(Role::Administrator, "look after people, tokens and the audit").map_err(refused_by_service)?;
        Ok(actor)
    }

    fn problem(error: &AccessError) -> Problem {
        let kind = match error {
            AccessError::NoSuchUser(_) | AccessError::NoSuchToken(_) | AccessError::NoSuchSession => {
                ProblemKind::NotFound
            }
            AccessError::BadExpiry | AccessError::BadCursor => ProblemKind::InvalidRequest,
            AccessError::UserExists(_)
            | AccessError::TokenExists(_)
            | AccessError::LastAdministrator(_)
            | AccessError::OfProvider { .. } => ProblemKind::Conflict,
            AccessError::Unusable { .. } | AccessError::Full { .. } => ProblemKind::AccessUnavailable,
            _ => ProblemKind::Internal,
        };
        Problem::new(kind, sentence(&error.to_string())).safe(NOTHING_CHANGED).remedy(error.remedy())
    }

    /// Begins with a capital and ends with a stop.
    fn sentence(text: &str) -> String {
        let mut chars = text.chars();
        let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
        let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
        format!("{first}{}{stop}", chars.as_str())
    }

    pub(super) fn refused(error: AccessError) -> ApiError {
        let problem = problem(&error);
        set_status(problem.status);
        problem.into()
    }

    /// For what plain forms post: their answer is a redirect back to the page.
    pub(super) fn refused_form(error: AccessError) -> ApiError {
        of_form(problem(&error))
    }

    pub(super) fn invalid(what: String) -> ApiError {
        of_form(Problem::new(ProblemKind::InvalidRequest, sentence(&what)).safe(NOTHING_CHANGED))
    }

    /// Of a number of days; nothing said is no end. `None`: not such a number.
    pub(super) fn lifetime(days: &str) -> Option<Option<Duration>> {
        match days.trim() {
            "" => Some(None),
            days => {
                let days: u64 = days.parse().ok().filter(|d| (1..=3_650).contains(d))?;
                Some(Some(Duration::from_secs(days * 86_400)))
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_lifetime_is_a_number_of_days_or_nothing() {
            assert_eq!(lifetime(" "), Some(None));
            assert_eq!(lifetime("30"), Some(Some(Duration::from_secs(2_592_000))));
            for odd in ["0", "-1", "3651", "30d", "1.5"] {
                assert_eq!(lifetime(odd), None, "{odd}");
            }
        }

        #[test]
        fn what_is_at_fault_decides_the_status() {
            let path = "access.db".to_owned();
            assert_eq!(problem(&AccessError::NoSuchUser("x".into())).status, 404);
            assert_eq!(problem(&AccessError::LastAdministrator("x".into())).status, 409);
            assert_eq!(problem(&AccessError::BadCursor).status, 400);
            assert_eq!(problem(&AccessError::Full { path }).status, 503);
            assert_eq!(sentence("there is no user x"), "There is no user x.");
        }
    }
}

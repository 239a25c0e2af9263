//! Users, tokens, and who asks.

use std::time::Duration;

use access::{AccessError, Password, UserName};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use rollback::Actor;
use rollback_types::{Me, NewToken, Page, Problem, Role, TokenView, UserView};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::problem::{ApiJson, ApiProblem, PathText};
use crate::state::AppState;

/// Who asks, and what they may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "access", responses(
    (status = 200, body = Me),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn me(Extension(identity): Extension<access::Identity>) -> Json<Me> {
    Json(identity.me())
}

/// Every user, also those who are disabled.
#[utoipa::path(get, path = "/api/v1/users", tag = "access", responses(
    (status = 200, body = Page<UserView>),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list_users(State(state): State<AppState>) -> Result<Json<Page<UserView>>, ApiProblem> {
    Ok(Json(Page { items: state.access.users().await?, next_cursor: None }))
}

/// A new user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 64 characters: letters a to z, digits, and . _ - @
    name: String,
    /// What they may do.
    role: Role,
    /// 12 to 128 characters, and not easily guessed.
    password: String,
}

/// Adds a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "access", request_body = NewUser, responses(
    (status = 201, body = UserView),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "the name is taken"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn add_user(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    ApiJson(user): ApiJson<NewUser>,
) -> Result<(StatusCode, Json<UserView>), ApiProblem> {
    let name = UserName::new(&user.name).map_err(|why| ApiProblem::invalid(format!("name: {why}")))?;
    let password = chosen(&name, &user.password)?;
    let made = state.access.add_user(&name, user.role, &password, actor.name()).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

fn chosen(name: &UserName, password: &str) -> Result<Password, ApiProblem> {
    Password::choose(name, password).map_err(|why| ApiProblem::invalid(format!("password: {why}")))
}

/// What is changed about a user; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Another role, from the next request on.
    role: Option<Role>,
    /// May not sign in any more, or may again. Disabling ends every sign-in of theirs.
    disabled: Option<bool>,
    /// Another password. It ends every sign-in of theirs.
    password: Option<String>,
}

/// Changes a user: role, password, and whether they may sign in; all that is given, or nothing. The last administrator stays
/// one.
#[utoipa::path(post, path = "/api/v1/users/{name}", tag = "access", request_body = UserChange,
    params(("name" = String, Path, description = "the user's name")),
    responses(
        (status = 200, body = UserView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "the last administrator, or a provider's user"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn change_user(
    State(state): State<AppState>,
    name: PathText,
    ApiJson(change): ApiJson<UserChange>,
) -> Result<Json<UserView>, ApiProblem> {
    let password = match &change.password {
        Some(password) => {
            let known = UserName::new(&name.0).map_err(|_| AccessError::NoSuchUser(name.0.clone()))?;
            Some(chosen(&known, password)?)
        }
        None => None,
    };
    let change = access::UserChange { role: change.role, disabled: change.disabled, password };
    Ok(Json(state.access.change_user(&name.0, &change).await?))
}

/// Ends every sign-in of a user.
#[utoipa::path(post, path = "/api/v1/users/{name}/sign-out", tag = "access",
    params(("name" = String, Path, description = "the user's name")),
    responses(
        (status = 204, description = "they have to sign in again"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "a body that is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn sign_out_user(State(state): State<AppState>, name: PathText) -> Result<StatusCode, ApiProblem> {
    state.access.sign_out_everywhere(&name.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every token, without its secret.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "access", responses(
    (status = 200, body = Page<TokenView>),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list_tokens(State(state): State<AppState>) -> Result<Json<Page<TokenView>>, ApiProblem> {
    Ok(Json(Page { items: state.access.tokens().await?, next_cursor: None }))
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// 1 to 64 characters: letters a to z, digits, and . _ - @
    name: String,
    /// What it may do.
    role: Role,
    /// When it ends, in seconds from now; left out: only when it is revoked.
    expires_in_s: Option<u64>,
}

/// Makes a token. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "access", request_body = TokenRequest, responses(
    (status = 201, body = NewToken),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "the name is taken"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn make_token(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    ApiJson(asked): ApiJson<TokenRequest>,
) -> Result<(StatusCode, Json<NewToken>), ApiProblem> {
    let name = UserName::new(&asked.name).map_err(|why| ApiProblem::invalid(format!("name: {why}")))?;
    let expires = asked.expires_in_s.map(Duration::from_secs);
    let (token, secret) = state.access.create_token(&name, asked.role, expires, actor.name()).await?;
    Ok((StatusCode::CREATED, Json(NewToken { token, secret: secret.expose().to_owned() })))
}

/// Revokes a token, by its id or its name. It opens nothing from the next request on.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "access",
    params(("id" = String, Path, description = "the token's id, or its name")),
    responses(
        (status = 200, body = TokenView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "a body that is not JSON"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn revoke_token(State(state): State<AppState>, id: PathText) -> Result<Json<TokenView>, ApiProblem> {
    Ok(Json(state.access.revoke(&id.0).await?))
}

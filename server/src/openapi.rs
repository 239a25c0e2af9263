//! The description of `/api/v1`, made from the handlers.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, Ref, Response, ResponseBuilder, SecurityRequirement};
use utoipa::{Modify, OpenApi};

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stepback",
        description = "Rolls back a failed version of a HybridFlow deployment in SQLite, Qdrant and Neo4j. Times are RFC 3339 \
            in UTC, sizes bytes, durations milliseconds. Errors are problem documents (RFC 9457). Programs show a token; the \
            page's own cookie does too.",
    ),
    modifiers(&SignIn),
    paths(
        routes::list_versions,
        routes::one_version,
        routes::latest_copy,
        routes::list_backups,
        routes::one_backup,
        routes::verify_backup,
        routes::trust_backup,
        routes::stores,
        routes::make_plan,
        routes::list_runs,
        routes::start_run,
        routes::one_run,
        routes::run_summary,
        routes::log,
        routes::log_text,
        routes::decide,
        routes::resume_plan,
        routes::resume,
        routes::abandon,
        routes::changes,
        routes::report,
        routes::report_as_markdown,
        routes::add_notes,
        routes::compare_runs,
        routes::events,
        routes::way_back,
        routes::remove_way_back,
        routes::offenders,
        routes::list_approvals,
        routes::ask_approval,
        routes::ask_resume_approval,
        routes::one_approval,
        routes::vote,
        routes::me,
        routes::list_users,
        routes::add_user,
        routes::change_user,
        routes::sign_out_user,
        routes::list_tokens,
        routes::make_token,
        routes::revoke_token,
        routes::list_audit,
        routes::download_audit,
        routes::healthz,
        routes::readyz,
    )
)]
struct Document;

/// What holds for every address below `/api/v1`: who one has to be, and what is answered to others.
struct SignIn;

impl Modify for SignIn {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_with(Components::default);
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("stepback_<id>_<secret>").build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-stepback")));
        components.add_security_scheme("cookie", cookie);
        let guarded = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/api/v1/"));
        for (_, item) in guarded {
            for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
                ask_for_sign_in(operation);
            }
        }
    }
}

fn ask_for_sign_in(operation: &mut Operation) {
    let no_scopes: [&str; 0] = [];
    operation.security =
        Some(vec![SecurityRequirement::new("token", no_scopes), SecurityRequirement::new("cookie", no_scopes)]);
    let answers = &mut operation.responses.responses;
    for (status, said) in [
        ("401", "nobody is signed in, or the token does not hold"),
        ("403", "the role does not allow it, or another site made the request"),
    ] {
        answers.entry(status.to_owned()).or_insert_with(|| problem(said).into());
    }
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

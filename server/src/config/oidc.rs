//! Sign-in at an OpenID Connect provider: where it is, what Stepback is to it, and who becomes what.

use std::collections::BTreeMap;

use access::oidc::OidcSettings;
use rollback_types::Role;

use super::error::ConfigError;
use super::serving::PublicUrl;
use super::sources::Values;

/// Where the provider sends the browser back to, below the public address.
pub const CALLBACK: &str = "/session/oidc";

/// What is of no use alone: a setting that is silently ignored would be found only when it is needed.
const OTHERS: [&str; 7] = [
    "oidc.name",
    "oidc.client_id",
    "oidc.client_secret",
    "oidc.client_secret_file",
    "oidc.scopes",
    "oidc.role_claim",
    "oidc.roles",
];

/// A provider at which people may sign in.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// What the sign-in page calls it.
    pub name: String,
    /// What `access` needs to know of it.
    pub settings: OidcSettings,
}

impl OidcConfig {
    /// Absent without `oidc.issuer`. Its other settings need that one, and it needs `server.public_url`.
    pub(super) fn of(values: &Values, public_url: Option<&PublicUrl>) -> Result<Option<Self>, ConfigError> {
        let Some(issuer) = values.optional_text("oidc.issuer")? else {
            return match OTHERS.into_iter().find(|name| values.get(name).is_some()) {
                Some(name) => Err(values.refuse(name, "which is of no use without oidc.issuer")),
                None => Ok(None),
            };
        };
        let Some(public) = public_url else {
            return Err(values.refuse(
                "server.public_url",
                "and the provider of oidc.issuer must be told to which address it sends people back",
            ));
        };
        let Some(client_id) = values.optional_text("oidc.client_id")? else {
            return Err(values.refuse("oidc.client_id", "and the provider of oidc.issuer knows Stepback only by it"));
        };
        let secret = values.secret("oidc.client_secret", "oidc.client_secret_file")?;
        let mut scopes = values.words("oidc.scopes")?;
        if values.get("oidc.scopes").is_none() {
            scopes = vec!["profile".to_owned(), "email".to_owned()];
        }
        Ok(Some(Self {
            name: values.text("oidc.name", "single sign-on")?,
            settings: OidcSettings {
                issuer,
                client_id,
                client_secret: secret.map(|secret| access::Secret::new(secret.expose())),
                redirect_url: format!("{}://{}{CALLBACK}", public.scheme, public.authority),
                scopes,
                role_claim: values.text("oidc.role_claim", "groups")?,
                roles: roles(values)?,
            },
        }))
    }
}

/// `value=role`, each.
fn roles(values: &Values) -> Result<BTreeMap<String, Role>, ConfigError> {
    let wrong = || values.refuse("oidc.roles", "where each entry gives one value of the claim a role");
    let mut roles = BTreeMap::new();
    for entry in values.words("oidc.roles")? {
        // The value may hold an equals sign, as names of directories do.
        let (value, role) = entry.rsplit_once('=').ok_or_else(wrong)?;
        let role = Role::ALL.into_iter().find(|r| r.as_str() == role.trim()).ok_or_else(wrong)?;
        if value.trim().is_empty() || roles.insert(value.trim().to_owned(), role).is_some() {
            return Err(wrong());
        }
    }
    if roles.is_empty() { Err(wrong()) } else { Ok(roles) }
}

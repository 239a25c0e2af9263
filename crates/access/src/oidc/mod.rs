//! Sign-in at an OpenID Connect provider: authorization code with PKCE, state and nonce; the role from a claim.
//!
//! [`Oidc::begin`] gives the address to send the browser to, [`Oidc::finish`] takes what it brings back. Only the ID
//! token says who somebody is, and only after its signature, issuer, audience, time and nonce were checked.

mod http;
mod known;
mod pending;
mod roles;

use std::collections::BTreeMap;
use std::sync::Arc;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::url::Url;
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
};
use rollback_types::Role;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use known::Known;
pub use pending::Pending;

use crate::{Access, AccessError, Clock, Identity, Secret, UserName};

/// How long somebody may take at the provider.
const PATIENCE_MS: i64 = 10 * 60 * 1000;

/// Never the ones with a shared secret, and never none.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The provider, and what Stepback is to it.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The provider's issuer: `https://…`, or `http` on this machine.
    pub issuer: String,
    /// The client's id there.
    pub client_id: String,
    /// The client's secret; absent for a public client.
    pub client_secret: Option<Secret>,
    /// Where the provider sends the browser back to: an address of this server.
    pub redirect_url: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim of the ID token that says the role: its name, or a path with dots.
    pub role_claim: String,
    /// Which of its values stand for which role. Who has none may not sign in.
    pub roles: BTreeMap<String, Role>,
}

/// A sign-in at the provider was not granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// A setting.
    #[error("the settings of OpenID Connect are not valid: {0}")]
    Settings(String),
    /// The provider cannot be reached, or does not speak OpenID Connect.
    #[error("the provider could not be asked: {0}")]
    Provider(String),
    /// Too late, another browser, or an answer to another sign-in.
    #[error("this answer belongs to no sign-in that was begun here within ten minutes")]
    NotBegun,
    /// The provider, or its token, did not prove who it is.
    #[error("the provider did not prove who signs in: {0}")]
    Unproven(String),
    /// None of the roles.
    #[error("the provider gives this account none of Stepback's roles")]
    NoRole,
    /// Disabled here.
    #[error("this user may not sign in here")]
    Disabled,
    /// The file.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl OidcError {
    /// What to do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Settings(_) => "Correct the section [oidc] of the settings and start Stepback again.",
            Self::Provider(_) => {
                "Try again in a moment; if it stays so, look at the provider and at [oidc] issuer. Users with a \
                 password can sign in meanwhile."
            }
            Self::NotBegun => "Begin at the sign-in page again, in the same browser.",
            Self::Unproven(_) => {
                "Begin at the sign-in page again; if it stays so, compare [oidc] with the client at the provider, and \
                 the clocks of both machines."
            }
            Self::NoRole => "Ask an administrator for a role at the provider, or for a line in [oidc] roles.",
            Self::Disabled => "Ask an administrator.",
            Self::Access(error) => error.remedy(),
        }
    }
}

/// All claims that are not standard ones.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Claims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for Claims {}

type Fields = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type Relying = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Sign-in at one provider.
#[derive(Clone, Debug)]
pub struct Oidc {
    settings: OidcSettings,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    clock: Clock,
    known: Arc<Known>,
}

impl Oidc {
    /// With settings that are looked at here; the provider is asked when somebody signs in, so that it need not be there
    /// yet. What it says of itself is asked again after ten minutes.
    ///
    /// # Errors
    /// [`OidcError::Settings`].
    pub fn new(settings: OidcSettings, clock: Clock) -> Result<Self, OidcError> {
        let wrong = |what: String| OidcError::Settings(what);
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|e| wrong(format!("issuer: {e}")))?;
        let redirect = RedirectUrl::new(settings.redirect_url.clone()).map_err(|e| wrong(format!("redirect: {e}")))?;
        for (name, url) in [("issuer", issuer.url()), ("redirect", redirect.url())] {
            if !http::is_safe(url) {
                return Err(wrong(format!("{name}: {url} is not https")));
            }
        }
        if settings.client_id.is_empty() || settings.role_claim.is_empty() || settings.roles.is_empty() {
            return Err(wrong("client_id, role_claim and roles must not be empty".to_owned()));
        }
        Ok(Self { settings, issuer, redirect, clock, known: Arc::default() })
    }

    /// The address to send the browser to, and what to keep until it comes back. `next` is where it wanted to go.
    ///
    /// # Errors
    /// [`OidcError::Provider`].
    pub async fn begin(&self, next: &str) -> Result<(Url, Pending), OidcError> {
        let client = self.client().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge);
        for scope in &self.settings.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.url();
        let pending = Pending {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            at: self.clock.now_ms(),
            next: next.to_owned(),
        };
        Ok((url, pending))
    }

    /// Who came back. The user is made at the first sign-in; the role is the provider's at each.
    ///
    /// # Errors
    /// See [`OidcError`]; nothing was changed.
    pub async fn finish(
        &self,
        access: &Access,
        code: &str,
        state: &str,
        pending: Pending,
    ) -> Result<Identity, OidcError> {
        let age = self.clock.now_ms().saturating_sub(pending.at);
        let is_ours: bool = pending.state.as_bytes().ct_eq(state.as_bytes()).into();
        if !is_ours || !(0..=PATIENCE_MS).contains(&age) {
            return Err(OidcError::NotBegun);
        }
        let client = self.client().await?;
        self.known.may_be_asked(self.clock.now_ms()).await?;
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|e| OidcError::Provider(e.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier))
            .request_async(&http::send)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(refusal) => OidcError::Unproven(refusal.to_string()),
                RequestTokenError::Request(error) => OidcError::Provider(error.to_string()),
                other => OidcError::Unproven(other.to_string()),
            });
        if let Err(error @ OidcError::Provider(_)) = &answer {
            self.known.is_away(error.clone(), self.clock.now_ms()).await;
        }
        let answer = answer?;
        let unproven = |what: String| OidcError::Unproven(what);
        let token = answer.id_token().ok_or_else(|| unproven("it sent no ID token".to_owned()))?;
        let nonce = Nonce::new(pending.nonce);
        // Signed by a key that is not known: the provider may have changed its keys since it was asked.
        let is_signed = |client: &Relying| {
            let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
            !matches!(token.claims(&verifier, &nonce), Err(ClaimsVerificationError::SignatureVerification(_)))
        };
        let client = if is_signed(&client) { client } else { self.client_anew().await? };
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        let claims = token.claims(&verifier, &nonce).map_err(|e| unproven(e.to_string()))?;
        if let Some(expected) = claims.access_token_hash() {
            let key = token.signing_key(&verifier).map_err(|e| unproven(e.to_string()))?;
            let algorithm = token.signing_alg().map_err(|e| unproven(e.to_string()))?;
            let found = AccessTokenHash::from_token(answer.access_token(), algorithm, key)
                .map_err(|e| unproven(e.to_string()))?;
            if found != *expected {
                return Err(unproven("its access token is of another sign-in".to_owned()));
            }
        }
        let all = &claims.additional_claims().all;
        let role = roles::role_of(all, &self.settings.role_claim, &self.settings.roles).ok_or(OidcError::NoRole)?;
        let names = [
            claims.preferred_username().map(|name| name.as_str().to_owned()),
            claims.email().map(|email| email.as_str().to_owned()),
        ];
        let names: Vec<UserName> = names.into_iter().flatten().filter_map(|name| UserName::new(&name).ok()).collect();
        let (issuer, subject) = (self.issuer.as_str(), claims.subject().as_str());
        access.sign_in_of_provider(issuer, subject, &names, role).await?.ok_or(OidcError::Disabled)
    }

    /// By the provider's keys and addresses as they were a short time ago.
    async fn client(&self) -> Result<Relying, OidcError> {
        Ok(self.relying(self.known.metadata(&self.issuer, self.clock.now_ms()).await?))
    }

    /// By what the provider says of itself now, if it was not asked just before.
    async fn client_anew(&self) -> Result<Relying, OidcError> {
        Ok(self.relying(self.known.newer_metadata(&self.issuer, self.clock.now_ms()).await?))
    }

    fn relying(&self, metadata: CoreProviderMetadata) -> Relying {
        let secret = self.settings.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let id = ClientId::new(self.settings.client_id.clone());
        Relying::from_provider_metadata(metadata, id, secret).set_redirect_uri(self.redirect.clone())
    }
}

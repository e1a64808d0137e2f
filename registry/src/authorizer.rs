//! Tokens: got from the server that the registry names, kept until they expire, asked for once at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::answer::{Answered, Asked};
use crate::challenge::Challenge;
use crate::patience::Patience;
pub(crate) use crate::scope::Scope;
use crate::transport::{Transport, failed, read};
use crate::{Credentials, Error, Result};

const TOKEN_MAX: u64 = 64 * 1024;
/// What the token specification has a token without `expires_in` live.
const LIFETIME: Duration = Duration::from_secs(60);
/// A token is renewed this long before its end, for the request that carries it to arrive in time.
const MARGIN: Duration = Duration::from_secs(10);

/// What is put into `Authorization`, and until when.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) header: HeaderValue,
    expires: Option<Instant>,
}

impl Grant {
    fn new(scheme: &str, secret: &str, expires: Option<Instant>) -> Option<Self> {
        let mut header = HeaderValue::try_from(format!("{scheme} {secret}")).ok()?;
        header.set_sensitive(true);
        Some(Self { header, expires })
    }

    fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}

/// One for each scope; its lock is held while a token is asked for, so that everyone else waits for that one.
type Slot = Arc<tokio::sync::Mutex<Option<Grant>>>;

#[derive(Default)]
pub(crate) struct Authorizer {
    slots: Mutex<HashMap<Scope, Slot>>,
}

impl Authorizer {
    /// What is held for the scope and still good.
    pub(crate) async fn held(&self, scope: &Scope) -> Option<Grant> {
        self.slot(scope).lock().await.clone().filter(Grant::is_fresh)
    }

    /// Meets the challenge that came in answer to `refused`.
    pub(crate) async fn renew(
        &self,
        transport: &Transport,
        scope: &Scope,
        challenges: &[Challenge],
        refused: Option<Grant>,
        answered: &Answered,
    ) -> Result<Grant> {
        let slot = self.slot(scope);
        let mut held = slot.lock().await;
        if let Some(grant) = held.as_ref().filter(|grant| {
            grant.is_fresh() && refused.as_ref().is_none_or(|refused| refused.header != grant.header)
        }) {
            return Ok(grant.clone());
        }
        *held = None;
        let credentials = transport.credentials(scope.registry());
        let bearer = challenges.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
        let grant = match (bearer.or(challenges.first()), &credentials) {
            (Some(Challenge::Bearer { realm, service, scope: asked }), _) => {
                let realm = TokenServer { transport, scope, realm, service: service.as_deref() };
                realm.token(asked.as_deref(), &credentials).await?
            }
            // The same again would be refused again.
            (Some(Challenge::Basic), Credentials::Basic { username, password }) if refused.is_none() => {
                let plain = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
                let secret = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
                Grant::new("Basic", &secret, None)
                    .ok_or_else(|| Error::protocol(scope.registry(), "credentials no header can carry"))?
            }
            _ => {
                let asked = Asked { scope, credentials: &credentials, via: None };
                return Err(asked.refused(answered));
            }
        };
        *held = Some(grant.clone());
        Ok(grant)
    }

    /// Forgets what is held for a registry. A token that is being asked for is not kept either.
    pub(crate) fn forget(&self, registry: &str) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|scope, _| scope.registry() != registry);
    }

    fn slot(&self, scope: &Scope) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(scope.clone()).or_default().clone()
    }
}

/// The server that a registry's challenge names (distribution's token authentication specification).
struct TokenServer<'a> {
    transport: &'a Transport,
    scope: &'a Scope,
    realm: &'a str,
    service: Option<&'a str>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<SecretText>,
    access_token: Option<SecretText>,
    expires_in: Option<u64>,
}

/// A secret from the moment it is read.
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.into()))
    }
}

impl TokenServer<'_> {
    async fn token(&self, asked: Option<&str>, credentials: &Credentials) -> Result<Grant> {
        let realm = self.safe_realm()?;
        let host = crate::endpoint::authority(&realm);
        let scopes = self.scope.to_ask(asked);
        let site = self.transport.site(self.scope.registry());
        let mut patience = Patience::default();
        loop {
            let began = Instant::now();
            let request = self.request(realm.clone(), &scopes, credentials);
            let response = match request.timeout(site.timeouts.answer).send().await {
                Ok(response) => response,
                Err(error) => {
                    patience.pause(None, failed(&host, "a token", error)).await?;
                    continue;
                }
            };
            if response.status().is_success() {
                let bytes = Zeroizing::new(read(response, TOKEN_MAX, "the token").await?);
                return grant(&bytes, began).map_err(|detail| Error::protocol(&host, detail));
            }
            let asked = Asked { scope: self.scope, credentials, via: Some(&host) };
            patience.pause(None, asked.refused(&Answered::read(response).await)).await?;
        }
    }

    fn safe_realm(&self) -> Result<Url> {
        let registry = self.scope.registry();
        let realm = Url::parse(self.realm)
            .map_err(|error| Error::protocol(registry, format!("not a token server's address: {error}")))?;
        match realm.scheme() {
            "https" => Ok(realm),
            "http" if self.transport.is_plain(registry) => Ok(realm),
            scheme => Err(Error::Unsafe {
                registry: registry.to_owned(),
                detail: format!("a token from {} over {scheme}", realm.host_str().unwrap_or("nowhere")),
            }),
        }
    }

    /// `GET` with basic authorization, or `POST` with the refresh token. Neither follows a redirect.
    fn request(&self, mut realm: Url, scopes: &[String], credentials: &Credentials) -> RequestBuilder {
        let site = self.transport.site(self.scope.registry());
        let asked = self.service.map(|service| ("service", service));
        let asked = asked.into_iter().chain(scopes.iter().map(|scope| ("scope", scope.as_str())));
        if let Credentials::IdentityToken(token) = credentials {
            let mut form = realm.clone();
            form.query_pairs_mut().clear().extend_pairs(asked).extend_pairs([
                ("grant_type", "refresh_token"),
                ("client_id", "cutover"),
                ("refresh_token", token.expose_secret()),
            ]);
            return site
                .request(Method::POST, realm)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.query().unwrap_or_default().to_owned());
        }
        realm.query_pairs_mut().extend_pairs(asked);
        let request = site.request(Method::GET, realm);
        match credentials {
            Credentials::Basic { username, password } => {
                request.basic_auth(username, Some(password.expose_secret()))
            }
            _ => request,
        }
    }
}

pub(crate) fn grant(bytes: &[u8], began: Instant) -> Result<Grant, &'static str> {
    // Without the parser's words: they may quote the token.
    let token: Token =
        serde_json::from_slice(bytes).map_err(|_| "the token server's answer is not JSON as it should be")?;
    let lifetime = token.expires_in.map_or(LIFETIME, Duration::from_secs);
    let expires = began.checked_add(lifetime.saturating_sub(MARGIN.min(lifetime / 4)));
    let text = token.token.or(token.access_token).ok_or("the token server's answer has no token")?;
    Grant::new("Bearer", text.0.expose_secret(), expires)
        .ok_or("the token server's answer has no usable token")
}

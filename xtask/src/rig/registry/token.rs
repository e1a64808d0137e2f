//! The token server that a registry's `Bearer` challenge names, after the distribution project's token
//! specification ("Docker Registry v2 authentication via central service").

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::Method;
use hyper::header::AUTHORIZATION;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::rig::error::{Doing, Result, unexpected};
use crate::rig::server::{self, Answer, Asked, Server};

/// The name that the registry has for the token server.
pub(super) const SERVICE: &str = "cutover-rig";

/// The name that the token server has for the registry.
pub(super) const ISSUER: &str = "cutover-rig-tokens";

/// How long a token is good, in seconds.
const LIFE: u64 = 300;

/// The running token server.
#[derive(Debug)]
pub(super) struct TokenServer {
    server: Server,
    certificate: PathBuf,
    given: Arc<AtomicUsize>,
}

impl TokenServer {
    /// Starts a server that gives the one user what they ask for; its certificate is written into `place`.
    pub(super) async fn start(username: &str, password: &SecretString, place: &Path) -> Result<Self> {
        let (signer, pem) = Signer::new()?;
        let certificate = place.join("tokens.pem");
        std::fs::write(&certificate, pem).doing(format!("write {}", certificate.display()))?;
        let pair = STANDARD.encode(format!("{username}:{}", password.expose_secret()));
        let expected = SecretString::from(format!("Basic {pair}"));
        let given = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&given);
        let username = username.to_owned();
        let server =
            Server::start(move |request| answer(&request, &username, &expected, &signer, &count)).await?;
        Ok(Self { server, certificate, given })
    }

    /// The URL that the challenge names.
    pub(super) fn realm(&self) -> String {
        format!("http://{}/token", self.server.address())
    }

    /// The certificate that the registry must trust.
    pub(super) fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// How many tokens it gave.
    pub(super) fn given(&self) -> usize {
        self.given.load(Ordering::Relaxed)
    }
}

/// Answers as GHCR does: 401 without credentials, 403 "denied" with wrong ones, and GET only.
fn answer(
    request: &Asked,
    username: &str,
    expected: &SecretString,
    signer: &Signer,
    given: &AtomicUsize,
) -> Answer {
    if request.method() != Method::GET {
        return Some(refusal(405, "UNSUPPORTED", "the operation is unsupported"));
    }
    let Some(credentials) = request.headers().get(AUTHORIZATION) else {
        return Some(refusal(401, "UNAUTHORIZED", "authentication required"));
    };
    if credentials.as_bytes() != expected.expose_secret().as_bytes() {
        return Some(refusal(403, "DENIED", "denied"));
    }
    let scopes = scopes(request.uri().query().unwrap_or_default());
    Some(match signer.token(username, &scopes) {
        Ok(token) => {
            given.fetch_add(1, Ordering::Relaxed);
            let body = json!({ "token": token, "access_token": token, "expires_in": LIFE });
            server::text(200, "application/json", body.to_string())
        }
        Err(error) => refusal(500, "UNKNOWN", &error.to_string()),
    })
}

fn refusal(status: u16, code: &str, message: &str) -> hyper::Response<http_body_util::Full<bytes::Bytes>> {
    let body = json!({ "errors": [{ "code": code, "message": message }] });
    server::text(status, "application/json", body.to_string())
}

/// The `access` claim of what a query's `scope` parameters ask for: `repository:<name>:<action>,<action>`.
fn scopes(query: &str) -> Vec<Value> {
    let asked = query.split('&').filter_map(|pair| pair.strip_prefix("scope="));
    let decoded = asked.map(decode).collect::<Vec<_>>();
    let each = decoded.iter().flat_map(|scopes| scopes.split(' '));
    each.filter_map(|scope| {
        let (kind, rest) = scope.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let actions: Vec<&str> =
            actions.split(',').filter(|action| ["pull", "push"].contains(action)).collect();
        Some(json!({ "type": kind, "name": name, "actions": actions }))
    })
    .collect()
}

/// A query's value without its percent-encoding (RFC 3986, section 2.1) and with `+` as a blank.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = (first == b'%').then(|| after.get(..2)).flatten();
        let hex = hex.filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let coded = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(coded.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if coded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What tokens are signed with.
struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
    header: String,
}

impl Signer {
    /// A new key, and its self-signed certificate as PEM.
    fn new() -> Result<(Self, String)> {
        let made = rcgen::generate_simple_self_signed(vec![ISSUER.to_owned()]);
        let made = made.map_err(|why| unexpected("the token server's certificate", why))?;
        let random = SystemRandom::new();
        let pkcs8 = made.signing_key.serialize_der();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random);
        let key = key.map_err(|why| unexpected("the token server's key", why))?;
        // RFC 7515, section 4.1.6: standard base64, not the URL-safe one.
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(made.cert.der())] });
        Ok((Self { key, random, header: header.to_string() }, made.cert.pem()))
    }

    /// A JSON Web Token (RFC 7519) that grants `access`.
    fn token(&self, subject: &str, access: &[Value]) -> Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let claims = json!({
            "iss": ISSUER, "aud": SERVICE, "sub": subject, "iat": now, "nbf": now, "exp": now + LIFE,
            "jti": crate::rig::run::random(), "access": access,
        });
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(&self.header),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.key.sign(&self.random, signed.as_bytes());
        let signature = signature.map_err(|why| unexpected("the token server's key", why))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_grants_what_it_asks_for_and_no_more() {
        let access = scopes("service=x&scope=repository%3Aacme%2Fweb%3Apull%2Cpush%2Cdelete&account=a");
        assert_eq!(
            access,
            [json!({ "type": "repository", "name": "acme/web", "actions": ["pull", "push"] })]
        );
    }

    #[test]
    fn a_name_may_hold_a_colon() {
        let access = scopes("scope=repository:host:5000/a:pull+repository:b:pull");
        assert_eq!(access.len(), 2);
        assert_eq!(access[0]["name"], "host:5000/a");
    }

    #[test]
    fn a_percent_sign_that_codes_nothing_stays() {
        assert_eq!(decode("100%+a%2"), "100% a%2");
    }
}

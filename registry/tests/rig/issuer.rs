//! A token server's key: what `docker-registry` trusts, and tokens it takes.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;

use super::CUTOVER_BASIC;
use super::peer::{Peer, Reply, Request};

pub(crate) const ISSUER: &str = "cutover test";
pub(crate) const SERVICE: &str = "cutover test registry";

/// Signs tokens as the distribution specification has them: ES256, the certificate in `x5c`.
#[derive(Clone)]
pub(crate) struct Issuer {
    certificate_der: Vec<u8>,
    pub(crate) certificate_pem: String,
    key_der: Vec<u8>,
    pub(crate) key_pem: String,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        Self {
            certificate_der: cert.der().to_vec(),
            certificate_pem: cert.pem(),
            key_der: signing_key.serialize_der(),
            key_pem: signing_key.serialize_pem(),
        }
    }

    /// A token that lets its bearer do these things in a repository for a minute.
    pub(crate) fn token(&self, repository: &str, actions: &[&str]) -> String {
        self.token_for(&[json!({"type": "repository", "name": repository, "actions": actions})])
    }

    fn token_for(&self, access: &[serde_json::Value]) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let header = json!({"typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(&self.certificate_der)]});
        let claims = json!({
            "iss": ISSUER, "sub": "cutover", "aud": SERVICE, "jti": "1",
            "iat": now.as_secs(),
            "nbf": (now - Duration::from_secs(10)).as_secs(),
            "exp": (now + Duration::from_secs(60)).as_secs(),
            "access": access,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.key_der, &random).unwrap();
        let signature = key.sign(&random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// A token server that lets `cutover` pull from `acme/web`, and nobody else do anything.
    pub(crate) async fn serve(&self) -> Peer {
        let issuer = self.clone();
        Peer::start(move |request, _| {
            assert_eq!(request.method, "GET");
            if request.header("authorization") != Some(CUTOVER_BASIC) {
                return Reply::new(403, r#"{"errors":[{"code":"DENIED","message":"denied"}]}"#);
            }
            assert!(request.path.contains("service=cutover+test+registry"), "{}", request.path);
            assert!(request.path.contains("scope=repository%3Aacme%2Fweb%3Apull"), "{}", request.path);
            let token = issuer.token("acme/web", &["pull"]);
            Reply::new(200, json!({"token": token, "expires_in": 60}).to_string())
        })
        .await
    }

    /// A token server that lets `cutover` do whatever is asked for.
    pub(crate) async fn serve_all(&self) -> Peer {
        let issuer = self.clone();
        Peer::start(move |request, _| {
            if request.header("authorization") != Some(CUTOVER_BASIC) {
                return Reply::new(403, r#"{"errors":[{"code":"DENIED","message":"denied"}]}"#);
            }
            let access: Vec<_> = asked_scopes(request)
                .iter()
                .map(|scope| {
                    let [kind, name, actions] = scope.splitn(3, ':').collect::<Vec<_>>()[..] else {
                        panic!("not a scope: {scope}")
                    };
                    json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()})
                })
                .collect();
            Reply::new(200, json!({"token": issuer.token_for(&access), "expires_in": 60}).to_string())
        })
        .await
    }
}

/// The scopes that a token is asked for.
pub(crate) fn asked_scopes(request: &Request) -> Vec<String> {
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    let scopes = query.split('&').filter_map(|pair| pair.strip_prefix("scope="));
    scopes.map(|scope| scope.replace("%3A", ":").replace("%2F", "/").replace("%2C", ",")).collect()
}

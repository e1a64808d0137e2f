//! Notices to a program of one's own.

use std::fmt;
use std::time::{Duration, SystemTime};

use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use secrecy::SecretString;
use serde_json::Value;

use crate::address::Address;
use crate::delivery::{Limits, Tries, Trouble};
use crate::record::{Times, record};
use crate::signature::{Key, SIGNATURE_HEADER};
use crate::transport::{self, Connector};
use crate::{Delivered, Error, Notice, Sending, Sink};

type Body = Full<hyper::body::Bytes>;

/// Notices to a program of one's own: each is one `POST` of a JSON object, signed if there is a key.
///
/// The object has `version` (1) and a name for all that is known of the notice; what is not known is left out. Times are
/// in seconds:
///
/// ```json
/// { "version": 1, "status": "success", "app": "web", "text": "web: deployed …", "image": "ghcr.io/acme/web:1.4",
///   "digest": "sha256:…", "previous": "…", "from": "blue", "to": "green", "host": "srv1", "actor": "anna",
///   "took": 12.48, "phases": [{ "name": "pull", "took": 3.25 }],
///   "requests": { "total": 67000, "lost": 0, "p99": { "before": 0.0041, "during": 0.0052, "after": 0.004 } },
///   "reason": "…", "logs": ["…"], "next": "cutover rollback web", "preview": "…", "repo": "acme/web", "message": "…",
///   "commit": "…", "author": "…", "action": "…", "eventName": "push", "ref": "refs/heads/main", "workflow": "CI",
///   "job": "ship", "run_url": "…", "commit_url": "…", "repo_url": "…", "compare_url": "…", "package_url": "…" }
/// ```
///
/// A receiver checks [`SIGNATURE_HEADER`] by [`verify`](crate::verify) and answers with any 2xx. A notice that is tried
/// again after a 429 or a 5xx has the same signature. A redirect is not followed: it counts as a refusal.
pub struct Webhook {
    address: Address,
    key: Option<Key>,
    client: Client<Connector, Body>,
    limits: Limits,
}

impl Webhook {
    /// Checks the address and the key, and reads the system's root certificates. It connects to nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] when the address is none, has a user name or no path, or is neither `https` nor `http` to a
    /// loopback address; [`Error::Secret`] for a key of fewer than 16 bytes; [`Error::Tls`] when the system has no root
    /// certificates.
    pub fn new(url: &SecretString, key: Option<&SecretString>, limits: Limits) -> Result<Self, Error> {
        let address = Address::webhook("webhook", url)?;
        let key = key.map(Key::new).transpose()?;
        let client = Client::builder(TokioExecutor::new()).build(transport::connector(&address)?);
        Ok(Self { address, key, client, limits })
    }

    async fn post(&self, notice: &Notice) -> Result<Delivered, Error> {
        let body = body(notice).to_string();
        let signature = self.key.as_ref().map(|key| key.sign(body.as_bytes(), SystemTime::now()));
        let mut tries = Tries::new(self.limits);
        loop {
            let limit = tries.begin();
            match self.attempt(&body, signature.as_deref(), limit, tries.count()).await {
                Ok(()) => return Ok(Delivered::after(tries.count())),
                Err(trouble) => tries.again(trouble).await?,
            }
        }
    }

    async fn attempt(
        &self,
        body: &str,
        signature: Option<&str>,
        limit: Duration,
        attempts: u32,
    ) -> Result<(), Trouble> {
        let host = self.address.host().to_owned();
        let mut request = hyper::Request::post(self.address.url().as_str())
            .header("content-type", "application/json")
            .header("user-agent", concat!("cutover-notify/", env!("CARGO_PKG_VERSION")));
        if let Some(signature) = signature {
            request = request.header(SIGNATURE_HEADER, signature);
        }
        let why = "it cannot be asked for over HTTP".to_owned();
        let request = request
            .body(Body::from(body.to_owned()))
            .map_err(|_| Trouble::Final(Error::Address { what: "webhook", why }))?;
        let answer = match tokio::time::timeout(limit, self.client.request(request)).await {
            Err(_) => return Err(Trouble::Final(Error::TimedOut { host, after: limit, attempts })),
            Ok(Err(source)) if source.is_connect() => {
                let error = Error::Unreachable { host, attempts, source: Box::new(source) };
                return Err(Trouble::Passing { error, retry_after: None });
            }
            Ok(Err(source)) => return Err(Trouble::Final(Error::Broken { host, source: Box::new(source) })),
            Ok(Ok(answer)) => answer,
        };
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        match answer.status().as_u16() {
            200..300 => Ok(()),
            429 => Err(Trouble::Passing {
                error: Error::RateLimited { host, retry_after, attempts },
                retry_after,
            }),
            status @ 500.. => {
                Err(Trouble::Passing { error: Error::Unavailable { host, status, attempts }, retry_after })
            }
            status => Err(Trouble::Final(Error::Rejected { host, status, code: "unexplained".to_owned() })),
        }
    }
}

/// The body of the request for a notice.
fn body(notice: &Notice) -> Value {
    let mut record = record(notice, Times::Seconds);
    record.retain(|_, value| !value.is_null());
    record.insert("version".to_owned(), 1.into());
    Value::Object(record)
}

impl Sink for Webhook {
    fn name(&self) -> String {
        format!("webhook ({})", self.address.host())
    }

    fn send<'a>(&'a self, notice: &'a Notice) -> Sending<'a> {
        Box::pin(self.post(notice))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("host", &self.address.host())
            .field("signed", &self.key.is_some())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

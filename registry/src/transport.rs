//! Requests: by which scheme, through which redirects, how often, and how much of the answer.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, LOCATION, RANGE, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use rustls::RootCertStore;

use crate::answer::{self, Asked};
use crate::authorizer::{Authorizer, Scope};
use crate::endpoint::{self, same_origin};
use crate::{Credentials, Error, ImageRef, RegistryBuilder, Result, Timeouts, challenge};

const REDIRECTS_MAX: usize = 5;
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A registry that asks for more patience than this is told of instead of waited for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// One thing to get from a registry.
pub(crate) struct Ask<'a> {
    pub(crate) image: &'a ImageRef,
    /// Below the repository: `manifests/latest`, `blobs/sha256:…`.
    pub(crate) path: String,
    pub(crate) accept: &'a str,
    /// Whether the whole answer must come within [`Timeouts::answer`].
    pub(crate) small: bool,
    /// From which byte on it is wanted. The answer may then also be 416, and may be the whole all the same.
    pub(crate) from: u64,
}

pub(crate) struct Transport {
    outward: Client,
    loopback: Client,
    pub(crate) timeouts: Timeouts,
    insecure: HashSet<String>,
    https: HashSet<String>,
    credentials: HashMap<String, Credentials>,
    authorizer: Authorizer,
}

impl Transport {
    pub(crate) fn new(builder: RegistryBuilder, roots: RootCertStore) -> Result<Self> {
        let loopback = client(&builder, roots.clone(), false)?;
        let outward = if builder.system_proxy { client(&builder, roots, true)? } else { loopback.clone() };
        Ok(Self {
            outward,
            loopback,
            timeouts: builder.timeouts,
            insecure: builder.insecure,
            https: builder.https,
            credentials: builder.credentials,
            authorizer: Authorizer::default(),
        })
    }

    /// Gets it: authorised, redirected, and tried again as need be. The answer is a success.
    pub(crate) async fn get(&self, ask: &Ask<'_>) -> Result<Response> {
        let registry = ask.image.registry();
        let scope = Scope::pull(ask.image);
        let url = self.url(ask)?;
        let mut patience = Patience::default();
        let mut grant = self.authorizer.held(&scope).await;
        let mut renewed = false;
        loop {
            let (response, at_home) =
                match self.follow(ask, url.clone(), grant.as_ref().map(|grant| &grant.header)).await {
                    Ok(answered) => answered,
                    Err(error @ Error::Unreachable { .. }) => {
                        patience.pause(None, error).await?;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
            let status = response.status();
            if status.is_success() || (ask.from > 0 && status == StatusCode::RANGE_NOT_SATISFIABLE) {
                return Ok(response);
            }
            if status == StatusCode::NOT_FOUND && at_home {
                return Err(Error::NotFound { image: Box::new(ask.image.clone()) });
            }
            if status == StatusCode::UNAUTHORIZED && at_home && !renewed {
                renewed = true;
                let challenges: Vec<_> = response
                    .headers()
                    .get_all(WWW_AUTHENTICATE)
                    .iter()
                    .filter_map(|value| value.to_str().ok())
                    .flat_map(challenge::parse)
                    .collect();
                let reason = answer::reason(response).await;
                grant = Some(self.authorizer.renew(self, &scope, &challenges, grant, &reason).await?);
                continue;
            }
            let host = response.url().host_str().unwrap_or(registry).to_owned();
            let asked = Asked {
                registry,
                repository: ask.image.repository(),
                credentials: self.credentials(registry),
                via: (!at_home).then_some(host.as_str()),
            };
            let retry_after = answer::retry_after(response.headers());
            let error = asked.refused(status, retry_after, &answer::reason(response).await);
            patience.pause(retry_after, error).await?;
        }
    }

    pub(crate) fn credentials(&self, registry: &str) -> &Credentials {
        self.credentials.get(registry).unwrap_or(&Credentials::Anonymous)
    }

    /// A request to this address that carries nothing yet.
    pub(crate) fn request(&self, method: reqwest::Method, url: Url) -> RequestBuilder {
        let near = url.host_str().is_some_and(endpoint::is_loopback);
        let client = if near { &self.loopback } else { &self.outward };
        client.request(method, url)
    }

    pub(crate) fn is_plain(&self, registry: &str) -> bool {
        self.insecure.contains(registry)
            || (endpoint::is_loopback(registry) && !self.https.contains(registry))
    }

    fn url(&self, ask: &Ask<'_>) -> Result<Url> {
        let registry = ask.image.registry();
        let path = format!("{}/{}", ask.image.repository(), ask.path);
        endpoint::base(registry, self.is_plain(registry))?
            .join(&path)
            .map_err(|error| Error::protocol(registry, format!("not an address: {error}")))
    }

    /// Follows redirects by hand, so that it is plain which host gets the authorization: the first alone.
    ///
    /// Says too whether it is the registry itself that answered: what another host says is no answer about the
    /// image and no challenge to meet.
    async fn follow(
        &self,
        ask: &Ask<'_>,
        home: Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<(Response, bool)> {
        let registry = ask.image.registry();
        let mut url = home.clone();
        let mut at_home = true;
        for _ in 0..=REDIRECTS_MAX {
            let mut request = self.request(reqwest::Method::GET, url.clone()).header(ACCEPT, ask.accept);
            if let Some(authorization) = authorization.filter(|_| at_home) {
                request = request.header(AUTHORIZATION, authorization.clone());
            }
            if ask.from > 0 {
                request = request.header(RANGE, format!("bytes={}-", ask.from));
            }
            if ask.small {
                request = request.timeout(self.timeouts.answer);
            }
            let response =
                request.send().await.map_err(|error| failed(&endpoint::authority(&url), &ask.path, error))?;
            let Some(next) = location(&response).filter(|_| response.status().is_redirection()) else {
                return Ok((response, at_home));
            };
            let next = url
                .join(&next)
                .map_err(|error| Error::protocol(registry, format!("a redirect to nowhere: {error}")))?;
            if next.scheme() != "https" && (url.scheme() == "https" || next.scheme() != "http") {
                let detail = format!("a redirect from https to {}", next.scheme());
                return Err(Error::Unsafe { registry: registry.to_owned(), detail });
            }
            at_home = at_home && same_origin(&home, &next);
            url = next;
        }
        Err(Error::protocol(registry, format!("more than {REDIRECTS_MAX} redirects for {}", ask.path)))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("timeouts", &self.timeouts)
            .field("insecure", &self.insecure)
            .field("https", &self.https)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

/// How often a request is tried, and how long is waited in between.
#[derive(Default)]
pub(crate) struct Patience {
    tried: u32,
}

impl Patience {
    /// Waits before the next try, or gives the error back where there is none.
    pub(crate) async fn pause(&mut self, retry_after: Option<Duration>, error: Error) -> Result<()> {
        let passing = match &error {
            Error::RateLimited { .. } | Error::Unreachable { .. } | Error::Truncated { .. } => true,
            Error::Unavailable { status, .. } => matches!(status, 500 | 502..=504),
            _ => false,
        };
        let Some(pause) = self.next(retry_after).filter(|_| passing) else { return Err(error) };
        tracing::debug!(%error, ?pause, "trying again");
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// How long to wait before the next try, whatever failed; nothing where there is none.
    pub(crate) fn next(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        self.tried += 1;
        let pause = retry_after.unwrap_or(FIRST_PAUSE * 2u32.pow(self.tried - 1));
        (self.tried < TRIES && pause <= RETRY_AFTER_MAX).then_some(pause)
    }
}

/// Reads an answer to its end, or to `limit` bytes and no further.
pub(crate) async fn read(mut response: Response, limit: u64, what: &str) -> Result<Vec<u8>> {
    let host = endpoint::authority(response.url());
    let too_large = || Error::TooLarge { what: format!("{what} from {host}"), limit };
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&host, what, error))? {
        if bytes.len() as u64 + chunk.len() as u64 > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What a request that got no answer, or half of one, comes to.
pub(crate) fn failed(host: &str, what: &str, error: reqwest::Error) -> Error {
    let registry = host.to_owned();
    if error.is_timeout() && !error.is_connect() {
        Error::Timeout { registry, what: what.to_owned() }
    } else {
        // Without the address: a blob store's holds a signature that lets anyone in.
        Error::Unreachable { registry, source: error.without_url().into() }
    }
}

fn location(response: &Response) -> Option<String> {
    response.headers().get(LOCATION)?.to_str().ok().map(str::to_owned)
}

fn client(builder: &RegistryBuilder, roots: RootCertStore, proxied: bool) -> Result<Client> {
    let setup = |detail: String| Error::Setup { detail };
    // The provider is named here, so that it matters neither whether the process has a default one nor which.
    let mut tls =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(&builder.user_agent)
        .connect_timeout(builder.timeouts.connect)
        .read_timeout(builder.timeouts.stall);
    if proxied { client } else { client.no_proxy() }.build().map_err(|error| setup(error.to_string()))
}

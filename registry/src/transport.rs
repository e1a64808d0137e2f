//! Requests: by which scheme, through which redirects, how often, and how much of the answer.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use reqwest::header::{AUTHORIZATION, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Method, Response, StatusCode, Url};
use rustls::RootCertStore;

use crate::answer::{Answered, Asked};
use crate::authorizer::Authorizer;
pub(crate) use crate::call::Ask;
use crate::call::{Call, Target};
use crate::endpoint::{self, same_origin};
use crate::mirrors::{FromMirror, Mirrors};
pub(crate) use crate::patience::Patience;
use crate::settings::Scheme;
use crate::site::Site;
use crate::{Credentials, Error, ImageRef, RegistryBuilder, Result, challenge};

const REDIRECTS_MAX: usize = 5;

pub(crate) struct Transport {
    common: Site,
    apart: HashMap<String, Site>,
    schemes: HashMap<String, Scheme>,
    pub(crate) mirrors: Mirrors,
    credentials: RwLock<HashMap<String, Credentials>>,
    authorizer: Authorizer,
}

impl Transport {
    pub(crate) fn new(builder: RegistryBuilder, roots: &RootCertStore) -> Result<Self> {
        let mut apart = HashMap::new();
        for (registry, settings) in builder.settings.iter().filter(|(_, settings)| settings.is_apart()) {
            let mut roots = roots.clone();
            for pem in &settings.roots {
                crate::builder::trust(&mut roots, pem)?;
            }
            let timeouts = settings.timeouts.unwrap_or(builder.timeouts);
            apart.insert(registry.clone(), Site::new(&builder, &roots, timeouts)?);
        }
        let settings = || builder.settings.iter();
        let schemes = settings().map(|(registry, settings)| (registry.clone(), settings.scheme)).collect();
        let mirrors =
            settings().map(|(registry, settings)| (registry.clone(), settings.mirrors.clone())).collect();
        Ok(Self {
            common: Site::new(&builder, roots, builder.timeouts)?,
            apart,
            schemes,
            mirrors: Mirrors::new(mirrors),
            credentials: RwLock::new(builder.credentials),
            authorizer: Authorizer::default(),
        })
    }

    /// Gets it from a mirror, or else from the registry: authorised, redirected, and tried again as need be.
    ///
    /// What came from a mirror is marked [`FromMirror`]. It is as little to be believed as anything else.
    pub(crate) async fn get(&self, ask: &Ask<'_>) -> Result<Response> {
        for mirror in self.mirrors.of(ask.image) {
            let ask = Ask { image: &mirror, path: ask.path.clone(), ..*ask };
            match self.send(&Call::get(&ask).once()).await {
                Ok(mut response) => {
                    response.extensions_mut().insert(FromMirror(mirror.clone()));
                    return Ok(response);
                }
                Err(error) => self.mirrors.pass_over(&mirror, &error),
            }
        }
        self.send(&Call::get(ask)).await
    }

    /// Makes the call: authorised, redirected, and tried again as need be. The answer is a success, or a refusal
    /// that the call takes for an answer.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Response> {
        let registry = call.image.registry();
        let home = self.base(registry)?;
        let url = self.url(call, &home)?;
        let mut patience = Patience::default();
        let mut grant = self.authorizer.held(&call.scope).await;
        let mut renewed = false;
        loop {
            let authorization = grant.as_ref().map(|grant| &grant.header);
            let (response, at_home) = match self.follow(call, &home, url.clone(), authorization).await {
                Ok(answered) => answered,
                Err(error @ Error::Unreachable { .. }) if call.patient => {
                    patience.pause(None, error).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let status = response.status();
            if status.is_success() || call.answers.contains(&status.as_u16()) {
                return Ok(response);
            }
            if status == StatusCode::NOT_FOUND && at_home {
                return Err(Error::NotFound { image: Box::new(call.image.clone()) });
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
                let answered = Answered::read(response).await;
                grant = Some(self.authorizer.renew(self, &call.scope, &challenges, grant, &answered).await?);
                continue;
            }
            let host = endpoint::authority(response.url());
            let asked = Asked {
                scope: &call.scope,
                credentials: &self.credentials(registry),
                via: (!at_home).then_some(host.as_str()),
            };
            let error = asked.refused(&Answered::read(response).await);
            if !call.patient {
                return Err(error);
            }
            patience.pause(None, error).await?;
        }
    }

    pub(crate) fn credentials(&self, registry: &str) -> Credentials {
        let credentials = self.credentials.read().unwrap_or_else(PoisonError::into_inner);
        credentials.get(registry).cloned().unwrap_or_default()
    }

    /// Changes who to be at a registry, and forgets the tokens of who it was.
    pub(crate) fn set_credentials(&self, registry: &str, credentials: Credentials) {
        let mut all = self.credentials.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(registry.to_owned(), credentials);
        self.authorizer.forget(registry);
    }

    pub(crate) fn site(&self, registry: &str) -> &Site {
        self.apart.get(registry).unwrap_or(&self.common)
    }

    pub(crate) fn is_plain(&self, registry: &str) -> bool {
        match self.schemes.get(registry).copied().unwrap_or_default() {
            Scheme::ByPlace => endpoint::is_loopback(registry),
            Scheme::Plain => true,
            Scheme::Https => false,
        }
    }

    /// The address that a `Location` or `Link` of the registry means, which may be relative and on another host.
    pub(crate) fn place(&self, image: &ImageRef, from: &Url, text: &str) -> Result<Url> {
        let registry = image.registry();
        let next = from
            .join(text)
            .map_err(|error| Error::protocol(registry, format!("an address to nowhere: {error}")))?;
        safe(registry, from, &next)?;
        Ok(next)
    }

    fn base(&self, registry: &str) -> Result<Url> {
        endpoint::base(registry, self.is_plain(registry))
    }

    fn url(&self, call: &Call<'_>, home: &Url) -> Result<Url> {
        let path = match &call.target {
            Target::Place(url) => return Ok(url.clone()),
            Target::Path(path) => format!("{}/{path}", call.image.repository()),
        };
        home.join(&path)
            .map_err(|error| Error::protocol(call.image.registry(), format!("not an address: {error}")))
    }

    /// Follows redirects by hand, so that it is plain which host gets the authorization: the registry alone.
    ///
    /// Says too whether it is the registry itself that answered: what another host says is no answer about the
    /// image and no challenge to meet.
    async fn follow(
        &self,
        call: &Call<'_>,
        home: &Url,
        mut url: Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<(Response, bool)> {
        let registry = call.image.registry();
        let site = self.site(registry);
        let mut at_home = same_origin(home, &url);
        for _ in 0..=REDIRECTS_MAX {
            let method = call.method.clone();
            let request = if call.uploading {
                site.upload(method, url.clone())
            } else {
                site.request(method, url.clone())
            };
            let mut request = call.dress(request);
            if let Some(authorization) = authorization.filter(|_| at_home) {
                request = request.header(AUTHORIZATION, authorization.clone());
            }
            if call.small {
                request = request.timeout(site.timeouts.answer);
            }
            let response = request
                .send()
                .await
                .map_err(|error| failed(&endpoint::authority(&url), &call.what(), error))?;
            let status = response.status();
            let Some(next) = location(&response).filter(|_| status.is_redirection()) else {
                return Ok((response, at_home));
            };
            let keeps_method = matches!(status.as_u16(), 307 | 308);
            if !keeps_method && !matches!(call.method, Method::GET | Method::HEAD) {
                let detail = format!("a redirect ({status}) in answer to {}", call.method);
                return Err(Error::protocol(registry, detail));
            }
            let next = self.place(call.image, &url, &next)?;
            at_home = at_home && same_origin(home, &next);
            url = next;
        }
        Err(Error::protocol(registry, format!("more than {REDIRECTS_MAX} redirects for {}", call.what())))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("timeouts", &self.common.timeouts)
            .field("schemes", &self.schemes)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

/// What leads from https to anything else is not gone along with.
fn safe(registry: &str, from: &Url, next: &Url) -> Result<()> {
    if next.scheme() != "https" && (from.scheme() == "https" || next.scheme() != "http") {
        let detail = format!("a redirect from {} to {}", from.scheme(), next.scheme());
        return Err(Error::Unsafe { registry: registry.to_owned(), detail });
    }
    Ok(())
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

pub(crate) fn location(response: &Response) -> Option<String> {
    response.headers().get(LOCATION)?.to_str().ok().map(str::to_owned)
}

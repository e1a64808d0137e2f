//! One request to a registry, as often as it has to be made.

use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RANGE};
use reqwest::{Method, RequestBuilder, Url};

use crate::ImageRef;
use crate::authorizer::Scope;

/// One thing to get from a registry.
pub(crate) struct Ask<'a> {
    pub(crate) image: &'a ImageRef,
    /// Below the repository: `manifests/latest`, `blobs/sha256:…`.
    pub(crate) path: String,
    pub(crate) accept: &'a str,
    /// Whether the whole answer must come within [`Timeouts::answer`](crate::Timeouts::answer).
    pub(crate) small: bool,
    /// From which byte on it is wanted. The answer may then also be 416, and may be the whole all the same.
    pub(crate) from: u64,
}

/// What a request goes to.
pub(crate) enum Target {
    /// Below the repository.
    Path(String),
    /// Where the registry said.
    Place(Url),
}

/// Makes a body, anew for each try.
pub(crate) type Fresh<'a> = Box<dyn Fn() -> reqwest::Body + Send + Sync + 'a>;

pub(crate) struct Call<'a> {
    pub(crate) image: &'a ImageRef,
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) scope: Scope,
    pub(crate) small: bool,
    /// Whether it is the way up that takes long.
    pub(crate) uploading: bool,
    /// Whether what may pass is waited out here.
    pub(crate) patient: bool,
    /// Refusals that are an answer.
    pub(crate) answers: &'static [u16],
    headers: HeaderMap,
    body: Option<Fresh<'a>>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(image: &'a ImageRef, method: Method, target: Target, scope: Scope) -> Self {
        let mut headers = HeaderMap::new();
        if matches!(method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Self {
            image,
            method,
            target,
            scope,
            small: true,
            uploading: false,
            patient: true,
            answers: &[],
            headers,
            body: None,
        }
    }

    pub(crate) fn get(ask: &Ask<'a>) -> Self {
        let target = Target::Path(ask.path.clone());
        let call = Self::new(ask.image, Method::GET, target, Scope::pull(ask.image));
        let call = Self { small: ask.small, ..call }.header(ACCEPT, ask.accept);
        if ask.from == 0 {
            return call;
        }
        call.header(RANGE, &format!("bytes={}-", ask.from)).answers(&[416])
    }

    /// Adds a header. A value that no header can carry is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn body(self, media_type: &str, length: u64, fresh: Fresh<'a>) -> Self {
        let call = self.header(CONTENT_TYPE, media_type).header(CONTENT_LENGTH, &length.to_string());
        Self { body: Some(fresh), ..call }
    }

    /// Takes these refusals for an answer.
    pub(crate) fn answers(self, answers: &'static [u16]) -> Self {
        Self { answers, ..self }
    }

    /// Once only.
    pub(crate) fn once(self) -> Self {
        Self { patient: false, ..self }
    }

    /// Once only, and for as long as it takes: whoever makes it watches over it.
    pub(crate) fn uploading(self) -> Self {
        Self { small: false, uploading: true, ..self.once() }
    }

    /// Puts headers and body on.
    pub(crate) fn dress(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.headers(self.headers.clone());
        match &self.body {
            Some(fresh) => request.body(fresh()),
            None => request,
        }
    }

    /// What it is about, for errors.
    pub(crate) fn what(&self) -> String {
        match &self.target {
            Target::Path(path) => path.clone(),
            // Without the address: what an upload's holds may let anyone in.
            Target::Place(_) => "an upload".to_owned(),
        }
    }
}

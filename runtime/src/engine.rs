//! The way to an engine.

use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};
use hyper::header::HeaderValue;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::api::Api;
use crate::connection::Dialler;
use crate::error::{self, Error, Result};
use crate::{Endpoint, wire};

/// How long an ordinary request may take until the engine begins to answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

/// How long an engine may take to show that it is there.
pub(crate) const HELLO: Duration = Duration::from_secs(5);

/// A Docker Engine. Cheap to clone; every request has a connection of its own.
#[derive(Clone)]
pub struct Engine {
    docker: Docker,
    dialler: Dialler,
    endpoint: Endpoint,
    api: Api,
}

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineVersion {
    /// The engine's release, such as `28.2.2`.
    pub version: String,
    /// The newest API it speaks, such as `1.50`.
    pub api: String,
    /// Its operating system as Go names it, such as `linux`.
    pub os: String,
    /// Its architecture as Go names it, such as `amd64`.
    pub arch: String,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Engine").field(&self.endpoint.to_string()).finish()
    }
}

impl Engine {
    /// Reaches the engine, has it answer a ping, and agrees with it on a version of its API: the newest that both know.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] says what was met instead: no socket, no permission, nobody listening, something that is
    /// not an engine, or one that is too old.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self> {
        knock(endpoint).await?;
        let seconds = TIMEOUT.as_secs();
        let dialler = Dialler::new(endpoint.clone());
        let each = dialler.clone();
        let docker = Docker::connect_with_custom_transport(
            move |request| each.clone().send(request),
            Some("http://engine"),
            seconds,
            API_DEFAULT_VERSION,
        );
        let unreachable = |why: &str, source| Error::Unreachable {
            endpoint: endpoint.clone(),
            why: why.to_owned(),
            source,
        };
        let docker = docker.map_err(|e| unreachable("the address is of no use", Some(e.into())))?;
        let api = match timeout(HELLO, wire::hello(&dialler)).await {
            Ok(Ok(newest)) => newest,
            Ok(Err(e)) => {
                return Err(unreachable("what listens there does not answer as an engine does", Some(e)));
            }
            Err(_) => {
                return Err(unreachable("it takes connections, but has not answered a ping in 5 s", None));
            }
        };
        let Some(spoken) = api.spoken() else {
            let why = format!(
                "it speaks version {api} of the Engine API at most, and {} is the oldest that is spoken here: Docker \
                 Engine 20.10 has it, and Podman 4",
                Api::OLDEST
            );
            return Err(unreachable(&why, None));
        };
        let docker = docker.with_request_modifier(move |request| spoken.under(mend_auth(request)));
        Ok(Self { docker, dialler, endpoint: endpoint.clone(), api: spoken })
    }

    /// The engine's version.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn version(&self) -> Result<EngineVersion> {
        let version = self.docker.version().await.map_err(|e| error::engine("tell its version", e))?;
        Ok(EngineVersion {
            version: version.version.unwrap_or_default(),
            api: version.api_version.unwrap_or_default(),
            os: version.os.unwrap_or_default(),
            arch: version.arch.unwrap_or_default(),
        })
    }

    /// Where the engine is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// True when the engine is reached by a socket of this machine, and so shares its files and its kernel.
    pub fn is_local(&self) -> bool {
        matches!(self.endpoint, Endpoint::Unix(_))
    }

    /// A path of the API under the version that was agreed on.
    pub(crate) fn path(&self, path: &str) -> String {
        self.api.path(path)
    }

    pub(crate) fn docker(&self) -> &Docker {
        &self.docker
    }

    pub(crate) fn dialler(&self) -> &Dialler {
        &self.dialler
    }

    /// A client whose requests may take that much longer than usual until they are answered.
    pub(crate) fn patient(&self, extra: Duration) -> Docker {
        self.docker.clone().with_timeout(TIMEOUT.saturating_add(extra))
    }
}

/// Opens a connection and drops it, for the sake of the system's precise errors.
async fn knock(endpoint: &Endpoint) -> Result<()> {
    let opened = timeout(HELLO, async {
        match endpoint {
            Endpoint::Unix(path) => UnixStream::connect(path).await.map(drop),
            Endpoint::Tcp { host, port } => TcpStream::connect((host.as_str(), *port)).await.map(drop),
        }
    });
    let local = matches!(endpoint, Endpoint::Unix(_));
    let (why, source) = match opened.await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(e)) => (why_closed(local, e.kind()), Some(e.into())),
        Err(_) => ("no connection in 5 s; is the host up, and the port open to us?", None),
    };
    Err(Error::Unreachable { endpoint: endpoint.clone(), why: why.to_owned(), source })
}

fn why_closed(local: bool, kind: ErrorKind) -> &'static str {
    match (local, kind) {
        (true, ErrorKind::NotFound) => "there is no such socket; is the engine installed and started?",
        (true, ErrorKind::PermissionDenied) => {
            "permission denied; run as root, or as a member of the group that owns the socket (usually `docker`)"
        }
        (true, ErrorKind::ConnectionRefused) => {
            "the socket is there, but no engine listens on it; is it started?"
        }
        (false, ErrorKind::ConnectionRefused) => "nobody listens on that port",
        _ => "no connection could be made",
    }
}

/// The engine decodes URL-safe base64, bollard encodes the standard kind: a password with an unlucky byte would be lost.
fn mend_auth(mut request: bollard::BollardRequest) -> bollard::BollardRequest {
    const AUTH: &str = "x-registry-auth";
    let mended = request.headers().get(AUTH).and_then(|value| {
        let text = value.to_str().ok()?;
        let mut value = HeaderValue::from_str(&text.replace('+', "-").replace('/', "_")).ok()?;
        value.set_sensitive(true);
        Some(value)
    });
    if let Some(value) = mended {
        request.headers_mut().insert(AUTH, value);
    }
    request
}

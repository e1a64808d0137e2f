//! Who we are to a registry.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bollard::auth::DockerCredentials;
use hyper::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::Source;

/// Who we are to a registry. `Debug` does not show the password.
///
/// With the user name `<token>`, as Docker's credential helpers have it, the password is an identity token.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The password, or an access token in its place.
    pub password: SecretString,
}

/// Credentials as the engine reads them, with no copy of the password.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identitytoken: Option<&'a str>,
    serveraddress: &'a str,
}

/// The value of a header that holds credentials. What it is made of is wiped; the header itself is hyper's.
pub(crate) fn header(shown: &impl Serialize) -> Result<HeaderValue, Source> {
    let json = Zeroizing::new(serde_json::to_vec(shown)?);
    let mut value = HeaderValue::from_str(&Zeroizing::new(URL_SAFE.encode(&*json)))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Credentials {
    pub(crate) fn shown<'a>(&'a self, registry: &'a str) -> Shown<'a> {
        let secret = Some(self.password.expose_secret());
        if self.username == "<token>" {
            return Shown { username: None, password: None, identitytoken: secret, serveraddress: registry };
        }
        let username = Some(self.username.as_str());
        Shown { username, password: secret, identitytoken: None, serveraddress: registry }
    }

    /// For bollard, which wants a copy of its own.
    pub(crate) fn for_engine(&self, registry: &str) -> DockerCredentials {
        let secret = Some(self.password.expose_secret().to_owned());
        let serveraddress = Some(registry.to_owned());
        if self.username == "<token>" {
            return DockerCredentials {
                identitytoken: secret,
                serveraddress,
                ..DockerCredentials::default()
            };
        }
        let username = Some(self.username.clone());
        DockerCredentials { username, password: secret, serveraddress, ..DockerCredentials::default() }
    }
}

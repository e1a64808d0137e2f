//! Who we are to a registry.

use bollard::auth::DockerCredentials;
use secrecy::{ExposeSecret, SecretString};

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

impl Credentials {
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

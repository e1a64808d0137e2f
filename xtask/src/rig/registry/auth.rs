//! Whom a registry lets in.

use std::path::Path;

use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::{Engine as _, alphabet};
use secrecy::{ExposeSecret, SecretString};

use super::token::TokenServer;
use crate::rig::error::{Doing, Result};
use crate::rig::run;

/// bcrypt's lowest cost: these passwords protect nothing.
const COST: u32 = 4;

/// The authentication of a registry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Auth {
    /// Everybody may do everything.
    Anonymous,
    /// Basic authentication (RFC 7617), by an htpasswd file.
    Basic {
        /// The one user.
        username: String,
        /// Their password; bcrypt takes at most 71 bytes.
        password: SecretString,
    },
    /// Token authentication as GHCR has it: 401 with a `Bearer` challenge that names a token server.
    Token {
        /// The one user.
        username: String,
        /// Their password.
        password: SecretString,
    },
}

impl Auth {
    /// [`Auth::Token`] of these.
    pub fn token(username: &str, password: &str) -> Self {
        Self::Token { username: username.to_owned(), password: password.into() }
    }

    /// [`Auth::Basic`] of these.
    pub fn basic(username: &str, password: &str) -> Self {
        Self::Basic { username: username.to_owned(), password: password.into() }
    }

    /// The username and the password, where there are any.
    pub fn login(&self) -> Option<(&str, &SecretString)> {
        match self {
            Self::Anonymous => None,
            Self::Basic { username, password } | Self::Token { username, password } => {
                Some((username, password))
            }
        }
    }
}

/// The `auth` section of the registry's configuration; writes the files that it names into `place`.
pub(super) fn configuration(auth: &Auth, tokens: Option<&TokenServer>, place: &Path) -> Result<String> {
    match (auth, tokens) {
        (Auth::Basic { username, password }, _) => {
            let path = place.join("htpasswd");
            let hash = hash(password.expose_secret());
            std::fs::write(&path, format!("{username}:{hash}\n"))
                .doing(format!("write {}", path.display()))?;
            Ok(format!("auth:\n  htpasswd: {{ realm: cutover, path: {} }}\n", path.display()))
        }
        (Auth::Token { .. }, Some(tokens)) => Ok(format!(
            "auth:\n  token: {{ realm: \"{}\", service: {}, issuer: {}, rootcertbundle: {} }}\n",
            tokens.realm(),
            super::token::SERVICE,
            super::token::ISSUER,
            tokens.certificate().display()
        )),
        _ => Ok(String::new()),
    }
}

/// A line's hash as `htpasswd -B` writes it: version, cost, then salt and hash in bcrypt's own base64.
fn hash(password: &str) -> String {
    let mut salt = [0; 16];
    salt.copy_from_slice([run::random(), run::random()].concat().as_bytes());
    // bcrypt hashes the terminating zero of C too.
    let hashed = bcrypt::bcrypt(COST, salt, &[password.as_bytes(), &[0]].concat());
    let base64 = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);
    // Implementations agree on 23 of the 24 bytes.
    format!("$2b${COST:02}${}{}", base64.encode(salt), base64.encode(&hashed[..23]))
}

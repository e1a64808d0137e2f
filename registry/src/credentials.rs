//! What a registry is shown to be let in.

use std::fmt;

use secrecy::SecretString;

/// Who to be at a registry. Secrets show nowhere, not in `Debug` either.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Credentials {
    /// Nobody: what anyone may pull.
    #[default]
    Anonymous,
    /// A user name with a password or an access token (what GHCR wants).
    Basic {
        /// The user name.
        username: String,
        /// The password, or a token that stands for one.
        password: SecretString,
    },
    /// A refresh token, which the token server takes for an access token (OAuth 2, `grant_type=refresh_token`).
    IdentityToken(SecretString),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Basic { username, .. } => {
                f.debug_struct("Basic").field("username", username).finish_non_exhaustive()
            }
            Self::IdentityToken(_) => f.write_str("IdentityToken([REDACTED])"),
        }
    }
}

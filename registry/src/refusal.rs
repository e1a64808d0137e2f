//! What a registry means by a refusal.

use secrecy::ExposeSecret;

use crate::Credentials;

/// Why a registry refuses, as far as it lets itself be known.
///
/// GitHub's registry (`ghcr.io`, and that of an Enterprise Server) says more than others, in words of its own; they are
/// told by their text. Others say little more than 401 or 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such image, or it is private and who asks may not know of it: registries say both alike.
    Hidden,
    /// Who asks is known, and may not do this.
    NoAccess,
    /// The token may not read packages (`read:packages`).
    ReadScope,
    /// The token may not write packages (`write:packages`).
    WriteScope,
    /// The package does not let in the repository that the workflow's token is of.
    NotLinked,
    /// The token may not make packages of this owner.
    WrongOwner,
    /// The credentials are no good: expired, revoked, mistyped.
    BadCredentials,
    /// Nothing that is known here.
    Unknown,
}

/// What kind of GitHub token the password is, for the advice to be to the point. The token itself is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    None,
    /// `ghp_`
    Classic,
    /// `github_pat_`, which GHCR does not take.
    FineGrained,
    /// `ghs_`: `GITHUB_TOKEN`, or an app's.
    Workflow,
    Other,
}

impl TokenKind {
    pub(crate) fn of(credentials: &Credentials) -> Self {
        match credentials {
            Credentials::Anonymous => Self::None,
            Credentials::Basic { password, .. } => {
                let starts = |prefix| password.expose_secret().starts_with(prefix);
                match () {
                    () if starts("ghp_") => Self::Classic,
                    () if starts("github_pat_") => Self::FineGrained,
                    () if starts("ghs_") => Self::Workflow,
                    () => Self::Other,
                }
            }
            Credentials::IdentityToken(_) => Self::Other,
        }
    }
}

/// A refusal as it came.
pub(crate) struct Said<'a> {
    pub(crate) status: u16,
    pub(crate) text: &'a str,
    pub(crate) github: bool,
    pub(crate) pushing: bool,
    pub(crate) token: TokenKind,
}

impl Refusal {
    pub(crate) fn read(said: &Said<'_>) -> Self {
        let text = said.text.to_ascii_lowercase();
        let says = |part: &str| text.contains(part);
        let workflow = matches!(said.token, TokenKind::Workflow | TokenKind::Other);
        if says("does not match expected scopes") {
            return if said.pushing { Self::WriteScope } else { Self::ReadScope };
        }
        if says("installation not allowed to write") {
            return Self::WriteScope;
        }
        if says("installation not allowed to read") {
            return Self::ReadScope;
        }
        if says("not allowed to create") || says("create_package") || says("installation does not exist") {
            return Self::WrongOwner;
        }
        if says("permission_denied") && (says("write_package") || says("read_package")) {
            return if workflow { Self::NotLinked } else { Self::NoAccess };
        }
        if says("cannot be authenticated") || says("could not be authenticated") || says("invalid token") {
            return Self::BadCredentials;
        }
        match (said.status, said.token) {
            (_, TokenKind::None) => Self::Hidden,
            // GHCR's token server has these words for a bad token, a private image and none alike.
            (403, _) if said.github && says("denied: denied") => Self::Hidden,
            (401, _) => Self::BadCredentials,
            (403, _) if says("denied") => Self::NoAccess,
            _ => Self::Unknown,
        }
    }

    /// What to do about it, in one sentence.
    pub(crate) fn advice(self, said: &Said<'_>) -> Option<&'static str> {
        let workflow = said.token == TokenKind::Workflow;
        Some(match self {
            _ if said.github && said.token == TokenKind::FineGrained && self != Self::Unknown => {
                "GHCR takes no fine-grained tokens: use a classic one with read:packages (write:packages to push), or GITHUB_TOKEN in a workflow"
            }
            Self::Hidden if said.github && said.token == TokenKind::None => {
                "there is no such package, or it is private: give credentials with the scope read:packages"
            }
            Self::Hidden if said.github => {
                "there is no such package, or the token may not see it, lacks the scope read:packages, is not authorised for the organisation, or has expired"
            }
            Self::Hidden => "there is no such repository, or it is private: no credentials were given",
            Self::NoAccess if said.github => {
                "the token is good, but its owner has no access to this package: ask for it in the package's settings"
            }
            Self::NoAccess => "the credentials are known, but may not do this",
            Self::ReadScope if workflow => {
                "the workflow's token may not read packages: give the job `permissions: packages: read`"
            }
            Self::ReadScope => "the token lacks the scope read:packages: make one that has it",
            Self::WriteScope if workflow => {
                "the workflow's token may not write packages: give the job `permissions: packages: write` (runs for forks and Dependabot never have it)"
            }
            Self::WriteScope => "the token lacks the scope write:packages: make one that has it",
            Self::NotLinked => {
                "the package does not let this repository's GITHUB_TOKEN in: add the repository under `Manage Actions access` in the package's settings, or push with the image label org.opencontainers.image.source from the repository that made it"
            }
            Self::WrongOwner => {
                "the token may not make packages of this owner: check the name after the registry's, the job's `permissions: packages: write`, and whether the organisation lets its members and workflows create packages"
            }
            Self::BadCredentials if said.github => {
                "the token has expired, was revoked or is mistyped: make a new one"
            }
            Self::BadCredentials => "the credentials are wrong or have expired",
            Self::Unknown => return None,
        })
    }
}

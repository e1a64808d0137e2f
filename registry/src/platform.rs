//! Platforms: which of an index's images to take.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An operating system and a processor, as image indexes name them (`linux/amd64`, `linux/arm64/v8`).
///
/// Follows the OCI image specification, `image-index.md`, property `platform`; names are normalised as containerd does
/// (`x86_64` is `amd64`, `aarch64` is `arm64`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// The operating system, as Go's `GOOS`.
    pub os: String,
    /// The processor, as Go's `GOARCH`.
    pub architecture: String,
    /// The processor's variant: `v7`, `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// What containers on this machine run: `linux` wherever the engine runs Linux containers, which macOS does too.
    pub fn host() -> Self {
        let os = if cfg!(target_os = "macos") { "linux" } else { std::env::consts::OS };
        Self::normalised(os, std::env::consts::ARCH, None)
    }

    fn normalised(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let (architecture, implied) = match architecture {
            "x86_64" | "x86-64" => ("amd64", None),
            "x86" | "i386" | "i686" => ("386", None),
            "aarch64" => ("arm64", None),
            "armhf" => ("arm", Some("v7")),
            "armel" => ("arm", Some("v6")),
            "loongarch64" => ("loong64", None),
            "powerpc64" | "powerpc64le" => ("ppc64le", None),
            other => (other, None),
        };
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.or(implied).map(str::to_owned),
        }
    }

    /// How far what is offered is from what is wanted: 0 is a match, more is an older variant that runs too.
    pub(crate) fn distance(&self, offered: &Self) -> Option<u32> {
        if self.os != offered.os || self.architecture != offered.architecture {
            return None;
        }
        if self.variant == offered.variant {
            return Some(0);
        }
        self.variant_number()?.checked_sub(offered.variant_number()?)
    }

    /// The variant as a number, with what the processor has when it says none.
    fn variant_number(&self) -> Option<u32> {
        match (self.variant.as_deref(), self.architecture.as_str()) {
            (Some(variant), _) => variant.strip_prefix('v')?.parse().ok(),
            (None, "arm") => Some(7),
            (None, "arm64") => Some(8),
            (None, "amd64") => Some(1),
            (None, _) => None,
        }
    }

    /// Build attestations ride in an index as an image of a platform that there is not.
    pub(crate) fn is_unknown(&self) -> bool {
        self.os == "unknown" || self.architecture == "unknown"
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = PlatformInvalid;

    fn from_str(text: &str) -> Result<Self, PlatformInvalid> {
        let invalid = || PlatformInvalid { platform: text.to_owned() };
        let sound = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(sound) {
            return Err(invalid());
        }
        match parts[..] {
            [os, architecture] => Ok(Self::normalised(os, architecture, None)),
            [os, architecture, variant] => Ok(Self::normalised(os, architecture, Some(variant))),
            _ => Err(invalid()),
        }
    }
}

/// Which of an index's images to pull.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Platforms {
    /// The one image that is nearest to this platform. The index is left behind.
    Only(Platform),
    /// The index as it is, with the images of all platforms and their attestations.
    All,
}

impl From<Platform> for Platforms {
    fn from(platform: Platform) -> Self {
        Self::Only(platform)
    }
}

impl From<&Platform> for Platforms {
    fn from(platform: &Platform) -> Self {
        Self::Only(platform.clone())
    }
}

/// Why a text is not a [`Platform`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid platform `{}`: expected os/architecture[/variant], as in linux/amd64", platform.escape_debug())]
pub struct PlatformInvalid {
    /// The text as given.
    pub platform: String,
}

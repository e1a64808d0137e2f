//! Content digests: what pins an image to its bytes.

use std::fmt;
use std::str::FromStr;

use ring::digest::{Context, SHA256, SHA512};

use crate::Error;

/// A hash that a digest may be made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, what every registry uses.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name as it stands before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// A content digest, `sha256:<64 hex>` or `sha512:<128 hex>`, in lower case.
///
/// Follows the OCI image specification, `descriptor.md`, section "Digests".
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

impl Digest {
    /// The SHA-256 digest of these bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::with_algorithm(Algorithm::Sha256, bytes.as_ref())
    }

    /// The hash that the digest was made with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The whole hash in lower-case hexadecimal.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The first 12 hexadecimal digits, for people to read.
    pub fn short(&self) -> &str {
        &self.hex[..12]
    }

    /// Checks that these bytes are what the digest stands for.
    ///
    /// # Errors
    ///
    /// [`Error::DigestMismatch`] with the digest that the bytes really have.
    pub fn verify(&self, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
        self.expect(Self::with_algorithm(self.algorithm, bytes.as_ref()))
    }

    pub(crate) fn expect(&self, actual: Self) -> Result<(), Error> {
        if *self == actual { Ok(()) } else { Err(Error::DigestMismatch { expected: self.clone(), actual }) }
    }

    fn with_algorithm(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestInvalid;

    fn from_str(text: &str) -> Result<Self, DigestInvalid> {
        let invalid = |offset, reason| DigestInvalid { digest: text.to_owned(), offset, reason };
        let (name, hex) =
            text.split_once(':').ok_or_else(|| invalid(text.len(), "expected `algorithm:hex`"))?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(invalid(0, "the algorithm must be sha256 or sha512")),
        };
        let start = name.len() + 1;
        if let Some(bad) = hex.bytes().position(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(invalid(start + bad, "only lower-case hexadecimal digits may follow the algorithm"));
        }
        if hex.len() != algorithm.hex_len() {
            return Err(invalid(
                start + hex.len().min(algorithm.hex_len()),
                match algorithm {
                    Algorithm::Sha256 => "a sha256 digest has 64 hexadecimal digits",
                    Algorithm::Sha512 => "a sha512 digest has 128 hexadecimal digits",
                },
            ));
        }
        Ok(Self { algorithm, hex: hex.to_owned() })
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a text is not a [`Digest`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid digest `{}`: {reason} (at byte {offset})", digest.escape_debug())]
pub struct DigestInvalid {
    /// The text as given.
    pub digest: String,
    /// Where in the text the fault is, in bytes from its beginning.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

/// Hashes a stream piece by piece.
///
/// By ring, which is here for TLS already: it uses the processor's own instructions, in debug builds too.
#[derive(Clone)]
pub(crate) struct Hasher {
    algorithm: Algorithm,
    context: Box<Context>,
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let context = Context::new(match algorithm {
            Algorithm::Sha256 => &SHA256,
            Algorithm::Sha512 => &SHA512,
        });
        Self { algorithm, context: Box::new(context) }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    pub(crate) fn finish(self) -> Digest {
        let hash = self.context.finish();
        let mut hex = String::with_capacity(self.algorithm.hex_len());
        for byte in hash.as_ref() {
            for digit in [byte >> 4, byte & 0xf] {
                hex.extend(char::from_digit(digit.into(), 16));
            }
        }
        Digest { algorithm: self.algorithm, hex }
    }
}

//! Public keys that signatures are verified with.

use std::fmt;

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;

use crate::{Error, Result};

// Contents of the DER object identifiers.
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ED25519_KEY: &[u8] = &[0x2b, 0x65, 0x70];
const RSA_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
const BIT_STRING: u8 = 0x03;

/// A public key, as `cosign generate-key-pair` or `openssl` writes it: ECDSA on P-256, Ed25519, or RSA of 2048 to 8192 bits,
/// each with SHA-256 where it needs a hash.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    P256,
    Ed25519,
    Rsa,
}

impl PublicKey {
    /// Reads a key from PEM (`-----BEGIN PUBLIC KEY-----`, RFC 7468, section 13).
    ///
    /// # Errors
    ///
    /// [`Error::KeyInvalid`].
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        let invalid = |detail: &str| Error::KeyInvalid { detail: detail.to_owned() };
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_ref())
            .map_err(|error| invalid(&format!("no PEM with a PUBLIC KEY in it: {error}")))?;
        let Spki { algorithm, curve, key: bytes } =
            spki(&der).ok_or_else(|| invalid("what is in the PEM is not a SubjectPublicKeyInfo"))?;
        let kind = match algorithm {
            EC_PUBLIC_KEY if curve == Some(P256) && bytes.len() == 65 && bytes[0] == 4 => Kind::P256,
            EC_PUBLIC_KEY => return Err(invalid("of elliptic curves, P-256 alone can be used")),
            ED25519_KEY if bytes.len() == 32 => Kind::Ed25519,
            RSA_KEY => Kind::Rsa,
            _ => return Err(invalid("the key must be ECDSA on P-256, Ed25519 or RSA")),
        };
        Ok(Self { kind, bytes: bytes.to_owned() })
    }

    /// Whether the signature of this message is by the key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match self.kind {
            Kind::P256 => &ECDSA_P256_SHA256_ASN1,
            Kind::Ed25519 => &ED25519,
            Kind::Rsa => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, &self.bytes).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.kind).finish()
    }
}

/// A `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7).
struct Spki<'a> {
    algorithm: &'a [u8],
    /// Of elliptic curves, by its name (RFC 5480, section 2.1.1).
    curve: Option<&'a [u8]>,
    key: &'a [u8],
}

fn spki(der: &[u8]) -> Option<Spki<'_>> {
    let (body, rest) = element(der, SEQUENCE)?;
    let (identifier, key) = element(body, SEQUENCE)?;
    let (bits, after) = element(key, BIT_STRING)?;
    let (algorithm, parameters) = element(identifier, OBJECT_ID)?;
    let curve = element(parameters, OBJECT_ID).map(|(curve, _)| curve);
    let (&0, key) = bits.split_first()? else { return None };
    (rest.is_empty() && after.is_empty()).then_some(Spki { algorithm, curve, key })
}

/// The content of a DER element with this tag, and what comes after it (ITU-T X.690, section 8.1).
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (*first == tag).then(|| rest.split_at_checked(length))?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_key_is_refused() {
        let certificate = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap().cert.pem();
        let curve =
            "-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE\n-----END PUBLIC KEY-----\n";
        for pem in ["", "not PEM", certificate.as_str(), curve] {
            let error = PublicKey::from_pem(pem).unwrap_err();
            assert!(matches!(error, Error::KeyInvalid { .. }), "{pem}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(der in proptest::collection::vec(any::<u8>(), 0..80)) {
            spki(&der);
            spki(&[&[SEQUENCE, 60, SEQUENCE, 20, OBJECT_ID][..], &der].concat());
        }
    }
}

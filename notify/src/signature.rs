//! Signed bodies: who has the key can tell that a request came from here, and when.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::Error;

/// The header that a signature stands in.
pub const SIGNATURE_HEADER: &str = "X-Cutover-Signature";

/// A shorter key could be guessed.
const SHORTEST: usize = 16;

/// A key that was found long enough.
pub(crate) struct Key(hmac::Key);

impl Key {
    pub(crate) fn new(secret: &SecretString) -> Result<Self, Error> {
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < SHORTEST {
            return Err(Error::Secret { what: "webhook secret", why: "it has fewer than 16 bytes" });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// The header's value: `t=<seconds since 1970>,v1=<hexadecimal>`.
    pub(crate) fn sign(&self, body: &[u8], now: SystemTime) -> String {
        let time = seconds(now);
        let tag = hmac::sign(&self.0, &signed(time, body));
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={time},v1={hex}")
    }
}

/// Checks the signature of a request that a [`Webhook`](crate::Webhook) sent: `header` is the value of
/// [`SIGNATURE_HEADER`], `body` the body's bytes as they came.
///
/// The value is `t=T,v1=S`, where T is the time of sending in seconds since 1970, and S the HMAC-SHA256 (RFC 2104, FIPS
/// 180-4) of T, a dot and the body, in hexadecimal. Several `v1` may stand there; one that holds is enough. `tolerance` is
/// how far T may lie from `now`: within it a request that someone has kept can be sent again. The comparison takes the
/// same time whatever is wrong.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use cutover_notify::verify;
///
/// # fn receive(header: &str, body: &[u8]) -> Result<(), cutover_notify::Error> {
/// let secret = "a long and random key".to_owned().into();
/// verify(&secret, header, body, SystemTime::now(), Duration::from_secs(300))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Signature`] when it does not hold; [`Error::Secret`] for a key of fewer than 16 bytes.
pub fn verify(
    secret: &SecretString,
    header: &str,
    body: &[u8],
    now: SystemTime,
    tolerance: Duration,
) -> Result<(), Error> {
    let key = Key::new(secret)?;
    let refused = |why| Err(Error::Signature { why });
    let parts: Vec<(&str, &str)> = header.split(',').filter_map(|part| part.trim().split_once('=')).collect();
    let time = parts.iter().find(|(name, _)| *name == "t").and_then(|(_, time)| time.parse::<u64>().ok());
    let Some(time) = time else { return refused("the header has no time") };
    let signatures = parts.iter().filter(|(name, _)| *name == "v1").filter_map(|(_, hex)| decode(hex));
    let message = signed(time, body);
    let mut holds = false;
    for signature in signatures {
        holds |= hmac::verify(&key.0, &message, &signature).is_ok();
    }
    if !holds {
        return refused("it is not by this key, or the body is not the one that was signed");
    }
    if seconds(now).abs_diff(time) > tolerance.as_secs() {
        return refused("it was made too long ago, or a clock is wrong");
    }
    Ok(())
}

fn signed(time: u64, body: &[u8]) -> Vec<u8> {
    [format!("{time}.").as_bytes(), body].concat()
}

/// Seconds since 1970; 0 for a clock that is before.
fn seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn decode(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"app":"web"}"#;

    fn secret() -> SecretString {
        "0123456789abcdef".into()
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn check(header: &str, body: &[u8], now: u64) -> Result<(), String> {
        let tolerance = Duration::from_secs(300);
        verify(&secret(), header, body, at(now), tolerance).map_err(|error| error.to_string())
    }

    #[test]
    fn the_signature_is_what_openssl_makes_of_time_dot_body() {
        // printf '%s' '1700000000.{"app":"web"}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let expected = "t=1700000000,v1=2095cb4e5b69c387a46cd466e91806a51bc842faa03bfe2316bd617f4f7a5136";
        assert_eq!(Key::new(&secret()).unwrap().sign(BODY, at(1_700_000_000)), expected);
    }

    #[test]
    fn a_signature_holds_for_its_body_its_key_and_its_time() {
        let header = Key::new(&secret()).unwrap().sign(BODY, at(1_000));
        assert_eq!(check(&header, BODY, 1_000), Ok(()));
        assert_eq!(check(&header, BODY, 1_300), Ok(()));
        assert_eq!(check(&format!("v1=00, {}", header.replace(',', ", ")), BODY, 800), Ok(()));
        for (header, body, now) in [
            (header.as_str(), BODY, 1_301),
            (&header, BODY, 699),
            (&header, b"{}", 1_000),
            (&header.replace("t=1000", "t=1001"), BODY, 1_000),
            (&header.replace("v1", "v0"), BODY, 1_000),
            (&header[..header.len() - 1], BODY, 1_000),
            ("t=1000,v1=", BODY, 1_000),
            ("", BODY, 1_000),
        ] {
            assert!(check(header, body, now).is_err(), "{header} at {now}");
        }
        let other = SecretString::from("another-key-of-16");
        assert!(verify(&other, &header, BODY, at(1_000), Duration::MAX).is_err());
    }
}

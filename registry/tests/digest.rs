//! Digests, value against value.

use cutover_registry::{Algorithm, Digest, Error};
use proptest::prelude::*;

const TEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn a_digest_is_of_the_bytes_it_was_made_from() {
    let digest = Digest::of("test");
    assert_eq!(digest.to_string(), TEST);
    assert_eq!((digest.algorithm(), digest.short()), (Algorithm::Sha256, "9f86d081884c"));
    assert_eq!(digest.hex(), &TEST[7..]);
    digest.verify("test").unwrap();
    let error = digest.verify("tést").unwrap_err();
    assert!(
        matches!(&error, Error::DigestMismatch { expected, actual } if *expected == digest && *actual == Digest::of("tést")),
        "{error}"
    );
}

#[test]
fn sha512_is_verified_with_sha512() {
    let empty: Digest = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
        .parse()
        .unwrap();
    empty.verify("").unwrap();
    empty.verify("x").unwrap_err();
}

#[test]
fn a_bad_digest_is_told_what_is_wrong_and_where() {
    let upper = TEST.to_uppercase().replace("SHA256", "sha256");
    let long = format!("{TEST}0");
    for (text, offset) in
        [("", 0), ("sha256", 6), ("sha1:00", 0), ("sha256:", 7), ("sha256:0x", 8), (&upper, 8), (&long, 71)]
    {
        assert_eq!(text.parse::<Digest>().expect_err(text).offset, offset, "{text}");
    }
}

proptest! {
    #[test]
    fn digests_are_written_as_they_are_read(text in "sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}") {
        prop_assert_eq!(text.parse::<Digest>().unwrap().to_string(), text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}|sha256:.{0,70}") {
        if let Err(error) = text.parse::<Digest>() {
            prop_assert!(text.is_char_boundary(error.offset));
        }
    }
}

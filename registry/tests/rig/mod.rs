//! Real registries, peers that answer as told, and images to fill them with.

pub(crate) mod cutter;
pub(crate) mod daemon;
pub(crate) mod http;
pub(crate) mod image;
pub(crate) mod issuer;
pub(crate) mod judge;
pub(crate) mod layout;
pub(crate) mod peer;

use cutover_registry::{Credentials, Platform};

/// The platform that test images are for unless said.
pub(crate) fn amd64() -> Platform {
    "linux/amd64".parse().unwrap()
}

/// The one who may do everything at the registries here. The hash in [`daemon`] is of this password.
pub(crate) fn cutover() -> Credentials {
    Credentials::Basic { username: "cutover".into(), password: "secret".into() }
}

/// What [`cutover`] comes to in a header.
pub(crate) const CUTOVER_BASIC: &str = "Basic Y3V0b3ZlcjpzZWNyZXQ=";

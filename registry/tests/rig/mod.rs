//! Real registries, peers that answer as told, and images to fill them with.

pub(crate) mod cutter;
pub(crate) mod daemon;
pub(crate) mod http;
pub(crate) mod image;
pub(crate) mod issuer;
pub(crate) mod judge;
pub(crate) mod layer;
pub(crate) mod layout;
pub(crate) mod peer;
pub(crate) mod skopeo;

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

/// The names in a directory, in order.
pub(crate) fn names(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Asserts that a layout holds these blobs, byte for byte, and nothing else: nothing partial either.
pub(crate) fn assert_layout(output: &std::path::Path, blobs: &[&[u8]]) {
    assert_eq!(names(output), ["blobs", "index.json", "oci-layout"]);
    assert_eq!(names(&output.join("blobs")), ["sha256"]);
    let mut expected: Vec<_> =
        blobs.iter().map(|blob| cutover_registry::Digest::of(blob).hex().to_owned()).collect();
    expected.sort();
    expected.dedup();
    let directory = output.join("blobs/sha256");
    assert_eq!(names(&directory), expected);
    for name in expected {
        let digest: cutover_registry::Digest = format!("sha256:{name}").parse().unwrap();
        digest.verify(std::fs::read(directory.join(name)).unwrap()).unwrap();
    }
}

/// Asserts that everything in a layout is what its name says, and that there is nothing partial. An image need not
/// be in it.
pub(crate) fn assert_verified(output: &std::path::Path) {
    if !output.exists() {
        return;
    }
    for name in names(output) {
        assert!(["blobs", "index.json", "oci-layout"].contains(&&*name), "{name}");
    }
    let directory = output.join("blobs/sha256");
    for name in if directory.exists() { names(&directory) } else { Vec::new() } {
        let digest: cutover_registry::Digest = format!("sha256:{name}").parse().unwrap();
        digest.verify(std::fs::read(directory.join(name)).unwrap()).unwrap();
    }
}

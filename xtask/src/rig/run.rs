//! What marks the objects of this process, so that exactly they can be removed.

use std::sync::LazyLock;

use ring::rand::{SecureRandom, SystemRandom};

use super::docker;
use super::error::Result;

/// The label that everything a test makes carries.
pub const TEST_LABEL: &str = "cutover.test=1";

static RUN: LazyLock<String> = LazyLock::new(random);

/// A name that nothing else has: eight random hexadecimal digits.
///
/// # Panics
///
/// When the system has no randomness to give.
pub fn random() -> String {
    let mut bytes = [0_u8; 4];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The label of this process's objects: `cutover.run=<random>`.
pub fn run_label() -> String {
    format!("cutover.run={}", *RUN)
}

/// Both labels, for whatever makes Docker objects on behalf of a test.
pub fn labels() -> [String; 2] {
    [TEST_LABEL.to_owned(), run_label()]
}

/// Removes every container, network, volume and image that carries both labels.
///
/// Containers inherit the labels of the rig's images, so those that the tested program made are found too.
///
/// # Errors
///
/// When the engine does not answer, or keeps an object. What can be removed is removed first.
pub async fn sweep() -> Result<()> {
    let mut first_failure = Ok(());
    for (list, remove) in [
        (&["ps", "-aq"][..], &["rm", "-fv"][..]),
        (&["network", "ls", "-q"], &["network", "rm"]),
        (&["volume", "ls", "-q"], &["volume", "rm", "-f"]),
        (&["images", "-q"], &["rmi", "-f"]),
    ] {
        let filters = labels().map(|label| format!("label={label}"));
        let mut arguments = list.to_vec();
        for filter in &filters {
            arguments.extend(["--filter", filter]);
        }
        let listed = docker::run(&arguments).await?;
        let mut ids: Vec<&str> = listed.split_whitespace().collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            continue;
        }
        let removed = docker::run(&[remove, &ids].concat()).await;
        first_failure = first_failure.and(removed.map(drop));
    }
    first_failure
}

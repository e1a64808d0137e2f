//! The mirrors of registries, and which of them are not to be asked for now.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{Error, ImageRef};

/// How long a mirror that could not be reached is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(60);

/// Which mirror an answer came from: an extension of the response.
#[derive(Clone, Debug)]
pub(crate) struct FromMirror(pub(crate) ImageRef);

pub(crate) struct Mirrors {
    /// By registry, in the order in which they are asked.
    of: HashMap<String, Vec<String>>,
    /// By mirror: until when it is out, or for good.
    out: Mutex<HashMap<String, Option<Instant>>>,
}

impl Mirrors {
    pub(crate) fn new(of: HashMap<String, Vec<String>>) -> Self {
        Self { of, out: Mutex::default() }
    }

    /// The image as each mirror has it that is to be asked.
    pub(crate) fn of(&self, image: &ImageRef) -> Vec<ImageRef> {
        let Some(mirrors) = self.of.get(image.registry()) else { return Vec::new() };
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_out =
            |mirror: &str| out.get(mirror).is_some_and(|until| until.is_none_or(|until| now < until));
        mirrors.iter().filter(|mirror| !is_out(mirror)).map(|mirror| image.at_registry(mirror)).collect()
    }

    /// Takes note of what a mirror failed with. Unless it only lacks something, it is not asked again for now; or ever
    /// by this client, if it sent what was not asked for.
    pub(crate) fn pass_over(&self, mirror: &ImageRef, error: &Error) {
        tracing::warn!(%mirror, %error, "a mirror is passed over");
        let until = match error {
            Error::NotFound { .. } | Error::Unauthorized { .. } | Error::Denied { .. } => return,
            Error::DigestMismatch { .. } | Error::TooLarge { .. } => None,
            _ => Some(Instant::now() + LEFT_ALONE),
        };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.insert(mirror.registry().to_owned(), until);
    }

    /// After a blob came out wrong: whether one of the mirrors may be to blame. None of them is asked again.
    pub(crate) fn doubt(&self, image: &ImageRef, error: &Error) -> bool {
        let asked = self.of(image);
        for mirror in &asked {
            self.pass_over(mirror, error);
        }
        !asked.is_empty()
    }
}

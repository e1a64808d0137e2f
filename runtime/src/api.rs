//! Which version of the Engine API is spoken.

use std::fmt;

use bollard::BollardRequest;
use hyper::Uri;

/// A version of the Engine API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Api {
    major: u16,
    minor: u16,
}

impl Api {
    /// That of Docker Engine 20.10, the oldest that is tested with.
    pub(crate) const OLDEST: Self = Self { major: 1, minor: 41 };
    /// The newest whose answers are known here.
    pub(crate) const NEWEST: Self = Self { major: 1, minor: 53 };

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    /// The version to speak with an engine whose newest is this one: without a version in its path, a request would be
    /// answered in the engine's newest, which may be one that we do not know.
    pub(crate) fn spoken(self) -> Option<Self> {
        (self >= Self::OLDEST).then(|| self.min(Self::NEWEST))
    }

    /// A path of the API as it stands under this version.
    pub(crate) fn path(self, path: &str) -> String {
        format!("/v{self}{path}")
    }

    /// The same request under this version. bollard sends its paths without one.
    pub(crate) fn under(self, mut request: BollardRequest) -> BollardRequest {
        let uri = request.uri();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        if !path.starts_with("/v1.") {
            let mut parts = uri.clone().into_parts();
            parts.path_and_query = self.path(path).parse().ok();
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
        request
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_both_know_is_spoken() {
        let spoken = |text| Api::parse(text).unwrap().spoken().map(|api| api.to_string());
        assert_eq!(spoken("1.41").as_deref(), Some("1.41"));
        assert_eq!(spoken("1.44").as_deref(), Some("1.44"));
        assert_eq!(spoken("1.99").as_deref(), Some("1.53"));
        assert_eq!(spoken("2.0").as_deref(), Some("1.53"));
        assert_eq!(spoken("1.40"), None);
        assert_eq!(spoken("1.9"), None);
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "1", "1.x", "v1.41", "1.41.2"] {
            assert_eq!(Api::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_newest_is_what_the_library_knows() {
        assert_eq!(Api::NEWEST.to_string(), bollard::API_DEFAULT_VERSION.to_string());
    }
}

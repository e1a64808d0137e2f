//! Volumes in Docker's short form.

use std::str::FromStr;

use super::form::Form;

/// A volume in Docker's short form: `SOURCE:TARGET` or `SOURCE:TARGET:ro`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// A name, or an absolute path of the engine's host.
    pub source: String,
    /// An absolute path in the container.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
}

/// Why a text is no [`Volume`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a volume")]
pub struct NotAVolume(String);

impl Form for Volume {
    const FORM: &'static str =
        "write \"name:/path\" or \"/host/path:/path\", with \":ro\" behind it for read-only";
}

impl FromStr for Volume {
    type Err = NotAVolume;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NotAVolume(text.to_owned());
        let mut parts = text.split(':');
        let (Some(source), Some(target)) = (parts.next(), parts.next()) else { return Err(error()) };
        let read_only = match parts.next() {
            None | Some("rw") => false,
            Some("ro") => true,
            Some(_) => return Err(error()),
        };
        let source_is_well = source.starts_with('/')
            || (!source.is_empty() && source.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)));
        if parts.next().is_some() || !target.starts_with('/') || !source_is_well {
            return Err(error());
        }
        Ok(Self { source: source.to_owned(), target: target.to_owned(), read_only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_read_in_dockers_short_form_and_nothing_else() {
        let data: Volume = "data:/var/lib/app:ro".parse().unwrap();
        assert_eq!(
            (data.source.as_str(), data.target.as_str(), data.read_only),
            ("data", "/var/lib/app", true)
        );
        for text in ["", "data", "data:", ":/x", "./x:/x", "data:x", "a:/b:rx", "a:/b:ro:z", "a b:/c"] {
            assert!(text.parse::<Volume>().is_err(), "{text}");
        }
    }
}

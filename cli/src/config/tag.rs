//! Tags with words to be filled in.

use std::fmt;
use std::str::FromStr;

use super::form::Form;

/// The longest tag, in bytes, by the OCI distribution specification.
const LONGEST: usize = 128;

/// A tag such as `v1`, `{commit}` or `{branch}-latest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagPattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Word(Word),
}

/// A word that is filled in when an image is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The commit, by its first 12 digits.
    Commit,
    /// The branch.
    Branch,
    /// The version: the commit's own tag.
    Version,
}

impl Word {
    const ALL: [Self; 3] = [Self::Commit, Self::Branch, Self::Version];

    /// As it is written, without the braces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Branch => "branch",
            Self::Version => "version",
        }
    }
}

/// Why a text is no [`TagPattern`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotATag {
    /// Not a tag, whatever its words stand for.
    #[error("`{0}` is not a tag")]
    Text(String),
    /// A word that is not known.
    #[error("`{{{0}}}` stands for nothing in a tag")]
    Word(String),
}

impl TagPattern {
    /// The tag with its words filled in. What no tag can hold, such as the `/` of a branch, becomes `-`.
    ///
    /// # Errors
    /// The first word that nothing is known for.
    pub fn fill(&self, known: impl Fn(Word) -> Option<String>) -> Result<String, Word> {
        let mut tag = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => tag.push_str(text),
                Part::Word(word) => {
                    let value = known(*word).filter(|value| !value.is_empty()).ok_or(*word)?;
                    tag.extend(value.chars().map(|c| if fits(c) { c } else { '-' }));
                }
            }
        }
        tag.truncate(LONGEST);
        // A tag begins with a letter, a digit or `_`.
        Ok(tag.trim_start_matches(['.', '-']).to_owned())
    }
}

fn fits(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}

impl FromStr for TagPattern {
    type Err = NotATag;

    fn from_str(text: &str) -> Result<Self, NotATag> {
        let broken = || NotATag::Text(text.to_owned());
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (plain, after) = rest.split_once('{').unwrap_or((rest, ""));
            if !plain.chars().all(fits) {
                return Err(broken());
            }
            if !plain.is_empty() {
                parts.push(Part::Text(plain.to_owned()));
            }
            if plain.len() == rest.len() {
                break;
            }
            let (name, after) = after.split_once('}').ok_or_else(broken)?;
            let word = Word::ALL.into_iter().find(|word| word.as_str() == name);
            parts.push(Part::Word(word.ok_or_else(|| NotATag::Word(name.to_owned()))?));
            rest = after;
        }
        let starts = !text.is_empty() && !text.starts_with(['.', '-']);
        if starts && text.len() <= LONGEST { Ok(Self(parts)) } else { Err(broken()) }
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Word(word) => write!(f, "{{{}}}", word.as_str()),
        })
    }
}

impl Form for TagPattern {
    const FORM: &'static str =
        "a tag has letters, digits and any of `_.-`, and may have {commit}, {branch} and {version} in it";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(pattern: &str) -> Result<String, Word> {
        let pattern: TagPattern = pattern.parse().unwrap();
        pattern.fill(|word| match word {
            Word::Commit => Some("0123456789ab".to_owned()),
            Word::Branch => Some("feature/a b".to_owned()),
            Word::Version => None,
        })
    }

    #[test]
    fn words_are_filled_in_and_made_to_fit() {
        assert_eq!(fill("1.2").as_deref(), Ok("1.2"));
        assert_eq!(fill("sha-{commit}").as_deref(), Ok("sha-0123456789ab"));
        assert_eq!(fill("{branch}-{commit}").as_deref(), Ok("feature-a-b-0123456789ab"));
        assert_eq!(fill("{version}"), Err(Word::Version));
    }

    #[test]
    fn what_can_be_no_tag_is_refused() {
        for text in ["", "-a", ".a", "a b", "a/b", "{commit", "a}", "{sha}", &"a".repeat(129)] {
            assert!(text.parse::<TagPattern>().is_err(), "{text:?}");
        }
        for text in ["a", "_", "1.2-rc.1", "{commit}", "v{version}", "{branch}.{commit}"] {
            assert_eq!(text.parse::<TagPattern>().unwrap().to_string(), text);
        }
    }
}

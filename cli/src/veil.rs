//! Passwords that stand in an address (`https://user:password@host`), hidden wherever a text is shown.

use std::borrow::Cow;
use std::ops::Range;

/// The text with the user and password of every address in it as `*`, each other byte where it was.
#[must_use]
pub(crate) fn veil(text: &str) -> Cow<'_, str> {
    let spans = spans(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for span in spans {
        bytes.get_mut(span).unwrap_or_default().fill(b'*');
    }
    // Whole characters were overwritten: what stands there is text still.
    Cow::Owned(String::from_utf8(bytes).unwrap_or_default())
}

/// Where users and passwords stand, in bytes.
fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control() || "\"'`<>()[]{},|\\".contains(c)) {
        let at = start;
        // Each of what separates words is one byte, but for some blanks.
        start += word.len();
        start += text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        spans.extend(credentials(word).map(|span| at + span.start..at + span.end));
    }
    spans
}

/// Where in a word the credentials stand.
fn credentials(word: &str) -> Option<Range<usize>> {
    if let Some(from) = word.find("://").map(|found| found + 3) {
        let rest = word.get(from..)?;
        let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let end = match rest.get(..host)?.rfind('@') {
            Some(end) => end,
            // A password may have a `/` in it that should have been written `%2F`.
            None if has_password(rest.get(..host)?) => rest.rfind('@')?,
            None => return None,
        };
        // Who logs in over ssh is no secret, what stands in the place of a user elsewhere often is.
        let login = word.get(..from)?.ends_with("ssh://") && !rest.get(..end)?.contains(':');
        return (end > 0 && !login).then_some(from..from + end);
    }
    // `user:password@host`, where the scheme was left out.
    let end = word.rfind('@')?;
    let from = word.get(..end)?.rfind('=').map_or(0, |found| found + 1);
    let (user, password) = word.get(from..end)?.split_once(':')?;
    let named = !user.is_empty() && user.chars().all(|c| c.is_alphanumeric() || "._-%+".contains(c));
    let digest = word.get(end + 1..)?.split_once(':').is_some_and(|(kind, _)| kind.starts_with("sha"));
    (named && !password.is_empty() && !digest).then_some(from..end)
}

/// Whether what stands before the first `/` of an address is a user and the beginning of a password, not a port.
fn has_password(authority: &str) -> bool {
    authority.split_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_of_addresses_are_hidden_and_nothing_else() {
        for (text, shown) in [
            ("https://u:pw@h/x", "https://****@h/x"),
            ("a \"http://token@h:1\", b", "a \"http://*****@h:1\", b"),
            ("postgres://u:p@w@h/db?x=1@2", "postgres://*****@h/db?x=1@2"),
            ("https://u:p/w@h/x", "https://*****@h/x"),
            ("ä https://ü:é@h", "ä https://*****@h"),
            ("u:pw@h:5000", "****@h:5000"),
            ("DSN=u:pw@h", "DSN=****@h"),
            ("ssh://deploy:pw@h", "ssh://*********@h"),
            ("ssh://deploy@h", "ssh://deploy@h"),
            ("http://h:80/a@b", "http://h:80/a@b"),
            ("http://h/a@b", "http://h/a@b"),
            ("https://@h", "https://@h"),
            ("h:5000/acme/web:1@sha256:00", "h:5000/acme/web:1@sha256:00"),
            ("git@github.com:acme/web", "git@github.com:acme/web"),
            ("by ann@web-1: now", "by ann@web-1: now"),
            ("", ""),
        ] {
            assert_eq!(veil(text), shown);
        }
    }
}

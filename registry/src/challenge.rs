//! `WWW-Authenticate`: how a registry says what it wants to be shown.

/// One challenge of a 401 (RFC 9110, section 11.6.1; the distribution token specification for `Bearer`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// Reads every challenge of a header's value that is understood; what is not is left out.
pub(crate) fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    let mut rest = header;
    while let Some((scheme, after)) = scheme(rest) {
        let (params, after) = params(after);
        rest = after;
        let param = |name: &str| {
            params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        if scheme.eq_ignore_ascii_case("basic") {
            challenges.push(Challenge::Basic);
        } else if scheme.eq_ignore_ascii_case("bearer")
            && let Some(realm) = param("realm")
        {
            challenges.push(Challenge::Bearer { realm, service: param("service"), scope: param("scope") });
        }
    }
    challenges
}

fn scheme(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = token(text.trim_start_matches([' ', '\t', ',']));
    (!name.is_empty()).then_some((name, rest))
}

type Params = Vec<(String, String)>;

/// `key=value` pairs up to the next scheme, which is a word that no `=` follows.
fn params(mut text: &str) -> (Params, &str) {
    let mut params = Vec::new();
    loop {
        let at = text.trim_start_matches([' ', '\t', ',']);
        let (key, rest) = token(at);
        let Some(rest) = rest.trim_start().strip_prefix('=').filter(|_| !key.is_empty()) else {
            // A word of its own begins the next challenge; anything else cannot be read and is passed over.
            let next = if key.is_empty() { at.find(',').map_or("", |comma| &at[comma..]) } else { at };
            return (params, next);
        };
        let rest = rest.trim_start();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, rest) = rest.split_at(rest.find([',', ' ', '\t']).unwrap_or(rest.len()));
                (value.to_owned(), rest)
            }
        };
        params.push((key.to_owned(), value));
        text = rest;
    }
}

fn token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"!#$%&'*+-.^_`|~".contains(c));
    text.split_at(end.unwrap_or(text.len()))
}

fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return (value, &text[index + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let ghcr = bearer("https://ghcr.io/token", Some("ghcr.io"), Some("repository:acme/web:pull"));
        let table = [
            (
                r#"Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:acme/web:pull""#,
                vec![ghcr.clone()],
            ),
            (
                r#"bearer Realm = "https://ghcr.io/token" , service=ghcr.io, scope="repository:acme/web:pull""#,
                vec![ghcr],
            ),
            (r#"Basic realm="basic-realm""#, vec![Challenge::Basic]),
            ("Basic", vec![Challenge::Basic]),
            (
                r#"Negotiate, Basic realm="a, b", Bearer realm="https://t""#,
                vec![Challenge::Basic, bearer("https://t", None, None)],
            ),
            (r#"Bearer realm="a\"b\\c""#, vec![bearer("a\"b\\c", None, None)]),
            (r#"Bearer service="no-realm""#, vec![]),
            (r#"Negotiate YWJj==, Basic realm="x""#, vec![Challenge::Basic]),
            ("", vec![]),
        ];
        for (header, challenges) in table {
            assert_eq!(parse(header), challenges, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(header in "[ -~é\t]{0,80}") {
            drop(parse(&header));
        }
    }
}

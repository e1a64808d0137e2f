//! Answers that come in pages (OCI distribution specification 1.1, "Listing tags"; RFC 8288 for `Link`).

use std::collections::HashSet;

use reqwest::header::{ACCEPT, HeaderMap, LINK};
use reqwest::{Method, Url};

use crate::call::{Call, Target};
use crate::endpoint::same_origin;
use crate::registry::{MANIFEST_MAX, header};
use crate::scope::Scope;
use crate::transport::{Transport, read};
use crate::{Error, ImageRef, Result};

const PAGES_MAX: usize = 1000;

/// The pages of one list, got one by one. Mirrors are not asked: their lists are not the registry's.
pub(crate) struct Pages<'a> {
    transport: &'a Transport,
    image: &'a ImageRef,
    accept: &'a str,
    /// Statuses that are taken for a page, for the caller to see that there is no such list.
    unknown: &'static [u16],
    next: Option<Target>,
    seen: HashSet<Url>,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(transport: &'a Transport, image: &'a ImageRef, path: String, accept: &'a str) -> Self {
        let next = Some(Target::Path(path));
        Self { transport, image, accept, unknown: &[], next, seen: HashSet::new() }
    }

    pub(crate) fn unknown_as(self, unknown: &'static [u16]) -> Self {
        Self { unknown, ..self }
    }

    /// The next page: its headers and its body. `None` when there is no more.
    pub(crate) async fn next(&mut self) -> Result<Option<(HeaderMap, Vec<u8>)>> {
        let Some(target) = self.next.take() else { return Ok(None) };
        let registry = self.image.registry();
        let call = Call::new(self.image, Method::GET, target, Scope::pull(self.image));
        let response = self.transport.send(&call.header(ACCEPT, self.accept).answers(self.unknown)).await?;
        let (from, headers) = (response.url().clone(), response.headers().clone());
        let body = read(response, MANIFEST_MAX, "a list").await?;
        if !self.seen.insert(from.clone()) {
            return Err(Error::protocol(registry, "a list whose pages lead in a circle"));
        }
        if let Some(link) = next_link(&header(&headers, LINK.as_str())) {
            let next = self.transport.place(self.image, &from, &link)?;
            if !same_origin(&from, &next) {
                let detail = format!("a list that goes on at {}", crate::endpoint::authority(&next));
                return Err(Error::Unsafe { registry: registry.to_owned(), detail });
            }
            if self.seen.len() == PAGES_MAX {
                return Err(Error::protocol(registry, format!("a list of more than {PAGES_MAX} pages")));
            }
            self.next = Some(Target::Place(next));
        }
        Ok(Some((headers, body)))
    }
}

/// The target of the link with `rel="next"`.
pub(crate) fn next_link(value: &str) -> Option<String> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let end = after.find('<').unwrap_or(after.len());
        let (params, next) = after.split_at(end);
        let is_next = params.split([';', ',']).any(|param| {
            let (name, value) = param.split_once('=').unwrap_or((param, ""));
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .trim()
                    .trim_matches('"')
                    .split_ascii_whitespace()
                    .any(|rel| rel.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target.to_owned());
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        for (value, next) in [
            (r#"</v2/a/tags/list?n=2&last=b>; rel="next""#, Some("/v2/a/tags/list?n=2&last=b")),
            (r#"<https://r/x>;rel=next"#, Some("https://r/x")),
            (r#"<?a=1,2;3>; title="x"; REL="last Next""#, Some("?a=1,2;3")),
            (r#"</first>; rel="first", </second>; rel="next""#, Some("/second")),
            (r#"</v2/a>; rel="prev""#, None),
            ("</v2/a", None),
            ("", None),
        ] {
            assert_eq!(next_link(value).as_deref(), next, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_link_is_read_without_a_panic(value in "[ -~é]{0,80}") {
            drop(next_link(&value));
        }
    }
}

//! The grammar of references, value against value.

use cutover_registry::{Digest, ImageRef};
use proptest::prelude::*;

const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn image(text: &str) -> ImageRef {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn references_are_taken_apart_and_normalised() {
    let table: &[(&str, &str, &str, Option<&str>, &str)] = &[
        ("nginx", "docker.io", "library/nginx", Some("latest"), "nginx:latest"),
        ("nginx:1.27", "docker.io", "library/nginx", Some("1.27"), "nginx:1.27"),
        ("acme/web", "docker.io", "acme/web", Some("latest"), "acme/web:latest"),
        ("docker.io/nginx", "docker.io", "library/nginx", Some("latest"), "nginx:latest"),
        ("index.docker.io/library/nginx:a", "docker.io", "library/nginx", Some("a"), "nginx:a"),
        ("ghcr.io/acme/web", "ghcr.io", "acme/web", Some("latest"), "ghcr.io/acme/web:latest"),
        ("ghcr.io/acme/web:v1", "ghcr.io", "acme/web", Some("v1"), "ghcr.io/acme/web:v1"),
        ("localhost/web", "localhost", "web", Some("latest"), "localhost/web:latest"),
        ("localhost:5000/web:x", "localhost:5000", "web", Some("x"), "localhost:5000/web:x"),
        ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c", Some("latest"), "127.0.0.1:5000/a/b/c:latest"),
        ("[::1]:5000/web", "[::1]:5000", "web", Some("latest"), "[::1]:5000/web:latest"),
        ("REGISTRY/web", "REGISTRY", "web", Some("latest"), "REGISTRY/web:latest"),
        ("a__b/c.d-e--f_g", "docker.io", "a__b/c.d-e--f_g", Some("latest"), "a__b/c.d-e--f_g:latest"),
        // Left in full where the short form would be read as another registry's.
        ("docker.io/foo.bar/baz", "docker.io", "foo.bar/baz", Some("latest"), "docker.io/foo.bar/baz:latest"),
        ("docker.io/localhost/x", "docker.io", "localhost/x", Some("latest"), "docker.io/localhost/x:latest"),
        ("docker.io/library/a/b", "docker.io", "library/a/b", Some("latest"), "library/a/b:latest"),
    ];
    for (text, registry, repository, tag, display) in table {
        let image = image(text);
        assert_eq!(
            (image.registry(), image.repository(), image.tag()),
            (*registry, *repository, *tag),
            "{text}"
        );
        assert_eq!(image.to_string(), *display, "{text}");
        assert_eq!(image.familiar(), *display, "{text}");
        assert_eq!(
            image.canonical(),
            format!("{registry}/{repository}:latest").replace(":latest", &format!(":{}", tag.unwrap()))
        );
    }
}

#[test]
fn a_digest_pins_and_a_tag_beside_it_is_kept() {
    let digest: Digest = format!("sha256:{HEX}").parse().unwrap();
    let pinned = image(&format!("ghcr.io/acme/web@{digest}"));
    assert_eq!((pinned.tag(), pinned.digest()), (None, Some(&digest)));
    let both = image(&format!("ghcr.io/acme/web:v1@{digest}"));
    assert_eq!((both.tag(), both.digest()), (Some("v1"), Some(&digest)));
    assert_eq!(image("ghcr.io/acme/web:v1").with_digest(digest), pinned);
    assert_eq!(pinned.with_tag("v2").unwrap(), image("ghcr.io/acme/web:v2"));
    assert_eq!(pinned.with_tag("a b").unwrap_err().offset, 1);
}

#[test]
fn a_bad_reference_is_told_what_is_wrong_and_where() {
    let long_tag = format!("a:{}", "x".repeat(129));
    let long_name = "x".repeat(256);
    let table: &[(&str, usize, &str)] = &[
        ("", 0, "the reference is empty"),
        ("https://ghcr.io/acme/web", 0, "has no scheme"),
        (HEX, 0, "an image id"),
        ("ghcr.io/Acme/web", 8, "repository name must be lowercase"),
        ("ghcr.io/acme/Web:v1", 13, "repository name must be lowercase"),
        ("Nginx", 0, "repository name must be lowercase"),
        ("ghcr.io/", 8, "the repository name is empty"),
        ("ghcr.io/acme//web", 13, "an empty part"),
        ("acme/web/", 9, "an empty part"),
        ("/web", 0, "an empty part"),
        ("acme/we b", 7, "may stand in a repository name"),
        ("acme/wéb", 6, "may stand in a repository name"),
        ("acme/-web", 5, "begins with a separator"),
        ("acme/web-", 8, "ends with a separator"),
        ("acme/w..b", 6, "separators"),
        ("acme/w___b", 6, "separators"),
        ("acme/web:", 9, "the tag is empty"),
        ("acme/web:.x", 9, "a tag begins with"),
        ("acme/web:a+b", 10, "may stand in a tag"),
        ("acme/web:v1\n", 11, "may stand in a tag"),
        (&long_tag, 130, "longer than 128"),
        (&long_name, 247, "longer than 255"),
        ("ghcr..io/web", 5, "an empty part"),
        ("gh_cr.io/web", 2, "may stand in a registry's host"),
        ("-a.b/web", 0, "begins with `-`"),
        ("a-.b/web", 1, "ends with `-`"),
        ("ghcr.io:http/web", 8, "port"),
        ("ghcr.io:/web", 8, "port"),
        ("ghcr.io:0/web", 8, "port"),
        ("ghcr.io:65536/web", 8, "port"),
        ("[::1/web", 0, "not closed"),
        ("[::g]:1/web", 1, "not an IPv6 address"),
        ("acme/web@", 9, "expected `algorithm:hex`"),
        ("acme/web@md5:00", 9, "sha256 or sha512"),
        ("acme/web@sha256:0G", 17, "lower-case hexadecimal"),
        ("acme/web@sha256:00", 18, "64 hexadecimal digits"),
    ];
    for (text, offset, reason) in table {
        let error = text.parse::<ImageRef>().expect_err(text);
        assert!(error.reason.contains(reason), "{text}: {error}");
        assert_eq!(error.offset, *offset, "{text}: {error}");
        assert!(text.is_char_boundary(error.offset), "{text}: {error}");
        assert_eq!(error.reference, *text);
    }
}

fn component() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,5}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}"
}

prop_compose! {
    fn reference()(
        host in proptest::option::of("(localhost|[a-z]{1,5}\\.[a-z]{2,3}|127\\.0\\.0\\.1|\\[::1\\])(:[1-9][0-9]{0,3})?"),
        mut path in proptest::collection::vec(component(), 1..4),
        tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9._-]{0,20}"),
        digest in proptest::option::of("[0-9a-f]{64}"),
    ) -> String {
        if host.is_none() {
            // With a dot it would be the registry.
            path[0] = path[0].replace('.', "_");
        }
        let mut text = host.map_or_else(String::new, |host| format!("{host}/"));
        text += &path.join("/");
        text += &tag.map_or_else(String::new, |tag| format!(":{tag}"));
        text += &digest.map_or_else(String::new, |hex| format!("@sha256:{hex}"));
        text
    }
}

proptest! {
    #[test]
    fn every_reference_of_the_grammar_is_read_and_written_back_the_same(text in reference()) {
        let read: ImageRef = text.parse().unwrap();
        prop_assert_eq!(&read.to_string().parse::<ImageRef>().unwrap(), &read);
        prop_assert_eq!(&read.canonical().parse::<ImageRef>().unwrap(), &read);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}|[a-zA-Z0-9:@/._\\[\\]é-]{0,40}") {
        match text.parse::<ImageRef>() {
            Ok(read) => prop_assert_eq!(read.to_string().parse::<ImageRef>().unwrap(), read),
            Err(error) => prop_assert!(text.is_char_boundary(error.offset)),
        }
    }
}

//! What patterns match, value against value; `../context/tests.rs` and `tests/real` hold them against Docker's own.

use proptest::prelude::*;

use super::*;

fn ignore(text: &str) -> Ignore {
    Ignore::parse(text).unwrap()
}

#[test]
fn a_path_is_the_same_however_it_is_written() {
    for (given, wanted) in [
        ("a//b/", "a/b"),
        ("./a", "a"),
        ("a/../b", "b"),
        ("../a", "../a"),
        ("/../a", "/a"),
        ("", "."),
        ("/", "/"),
        ("a/..", "."),
    ] {
        assert_eq!(clean(given), wanted, "{given}");
    }
}

#[test]
fn a_byte_order_mark_and_ends_of_lines_do_not_count() {
    let ignore = ignore("\u{feff}a\r\nb\r\n");
    assert!(ignore.excludes("a") && ignore.excludes("b/c") && !ignore.excludes("c"));
}

#[test]
fn what_is_no_pattern_is_told_with_its_line() {
    for (pattern, why) in [
        ("a\\", "escapes nothing"),
        ("[", "never closed"),
        ("[a", "never closed"),
        ("[]", "need a `\\`"),
        ("[z-a]", "backwards"),
        ("!", "after the `!`"),
        ("! /", "after the `!`"),
        ("\\d", "leave it out"),
        ("[[:alpha:]]", "not known"),
        ("[*]", "need a `\\`"),
    ] {
        let bad = Ignore::parse(&format!("fine\n\n{pattern}\n")).unwrap_err();
        assert_eq!((bad.line, bad.pattern.as_str()), (3, pattern));
        assert!(bad.why.contains(why), "{pattern}: {}", bad.why);
    }
}

#[test]
fn a_folder_is_looked_into_only_for_an_exception_that_begins_with_its_name() {
    let ignore = ignore("*\n!a/b/*.txt\n!**/x");
    assert!(ignore.has_exception_in("a") && ignore.has_exception_in("a/b"));
    assert!(
        !ignore.has_exception_in("ab") && !ignore.has_exception_in("x") && !ignore.has_exception_in("a/c")
    );
}

#[test]
fn many_stars_take_no_time() {
    let ignore = ignore(&format!("{}b", "*a".repeat(40)));
    assert!(!ignore.excludes(&"a".repeat(400)));
}

#[test]
fn what_is_kept_is_not_left_out_whatever_was_before() {
    let mut ignore = ignore("**");
    ignore.keep("docker/Docker[file]*");
    assert!(!ignore.excludes("docker/Docker[file]*") && ignore.excludes("docker/Dockerf"));
}

/// The plainest matcher there can be: for each part, all that it could take.
fn naive(pattern: &[char], path: &[char]) -> bool {
    match pattern {
        [] => path.is_empty(),
        ['*', '*', '/', rest @ ..] | ['*', '*', rest @ ..] if !rest.is_empty() => {
            naive(rest, path) || (0..path.len()).any(|at| path[at] == '/' && naive(rest, &path[at + 1..]))
        }
        ['*', '*', ..] => true,
        ['*', rest @ ..] => (0..=path.len()).any(|at| !path[..at].contains(&'/') && naive(rest, &path[at..])),
        ['?', rest @ ..] => path.first().is_some_and(|&c| c != '/') && naive(rest, &path[1..]),
        [wanted, rest @ ..] => path.first() == Some(wanted) && naive(rest, &path[1..]),
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in any::<String>()) {
        if let Ok(ignore) = Ignore::parse(&text) {
            ignore.excludes("a/b");
        }
    }

    #[test]
    fn patterns_match_what_the_plainest_matcher_matches(pattern in "[ab?](/?(a|b|\\*|\\*\\*|\\?)){0,5}", path in "[ab]{1,3}(/[ab]{1,3}){0,3}") {
        let (cleaned, characters) = (clean(&pattern), path.chars().collect::<Vec<_>>());
        // Three and more stars in a row are read from the left.
        prop_assume!(!cleaned.contains("***"));
        let wanted = naive(&cleaned.chars().collect::<Vec<_>>(), &characters);
        prop_assert_eq!(Pattern::parse(&cleaned).unwrap().matches(&path), wanted, "{} on {}", cleaned, path);
    }

    #[test]
    fn all_that_is_in_a_folder_goes_with_it(folder in "[a-c]{1,2}(/[a-c]{1,2}){0,2}", below in "[a-c.]{1,5}") {
        prop_assume!(!below.starts_with('.'));
        let path = format!("{folder}/{below}");
        let excluded = ignore(&folder).excludes(&path);
        prop_assert!(excluded);
        let excepted = ignore(&format!("{folder}\n!{path}")).excludes(&path);
        prop_assert!(!excepted);
    }
}

use proptest::prelude::*;

use super::*;

#[test]
fn foreign_text_pages_nobody_and_forges_no_link() {
    let cases = [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<https://evil.example|ok> & more", "&lt;https://evil.example|ok&gt; &amp; more"),
        ("@here", "@\u{2060}here"),
        ("ask @Channel, @EVERYONE", "ask @\u{2060}Channel, @\u{2060}EVERYONE"),
        ("@\u{1b}[0mhere", "@\u{2060}here"),
        ("@\u{7}here", "@\u{2060}here"),
        ("mail anna@example.com", "mail anna@example.com"),
        ("two\nlines", "two lines"),
    ];
    for (text, expected) in cases {
        assert_eq!(line(text, 100), expected, "{text:?}");
    }
}

#[test]
fn text_is_cut_between_characters_and_never_within_an_entity() {
    assert_eq!(line("abcdef", 6), "abcdef");
    assert_eq!(line("abcdefg", 6), "abcde…");
    assert_eq!(line("ab<<", 6), "ab…");
    assert_eq!(line("ab<", 6), "ab&lt;");
    assert_eq!(line("배포 실패했다", 5), "배포 실…");
    assert_eq!(line("🚀🚀🚀", 5), "🚀🚀…");
    assert_eq!(code("a`b", 100), "`a'b`");
    assert_eq!(code("abcdef", 6), "`abc…`");
}

#[test]
fn what_is_meant_is_never_cut_within() {
    let text = "<https://a.example|a> &amp; <!here> end";
    assert_eq!(trusted(text, 100), text);
    assert_eq!(trusted(text, 21), "…");
    assert_eq!(trusted(text, 28), "<https://a.example|a> &amp;…");
    assert_eq!(trusted("a < b & c\n> d", 100), "a < b & c\n> d");
    assert_eq!(inert("<!here> @here & co"), "&lt;!here&gt; @\u{2060}here &amp; co");
}

#[test]
fn a_log_keeps_its_last_lines() {
    let lines: Vec<String> = (1..=9).map(|n| format!("line {n}")).collect();
    assert_eq!(tail(&lines[..2], 100), "```\nline 1\nline 2\n```");
    assert_eq!(tail(&lines, 30), "```\n…\nline 7\nline 8\nline 9\n```");
    assert_eq!(tail(&lines, 29), "```\n…\nline 8\nline 9\n```");
    assert_eq!(tail(&["x".repeat(50)], 20), format!("```\n{}…\n```", "x".repeat(9)));
    assert_eq!(tail(&["\u{1b}[31mred\u{1b}[0m <&>  ".into()], 100), "```\nred &lt;&amp;&gt;\n```");
}

#[test]
fn links_are_made_for_plain_web_addresses_only() {
    let linked = |address| link(Some(address), "label");
    assert_eq!(linked("https://h.example/a?b=1&c=2"), "<https://h.example/a?b=1&amp;c=2|label>");
    assert_eq!(linked("https://h.example/a|b>c"), "<https://h.example/a%7Cb%3Ec|label>");
    assert_eq!(link(None, "label"), "label");
    for bad in ["javascript:alert(1)", "!channel", "https://user:secret@h.example/", "/relative"] {
        assert_eq!(linked(bad), "label", "{bad}");
    }
    assert_eq!(linked(&format!("https://h.example/{}", "a".repeat(MAX_URL))), "label");
}

proptest! {
    #[test]
    fn whatever_the_text_it_fits_and_stays_inert(text in ".{0,200}|(@here|[`<>&@here\n🚀]){0,200}", max in 40usize..120) {
        for out in [line(&text, max), paragraph(&text, max), code(&text, max), plain(&text, max)] {
            prop_assert!(units(&out) <= max, "{out:?}");
            prop_assert!(!out.to_ascii_lowercase().contains("@here"), "{out:?}");
        }
        for out in [line(&text, max), paragraph(&text, max)] {
            prop_assert!(!out.contains(['<', '>']), "{out:?}");
        }
    }

    #[test]
    fn nothing_in_a_block_of_code_closes_its_fence(lines in prop::collection::vec("[`a<🚀\n]{0,40}", 1..9), max in 40usize..120) {
        for out in [tail(&lines, max), command(&lines.join("\n"), max)] {
            prop_assert!(units(&out) <= max, "{out:?}");
            let inner = out.strip_prefix(FENCE).and_then(|out| out.strip_suffix(FENCE)).unwrap();
            prop_assert!(!inner.contains(FENCE), "{out:?}");
            prop_assert!(inner.starts_with('\n') && inner.ends_with('\n'), "{out:?}");
        }
    }
}

//! Text from outside, as text in markup.

/// Text as it may stand between tags and in a quoted attribute. What no document may hold, or what would turn the
/// order of what is read, is shown as a replacement character.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' => safe.push(c),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                safe.push('\u{fffd}');
            }
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Milliseconds for a person: `4.1 ms`, `3.2 s`.
pub(super) fn time(ms: f64) -> String {
    if ms < 1_000.0 { format!("{ms:.1} ms") } else { format!("{:.1} s", ms / 1_000.0) }
}

/// Milliseconds in a column of them; nothing where there are none.
pub(super) fn cell(ms: Option<f64>) -> String {
    ms.map_or_else(|| "\u{2013}".to_owned(), |ms| format!("{ms:.1}"))
}

/// The first digits of a digest, which tell releases apart.
pub(super) fn short(digest: &str) -> &str {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..12).unwrap_or(hex)
}

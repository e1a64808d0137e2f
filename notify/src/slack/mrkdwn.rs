//! Foreign text made harmless in Slack's mrkdwn, and cut to measure.
//!
//! Slack says what must be escaped ([Formatting text, "Escaping
//! text"](https://docs.slack.dev/messaging/formatting-message-text#escaping)), and that a text that is not
//! `verbatim` may have names after an `@` made into mentions. A length is in UTF-16 code units, the largest
//! of the counts that Slack may mean by "characters".

use url::Url;

const ELLIPSIS: &str = "…";
const FENCE: &str = "```";
/// Invisible, and no place for a line to break.
const WORD_JOINER: &str = "\u{2060}";
const PAGED: [&str; 3] = ["here", "channel", "everyone"];

/// A longer address is not worth its part of a message.
const MAX_URL: usize = 300;

/// Text as `plain_text` shows it, in one line.
pub(super) fn plain(text: &str, max: usize) -> String {
    cut(characters(&one_line(text)), max)
}

/// A sentence in one line.
pub(super) fn line(text: &str, max: usize) -> String {
    cut(prose(&one_line(text)), max)
}

/// Sentences; their line breaks stay.
pub(super) fn paragraph(text: &str, max: usize) -> String {
    cut(prose(&clean(text)), max)
}

/// Text of any length, escaped and without what pages, to stand in mrkdwn that is not foreign.
pub(crate) fn inert(text: &str) -> String {
    prose(&clean(text)).collect()
}

/// Mrkdwn that means what it says. It is never cut within an entity, a link or a mention.
pub(super) fn trusted(text: &str, max: usize) -> String {
    cut(tokens(text), max)
}

/// A name or a value between backticks, in one line.
pub(super) fn code(text: &str, max: usize) -> String {
    let text = one_line(text).replace('`', "'");
    format!("`{}`", cut(prose(&text), max.saturating_sub(2)))
}

/// A command as a block of code.
pub(super) fn command(text: &str, max: usize) -> String {
    fenced(&cut(unfenced(&clean(text)), max.saturating_sub(units(&fenced("")))))
}

/// The last lines that fit as a block of code. What was left out is told by an ellipsis.
pub(super) fn tail(lines: &[String], max: usize) -> String {
    let room = max.saturating_sub(units(&fenced("")));
    let mut kept = Vec::new();
    let mut used = units(ELLIPSIS);
    for line in lines.iter().rev() {
        let line = cut(unfenced(clean(line).trim_end()), room.saturating_sub(units(ELLIPSIS) + 1));
        used += units(&line) + 1;
        if used > room {
            break;
        }
        kept.push(line);
    }
    if kept.len() < lines.len() {
        kept.push(ELLIPSIS.to_owned());
    }
    kept.reverse();
    fenced(&kept.join("\n"))
}

/// `label`, which is escaped already, as a link to `address`; as it is where the address is missing, is none,
/// is too long, or holds a password.
pub(super) fn link(address: Option<&str>, label: &str) -> String {
    address.and_then(target).map_or_else(|| label.to_owned(), |target| format!("<{target}|{label}>"))
}

fn target(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let open = url.username().is_empty() && url.password().is_none();
    let target =
        url.as_str().replace('|', "%7C").replace('<', "%3C").replace('>', "%3E").replace('&', "&amp;");
    (matches!(url.scheme(), "http" | "https") && open && units(&target) <= MAX_URL).then_some(target)
}

fn fenced(text: &str) -> String {
    format!("{FENCE}\n{text}\n{FENCE}")
}

/// Code without a run of three backticks, which would close the fence around it.
fn unfenced(text: &str) -> impl Iterator<Item = &str> {
    let mut run = 0;
    characters(text).flat_map(move |c| {
        run = if c == "`" { run + 1 } else { 0 };
        let joiner = if run == 3 { WORD_JOINER } else { "" };
        run = if run == 3 { 1 } else { run };
        [joiner, escaped(c)]
    })
}

fn prose(text: &str) -> impl Iterator<Item = &str> {
    characters(text).map(escaped)
}

/// The text with an invisible character within each word that pages, `@here` and its like.
fn defused(text: &str) -> String {
    let mut parts = text.split('@');
    let mut defused = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        defused.push('@');
        defused.push_str(if pages(part) { WORD_JOINER } else { "" });
        defused.push_str(part);
    }
    defused
}

fn pages(after_at: &str) -> bool {
    PAGED.iter().any(|word| after_at.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word)))
}

fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()])
}

/// Mrkdwn in pieces that mean something: characters, entities, and what stands between `<` and `>`.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match first {
            '<' => rest.find(['>', '\n']).filter(|at| rest[*at..].starts_with('>')),
            '&' => rest.find(';').filter(|at| *at <= "&amp".len()),
            _ => None,
        };
        let (piece, after) = rest.split_at(end.map_or(first.len_utf8(), |at| at + 1));
        rest = after;
        Some(piece)
    })
}

fn one_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

/// The text without colours and other orders to a terminal, without control characters but tabs and line breaks,
/// and without a word that pages.
fn clean(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default();
    let printable: String = std::iter::once(first)
        .chain(parts.map(after_sequence))
        .flat_map(str::chars)
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    defused(&printable)
}

/// What follows the parameters and the final byte of a control sequence (ECMA-48, 5.4).
fn after_sequence(text: &str) -> &str {
    let rest = text.trim_start_matches(|c: char| (' '..='?').contains(&c));
    rest.strip_prefix(|c: char| ('@'..='~').contains(&c)).unwrap_or(rest)
}

fn escaped(c: &str) -> &str {
    match c {
        "&" => "&amp;",
        "<" => "&lt;",
        ">" => "&gt;",
        c => c,
    }
}

/// As many of the pieces as fit, the last replaced by an ellipsis where not all do. A piece is never cut: it may
/// be an entity, `&lt;`.
fn cut<'a>(pieces: impl Iterator<Item = &'a str>, max: usize) -> String {
    let room = max.saturating_sub(units(ELLIPSIS));
    let (mut text, mut used, mut keep) = (String::new(), 0, 0);
    for piece in pieces {
        used += units(piece);
        if used > max {
            text.truncate(keep);
            text.push_str(ELLIPSIS);
            break;
        }
        text.push_str(piece);
        if used <= room {
            keep = text.len();
        }
    }
    text
}

/// The length as Slack may count it.
pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests;

//! Files of variables as Compose reads them: `.env` beside the compose file, and those that `env_file` names.

use super::interpolate;

/// Why a file of variables is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong. Nothing of the line is in it: that may be a secret.
    pub(crate) problem: &'static str,
}

/// The variables of a file, in its order. `lookup` is asked for those that a value names and that no line above sets.
pub(crate) fn read(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, Broken> {
    let mut read: Vec<(String, String)> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let broken = |problem| Broken { line: number + 1, problem };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((name, value)) = line.split_once('=') else {
            // A name alone takes the value that cutover's own environment has.
            read.extend(lookup(line.trim()).map(|value| (line.trim().to_owned(), value)));
            continue;
        };
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(broken("not a line of the form NAME=value"));
        }
        let mut value = value.trim_start().to_owned();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let text = match quote {
            Some(quote) => {
                while closing(&value, quote).is_none() {
                    let (_, more) = lines.next().ok_or_else(|| broken("a quote that is not closed"))?;
                    value.push('\n');
                    value.push_str(more);
                }
                let end = closing(&value, quote).unwrap_or(value.len());
                unquoted(&value[1..end], quote)
            }
            None => {
                let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
                if value.starts_with('#') { String::new() } else { value[..end].trim_end().to_owned() }
            }
        };
        let text = if quote == Some('\'') {
            text
        } else {
            let known = |wanted: &str| {
                let above = read.iter().rev().find(|(name, _)| name == wanted);
                lookup(wanted).or_else(|| above.map(|(_, value)| value.clone()))
            };
            // A lone `$` is common in passwords, and stands for itself.
            interpolate::fill(&text, &known).map_or(text, |filled| filled.text)
        };
        read.push((name.to_owned(), text));
    }
    Ok(read)
}

/// The variables of a file whose lines are taken as they stand.
pub(crate) fn raw(text: &str) -> Result<Vec<(String, String)>, Broken> {
    let lines =
        text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, line)| {
            let broken = Broken { line: number + 1, problem: "not a line of the form NAME=value" };
            let pair = line.split_once('=').filter(|(name, _)| !name.is_empty());
            pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or(broken)
        })
        .collect()
}

/// Where the quote that opens a text is closed.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let found = (c == quote && !escaped).then_some(at);
        escaped = c == '\\' && !escaped;
        found
    })
}

fn unquoted(text: &str, quote: char) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match (chars.next(), quote) {
            (Some('n'), '"') => plain.push('\n'),
            (Some('r'), '"') => plain.push('\r'),
            (Some('t'), '"') => plain.push('\t'),
            (Some(c), '"') if matches!(c, '"' | '\\') => plain.push(c),
            (Some('\''), '\'') => plain.push('\''),
            (Some(c), _) => plain.extend(['\\', c]),
            (None, _) => plain.push('\\'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_compose_reads_them() {
        let lookup = |name: &str| (name == "OUTER").then(|| "outer".to_owned());
        let text = "# comment\n\nA=1\nexport B = two words # comment\nC=\"quoted # no \\\"comment\\\"\\n\"\nD='$A \\n'\n\
                    E=$A-${OUTER}\nF=pa$$word\nG=a#b\nH=\nOUTER\nNOWHERE\nI=\"two\nlines\"\nJ=5$\n";
        let read: Vec<(String, String)> = read(text, &lookup).unwrap();
        let pairs: Vec<(&str, &str)> =
            read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("A", "1"),
                ("B", "two words"),
                ("C", "quoted # no \"comment\"\n"),
                ("D", "$A \\n"),
                ("E", "1-outer"),
                ("F", "pa$word"),
                ("G", "a#b"),
                ("H", ""),
                ("OUTER", "outer"),
                ("I", "two\nlines"),
                ("J", "5$"),
            ]
        );
    }

    #[test]
    fn a_line_that_is_none_is_told_by_its_number_alone() {
        let line = |text: &str| read(text, &|_| None).unwrap_err().line;
        assert_eq!((line("A=1\n=2\n"), line("A=1\nB C=2\n"), line("\nA=\"1\n2")), (2, 2, 2));
    }
}

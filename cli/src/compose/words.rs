//! A command written as one text, split as a shell splits it.

/// The words of a text: parted by blanks, but for those in quotes or behind a backslash. Nothing is expanded.
pub(super) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a quote that is not closed")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => double(&mut chars, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("a backslash at the end")?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The rest of a text in double quotes.
fn double(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    const OPEN: &str = "a quote that is not closed";
    loop {
        match chars.next().ok_or(OPEN)? {
            '"' => return Ok(()),
            '\\' => match chars.next().ok_or(OPEN)? {
                c @ ('"' | '\\') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, wanted) in [
            ("npm start", vec!["npm", "start"]),
            ("  sh -c 'echo \"a  b\"' ", vec!["sh", "-c", "echo \"a  b\""]),
            ("a\\ b \"c \\\"d\\\" \\n\" ''", vec!["a b", "c \"d\" \\n", ""]),
            ("--x='1'2\"3\"", vec!["--x=123"]),
            ("", vec![]),
        ] {
            assert_eq!(split(text).unwrap(), wanted, "{text}");
        }
        assert!(split("a 'b").is_err() && split("a \"b").is_err() && split("a\\").is_err());
    }
}

//! Variables in values, by the Compose specification's chapter on interpolation.

/// What a text says, once its variables are filled in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filled {
    /// The text.
    pub(super) text: String,
    /// Whether any variable's value is in it.
    pub(super) variable: bool,
    /// The variables that are not set, and for which nothing is said: they stand for nothing.
    pub(super) unset: Vec<String>,
}

/// Why a text cannot be filled in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotFilled {
    /// A `$` that begins nothing.
    #[error("a `$` that begins no variable")]
    Dollar,
    /// `${` that is not closed, or what stands in it.
    #[error("`{0}` is no variable")]
    Form(String),
    /// A variable that must be set.
    #[error("the variable {name} is not set: {words}")]
    Required {
        /// The variable.
        name: String,
        /// What the file says then.
        words: String,
    },
}

impl NotFilled {
    /// What mends it.
    pub(super) fn mend(&self) -> &'static str {
        match self {
            Self::Dollar => "write `$$` for a dollar sign",
            Self::Form(_) => "write `${NAME}`, with `:-default`, `:?error` or `:+other` before the `}`",
            Self::Required { .. } => {
                "set it where cutover runs, or in the file `.env` beside the compose file"
            }
        }
    }
}

/// How deep variables stand in each other's defaults.
const DEEPEST: usize = 16;

/// Fills in the variables of a text.
pub(super) fn fill(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Filled, NotFilled> {
    let mut filled = Filled::default();
    fill_into(text, lookup, DEEPEST, &mut filled)?;
    Ok(filled)
}

fn fill_into(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    deeper: usize,
    filled: &mut Filled,
) -> Result<(), NotFilled> {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            filled.text.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = closing(after).ok_or_else(|| NotFilled::Form(format!("${{{after}")))?;
            expression(&after[..end], lookup, deeper, filled)?;
            rest = &after[end + 1..];
        } else {
            let end = name_length(rest);
            if end == 0 {
                return Err(NotFilled::Dollar);
            }
            direct(&rest[..end], lookup, filled);
            rest = &rest[end..];
        }
    }
    filled.text.push_str(rest);
    Ok(())
}

/// Where the `}` of an expression stands, past those of the ones in it.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut before) = (0, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
        before = c;
    }
    None
}

fn name_length(text: &str) -> usize {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { 0 } else { end }
}

fn direct(name: &str, lookup: &dyn Fn(&str) -> Option<String>, filled: &mut Filled) {
    match lookup(name) {
        Some(value) => {
            filled.text.push_str(&value);
            filled.variable = true;
        }
        None => filled.unset.push(name.to_owned()),
    }
}

/// What stands in `${…}`.
fn expression(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    deeper: usize,
    filled: &mut Filled,
) -> Result<(), NotFilled> {
    let form = || NotFilled::Form(format!("${{{text}}}"));
    let (name, rest) = text.split_at(name_length(text));
    if name.is_empty() {
        return Err(form());
    }
    let (also_empty, rest) = rest.strip_prefix(':').map_or((false, rest), |rest| (true, rest));
    let value = lookup(name).filter(|value| !(also_empty && value.is_empty()));
    let mut chars = rest.chars();
    let Some(operator) = chars.next() else {
        if also_empty {
            return Err(form());
        }
        direct(name, lookup, filled);
        return Ok(());
    };
    let words = chars.as_str();
    let deeper = deeper.checked_sub(1).ok_or_else(form)?;
    match (operator, value) {
        ('-' | '?', Some(value)) => {
            filled.text.push_str(&value);
            filled.variable = true;
        }
        ('-', None) | ('+', Some(_)) => fill_into(words, lookup, deeper, filled)?,
        ('+', None) => {}
        ('?', None) => {
            let mut said = Filled::default();
            fill_into(words, lookup, deeper, &mut said)?;
            let words = if said.text.is_empty() { "it must be".to_owned() } else { said.text };
            return Err(NotFilled::Required { name: name.to_owned(), words });
        }
        _ => return Err(form()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            "DOLLAR" => Some("$SET".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn every_form_of_the_specification_is_filled_in() {
        for (text, wanted) in [
            ("$SET ${SET}", "value value"),
            ("a$$b $${SET}", "a$b ${SET}"),
            ("${NONE:-d} ${EMPTY:-d} ${SET:-d}", "d d value"),
            ("${NONE-d} ${EMPTY-d} ${SET-d}", "d  value"),
            ("${SET:?words} ${EMPTY?words}", "value "),
            ("${SET:+x} ${EMPTY:+x} ${EMPTY+x} ${NONE+x}", "x  x "),
            ("${NONE:-${SET}} ${NONE:-${OTHER:-deep}}", "value deep"),
            ("${DOLLAR}", "$SET"),
            ("${NONE:-}", ""),
            ("${NONE:-a:b}", "a:b"),
        ] {
            assert_eq!(fill(text, &lookup).unwrap().text, wanted, "{text}");
        }
    }

    #[test]
    fn only_what_comes_from_a_variable_counts_as_such() {
        assert!(fill("x${SET}", &lookup).unwrap().variable);
        assert!(fill("${NONE:-${SET}}", &lookup).unwrap().variable);
        assert!(!fill("${NONE:-plain} $$SET", &lookup).unwrap().variable);
        assert_eq!(fill("$NONE", &lookup).unwrap().unset, ["NONE"]);
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        for text in
            ["$", "a$ b", "$1", "${", "${}", "${1}", "${SET", "${SET/a/b}", "${SET:}", "${SET:=x}", "${ SET}"]
        {
            assert!(fill(text, &lookup).is_err(), "{text}");
        }
        let required = fill("${NONE:?give ${SET}}", &lookup).unwrap_err();
        assert_eq!(required.to_string(), "the variable NONE is not set: give value");
    }

    /// A piece of a text, with what it is to become.
    fn piece() -> impl Strategy<Value = (String, String)> {
        let leaf = prop_oneof![
            "[ a-z:?+=./-]{0,8}".prop_map(|text| (text.clone(), text)),
            Just(("$$".to_owned(), "$".to_owned())),
            Just(("${SET}".to_owned(), "value".to_owned())),
            Just(("${NONE}".to_owned(), String::new())),
            Just(("${EMPTY}".to_owned(), String::new())),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let inner = proptest::collection::vec(inner, 0..3).prop_map(|pieces| {
                let (texts, wanted): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
                (texts.concat(), wanted.concat())
            });
            let names = prop_oneof![Just("SET"), Just("EMPTY"), Just("NONE")];
            (names, any::<bool>(), any::<bool>(), inner).prop_map(|(name, colon, default, (text, wanted))| {
                let there = lookup(name).filter(|value| !(colon && value.is_empty()));
                let colon = if colon { ":" } else { "" };
                if default {
                    (format!("${{{name}{colon}-{text}}}"), there.unwrap_or(wanted))
                } else {
                    let wanted = there.map_or_else(String::new, |_| wanted);
                    (format!("${{{name}{colon}+{text}}}"), wanted)
                }
            })
        })
    }

    proptest! {
        #[test]
        fn any_text_is_filled_in_or_refused(text in "[$${}:?+A-Z_a -]{0,40}|.{0,40}") {
            let filled = fill(&text, &lookup);
            if !text.contains('$') {
                prop_assert_eq!(filled.unwrap().text, text);
            }
        }

        #[test]
        fn filling_in_agrees_with_the_model(pieces in proptest::collection::vec(piece(), 0..6)) {
            let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
            let wanted: String = pieces.iter().map(|(_, wanted)| wanted.as_str()).collect();
            prop_assert_eq!(fill(&text, &lookup).map(|filled| filled.text), Ok(wanted));
        }
    }
}

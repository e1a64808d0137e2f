//! A configuration as a tree, by nginx's own rules for words (`ngx_conf_read_token`), and which tree stands for which.
//!
//! It shares nothing with the code that renders and checks: it is the judge of it.

use std::borrow::Cow;
use std::iter::Peekable;
use std::slice::Iter;

use serde::Deserialize;

/// A directive with its arguments, and its block where it has one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Directive {
    /// Its name.
    #[serde(rename = "directive")]
    pub(crate) name: String,
    /// Its arguments, without quotes.
    pub(crate) args: Vec<String>,
    /// What stands in its block.
    pub(crate) block: Option<Vec<Directive>>,
}

/// Reads a file; none where nginx would not.
pub(crate) fn parse(text: &str) -> Option<Vec<Directive>> {
    let mut bytes = text.as_bytes().iter().peekable();
    block(&mut bytes, true)
}

/// The directives up to the `}` of a block, or up to the end of the file.
fn block(bytes: &mut Peekable<Iter<'_, u8>>, outermost: bool) -> Option<Vec<Directive>> {
    let (mut directives, mut words) = (Vec::new(), Vec::new());
    loop {
        match token(bytes)? {
            Token::Word(word) => words.push(word),
            Token::Closing => return (!outermost && words.is_empty()).then_some(directives),
            Token::End => return (outermost && words.is_empty()).then_some(directives),
            end @ (Token::Semicolon | Token::Opening) => {
                let mut all = std::mem::take(&mut words).into_iter();
                let name = all.next()?;
                let block = if end == Token::Opening { Some(block(bytes, false)?) } else { None };
                directives.push(Directive { name, args: all.collect(), block });
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Semicolon,
    Opening,
    Closing,
    End,
}

fn token(bytes: &mut Peekable<Iter<'_, u8>>) -> Option<Token> {
    loop {
        match bytes.next() {
            None => return Some(Token::End),
            Some(b' ' | b'\t' | b'\r' | b'\n') => {}
            Some(b'#') => drop(bytes.by_ref().find(|byte| **byte == b'\n')),
            Some(b';') => return Some(Token::Semicolon),
            Some(b'{') => return Some(Token::Opening),
            Some(b'}') => return Some(Token::Closing),
            Some(first) => return word(*first, bytes).map(Token::Word),
        }
    }
}

/// A word from its first byte on. A quote counts only there; in a bare word `${` opens no block, and `${{` none either.
fn word(first: u8, bytes: &mut Peekable<Iter<'_, u8>>) -> Option<String> {
    let quote = Some(first).filter(|byte| matches!(byte, b'"' | b'\''));
    let mut word = Vec::new();
    let mut next = if quote.is_none() { Some(first) } else { bytes.next().copied() };
    let mut variable = false;
    loop {
        let byte = next?;
        variable = byte == b'$' || variable && byte == b'{';
        match byte {
            b'\\' => match *bytes.next()? {
                escaped @ (b'"' | b'\'' | b'\\') => word.push(escaped),
                b't' => word.push(b'\t'),
                b'r' => word.push(b'\r'),
                b'n' => word.push(b'\n'),
                other => word.extend([b'\\', other]),
            },
            byte if Some(byte) == quote => {
                // What follows a closing quote must end the word; a `)` begins the next.
                let ends = matches!(bytes.peek(), Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')'));
                return ends.then(|| String::from_utf8_lossy(&word).into_owned());
            }
            byte => word.push(byte),
        }
        if quote.is_none() {
            let ends = match bytes.peek()? {
                b' ' | b'\t' | b'\r' | b'\n' | b';' => true,
                b'{' => !variable,
                _ => false,
            };
            if ends {
                return Some(String::from_utf8_lossy(&word).into_owned());
            }
        }
        next = bytes.next().copied();
    }
}

/// Whether one tree is the other with these words in the place of those, and nothing more or less.
///
/// # Errors
///
/// The first place where it is not.
pub(crate) fn stands_for(
    real: &[Directive],
    model: &[Directive],
    words: &[(String, String)],
) -> Result<(), String> {
    if real.len() != model.len() {
        let names = |all: &[Directive]| all.iter().map(|d| d.name.clone()).collect::<Vec<_>>().join(" ");
        return Err(format!("{:?} instead of {:?}", names(real), names(model)));
    }
    for (real, model) in real.iter().zip(model) {
        let stand = real.args.len() == model.args.len()
            && real.args.iter().zip(&model.args).all(|(real, model)| *real == meant(model, words));
        if real.name != model.name || !stand || real.block.is_some() != model.block.is_some() {
            let args: Vec<_> = model.args.iter().map(|arg| meant(arg, words)).collect();
            return Err(format!("{} {:?} instead of {} {args:?}", real.name, real.args, model.name));
        }
        let [real_block, model_block] = [real, model].map(|it| it.block.as_deref().unwrap_or_default());
        stands_for(real_block, model_block, words).map_err(|why| format!("{} > {why}", model.name))?;
    }
    Ok(())
}

/// The argument with the values where the words are. A value may hold a word itself, and stays as it is.
fn meant<'a>(arg: &'a str, words: &[(String, String)]) -> Cow<'a, str> {
    if !words.iter().any(|(word, _)| arg.contains(word.as_str())) {
        return arg.into();
    }
    let (mut text, mut left) = (String::new(), arg);
    while let Some(next) = left.chars().next() {
        let here = words.iter().filter(|(word, _)| left.starts_with(word.as_str()));
        let (skipped, value) = match here.max_by_key(|(word, _)| word.len()) {
            Some((word, value)) => (word.len(), value.as_str()),
            None => (next.len_utf8(), &left[..next.len_utf8()]),
        };
        text.push_str(value);
        left = &left[skipped..];
    }
    text.into()
}

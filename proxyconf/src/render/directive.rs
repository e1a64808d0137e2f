//! Directives of the user's, which must be whole: they end where they say and leave the block they stand in open.
//!
//! Follows `ngx_conf_read_token` of nginx, which knows quotes only where a word begins.

use crate::Error;

/// The longest word, in bytes: nginx reads what fits its buffer of 4096, quotes and all.
const LONGEST: usize = 4000;

/// Where the reader of a directive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Between words.
    Gap,
    /// In a bare word.
    Word,
    /// In a word between these quotes.
    Quoted(char),
    /// Right behind a closing quote.
    AfterQuote,
    /// In a comment, which the end of the line ends.
    Comment,
}

/// Refuses what is not a sequence of whole directives and blocks.
pub(super) fn check(field: &'static str, text: &str) -> Result<(), Error> {
    let forbidden = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if let Some((offset, character)) = text.char_indices().find(|&(_, c)| forbidden(c)) {
        return Err(Error::Forbidden { field, value: text.to_owned(), character, offset });
    }
    let text = trimmed(text);
    if text.contains("_by_lua_block") {
        let reason = "a block of Lua has rules of its own; put it into a file (`…_by_lua_file`)";
        return Err(Error::invalid(field, text, reason));
    }
    Reader::default().read(text).map_err(|reason| Error::invalid(field, text, reason))
}

/// Without what nginx passes over before and behind. Other spaces of Unicode are letters to it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

#[derive(Debug)]
struct Reader {
    at: At,
    depth: usize,
    /// Words of the directive so far.
    words: usize,
    escaped: bool,
    /// Right behind a `$`, where `{` is part of a variable.
    dollar: bool,
    /// How long the word is so far, in bytes.
    length: usize,
}

impl Default for Reader {
    fn default() -> Self {
        Self { at: At::Gap, depth: 0, words: 0, escaped: false, dollar: false, length: 0 }
    }
}

impl Reader {
    fn read(mut self, text: &str) -> Result<(), &'static str> {
        for c in text.chars() {
            self.step(c)?;
        }
        match self.at {
            At::Quoted(_) => Err("a quote is not closed"),
            At::Comment => Err("it ends in a comment"),
            _ if self.escaped || self.words > 0 || self.at != At::Gap => {
                Err("it does not end with `;` or `}`")
            }
            At::Gap if self.depth > 0 => Err("a block is not closed"),
            _ => Ok(()),
        }
    }

    fn step(&mut self, c: char) -> Result<(), &'static str> {
        let in_word = matches!(self.at, At::Word | At::Quoted(_));
        self.length = if in_word { self.length + c.len_utf8() } else { 0 };
        if self.length >= LONGEST {
            return Err("a word is longer than nginx reads one");
        }
        if self.escaped {
            self.escaped = false;
            return Ok(());
        }
        match self.at {
            At::Comment => {
                if c == '\n' {
                    self.at = At::Gap;
                }
                Ok(())
            }
            At::AfterQuote => self.after_quote(c),
            At::Gap => self.gap(c),
            At::Word | At::Quoted(_) => self.word(c),
        }
    }

    fn after_quote(&mut self, c: char) -> Result<(), &'static str> {
        match c {
            ' ' | '\t' | '\n' => self.at = At::Gap,
            ';' | '{' => return self.end(c),
            ')' => {
                self.at = At::Word;
                self.words += 1;
            }
            _ => return Err("a closing quote is followed by neither a space nor `;`, `{` or `)`"),
        }
        Ok(())
    }

    fn gap(&mut self, c: char) -> Result<(), &'static str> {
        match c {
            ' ' | '\t' | '\n' => return Ok(()),
            ';' | '{' => return self.end(c),
            '}' if self.words > 0 => return Err("`}` stands where a `;` is missing"),
            '}' => {
                self.depth = self.depth.checked_sub(1).ok_or("`}` closes a block that it did not open")?;
                return Ok(());
            }
            '#' => {
                self.at = At::Comment;
                return Ok(());
            }
            '"' | '\'' => self.at = At::Quoted(c),
            _ => {
                self.at = At::Word;
                self.escaped = c == '\\';
                self.dollar = c == '$';
            }
        }
        self.words += 1;
        Ok(())
    }

    fn word(&mut self, c: char) -> Result<(), &'static str> {
        let in_variable = std::mem::take(&mut self.dollar);
        match c {
            // nginx is in the variable's name until another character comes: `${{` opens no block.
            '{' if in_variable => self.dollar = true,
            '\\' => self.escaped = true,
            '$' => self.dollar = true,
            _ => match self.at {
                At::Quoted(quote) if c == quote => self.at = At::AfterQuote,
                At::Quoted(_) => {}
                _ if matches!(c, ' ' | '\t' | '\n') => self.at = At::Gap,
                _ if matches!(c, ';' | '{') => return self.end(c),
                _ => {}
            },
        }
        Ok(())
    }

    /// `;` ends a directive, `{` opens a block.
    fn end(&mut self, c: char) -> Result<(), &'static str> {
        if self.words == 0 {
            return Err("`;` or `{` stands where a directive is expected");
        }
        self.words = 0;
        self.at = At::Gap;
        if c == '{' {
            self.depth += 1;
        }
        Ok(())
    }
}

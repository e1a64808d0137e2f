//! A target over its corpus and over made-up neighbours of it: what the tests do of what libFuzzer does for hours.
//!
//! The crates take this file in by its path, for their tests alone: there is no crate that all of them depend on.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

/// How many inputs are made up for a target.
const MADE_UP: u64 = 700;
/// The longest input that is made up, in bytes.
const LONGEST: usize = 4096;
/// What grammars are broken with.
const TOKENS: &[&[u8]] = &[
    b"\"",
    b"'",
    b"\\",
    b";",
    b"{",
    b"}",
    b"$",
    b"${",
    b"#",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\0",
    b"..",
    b"/",
    b":",
    b"@",
    b"=",
    b",",
    b"<",
    b">",
    b"[",
    b"]",
    b"%",
    b"&a ",
    b"*a",
    b"!",
    b"**",
    b"-1",
    b"0",
    b"18446744073709551615",
    b"9223372036854775808",
    b"1e999",
    b"null",
    b"\xff",
    b"\xc3",
    "é".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    b"\x1b[31m",
    b"\x01\0\0\0\0\0\0\x04",
];

/// Runs a target over `fuzz/corpus/TARGET` and made-up inputs.
///
/// # Panics
///
/// With the target, which input it was and its bytes, where the target does.
pub(super) fn play(target: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!seeds.is_empty(), "{} is empty", corpus.display());
    for (path, seed) in paths.iter().zip(&seeds) {
        one(target, &path.display().to_string(), run, seed);
    }
    for number in 0..MADE_UP {
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ (number + 1));
        let input = chance.made_up(&seeds);
        one(target, &format!("made-up input {number}"), run, &input);
    }
}

fn one(target: &str, which: &str, run: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(input))) {
        eprintln!("the target {target} failed on {which}:\nb\"{}\"", input.escape_ascii());
        resume_unwind(panic);
    }
}

/// xorshift64*, the same on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end.max(1)
    }

    fn made_up(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(6) {
            let at = self.below(input.len() + 1);
            let end = at + self.below((input.len() - at).min(32) + 1);
            match self.below(7) {
                0 => drop(input.drain(at..end)),
                1 => drop(input.splice(at..at, TOKENS[self.below(TOKENS.len())].iter().copied())),
                2 => drop(input.splice(at..end, TOKENS[self.below(TOKENS.len())].iter().copied())),
                3 => {
                    let part = input[at..end].to_vec();
                    drop(input.splice(at..at, part.repeat(1 + self.below(64))));
                }
                4 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len() + 1);
                    drop(input.splice(at.., other[from..].iter().copied()));
                }
                5 => input.truncate(at),
                _ => {
                    if let Some(byte) = input.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
            }
        }
        input.truncate(LONGEST);
        input
    }
}

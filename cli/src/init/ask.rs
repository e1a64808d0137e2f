//! Questions to a person, a line each.

use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::str::FromStr;

/// Asks on one stream and reads from another.
#[derive(Debug)]
pub struct Asker<R, W> {
    answers: R,
    questions: W,
}

impl<R: BufRead, W: Write> Asker<R, W> {
    /// An asker that reads answers here and writes questions there.
    pub fn new(answers: R, questions: W) -> Self {
        Self { answers, questions }
    }

    /// Asks until the answer can be read as a `T`. An empty line takes the guess.
    ///
    /// # Errors
    /// When the answers end, or a stream fails.
    pub fn ask<T>(&mut self, question: &str, mut guess: Option<T>) -> io::Result<T>
    where
        T: FromStr<Err: Display> + Display,
    {
        let shown = guess.as_ref().map_or_else(String::new, |guess| format!(" [{guess}]"));
        loop {
            write!(self.questions, "{question}{shown}: ")?;
            self.questions.flush()?;
            let mut line = String::new();
            if self.answers.read_line(&mut line)? == 0 {
                writeln!(self.questions)?;
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match (line.trim(), guess) {
                ("", Some(guess)) => return Ok(guess),
                ("", None) => writeln!(self.questions, "  nothing is known that could stand for it")?,
                (text, kept) => match text.parse() {
                    Ok(answer) => return Ok(answer),
                    Err(error) => {
                        writeln!(self.questions, "  {error}")?;
                        guess = kept;
                        continue;
                    }
                },
            }
            guess = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answers: &str, guess: Option<u16>) -> (io::Result<u16>, String) {
        let mut told = Vec::new();
        let answer = Asker::new(answers.as_bytes(), &mut told).ask("Port", guess);
        (answer, String::from_utf8(told).unwrap())
    }

    #[test]
    fn an_empty_line_takes_the_guess_and_a_word_wins_over_it() {
        let (answer, told) = asked("\n", Some(80));
        assert_eq!((answer.unwrap(), told.as_str()), (80, "Port [80]: "));
        assert_eq!(asked(" 8112 \n", Some(80)).0.unwrap(), 8112);
    }

    #[test]
    fn what_is_no_answer_is_asked_for_again_until_the_answers_end() {
        let (answer, told) = asked("\nport\n8080\n", None);
        assert_eq!(answer.unwrap(), 8080);
        assert_eq!(told.matches("Port: ").count(), 3, "{told}");
        assert!(told.contains("invalid digit"), "{told}");
        let (answer, _) = asked("port\n", Some(80));
        assert_eq!(answer.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}

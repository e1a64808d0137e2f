//! What a Dockerfile says of the container: its ports and its health check, as the last stage has them.
//!
//! Read by Docker's "Dockerfile reference", as far as these two need it: line continuations, comments, the `escape`
//! directive, here-documents, stages that begin from stages, and `ARG` and `ENV` with their substitution.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use super::choice::Health;

/// What the last stage says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The TCP ports of EXPOSE, in their order; of a range the first.
    pub ports: Vec<NonZeroU16>,
    /// Its HEALTHCHECK: the path, where it asks this container itself over HTTP.
    pub health: Option<Health>,
}

/// A stage while it is read.
#[derive(Clone, Default)]
struct Stage {
    name: Option<String>,
    said: Dockerfile,
    variables: BTreeMap<String, String>,
}

impl Dockerfile {
    /// Reads a Dockerfile's text. What cannot be understood is passed over: this is only for a guess.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut global = BTreeMap::new();
        let mut stages: Vec<Stage> = Vec::new();
        for (keyword, rest) in instructions(text) {
            if keyword == "FROM" {
                stages.push(from(&rest, &stages));
            } else if let Some(stage) = stages.last_mut() {
                stage.read(&keyword, &rest, &global);
            } else if keyword == "ARG" {
                global.extend(pairs(&rest));
            }
        }
        stages.pop().unwrap_or_default().said
    }
}

/// A stage of this FROM: what it begins from counts, if that is a stage.
fn from(rest: &str, stages: &[Stage]) -> Stage {
    let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
    let base = words.next().unwrap_or_default().to_lowercase();
    let name = words.nth(1).map(str::to_lowercase);
    let base = stages.iter().rev().find(|stage| stage.name.as_deref() == Some(&base));
    Stage { name, ..base.cloned().unwrap_or_default() }
}

impl Stage {
    fn read(&mut self, keyword: &str, rest: &str, global: &BTreeMap<String, String>) {
        match keyword {
            "ARG" | "ENV" => {
                for (name, value) in pairs(rest) {
                    // An ARG without a value has the one from before the first FROM; it does not undo an ENV.
                    let value = match value.is_empty() && keyword == "ARG" {
                        true => global.get(&name).cloned().unwrap_or_default(),
                        false => self.filled(&value),
                    };
                    if keyword == "ENV" || !self.variables.contains_key(&name) {
                        self.variables.insert(name, value);
                    }
                }
            }
            "EXPOSE" => {
                let rest = self.filled(rest);
                self.said.ports.extend(rest.split_whitespace().filter_map(port));
            }
            "HEALTHCHECK" => self.said.health = health(&self.filled(rest)),
            _ => {}
        }
    }

    /// The text with `$NAME`, `${NAME}` and `${NAME:-word}` filled in, where they are known.
    fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut left = text;
        while let Some((before, after)) = left.split_once('$') {
            filled.push_str(before);
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (inner, rest) = braced.unwrap_or_else(|| {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                after.split_at(end.unwrap_or(after.len()))
            });
            let (name, word) =
                inner.split_once(":-").map_or((inner, None), |(name, word)| (name, Some(word)));
            let known = self.variables.get(name).filter(|value| !value.is_empty());
            match known.map(String::as_str).or(word) {
                Some(value) => filled.push_str(value),
                None => filled.push_str(&format!("${name}")),
            }
            left = rest;
        }
        filled + left
    }
}

/// `NAME=value NAME="a value"`, or `NAME value`.
fn pairs(rest: &str) -> Vec<(String, String)> {
    let unquoted = |text: &str| text.trim_matches(['"', '\'']).to_owned();
    let first = rest.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let value = rest.strip_prefix(first).unwrap_or_default();
        return vec![(first.to_owned(), unquoted(value.trim()))];
    }
    let words = rest.split_whitespace().filter_map(|word| word.split_once('='));
    words.map(|(name, value)| (name.to_owned(), unquoted(value))).collect()
}

/// `8080`, `8080/tcp`, `8000-8010`; no port of UDP.
fn port(word: &str) -> Option<NonZeroU16> {
    let (ports, protocol) = word.trim_matches('"').split_once('/').unwrap_or((word.trim_matches('"'), "tcp"));
    let first = ports.split_once('-').map_or(ports, |(first, _)| first);
    first.parse().ok().filter(|_| protocol.eq_ignore_ascii_case("tcp"))
}

/// `--interval=5s CMD curl -f http://localhost:8080/healthz || exit 1`, or `NONE`.
fn health(rest: &str) -> Option<Health> {
    let command =
        rest.split_whitespace().skip_while(|word| word.starts_with("--")).collect::<Vec<_>>().join(" ");
    if !command.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("CMD")) {
        return None;
    }
    Some(path(&command).map_or(Health::Image, Health::Path))
}

/// The path that a command asks this very container for.
fn path(command: &str) -> Option<String> {
    let (_, url) = command.split_once("http://")?;
    let (host, rest) = match url.strip_prefix("[::1]") {
        Some(rest) => ("localhost", rest),
        None => {
            let end = url.find(|c: char| !c.is_ascii_alphanumeric() && !"_.-$".contains(c));
            url.split_at(end.unwrap_or(url.len()))
        }
    };
    let end = rest.find(|c: char| c.is_whitespace() || "\"'`)];|,>$".contains(c));
    let (rest, after) = rest.split_at(end.unwrap_or(rest.len()));
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    let own = ["localhost", "127.0.0.1", "0.0.0.0"].contains(&host);
    (own && !after.starts_with('$') && path.parse::<Health>().is_ok()).then(|| path.to_owned())
}

/// The instructions, each on one line, its keyword in upper case.
fn instructions(text: &str) -> Vec<(String, String)> {
    let escape =
        if text.lines().take_while(|line| line.starts_with('#')).any(is_backtick) { '`' } else { '\\' };
    let mut lines = text.lines();
    let mut instructions = Vec::new();
    while let Some(line) = lines.next() {
        let mut whole = String::new();
        let mut next = Some(line);
        while let Some(line) = next.take() {
            let line = line.trim();
            if line.starts_with('#') || (line.is_empty() && !whole.is_empty()) {
                // Comments and empty lines may stand within a continued instruction.
                next = if whole.is_empty() { None } else { lines.next() };
                continue;
            }
            match line.strip_suffix(escape) {
                Some(line) => {
                    whole.push_str(line);
                    whole.push(' ');
                    next = lines.next();
                }
                None => whole.push_str(line),
            }
        }
        let Some((keyword, rest)) = whole.trim().split_once(char::is_whitespace) else { continue };
        for end in heredocs(keyword, rest) {
            // Its lines are no instructions, whatever they look like.
            lines.by_ref().take_while(|line| line.trim_start_matches('\t') != end).for_each(drop);
        }
        instructions.push((keyword.to_ascii_uppercase(), rest.trim().to_owned()));
    }
    instructions
}

fn is_backtick(line: &str) -> bool {
    let words = line.trim_start_matches('#').split_once('=');
    words.is_some_and(|(name, value)| name.trim().eq_ignore_ascii_case("escape") && value.trim() == "`")
}

/// The words that end an instruction's here-documents: `EOF` of `RUN <<-"EOF"`.
fn heredocs(keyword: &str, rest: &str) -> Vec<String> {
    if !["RUN", "COPY", "ADD"].iter().any(|with| keyword.eq_ignore_ascii_case(with)) {
        return Vec::new();
    }
    let ends = rest.split("<<").skip(1).filter_map(|after| {
        let after = after.trim_start_matches('-').trim_start_matches(['"', '\'']);
        let word: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        (!word.is_empty()).then_some(word)
    });
    ends.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(text: &str) -> Vec<u16> {
        Dockerfile::parse(text).ports.iter().map(|port| port.get()).collect()
    }

    #[test]
    fn only_the_last_stage_and_what_it_begins_from_count() {
        let text = "FROM rust:1 AS build\nEXPOSE 1\nHEALTHCHECK CMD true\nFROM debian AS base\nEXPOSE 2\n\
                    FROM --platform=linux/amd64 BASE\nexpose 3/tcp 4/udp 5-9\n";
        let read = Dockerfile::parse(text);
        assert_eq!(ports(text), [2, 3, 5]);
        assert_eq!(read.health, None);
    }

    #[test]
    fn ports_are_read_through_variables() {
        assert_eq!(
            ports("ARG P=1\nFROM a\nARG P\nENV Q=${P}0 R=\"3\"\nEXPOSE $Q ${R}/tcp ${S:-4} $T\n"),
            [10, 3, 4]
        );
        assert_eq!(ports("FROM a\nENV PORT 8112\nEXPOSE ${PORT}\n"), [8112]);
        assert_eq!(ports("FROM a\nARG PORT\nEXPOSE $PORT\n"), [0_u16; 0]);
    }

    #[test]
    fn continued_lines_comments_and_here_documents_are_kept_apart() {
        let text =
            "# escape=`\nFROM a\n# EXPOSE 1\nEXPOSE 2 `\n  # no\n\n  3\nRUN <<EOF\nEXPOSE 4\nEOF\nEXPOSE 5\n";
        assert_eq!(ports(text), [2, 3, 5]);
        assert_eq!(ports("FROM a\nRUN cat <<-'A' <<B\n\tx\n\tA\nEXPOSE 1\nB\nEXPOSE 2 \\\n 3\n"), [2, 3]);
        assert_eq!(ports("FROM a\nEXPOSE 1 \\"), [1]);
    }

    #[test]
    fn a_health_check_that_asks_the_container_gives_its_path_and_any_other_is_the_images() {
        let of = |check: &str| Dockerfile::parse(&format!("FROM a\nENV P=80\nHEALTHCHECK {check}\n")).health;
        let path = |path: &str| Some(Health::Path(path.to_owned()));
        for check in [
            "--interval=5s --retries=3 CMD curl -f http://localhost:$P/healthz || exit 1",
            "CMD [\"wget\", \"-q\", \"http://127.0.0.1/healthz\"]",
            "CMD curl 'http://[::1]:80/healthz'",
        ] {
            assert_eq!(of(check), path("/healthz"), "{check}");
        }
        assert_eq!(of("CMD curl http://localhost"), path("/"));
        for check in [
            "CMD /service --check",
            "CMD curl http://db:80/up",
            "CMD curl https://localhost/",
            "cmd nc -z :80",
        ] {
            assert_eq!(of(check), Some(Health::Image), "{check}");
        }
        assert_eq!(of("NONE"), None);
    }

    #[test]
    fn what_is_no_dockerfile_says_nothing() {
        for text in
            ["", "EXPOSE 80", "FROM", "FROM a\nEXPOSE\nHEALTHCHECK\n", "\\", "FROM a\nEXPOSE $\nEXPOSE ${\n"]
        {
            assert_eq!(Dockerfile::parse(text), Dockerfile::default(), "{text}");
        }
    }
}

//! What a `.dockerignore` leaves out of a context, by the rules of Docker's own matcher (moby/patternmatcher).
//!
//! Pure: text and paths in, verdicts out. A pattern is matched against a whole path from the context's root, `/`
//! between its parts; what is in an excluded directory is excluded with it; the last pattern that matches wins.

mod pattern;
#[cfg(test)]
mod tests;

use self::pattern::Pattern;

/// The patterns of a `.dockerignore`, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// A pattern after `!`, which takes back what those before it left out.
    exception: bool,
    pattern: Pattern,
}

/// Which patterns match a directory, for what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdicts(Vec<bool>);

/// A line that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadPattern {
    /// Its number, from 1.
    pub(crate) line: usize,
    pub(crate) pattern: String,
    pub(crate) why: &'static str,
}

impl Ignore {
    /// Reads the file's text.
    pub(crate) fn parse(text: &str) -> Result<Self, BadPattern> {
        let mut ignore = Self::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in text.lines().enumerate() {
            // A comment begins in the first column; ` #x` is a pattern.
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let rule = Rule::parse(line.trim());
            let bad = |why| BadPattern { line: number + 1, pattern: line.trim().to_owned(), why };
            ignore.rules.push(rule.map_err(bad)?);
        }
        Ok(ignore)
    }

    /// Takes back that a path is left out, whatever the patterns say.
    pub(crate) fn keep(&mut self, path: &str) {
        self.rules.push(Rule { exception: true, pattern: Pattern::literal(path) });
    }

    /// The verdicts for what is in the context's root.
    pub(crate) fn root(&self) -> Verdicts {
        Verdicts(vec![false; self.rules.len()])
    }

    /// Whether the path is left out, and its verdicts if it is a directory. `parent` are those of the directory that it is in.
    pub(crate) fn judge(&self, path: &str, parent: &Verdicts) -> (bool, Verdicts) {
        let mut excluded = false;
        let judge = |(rule, &inherited): (&Rule, &bool)| {
            // A pattern that could not change the outcome is not asked, and its verdict not handed down: as Docker does.
            let matches = inherited || (rule.exception == excluded && rule.pattern.matches(path));
            if matches {
                excluded = !rule.exception;
            }
            matches
        };
        let verdicts = self.rules.iter().zip(&parent.0).map(judge).collect();
        (excluded, Verdicts(verdicts))
    }

    /// Whether the path is left out, by itself or with a directory that it is in.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        let mut verdicts = self.root();
        let mut excluded = false;
        for end in path.match_indices('/').map(|(at, _)| at).chain([path.len()]) {
            (excluded, verdicts) = self.judge(&path[..end], &verdicts);
        }
        excluded
    }

    /// Whether an exception names something in this directory, so that it must be looked into though it is left out.
    ///
    /// Exceptions with a wildcard before the directory's name do not count: Docker compares text.
    pub(crate) fn has_exception_in(&self, directory: &str) -> bool {
        self.rules.iter().filter(|rule| rule.exception).any(|rule| {
            rule.pattern
                .text()
                .strip_prefix(directory)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Self, &'static str> {
        let (exception, pattern) = match line.strip_prefix('!') {
            Some(pattern) => (true, pattern.trim()),
            None => (false, line),
        };
        if exception && pattern.chars().all(|c| c == '/') {
            return Err("an exception must name something after the `!`");
        }
        let cleaned = clean(pattern);
        let relative = cleaned.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(&cleaned);
        Ok(Self { exception, pattern: Pattern::parse(relative)? })
    }
}

/// The shortest path that means the same: no `.`, no `x/..`, no doubled and no trailing `/`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|&last| last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

//! The text of a notice in one's own words.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use crate::record::{Times, record};
use crate::{Error, Facts, Notice, Requests, Source, Status};

/// So many steps a template may take; a notice needs a few hundred.
const FUEL: u64 = 50_000;

/// The name that the one template of an environment goes by.
const NAME: &str = "template";

/// The text of a notice as a template in [Jinja's language](https://docs.rs/minijinja/latest/minijinja/syntax/), by
/// minijinja.
///
/// It may name `status`, `app`, `image`, `digest`, `previous`, `from`, `to` (the slots), `host`, `actor`, `took`,
/// `phases` (each with `name` and `took`), `requests` (with `total`, `lost` and `p99`, which has `before`, `during` and `after`), `reason`, `logs`, `next`, `preview`,
/// `text` (the usual text), the fields `repo`, `message`, `commit`, `author`, `action`, `eventName`, `ref`, `workflow` and
/// `job`, and `run_url`, `commit_url`, `repo_url`, `compare_url` and `package_url`. What is not known is `none`, and is
/// written as nothing; a name that there is not is an error when the template is made.
///
/// ```
/// use cutover_notify::{Notice, Status, Template};
///
/// let template = Template::new("{{ app }} is {{ status }}{% if reason %}: {{ reason }}{% endif %}")?;
/// assert_eq!(template.render(&Notice::new(Status::Success, "web"))?, "web is success");
/// # Ok::<(), cutover_notify::Error>(())
/// ```
#[derive(Clone)]
pub struct Template {
    plain: Arc<Environment<'static>>,
    mrkdwn: Arc<Environment<'static>>,
    text: Arc<str>,
}

impl Template {
    /// Reads a template, and renders a notice of each status with it to see that it can be.
    ///
    /// # Errors
    ///
    /// [`Error::Template`], with the place, where it is none, names what there is not, or does not come to an end.
    pub fn new(text: &str) -> Result<Self, Error> {
        let plain = environment(text, str::to_owned)?;
        let mrkdwn = environment(text, crate::slack::inert)?;
        let template = Self { plain: Arc::new(plain), mrkdwn: Arc::new(mrkdwn), text: text.into() };
        template.check_names()?;
        for status in Status::ALL {
            drop(template.render(&sample(status))?);
        }
        Ok(template)
    }

    /// The text for this notice, plain.
    ///
    /// # Errors
    ///
    /// [`Error::Template`] where the notice lacks what the template builds on, such as a first phase.
    pub fn render(&self, notice: &Notice) -> Result<String, Error> {
        self.by(&self.plain, notice)
    }

    /// The text in Slack's mrkdwn: what the template itself says stays as it is, what comes out of the notice is made
    /// harmless.
    pub(crate) fn mrkdwn(&self, notice: &Notice) -> Result<String, Error> {
        self.by(&self.mrkdwn, notice)
    }

    fn by(&self, environment: &Environment<'_>, notice: &Notice) -> Result<String, Error> {
        let known = Value::from(Serde(record(notice, Times::Words)));
        let rendered = environment.get_template(NAME).and_then(|template| template.render(known));
        rendered.map(|text| text.trim().to_owned()).map_err(|error| told(&self.text, &error))
    }

    /// Rendering meets a wrong name only on the way that a sample takes through the template.
    fn check_names(&self) -> Result<(), Error> {
        let template = self.plain.get_template(NAME).map_err(|error| told(&self.text, &error))?;
        let known = record(&sample(Status::Success), Times::Words);
        let mut unknown: Vec<(usize, String)> = template
            .undeclared_variables(false)
            .into_iter()
            .filter(|name| !known.contains_key(name) && !self.is_function(name))
            .map(|name| (place(&self.text, &name), name))
            .collect();
        unknown.sort();
        let Some((at, name)) = unknown.into_iter().next() else { return Ok(()) };
        let mut names: Vec<&str> = known.keys().map(String::as_str).collect();
        names.sort_unstable();
        let why = format!("unknown variable `{name}`: expected one of {}", names.join(", "));
        Err(located(&self.text, why, at..at + name.len()))
    }

    fn is_function(&self, name: &str) -> bool {
        self.plain.globals().any(|(global, _)| global == name)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.text).finish()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// An environment with this one template, in which each value goes through `escape`.
fn environment(text: &str, escape: fn(&str) -> String) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_debug(true);
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Whatever a filter makes of a value: that it is called safe changes nothing.
    environment.set_formatter(move |out, state, value| {
        if value.is_undefined() {
            return minijinja::escape_formatter(out, state, value);
        }
        let text = if value.is_none() { String::new() } else { escape(&value.to_string()) };
        out.write_str(&text).map_err(minijinja::Error::from)
    });
    environment.add_template_owned(NAME, text.to_owned()).map_err(|error| told(text, &error))?;
    Ok(environment)
}

/// What minijinja says, in a line, with the place.
fn told(text: &str, error: &minijinja::Error) -> Error {
    let what = match error.kind() {
        ErrorKind::OutOfFuel => "the template does not come to an end".to_owned(),
        kind => error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
    };
    let line_start = error.line().map_or(0, |line| {
        text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>()
    });
    let range = error.range().filter(|range| text.get(range.clone()).is_some());
    located(text, what, range.unwrap_or(line_start..line_start))
}

fn located(text: &str, why: String, range: Range<usize>) -> Error {
    let before = text.get(..range.start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error::Template { why, line, column, range }
}

/// Where a name stands as a word of its own, from the first tag on.
fn place(text: &str, name: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let from = text.find("{{").into_iter().chain(text.find("{%")).min().unwrap_or(0);
    let found = text.match_indices(name).find(|(at, _)| {
        *at >= from
            && !text[..*at].ends_with(is_word)
            && !text[..*at].ends_with('.')
            && !text[at + name.len()..].starts_with(is_word)
    });
    found.map_or(0, |(at, _)| at)
}

/// A notice of which everything is known.
fn sample(status: Status) -> Notice {
    let some = |text: &str| Some(text.to_owned());
    let took = Duration::from_millis(12_480);
    let source = Source {
        repo: some("acme/web"),
        message: some("Fix the login"),
        commit: some("0123456789abcdef0123456789abcdef01234567"),
        author: some("Anna"),
        action: some("deploy"),
        event_name: some("push"),
        ref_: some("refs/heads/main"),
        workflow: some("CI"),
        job: some("ship"),
        run_url: some("https://github.com/acme/web/actions/runs/1"),
        commit_url: some("https://github.com/acme/web/commit/0123456"),
        repo_url: some("https://github.com/acme/web"),
        compare_url: some("https://github.com/acme/web/compare/a...b"),
    };
    let facts = Facts {
        app: "web".to_owned(),
        image: some("ghcr.io/acme/web:1.4"),
        digest: some("sha256:0123456789abcdef"),
        previous: some("ghcr.io/acme/web:1.3"),
        from_slot: some("blue"),
        to_slot: some("green"),
        host: some("srv1"),
        actor: some("anna"),
        took: Some(took),
        phases: vec![("pull".to_owned(), took)],
        requests: Some(Requests { total: 1, lost: 0, p99: [Some(took), None, None] }),
        preview: some("http://127.0.0.1:9180"),
        package_url: some("https://github.com/acme/web/pkgs/container/web"),
        source,
    };
    Notice {
        status,
        facts,
        reason: some("GET /healthz answered 500"),
        logs: vec!["listening".to_owned()],
        next: some("cutover rollback web"),
    }
}

//! `cutover init`: a first `cutover.toml`, and workflows for GitHub Actions.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Context, Ended};
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::init::{
    Answers, Asker, Draft, Flags, Found, NginxPlace, NotKnown, Slack, State, configuration, workflow,
};
use crate::report::Event;

/// Where GitHub looks for workflows, in a repository.
const WORKFLOWS: &str = ".github/workflows";

/// What became of a file.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Became {
    Written,
    Unchanged,
    Kept,
}

#[derive(Serialize)]
struct File {
    path: PathBuf,
    state: Became,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

#[derive(Serialize)]
struct Files {
    app: String,
    files: Vec<File>,
}

/// `cutover init`.
pub(super) async fn init(context: &Context, flags: Flags) -> Ended {
    if !flags.folder.is_dir() {
        let words = format!("{} is no folder", flags.folder.display());
        return Err(Failure::new(Exit::Usage, words).next("name the app's folder; it must be there"));
    }
    let (force, print, folder) = (flags.force, flags.print, flags.folder.clone());
    // A terminal is read without an end in sight: beside the runtime, so that a signal is heeded.
    let asked = context.unless_interrupted(async {
        let gathered = tokio::task::spawn_blocking(move || gather(&flags)).await;
        gathered.map_err(|error| Failure::from_error(Exit::Fault, &error))?
    });
    let (answers, found) = asked.await?;
    let warn = |words: &str| context.output.report().tell(Event::Warning(words));
    let drafts = drafts(&answers, &found, &folder, &context.global.config, warn)?;
    if print {
        context.output.text(&printed(&drafts));
        return Ok(Exit::Done);
    }
    let files = write(&drafts, force).map_err(|error| Failure::from_error(Exit::Fault, &error))?;
    let done = Files { app: answers.name.to_string(), files };
    context.output.data(&done, || describe(&done.files));
    if done.files.iter().any(|file| matches!(file.state, Became::Written)) {
        next(&answers, |words| context.output.report().tell(Event::Note(words)));
    }
    let kept = done.files.iter().filter(|file| matches!(file.state, Became::Kept));
    let kept: Vec<String> = kept.map(|file| file.path.display().to_string()).collect();
    if kept.is_empty() {
        return Ok(Exit::Done);
    }
    let words = format!("not the same as what is there: {}", kept.join(", "));
    Err(Failure::new(Exit::Usage, words).serves("what is there was kept").next("`--force` writes over it"))
}

/// The answers, asked for where there is a terminal to ask on.
fn gather(flags: &Flags) -> Result<(Answers, Found), Failure> {
    let found = Found::observe(&flags.folder);
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    let asker = (terminal && !flags.yes).then(|| Asker::new(io::stdin().lock(), io::stderr().lock()));
    let answers = Answers::gather(flags, &found, asker).map_err(|error| {
        let failure = Failure::from_error(Exit::Usage, &error).serves("nothing was written");
        match &error {
            NotKnown::Flags(flags) => failure.next(format!("say {}", flags.join(", "))),
            _ => failure.next("`--yes` asks nothing"),
        }
    })?;
    Ok((answers, found))
}

/// The files, checked as a deploy would check them.
fn drafts(
    answers: &Answers,
    found: &Found,
    folder: &Path,
    config: &Path,
    warn: impl Fn(&str),
) -> Result<Vec<Draft>, Failure> {
    let draft = |path: PathBuf, text: String| Draft { path: tidy(&path), text };
    let checked = |answers: &Answers| {
        let first = draft(folder.join(config), configuration(answers));
        Config::parse(&first.path, &first.text).map(|_| first)
    };
    let first = match (checked(answers), &answers.compose) {
        // What cannot be taken of a service is for a person to decide; the app can do without.
        (Err(refused), Some((file, service))) => {
            let first = checked(&Answers { compose: None, ..answers.clone() })?;
            warn(&format!(
                "the service {service} of {file} is left out, because it cannot be taken: {refused}"
            ));
            first
        }
        (first, _) => first?,
    };
    let mut drafts = vec![first];
    if let Some(github) = &answers.github {
        let (top, below) = found.repository.clone().unwrap_or_default();
        let at_top = below.as_os_str().is_empty();
        let workflows = if at_top { folder.join(WORKFLOWS) } else { top.join(WORKFLOWS) };
        // Several apps of one repository have a workflow each.
        let name =
            |what: &str| if at_top { format!("{what}.yml") } else { format!("{what}-{}.yml", answers.name) };
        drafts.push(draft(workflows.join(name("deploy")), workflow::deploy(answers, github)));
        drafts.push(draft(workflows.join(name("rollback")), workflow::rollback(answers, github)));
    }
    Ok(drafts)
}

/// `./cutover.toml` is `cutover.toml`.
fn tidy(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

/// One text as it is; several each under its name, as a comment.
fn printed(drafts: &[Draft]) -> String {
    match drafts {
        [only] => only.text.clone(),
        several => {
            let texts = several.iter().map(|draft| format!("# {}\n\n{}", draft.path.display(), draft.text));
            texts.collect::<Vec<_>>().join("\n")
        }
    }
}

/// Looks at all files before it writes the first.
fn write(drafts: &[Draft], force: bool) -> io::Result<Vec<File>> {
    let states = drafts.iter().map(Draft::state).collect::<io::Result<Vec<_>>>()?;
    let written = drafts.iter().zip(states).map(|(draft, state)| {
        let (state, diff) = match state {
            State::Same => (Became::Unchanged, None),
            State::Different { diff } if !force => (Became::Kept, Some(diff)),
            State::Absent | State::Different { .. } => {
                draft.write()?;
                (Became::Written, None)
            }
        };
        Ok(File { path: draft.path.clone(), state, diff })
    });
    written.collect()
}

fn describe(files: &[File]) -> String {
    if files.iter().all(|file| matches!(file.state, Became::Unchanged)) {
        return "nothing to do: all is written already\n".to_owned();
    }
    let told = files.iter().map(|file| {
        let path = file.path.display();
        match file.state {
            Became::Written => format!("wrote {path}\n"),
            Became::Unchanged => format!("{path} is the same already\n"),
            Became::Kept => format!("kept {path}\n{}", file.diff.as_deref().unwrap_or_default()),
        }
    });
    told.collect()
}

/// What is left to do by hand.
fn next(answers: &Answers, tell: impl Fn(&str)) {
    if let NginxPlace::Container(name) = &answers.nginx {
        tell(&format!(
            "{name} must be on the network of the slots: `docker network create --subnet 10.213.0.0/16 cutover && docker network connect cutover {name}`"
        ));
    }
    tell("`cutover config check` reads the file; `cutover ship` makes the first release live");
    let Some(github) = &answers.github else { return };
    let label = github.runner.as_ref().map_or_else(String::new, |label| format!(" with the label {label}"));
    tell(&format!("on GitHub: a self-hosted runner{label} on the server, and an environment `production`"));
    let secrets = [
        (answers.slack == Slack::Webhook).then_some("SLACK_WEBHOOK_URL"),
        answers.registry_user.is_some().then_some("REGISTRY_PASSWORD"),
    ];
    let secrets: Vec<&str> = secrets.into_iter().flatten().collect();
    if !secrets.is_empty() {
        tell(&format!("its secrets: {}", secrets.join(", ")));
    }
}

//! `cutover doctor`: whether a deploy would go well.

use serde::Serialize;

use super::{Context, Ended};
use crate::args::App;
use crate::doctor::{Finding, State, examine};
use crate::failure::Exit;

#[derive(Serialize)]
struct Examined<'a> {
    app: &'a str,
    ok: bool,
    checks: &'a [Finding],
}

/// `cutover doctor`. Changes nothing, and needs nothing to be up.
pub(super) async fn doctor(context: &Context, app: &App) -> Ended {
    let config = context.config()?;
    let (name, table) = config.app(app.app.as_deref())?;
    let checks = context.unless_interrupted(async { Ok(examine(&config, name, table).await) }).await?;
    let verdict = verdict(&checks);
    let data = Examined { app: name.as_str(), ok: verdict == Exit::Done, checks: &checks };
    context.output.data(&data, || describe(name.as_str(), &checks));
    Ok(verdict)
}

/// How a deploy would end before anything is touched.
fn verdict(checks: &[Finding]) -> Exit {
    let problems = || checks.iter().filter(|check| check.state == State::Problem);
    if problems().next().is_none() {
        Exit::Done
    } else if problems().all(|check| check.exit == Exit::Usage) {
        Exit::Usage
    } else {
        Exit::Unreachable
    }
}

/// One line a finding, below those of its group.
fn describe(app: &str, checks: &[Finding]) -> String {
    let mut text = String::new();
    let mut group = "";
    for check in checks {
        let (of, matter) = check.name.split_once('.').unwrap_or((&check.name, ""));
        if of != group {
            text.push_str(&format!("{of}\n"));
            group = of;
        }
        let matter = if matter.is_empty() { String::new() } else { format!("{matter}: ") };
        let mend = check.mend.as_ref().map(|mend| format!(" ({mend})")).unwrap_or_default();
        let line = format!("  {:<8} {matter}{}{mend}", check.state.as_str(), check.found);
        text.push_str(&line.replace(['\n', '\r'], " "));
        text.push('\n');
    }
    let problems = checks.iter().filter(|check| check.state == State::Problem).count();
    text.push_str(&match problems {
        0 => format!("{app}: nothing here keeps a deploy from going well\n"),
        1 => format!("{app}: a deploy would fail of 1 problem\n"),
        many => format!("{app}: a deploy would fail of {many} problems\n"),
    });
    text
}

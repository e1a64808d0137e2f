//! `cutover plan`: what a deploy would do. Changes nothing.

use cutover_proxyconf::Rendered;
use cutover_registry::ImageRef;
use serde::Serialize;
use similar::TextDiff;

use super::{Context, Ended, change};
use crate::args::{App, Canary};
use crate::compose::Service;
use crate::failure::{Exit, Failure};
use crate::observe::observe;
use crate::plan::{Goal, Step, plan as plan_for};
use crate::report::Event;
use crate::target::Target;

#[derive(Serialize)]
struct Planned {
    app: String,
    image: String,
    digest: String,
    release: String,
    steps: Vec<String>,
    reload: bool,
    diff: Vec<FileDiff>,
}

/// How a file of nginx's would change.
#[derive(Debug, Serialize)]
pub(super) struct FileDiff {
    /// The file, below `conf_dir`.
    pub(super) file: String,
    /// The change, as a unified diff.
    pub(super) diff: String,
}

/// `cutover plan`.
pub(super) async fn plan(context: &Context, app: &App, image: Option<&ImageRef>, canary: &Canary) -> Ended {
    let config = context.config_told()?;
    let (name, table) = config.app(app.app.as_deref())?;
    change::stages(table, name, canary)?;
    if context.global.verbose > 0 {
        let taken = table.service.iter().flat_map(Service::told);
        taken.for_each(|line| context.output.report().tell(Event::Note(&line)));
    }
    let (release, _) = context.unless_interrupted(change::release(&config, table, image)).await?;
    let target = Target::connect(&config, name, table, &context.witness).await?;
    let observed = observe(&target, Some(&release)).await?;
    let goal = Goal::Deploy { release: release.id.clone(), promote: true, canary: canary.canary.clone() };
    let planned = plan_for(&observed.world, &goal)?;
    let data = Planned {
        app: name.to_string(),
        image: release.image.to_string(),
        digest: release.digest.to_string(),
        release: release.id.to_string(),
        steps: planned.steps.iter().map(ToString::to_string).collect(),
        reload: planned.steps.contains(&Step::Install),
        diff: diff(&target, &observed.rendered).await?,
    };
    context.output.data(&data, || describe(&data));
    Ok(Exit::Done)
}

fn describe(planned: &Planned) -> String {
    let mut text = format!("{}: {} ({})\n", planned.app, planned.image, planned.digest);
    if planned.steps.is_empty() {
        text.push_str("  nothing to do\n");
    }
    for (number, step) in planned.steps.iter().enumerate() {
        text.push_str(&format!("  {}. {step}\n", number + 1));
    }
    for file in &planned.diff {
        text.push_str(&file.diff);
    }
    text
}

/// What would change in the files of nginx.
pub(super) async fn diff(target: &Target<'_>, rendered: &Rendered) -> Result<Vec<FileDiff>, Failure> {
    let installed = target.edge.nginx.installed(&target.name).await?;
    let text = |files: &[cutover_proxyconf::File], name: &str| {
        files.iter().find(|file| file.name == name).map(|file| file.text.clone()).unwrap_or_default()
    };
    let gone = installed.iter().filter(|old| rendered.files.iter().all(|new| new.name != old.name));
    let names = rendered.files.iter().chain(gone).map(|file| file.name.as_str());
    let diffs = names.filter_map(|name| {
        let (old, new) = (text(&installed, name), text(&rendered.files, name));
        let diff = TextDiff::from_lines(&old, &new);
        let diff = diff
            .unified_diff()
            .context_radius(3)
            .header(&format!("a/{name}"), &format!("b/{name}"))
            .to_string();
        (old != new).then(|| FileDiff { file: name.to_owned(), diff })
    });
    Ok(diffs.collect())
}

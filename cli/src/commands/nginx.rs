//! `cutover nginx render`, `check` and `apply`: the nginx side alone.

use cutover_proxyconf::Surface as _;
use serde::Serialize;

use super::plan::FileDiff;
use super::{Context, Ended};
use crate::apply::{Apply, Stopped};
use crate::args::Nginx;
use crate::failure::{Exit, Failure};
use crate::lock::{Holder, Lock};
use crate::observe::observe;
use crate::origin::Origin;
use crate::plan::{Ending, Plan, Step};
use crate::target::Target;

#[derive(Serialize)]
struct Rendered<'a> {
    generation: String,
    files: Vec<RenderedFile<'a>>,
}

#[derive(Serialize)]
struct RenderedFile<'a> {
    name: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Checked {
    app: String,
    nginx: String,
    generation: String,
    served: bool,
    diff: Vec<FileDiff>,
}

/// `cutover nginx …`.
pub(super) async fn nginx(context: &Context, command: &Nginx) -> Ended {
    let (Nginx::Render { app } | Nginx::Check { app } | Nginx::Apply { app, .. }) = command;
    let config = context.config()?;
    let (name, table) = config.app(app.app.as_deref())?;
    let target = Target::connect(&config, name, table, &context.witness).await?;
    let observed = observe(&target, None).await?;
    let rendered = &observed.rendered;
    match command {
        Nginx::Render { .. } => {
            let files = rendered.files.iter().map(|file| RenderedFile { name: &file.name, text: &file.text });
            let data = Rendered { generation: rendered.generation.to_string(), files: files.collect() };
            context.output.data(&data, || {
                rendered.files.iter().map(|file| format!("# {}\n{}", file.name, file.text)).collect()
            });
            Ok(Exit::Done)
        }
        Nginx::Check { .. } => {
            target.edge.nginx.surface.test().await?;
            let diff = super::plan::diff(&target, rendered).await?;
            let data = Checked {
                app: name.to_string(),
                nginx: target.nginx_version.to_string(),
                generation: rendered.generation.to_string(),
                served: observed.world.edge_current,
                diff,
            };
            context.output.data(&data, || {
                let served = if data.served { "serves it" } else { "does not serve it" };
                let diff: String = data.diff.iter().map(|file| file.diff.as_str()).collect();
                format!(
                    "nginx {} finds no fault and {served} (generation {})\n{diff}",
                    data.nginx, data.generation
                )
            });
            Ok(Exit::Done)
        }
        Nginx::Apply { .. } => {
            let origin = Origin::observe();
            let holder = Holder {
                pid: std::process::id(),
                who: origin.who(),
                command: format!("cutover nginx apply {name}"),
                since: jiff::Timestamp::now().to_string(),
            };
            let taken = Lock::take(&target.data_dir(), name, &holder, &context.witness);
            let _lock = taken.map_err(|error| Failure::from_error(Exit::Locked, &error))?;
            // Without the network its addresses might lead elsewhere.
            let plan = Plan { steps: vec![Step::Network, Step::Install], ending: Ending::Unchanged };
            let mut apply = Apply::new(&target, None, context.output.report(), context.interrupt.clone());
            apply.run(&plan).await.map_err(|(_, stopped)| match stopped {
                Stopped::Failed(failure) => failure,
                Stopped::Interrupted => {
                    Failure::new(Exit::Interrupted, "interrupted").serves("nothing was changed")
                }
            })?;
            let data = serde_json::json!({
                "app": name, "generation": rendered.generation.to_string(), "reloads": apply.reloads,
            });
            context.output.data(&data, || match apply.reloads {
                0 => format!("{name}: nginx serves it already"),
                _ => format!("{name}: nginx was reloaded and serves it"),
            });
            Ok(Exit::Done)
        }
    }
}

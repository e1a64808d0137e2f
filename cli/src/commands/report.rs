//! `cutover report`: how a run went.

use std::path::Path;

use cutover_proxyconf::AppName;

use super::{Context, Ended};
use crate::args;
use crate::config::Config;
use crate::config::app::App;
use crate::failure::{Exit, Failure};
use crate::picture;
use crate::record::{self, Record};

/// `cutover report`.
pub(super) async fn report(context: &Context, asked: &args::Report) -> Ended {
    let config = context.config()?;
    let record = find(context, &config, asked.of.as_deref()).await?;
    match (&asked.html, &asked.svg) {
        (Some(file), _) => put(context, file, &picture::html(&record))?,
        (None, Some(file)) => put(context, file, &picture::svg(&record))?,
        (None, None) => context.output.data(&record, || picture::text(&record)),
    }
    Ok(Exit::Done)
}

/// The run that is meant: the last of an app, or the last of a release.
async fn find(context: &Context, config: &Config, of: Option<&str>) -> Result<Record, Failure> {
    let apps = &config.file.apps;
    let release = of.filter(|name| apps.keys().all(|app| app.as_str() != *name));
    let asked: Vec<(&AppName, &App)> = match release {
        Some(_) => apps.iter().map(|(name, table)| (&**name, table)).collect(),
        None => vec![config.app(of)?],
    };
    let mut found = Vec::new();
    for (name, table) in asked {
        let folder = context.folder(config, name, table).await?;
        found.extend(record::read(&folder).map_err(|error| Failure::from_error(Exit::Fault, &error))?);
    }
    if let Some(release) = release {
        found.retain(|record| record.is_named(release));
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    // A backup follows most deploys, and the deploy is what is asked about; its own id names it.
    let whole = |record: &Record| record.run.command != "backup" || Some(record.id.as_str()) == of;
    let last = found.iter().rposition(whole).or(found.len().checked_sub(1));
    last.map(|last| found.swap_remove(last)).ok_or_else(|| match release {
        Some(release) => {
            Failure::new(Exit::Usage, format!("neither an app nor a kept run is named `{release}`"))
                .next("`cutover history` shows digests and ids; the last 50 runs of an app are kept")
        }
        None => Failure::new(Exit::Usage, "no run is kept yet").next("deploy, then ask again"),
    })
}

/// Writes a file, or to stdout for `-`.
fn put(context: &Context, file: &Path, text: &str) -> Result<(), Failure> {
    if file.as_os_str() == "-" {
        context.output.text(text);
        return Ok(());
    }
    std::fs::write(file, text).map_err(|error| {
        Failure::new(Exit::Fault, format!("{} cannot be written: {error}", file.display()))
            .next("name a file in a folder that this user may write to")
    })
}

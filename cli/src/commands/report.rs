//! `cutover report`: how a run went.

use std::path::{Path, PathBuf};

use super::{Context, Ended};
use crate::args;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::lock;
use crate::picture;
use crate::record::{self, Record};
use crate::target::{Target, data_dir};

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
    let named = of.filter(|name| apps.keys().any(|app| app.as_str() == *name));
    let release = of.filter(|_| named.is_none());
    let mut found: Vec<Record> = match (named, release) {
        (None, Some(release)) => {
            let mut all = Vec::new();
            for app in apps.keys() {
                all.extend(
                    record::read(&folder(context, config, app.as_str()).await?)
                        .map_err(|error| fault(&error))?,
                );
            }
            all.into_iter().filter(|record| record.is_named(release)).collect()
        }
        _ => {
            let (name, _) = config.app(named)?;
            record::read(&folder(context, config, name.as_str()).await?).map_err(|error| fault(&error))?
        }
    };
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

async fn folder(context: &Context, config: &Config, app: &str) -> Result<PathBuf, Failure> {
    let (name, table) = config.app(Some(app))?;
    let data_dir = match data_dir(config) {
        Some(folder) => folder,
        None => Target::connect(config, name, table, &context.witness).await?.data_dir(),
    };
    Ok(lock::folder(&data_dir, name))
}

fn fault(error: &record::RecordFailed) -> Failure {
    Failure::from_error(Exit::Fault, error)
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

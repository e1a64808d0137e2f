//! `cutover notify`: only the notice, for the last job of a CI run.

use cutover_notify::Status;

use super::{Context, Ended};
use crate::args::App;
use crate::failure::{Exit, Failure};
use crate::history;
use crate::lock;
use crate::notice::{self, Audience};
use crate::origin::Origin;
use crate::report::Event;
use crate::target::data_dir;

/// `cutover notify --status …`. Needs no engine: it may run on another machine than the deploy.
pub(super) async fn notify(context: &Context, app: &App, status: Status) -> Ended {
    let config = context.config()?;
    let (name, _) = config.app(app.app.as_deref())?;
    // What the history knows is told where it is at hand; another machine has none.
    let read = data_dir(&config).map(|folder| history::read(&lock::folder(&folder, name)));
    let entries = read.and_then(Result::ok).unwrap_or_default();
    let notice = notice::of_job(status, name.as_str(), entries.last(), &Origin::observe().with_git());
    let audience = Audience::read(&config, context.output.writer()).await;
    if audience.is_nobody() {
        return Err(
            Failure::new(Exit::Usage, "the file names nobody to tell").next("add a table [notify.slack]")
        );
    }
    let mut heard = audience.send(&notice).await;
    // The last is the command's own failure.
    let failure = heard.failed.pop();
    heard.amiss().for_each(|words| context.output.report().tell(Event::Warning(&words)));
    if let Some(failure) = failure {
        return Err(failure);
    }
    let told = heard.told;
    let data = serde_json::json!({
        "app": name, "status": status.as_str(), "sent": !told.is_empty(), "told": told,
    });
    // With [notify.stdout] the text stands there already.
    let written = config.file.notify.stdout.is_some();
    context.output.data(&data, || if written { String::new() } else { cutover_notify::text(&notice) });
    Ok(Exit::Done)
}

//! `cutover notify`: only the notice, for the last job of a CI run.

use cutover_notify::Status;

use super::{Context, Ended};
use crate::args::App;
use crate::failure::{Exit, Failure};
use crate::history;
use crate::lock;
use crate::notice;
use crate::origin::Origin;
use crate::target::data_dir;

/// `cutover notify --status …`. Needs no engine: it may run on another machine than the deploy.
pub(super) async fn notify(context: &Context, app: &App, status: Status) -> Ended {
    let config = context.config()?;
    let (name, _) = config.app(app.app.as_deref())?;
    // What the history knows is told where it is at hand; another machine has none.
    let read = data_dir(&config).map(|folder| history::read(&lock::folder(&folder, name)));
    let entries = read.and_then(Result::ok).unwrap_or_default();
    let notice = notice::of_job(status, name.as_str(), entries.last(), &Origin::observe().with_git());
    if !notice::send(&config, &notice).await? {
        return Err(
            Failure::new(Exit::Usage, "the file names nobody to tell").next("add a table [notify.slack]")
        );
    }
    let data = serde_json::json!({ "app": name, "status": status.as_str(), "sent": true });
    context.output.data(&data, || cutover_notify::text(&notice));
    Ok(Exit::Done)
}

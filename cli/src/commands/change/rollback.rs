//! `cutover rollback`: to the release that stands by, or to one of the history.

use cutover_registry::{Digest, ImageRef};

use super::{Held, tell};
use crate::args::{App, Probe, Wait};
use crate::commands::{Context, Ended};
use crate::failure::{Exit, Failure};
use crate::history::{self, Entry};
use crate::observe::observe;
use crate::plan::{Goal, Refusal, ReleaseId};
use crate::release::{Release, Settings, label};
use crate::run::Ran;

/// `cutover rollback`.
pub(in crate::commands) async fn rollback(
    context: &Context,
    app: &App,
    to: Option<&str>,
    asked: (&Wait, &Probe),
) -> Ended {
    let config = context.config()?;
    let held = context.unless_interrupted(Held::take(context, &config, app, asked, "rollback")).await?;
    let Some(to) = to else {
        let warm = held.go(context, "rollback", &Goal::Rollback { to: None }, None, &[]).await;
        match warm {
            // The standby holds the live release, as `backup` left it: the one before comes from the registry.
            Err(failure) if failure.exit() == Exit::Usage => {
                let ran = cold(context, &held, None).await?.ok_or(failure)?;
                return Ok(tell(context, &ran));
            }
            ran => return Ok(tell(context, &ran?)),
        }
    };
    let unknown = || {
        Failure::new(Exit::Usage, format!("the history has no release `{to}`"))
            .next("`cutover history` shows digests and ids; `cutover deploy --image REF` takes any image")
    };
    let ran = cold(context, &held, Some(to)).await?.ok_or_else(unknown)?;
    Ok(tell(context, &ran))
}

/// Goes back to a release of the history: this one, or else the last that is not live. None if there is none.
async fn cold(context: &Context, held: &Held<'_>, to: Option<&str>) -> Result<Option<Ran>, Failure> {
    let observed = observe(&held.target, None).await?;
    let live = observed.live().ok_or(Refusal::NothingLive)?;
    let live_digest = observed.label(live, label::DIGEST);
    let entries = history::read(held.lock.folder()).map_err(|e| Failure::from_error(Exit::Fault, &e))?;
    let wanted = |entry: &&Entry| match (to, entry.digest.as_deref()) {
        (Some(to), Some(digest)) => is_named(to, digest, entry.release.as_deref()),
        (None, digest) => digest.is_some() && digest == before(&entries, live_digest),
        (_, None) => false,
    };
    let found = entries.iter().rev().filter(|entry| entry.reason.is_none()).find(wanted).and_then(|entry| {
        let image: ImageRef = entry.image.as_deref()?.parse().ok()?;
        Some((image, entry.digest.as_deref()?.parse::<Digest>().ok()?))
    });
    let Some((image, digest)) = found else { return Ok(None) };
    let release = Release::new(image, digest, Settings::read(held.target.config, held.target.app).await?);
    // A slot that holds the image already is taken as it stands, whatever the settings are by now.
    let standby = observed.label(live.other(), label::DIGEST) == Some(release.digest.to_string().as_str());
    let there = observed.label(live.other(), label::RELEASE).filter(|_| standby);
    let to = there.map_or_else(|| release.id.clone(), |id| ReleaseId(id.to_owned()));
    let warm = there.is_some().then_some(()).and(observed.world.standby_slot().healthy());
    let release = if warm.is_some() { None } else { Some(&release) };
    held.go(context, "rollback", &Goal::Rollback { to: Some(to) }, release, &[]).await.map(Some)
}

/// The digest that the live one took over from, by the run that made it live.
fn before<'h>(entries: &'h [Entry], live: Option<&str>) -> Option<&'h str> {
    let made_live = |entry: &&Entry| entry.outcome == "deployed" && entry.digest.as_deref() == live;
    let previous = entries.iter().rev().filter(made_live).filter_map(|entry| entry.previous.as_deref());
    previous.into_iter().find(|previous| Some(*previous) != live)
}

fn is_named(to: &str, digest: &str, id: Option<&str>) -> bool {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    to.len() >= 6
        && (digest.starts_with(to) || hex.starts_with(to) || id.is_some_and(|id| id.starts_with(to)))
}

//! A run that holds the lock is killed.

use rustix::process::Signal;

use crate::rig::error::Result;

use super::track::{LONG, SOON, Track};

/// What a deploy tells as it goes. At each it holds the lock.
const TOLD: [&str; 6] = [
    "make sure of the network",
    "pull the image ...",
    "start release ",
    " directly ...",
    " through nginx ...",
    "switch to ",
];

pub(super) async fn killed(track: &mut Track, runs: usize) -> Result<()> {
    let images = track.releases(3).await?;
    for run in 0..runs {
        let image = &images[run % images.len()];
        let deploy = ["deploy", "--json", "--image", image];
        let mut holder = track.start(&deploy)?;
        holder.tells(TOLD[run * TOLD.len() / runs % TOLD.len()], SOON).await?;
        holder.signal(Signal::KILL)?;
        let pid = format!("process {}", holder.pid());
        let killed = holder.end(SOON).await?.status.is_none();
        let told = track.told(&["doctor", "--json"]).await;
        let left = |check: &serde_json::Value| {
            check["name"] == "leftovers.lock"
                && check["found"].as_str().is_some_and(|found| found.contains(&pid))
        };
        let named = told["checks"].as_array().is_some_and(|checks| checks.iter().any(left));
        track.hold(named || !killed, || format!("doctor does not name {pid}: {told}"));
        let next = track.start(&deploy)?.end(LONG).await?;
        track.ended_well(&next);
    }
    // A run that was killed is in no history.
    track.settled().await
}

//! Runs that change the app, against each other.

use crate::rig::deadline::until;
use crate::rig::error::Result;
use crate::rig::session::Session;

use super::track::{LONG, SOON, Track};

/// All begin at once, and none waits.
pub(super) async fn at_once(track: &mut Track, runs: usize) -> Result<()> {
    let images = track.releases(runs).await?;
    let before = track.history().await.len();
    let sessions = images
        .iter()
        .map(|image| track.start(&["deploy", "--json", "--image", image]))
        .collect::<Result<Vec<_>>>()?;
    let mut deployed = 0;
    for session in sessions {
        let ran = session.end(LONG).await?;
        let refused = ["cutover deploy", "process ", "--wait", "nothing was changed"];
        let told = refused.iter().all(|words| ran.stderr.contains(words))
            || ran.stderr.contains("it has just begun");
        deployed += usize::from(ran.status == Some(0));
        track.hold(ran.status == Some(0) || ran.status == Some(5) && told, || {
            format!("ended with {:?}: {}", ran.status, ran.stderr)
        });
    }
    let after = track.history().await.len();
    track.hold(deployed > 0 && after == before + deployed, || {
        format!("{deployed} were deployed, and the history went from {before} to {after}")
    });
    track.in_turn().await
}

/// Each comes once the one before it waits.
pub(super) async fn in_order(track: &mut Track, runs: usize) -> Result<()> {
    let images = track.releases(runs).await?;
    let before = track.history().await.len();
    let (mut sessions, mut waited): (Vec<Session>, _) = (Vec::new(), 0);
    for image in &images {
        let mut session = track.start(&["deploy", "--json", "--wait", "--image", image])?;
        waited += usize::from(comes(&mut session).await?);
        sessions.push(session);
    }
    track.hold(waited > 0, || "none had to wait".to_owned());
    for session in sessions {
        let ran = session.end(LONG).await?;
        track.ended_well(&ran);
    }
    let history = track.history().await;
    let order: Vec<&str> = history.iter().skip(before).filter_map(|entry| entry["image"].as_str()).collect();
    track.hold(order == images, || format!("they came as {images:?}, and went as {order:?}"));
    for pair in history.windows(2) {
        let (one, next) = (&pair[0], &pair[1]);
        track.hold(next["previous"] == one["digest"], || format!("{next} did not take over from {one}"));
    }
    track.in_turn().await
}

/// Waits until it has the lock, or waits in the kernel's queue for it; whether it does.
async fn comes(session: &mut Session) -> Result<bool> {
    session.tells_lines(1, SOON).await?;
    if !session.narration().iter().any(|line| line.text.contains("waiting for")) {
        return Ok(false);
    }
    let queued = format!(" {} ", session.pid());
    let in_queue = async || {
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        locks.lines().any(|line| line.contains("FLOCK") && line.contains(&queued)).then_some(())
    };
    until("the run is in the queue for the lock", SOON, in_queue).await.map(|()| true)
}

/// A deploy and a rollback begin at once, time and again.
pub(super) async fn against_rollback(track: &mut Track, runs: usize) -> Result<()> {
    let images = track.releases(3).await?;
    for round in 0..runs / 2 {
        let image = &images[round % images.len()];
        let deploy = ["deploy", "--json", "--wait", "--image", image];
        let rollback = ["rollback", "--json", "--wait"];
        let order = if round % 2 == 0 { [&deploy[..], &rollback] } else { [&rollback, &deploy[..]] };
        let sessions = [track.start(order[0])?, track.start(order[1])?];
        for session in sessions {
            let ran = session.end(LONG).await?;
            track.ended_well(&ran);
        }
    }
    track.in_turn().await
}

//! Readers, while releases go live.

use serde_json::Value;

use crate::rig::error::Result;

use super::track::{LONG, Track};

/// Reads so many times at least, half of them the status and half the history, while a release after the other goes live,
/// two at least.
pub(super) async fn read(track: &mut Track, reads: usize) -> Result<()> {
    let images = track.releases(3).await?;
    let (mut seen, mut writes, mut live, mut number) = (Vec::new(), 0, 0, 0);
    let mut writer = None;
    while number < reads || live < 2 {
        let session = match writer.take() {
            Some(session) => session,
            None => {
                writes += 1;
                track.start(&["deploy", "--json", "--image", &images[writes % images.len()]])?
            }
        };
        if number % 2 == 0 {
            let status = track.told(&["status", "--json"]).await;
            track.hold(status["live"].is_string(), || format!("nothing is said to be live: {status}"));
        } else {
            let now = track.history().await;
            track.hold(grows(&seen, &now), || format!("the history went from {seen:?} to {now:?}"));
            seen = now;
        }
        number += 1;
        writer = match session.is_running() {
            true => Some(session),
            false => {
                let ran = session.end(LONG).await?;
                track.ended_well(&ran);
                live += 1;
                None
            }
        };
    }
    if let Some(session) = writer {
        let ran = session.end(LONG).await?;
        track.ended_well(&ran);
    }
    track.in_turn().await
}

fn grows(before: &[Value], after: &[Value]) -> bool {
    after.starts_with(before)
}

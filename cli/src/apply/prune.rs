//! Removing images of releases that are too old to go back to.

use std::collections::HashSet;

use cutover_registry::ImageRef;
use cutover_runtime::Removal;

use crate::failure::Failure;
use crate::history;
use crate::lock::Lock;
use crate::target::Target;

/// Removes the images of this app that cutover pulled, but for the last `retain` releases that went well and what is in
/// use.
/// Only images that the app's history names are ever touched. Returns those removed.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn prune(target: &Target<'_>, lock: &Lock) -> Result<Vec<String>, Failure> {
    let entries =
        history::read(lock.folder()).map_err(|e| Failure::from_error(crate::failure::Exit::Fault, &e))?;
    let retain = usize::try_from(*target.app.retain).unwrap_or(usize::MAX);
    let mut kept = HashSet::new();
    for digest in
        entries.iter().rev().filter(|entry| entry.reason.is_none()).filter_map(|entry| entry.digest.as_ref())
    {
        if kept.len() < retain {
            kept.insert(digest);
        }
    }
    let (mut seen, mut removed) = (HashSet::new(), Vec::new());
    for entry in &entries {
        let (Some(image), Some(digest)) = (&entry.image, &entry.digest) else { continue };
        if kept.contains(digest) || !seen.insert(digest) {
            continue;
        }
        let (Ok(image), Ok(digest)) = (image.parse::<ImageRef>(), digest.parse()) else { continue };
        let pinned = image.with_digest(digest).to_string();
        if target.engine.remove_image(&pinned).await? == Removal::Removed {
            removed.push(pinned);
        }
    }
    Ok(removed)
}

//! Pulling an image into an OCI image layout.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use crate::download::Download;
use crate::layout::{Layout, Taken};
use crate::partial::{self, Partial};
use crate::parts::{Parts, platform_of};
use crate::transfer::Events;
use crate::writer::{Writer, Written, blocking};
use crate::{
    Descriptor, Error, ImageRef, Platform, Platforms, Progress, Registry, Resolved, Result, Transfer,
};

/// How many blobs come in at once.
const AT_ONCE: usize = 6;
/// How often progress is told, in bytes.
const STRIDE: u64 = 256 * 1024;
/// How long an image's configuration may be, in bytes, for it to be looked into.
const CONFIG_MAX: u64 = 4 * 1024 * 1024;
/// How often it is looked whether another pull is done with a blob.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What a pull came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pulled {
    /// What was pulled: the manifest of the image for the platform, or the index with all.
    pub resolved: Resolved,
    /// The layout's directory.
    pub output: PathBuf,
    /// How many bytes of configurations and layers were fetched.
    pub fetched: u64,
    /// How many bytes of configurations and layers were there already.
    pub kept: u64,
}

impl Registry {
    /// Pulls an image into the OCI image layout at `output`, which is made if it is not there: for one platform, or
    /// the whole index with [`Platforms::All`].
    ///
    /// Blobs stream to disk, several at once, are hashed on the way and get their names once they are verified and
    /// synced. Blobs that are there already are verified and kept. The image is entered into `index.json` last, under
    /// its tag and its whole name.
    ///
    /// A connection that breaks or stalls is taken up where it ended. So is a pull that was dropped or killed, or that
    /// ended because the registry could not be reached, by the next one into the same directory; what it left lies in
    /// `.partial-…` files, which the next pull that ends well removes. After any other error nothing of a blob stays that
    /// is not verified. Several pulls into one directory at once, by several processes too, do not disturb each other
    /// and fetch what they share once.
    ///
    /// # Errors
    ///
    /// As [`manifest`](Self::manifest), and [`Error::BlobMissing`], [`Error::Truncated`], [`Error::TooLarge`],
    /// [`Error::LayoutInvalid`] when `output` holds something else, [`Error::LayoutBusy`], and
    /// [`Error::PlatformMissing`] when the image is for another platform by its own configuration.
    pub fn pull(
        &self,
        image: &ImageRef,
        platforms: impl Into<Platforms>,
        output: &Path,
    ) -> Transfer<'_, Pulled> {
        let (image, platforms, output) = (image.clone(), platforms.into(), output.to_owned());
        Transfer::new(|events| async move { pull(self, &image, &platforms, output, events).await })
    }
}

async fn pull(
    registry: &Registry,
    image: &ImageRef,
    platforms: &Platforms,
    output: PathBuf,
    events: Events,
) -> Result<Pulled> {
    let mut parts = Parts::find(registry, image, platforms).await?;
    let layout = Layout::open(&output).await?;
    events.tell(Progress::Resolved {
        resolved: parts.resolved.clone(),
        layers: parts.layers,
        total: parts.size(),
    });
    let (writing, mut written) = mpsc::channel(1);
    let blobs = std::mem::take(&mut parts.blobs);
    let (image_of_parts, config) = (&parts.resolved.image, &parts.config);
    let pull = Pull { registry, image: image_of_parts, layout: &layout, config, events, writing };
    let brought = pull.bring(blobs).await;
    // After an error others may still be at work on their threads; they end now, and let go of what they hold.
    drop(pull);
    while written.recv().await.is_some() {}
    if brought.as_ref().is_err_and(|error| !may_pass(error)) {
        // What ended the pull is what is to be told.
        drop(layout.sweep().await);
    }
    let Brought { fetched, kept, platform } = brought?;

    for (digest, bytes) in &parts.documents {
        layout.store(digest, bytes).await?;
    }
    let Parts { resolved, .. } = parts;
    let entry = Descriptor {
        media_type: resolved.media_type.clone(),
        digest: resolved.digest.clone(),
        size: resolved.size,
        artifact_type: None,
        platform,
        annotations: std::collections::BTreeMap::new(),
    };
    layout.enter(image, entry).await?;
    layout.sweep().await?;
    Ok(Pulled { resolved, output, fetched, kept })
}

/// Whether the same pull may go on later from what it has.
fn may_pass(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable { .. }
            | Error::Timeout { .. }
            | Error::RateLimited { .. }
            | Error::Unavailable { .. }
            | Error::Unauthorized { .. }
            | Error::Denied { .. }
            | Error::LayoutBusy { .. }
    )
}

/// What came of a blob, or of all.
#[derive(Default)]
struct Brought {
    fetched: u64,
    kept: u64,
    /// What the image's configuration says that it is for.
    platform: Option<Platform>,
}

struct Pull<'a> {
    registry: &'a Registry,
    image: &'a ImageRef,
    layout: &'a Layout,
    config: &'a Option<(Descriptor, Platform)>,
    events: Events,
    /// Held by whoever has a file in hand.
    writing: mpsc::Sender<()>,
}

impl Pull<'_> {
    async fn bring(&self, mut blobs: Vec<Descriptor>) -> Result<Brought> {
        // The largest first, so that none is left to come alone; before them the one that may say that all is in vain.
        blobs.sort_by_key(|blob| (self.wanted(blob).is_none(), std::cmp::Reverse(blob.size)));
        let mut arrivals = stream::iter(blobs).map(|blob| self.part(blob)).buffer_unordered(AT_ONCE);
        let mut all = Brought::default();
        while let Some(one) = arrivals.try_next().await? {
            all.fetched += one.fetched;
            all.kept += one.kept;
            all.platform = all.platform.or(one.platform);
        }
        Ok(all)
    }

    /// The platform that the image must be for, if this blob is the configuration that says so.
    fn wanted(&self, blob: &Descriptor) -> Option<&Platform> {
        let (config, wanted) = self.config.as_ref()?;
        (config.digest == blob.digest).then_some(wanted)
    }

    async fn part(&self, blob: Descriptor) -> Result<Brought> {
        let mut brought = self.blob(&blob).await?;
        if let Some(wanted) = self.wanted(&blob) {
            brought.platform = self.look_into(&blob, wanted).await?;
        }
        Ok(brought)
    }

    async fn blob(&self, blob: &Descriptor) -> Result<Brought> {
        let Some(mut partial) = self.take_up(blob).await? else {
            self.events.tell(Progress::Kept { digest: blob.digest.clone(), total: blob.size });
            return Ok(Brought { kept: blob.size, ..Brought::default() });
        };
        let mut kept = partial.length();
        loop {
            match self.fetch(blob, partial).await? {
                Written::Kept => {
                    self.told(blob, blob.size);
                    return Ok(Brought { fetched: blob.size - kept, kept, platform: None });
                }
                // It may be what was there before that is wrong: the disk's, or another image's bytes.
                Written::Wrong(mut wrong, error) if kept > 0 => {
                    tracing::debug!(%error, "what was there of it is no good, beginning again");
                    kept = 0;
                    partial = blocking(&self.writing, move || wrong.begin_again().map(|()| *wrong)).await?;
                }
                Written::Wrong(mut wrong, error)
                    if self.registry.transport.mirrors.doubt(self.image, &error) =>
                {
                    partial = blocking(&self.writing, move || wrong.begin_again().map(|()| *wrong)).await?;
                }
                Written::Wrong(wrong, error) => {
                    blocking(&self.writing, || wrong.discard()).await?;
                    return Err(error);
                }
            }
        }
    }

    /// The part of the blob that is there, possibly nothing, once nobody else writes it; none when all is there.
    async fn take_up(&self, blob: &Descriptor) -> Result<Option<Partial>> {
        let patience = self.registry.transport.site(self.image.registry()).timeouts.stall * 2;
        let mut last = (0, Instant::now());
        loop {
            let (layout, wanted) = (self.layout.clone(), blob.clone());
            match blocking(&self.writing, move || layout.take_up(&wanted)).await? {
                Taken::Kept => return Ok(None),
                Taken::Ours(partial) => return Ok(Some(partial)),
                Taken::Busy(length) if length != last.0 => last = (length, Instant::now()),
                Taken::Busy(_) if last.1.elapsed() > patience => {
                    let path = partial::path_of(self.layout.root(), &blob.digest);
                    return Err(Error::LayoutBusy { path });
                }
                Taken::Busy(_) => {}
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn fetch(&self, blob: &Descriptor, partial: Partial) -> Result<Written> {
        let mut download =
            Download::new(self.registry, self.image, blob, partial.length(), self.events.clone());
        let mut told = download.position();
        self.told(blob, told);
        let mut writer = Writer::start(partial, self.writing.clone());
        while let Some(chunk) = download.chunk().await? {
            writer.write(chunk).await?;
            if download.position() - told >= STRIDE && download.position() < blob.size {
                told = download.position();
                self.told(blob, told);
            }
        }
        writer.end().await
    }

    async fn look_into(&self, config: &Descriptor, wanted: &Platform) -> Result<Option<Platform>> {
        if !config.is_image_config() || config.size > CONFIG_MAX {
            return Ok(None);
        }
        let path = self.layout.blob(&config.digest);
        let bytes = tokio::fs::read(&path).await.map_err(Error::io(path))?;
        platform_of(&bytes, self.image, wanted)
    }

    fn told(&self, blob: &Descriptor, done: u64) {
        self.events.tell(Progress::Blob { digest: blob.digest.clone(), done, total: blob.size });
    }
}

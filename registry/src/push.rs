//! Pushing images to a repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde::Serialize;

use crate::call::{Call, Fresh, Target};
use crate::manifest::OCI_INDEX;
use crate::scope::Scope;
use crate::source::{Piece, Source};
use crate::transfer::Events;
use crate::upload::{Arrival, Uploads, expect_digest};
use crate::{Descriptor, Digest, Error, ImageRef, Progress, Registry, Resolved, Result, Transfer};

/// How many manifests go up, or are asked for, at once.
const AT_ONCE: usize = 4;

/// How to push.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushOptions {
    /// Which image of the layout: its `org.opencontainers.image.ref.name`, `io.containerd.image.name` or digest. May be
    /// left out when there is only one.
    pub entry: Option<String>,
    /// Tags besides the reference's own.
    pub tags: Vec<String>,
    /// Repositories of the same registry that may have some of the blobs already: the registry is asked to take them
    /// over from there.
    pub mount_from: Vec<String>,
    /// How many blobs go up at once. 4 unless said.
    pub at_once: usize,
    /// Up to how many bytes a blob goes up in one request. Longer ones go in chunks. No limit unless said; a blob whose
    /// request broke off, or was too long for the registry, goes in chunks the next time.
    pub one_body_up_to: u64,
    /// How long a chunk is, in bytes, unless the registry wants longer ones. 4 MiB unless said, the most that GHCR takes.
    pub chunk: u64,
}

impl Default for PushOptions {
    fn default() -> Self {
        Self {
            entry: None,
            tags: Vec::new(),
            mount_from: Vec::new(),
            at_once: 4,
            one_body_up_to: u64::MAX,
            chunk: 4 * 1024 * 1024,
        }
    }
}

/// What a push came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The image or index, where it now is.
    pub resolved: Resolved,
    /// The tags that it has now got.
    pub tags: Vec<String>,
    /// How many bytes of configurations and layers were sent.
    pub sent: u64,
    /// How many bytes of configurations and layers the repository had already.
    pub kept: u64,
    /// How many bytes of configurations and layers were taken over from other repositories.
    pub mounted: u64,
}

impl Registry {
    /// Pushes an image or index of the OCI image layout at `layout` to `image`, under its tag and those of the options;
    /// a reference without a tag gets it by digest alone.
    ///
    /// Blobs go first, several at once and straight from disk; those that the repository has, or can take over from
    /// another, are not sent. Then go manifests, those of an index before it, and tags last: nobody ever finds an image
    /// that is not whole. Each blob is held against its digest on the way, and does not arrive in full if it is rotten.
    ///
    /// # Errors
    ///
    /// [`Error::LayoutInvalid`] when the layout is none, lacks something or is rotten, [`Error::EntryUnclear`],
    /// [`Error::DigestMismatch`] when the reference has a digest that the image does not have, or the registry calls
    /// it by another, [`Error::BodyTooLarge`], and what else can happen on the way. What was sent until then is in
    /// the registry, but no tag of it.
    pub fn push(&self, layout: &Path, image: &ImageRef, options: &PushOptions) -> Transfer<'_, Pushed> {
        let (layout, image, options) = (layout.to_owned(), image.clone(), options.clone());
        Transfer::new(|events| async move { self.push_all(layout, &image, &options, &events).await })
    }

    /// Composes an index of images that are in the repository already, and puts it under the reference's tag: what a
    /// build for several platforms ends with.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for an entry that the repository does not have, [`Error::DigestMismatch`], and what else can
    /// happen on the way.
    pub async fn push_index(
        &self,
        image: &ImageRef,
        entries: &[Descriptor],
        annotations: &BTreeMap<String, String>,
    ) -> Result<Resolved> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Index<'a> {
            schema_version: u64,
            media_type: &'a str,
            manifests: &'a [Descriptor],
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            annotations: &'a BTreeMap<String, String>,
        }
        let entered: Vec<_> = entries.iter().map(|entry| image.with_digest(entry.digest.clone())).collect();
        let looks = entered.iter().map(|entry| self.expect_manifest(entry)).collect::<Vec<_>>();
        stream::iter(looks).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let index = Index { schema_version: 2, media_type: OCI_INDEX, manifests: entries, annotations };
        let bytes = serde_json::to_vec(&index)
            .map_err(|error| Error::protocol(image.registry(), format!("the index: {error}")))?;
        let descriptor = Descriptor::new(OCI_INDEX, Digest::of(&bytes), bytes.len() as u64);
        expect_own(image, &descriptor.digest)?;
        let piece = Piece { descriptor, bytes };
        self.put(image, &image.manifest_name(), &piece).await?;
        Ok(resolved(image, &piece))
    }

    /// Puts the same manifest or index under another tag of the repository.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve), and [`Error::Reference`] when `tag` is no tag.
    pub async fn tag(&self, image: &ImageRef, tag: &str) -> Result<Resolved> {
        let tagged = image.with_tag(tag)?;
        // Never by a mirror, which may be behind.
        let fetched = self.fetch_from(image, false).await?;
        let Resolved { digest, media_type, size, .. } = fetched.resolved;
        let piece = Piece { descriptor: Descriptor::new(media_type, digest, size), bytes: fetched.bytes };
        self.put(&tagged, tag, &piece).await?;
        Ok(resolved(image, &piece))
    }

    async fn push_all(
        &self,
        layout: PathBuf,
        image: &ImageRef,
        options: &PushOptions,
        events: &Events,
    ) -> Result<Pushed> {
        let tags = tags(image, options)?;
        let mounts = mounts(image, options)?;
        let (root, entry) = (layout.clone(), options.entry.clone());
        let read = tokio::task::spawn_blocking(move || Source::read(&root, entry.as_deref())).await;
        let source = read.map_err(|error| Error::io(layout)(std::io::Error::other(error)))??;
        let Some(root) = source.levels.last().and_then(|level| level.first()) else {
            return Err(Error::protocol(image.registry(), "there is nothing to push"));
        };
        expect_own(image, &root.descriptor.digest)?;
        let resolved = resolved(image, root);
        let total = source.blobs.iter().map(|blob| blob.size).sum();
        events.tell(Progress::Resolved { resolved: resolved.clone(), layers: source.layers, total });

        let (transport, source) = (&*self.transport, &source);
        let uploads =
            Uploads { transport, image, source, options, mounts: &mounts, refused: Mutex::default(), events };
        let mut pushed = Pushed { resolved, tags: Vec::new(), sent: 0, kept: 0, mounted: 0 };
        let uploads = source.blobs.iter().map(|blob| uploads.blob(blob)).collect::<Vec<_>>();
        let mut arrivals = stream::iter(uploads).buffer_unordered(options.at_once.max(1));
        while let Some((arrival, size)) = arrivals.try_next().await? {
            match arrival {
                Arrival::Sent => pushed.sent += size,
                Arrival::Kept => pushed.kept += size,
                Arrival::Mounted => pushed.mounted += size,
            }
        }
        drop(arrivals);

        let below = source.levels.len() - 1;
        for level in &source.levels[..below] {
            let puts = level.iter().map(|piece| self.put_by_digest(image, piece)).collect::<Vec<_>>();
            stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        }
        if tags.is_empty() {
            self.put_by_digest(image, root).await?;
        }
        for tag in tags {
            self.put(image, &tag, root).await?;
            pushed.tags.push(tag);
        }
        Ok(pushed)
    }

    async fn put_by_digest(&self, image: &ImageRef, piece: &Piece) -> Result<()> {
        self.put(image, &piece.descriptor.digest.to_string(), piece).await
    }

    /// Puts a manifest under a tag or its digest.
    async fn put(&self, image: &ImageRef, name: &str, piece: &Piece) -> Result<()> {
        let path = Target::Path(format!("manifests/{name}"));
        let fresh: Fresh<'_> = Box::new(|| piece.bytes.clone().into());
        let Descriptor { media_type, digest, size, .. } = &piece.descriptor;
        let call = Call::new(image, Method::PUT, path, Scope::push(image)).body(media_type, *size, fresh);
        expect_digest(image.registry(), &self.transport.send(&call).await?, digest)
    }

    async fn expect_manifest(&self, image: &ImageRef) -> Result<()> {
        let path = Target::Path(format!("manifests/{}", image.manifest_name()));
        let call = Call::new(image, Method::HEAD, path, Scope::push(image));
        self.transport.send(&call.header(reqwest::header::ACCEPT, crate::registry::MANIFESTS)).await?;
        Ok(())
    }
}

fn resolved(image: &ImageRef, piece: &Piece) -> Resolved {
    let Descriptor { media_type, digest, .. } = &piece.descriptor;
    Resolved {
        image: image.with_digest(digest.clone()),
        digest: digest.clone(),
        media_type: media_type.clone(),
        size: piece.bytes.len() as u64,
    }
}

/// A digest in the reference must be the image's own.
fn expect_own(image: &ImageRef, own: &Digest) -> Result<()> {
    image.digest().map_or(Ok(()), |wanted| wanted.expect(own.clone()))
}

/// The reference's tag and those of the options, each once.
fn tags(image: &ImageRef, options: &PushOptions) -> Result<Vec<String>> {
    let mut tags: Vec<String> = image.tag().map(str::to_owned).into_iter().collect();
    for tag in &options.tags {
        image.with_tag(tag)?;
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    Ok(tags)
}

/// The repositories to mount from, as the registry calls them.
fn mounts(image: &ImageRef, options: &PushOptions) -> Result<Vec<String>> {
    let mut mounts = Vec::new();
    for repository in &options.mount_from {
        let named: ImageRef = format!("{}/{repository}", image.registry()).parse()?;
        if named.repository() != image.repository() {
            mounts.push(named.repository().to_owned());
        }
    }
    Ok(mounts)
}

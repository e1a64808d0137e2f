//! An OCI image layout on disk (`image-layout.md` of the OCI image specification).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::{Algorithm, Hasher};
use crate::manifest::OCI_INDEX;
use crate::partial::{self, Partial};
use crate::{Descriptor, Digest, Error, ImageRef, Result};

const MARKER: &str = "oci-layout";
const MARKER_TEXT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = "index.json";
const BLOBS: &str = "blobs";
/// What the names of the layout's own files begin with until they are whole.
const NEW: &str = ".new-";
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Where containerd, and so `docker load`, looks for the whole name.
const IMAGE_NAME: &str = "io.containerd.image.name";

/// A layout directory that is there and is one.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Opens the layout, or makes one where nothing is yet.
    pub(crate) async fn open(root: &Path) -> Result<Self> {
        let layout = Self { root: root.to_owned() };
        let opened = layout.clone();
        blocking(&layout.root, move || opened.ensure()).await?;
        Ok(layout)
    }

    /// Writes a small blob that is in memory.
    pub(crate) async fn store(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        let (layout, bytes) = (self.clone(), bytes.to_owned());
        let blob = Descriptor {
            artifact_type: None,
            media_type: String::new(),
            digest: digest.clone(),
            size: bytes.len() as u64,
            platform: None,
            annotations: BTreeMap::new(),
        };
        blocking(&self.root, move || match layout.take_up(&blob)? {
            Taken::Ours(mut partial) => {
                partial.begin_again()?;
                partial.append(&bytes)?;
                partial.keep()
            }
            Taken::Kept => Ok(()),
            // Who has it writes these very bytes, and they are few.
            Taken::Busy(_) => replace(&layout.root, &layout.blob(&blob.digest), &bytes),
        })
        .await
    }

    /// Removes what interrupted pulls have left behind and nobody is writing.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let root = self.root.clone();
        blocking(&self.root, move || partial::sweep(&root)).await
    }

    /// Enters the image into `index.json`, in the place of the one that had its name.
    pub(crate) async fn enter(&self, image: &ImageRef, entry: Descriptor) -> Result<()> {
        let (layout, image) = (self.clone(), image.clone());
        blocking(&self.root, move || layout.enter_locked(&image, entry)).await
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the blob lies.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.root.join(BLOBS).join(digest.algorithm().as_str()).join(digest.hex())
    }

    fn ensure(&self) -> Result<()> {
        std::fs::create_dir_all(&self.root).map_err(Error::io(&self.root))?;
        let marker = self.root.join(MARKER);
        match std::fs::read(&marker) {
            Ok(bytes) => {
                let version: Option<Marker> = serde_json::from_slice(&bytes).ok();
                if version.is_some_and(|marker| marker.image_layout_version.starts_with("1.")) {
                    return Ok(());
                }
                Err(Error::LayoutInvalid {
                    path: marker,
                    detail: "not an image layout of version 1".to_owned(),
                })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.refuse_foreign()?;
                replace(&self.root, &marker, MARKER_TEXT.as_bytes())
            }
            Err(error) => Err(Error::io(marker)(error)),
        }
    }

    /// A directory without the marker may be a layout that another pull is just making, and must hold nothing else.
    fn refuse_foreign(&self) -> Result<()> {
        for entry in std::fs::read_dir(&self.root).map_err(Error::io(&self.root))? {
            let name = entry.map_err(Error::io(&self.root))?.file_name();
            let name = name.to_string_lossy();
            if ![MARKER, INDEX, BLOBS].contains(&&*name)
                && ![partial::PREFIX, NEW].iter().any(|prefix| name.starts_with(prefix))
            {
                let detail = format!("holds {name:?}, but is not an OCI image layout");
                return Err(Error::LayoutInvalid { path: self.root.clone(), detail });
            }
        }
        Ok(())
    }

    fn enter_locked(&self, image: &ImageRef, entry: Descriptor) -> Result<()> {
        // Two pulls into one layout must not lose each other's entry.
        let marker = self.root.join(MARKER);
        let lock = File::open(&marker).map_err(Error::io(&marker))?;
        lock.lock().map_err(Error::io(&marker))?;

        let path = self.root.join(INDEX);
        let there = match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io(path)(error)),
        };
        let text = entered(there.as_deref(), image, entry)
            .map_err(|error| Error::LayoutInvalid { path: path.clone(), detail: error.to_string() })?;
        let blobs = self.root.join(BLOBS);
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let directory = blobs.join(algorithm.as_str());
            if directory.is_dir() {
                sync_directory(&directory)?;
            }
        }
        sync_directory(&blobs)?;
        replace(&self.root, &path, &text)?;
        sync_directory(&self.root)
    }

    /// Looks for a blob, and takes up writing it where it is lacking. One that is not what it should be, such as a torn
    /// one, counts as lacking. Blocks.
    pub(crate) fn take_up(&self, blob: &Descriptor) -> Result<Taken> {
        let path = self.blob(&blob.digest);
        if holds(&path, &blob.digest)? {
            return Ok(Taken::Kept);
        }
        let Some(partial) = Partial::claim(&self.root, &path, blob)? else {
            return Ok(Taken::Busy(partial::length_at(&self.root, &blob.digest)));
        };
        // Who held it until now may have finished it.
        if partial.length() == 0 && holds(&path, &blob.digest)? {
            partial.discard()?;
            return Ok(Taken::Kept);
        }
        Ok(Taken::Ours(partial))
    }
}

fn holds(path: &Path, digest: &Digest) -> Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let mut hasher = Hasher::new(digest.algorithm());
    partial::hash(&mut file, &mut hasher).map_err(Error::io(path))?;
    Ok(hasher.finish() == *digest)
}

/// What there is of a blob.
pub(crate) enum Taken {
    /// All of it, verified.
    Kept,
    /// Some of it or nothing, and it is ours to write.
    Ours(Partial),
    /// So many bytes, and another pull is writing.
    Busy(u64),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

/// `index.json`; what is not ours in it is kept as it is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u64,
    #[serde(default)]
    media_type: Option<String>,
    manifests: Vec<Value>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            schema_version: 2,
            media_type: Some(OCI_INDEX.to_owned()),
            manifests: Vec::new(),
            rest: BTreeMap::new(),
        }
    }
}

/// An `index.json` with the image in it, in the place of the one that had its name.
pub(crate) fn entered(
    there: Option<&[u8]>,
    image: &ImageRef,
    mut entry: Descriptor,
) -> serde_json::Result<Vec<u8>> {
    let name = image.canonical();
    let short = image.tag().map_or_else(|| entry.digest.to_string(), str::to_owned);
    entry.annotations = BTreeMap::from([(REF_NAME.to_owned(), short), (IMAGE_NAME.to_owned(), name.clone())]);
    let mut index: Index = there.map(serde_json::from_slice).transpose()?.unwrap_or_default();
    index.manifests.retain(|other| other["annotations"][IMAGE_NAME] != name.as_str());
    index.manifests.push(serde_json::to_value(entry)?);
    serde_json::to_vec_pretty(&index)
}

/// Gives a file these bytes, all at once and for good. Callers see to it that they are the only ones, or write the same.
fn replace(root: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = root.join(format!("{NEW}{name}"));
    let mut file =
        File::options().write(true).create(true).truncate(false).open(&new).map_err(Error::io(&new))?;
    file.write_all(bytes)
        .and_then(|()| file.set_len(bytes.len() as u64))
        .and_then(|()| file.sync_all())
        .map_err(Error::io(&new))?;
    match std::fs::rename(&new, path) {
        // Another one that wrote the same was first.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.exists() => Ok(()),
        renamed => renamed.map_err(Error::io(path)),
    }
}

/// Makes names last through a power cut; what they name was made to before it got its name.
#[cfg(unix)]
fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(Error::io(path))
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> Result<()> {
    Ok(())
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::io(path)(std::io::Error::other(error)))?
}

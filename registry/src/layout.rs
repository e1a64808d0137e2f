//! An OCI image layout on disk (`image-layout.md` of the OCI image specification).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempPath;
use tokio::io::AsyncWriteExt;

use crate::digest::Hasher;
use crate::manifest::OCI_INDEX;
use crate::{Descriptor, Digest, Error, ImageRef, Result};

const MARKER: &str = "oci-layout";
const MARKER_TEXT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = "index.json";
const BLOBS: &str = "blobs";
/// What the names of files begin with that are not whole yet.
const PARTIAL: &str = ".partial-";
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

    /// Whether the blob is there and is what it should be. One that is not, such as a torn one, counts as lacking.
    pub(crate) async fn holds(&self, blob: &Descriptor) -> Result<bool> {
        let (path, blob) = (self.blob(&blob.digest), blob.clone());
        blocking(&self.root, move || match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io(path)(error)),
            Ok(file) => Ok(hash(file, &blob.digest).map_err(Error::io(path))? == blob.digest),
        })
        .await
    }

    /// Begins to write a blob.
    pub(crate) async fn write(&self, digest: &Digest) -> Result<Incoming> {
        let root = self.root.clone();
        let (file, temp) = blocking(&self.root, move || Ok(temporary(&root)?.into_parts())).await?;
        Ok(Incoming {
            file: tokio::fs::File::from_std(file),
            temp,
            target: self.blob(digest),
            hasher: Hasher::new(digest.algorithm()),
            digest: digest.clone(),
        })
    }

    /// Enters the image into `index.json`, in the place of the one that had its name.
    pub(crate) async fn enter(&self, image: &ImageRef, entry: Descriptor) -> Result<()> {
        let (layout, image) = (self.clone(), image.clone());
        blocking(&self.root, move || layout.enter_locked(&image, entry)).await
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
            if ![MARKER, INDEX, BLOBS].contains(&&*name) && !name.starts_with(PARTIAL) {
                let detail = format!("holds {name:?}, but is not an OCI image layout");
                return Err(Error::LayoutInvalid { path: self.root.clone(), detail });
            }
        }
        Ok(())
    }

    fn enter_locked(&self, image: &ImageRef, mut entry: Descriptor) -> Result<()> {
        // Two pulls into one layout must not lose each other's entry.
        let marker = self.root.join(MARKER);
        let lock = File::open(&marker).map_err(Error::io(&marker))?;
        lock.lock().map_err(Error::io(&marker))?;

        let name = image.canonical();
        let short = image.tag().map_or_else(|| entry.digest.to_string(), str::to_owned);
        entry.annotations =
            BTreeMap::from([(REF_NAME.to_owned(), short), (IMAGE_NAME.to_owned(), name.clone())]);
        let path = self.root.join(INDEX);
        let invalid =
            |error: serde_json::Error| Error::LayoutInvalid { path: path.clone(), detail: error.to_string() };
        let mut index: Index = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(invalid)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Index::default(),
            Err(error) => return Err(Error::io(path)(error)),
        };
        index.manifests.retain(|other| other["annotations"][IMAGE_NAME] != name.as_str());
        index.manifests.push(serde_json::to_value(entry).map_err(invalid)?);
        let text = serde_json::to_vec_pretty(&index).map_err(invalid)?;
        replace(&self.root, &path, &text)
    }
}

/// A blob on its way in. Dropped before [`keep`](Self::keep), it leaves nothing behind.
pub(crate) struct Incoming {
    file: tokio::fs::File,
    temp: TempPath,
    target: PathBuf,
    hasher: Hasher,
    digest: Digest,
}

impl Incoming {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes).await.map_err(Error::io(&*self.temp))
    }

    /// Checks the digest and gives the blob its name.
    pub(crate) async fn keep(mut self) -> Result<()> {
        self.digest.expect(self.hasher.finish())?;
        self.file.flush().await.map_err(Error::io(&*self.temp))?;
        let (temp, target) = (self.temp, self.target);
        blocking(&target.clone(), move || persist(temp, &target)).await
    }
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

fn hash(mut file: File, like: &Digest) -> std::io::Result<Digest> {
    let mut hasher = Hasher::new(like.algorithm());
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

fn replace(root: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = temporary(root)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(Error::io(path))?;
    persist(file.into_temp_path(), path)
}

fn persist(temp: TempPath, target: &Path) -> Result<()> {
    let directory = target.parent().unwrap_or(target);
    std::fs::create_dir_all(directory).map_err(Error::io(directory))?;
    temp.persist(target).map_err(|error| Error::io(target)(error.error))
}

fn temporary(root: &Path) -> Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    #[cfg(unix)]
    // As any file is made; a temporary one would be its maker's alone.
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder.tempfile_in(root).map_err(Error::io(root))
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::io(path)(std::io::Error::other(error)))?
}

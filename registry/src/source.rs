//! An OCI image layout as what is pushed comes from (`image-layout.md` of the OCI image specification).

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::digest::Hasher;
use crate::manifest::{self, Document};
use crate::registry::MANIFEST_MAX;
use crate::{Descriptor, Digest, Error, Result};

/// How many manifests may lie within each other.
const DEPTH_MAX: usize = 4;
const MANIFESTS_MAX: usize = 1000;
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const IMAGE_NAME: &str = "io.containerd.image.name";

/// One entry of a layout with all that it is made of, checked but for the blobs' content.
#[derive(Debug)]
pub(crate) struct Source {
    root: PathBuf,
    /// By depth, the deepest first; the entry itself is the last.
    pub(crate) levels: Vec<Vec<Piece>>,
    /// Configurations and layers, each once.
    pub(crate) blobs: Vec<Descriptor>,
    /// How many of them are layers.
    pub(crate) layers: usize,
}

/// A manifest or an index.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) descriptor: Descriptor,
    pub(crate) bytes: Vec<u8>,
}

impl Source {
    /// Reads the entry that has the name, or the only one. Reads files: not for async threads.
    pub(crate) fn read(root: &Path, wanted: Option<&str>) -> Result<Self> {
        check_marker(root)?;
        let entry = choose(root, wanted)?;
        let mut source = Self { root: root.to_owned(), levels: Vec::new(), blobs: Vec::new(), layers: 0 };
        let mut seen = HashSet::from([entry.digest.clone()]);
        let mut blobs = HashSet::new();
        let mut level = vec![entry];
        while !level.is_empty() {
            if source.levels.len() == DEPTH_MAX || seen.len() > MANIFESTS_MAX {
                let detail = format!(
                    "its index is nested deeper than {DEPTH_MAX} or has more than {MANIFESTS_MAX} entries"
                );
                return Err(invalid(root, detail));
            }
            let mut pieces = Vec::new();
            let mut next = Vec::new();
            for descriptor in level {
                let bytes = source.manifest(&descriptor)?;
                let path = source.path(&descriptor.digest);
                let (media_type, document) = manifest::read(&bytes, &descriptor.media_type)
                    .map_err(|detail| invalid(&path, detail))?;
                match document {
                    Document::Index(entries) => {
                        next.extend(entries.into_iter().filter(|entry| seen.insert(entry.digest.clone())));
                    }
                    Document::Image(manifest) => {
                        let layers = manifest.layers.into_iter().map(|layer| (layer, true));
                        for (blob, is_layer) in std::iter::once((manifest.config, false)).chain(layers) {
                            if blobs.insert(blob.digest.clone()) && source.has(&blob)? {
                                source.layers += usize::from(is_layer);
                                source.blobs.push(blob);
                            }
                        }
                    }
                }
                pieces.push(Piece { descriptor: Descriptor { media_type, ..descriptor }, bytes });
            }
            source.levels.insert(0, pieces);
            level = next;
        }
        Ok(source)
    }

    /// Where the blob lies.
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().as_str()).join(digest.hex())
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let path = self.path(&descriptor.digest);
        let bytes = read_bounded(&path)?;
        let mut hasher = Hasher::new(descriptor.digest.algorithm());
        hasher.update(&bytes);
        rotten(&path, &descriptor.digest, &hasher.finish())?;
        Ok(bytes)
    }

    /// Whether the blob is there, in its full length. Only what by its kind may lie elsewhere may lack.
    fn has(&self, blob: &Descriptor) -> Result<bool> {
        let path = self.path(&blob.digest);
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.len() == blob.size => Ok(true),
            Ok(metadata) => {
                Err(invalid(&path, format!("has {} bytes instead of {}", metadata.len(), blob.size)))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let elsewhere = ["foreign", "nondistributable"];
                if elsewhere.iter().any(|kind| blob.media_type.contains(kind)) {
                    return Ok(false);
                }
                Err(invalid(&path, "is not there, and its image needs it".to_owned()))
            }
            Err(error) => Err(Error::io(path)(error)),
        }
    }
}

/// Checks a blob's content. Reads the file: not for async threads.
pub(crate) fn verify(path: &Path, blob: &Descriptor) -> Result<()> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut hasher = Hasher::new(blob.digest.algorithm());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer).map_err(Error::io(path))? {
            0 => return rotten(path, &blob.digest, &hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// Whether the content that should have the one digest and has the other is rotten.
pub(crate) fn rotten(path: &Path, expected: &Digest, actual: &Digest) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(invalid(path, format!("its content has the digest {actual}")))
}

fn check_marker(root: &Path) -> Result<()> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Marker {
        image_layout_version: String,
    }
    let path = root.join("oci-layout");
    let bytes = match read_bounded(&path) {
        Err(Error::LayoutInvalid { .. }) => {
            return Err(invalid(root, "is not an OCI image layout: it has no oci-layout".to_owned()));
        }
        other => other?,
    };
    match serde_json::from_slice::<Marker>(&bytes) {
        Ok(marker) if marker.image_layout_version.starts_with("1.") => Ok(()),
        _ => Err(invalid(&path, "not an image layout of version 1".to_owned())),
    }
}

fn choose(root: &Path, wanted: Option<&str>) -> Result<Descriptor> {
    entry_of(&read_bounded(&root.join("index.json"))?, root, wanted)
}

/// The entry of an `index.json` that has the name, or the only one.
pub(crate) fn entry_of(index: &[u8], root: &Path, wanted: Option<&str>) -> Result<Descriptor> {
    #[derive(Deserialize)]
    struct Index {
        manifests: Vec<Descriptor>,
    }
    let index: Index = serde_json::from_slice(index)
        .map_err(|error| invalid(&root.join("index.json"), error.to_string()))?;
    let mut fitting: Vec<_> = index
        .manifests
        .iter()
        .filter(|entry| wanted.is_none_or(|wanted| names(entry).any(|name| name == wanted)))
        .collect();
    // One image may be entered under several names.
    fitting.dedup_by(|one, other| one.digest == other.digest);
    match fitting[..] {
        [entry] => Ok(entry.clone()),
        _ => Err(Error::EntryUnclear {
            path: root.to_owned(),
            wanted: wanted.map(str::to_owned),
            entries: index.manifests.iter().filter_map(|entry| names(entry).next()).collect(),
        }),
    }
}

/// The names of an entry, the one people know first, its digest last.
fn names(entry: &Descriptor) -> impl Iterator<Item = String> {
    let named = [IMAGE_NAME, REF_NAME].into_iter().filter_map(|key| entry.annotations.get(key).cloned());
    named.chain(std::iter::once(entry.digest.to_string()))
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(invalid(path, "is not there".to_owned()));
        }
        opened => opened.map_err(Error::io(path))?,
    };
    let mut bytes = Vec::new();
    file.take(MANIFEST_MAX + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    if bytes.len() as u64 > MANIFEST_MAX {
        return Err(Error::TooLarge { what: path.display().to_string(), limit: MANIFEST_MAX });
    }
    Ok(bytes)
}

fn invalid(path: &Path, detail: String) -> Error {
    Error::LayoutInvalid { path: path.to_owned(), detail }
}

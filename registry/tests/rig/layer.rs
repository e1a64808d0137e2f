//! Layers as builders write them: tars, compressed in frames that any reader takes.

use cutover_registry::Digest;

use super::image::noise;

/// A layer with the digest of what is in it.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) diff_id: Digest,
}

impl Layer {
    /// A file of so many bytes, in gzip.
    pub(crate) fn gzip(length: usize) -> Self {
        let tar = tar(length);
        Self {
            media_type: "application/vnd.oci.image.layer.v1.tar+gzip",
            bytes: gzip(&tar),
            diff_id: Digest::of(&tar),
        }
    }

    /// A file of so many bytes, in zstd.
    pub(crate) fn zstd(length: usize) -> Self {
        let tar = tar(length);
        Self {
            media_type: "application/vnd.oci.image.layer.v1.tar+zstd",
            bytes: zstd(&tar),
            diff_id: Digest::of(&tar),
        }
    }
}

fn tar(length: usize) -> Vec<u8> {
    let content = noise(length);
    let mut header = tar::Header::new_ustar();
    header.set_size(length as u64);
    header.set_mode(0o644);
    let name = format!("file-{}", Digest::of(&content).short());
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, name, &content[..]).unwrap();
    builder.into_inner().unwrap()
}

/// RFC 1952, with stored blocks of RFC 1951.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut pieces = bytes.chunks(0xffff).peekable();
    while let Some(piece) = pieces.next() {
        let length = u16::try_from(piece.len()).unwrap();
        out.push(u8::from(pieces.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(piece);
    }
    out.extend_from_slice(&crc32(bytes).to_le_bytes());
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256)
        .map(|byte| (0..8).fold(byte, |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())))
        .collect();
    !bytes.iter().fold(!0, |crc, byte| (crc >> 8) ^ table[usize::from((crc as u8) ^ byte)])
}

/// RFC 8878, with raw blocks.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    // The frame header: nothing special, and a window of 1 MiB.
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3];
    let mut pieces = bytes.chunks(128 * 1024).peekable();
    while let Some(piece) = pieces.next() {
        let length = u32::try_from(piece.len()).unwrap();
        let block = length << 3 | u32::from(pieces.peek().is_none());
        out.extend_from_slice(&block.to_le_bytes()[..3]);
        out.extend_from_slice(piece);
    }
    out
}

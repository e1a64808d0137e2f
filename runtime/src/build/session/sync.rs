//! Sending files to BuildKit: all are described, and those are sent that it asks for.
//!
//! The protocol is that of <https://github.com/tonistiigi/fsutil>: our answer describes each entry in order, entries
//! counted from 0, then an empty description; the requests ask for files by that count; each is sent in parts, an empty part at its end.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use bytes::Bytes;
use futures_util::stream::poll_fn;
use hyper::Response;
use hyper::body::Incoming;
use tokio::sync::mpsc::{Sender, UnboundedSender, channel};
use tokio::task::spawn_blocking;

use super::grpc::{self, Body, Failure, Messages, framed};
use super::message::{Packet, PacketKind, Stat};
use crate::build::Sent;
use crate::build::context::{Context, Entry, IGNORE, Kind, Steady, Stop, Visitor};

/// The bytes of a file that are sent at once.
const PART: usize = 64 << 10;
/// The messages that may wait to be sent.
const WAITING: usize = 16;

/// Which files are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Those of the context that these paths name; none name all.
    Context(Vec<String>),
    Dockerfile,
    Nothing,
}

impl Source {
    /// What is asked for, by the folder's name and the paths in it; `None` when there is no such folder.
    pub(super) fn asked(folder: &[u8], paths: Vec<String>) -> Option<Self> {
        match folder {
            // Its patterns are applied here: with them, the builder would apply its own, older rules once more.
            b"context" if paths == [IGNORE] => Some(Self::Nothing),
            b"context" => Some(Self::Context(paths)),
            b"dockerfile" => Some(Self::Dockerfile),
            _ => None,
        }
    }
}

/// What is sent, and who is told of it.
#[derive(Clone)]
pub(super) struct Outlet {
    pub(super) context: Arc<Context>,
    pub(super) told: UnboundedSender<Sent>,
}

type Sink = Sender<Result<Bytes, Failure>>;
/// The files that were described, by their count.
type Described = Arc<Mutex<HashMap<u32, (PathBuf, Metadata)>>>;

impl Outlet {
    /// Answers a `DiffCopy`.
    pub(super) fn send(self, source: Source, requests: Incoming) -> Response<Body> {
        let (sink, mut answers) = channel(WAITING);
        let described = Described::default();
        let (asked, asking) = mpsc::channel();
        let sending = Sending { outlet: self.clone(), described: Arc::clone(&described), sink: sink.clone() };
        let counts = matches!(source, Source::Context(_));
        spawn_blocking(move || sending.files(counts, &asking));
        tokio::spawn(listen(Messages::new(requests), asked, sink.clone()));
        let describing = Describing { outlet: self, described, sink, count: 0 };
        spawn_blocking(move || describing.all(&source));
        grpc::many(poll_fn(move |cx| answers.poll_recv(cx)))
    }

    /// Ends the answer with the error, which the build is told of by the way.
    fn fail(&self, stop: Stop, sink: &Sink) {
        let Stop::Fault(error) = stop else { return };
        let failure = Failure::unknown(error.to_string());
        drop(self.told.send(Sent::Failed(error)));
        drop(sink.blocking_send(Err(failure)));
    }
}

/// Hands on which files are asked for, until all are there.
async fn listen(mut requests: Messages, asked: mpsc::Sender<u32>, sink: Sink) {
    while let Ok(Some(packet)) = requests.next::<Packet>().await {
        match packet.kind() {
            PacketKind::Request => drop(asked.send(packet.id)),
            PacketKind::Finish => {
                let finish = Packet { kind: PacketKind::Finish.into(), ..Packet::default() };
                drop(sink.send(Ok(framed(&finish))).await);
                return;
            }
            PacketKind::Stat | PacketKind::Data => {}
            PacketKind::Error => return,
        }
    }
}

struct Describing {
    outlet: Outlet,
    described: Described,
    sink: Sink,
    count: u32,
}

impl Describing {
    fn all(mut self, source: &Source) {
        let context = Arc::clone(&self.outlet.context);
        let walked = match source {
            Source::Context(only) => context.walk(only, &mut self),
            Source::Nothing => Ok(()),
            Source::Dockerfile => {
                context.dockerfile_entry().map_err(Stop::from).and_then(|entry| self.entry(entry))
            }
        };
        let walked =
            walked.and_then(|()| self.tell(&Packet { kind: PacketKind::Stat.into(), ..Packet::default() }));
        match walked {
            Ok(()) if matches!(source, Source::Context(_)) => {
                drop(self.outlet.told.send(Sent::Described(self.count.into())));
            }
            Ok(()) => {}
            Err(stop) => self.outlet.fail(stop, &self.sink),
        }
    }

    fn tell(&self, packet: &Packet) -> Result<(), Stop> {
        self.sink.blocking_send(Ok(framed(packet))).map_err(|_| Stop::HungUp)
    }
}

impl Visitor for Describing {
    fn entry(&mut self, entry: Entry) -> Result<(), Stop> {
        let stat = stat(&entry);
        if matches!(entry.kind, Kind::File { .. }) {
            let mut described = self.described.lock().unwrap_or_else(PoisonError::into_inner);
            described.insert(self.count, (entry.path, entry.metadata));
        }
        self.count += 1;
        self.tell(&Packet { kind: PacketKind::Stat.into(), stat: Some(stat), ..Packet::default() })
    }

    fn skipped(&mut self, path: PathBuf, what: &'static str) {
        drop(self.outlet.told.send(Sent::Skipped { path, what }));
    }
}

struct Sending {
    outlet: Outlet,
    described: Described,
    sink: Sink,
}

impl Sending {
    fn files(&self, counts: bool, asking: &mpsc::Receiver<u32>) {
        let mut bytes = 0;
        while let Ok(id) = asking.recv() {
            let file = self.described.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            let Some((path, metadata)) = file else { continue };
            match self.file(id, &path, &metadata) {
                Ok(sent) => bytes += sent,
                Err(stop) => return self.outlet.fail(stop, &self.sink),
            }
        }
        if counts {
            drop(self.outlet.told.send(Sent::Bytes(bytes)));
        }
    }

    fn file(&self, id: u32, path: &std::path::Path, metadata: &Metadata) -> Result<u64, Stop> {
        let mut file = Steady::open(path, metadata)?;
        let mut buffer = vec![0; PART];
        let mut sent = 0;
        loop {
            let read = file.next(&mut buffer)?;
            let data =
                Packet { kind: PacketKind::Data.into(), id, data: buffer[..read].to_vec(), stat: None };
            self.sink.blocking_send(Ok(framed(&data))).map_err(|_| Stop::HungUp)?;
            sent += read as u64;
            if read == 0 {
                return Ok(sent);
            }
        }
    }
}

fn stat(entry: &Entry) -> Stat {
    // Go's own bits for what lies beyond the permissions.
    const GO: [(u32, u32); 3] = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
    let special: u32 = GO.iter().filter(|(unix, _)| entry.mode & unix != 0).map(|(_, go)| go).sum();
    let (kind, size, link) = match &entry.kind {
        Kind::Directory => (1 << 31, 0, ""),
        Kind::File { size } => (0, *size, ""),
        Kind::Symlink { target } => (1 << 27, 0, target.as_str()),
    };
    let (seconds, nanoseconds) = entry.modified;
    Stat {
        path: entry.name.clone(),
        mode: kind | special | (entry.mode & 0o777),
        uid: 0,
        gid: 0,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        modified: seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds.into()),
        link: link.to_owned(),
    }
}

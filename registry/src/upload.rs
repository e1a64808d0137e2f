//! Blobs into a repository (OCI distribution specification 1.1, "Pushing blobs").

use std::collections::HashSet;
use std::ops::Range;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode, Url};

use crate::call::{Call, Fresh, Target};
use crate::outgoing::Outgoing;
use crate::patience::Patience;
use crate::registry::{DIGEST_HEADER, header};
use crate::scope::Scope;
use crate::source::{self, Source};
use crate::transfer::Events;
use crate::transport::{Transport, location};
use crate::{Descriptor, Digest, Error, ImageRef, Progress, PushOptions, Result};

const OCTETS: &str = "application/octet-stream";
const CHUNK_MIN: &str = "oci-chunk-min-length";
/// The statuses of a request whose body is too long: 416 is how GHCR says it.
const TOO_LONG: &[u16] = &[413, 416];

/// What became of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Sent,
    Kept,
    Mounted,
}

/// An upload that the registry has begun.
struct Session {
    place: Url,
    chunk_min: u64,
}

/// How a chunk came off.
enum Chunk {
    Taken(Url),
    /// It does not follow what is there.
    OutOfOrder,
}

pub(crate) struct Uploads<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) image: &'a ImageRef,
    pub(crate) source: &'a Source,
    pub(crate) options: &'a PushOptions,
    pub(crate) mounts: &'a [String],
    /// Those that nothing can be mounted from.
    pub(crate) refused: Mutex<HashSet<String>>,
    pub(crate) events: &'a Events,
}

impl Uploads<'_> {
    /// Sees to it that the repository has the blob, and says how long it is.
    pub(crate) async fn blob(&self, blob: &Descriptor) -> Result<(Arrival, u64)> {
        let (digest, total) = (blob.digest.clone(), blob.size);
        if self.is_there(blob).await? {
            self.events.tell(Progress::Kept { digest, total });
            return Ok((Arrival::Kept, total));
        }
        let mut session = None;
        for from in self.mounts.iter().filter(|from| !self.is_refused(from)) {
            match self.mount(blob, from).await? {
                None => {
                    self.events.tell(Progress::Mounted { digest, total, from: from.clone() });
                    return Ok((Arrival::Mounted, total));
                }
                Some(begun) => session = begun.or(session),
            }
        }
        self.events.tell(Progress::Blob { digest: digest.clone(), done: 0, total });
        self.upload(blob, session).await?;
        self.events.tell(Progress::Blob { digest, done: total, total });
        Ok((Arrival::Sent, total))
    }

    async fn is_there(&self, blob: &Descriptor) -> Result<bool> {
        let path = format!("blobs/{}", blob.digest);
        match self.transport.send(&self.call(Method::HEAD, Target::Path(path)).answers(&[404, 405])).await {
            Ok(response) => {
                let length = header(response.headers(), CONTENT_LENGTH.as_str()).parse::<u64>();
                Ok(response.status().is_success() && length.map_or(true, |length| length == blob.size))
            }
            // There is no reason in an answer to HEAD; the next request is answered with one.
            Err(Error::Unauthorized { .. } | Error::Denied { .. } | Error::Protocol { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Has the registry take the blob over: nothing when it did, an upload instead when it began one (GHCR always
    /// does), or neither. Mounting saves time and is never worth failing for.
    async fn mount(&self, blob: &Descriptor, from: &String) -> Result<Option<Option<Session>>> {
        let path = format!("blobs/uploads/?mount={}&from={from}", blob.digest);
        let scope = Scope::mount(self.image, std::slice::from_ref(from));
        let call = Call::new(self.image, Method::POST, Target::Path(path), scope);
        match self.transport.send(&call).await {
            Ok(response) if response.status() == StatusCode::CREATED => {
                self.expect_digest(&response, &blob.digest)?;
                Ok(None)
            }
            Ok(response) => Ok(Some(self.session(&response).ok())),
            Err(error @ (Error::Unreachable { .. } | Error::Timeout { .. })) => Err(error),
            Err(error) => {
                tracing::debug!(%error, %from, "blobs are uploaded instead of mounted");
                self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(from.clone());
                Ok(Some(None))
            }
        }
    }

    fn is_refused(&self, from: &str) -> bool {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(from)
    }

    async fn upload(&self, blob: &Descriptor, mut session: Option<Session>) -> Result<()> {
        let options = self.options;
        let mut in_chunks = blob.size > options.one_body_up_to;
        let mut patience = Patience::default();
        loop {
            let begun = match session.take() {
                Some(session) => session,
                None => self.begin().await?,
            };
            let sent = if in_chunks { self.chunks(blob, begun).await } else { self.whole(blob, begun).await };
            let error = match sent {
                Ok(()) => return Ok(()),
                Err(Error::BodyTooLarge { .. }) if !in_chunks && blob.size > options.chunk => {
                    in_chunks = true;
                    continue;
                }
                Err(error) if may_pass(&error) => error,
                Err(error) => return Err(error),
            };
            // What broke once may break again: chunks need not begin from the beginning.
            in_chunks = in_chunks || (blob.size > options.chunk && is_broken(&error));
            self.wait(&mut patience, blob, error).await?;
        }
    }

    async fn begin(&self) -> Result<Session> {
        let call = self.call(Method::POST, Target::Path("blobs/uploads/".to_owned()));
        self.session(&self.transport.send(&call).await?)
    }

    /// In one body: POST, then PUT.
    async fn whole(&self, blob: &Descriptor, session: Session) -> Result<()> {
        let outgoing = Outgoing::new(self.source.path(&blob.digest), blob);
        let fresh: Fresh<'_> = Box::new(|| outgoing.whole());
        let place = Target::Place(finishing(session.place, &blob.digest));
        let call = self.call(Method::PUT, place).body(OCTETS, blob.size, fresh).answers(TOO_LONG);
        let response = self.watched(blob, &outgoing, 0..blob.size, &call.uploading()).await?;
        self.taken(&response, blob, blob.size)?;
        self.expect_digest(&response, &blob.digest)
    }

    /// In chunks: POST, PATCH for each, then PUT. Goes on from where the registry says after a break.
    async fn chunks(&self, blob: &Descriptor, session: Session) -> Result<()> {
        self.verify(blob.clone()).await?;
        let outgoing = Outgoing::new(self.source.path(&blob.digest), blob);
        let length = self.options.chunk.max(session.chunk_min).max(1);
        let (mut place, mut at, mut furthest) = (session.place, 0, 0);
        let mut patience = Patience::default();
        while at < blob.size {
            let end = blob.size.min(at.saturating_add(length));
            let error = match self.chunk(blob, &outgoing, place.clone(), at..end).await {
                Ok(Chunk::Taken(next)) => {
                    (place, at) = (next, end);
                    // Going over the same part again is no progress.
                    if at > furthest {
                        (furthest, patience) = (at, Patience::default());
                    }
                    continue;
                }
                Ok(Chunk::OutOfOrder) => Error::protocol(
                    self.image.registry(),
                    format!("it takes no bytes of an upload from {at} on"),
                ),
                Err(error) if may_pass(&error) => error,
                Err(error) => return Err(error),
            };
            self.wait(&mut patience, blob, error).await?;
            (place, at) = self.resumed(place, blob).await?;
        }
        let call = self.call(Method::PUT, Target::Place(finishing(place, &blob.digest)));
        match self.transport.send(&call).await {
            Ok(response) => self.expect_digest(&response, &blob.digest),
            // The answer to one that went well was lost, and the upload is no more.
            Err(Error::NotFound { .. }) if self.is_there(blob).await? => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn chunk(
        &self,
        blob: &Descriptor,
        outgoing: &Outgoing,
        place: Url,
        range: Range<u64>,
    ) -> Result<Chunk> {
        let (from, length) = (place.clone(), range.end - range.start);
        let fresh: Fresh<'_> = Box::new(|| outgoing.part(range.clone()));
        let call = self
            .call(Method::PATCH, Target::Place(place))
            .header(CONTENT_RANGE, &format!("{}-{}", range.start, range.end - 1))
            .body(OCTETS, length, fresh)
            .answers(TOO_LONG);
        let response = self.watched(blob, outgoing, range.clone(), &call.uploading()).await?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(Chunk::OutOfOrder);
        }
        self.taken(&response, blob, length)?;
        Ok(Chunk::Taken(match location(&response) {
            Some(next) => self.transport.place(self.image, &from, &next)?,
            None => from,
        }))
    }

    /// Asks how much of an upload is there. One that the registry has forgotten is begun anew.
    async fn resumed(&self, place: Url, blob: &Descriptor) -> Result<(Url, u64)> {
        let asked = self.call(Method::GET, Target::Place(place.clone())).answers(&[400, 404, 416]);
        let response = self.transport.send(&asked).await?;
        let told = header(response.headers(), RANGE.as_str());
        let next = location(&response).map(|next| self.transport.place(self.image, &place, &next));
        if response.status().is_success()
            && let Some(at) = received(&told).filter(|at| *at <= blob.size)
        {
            return Ok((next.transpose()?.unwrap_or(place), at));
        }
        Ok((self.begin().await?.place, 0))
    }

    /// Sends a body, tells how far it has got, and notices when it gets no further.
    async fn watched(
        &self,
        blob: &Descriptor,
        outgoing: &Outgoing,
        range: Range<u64>,
        call: &Call<'_>,
    ) -> Result<Response> {
        let registry = self.image.registry();
        let timeouts = self.transport.site(registry).timeouts;
        let (digest, total) = (&blob.digest, blob.size);
        let mut moved = outgoing.moved();
        let mut sent = pin!(self.transport.send(call));
        let outcome = loop {
            let done = *moved.borrow_and_update();
            if done > range.start && done < total {
                self.events.tell(Progress::Blob { digest: digest.clone(), done, total });
            }
            // A registry may take its time with a blob that it has whole.
            let limit = if done < range.end { timeouts.stall } else { timeouts.answer };
            tokio::select! {
                outcome = &mut sent => break outcome,
                _ = moved.changed() => {}
                () = tokio::time::sleep(limit) => {
                    break Err(Error::Timeout { registry: registry.to_owned(), what: format!("the upload of {digest}") });
                }
            }
        };
        match outgoing.fault() {
            Some(fault) => Err(fault),
            None => outcome,
        }
    }

    /// Waits before another try of the blob, and tells of it.
    async fn wait(&self, patience: &mut Patience, blob: &Descriptor, error: Error) -> Result<()> {
        let Some(pause) = patience.next(error.retry_after()) else { return Err(error) };
        let digest = Some(blob.digest.clone());
        self.events.tell(Progress::Retrying { digest, error: error.to_string(), pause });
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn verify(&self, blob: Descriptor) -> Result<()> {
        let path = self.source.path(&blob.digest);
        let file = path.clone();
        let verified = tokio::task::spawn_blocking(move || source::verify(&file, &blob)).await;
        verified.map_err(|error| Error::io(path)(std::io::Error::other(error)))?
    }

    fn call<'c>(&'c self, method: Method, target: Target) -> Call<'c> {
        Call::new(self.image, method, target, Scope::push(self.image))
    }

    fn session(&self, response: &Response) -> Result<Session> {
        let registry = self.image.registry();
        let text = location(response)
            .ok_or_else(|| Error::protocol(registry, "an upload was begun, but it was not said where"))?;
        let place = self.transport.place(self.image, response.url(), &text)?;
        let chunk_min = header(response.headers(), CHUNK_MIN).parse().unwrap_or(0);
        Ok(Session { place, chunk_min })
    }

    fn taken(&self, response: &Response, blob: &Descriptor, size: u64) -> Result<()> {
        if !TOO_LONG.contains(&response.status().as_u16()) {
            return Ok(());
        }
        let registry = crate::endpoint::authority(response.url());
        Err(Error::BodyTooLarge { registry, digest: blob.digest.clone(), size })
    }

    fn expect_digest(&self, response: &Response, ours: &Digest) -> Result<()> {
        expect_digest(self.image.registry(), response, ours)
    }
}

/// Whether the registry calls what it took by the digest that it has. It need not say.
pub(crate) fn expect_digest(registry: &str, response: &Response, ours: &Digest) -> Result<()> {
    let told = header(response.headers(), DIGEST_HEADER);
    if told.is_empty() {
        return Ok(());
    }
    let told: Digest =
        told.parse().map_err(|error| Error::protocol(registry, format!("{DIGEST_HEADER}: {error}")))?;
    // Another algorithm says nothing of ours.
    if told.algorithm() == ours.algorithm() { ours.expect(told) } else { Ok(()) }
}

/// The address that ends an upload: the registry's own query stays, the digest comes after it.
fn finishing(mut place: Url, digest: &Digest) -> Url {
    place.query_pairs_mut().append_pair("digest", &digest.to_string());
    place
}

/// How many bytes are there by a `Range` of an upload: `0-n` is all up to n. docker-registry says `0-0` for nothing.
pub(crate) fn received(range: &str) -> Option<u64> {
    let last: u64 = range.strip_prefix("bytes=").unwrap_or(range).strip_prefix("0-")?.parse().ok()?;
    if last == 0 { Some(0) } else { last.checked_add(1) }
}

/// Whether another try may go well: an upload that the registry has forgotten can be begun anew.
fn may_pass(error: &Error) -> bool {
    error.is_passing() || is_broken(error) || matches!(error, Error::NotFound { .. })
}

fn is_broken(error: &Error) -> bool {
    matches!(error, Error::Unreachable { .. } | Error::Timeout { .. })
}

//! Building an image from a folder.

mod classic;
mod context;
mod error;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod ignore;
mod output;
mod progress;
mod request;
mod session;
mod spec;
mod trace;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::stream::poll_fn;
use secrecy::{ExposeSecret, SecretSlice};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio::task::spawn_blocking;

use self::classic::Classic;
use self::context::{Context, Stop};
pub use self::error::BuildError;
pub use self::progress::{BuildProgress, StepState};
use self::session::{Answers, Session};
pub use self::spec::{BuildSecret, BuildSpec, Builder, Built, CacheTo};
use self::trace::Trace;
use crate::Engine;
use crate::error::{Error, Source};
use crate::wire::{self, Body, Line, Lines};

/// The most bytes of a secret that BuildKit takes.
const SECRET: usize = 500 << 10;
/// The parts of a context that may wait to be sent.
const WAITING: usize = 8;

/// What those who send the context tell of it.
#[derive(Debug)]
enum Sent {
    Skipped {
        path: PathBuf,
        what: &'static str,
    },
    /// So many entries were described.
    Described(u64),
    /// So many bytes of the described were sent, and no more will be.
    Bytes(u64),
    All {
        entries: u64,
        bytes: u64,
    },
    Failed(BuildError),
}

impl Engine {
    /// Builds an image from the Dockerfile and the files of a folder, and tells what happens meanwhile.
    ///
    /// With BuildKit the builder fetches the files that changed since the last build from the same folder; the classic
    /// builder is streamed all of them. Either way they are not held in memory, and what `.dockerignore`, or
    /// `<Dockerfile>.dockerignore` beside the Dockerfile, leaves out is not sent. Files belong to root in the image,
    /// and keep their permissions and times. Dropping the future cancels the build.
    ///
    /// # Errors
    ///
    /// What is wrong with the folder, the Dockerfile, a pattern or a secret is told before the engine is asked. A step
    /// that fails is [`BuildError::Step`], with its exit code and last lines. A file that changes, vanishes or cannot
    /// be read while it is sent fails the build with [`BuildError::File`].
    pub async fn build(
        &self,
        spec: &BuildSpec,
        progress: &mut (dyn FnMut(BuildProgress) + Send),
    ) -> Result<Built, BuildError> {
        let opened = {
            let spec = spec.clone();
            spawn_blocking(move || Ok::<_, BuildError>((Context::open(&spec)?, secrets(&spec)?)))
        };
        let (context, secrets) = opened.await.map_err(lost)??;
        let context = Arc::new(context);
        let (told, sent) = unbounded_channel();
        let session = if spec.builder == Some(Builder::Classic) {
            Err(None)
        } else {
            let answers = Answers {
                context: Arc::clone(&context),
                secrets,
                credentials: spec.credentials.clone(),
                told: told.clone(),
                shared_key: shared_key(spec, &context),
            };
            Session::open(self, answers).await?.map_err(Some)
        };
        let (builder, why) = match &session {
            Ok(_) => (Builder::BuildKit, None),
            Err(why) => (Builder::Classic, why.clone()),
        };
        if let (Some(Builder::BuildKit), Some(why)) = (spec.builder, &why) {
            let hint = format!("the engine has no BuildKit: {why}");
            return Err(BuildError::Unsupported {
                builder: Builder::BuildKit,
                what: "this engine".to_owned(),
                hint,
            });
        }
        if builder == Builder::Classic {
            classic_can(spec, &context)?;
        }
        progress(BuildProgress::Builder { builder, why });
        let (name, body) = match &session {
            Ok(_) => (context.dockerfile().name()?, wire::empty()),
            Err(_) => (context.dockerfile().inside.clone().unwrap_or_default(), stream(&context, told)),
        };
        let path = request::path(spec, &name, session.as_ref().ok().map(|session| session.id.as_str()));
        let mut course = Course { spec, builder, sent, entries: None, image: None, told: Told::new(builder) };
        let answered = async {
            let headers = request::headers(spec, builder).map_err(broken)?;
            Ok(self.post("build the image", &path, headers, body).await?)
        };
        let followed = match course.beside(answered, progress).await {
            Ok(answer) => match answer.lines().await {
                Ok(lines) => course.follow(lines, progress).await,
                Err((status, message)) => Err(course.refused(status, &message, progress)),
            },
            Err(error) => Err(error),
        };
        course.end(followed, progress)
    }
}

/// A build on its way.
struct Course<'a> {
    spec: &'a BuildSpec,
    builder: Builder,
    sent: UnboundedReceiver<Sent>,
    entries: Option<u64>,
    image: Option<String>,
    told: Told,
}

enum Told {
    Classic(Classic),
    BuildKit(Trace),
}

type Tell<'a> = &'a mut (dyn FnMut(BuildProgress) + Send);

impl Course<'_> {
    /// Waits for that, and tells what becomes of the context meanwhile.
    async fn beside<T>(
        &mut self,
        done: impl Future<Output = Result<T, BuildError>>,
        tell: Tell<'_>,
    ) -> Result<T, BuildError> {
        tokio::pin!(done);
        loop {
            tokio::select! {
                done = &mut done => return done,
                Some(sent) = self.sent.recv() => self.sent(sent, tell)?,
            }
        }
    }

    async fn follow(&mut self, mut lines: Lines, tell: Tell<'_>) -> Result<(), BuildError> {
        loop {
            let next = async { lines.next::<Line>().await.map_err(broken) };
            let Some(line) = self.beside(next, tell).await? else { return Ok(()) };
            match &mut self.told {
                Told::Classic(classic) => classic.line(&line, tell),
                Told::BuildKit(trace) => trace.line(&line, tell),
            }
            if let Some(id) = line.aux("ID") {
                self.image = Some(id.to_owned());
            }
            if let Some(message) = line.failure() {
                return Err(self.failed(message, tell));
            }
        }
    }

    fn sent(&mut self, sent: Sent, tell: Tell<'_>) -> Result<(), BuildError> {
        match sent {
            Sent::Skipped { path, what } => tell(BuildProgress::Skipped { path, what }),
            Sent::Described(entries) => self.entries = Some(entries),
            Sent::Bytes(bytes) => {
                tell(BuildProgress::Context { entries: self.entries.unwrap_or_default(), bytes });
            }
            Sent::All { entries, bytes } => tell(BuildProgress::Context { entries, bytes }),
            Sent::Failed(error) => return Err(error),
        }
        Ok(())
    }

    fn failed(&mut self, message: &str, tell: Tell<'_>) -> BuildError {
        let failing = match std::mem::replace(&mut self.told, Told::new(self.builder)) {
            Told::Classic(classic) => classic.failed(tell),
            Told::BuildKit(trace) => trace.failed(),
        };
        BuildError::told(message, self.spec.target.as_deref(), failing)
    }

    /// What a refusal means. Faults in the Dockerfile come as one too.
    fn refused(&mut self, status: u16, message: &str, tell: Tell<'_>) -> BuildError {
        match self.failed(message, tell) {
            BuildError::Failed { step: None, source, .. } => {
                Error::Refused { doing: "build the image".to_owned(), status, source }.into()
            }
            known => known,
        }
    }

    /// The outcome. Where the context failed, that is why all else did.
    fn end(mut self, followed: Result<(), BuildError>, tell: Tell<'_>) -> Result<Built, BuildError> {
        while let Ok(sent) = self.sent.try_recv() {
            self.sent(sent, tell)?;
        }
        followed?;
        if let Told::Classic(classic) = &mut self.told {
            classic.succeeded(tell);
        }
        let image =
            self.image.ok_or_else(|| broken("it ended without an image and without an error".into()))?;
        Ok(Built { image, builder: self.builder })
    }
}

impl Told {
    fn new(builder: Builder) -> Self {
        match builder {
            Builder::Classic => Self::Classic(Classic::default()),
            Builder::BuildKit => Self::BuildKit(Trace::default()),
        }
    }
}

fn broken(source: Source) -> BuildError {
    Error::Exchange { doing: "build the image".to_owned(), source }.into()
}

fn lost(e: tokio::task::JoinError) -> BuildError {
    broken(e.into())
}

/// Refuses what the classic builder would ignore, or fail at with other words.
fn classic_can(spec: &BuildSpec, context: &Context) -> Result<(), BuildError> {
    let unsupported = |what: String, hint: &str| {
        Err(BuildError::Unsupported { builder: Builder::Classic, what, hint: hint.to_owned() })
    };
    if let Some(id) = spec.secrets.keys().next() {
        return unsupported(format!("the secret `{id}`"), "secrets need an engine with BuildKit");
    }
    if context.dockerfile().inside.is_none() {
        let path = context.dockerfile().path.display();
        return unsupported(format!("`{path}`"), "it takes a Dockerfile from within the context only");
    }
    Ok(())
}

/// The context as it is packed, for the body of a request.
fn stream(context: &Arc<Context>, told: UnboundedSender<Sent>) -> Body {
    let (parts, mut packed) = channel(WAITING);
    let context = Arc::clone(context);
    spawn_blocking(move || {
        if let Err(Stop::Fault(error)) = context::archive(&context, &parts, &told) {
            // The request must break off, not end: what was sent so far is no context.
            drop(told.send(Sent::Failed(error)));
            drop(parts.blocking_send(Err("the context could not be sent".into())));
        }
    });
    wire::streamed(poll_fn(move |cx| packed.poll_recv(cx)))
}

/// Builds with one key send only what changed in the context since the last. Where times are cut off at an epoch, a
/// change may not show in them, so that everything must be sent.
fn shared_key(spec: &BuildSpec, context: &Context) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    use std::os::unix::fs::MetadataExt;
    let folder = context.folder();
    match (spec.source_date_epoch, folder.metadata()) {
        (None, Ok(seen)) => {
            let mut hasher = DefaultHasher::new();
            (folder, seen.dev(), seen.ino()).hash(&mut hasher);
            format!("cutover:{:016x}", hasher.finish())
        }
        _ => session::random(),
    }
}

/// The secrets themselves. It blocks.
fn secrets(spec: &BuildSpec) -> Result<BTreeMap<String, SecretSlice<u8>>, BuildError> {
    let secret = |(id, secret): (&String, &BuildSecret)| {
        let bad = |why: String| BuildError::Secret { id: id.clone(), why };
        let bytes = match secret {
            BuildSecret::Value(value) => value.expose_secret().as_bytes().to_vec(),
            BuildSecret::File(path) => std::fs::read(path)
                .map_err(|e| bad(format!("cannot be read from `{}`: {e}", path.display())))?,
        };
        if bytes.len() > SECRET {
            return Err(bad(format!("has {} bytes; BuildKit takes at most {SECRET}", bytes.len())));
        }
        Ok((id.clone(), SecretSlice::from(bytes)))
    };
    spec.secrets.iter().map(secret).collect()
}

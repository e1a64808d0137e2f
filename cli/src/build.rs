//! From a folder to a digest: an app's image is built by the engine, and pushed under its tags.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use cutover_registry::{Descriptor, Digest, ImageRef, Platform};
use cutover_runtime::{
    BuildError, BuildProgress, BuildSecret, BuildSpec, CacheTo, Credentials, Engine, StepState,
};

use crate::commit::Commit;
use crate::config::Config;
use crate::config::app::App;
use crate::config::build::Build;
use crate::config::value::Parsed;
use crate::credentials;
use crate::failure::{Exit, Failure};
use crate::release::located;
use crate::report::{Event, Report};

/// How an image is built besides what the file says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Takes no layer of an earlier build.
    pub no_cache: bool,
    /// Asks the registries for newer base images.
    pub pull: bool,
}

/// Builds and pushes the image of one app.
pub struct Builder<'a> {
    config: &'a Config,
    image: &'a ImageRef,
    table: &'a Build,
    engine: &'a Engine,
    report: &'a dyn Report,
    commit: Commit,
}

/// An image of the engine, for one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// What it is called on the engine.
    pub reference: ImageRef,
    /// Its id on the engine.
    pub id: String,
}

/// What was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The image by its digest.
    pub image: ImageRef,
    /// Its digest: that of the index where it is for several platforms.
    pub digest: Digest,
    /// Every tag it has.
    pub tags: Vec<String>,
}

impl<'a> Builder<'a> {
    /// Asks git and CI what is to be built.
    ///
    /// # Errors
    /// When the app's table does not say how it is built.
    pub fn new(
        config: &'a Config,
        app: &'a App,
        engine: &'a Engine,
        report: &'a dyn Report,
    ) -> Result<Self, Failure> {
        let Some(table) = &app.build else {
            let words = format!("nothing says how {} is built", app.image.get());
            let next = "add `build = {}` to the app's table for the Dockerfile beside the configuration";
            return Err(Failure::new(Exit::Usage, words).next(next));
        };
        let commit = Commit::observe(&config.base().join(&table.context.value));
        Ok(Self { config, image: app.image.get(), table, engine, report, commit })
    }

    /// Builds the image for each of its platforms.
    ///
    /// # Errors
    /// When a secret cannot be read, or the build fails.
    pub async fn build(&self, options: Options) -> Result<Vec<Built>, Failure> {
        let secrets = self.secrets().await?;
        let credentials = self.credentials().await?;
        let mut built = Vec::new();
        for (platform, reference) in self.references()? {
            let words = self.words("build", platform, &reference);
            self.report.tell(Event::Working(&words));
            let began = Instant::now();
            let mut spec = self.spec(options, platform, &reference);
            spec.secrets.clone_from(&secrets);
            spec.credentials.clone_from(&credentials);
            let report = self.report;
            let mut progress = |progress: BuildProgress| tell(report, &progress);
            let image = self.engine.build(&spec, &mut progress).await.map_err(not_built)?;
            self.report.tell(Event::Worked(&words, began.elapsed()));
            built.push(Built { reference, id: image.image });
        }
        Ok(built)
    }

    /// Pushes what was built, here or by another run, and gives it its tags. With what this run built, it is held that
    /// this is what the registry got: another build may have taken the name in between.
    ///
    /// # Errors
    /// When an image is not there, or the registry refuses it.
    pub async fn push(&self, built: &[Built]) -> Result<Pushed, Failure> {
        let given = credentials::for_engine(self.config, self.image.registry()).await?;
        let registry = credentials::client(self.config, self.image.registry()).await?;
        let mut entries = Vec::new();
        for (platform, reference) in self.references()? {
            let words = self.words("push", platform, &reference);
            self.report.tell(Event::Working(&words));
            let began = Instant::now();
            let report = self.report;
            let mut progress = |progress: cutover_runtime::PushProgress| {
                if let (Some(layer), Some(done), Some(total)) =
                    (&progress.layer, progress.current, progress.total)
                {
                    report.tell(Event::Layer { layer, done, total });
                }
            };
            let pushed = self.engine.push(&reference.to_string(), given.as_ref(), &mut progress).await;
            let digest: Digest =
                pushed.map_err(not_pushed)?.digest.parse().map_err(|error| unread(&error))?;
            let pinned = reference.with_digest(digest.clone());
            let (resolved, manifest) = registry
                .manifest(&pinned, &platform.cloned().unwrap_or_else(Platform::host))
                .await
                .map_err(|error| Failure::from(error).serves(UNCHANGED))?;
            if let Some(ours) = built.iter().find(|built| built.reference == reference)
                && ours.id != manifest.config.digest.to_string()
                && ours.id != digest.to_string()
            {
                let words = format!("{reference} was built anew by someone else before it was pushed");
                return Err(Failure::new(Exit::Unreachable, words).serves(UNCHANGED).next("run it again"));
            }
            let mut entry = Descriptor::new(resolved.media_type, digest, resolved.size);
            entry.platform = platform.cloned();
            entries.push(entry);
            self.report.tell(Event::Worked(&words, began.elapsed()));
        }
        let serves = |error: cutover_registry::Error| Failure::from(error).serves(UNCHANGED);
        let digest = match entries.as_slice() {
            [one] => one.digest.clone(),
            several => {
                let index = registry.push_index(self.image, several, &BTreeMap::new()).await;
                index.map_err(serves)?.digest
            }
        };
        let image = self.image.with_digest(digest.clone());
        let mut tags: Vec<String> = self.image.tag().map(str::to_owned).into_iter().collect();
        for tag in self.tags() {
            registry.tag(&image, &tag).await.map_err(serves)?;
            tags.push(tag);
        }
        Ok(Pushed { image, digest, tags })
    }

    /// The platforms as the file names them.
    pub fn platforms(&self) -> impl Iterator<Item = &'a Platform> + use<'a> {
        self.table.platforms.iter().map(Parsed::get)
    }

    /// What each platform's image is called: by a tag of its own where there are several.
    fn references(&self) -> Result<Vec<(Option<&'a Platform>, ImageRef)>, Failure> {
        let platforms: Vec<&Platform> = self.platforms().collect();
        if platforms.len() < 2 {
            return Ok(vec![(platforms.first().copied(), self.image.clone())]);
        }
        let tag = self.image.tag().unwrap_or("latest");
        let named = platforms.into_iter().map(|platform| {
            let name = format!("{tag}-{}", platform.to_string().replace('/', "-"));
            let reference = self.image.with_tag(&name);
            Ok((Some(platform), reference.map_err(|error| Failure::from_error(Exit::Usage, &error))?))
        });
        named.collect()
    }

    /// The tags besides the image's own, as far as their words are known.
    fn tags(&self) -> Vec<String> {
        let filled = self.table.tags.iter().filter_map(|tag| {
            let filled = tag.fill(|word| self.commit.word(word));
            if let Err(word) = &filled {
                let words = format!("the tag {} is left out: no {} is known", tag.get(), word.as_str());
                self.report.tell(Event::Note(&words));
            }
            filled.ok()
        });
        filled.filter(|tag| !tag.is_empty() && Some(tag.as_str()) != self.image.tag()).collect()
    }

    fn spec(&self, options: Options, platform: Option<&Platform>, reference: &ImageRef) -> BuildSpec {
        let mut spec = BuildSpec::new(self.context());
        spec.dockerfile.clone_from(&self.table.dockerfile.value);
        spec.target = self.table.target.as_ref().map(|target| target.value.clone());
        spec.args.clone_from(&self.table.args);
        spec.platform = platform.map(ToString::to_string);
        spec.cache_from = self.table.cache_from.iter().map(|image| image.get().to_string()).collect();
        spec.cache_to = self.table.cache_inline.then_some(CacheTo::Inline);
        spec.labels = self.labels();
        spec.tags = vec![reference.to_string()];
        spec.no_cache = options.no_cache;
        spec.pull = options.pull;
        spec.source_date_epoch = self.commit.time.and_then(|time| u64::try_from(time).ok());
        spec
    }

    fn context(&self) -> PathBuf {
        self.config.base().join(&self.table.context.value)
    }

    /// Who we are to the registries that base images may come from: those of the file, and the image's own.
    async fn credentials(&self) -> Result<BTreeMap<String, Credentials>, Failure> {
        let named = self.config.file.registry.keys().map(String::as_str);
        let mut known = BTreeMap::new();
        for registry in named.chain([self.image.registry()]) {
            if let Some(credentials) = credentials::for_engine(self.config, registry).await? {
                known.insert(registry.to_owned(), credentials);
            }
        }
        Ok(known)
    }

    async fn secrets(&self) -> Result<BTreeMap<String, BuildSecret>, Failure> {
        let mut secrets = BTreeMap::new();
        for (id, source) in &self.table.secrets {
            let read = source.value.read(self.config.base()).await;
            let secret = read.map_err(|error| located(self.config, source.span.clone(), &error))?;
            secrets.insert(id.value.clone(), BuildSecret::Value(secret));
        }
        Ok(secrets)
    }

    /// The labels that the OCI image specification names (`annotations.md`), under those of the file. An image that is
    /// built of no known commit is not told when it was made: its own configuration says so, and the label would make
    /// every build another image.
    fn labels(&self) -> BTreeMap<String, String> {
        let commit = &self.commit;
        let created = commit.time.and_then(|time| jiff::Timestamp::from_second(time).ok());
        let known = [
            ("source", commit.source.clone()),
            ("revision", commit.revision.clone()),
            ("created", created.map(|time| time.to_string())),
            ("version", commit.version.clone()),
        ];
        let known = known
            .into_iter()
            .filter_map(|(name, value)| Some((format!("org.opencontainers.image.{name}"), value?)));
        known.chain(self.table.labels.clone()).collect()
    }

    fn words(&self, verb: &str, platform: Option<&Platform>, reference: &ImageRef) -> String {
        match platform.filter(|_| self.table.platforms.len() > 1) {
            Some(platform) => format!("{verb} {} for {platform}", self.image),
            None => format!("{verb} {reference}"),
        }
    }
}

const UNCHANGED: &str = "nothing was changed";

fn unchanged(error: cutover_runtime::Error) -> Failure {
    Failure::from(error).serves(UNCHANGED)
}

fn unread(error: &cutover_registry::DigestInvalid) -> Failure {
    Failure::from_error(Exit::Fault, error)
}

fn not_pushed(error: cutover_runtime::Error) -> Failure {
    match error {
        absent @ cutover_runtime::Error::NoSuchImage { .. } => {
            unchanged(absent).next("`cutover build` builds it")
        }
        error => unchanged(error),
    }
}

fn not_built(error: BuildError) -> Failure {
    match error {
        BuildError::Engine(error) => unchanged(error),
        BuildError::Step { ref output, .. } | BuildError::Failed { ref output, .. } => {
            let output = output.clone();
            Failure::from_error(Exit::Unreachable, &error).serves(UNCHANGED).logs(output)
        }
        error => Failure::from_error(Exit::Unreachable, &error).serves(UNCHANGED),
    }
}

fn tell(report: &dyn Report, progress: &BuildProgress) {
    match progress {
        BuildProgress::Builder { builder, why: Some(why) } => {
            report.tell(Event::Note(&format!("built by {builder}: {why}")));
        }
        BuildProgress::Skipped { path, what } => {
            report.tell(Event::Note(&format!("{} is left out: it is {what}", path.display())));
        }
        BuildProgress::Step { name, state, .. } => match state {
            StepState::Started => report.tell(Event::Printed(name)),
            StepState::Cached => report.tell(Event::Printed(&format!("{name} (cached)"))),
            StepState::Done | StepState::Failed => {}
        },
        BuildProgress::Output { text, .. } => report.tell(Event::Printed(&format!("  {text}"))),
        BuildProgress::Transfer { name, current, total: Some(total) } => {
            report.tell(Event::Layer { layer: name, done: *current, total: *total });
        }
        BuildProgress::Warning(words) => report.tell(Event::Warning(words)),
        _ => {}
    }
}

//! Changing the configuration: written, checked, loaded, confirmed; or put back as it was.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::nginx::PAUSE;
use crate::render::file_names;
use crate::{AppName, Error, File, Generation, Nginx, Rendered, Serving, Stage, Surface};

/// What nginx may take to serve what it was told to load.
const CONFIRM_LIMIT: Duration = Duration::from_secs(10);
/// So many answers in a row, each over a connection of its own: workers of before a reload may answer for a moment.
const AGREEING_ANSWERS: u32 = 3;

/// What came of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// nginx served it already; it was not reloaded.
    Unchanged,
    /// nginx was reloaded, and serves it.
    Reloaded {
        /// From the first write to the confirmation.
        took: Duration,
    },
}

/// One file of an app: what stands there, and what is to stand there. `None` is no file.
#[derive(Debug)]
struct Change {
    path: PathBuf,
    found: Option<String>,
    /// What a change that never ended kept of before.
    left: Option<String>,
    after: Option<String>,
}

impl Change {
    /// What to go back to: what a change that never ended left is newer than what it kept, but only the latter did serve.
    fn before(&self) -> Option<&str> {
        self.left.as_deref().map_or(self.found.as_deref(), |text| Some(text).filter(|text| !text.is_empty()))
    }

    /// Where the text of before is kept until the change has held. The dot keeps it out of `include conf.d/*`; an empty
    /// file tells that there was none.
    fn kept(&self) -> PathBuf {
        kept(&self.path)
    }
}

fn kept(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".cutover-old");
    path.with_file_name(name)
}

/// A stage that failed, and why.
type Failed = (Stage, Error);

impl<S: Surface> Nginx<S> {
    /// The app's files as they are installed; those that are absent are left out.
    ///
    /// # Errors
    /// When one cannot be read.
    pub async fn installed(&self, app: &AppName) -> Result<Vec<File>, Error> {
        let mut files = Vec::new();
        for name in file_names(app) {
            if let Some(text) = self.surface.read(&self.conf_dir.join(&name)).await? {
                files.push(File { name, text });
            }
        }
        Ok(files)
    }

    /// Whether nginx, which serves `serving`, serves just what was rendered of `app`, from files that are just so, with
    /// no installation left half done: whether [`install`](Self::install) has nothing to do.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn is_current(
        &self,
        rendered: &Rendered,
        app: &AppName,
        serving: &Serving,
    ) -> Result<bool, Error> {
        if !serves(serving, Some(&rendered.generation)) {
            return Ok(false);
        }
        let changes = self.changes(app, |name| rendered.text(name)).await?;
        Ok(changes.iter().all(|change| change.found == change.after && change.left.is_none()))
    }

    /// The files that an installation which never ended left: what it kept of before.
    ///
    /// # Errors
    /// When the folder's files cannot be read.
    pub async fn left(&self, app: &AppName) -> Result<Vec<PathBuf>, Error> {
        let mut left = Vec::new();
        for name in file_names(app) {
            let path = kept(&self.conf_dir.join(name));
            if self.surface.read(&path).await?.is_some() {
                left.push(path);
            }
        }
        Ok(left)
    }

    /// Installs what was rendered of `app`: nginx is not touched when it serves that very generation and the files agree.
    /// Else they are written, checked by `nginx -t`, loaded, and confirmed by the generation that nginx serves (three
    /// answers in a row, within 10 s). Killed in between, it is mended by the next installation.
    ///
    /// # Errors
    /// [`Error::NotRunning`] before anything is touched; [`Error::Restored`] when a stage failed, with the old files back
    /// and the old configuration serving; [`Error::NotRestored`] when even that failed.
    pub async fn install(&self, rendered: &Rendered, app: &AppName) -> Result<Installed, Error> {
        self.change(app, |name| rendered.text(name), Some(&rendered.generation)).await
    }

    /// Removes the app's files and its markers, and has nginx forget it, with the same care as
    /// [`install`](Self::install).
    ///
    /// # Errors
    /// As for [`install`](Self::install).
    pub async fn uninstall(&self, app: &AppName) -> Result<Installed, Error> {
        let done = self.change(app, |_| None, None).await?;
        self.deafen(app).await?;
        self.unshare(app).await?;
        self.surface.set_marker(&crate::marker(&self.state_dir, app), false).await?;
        Ok(done)
    }

    /// Brings the files to `after` and nginx to `generation` (`None`: to nothing of the app).
    async fn change(
        &self,
        app: &AppName,
        after: impl Fn(&str) -> Option<String>,
        generation: Option<&Generation>,
    ) -> Result<Installed, Error> {
        let changes = self.changes(app, after).await?;
        let agree = changes.iter().all(|change| change.found == change.after);
        if agree && serves(&self.observe(app).await?, generation) {
            // One that was killed once nginx had loaded it left only what it had kept.
            self.forget(changes.iter().filter(|change| change.left.is_some())).await?;
            return Ok(Installed::Unchanged);
        }
        if !self.surface.running().await? {
            return Err(Error::NotRunning);
        }
        let started = Instant::now();
        if let Err((stage, cause)) = self.apply(app, &changes, generation).await {
            return Err(self.undo(app, &changes, stage, cause).await);
        }
        self.forget(&changes).await?;
        let took = started.elapsed();
        info!(%app, ?took, "nginx was reloaded");
        Ok(Installed::Reloaded { took })
    }

    /// The app's files as they are, and as they are to be.
    async fn changes(
        &self,
        app: &AppName,
        after: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<Change>, Error> {
        let mut changes = Vec::new();
        for name in file_names(app) {
            let path = self.conf_dir.join(&name);
            let (found, left) = (self.surface.read(&path).await?, self.surface.read(&kept(&path)).await?);
            changes.push(Change { path, found, left, after: after(&name) });
        }
        Ok(changes)
    }

    async fn apply(&self, app: &AppName, changes: &[Change], to: Option<&Generation>) -> Result<(), Failed> {
        for change in changes {
            self.write(change).await.map_err(|error| (Stage::Write, error))?;
        }
        self.surface.test().await.map_err(|error| (Stage::Check, error))?;
        self.surface.reload().await.map_err(|error| (Stage::Reload, error))?;
        self.confirm(app, to).await.map_err(|error| (Stage::Confirm, error))
    }

    async fn write(&self, change: &Change) -> Result<(), Error> {
        if change.before().is_none() && change.after.is_none() {
            return self.put(&change.path, None).await;
        }
        self.put(&change.kept(), Some(change.before().unwrap_or_default())).await?;
        self.put(&change.path, change.after.as_deref()).await
    }

    async fn put(&self, path: &Path, text: Option<&str>) -> Result<(), Error> {
        match text {
            Some(text) => self.surface.write(path, text).await,
            None => self.surface.remove(path).await,
        }
    }

    /// Waits until nginx serves `wanted`.
    async fn confirm(&self, app: &AppName, wanted: Option<&Generation>) -> Result<(), Error> {
        let started = Instant::now();
        let mut agreeing = 0;
        loop {
            let serving = self.observe(app).await?;
            agreeing = if serves(&serving, wanted) { agreeing + 1 } else { 0 };
            if agreeing == AGREEING_ANSWERS {
                return Ok(());
            }
            if started.elapsed() >= CONFIRM_LIMIT {
                let wanted = wanted.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                return Err(Error::NotServed { served: serving.to_string(), wanted, limit: CONFIRM_LIMIT });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Puts the old files back, and has nginx load them if it may have loaded the new ones.
    async fn undo(&self, app: &AppName, changes: &[Change], stage: Stage, cause: Error) -> Error {
        warn!(%app, %stage, "the nginx configuration could not be changed; putting the old one back");
        let app = app.clone();
        match self.put_back(changes, stage).await {
            Ok(()) => Error::Restored { app, stage, source: Box::new(cause) },
            Err(source) => {
                Error::NotRestored { app, stage, cause: Box::new(cause), source: Box::new(source) }
            }
        }
    }

    async fn put_back(&self, changes: &[Change], stage: Stage) -> Result<(), Error> {
        for change in changes {
            // What could not be written is as it was, and cannot be written now either.
            if self.surface.read(&change.path).await?.as_deref() != change.before() {
                self.put(&change.path, change.before()).await?;
            }
        }
        if matches!(stage, Stage::Reload | Stage::Confirm) {
            self.surface.reload().await?;
        }
        self.forget(changes).await
    }

    /// Removes what was kept of before.
    async fn forget(&self, changes: impl IntoIterator<Item = &Change>) -> Result<(), Error> {
        for change in changes {
            self.surface.remove(&change.kept()).await?;
        }
        Ok(())
    }
}

/// Whether nginx serves `wanted`; `None` is nothing of the app.
fn serves(serving: &Serving, wanted: Option<&Generation>) -> bool {
    match (serving, wanted) {
        (Serving::App { generation, .. }, Some(wanted)) => generation == wanted,
        (Serving::App { .. }, None) | (Serving::Nothing { .. }, Some(_)) => false,
        (Serving::Nothing { .. }, None) => true,
    }
}

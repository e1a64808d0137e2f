//! One nginx: what it serves, and switching it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use crate::render::file_names;
use crate::{Answer, AppName, Ask, Error, Inherited, Serving, Slot, Surface, control, marker};

/// What an observation may take.
const OBSERVE_LIMIT: Duration = Duration::from_secs(2);
/// What nginx may take to follow the marker: it looks at each request.
const FOLLOW_LIMIT: Duration = Duration::from_secs(5);
/// Between two looks at what nginx serves.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// One nginx, as we reach it.
#[derive(Debug, Clone)]
pub struct Nginx<S> {
    /// Its files and commands.
    pub surface: S,
    /// The directory that its http block includes, as nginx sees it.
    pub conf_dir: PathBuf,
    /// The directory of the markers, as nginx sees it.
    pub state_dir: PathBuf,
    /// The control servers' address, as we reach it.
    pub control: SocketAddr,
}

/// What came of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switched {
    /// From the change of the marker to the confirmation.
    pub took: Duration,
    /// Whether the marker was changed; `false` when the slot was live already.
    pub changed: bool,
}

impl<S: Surface> Nginx<S> {
    /// What nginx serves of an app: told by its control server alone, over a connection of its own, within 2 s.
    ///
    /// # Errors
    /// [`Error::Control`] when this machine cannot even try. That nothing answers is no error.
    pub async fn observe(&self, app: &AppName) -> Result<Serving, Error> {
        control::observe(self.control, app, OBSERVE_LIMIT).await
    }

    /// What the app's server block inherits only while it has none of its own, for [`App::inherited`](crate::App::inherited).
    /// Nothing where nginx refuses the configuration as it stands: an installation that was killed may be why, and the next one
    /// must be able to mend it.
    ///
    /// # Errors
    /// When nginx cannot be asked.
    pub async fn inherited(&self, app: &AppName) -> Result<Inherited, Error> {
        let [_, snippet, _] = file_names(app);
        match self.surface.dump().await {
            Ok(dump) => Ok(dump.inherited_around(&self.conf_dir.join(snippet))),
            Err(Error::Refused { output }) => {
                warn!(%app, output, "what the http block has for each server is not known: nginx refuses it");
                Ok(Inherited::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Makes `to` the live slot: by the marker, without a reload, confirmed by what nginx then serves.
    ///
    /// # Errors
    /// [`Error::NotFollowed`] when nginx does not serve `to` within 5 s; the marker is then as it was before.
    pub async fn switch(&self, app: &AppName, to: Slot) -> Result<Switched, Error> {
        let marker = marker(&self.state_dir, app);
        let wanted = to == Slot::Green;
        let started = Instant::now();
        let changed = self.surface.marker_present(&marker).await? != wanted;
        if changed {
            self.surface.set_marker(&marker, wanted).await?;
        }
        let followed = self.follow(app, to, started).await;
        match followed {
            Ok(None) => {
                let took = started.elapsed();
                debug!(%app, %to, changed, ?took, "switched");
                Ok(Switched { took, changed })
            }
            other => {
                if changed {
                    warn!(%app, %to, "nginx does not follow the marker; putting it back");
                    self.surface.set_marker(&marker, !wanted).await?;
                }
                let served = other?.map_or_else(String::new, |served| served.to_string());
                Err(Error::NotFollowed { app: app.clone(), marker, to, served, limit: FOLLOW_LIMIT })
            }
        }
    }

    /// Waits until `to` is live; else tells what is served instead.
    async fn follow(&self, app: &AppName, to: Slot, since: Instant) -> Result<Option<Serving>, Error> {
        loop {
            let serving = self.observe(app).await?;
            if matches!(serving, Serving::App { live, .. } if live == to) {
                return Ok(None);
            }
            if since.elapsed() >= FOLLOW_LIMIT {
                return Ok(Some(serving));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends a GET through the control server to `slot`, or to the standby slot: through the very group that serves it
    /// when it is live. Redirects are told, not followed.
    ///
    /// # Errors
    /// [`Error::Control`] when no answer comes, [`Error::Absent`] when the app has no control server here.
    pub async fn ask(&self, app: &AppName, slot: Option<Slot>, ask: &Ask) -> Result<Answer, Error> {
        control::ask(self.control, app, slot, ask).await
    }
}

//! nginx for blue-green deployments: a typed model, rendered to configuration, installed with check, confirmation and
//! restore, and switched by a marker file without a reload.
//!
//! An [`App`] runs in two [`Slot`]s. [`render`] turns it to text: two `upstream` groups, a site (or snippets for a
//! `server` block of one's own) that takes the group of the slot which the [`marker`] names, and a control server that
//! tells what nginx really serves and carries the preview route to the standby slot. [`Nginx`] installs that text on a
//! [`Surface`], the place where nginx runs, and switches the slots. It can send a [share](Nginx::share) of the clients to the standby
//! slot before that, and [hear](Nginx::listen) of each request that nginx passes to the app. It knows nothing of containers.
//!
//! ```no_run
//! use cutover_proxyconf::*;
//!
//! # async fn example(app: App) -> Result<(), Error> {
//! let nginx = Nginx {
//!     surface: HostNginx::default(),
//!     conf_dir: "/etc/nginx/conf.d".into(),
//!     state_dir: "/var/lib/cutover".into(),
//!     control: ([127, 0, 0, 1], 9180).into(),
//! };
//! let rendered = render(&app, nginx.surface.version().await?)?;
//! nginx.install(&rendered, &app.name).await?; // reloads only when something changed
//! let switched = nginx.switch(&app.name, Slot::Green).await?; // never reloads
//! assert!(matches!(nginx.observe(&app.name).await?, Serving::App { live: Slot::Green, .. }));
//! # Ok(())
//! # }
//! ```

mod address;
mod app;
mod client;
mod control;
mod directives;
mod disk;
mod dump;
mod ear;
mod error;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
mod generation;
mod host;
mod install;
mod name;
mod nginx;
mod render;
mod share;
mod site;
mod slot;
mod surface;
mod told;
mod version;
mod worker;

pub use address::Address;
pub use app::{
    App, Balance, Control, Exposure, Inherited, ProxySettings, Stickiness, Timeouts, Upstream, marker,
};
pub use control::{Absence, Answer, Ask, Serving};
pub use dump::Dump;
pub use ear::Ear;
pub use error::{Error, Stage};
pub use generation::Generation;
pub use host::HostNginx;
pub use install::Installed;
pub use name::AppName;
pub use nginx::{Nginx, Switched};
pub use render::{File, Rendered, check, render};
pub use site::{Listen, ServerName, Site, Tls};
pub use slot::{BySlot, Slot};
pub use surface::Surface;
pub use told::Told;
pub use version::NginxVersion;
pub use worker::Worker;

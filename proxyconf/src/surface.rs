//! Where nginx runs: its files and its commands.

use std::future::Future;
use std::path::Path;

use tokio::net::UnixDatagram;

use crate::{Dump, Error, NginxVersion};

/// Where nginx runs: its files and its commands.
///
/// [`HostNginx`](crate::HostNginx) is this machine; an implementation for a container maps the paths, which are as
/// nginx sees them. What other implementations fail of is told by [`Error::Surface`].
pub trait Surface: Send + Sync {
    /// The text of a file; `None` when it is absent.
    fn read(&self, path: &Path) -> impl Future<Output = Result<Option<String>, Error>> + Send;

    /// Writes a file, whole or not at all. Makes its parents; never follows a symlink in its place.
    fn write(&self, path: &Path, text: &str) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes a file; one that is absent is fine.
    fn remove(&self, path: &Path) -> impl Future<Output = Result<(), Error>> + Send;

    /// Whether a marker is there.
    fn marker_present(&self, path: &Path) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Makes a marker (and directories that nginx's workers can search) or unlinks it.
    fn set_marker(&self, path: &Path, present: bool) -> impl Future<Output = Result<(), Error>> + Send;

    /// The names of the files in a folder of markers, in no order; none where there is no such folder.
    fn markers(&self, folder: &Path) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// Binds a socket that nginx's workers can send datagrams to, and nobody else where that can be had. One that is there is
    /// replaced. [`Error::NotShared`] where nginx's files are not this machine's.
    fn bind(&self, path: &Path) -> impl Future<Output = Result<UnixDatagram, Error>> + Send;

    /// The version of nginx.
    fn version(&self) -> impl Future<Output = Result<NginxVersion, Error>> + Send;

    /// Has nginx check its configuration; [`Error::Refused`] when it finds fault.
    fn test(&self) -> impl Future<Output = Result<(), Error>> + Send;

    /// The configuration that nginx would load, whole: what `nginx -V -T` writes. [`Error::Refused`] when it finds fault.
    fn dump(&self) -> impl Future<Output = Result<Dump, Error>> + Send;

    /// Tells nginx to load its configuration anew. That it was told says nothing of what it serves.
    fn reload(&self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Whether nginx is running.
    fn running(&self) -> impl Future<Output = Result<bool, Error>> + Send;
}

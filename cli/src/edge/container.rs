//! nginx in a container: its files where they are mounted from, or copied in over the engine; its commands by exec.

use std::path::{Path, PathBuf};

use cutover_proxyconf::{Dump, Error, HostNginx, NginxVersion, Surface};
use cutover_runtime::{Container, Engine, UploadEntry, UploadKind};
use tokio::net::UnixDatagram;

/// An nginx in a container.
#[derive(Clone, Debug)]
pub struct ContainerNginx {
    engine: Engine,
    name: String,
    /// Folders of the container that are folders of this machine too, the longest path first.
    shared: Vec<(PathBuf, PathBuf)>,
    /// Its first process, where that is one of this machine's.
    master: Option<i32>,
    /// Writes files of this machine. Its commands are never called.
    files: HostNginx,
}

impl ContainerNginx {
    /// The nginx in this container. On an engine of this machine, folders mounted into it are written to directly.
    #[must_use]
    pub fn new(engine: &Engine, container: &Container) -> Self {
        let mut shared = Vec::new();
        if engine.is_local() {
            let here = |source: &Path| source.is_absolute() && source.is_dir();
            let mounts = container.mounts.iter().filter(|mount| here(Path::new(&mount.source)));
            shared.extend(mounts.map(|mount| (PathBuf::from(&mount.target), PathBuf::from(&mount.source))));
            shared.sort_by_key(|(target, _)| std::cmp::Reverse(target.components().count()));
        }
        let master = container.pid.filter(|_| engine.is_local());
        let files = HostNginx { binary: "/nonexistent".into(), conf: None };
        Self { engine: engine.clone(), name: container.name.clone(), shared, master, files }
    }

    /// Where a path of the container is on this machine, if it is mounted from here.
    #[must_use]
    pub fn on_this_machine(&self, path: &Path) -> Option<PathBuf> {
        self.shared.iter().find_map(|(target, source)| Some(source.join(path.strip_prefix(target).ok()?)))
    }

    /// The container's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn failed(&self, action: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::Surface { action: format!("{action} in the container {}", self.name), source: Box::new(error) }
    }

    async fn upload(&self, path: &Path, kind: UploadKind) -> Result<(), Error> {
        let relative = path.strip_prefix("/").unwrap_or(path);
        // Parents that are not there come with the archive; those that are keep what is in them.
        let mut entries: Vec<UploadEntry> = relative
            .ancestors()
            .skip(1)
            .filter(|folder| !folder.as_os_str().is_empty())
            .take(2)
            .map(|folder| UploadEntry {
                path: folder.to_string_lossy().into_owned(),
                kind: UploadKind::Directory { mode: 0o755 },
            })
            .collect();
        entries.reverse();
        entries.push(UploadEntry { path: relative.to_string_lossy().into_owned(), kind });
        let uploaded = self.engine.upload(&self.name, "/", &entries).await;
        uploaded.map_err(|error| self.failed(&format!("write {}", path.display()), error))
    }

    async fn nginx(&self, arguments: &[&str]) -> Result<String, Error> {
        let argv: Vec<&str> = std::iter::once("nginx").chain(arguments.iter().copied()).collect();
        let ran =
            self.engine.exec(&self.name, &argv).await.map_err(|error| self.failed("run nginx", error))?;
        let output = format!("{}{}", ran.stdout, ran.stderr);
        if ran.status == 0 { Ok(output) } else { Err(Error::Refused { output: output.trim().to_owned() }) }
    }
}

impl Surface for ContainerNginx {
    async fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        if let Some(path) = self.on_this_machine(path) {
            return self.files.read(&path).await;
        }
        match self.engine.download(&self.name, &path.to_string_lossy()).await {
            Ok(bytes) => Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())),
            // A directory: what `remove` leaves.
            Err(cutover_runtime::Error::Path { .. }) => Ok(None),
            Err(error) => Err(self.failed(&format!("read {}", path.display()), error)),
        }
    }

    async fn write(&self, path: &Path, text: &str) -> Result<(), Error> {
        match self.on_this_machine(path) {
            Some(path) => self.files.write(&path, text).await,
            None => {
                self.upload(path, UploadKind::File { bytes: text.as_bytes().to_vec(), mode: 0o644 }).await
            }
        }
    }

    async fn remove(&self, path: &Path) -> Result<(), Error> {
        if let Some(path) = self.on_this_machine(path) {
            return self.files.remove(&path).await;
        }
        if self.read(path).await?.is_none() {
            return Ok(());
        }
        // The engine cannot unlink, but it puts a directory in a file's place, and that is no file to nginx either:
        // not to `if (-f …)`, and `include *.conf` is given a file without a directive.
        let kind = if path.extension().is_some_and(|end| end == "conf") {
            UploadKind::File { bytes: Vec::new(), mode: 0o644 }
        } else {
            UploadKind::Directory { mode: 0o755 }
        };
        self.upload(path, kind).await
    }

    async fn marker_present(&self, path: &Path) -> Result<bool, Error> {
        match self.on_this_machine(path) {
            Some(path) => self.files.marker_present(&path).await,
            None => Ok(self.read(path).await?.is_some()),
        }
    }

    async fn set_marker(&self, path: &Path, present: bool) -> Result<(), Error> {
        match self.on_this_machine(path) {
            Some(path) => self.files.set_marker(&path, present).await,
            None if present => self.upload(path, UploadKind::File { bytes: Vec::new(), mode: 0o644 }).await,
            None => self.upload(path, UploadKind::Directory { mode: 0o755 }).await,
        }
    }

    async fn markers(&self, folder: &Path) -> Result<Vec<String>, Error> {
        if let Some(folder) = self.on_this_machine(folder) {
            return self.files.markers(&folder).await;
        }
        // A marker that was removed is a directory; see `remove`.
        let named = self.engine.file_names(&self.name, &folder.to_string_lossy()).await;
        named.map_err(|error| self.failed("look for markers", error))
    }

    async fn bind(&self, path: &Path) -> Result<UnixDatagram, Error> {
        match self.on_this_machine(path) {
            Some(path) => self.files.bind_for(&path, self.master).await,
            None => Err(Error::NotShared { path: path.to_owned() }),
        }
    }

    async fn version(&self) -> Result<NginxVersion, Error> {
        NginxVersion::parse_banner(&self.nginx(&["-v"]).await?)
    }

    async fn test(&self) -> Result<(), Error> {
        self.nginx(&["-t"]).await.map(drop)
    }

    async fn dump(&self) -> Result<Dump, Error> {
        Ok(Dump::parse(&self.nginx(&["-V", "-T"]).await?))
    }

    async fn reload(&self) -> Result<(), Error> {
        self.nginx(&["-s", "reload"]).await.map(drop)
    }

    async fn running(&self) -> Result<bool, Error> {
        let observed = self.engine.observe_container(&self.name).await;
        let container = observed.map_err(|error| self.failed("look for nginx", error))?;
        Ok(container.is_some_and(|container| container.state.is_running()))
    }
}

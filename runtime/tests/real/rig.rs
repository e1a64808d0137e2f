//! What the tests on a real engine stand on: an image of a small service, and names that are theirs alone.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use bollard::Docker;
use bollard::query_parameters as query;
use cutover_runtime::{Container, ContainerSpec, Endpoint, Engine, Restart};
use futures_util::TryStreamExt;

/// The port that the service listens on unless told.
pub(crate) const PORT: u16 = 8080;
const RUN: &str = "cutover.test.run";

/// An engine, an image of the service, and a name that begins all names. Everything made with it goes with it.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    /// The engine's API itself, for what the crate does not show.
    pub(crate) api: Docker,
    pub(crate) name: String,
    pub(crate) image: String,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with_changes(&[]).await
    }

    /// The image is changed as by the Dockerfile instructions given.
    pub(crate) async fn with_changes(changes: &[&str]) -> Self {
        let endpoint = Endpoint::default();
        let engine = match Engine::connect(&endpoint).await {
            Ok(engine) => engine,
            Err(e) => panic!("this test needs a Docker Engine at {endpoint}: {e}"),
        };
        let api =
            Docker::connect_with_unix("/var/run/docker.sock", 120, bollard::API_DEFAULT_VERSION).unwrap();
        let name = unique();
        let rig = Self { engine, api, image: format!("cutover-test/{name}:v1"), name };
        rig.import(changes).await;
        rig
    }

    async fn import(&self, changes: &[&str]) {
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_path_with_name(service(), "service").unwrap();
        let mut directory = tar::Header::new_gnu();
        directory.set_entry_type(tar::EntryType::Directory);
        directory.set_mode(0o1777);
        directory.set_size(0);
        archive.append_data(&mut directory, "tmp", &[][..]).unwrap();
        // A layer that no other image has, so that a pull has something to fetch.
        let mut own_file = tar::Header::new_gnu();
        own_file.set_mode(0o644);
        own_file.set_size(self.name.len() as u64);
        archive.append_data(&mut own_file, "name", self.name.as_bytes()).unwrap();
        let own = [
            "CMD [\"/service\"]".to_owned(),
            "LABEL cutover.test=1".to_owned(),
            format!("LABEL {RUN}={}", self.name),
        ];
        let options = query::CreateImageOptions {
            from_src: Some("-".into()),
            repo: self.image.split(':').next().map(str::to_owned),
            tag: Some("v1".into()),
            changes: changes.iter().map(|&change| change.to_owned()).chain(own).collect(),
            ..Default::default()
        };
        let body = bollard::body_full(archive.into_inner().unwrap().into());
        let made = self.api.create_image(Some(options), Some(body), None);
        made.try_collect::<Vec<_>>().await.expect("the engine imports the service's image");
    }

    /// A container's specification with names and labels of this rig; killed at once when stopped, started once.
    pub(crate) fn spec(&self, name: &str) -> ContainerSpec {
        let mut spec = ContainerSpec::new(format!("{}-{name}", self.name), &self.image);
        spec.labels = self.labels();
        spec.restart = Restart::No;
        spec.stop_signal = Some("KILL".into());
        spec
    }

    pub(crate) fn labels(&self) -> std::collections::BTreeMap<String, String> {
        [("cutover.test", "1"), (RUN, &self.name)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    /// Creates and starts it, and looks at what came of it.
    pub(crate) async fn run(&self, spec: &ContainerSpec) -> Container {
        let id = self.engine.create_container(spec).await.unwrap();
        self.engine.start(&id).await.unwrap();
        self.engine.observe_container(&id).await.unwrap().unwrap()
    }

    /// Runs the service in that mode, and returns it with the address to ask it at.
    pub(crate) async fn serve(&self, mode: &str) -> (Container, std::net::SocketAddr) {
        let mut spec = self.spec("web");
        spec.env = vec![("MODE".into(), mode.into())];
        let container = self.run(&spec).await;
        // One that ended already has no address any more, and needs none.
        let address = container.networks[0].address.unwrap_or([127, 0, 0, 1].into());
        (container, (address, PORT).into())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let (api, run) = (self.api.clone(), format!("{RUN}={}", self.name));
        let swept = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(sweep(&api, &run)).unwrap();
        });
        // A panic within a panic would end all tests; the first one is the one to see, and says more.
        assert!(swept.join().is_ok() || std::thread::panicking(), "could not sweep up after {}", self.name);
    }
}

/// Removes what bears the label of this run: the containers first, which hold the rest.
async fn sweep(api: &Docker, run: &str) -> Result<(), bollard::errors::Error> {
    let filters = Some([("label".to_owned(), vec![run.to_owned()])].into());
    let all = query::ListContainersOptions { all: true, filters: filters.clone(), ..Default::default() };
    for container in api.list_containers(Some(all)).await? {
        let force = query::RemoveContainerOptions { force: true, v: true, ..Default::default() };
        api.remove_container(&container.id.unwrap(), Some(force)).await?;
    }
    for network in api.list_networks(Some(query::ListNetworksOptions { filters: filters.clone() })).await? {
        api.remove_network(&network.id.unwrap()).await?;
    }
    let images = query::ListImagesOptions { filters, ..Default::default() };
    for image in api.list_images(Some(images)).await? {
        let force = query::RemoveImageOptions { force: true, ..Default::default() };
        api.remove_image(&image.id, Some(force), None).await?;
    }
    Ok(())
}

/// A name that no other run has.
pub(crate) fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut hasher = DefaultHasher::new();
    (SystemTime::now(), std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)).hash(&mut hasher);
    format!("rt{:016x}", hasher.finish())
}

/// The service as a static binary, made once for its source.
pub(crate) fn service() -> &'static PathBuf {
    static SERVICE: OnceLock<PathBuf> = OnceLock::new();
    SERVICE.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rig/service.rs");
        let mut hasher = DefaultHasher::new();
        std::fs::read(source).unwrap().hash(&mut hasher);
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let made = target.join(format!("service-{:016x}", hasher.finish()));
        if !made.exists() {
            let part = target.join(unique());
            let args = ["-O", "--edition=2024", "-C", "target-feature=+crt-static", "-C", "strip=symbols"];
            let built = Command::new("rustc").args(args).arg(source).arg("-o").arg(&part).status();
            assert!(built.expect("this test needs rustc").success(), "rustc could not build {source}");
            std::fs::rename(part, &made).unwrap();
        }
        made
    })
}

/// Looks every few milliseconds until it is so, and fails after 10 s.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut so: impl FnMut() -> F) {
    let looking = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking)
        .await
        .unwrap_or_else(|_| panic!("never came: {what}"));
}

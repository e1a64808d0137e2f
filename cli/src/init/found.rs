//! What a folder says of the app in it.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use cutover_proxyconf::AppName;
use cutover_registry::ImageRef;

use super::choice::Health;
use super::dockerfile::Dockerfile;
use crate::commit::Commit;
use crate::compose::{Glance, glance};
use crate::git::git;

/// The names of compose files, the preferred one first; Compose specification, "Compose file".
const COMPOSE_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// What was found. Nothing of it is asked of a network.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The folder's name, as an app's.
    pub name: Option<AppName>,
    /// The package of the git remote's repository: on GHCR, or in GitLab's registry.
    pub image: Option<ImageRef>,
    /// Its Dockerfile.
    pub dockerfile: Option<Dockerfile>,
    /// The service of its compose file that the app is, and the file's name.
    pub service: Option<(String, Glance)>,
    /// Whether the git remote is on GitHub.
    pub on_github: bool,
    /// The remote's default branch.
    pub branch: Option<String>,
    /// The top folder of the repository, and the way from there to this folder; empty where they are one.
    pub repository: Option<(PathBuf, PathBuf)>,
}

impl Found {
    /// Looks at a folder. Runs git.
    #[must_use]
    pub fn observe(folder: &Path) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let top = git(&folder, &["rev-parse", "--show-toplevel"]).filter(|top| !top.is_empty());
        let repository = top.map(PathBuf::from).and_then(|top| {
            let below = folder.strip_prefix(&top).ok()?.to_owned();
            Some((top, below))
        });
        let source = Commit::observe(&folder).source;
        let below = repository.as_ref().map_or(Path::new(""), |(_, below)| below);
        let text = std::fs::read_to_string(folder.join("Dockerfile")).ok();
        Self {
            name: folder.file_name().and_then(|name| app_name(&name.to_string_lossy())),
            image: source.as_deref().and_then(|source| package(source, below)),
            dockerfile: text.as_deref().map(Dockerfile::parse),
            service: service(&folder),
            on_github: source.is_some_and(|source| source.starts_with("https://github.com/")),
            branch: branch(&folder),
            repository,
        }
    }

    /// The port, where there is one and no other: the service's, or else the Dockerfile's.
    pub(super) fn port(&self) -> Option<NonZeroU16> {
        let of_service = self.service.as_ref().map(|(_, service)| service.ports.as_slice());
        let of_dockerfile = self.dockerfile.as_ref().map(|dockerfile| dockerfile.ports.as_slice());
        match of_service.filter(|ports| !ports.is_empty()).or(of_dockerfile)? {
            [port] => Some(*port),
            _ => None,
        }
    }

    /// The image: the service's where nothing is built, or else the repository's package.
    pub(super) fn image(&self) -> Option<ImageRef> {
        let of_service = self.service.as_ref().filter(|(_, service)| service.context.is_none());
        let of_service = of_service.and_then(|(_, service)| service.image.as_ref()?.parse().ok());
        of_service.or_else(|| self.image.clone())
    }

    /// The Dockerfile's health check.
    pub(super) fn health(&self) -> Option<Health> {
        self.dockerfile.as_ref()?.health.clone()
    }
}

/// The service that is built from this very folder, or the only one that there is.
fn service(folder: &Path) -> Option<(String, Glance)> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let (file, text) = COMPOSE_FILES.iter().find_map(|name| Some((*name, read(name)?)))?;
    let services = glance(&text);
    let here = |service: &&Glance| matches!(service.context.as_deref(), Some("." | "./"));
    let mut built = services.iter().filter(here);
    let fits = match (built.next(), built.next(), services.as_slice()) {
        (Some(built), None, _) => built,
        (None, None, [only]) => only,
        _ => return None,
    };
    Some((file.to_owned(), fits.clone()))
}

/// The name with everything that an app's may not have as `-`.
fn app_name(name: &str) -> Option<AppName> {
    let name: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.trim_matches('-');
    name.get(..name.len().min(AppName::MAX_LEN))?.trim_end_matches('-').parse().ok()
}

/// The package of a repository, and of a folder in it: `ghcr.io/acme/shop/web`.
fn package(source: &str, below: &Path) -> Option<ImageRef> {
    let (host, path) = source.strip_prefix("https://")?.split_once('/')?;
    let registry = match host {
        "github.com" => "ghcr.io",
        "gitlab.com" => "registry.gitlab.com",
        _ => return None,
    };
    // A repository's name may have capitals, a package's may not.
    let names = [path].into_iter().chain(below.iter().filter_map(|part| part.to_str()));
    let path = names.collect::<Vec<_>>().join("/").to_lowercase();
    format!("{registry}/{path}").parse().ok()
}

fn branch(folder: &Path) -> Option<String> {
    let of_remote = git(folder, &["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]);
    let of_remote = of_remote.and_then(|name| Some(name.strip_prefix("origin/")?.to_owned()));
    // Without a remote that says so, the branch that is checked out may be for one change only.
    let usual = || {
        let here = git(folder, &["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        ["main", "master", "trunk"].contains(&here.as_str()).then_some(here)
    };
    of_remote.or_else(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_name_becomes_an_apps() {
        let name = |name: &str| app_name(name).map(|name| name.to_string());
        assert_eq!(name("My_Shop.v2").as_deref(), Some("my-shop-v2"));
        assert_eq!(name("-web-").as_deref(), Some("web"));
        assert_eq!(name("a-very-long-name-of-a-shop-that-goes-on").unwrap().len(), 28);
        assert_eq!(name("가게"), None);
    }

    #[test]
    fn a_service_fits_that_is_built_here_or_has_no_other_beside_it() {
        let of = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("compose.yml"), text).unwrap();
            service(folder.path()).map(|(file, service)| format!("{file} {}", service.name))
        };
        let (web, admin, db) =
            ("  web: { build: . }\n", "  admin: { build: ./admin }\n", "  db: { image: db }\n");
        assert_eq!(of(&format!("services:\n{db}{admin}{web}")).as_deref(), Some("compose.yml web"));
        assert_eq!(of(&format!("services:\n{db}")).as_deref(), Some("compose.yml db"));
        assert_eq!(of(&format!("services:\n{db}{admin}")), None);
        assert_eq!(of(&format!("services:\n{web}{}", web.replace("web", "worker"))), None);
    }

    #[test]
    fn a_repository_has_its_package_where_the_registry_is_known() {
        let of = |source: &str, below: &str| package(source, Path::new(below)).map(|image| image.to_string());
        assert_eq!(of("https://github.com/Acme/Web", "").as_deref(), Some("ghcr.io/acme/web:latest"));
        assert_eq!(
            of("https://github.com/acme/shop", "apps/Web").as_deref(),
            Some("ghcr.io/acme/shop/apps/web:latest")
        );
        assert_eq!(of("https://gitlab.com/a/b/c", "").as_deref(), Some("registry.gitlab.com/a/b/c:latest"));
        assert_eq!(of("https://git.example.com/acme/web", ""), None);
    }
}

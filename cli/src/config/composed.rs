//! The compose files that a configuration names: read, and put where it says nothing.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::File;
use super::{Invalid, Source};
use crate::compose::{self, Service, dotenv};

/// The services that the apps of a file take.
pub(super) struct Composed {
    services: Vec<Placed>,
}

/// An app's service.
struct Placed {
    app: String,
    service: Service,
    /// The byte at which places of its file start.
    offset: usize,
}

impl Composed {
    /// Reads the service of each app that names one. Each file becomes part of the source.
    pub(super) fn read(source: &mut Source, path: &Path, root: &DeTable<'_>) -> Result<Self, Invalid> {
        let base = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut services = Vec::new();
        for (name, app) in tables(root) {
            let Some(named) = entry(app, "compose").and_then(|value| value.get_ref().as_table()) else {
                continue;
            };
            let of = |key: &str| {
                let value = entry(named, key)?;
                Some((value.get_ref().as_str()?, value.span()))
            };
            // What is left out, or no text, is told with all other keys.
            let (Some((file, place)), Some((service, _))) = (of("file"), of("service")) else { continue };
            let file = if base == Path::new(".") { PathBuf::from(file) } else { base.join(file) };
            let text = std::fs::read_to_string(&file).map_err(|error| {
                let problem = format!("the compose file {} cannot be read: {error}", file.display());
                source.invalid(place, problem, Some("the path is looked up beside the configuration"))
            })?;
            let variables = variables(source, &file)?;
            let own = |name: &str| std::env::var(name).ok();
            let known = |name: &str| {
                let of_file = || variables.iter().rev().find(|(there, _)| there == name);
                own(name).or_else(|| of_file().map(|(_, value)| value.clone()))
            };
            let mut service = compose::read(&file, &text, service, &known)?;
            service.give_way(app);
            let offset = source.join(service.source().clone());
            services.push(Placed { app: name.to_owned(), service, offset });
        }
        Ok(Self { services })
    }

    /// The tables, with what the services say where they say nothing.
    pub(super) fn fill<'i>(&'i self, root: Spanned<DeTable<'i>>) -> Spanned<DeTable<'i>> {
        let span = root.span();
        let mut root = root.into_inner();
        for placed in &self.services {
            let apps =
                root.iter_mut().find(|(key, _)| key.get_ref() == "apps").map(|(_, apps)| apps.get_mut());
            let Some(DeValue::Table(apps)) = apps else { continue };
            let app = apps.iter_mut().find(|(key, _)| key.get_ref() == placed.app.as_str());
            if let Some(DeValue::Table(app)) = app.map(|(_, app)| app.get_mut()) {
                compose::fill(app, &placed.service, placed.offset);
            }
        }
        Spanned::new(span, root)
    }

    /// Gives each app what its service says besides; what is to be told.
    pub(super) fn give(self, file: &mut File) -> Vec<Invalid> {
        let mut warnings = Vec::new();
        for Placed { app, mut service, offset } in self.services {
            warnings.append(&mut service.warnings);
            for file in &mut service.env_files {
                file.span = offset + file.span.start..offset + file.span.end;
            }
            if let Some((_, table)) = file.apps.iter_mut().find(|(name, _)| name.as_str() == app) {
                table.service = Some(service);
            }
        }
        warnings
    }
}

fn tables<'t, 'i>(root: &'t DeTable<'i>) -> impl Iterator<Item = (&'t str, &'t DeTable<'i>)> {
    let apps = entry(root, "apps").and_then(|apps| apps.get_ref().as_table()).into_iter().flatten();
    apps.filter_map(|(name, app)| Some((name.get_ref().as_ref(), app.get_ref().as_table()?)))
}

fn entry<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
}

/// The variables of the file `.env` beside a compose file, if there is one.
fn variables(source: &Source, file: &Path) -> Result<Vec<(String, String)>, Invalid> {
    let path = file.with_file_name(".env");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let problem = format!("the file {} cannot be read: {error}", path.display());
            return Err(source.invalid(
                0..0,
                problem,
                Some("Compose takes variables from it: let this user read it"),
            ));
        }
    };
    dotenv::read(&text, &|name| std::env::var(name).ok()).map_err(|broken| {
        let problem = format!("{}:{}: {}", path.display(), broken.line, broken.problem);
        source.invalid(0..0, problem, Some("write NAME=value, or start the line with #"))
    })
}

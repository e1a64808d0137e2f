//! The table of an app's build.

use std::path::{Component, Path};

use super::{Check, Checked};
use crate::config::app::App;
use crate::config::build::Build;

impl Check<'_> {
    pub(super) fn build(&self, name: &str, app: &App) -> Checked {
        let Some(build) = &app.build else { return Ok(()) };
        let path = ["apps", name, "image"];
        if app.image.digest().is_some() {
            let problem = "an image that is built has no digest yet";
            return Err(self.at(
                &path,
                problem,
                "name the tag it is pushed to, such as \"ghcr.io/acme/web:latest\"",
            ));
        }
        self.inside(name, build)?;
        self.names(name, build)
    }

    /// The Dockerfile is sent with the context.
    fn inside(&self, name: &str, build: &Build) -> Checked {
        let outside = |path: &Path| {
            path.is_absolute() || path.components().any(|part| matches!(part, Component::ParentDir))
        };
        if !outside(&build.dockerfile.value) {
            return Ok(());
        }
        let problem = format!("{} is not in the context", build.dockerfile.value.display());
        let mend =
            "write a path below `context`, or widen the context and name what it leaves out in .dockerignore";
        Err(self.at(&["apps", name, "build", "dockerfile"], problem, mend))
    }

    fn names(&self, name: &str, build: &Build) -> Checked {
        for arg in build.args.keys().filter(|arg| arg.is_empty() || arg.contains(['=', '\0'])) {
            let path = ["apps", name, "build", "args", arg];
            let problem = format!("`{}` is no name of a build argument", arg.escape_debug());
            return Err(self.key(&path, problem, "write a name without `=`"));
        }
        let is_id =
            |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        for id in build.secrets.keys().filter(|id| !is_id(id)) {
            let path = ["apps", name, "build", "secrets", id];
            let problem = format!("`{}` is no id of a secret", id.escape_debug());
            return Err(self.key(&path, problem, "an id has letters, digits and any of `_.-`"));
        }
        for platform in &build.platforms {
            let twice = build.platforms.iter().filter(|other| other == &platform).count() > 1;
            if twice {
                let problem = format!("the platform {} is named twice", platform.get());
                let text = platform.get().to_string();
                return Err(self.element(
                    &["apps", name, "build", "platforms"],
                    &text,
                    problem,
                    "name it once",
                ));
            }
        }
        Ok(())
    }
}

//! Someone who has not used cutover yet: a folder with a Dockerfile, a login at a registry, and an nginx in a container.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::error::{Doing as _, Result, unexpected};
use super::image::service_binary;
use super::needs;
use super::run;
use super::stage::{Nginx, Stage};

/// A newcomer, and the machine they work at. All of it goes on drop.
#[derive(Debug)]
pub struct Newcomer {
    /// The registry and the nginx, and the app's name; its own `cutover.toml` is not used.
    pub stage: Stage,
    folder: TempDir,
    bin: TempDir,
}

impl Newcomer {
    /// Sets the stage, and makes a folder with a Dockerfile of the example service in its version 1.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start(program: impl AsRef<Path>) -> Result<Self> {
        let program = program.as_ref();
        let stage = Stage::in_container(program, needs::nginx()).await?;
        let (folder, bin) = (TempDir::new().doing("make a folder")?, TempDir::new().doing("make a folder")?);
        std::os::unix::fs::symlink(program, bin.path().join("cutover")).doing("link the program")?;
        std::fs::copy(service_binary().await?, folder.path().join("service")).doing("copy the service")?;
        let newcomer = Self { stage, folder, bin };
        newcomer.write_dockerfile(&[("VERSION", "1")])?;
        Ok(newcomer)
    }

    /// The app's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the Dockerfile anew, with these settings of the example service in its environment.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_dockerfile(&self, settings: &[(&str, &str)]) -> Result<()> {
        let [test, ours] = run::labels();
        let settings: String = settings.iter().map(|(name, value)| format!("ENV {name}={value}\n")).collect();
        let text = format!(
            "FROM scratch\nLABEL {test} {ours}\nCOPY service /service\n{settings}ENV PORT=8080\nEXPOSE $PORT\n\
             ENTRYPOINT [\"/service\"]\n"
        );
        let path = self.folder.path().join("Dockerfile");
        std::fs::write(&path, text).doing(format!("write {}", path.display()))
    }

    /// Where nginx is, in the words of `cutover init --nginx`.
    ///
    /// # Errors
    /// When it is not in a container.
    pub fn nginx(&self) -> Result<String> {
        match &self.stage.nginx {
            Nginx::Container(nginx) => Ok(format!("container:{}", nginx.name())),
            Nginx::Host(_) => Err(unexpected("the nginx", "is of the host")),
        }
    }

    /// Adds the stage's own network to the `cutover.toml` in the folder: the one that is the default is shared by all of the
    /// machine.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn keep_apart(&self) -> Result<()> {
        let path = self.folder.path().join("cutover.toml");
        let read = |path: &Path| std::fs::read_to_string(path).doing(format!("read {}", path.display()));
        let (mut text, of_stage) = (read(&path)?, read(&self.stage.config())?);
        let table = of_stage.split("\n\n").find(|table| table.trim_start().starts_with("[network]"));
        text.push_str(&format!("\n{}\n", table.unwrap_or_default().trim()));
        std::fs::write(&path, text).doing(format!("write {}", path.display()))
    }

    /// The environment of their shell: `cutover` on the path, and a login at the registry.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let of_ours = std::env::var("PATH").unwrap_or_default();
        let mut environment = vec![
            ("PATH".to_owned(), format!("{}:{of_ours}", self.bin.path().display())),
            ("HOME".to_owned(), self.folder.path().display().to_string()),
            ("DOCKER_CONFIG".to_owned(), self.stage.registry.docker_config().display().to_string()),
        ];
        environment.extend(std::env::var("DOCKER_HOST").map(|host| ("DOCKER_HOST".to_owned(), host)));
        environment
    }

    /// `cutover` with these arguments, in the folder; its stdout.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub fn cutover(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.bin.path().join("cutover"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().envs(self.environment());
        super::process::output(&mut command)
    }
}

//! An image of an nginx of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::context::Context;
use crate::rig::error::{Result, unexpected};
use crate::rig::{docker, process, run};

/// Where `http` includes its files from in the container.
pub(in crate::rig) const CONF_DIR: &str = "/etc/nginx/conf.d";

/// Where the markers are in the container.
pub(in crate::rig) const STATE_DIR: &str = "/var/lib/cutover";

/// Where the error log is in the container.
pub(in crate::rig) const LOG_DIR: &str = "/var/log/nginx";

/// What the loader reads besides what `ldd` names, where it is there: users are looked up with it.
const LOOKUP: [&str; 2] =
    ["/lib/x86_64-linux-gnu/libnss_files.so.2", "/lib/aarch64-linux-gnu/libnss_files.so.2"];

/// An image of an nginx with its libraries and a configuration that includes `/etc/nginx/conf.d/*.conf`.
///
/// Removed on drop, unless a container still uses it.
#[derive(Debug)]
pub struct NginxImage {
    name: String,
}

impl NginxImage {
    /// Builds an image of `binary` under a random name.
    ///
    /// # Errors
    ///
    /// When the binary or one of its libraries cannot be read, or the engine refuses the image.
    pub async fn build(binary: impl AsRef<Path>) -> Result<Self> {
        let binary = binary.as_ref();
        let name = format!("cutover-test/nginx:{}", run::random());
        let mut context = Context::new();
        context.file("root/usr/sbin/nginx", binary)?;
        for library in libraries(binary)? {
            context.file(&format!("root{}", library.display()), &library)?;
        }
        for library in LOOKUP.iter().map(Path::new).filter(|library| library.exists()) {
            context.file(&format!("root{}", library.display()), library)?;
        }
        for (path, text) in [
            (
                "/etc/passwd",
                "root:x:0:0::/:/none\nnginx:x:101:101::/:/none\nwww-data:x:33:33::/:/none\nnobody:x:65534:65534::/:/none\n",
            ),
            ("/etc/group", "root:x:0:\nnginx:x:101:\nwww-data:x:33:\nnogroup:x:65534:\nnobody:x:65534:\n"),
            ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
            ("/etc/nginx/nginx.conf", CONFIGURATION),
            ("/etc/nginx/mime.types", "types { text/html html; text/plain txt; }\n"),
        ] {
            context.bytes(&format!("root{path}"), 0o644, text.as_bytes())?;
        }
        for directory in [
            CONF_DIR,
            STATE_DIR,
            LOG_DIR,
            "/var/lib/nginx",
            "/var/lock",
            "/run",
            "/var/run",
            "/tmp",
            "/var/tmp",
        ] {
            context.directory(&format!("root{directory}"))?;
        }
        context.instruction("COPY root/ /");
        context.instruction("STOPSIGNAL SIGQUIT");
        context.instruction(
            r#"CMD ["/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf", "-e", "stderr", "-g", "daemon off;"]"#,
        );
        context.build(&name).await?;
        Ok(Self { name })
    }

    /// Its name with its tag.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for NginxImage {
    fn drop(&mut self) {
        drop(docker::run_blocking(&["rmi", &self.name]));
    }
}

const CONFIGURATION: &str = "\
worker_processes 2;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log notice;
events { worker_connections 4096; }
http {
    include /etc/nginx/mime.types;
    access_log off;
    include /etc/nginx/conf.d/*.conf;
}
";

/// The libraries of an executable and its loader, by `ldd`; none for a static one.
pub(super) fn libraries(binary: &Path) -> Result<Vec<PathBuf>> {
    let mut command = Command::new("ldd");
    let output = command.arg(binary).output();
    let output = output.map_err(|error| unexpected(format!("ldd {}", binary.display()), error))?;
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    if String::from_utf8_lossy(&said).contains("not a dynamic executable") {
        return Ok(Vec::new());
    }
    let text = process::checked(process::show(&command), &output)?;
    if let Some(line) = text.lines().find(|line| line.contains("not found")) {
        return Err(unexpected(binary.display(), line.trim()));
    }
    Ok(text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect())
}

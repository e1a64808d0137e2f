//! A real registry.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cutover_runtime::Credentials;

use crate::rig::until;

/// In every alignment it has a byte group whose base64 differs between the standard and the URL-safe alphabet.
pub(crate) const PASSWORD: &str = "~?>~?>~?>";
/// The password's bcrypt hash, with the least cost there is.
const HTPASSWD: &str = "deploy:$2b$04$abcdefghijklmnopqrstuuyExo9zVl5YXEBnDKRS/uXCucgBjonM6\n";

/// A `docker-registry` over a directory, with basic auth or without. It ends with its owner.
pub(crate) struct Registry {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Registry {
    pub(crate) async fn start(directory: &Path, auth: bool) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (storage, users) = (directory.join("data"), directory.join("htpasswd"));
        std::fs::write(&users, HTPASSWD).unwrap();
        let mut config = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: \"{address}\" }}\n",
            storage.display()
        );
        if auth {
            config += &format!("auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n", users.display());
        }
        let file = directory.join(format!("{}.yml", address.port()));
        std::fs::write(&file, config).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let registry = Self { process: process.expect("this test needs Debian's docker-registry"), address };
        until("the registry", || async { TcpStream::connect(address).is_ok() }).await;
        registry
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("the registry ends");
    }
}

/// Who the registry knows, with that password.
pub(crate) fn deploy(password: &str) -> Credentials {
    Credentials { username: "deploy".into(), password: password.into() }
}

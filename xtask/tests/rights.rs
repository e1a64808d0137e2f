//! The least rights: an account that may use the engine, and owns the folders that are written.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use xtask::rig::account::Account;
use xtask::rig::nginx::{ContainerNginx, HostNginx};
use xtask::rig::session::Session;
use xtask::rig::stage::{Nginx, Ran, Stage};
use xtask::rig::{needs, place};

const LONG: Duration = Duration::from_secs(180);
const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

/// A stage, and the account that plays on it.
struct Play {
    stage: Stage,
    account: Account,
    home: PathBuf,
}

impl Play {
    async fn new(nginx: Nginx, account: Account) -> Self {
        let stage = Stage::behind(PROGRAM, nginx).await.unwrap();
        let home = stage.config().parent().unwrap().to_owned();
        // Where the program was built nobody else may be able to go.
        std::fs::copy(PROGRAM, home.join("cutover")).unwrap();
        // A shell that is called leaves a word of it.
        for shell in ["sh", "bash", "dash"] {
            let text = format!(
                "#!/bin/bash\necho \"$0 $*\" >> {}/shells\nexec /bin/{shell} \"$@\"\n",
                home.display()
            );
            std::fs::write(home.join(shell), text).unwrap();
            set_permissions(home.join(shell), Permissions::from_mode(0o755)).unwrap();
        }
        Self { stage, account, home }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let given = self.stage.command(arguments);
        let mut command = Command::new(self.home.join("cutover"));
        command.args(given.get_args()).env_clear().current_dir(&self.home);
        command.envs(given.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.home.display()));
        self.account.run(&mut command);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        Session::start(self.command(arguments)).unwrap().end(LONG).await.unwrap()
    }

    fn folders(&self) -> [PathBuf; 2] {
        match &self.stage.nginx {
            Nginx::Host(nginx) => [nginx.conf_dir(), nginx.state_dir()],
            Nginx::Container(nginx) => [nginx.conf_dir(), nginx.state_dir()],
        }
    }

    /// Two releases, the backup, and back again; then links are planted.
    async fn goes_well(mut self) {
        let one = self.stage.release("1", &[]).await.unwrap();
        let two = self.stage.release("2", &[]).await.unwrap();
        self.account.give(&self.home).unwrap();
        let mut first = Session::start(self.command(&["deploy", "--image", &one])).unwrap();
        first.tells_lines(1, LONG).await.unwrap();
        let process = std::fs::metadata(format!("/proc/{}/environ", first.pid())).unwrap();
        assert_eq!(process.uid(), 0, "another process of the user can read its environment");
        first.end(LONG).await.unwrap().exits(0);
        self.run(&["deploy", "--image", &two]).await.exits(0);
        self.run(&["backup"]).await.exits(0);
        let back = self.run(&["rollback", "--json"]).await.exits(0).json();
        assert_eq!(back["live"], self.run(&["status", "--json"]).await.exits(0).json()["live"]);
        let (status, body) = self.stage.page(self.stage.site(), "localhost", "/").await.unwrap();
        assert_eq!((status, body.trim()), (200, "version 1"), "{back}");
        for folder in self.folders() {
            let mut files = Vec::new();
            walk(&folder, &mut files);
            assert!(!files.is_empty());
            for file in files {
                let found = file.symlink_metadata().unwrap();
                assert_eq!(found.uid(), self.account.uid(), "{}", file.display());
                assert_eq!(found.mode() & 0o022, 0, "{} can be written by others", file.display());
            }
        }
        self.links_are_not_followed(&one).await;
        let called = std::fs::read_to_string(self.home.join("shells")).unwrap_or_default();
        assert_eq!(called, "", "a shell was called");
    }

    /// A link in the place of each file that is written, and of the app's folder.
    async fn links_are_not_followed(&self, image: &str) {
        let [conf, state] = self.folders();
        let own = state.join(&self.stage.app);
        let site = format!("cutover-{}.conf", self.stage.app);
        let target = self.home.join("target");
        std::fs::write(&target, "theirs").unwrap();
        self.account.give(&target).unwrap();
        for path in [
            own.join("lock"),
            own.join("history.jsonl"),
            own.join("green"),
            conf.join(&site),
            conf.join(format!(".{site}.cutover-old")),
            own.clone(),
        ] {
            let aside = self.home.join("aside");
            let there = std::fs::rename(&path, &aside).is_ok();
            symlink(if path == own { &self.home } else { &target }, &path).unwrap();
            let ran = self.run(&["deploy", "--image", image]).await;
            // A container does not see what the link leads to: then the marker is not there, and need not be.
            let idle = path.ends_with("green") && ran.stderr.contains("nothing to do");
            let told = ran.stderr.contains("a symbolic link stands there");
            assert!(told || idle, "{}: {}", path.display(), ran.stderr);
            assert_eq!(std::fs::read_to_string(&target).unwrap(), "theirs", "{}", path.display());
            std::fs::remove_file(&path).unwrap();
            if there {
                std::fs::rename(&aside, &path).unwrap();
            }
        }
        assert!(!self.home.join("lock").exists() && !self.home.join("history.jsonl").exists());
        self.run(&["deploy", "--image", image]).await.exits(0);
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        files.push(path.clone());
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_the_docker_group_deploys_behind_an_nginx_in_a_container() {
    let nginx = ContainerNginx::start_binary(needs::nginx()).await.unwrap();
    let account = Account::new().unwrap();
    set_permissions(nginx.conf_dir().parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    for folder in [nginx.conf_dir(), nginx.state_dir()] {
        account.give(&folder).unwrap();
    }
    Play::new(Nginx::Container(nginx), account).await.goes_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_the_docker_group_deploys_behind_an_nginx_of_the_host_that_it_runs_itself() {
    let account = Account::new().unwrap();
    let nginx = HostNginx::start_as(needs::nginx(), account).await.unwrap();
    Play::new(Nginx::Host(nginx), account).await.goes_well().await;
}

#[test]
fn no_program_is_run_but_nginx_git_and_what_the_user_names() {
    let mut files = Vec::new();
    for krate in ["registry", "runtime", "proxyconf", "notify", "cli"] {
        walk(&place::workspace().join(krate).join("src"), &mut files);
    }
    let mut run = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "rs")) {
        let text = std::fs::read_to_string(file).unwrap();
        run.extend(
            text.split("Command::new(")
                .skip(1)
                .map(|rest| rest.split([')', '(']).next().unwrap_or_default().to_owned()),
        );
    }
    run.sort();
    assert_eq!(run, ["\"git\"", "&self.binary", "program", "self.program"]);
}

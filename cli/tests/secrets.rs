//! A secret's value is in no output, however much is told and whatever fails.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::sandbox::{Ran, Sandbox};

const CANARY: &str = "canary-5ecr3t";

/// `acme:canary-5ecr3t`, as basic authentication sends it.
const ENCODED: &str = "YWNtZTpjYW5hcnktNWVjcjN0";

fn assert_kept(ran: &Ran) {
    let told = ran.to_string();
    assert!(!told.contains(CANARY) && !told.contains(ENCODED), "the secret is told: {told}");
    assert!(!told.contains(&CANARY[7..]), "a part of the secret is told: {told}");
}

/// An app with the canary in its environment from each kind of source.
fn config(more: &str, digest: bool) -> String {
    let reference = if digest { format!("@sha256:{}", "a".repeat(64)) } else { ":1".to_owned() };
    format!(
        "{more}\n[apps.web]\nimage = \"127.0.0.1:1/acme/web{reference}\"\nport = 80\nenv_files = [\"app.env\"]\n\
         env = {{ A = {{ env = \"CANARY\" }}, B = {{ file = \"canary\" }}, C = {{ command = [\"cat\", \"canary\"] }} }}\n"
    )
}

fn sandbox(config: &str) -> Sandbox {
    let sandbox =
        Sandbox::with(config).env("CANARY", CANARY).env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    sandbox.write("canary", format!("{CANARY}\n"));
    sandbox.write("app.env", format!("D={CANARY}\n"));
    sandbox
}

/// A peer that answers every request with this status line, and what it was asked.
fn peer(status: &'static str) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                request.extend(byte);
            }
            let answer = format!(
                "HTTP/1.1 {status}\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            // A peer that went away shows in what it was told.
            drop(stream.write_all(answer.as_bytes()));
            if asked.send(String::from_utf8_lossy(&request).into_owned()).is_err() {
                return;
            }
        }
    });
    (address, heard)
}

/// Whether any request so far holds this.
fn heard(requests: &Receiver<String>, words: &str) -> bool {
    let deadline = Duration::from_secs(5);
    std::iter::from_fn(|| requests.recv_timeout(deadline).ok()).any(|request| request.contains(words))
}

#[test]
fn an_engine_that_is_not_there_is_told_without_the_secrets() {
    let sandbox = sandbox(&config("", true));
    for command in ["plan", "deploy", "ship"] {
        for how in ["-vv", "--json", "-q"] {
            let ran = sandbox.run(&[command, how]);
            assert_eq!(ran.status, Some(3), "{ran}");
            assert_kept(&ran);
        }
    }
}

#[test]
fn a_registry_that_refuses_the_password_is_told_without_it() {
    let (address, requests) = peer("401 Unauthorized");
    let registry =
        format!("[registry.\"{address}\"]\nusername = \"acme\"\npassword = {{ file = \"canary\" }}\n");
    let sandbox = sandbox(&config(&registry, true));
    let image = format!("{address}/acme/web:1");
    for arguments in [["image", "resolve", &image, "-vv"], ["plan", "--image", &image, "-vv"]] {
        let ran = sandbox.run(&arguments);
        assert_eq!(ran.status, Some(3), "{ran}");
        assert_kept(&ran);
    }
    assert!(heard(&requests, ENCODED), "the registry was never told the password: this test shows nothing");
}

#[test]
fn a_registry_that_is_not_there_is_told_without_the_password() {
    let registry = "[registry.\"127.0.0.1:1\"]\nusername = \"acme\"\npassword = { env = \"CANARY\" }\n";
    let ran = sandbox(&config(registry, false)).run(&["deploy", "-vv"]);
    assert_eq!(ran.status, Some(3), "{ran}");
    assert!(ran.stderr.contains("cannot reach 127.0.0.1"), "{ran}");
    assert_kept(&ran);
}

#[test]
fn a_webhook_that_refuses_is_told_without_its_path() {
    let (address, requests) = peer("403 Forbidden");
    let slack = "[notify.slack]\nwebhook = { env = \"HOOK\" }\n";
    let sandbox =
        sandbox(&config(slack, true)).env("HOOK", &format!("http://{address}/services/T/B/{CANARY}"));
    let ran = sandbox.run(&["notify", "--status", "failure", "-vv"]);
    assert_eq!(ran.status, Some(3), "{ran}");
    assert_kept(&ran);
    let ran = sandbox.run(&["ship", "-vv"]);
    assert_eq!(ran.status, Some(3), "the notice never changes the verdict: {ran}");
    assert_kept(&ran);
    assert!(heard(&requests, CANARY), "the webhook was never asked: this test shows nothing");
}

#[test]
fn a_bot_and_a_program_that_refuse_are_told_without_the_token_the_address_and_the_key() {
    let (slack, asked_slack) = peer("403 Forbidden");
    let (program, asked_program) = peer("403 Forbidden");
    let notify = format!(
        "[notify.slack]\ntoken = {{ env = \"BOT\" }}\nchannel = \"#deploys\"\napi = \"http://{slack}/api\"\n\
         [notify.webhook]\nurl = {{ env = \"HOOK\" }}\nsecret = {{ env = \"KEY\" }}\n"
    );
    let sandbox = sandbox(&config(&notify, true))
        .env("BOT", &format!("xoxb-{CANARY}"))
        .env("HOOK", &format!("http://{program}/{CANARY}"))
        .env("KEY", &format!("a-long-key-{CANARY}"));
    for arguments in [&["notify", "--status", "failure", "-vv"][..], &["ship", "-vv"]] {
        let ran = sandbox.run(arguments);
        assert_eq!(ran.status, Some(3), "{ran}");
        assert!(
            ran.stderr.contains(&slack.to_string()) && ran.stderr.contains(&program.to_string()),
            "{ran}"
        );
        assert_kept(&ran);
    }
    assert!(heard(&asked_slack, CANARY), "slack was never asked: this test shows nothing");
    assert!(heard(&asked_program, CANARY), "the program was never asked: this test shows nothing");
}

#[test]
fn a_webhook_that_is_no_address_is_told_without_it() {
    let slack = "[notify.slack]\nwebhook = { file = \"canary\" }\n";
    let ran = sandbox(&config(slack, true)).run(&["notify", "--status", "success", "-vv"]);
    assert_ne!(ran.status, Some(0), "{ran}");
    assert_kept(&ran);
}

#[test]
fn what_a_failing_program_printed_is_not_told() {
    let command = "[\"sh\", \"-c\", \"echo $CANARY; echo $CANARY >&2; exit 3\"]";
    let config =
        format!("[apps.web]\nimage = \"nginx\"\nport = 80\nenv = {{ A = {{ command = {command} }} }}\n");
    let ran = sandbox(&config).run(&["plan", "-vv"]);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert_kept(&ran);
}

#[test]
fn a_wrong_line_of_an_environment_file_is_told_by_its_number_alone() {
    let sandbox = sandbox(&config("", true));
    sandbox.write("app.env", format!("A=b\n{CANARY}\n"));
    let ran = sandbox.run(&["plan", "-vv"]);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stderr.contains("app.env:2"), "{ran}");
    assert_kept(&ran);
}

#[test]
fn a_crash_leaves_no_core_dump() {
    use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, setrlimit};
    use std::os::unix::process::ExitStatusExt as _;
    let allowed = getrlimit(Resource::Core);
    setrlimit(Resource::Core, rustix::process::Rlimit { current: allowed.maximum, ..allowed }).unwrap();
    // A registry that takes the connection and never answers: whoever waits for it has started.
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(["image", "resolve", &format!("{}/acme/web:1", registry.local_addr().unwrap())])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .stdin(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let waiting = registry.accept().unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let limit = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(limit.split_whitespace().nth(4), Some("0"), "{limit}");
    kill_process(Pid::from_child(&child), Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    drop(waiting);
    assert_eq!((status.signal(), status.core_dumped()), (Some(Signal::ABORT.as_raw()), false), "{status}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

//! `examples/own-server`: a `server` block of the user's with TLS and HTTP/2.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use xtask::rig::deadline::until;
use xtask::rig::load::{Config, Load, Protocol, Tls};
use xtask::rig::needs;
use xtask::rig::nginx::HostNginx;
use xtask::rig::stage::{Nginx, Stage};

use crate::{configure, example};

const SOON: Duration = Duration::from_secs(30);

/// The certificate as the README makes it, in this folder.
fn certificate(folder: &Path) -> Vec<u8> {
    let readme = example("own-server", "README.md");
    let from = readme.find("openssl req").expect("the README says how");
    let line = readme[from..].split("```").next().unwrap();
    let line = line.replace("/etc/nginx/tls", folder.to_str().unwrap());
    let made = Command::new("sh").args(["-ec", &line]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::read(folder.join("example.com.pem")).unwrap()
}

/// The whole answer of the site over TLS.
async fn ask(tls: &Tls, site: std::net::SocketAddr, path: &str) -> String {
    let mut stream = tls.connect(site).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    // The date is another one each time.
    answer.lines().filter(|line| !line.starts_with("Date:")).collect::<Vec<_>>().join("\n")
}

/// Has nginx read its files, as its administrator would, and waits until none of the workers from before is left.
async fn reload(nginx: &HostNginx) {
    nginx.reload().await.unwrap();
    let left = 2 * nginx.reloads();
    let gone = async || {
        let log = std::fs::read_to_string(nginx.error_log()).unwrap_or_default();
        (log.matches(" exited with code 0").count() >= left).then_some(())
    };
    until("the workers from before the reload end", SOON, gone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_block_of_the_users_own_with_tls_and_http_2_loses_nothing_and_stays_as_it_is() {
    let mut stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    let releases = ["1", "2", "3"];
    let mut images = Vec::new();
    for version in releases {
        images.push(stage.release(version, &[]).await.unwrap());
    }
    configure(&stage, "own-server");
    let folder = tempfile::tempdir().unwrap();
    let pem = certificate(folder.path());
    let Nginx::Host(nginx) = &stage.nginx else { panic!("the stage stands behind the host's nginx") };

    // The user's block as it was before cutover.
    let block = example("own-server", "example.com.conf")
        .replace("listen 443", &format!("listen {}", stage.site()))
        .replace("/etc/nginx/tls", folder.path().to_str().unwrap())
        .replace("/etc/nginx/conf.d", nginx.conf_dir().to_str().unwrap())
        .replace("cutover/web.", &format!("cutover/{}.", stage.app));
    let before: String =
        block.lines().filter(|l| !l.trim_start().starts_with("include ")).map(|l| format!("{l}\n")).collect();
    assert_eq!(
        block.lines().count() - before.lines().count(),
        2,
        "two lines are all that is asked of the user"
    );
    let file = nginx.conf_dir().join("example.com.conf");
    std::fs::write(&file, before).unwrap();
    reload(nginx).await;
    let http1 = Tls::trusting(&pem, "example.com", Protocol::Http1).unwrap();
    let http2 = Tls::trusting(&pem, "example.com", Protocol::Http2).unwrap();
    let own = ask(&http1, stage.site(), "/robots.txt").await;
    assert!(own.starts_with("HTTP/1.1 200") && own.contains("Disallow: /account/"), "{own}");

    // The first release, which writes what the block then includes.
    let first = stage.deploy(&images[0]).await;
    assert_eq!((&first["outcome"], &first["reloads"]), (&"deployed".into(), &1.into()));
    std::fs::write(&file, &block).unwrap();
    reload(nginx).await;
    let reloads = nginx.reloads();

    let site = Config::at(stage.site()).host("example.com");
    let loads = [
        Load::start(site.clone().tls(http1.clone()).workers(4, 1, 0)),
        Load::start(site.tls(http2).workers(4, 1, 0)),
    ];
    for load in &loads {
        load.answered_by("1", SOON).await.unwrap();
    }
    for (image, version) in images.iter().zip(releases).skip(1) {
        let shipped = stage.cutover(&["deploy", "--json", "--image", image]).await.exits(0).json();
        assert_eq!((&shipped["outcome"], &shipped["reloads"]), (&"deployed".into(), &0.into()));
        for load in &loads {
            load.answered_by(version, SOON).await.unwrap();
        }
        assert_eq!(ask(&http1, stage.site(), "/robots.txt").await, own);
    }
    for (load, protocol) in loads.into_iter().zip(["HTTP/1.1", "HTTP/2"]) {
        let report = load.stop().await;
        println!("{protocol}: {} requests, {} failed, 2 releases", report.sent, report.failed);
        assert_eq!(report.failed, 0, "{protocol}: {:?}", report.failures);
        assert_eq!(report.versions(), releases);
    }
    assert_eq!(nginx.reloads(), reloads);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), block);
}

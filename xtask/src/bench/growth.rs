//! What grows with the number of apps in a file, and with the number of replicas.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::figures::{Aim, Part, Unit};
use super::program::ran;
use super::sample::Sample;
use super::throughput::wrk;
use crate::ready::say;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::load::{Config, Load};
use crate::rig::nginx::HostNginx;
use crate::rig::stage::{Nginx, Stage};
use crate::rig::{background, needs, process};

/// How many apps a file has.
const APPS: [usize; 4] = [1, 10, 100, 1_000];

/// How many replicas an app has.
const REPLICAS: [usize; 3] = [1, 8, 64];

/// How often a command is timed.
const TIMES: usize = 7;

const HOW: &str = "A file with so many apps, each with a site and its nginx files in place, of which one runs: \
    `cutover plan` of that one, `nginx -t`, the resident memory of nginx's two workers, requests per second of that \
    one (`wrk -t1 -c32 -d4s`), and `cutover rollback`. Then an app with so many replicas: `cutover deploy` of a new \
    release and `cutover rollback`, under load.";

pub(super) async fn measure(program: &Path, rounds: u32) -> Result<Part> {
    let mut part = Part { title: "Growth", how: HOW.to_owned(), ..Part::default() };
    for apps in APPS {
        say(&format!("growth: {apps} apps"));
        grown(program, apps, rounds, &mut part).await?;
    }
    for replicas in REPLICAS {
        say(&format!("growth: {replicas} replicas"));
        replicated(program, replicas, &mut part).await?;
    }
    Ok(part)
}

async fn grown(program: &Path, apps: usize, rounds: u32, part: &mut Part) -> Result<()> {
    let stage = Stage::on_host(program, needs::nginx()).await?;
    // Without a name of its own it would have only the requests that no other app has a name for.
    let site = format!("site = {{ listen = \"{}\", server_names = [\"{}\"] }}", stage.site(), stage.app);
    let mut stage = stage.with(&site)?;
    let (first, second) = (stage.release("1", &[]).await?, stage.release("2", &[]).await?);
    ran(&stage, &["deploy", "--image", &first]).await?;
    ran(&stage, &["deploy", "--image", &second]).await?;
    let own = stage.app.clone();
    let others: String = (1..apps).map(|number| table(&stage, number)).collect();
    let stage = stage.with_tables(&others)?;
    let Nginx::Host(nginx) = &stage.nginx else {
        return Err(unexpected("the stage", "has no nginx of the host"));
    };
    for number in 1..apps {
        let rendered = ran(&stage, &["nginx", "render", &format!("other-{number}"), "--json"]).await?.json();
        for file in rendered["files"].as_array().into_iter().flatten() {
            let (name, text) =
                (file["name"].as_str().unwrap_or_default(), file["text"].as_str().unwrap_or_default());
            let path = nginx.conf_dir().join(name);
            std::fs::write(&path, text).doing(format!("write {}", path.display()))?;
        }
    }
    nginx.reload().await?;
    let timed = |arguments: Vec<String>| {
        let stage = &stage;
        async move {
            let mut sample = Sample::default();
            for _ in 0..TIMES {
                let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
                sample.push_time(ran(stage, &words).await?.took);
            }
            Ok::<_, crate::rig::Error>(sample)
        }
    };
    let aim = (apps == 1_000).then_some(Aim::AtMost(100.0));
    let plan = timed(["plan", &own, "--image", &second].map(str::to_owned).to_vec()).await?;
    part.figure(format!("{apps} apps: `cutover plan` of one"), Unit::Millis, plan, aim);
    part.figure(format!("{apps} apps: `nginx -t`"), Unit::Millis, tested(nginx).await?, None);
    let memory = [workers(nginx)?].into_iter().collect();
    part.figure(format!("{apps} apps: memory of nginx's workers"), Unit::Mebibytes, memory, None);
    let mut rates = Sample::default();
    for _ in 0..rounds {
        rates.push(wrk(stage.site(), 32, &own).await?);
    }
    part.figure(format!("{apps} apps: requests to one"), Unit::PerSecond, rates, None);
    let rollback = timed(["rollback", &own].map(str::to_owned).to_vec()).await?;
    part.figure(format!("{apps} apps: `cutover rollback`"), Unit::Millis, rollback, None);
    Ok(())
}

/// An app that does not run, at ports that nobody has.
fn table(stage: &Stage, number: usize) -> String {
    let port = 20_000 + 2 * number;
    format!(
        "[apps.other-{number}]\nimage = \"{}:latest\"\nport = 8080\nslots = {{ blue = \"127.0.0.1:{port}\", green = \
         \"127.0.0.1:{}\" }}\nsite = {{ listen = \"{}\", server_names = [\"other-{number}.test\"] }}\n",
        stage.repository(),
        port + 1,
        stage.site()
    )
}

async fn tested(nginx: &HostNginx) -> Result<Sample> {
    let (binary, conf) = (nginx.binary().to_owned(), nginx.conf_path());
    let tested = background::handle().spawn_blocking(move || {
        let mut sample = Sample::default();
        for _ in 0..TIMES {
            let began = Instant::now();
            let mut command = Command::new(&binary);
            command.arg("-t").arg("-c").arg(&conf);
            command.arg("-p").arg(conf.parent().unwrap_or(Path::new("/")));
            process::output(&mut command)?;
            sample.push_time(began.elapsed());
        }
        Ok(sample)
    });
    tested.await.map_err(|panic| unexpected("nginx -t", panic))?
}

/// The resident memory of the workers together, in MiB.
fn workers(nginx: &HostNginx) -> Result<f64> {
    let children = format!("/proc/{0}/task/{0}/children", nginx.pid());
    let children = std::fs::read_to_string(&children).doing(format!("read {children}"))?;
    let resident = |pid: &str| {
        process::mebibytes(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS")
    };
    Ok(children.split_whitespace().filter_map(resident).sum())
}

async fn replicated(program: &Path, replicas: usize, part: &mut Part) -> Result<()> {
    let stage = Stage::on_host(program, needs::nginx()).await?;
    let mut stage = stage.with(&format!("replicas = {replicas}"))?;
    let (first, second) = (stage.release("1", &[]).await?, stage.release("2", &[]).await?);
    ran(&stage, &["deploy", "--image", &first]).await?;
    let load = Load::start(Config::at(stage.site()).workers(6, 2, 0).pace(Duration::from_millis(5)));
    let deploy = [ran(&stage, &["deploy", "--image", &second]).await?.took.as_secs_f64() * 1e3];
    part.figure(
        format!("{replicas} replicas: `cutover deploy`"),
        Unit::Millis,
        deploy.into_iter().collect(),
        None,
    );
    let mut back = Sample::default();
    for _ in 0..TIMES {
        back.push_time(ran(&stage, &["rollback"]).await?.took);
    }
    part.figure(format!("{replicas} replicas: `cutover rollback`"), Unit::Millis, back, None);
    let report = load.stop().await;
    part.notes.push(format!("{replicas} replicas: {} requests sent, {} failed", report.sent, report.failed));
    Ok(())
}

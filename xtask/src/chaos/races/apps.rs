//! Apps that stand behind one nginx.

use std::fs;
use std::net::TcpListener;

use crate::rig::error::{Doing as _, Result};
use crate::rig::port;
use crate::rig::session::Session;

use super::track::{LONG, Track};

/// Each app's first deploy, at once. The last listens where somebody else does.
pub(super) async fn first_at_once(track: &mut Track, apps: usize) -> Result<()> {
    let image = track.release().await?;
    let taken = TcpListener::bind("127.0.0.1:0").doing("listen")?;
    let taken_at = taken.local_addr().doing("see where")?;
    let path = track.stage.config();
    let mut text = fs::read_to_string(&path).doing("read the configuration")?;
    let mut names = Vec::new();
    for number in 0..apps {
        let listen = if number + 1 == apps { taken_at } else { port::free()? };
        let name = format!("{}-{number}", track.stage.app);
        let (blue, green) = (port::free()?, port::free()?);
        text.push_str(&format!(
            "\n[apps.{name}]\nimage = {image:?}\nport = 8080\nhealth = {{ path = \"/healthz\", timeout = \"30s\" }}\n\
             slots = {{ blue = \"{blue}\", green = \"{green}\" }}\nsite = {{ listen = \"{listen}\" }}\nsoak = \"0s\"\ndrain = \"1s\"\nstop_grace = \"5s\"\n"
        ));
        names.push(name);
    }
    fs::write(&path, text).doing("write the configuration")?;
    let begin = |name: &String| track.start(&["deploy", name, "--json", "--wait"]);
    let sessions = names.iter().map(begin).collect::<Result<Vec<Session>>>()?;
    for (session, name) in sessions.into_iter().zip(&names) {
        let ran = session.end(LONG).await?;
        let wanted = if Some(name) == names.last() { 3 } else { 0 };
        track.hold(ran.status == Some(wanted), || {
            format!("{name} ended with {:?}, not {wanted}: {}", ran.status, ran.stderr)
        });
    }
    drop(taken);
    remove(&names).await
}

/// The stage removes only what is of its own app.
async fn remove(names: &[String]) -> Result<()> {
    use crate::rig::docker;
    for name in names {
        let filter = format!("label=cutover.app={name}");
        let listed = docker::run(&["ps", "-aq", "--filter", &filter]).await?;
        let ids: Vec<&str> = listed.split_whitespace().collect();
        if !ids.is_empty() {
            docker::run(&[&["rm", "-fv"], ids.as_slice()].concat()).await?;
        }
    }
    Ok(())
}

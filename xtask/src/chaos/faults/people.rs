//! People's hands: containers removed, renamed, forged and put in the way, the network and the marker.

use crate::rig::docker;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::run;

use super::{Fault, Mend, Phase, World};

/// Whose container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Live,
    Standby,
    /// The release that is being tried, in the standby slot.
    Candidate,
}

async fn name(world: &World, whose: Whose) -> Result<String> {
    let marked = world.marker().is_file();
    let (live, standby) = if marked { ("green", "blue") } else { ("blue", "green") };
    let app = &world.stage.app;
    Ok(match whose {
        Whose::Live => format!("{app}-{live}-1"),
        Whose::Standby => format!("{app}-{standby}-1"),
        Whose::Candidate => format!("{app}-{standby}-1-next"),
    })
}

async fn inspect(container: &str, format: &str) -> Result<String> {
    docker::run(&["inspect", "--format", format, container]).await
}

/// The network that a container is on, and its address there, whether or not it runs.
async fn network_of(container: &str) -> Result<(String, String)> {
    let network =
        inspect(container, "{{range $name, $at := .NetworkSettings.Networks}}{{$name}}{{end}}").await?;
    let label = inspect(container, "{{index .Config.Labels \"cutover.address\"}}").await?;
    match label.split_once(':') {
        Some((address, _)) if !network.is_empty() => Ok((network, address.to_owned())),
        _ => Err(unexpected(container, format!("{network} {label}"))),
    }
}

/// Starts a container of somebody else's, of an image that is there.
async fn others(world: &World, name: &str, arguments: &[&str]) -> Result<()> {
    let image = inspect(&self::name(world, Whose::Live).await?, "{{.Image}}").await?;
    let [test, run] = run::labels();
    let begin = ["run", "-d", "--label", &test, "--label", &run, "--name", name];
    docker::run(&[&begin, arguments, &[image.as_str()]].concat()).await.map(drop)
}

fn gone(words: &'static str, container: String) -> Mend {
    Mend::by(words, move |_| Box::pin(async move { docker::run(&["rm", "-f", &container]).await.map(drop) }))
}

fn removed(what: &'static str, whose: Whose, phase: Phase) -> Fault {
    Fault::new(what, phase, move |world| {
        Box::pin(async move {
            docker::run(&["rm", "-f", &name(world, whose).await?]).await?;
            match (whose, phase) {
                (Whose::Live, Phase::Before) => world.standby_stays(),
                (Whose::Live, _) => {
                    return Ok(Mend::by("`cutover backup`", |world| Box::pin(world.back_up())));
                }
                _ => {}
            }
            Ok(Mend::Itself)
        })
    })
}

fn renamed(what: &'static str, whose: Whose, end: &'static str) -> Fault {
    Fault::new(what, Phase::Before, move |world| {
        Box::pin(async move {
            let before = name(world, whose).await?;
            let after = format!("{before}{end}");
            docker::run(&["rename", &before, &after]).await?;
            // The standby is replaced, and what has a candidate's name is taken for one and accepted.
            if whose == Whose::Standby || end == "-next" {
                return Ok(Mend::Itself);
            }
            Ok(Mend::by("it is renamed", move |_| {
                Box::pin(async move { docker::run(&["rename", &after, &before]).await.map(drop) })
            }))
        })
    })
    .exits(&[0])
}

/// A candidate that bears another name is nobody's by the names, and stands in the way until it is removed.
fn candidate_renamed() -> Fault {
    Fault::new("the candidate renamed", Phase::Gate, |world| {
        Box::pin(async move {
            let before = name(world, Whose::Candidate).await?;
            let after = format!("{}-mine", world.stage.app);
            docker::run(&["rename", &before, &after]).await?;
            Ok(gone("the container is removed", after))
        })
    })
    .exits(&[3, 4])
    .doctor(&["containers.stranger"])
}

/// Another container where a replica is to be.
fn at_the_address(phase: Phase) -> Fault {
    Fault::new("another container at the standby's address", phase, move |world| {
        Box::pin(async move {
            let (standby, other) = (name(world, Whose::Standby).await?, format!("{}-other", world.stage.app));
            let (network, address) = network_of(&standby).await?;
            if phase == Phase::Before {
                docker::run(&["rm", "-f", &standby]).await?;
            }
            others(world, &other, &["--network", &network, "--ip", &address]).await?;
            Ok(gone("the container is removed", other))
        })
    })
    .tells(&["taken", "doctor"])
    .doctor(&["containers.address"])
}

fn of_the_name() -> Fault {
    Fault::new("another container of the candidate's name", Phase::Before, |world| {
        Box::pin(async move {
            let taken = name(world, Whose::Candidate).await?;
            others(world, &taken, &[]).await?;
            Ok(gone("the container is removed", taken))
        })
    })
    .tells(&["is taken", "rename or remove it"])
    .doctor(&["containers.taken"])
}

fn forged(what: &'static str, all: bool) -> Fault {
    Fault::new(what, Phase::Before, move |world| {
        Box::pin(async move {
            let (live, forged) = (name(world, Whose::Live).await?, format!("{}-forged", world.stage.app));
            let wanted = ["cutover.app", "cutover.slot"];
            let labels = inspect(&live, "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}\n{{end}}").await?;
            let of = |label: &&str| {
                let key = label.split('=').next().unwrap_or_default();
                key.starts_with("cutover.")
                    && !key.starts_with("cutover.test")
                    && (all || wanted.contains(&key))
            };
            let labels: Vec<&str> = labels.lines().filter(of).flat_map(|label| ["--label", label]).collect();
            others(world, &forged, &labels).await?;
            Ok(gone("the container is removed", forged))
        })
    })
    .exits(&[0])
    .doctor(&["containers.stranger"])
}

fn detached(what: &'static str, whose: Whose) -> Fault {
    Fault::new(what, Phase::Before, move |world| {
        Box::pin(async move {
            let container = name(world, whose).await?;
            let (network, _) = network_of(&container).await?;
            docker::run(&["network", "disconnect", "-f", &network, &container]).await?;
            if whose == Whose::Live {
                world.standby_stays();
            }
            Ok(Mend::Itself)
        })
    })
    .exits(&[0])
}

fn network_removed() -> Fault {
    Fault::new("the network removed", Phase::Before, |world| {
        Box::pin(async move {
            let (live, standby) = (name(world, Whose::Live).await?, name(world, Whose::Standby).await?);
            let (network, _) = network_of(&live).await?;
            for container in [&live, &standby] {
                docker::run(&["network", "disconnect", "-f", &network, container]).await?;
            }
            docker::run(&["network", "rm", &network]).await?;
            Ok(Mend::by("`cutover backup`", |world| Box::pin(world.back_up())))
        })
    })
    .exits(&[0])
    .loses("the app was cut off from nginx")
    .doctor(&["containers.network"])
}

fn marker(phase: Phase) -> Fault {
    Fault::new("the marker made or removed", phase, move |world| {
        Box::pin(async move {
            let marker = world.marker();
            if phase == Phase::Before {
                world.standby_stays();
            }
            if marker.is_file() {
                std::fs::remove_file(&marker).doing("remove the marker")?;
            } else {
                std::fs::write(&marker, "").doing("make the marker")?;
            }
            Ok(Mend::Itself)
        })
    })
    .exits(&[0])
}

pub(super) fn faults() -> Vec<Fault> {
    use Whose::{Candidate, Live, Standby};
    const CUT: &str = "those that it was at";
    vec![
        removed("the standby removed", Standby, Phase::Before).exits(&[0]),
        removed("the standby removed", Standby, Phase::Place).exits(&[0]),
        removed("the live container removed", Live, Phase::Before).exits(&[0]).loses(CUT),
        removed("the live container removed", Live, Phase::Gate).exits(&[0]).loses(CUT),
        removed("the candidate removed", Candidate, Phase::Gate).exits(&[4]),
        removed("the candidate removed", Candidate, Phase::GateThrough).exits(&[4]),
        renamed("the standby renamed", Standby, "-mine"),
        renamed("the live container renamed", Live, "-mine").doctor(&["containers.name"]),
        renamed("the live container renamed as a candidate", Live, "-next"),
        candidate_renamed(),
        at_the_address(Phase::Before),
        at_the_address(Phase::Start),
        of_the_name(),
        forged("a container with two of our labels", false),
        forged("a container with all of the live one's labels", true),
        detached("the standby off its network", Standby),
        detached("the live container off its network", Live).loses(CUT),
        network_removed(),
        marker(Phase::Before),
        marker(Phase::Gate),
        marker(Phase::Soak).exits(&[0, 6]),
    ]
}

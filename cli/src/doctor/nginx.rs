//! The nginx: found, running, with our folder in its configuration, its workers able to see the markers.

use cutover_proxyconf::{Absence, Dump, Error, NginxVersion, Serving, Surface as _, Worker};

use super::finding::Finding;
use super::ground::Ground;
use crate::config::app::Balance;
use crate::edge::{Edge, Place};

/// From here on nginx keeps idle connections open through a reload (`keepalive_min_timeout`).
const GENTLE: NginxVersion = NginxVersion::new(1, 27, 4);

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let edge = match &ground.edge {
        Some(Ok(edge)) => edge,
        Some(Err(failure)) => {
            return vec![Finding::failed("nginx.reach", failure, "name nginx by `[proxy] nginx`")];
        }
        None => {
            let mend = "it is looked for once the engine is reached";
            return vec![Finding::note(
                "nginx.reach",
                "nginx is in a container of an engine that is not reached",
                mend,
            )];
        }
    };
    let surface = &edge.nginx.surface;
    let version = match surface.version().await {
        Ok(version) => version,
        Err(error) => return vec![unfound(error)],
    };
    let mut findings = vec![reached(version), reload(version)];
    let (running, dump) = tokio::join!(surface.running(), surface.dump());
    findings.push(match running {
        Ok(true) => Finding::ok("nginx.running", "nginx is running"),
        Ok(false) => Finding::problem("nginx.running", "nginx is not running", "start nginx"),
        Err(error) => Finding::failed("nginx.running", &error.into(), "run this as a user who may ask nginx"),
    });
    findings.extend(configured(ground, edge, dump));
    findings.push(control(ground, edge));
    findings.extend(workers(ground, edge).await);
    findings.push(balance(ground));
    findings
}

fn unfound(error: Error) -> Finding {
    Finding::failed("nginx.reach", &error.into(), "install nginx, or name it by `[proxy] nginx`")
}

fn reached(version: NginxVersion) -> Finding {
    if version < NginxVersion::OLDEST {
        let found = format!("nginx {version} is too old");
        return Finding::problem("nginx.reach", found, format!("install {} or later", NginxVersion::OLDEST));
    }
    Finding::ok("nginx.reach", format!("nginx {version}"))
}

/// A steady deploy reloads nothing; one that changes the configuration does.
fn reload(version: NginxVersion) -> Finding {
    if version >= GENTLE {
        let found = "a reload keeps idle connections open for a while (keepalive_min_timeout)";
        return Finding::ok("nginx.reload", found);
    }
    let found = format!(
        "nginx {version} closes idle connections at a reload: a request that comes just then is lost"
    );
    Finding::note("nginx.reload", found, format!("nginx {GENTLE} does not; releases alone need no reload"))
}

fn configured(ground: &Ground<'_>, edge: &Edge, dump: Result<Dump, Error>) -> Vec<Finding> {
    let folder = &edge.nginx.conf_dir;
    match dump {
        Ok(dump) => {
            let tested = Finding::ok("nginx.configuration", "nginx finds no fault in its configuration");
            let included = if dump.includes(folder) {
                Finding::ok("nginx.include", format!("its http block includes {}/*.conf", folder.display()))
            } else {
                let main =
                    dump.main().map_or_else(|| "nginx.conf".to_owned(), |main| main.display().to_string());
                let mend =
                    format!("write `include {}/*.conf;` in the http block of {main}", folder.display());
                let found = format!(
                    "its configuration does not include {}/*.conf in an http block",
                    folder.display()
                );
                Finding::problem("nginx.include", found, mend).grave_if(!ground.is_current())
            };
            vec![tested, included]
        }
        // What is broken on the disk does not touch what runs, until something is to be installed.
        Err(Error::Refused { output }) => {
            let found = format!("nginx refuses its configuration: {output}");
            let mend = "mend it until `nginx -t` is content: nothing can be loaded so";
            vec![Finding::problem("nginx.configuration", found, mend).grave_if(ground.installs())]
        }
        Err(error) => vec![Finding::failed("nginx.configuration", &error.into(), "see what `nginx -T` says")],
    }
}

fn control(ground: &Ground<'_>, edge: &Edge) -> Finding {
    const NAME: &str = "nginx.control";
    let address = edge.nginx.control;
    match &ground.serving {
        Some(Serving::App { live, .. }) => {
            Finding::ok(NAME, format!("the control server at {address} says that {live} is live"))
        }
        Some(Serving::Nothing { why: why @ (Absence::NotOurs { .. } | Absence::Silent) }) => {
            let found = format!("the control server at {address} cannot be asked: {why}");
            Finding::problem(NAME, found, "give `[proxy] control` a port that is free")
        }
        Some(Serving::Nothing { why }) => Finding::ok(
            NAME,
            format!("the control server at {address} is not there before the first deploy ({why})"),
        ),
        None => {
            let found = format!("the control server at {address} cannot be asked");
            Finding::problem(NAME, found, "name an address of this machine by `[proxy] control`")
        }
    }
}

/// Whether the workers see the markers, by which they choose the slot for each request.
async fn workers(ground: &Ground<'_>, edge: &Edge) -> Option<Finding> {
    const NAME: &str = "nginx.workers";
    let state = edge.local_state_dir()?;
    let master = match edge.nginx.surface.place() {
        Place::Host(nginx) => nginx.master().await.ok().flatten(),
        Place::Container(nginx) => {
            let container = ground.engine.as_ref().ok()?.observe_container(nginx.name()).await.ok()?;
            container.and_then(|container| container.pid)
        }
    };
    // That nginx does not run is told already.
    let master = master?;
    let folder = state.join(ground.name.as_str());
    let seen = tokio::task::spawn_blocking(move || {
        let worker = Worker::observe(master)?;
        let barred = worker.as_ref().map(|worker| worker.barred_from(&folder)).transpose()?;
        Ok::<_, std::io::Error>(worker.zip(barred))
    });
    match seen.await {
        Ok(Ok(Some((worker, Some(barred))))) => {
            let found = format!("nginx's workers (user {}) may not search {}", worker.uid, barred.display());
            let mend = format!("`chmod o+x {}`: there they see which slot is live", barred.display());
            Some(Finding::problem(NAME, found, mend).grave_if(ground.is_served()))
        }
        Ok(Ok(Some((worker, None)))) => {
            let found = format!("nginx's workers (user {}) can search {}", worker.uid, state.display());
            Some(Finding::ok(NAME, found))
        }
        _ => {
            let mend = "run this as root, or on the machine of nginx";
            Some(Finding::note(NAME, "nginx's workers cannot be seen from here", mend))
        }
    }
}

fn balance(ground: &Ground<'_>) -> Finding {
    const NAME: &str = "nginx.balance";
    match ground.app.upstream.balance.unwrap_or_default() {
        Balance::RoundRobin => Finding::ok(NAME, "replicas in turn, the other slot as `backup`"),
        Balance::LeastConn => Finding::ok(NAME, "replicas by open requests, the other slot as `backup`"),
        Balance::IpHash => {
            let found = "`backup` cannot stand beside ip_hash: a slot that is down is left by an error page";
            Finding::note(
                NAME,
                found,
                "choose round_robin or least_conn if clients need not stay with a replica",
            )
        }
    }
}

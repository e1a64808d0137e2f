//! The ports that nginx and the slots listen on: free, or held by whom.

use std::net::{Ipv4Addr, SocketAddr};

use cutover_proxyconf::Slot;
use cutover_runtime::Published;

use super::finding::Finding;
use super::ground::Ground;
use super::listener::Listener;
use crate::edge::Place as Edge;
use crate::release::Place;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    // Looking through all processes' files takes a while.
    let listeners = tokio::task::spawn_blocking(Listener::all).await.unwrap_or_default();
    let mut findings = site(ground, &listeners).await;
    findings.extend(slots(ground, &listeners));
    findings
}

async fn site(ground: &Ground<'_>, listeners: &[Listener]) -> Vec<Finding> {
    const NAME: &str = "ports.site";
    let (Some(site), Some(edge)) = (&ground.app.site, ground.nginx()) else { return Vec::new() };
    let Edge::Host(nginx) = edge.nginx.surface.place() else {
        return vec![Finding::ok(NAME, "the site listens in nginx's own container")];
    };
    let master = nginx.master().await.ok().flatten();
    let addresses = site.listen.as_slice().iter().filter_map(|listen| address(listen.get()));
    addresses
        .map(|address| {
            let there = listeners.iter().find(|listener| listener.bars(address));
            let Some(there) = there else {
                return Finding::ok(NAME, format!("{address} is free"));
            };
            match there.holder() {
                Some(holder)
                    if holder.name == "nginx"
                        && (Some(holder.pid) == master || child(holder.pid, master)) =>
                {
                    Finding::ok(NAME, format!("{address} is nginx's own"))
                }
                Some(holder) => {
                    let found = format!("{address} is taken by {} (process {})", holder.name, holder.pid);
                    Finding::problem(NAME, found, "end that process, or write another port in `site`")
                        .grave_if(ground.installs())
                }
                None if ground.is_served() => {
                    Finding::ok(NAME, format!("{address} is in use, and nginx serves the app"))
                }
                None => {
                    let mend = "run this as root to see by whom";
                    Finding::warning(NAME, format!("{address} is in use by another user's process"), mend)
                }
            }
        })
        .collect()
}

/// Workers inherit what the master listens on.
fn child(pid: i32, master: Option<i32>) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
    parent.is_some() && parent == master
}

/// What nginx listens on, of `80`, `*:80`, `127.0.0.1:80 ssl`; none for a socket of the file system.
fn address(listen: &str) -> Option<SocketAddr> {
    let word = listen.split_whitespace().next()?;
    let any = |port: &str| Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port.parse().ok()?)));
    word.parse().ok().or_else(|| any(word.strip_prefix("*:").unwrap_or(word)))
}

/// Ports that are published for the slots: the app's own containers', or free.
fn slots(ground: &Ground<'_>, listeners: &[Listener]) -> Vec<Finding> {
    const NAME: &str = "ports.slots";
    let (Some(target), Some(observed)) = (ground.target(), ground.observed()) else { return Vec::new() };
    if !target.engine.is_local() {
        return Vec::new();
    }
    let own: Vec<Published> = Slot::ALL
        .iter()
        .flat_map(|slot| {
            let standing = observed.standing.get(*slot);
            standing.accepted.iter().chain(&standing.candidate)
        })
        .flat_map(|container| container.published.clone())
        .collect();
    let places = Slot::ALL.iter().flat_map(|slot| target.places.get(*slot));
    let published = places.filter_map(|place| match place {
        Place::Published(address) => Some(*address),
        Place::Fixed { .. } | Place::Named { .. } => None,
    });
    published
        .filter(|address| own.iter().all(|published| published.host != *address))
        .map(|address| match listeners.iter().find(|listener| listener.bars(address)) {
            None => Finding::ok(NAME, format!("{address} is free")),
            Some(there) => {
                let holder = there.holder().map_or_else(
                    || "another process".to_owned(),
                    |holder| format!("{} (process {})", holder.name, holder.pid),
                );
                let found = format!("{address}, where a slot is to be, is taken by {holder}");
                Finding::problem(NAME, found, "end that process, or write another address in `slots`")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_listen_is_an_address_but_that_of_a_file() {
        for (listen, wanted) in [
            ("80", Some("0.0.0.0:80")),
            ("*:80 default_server", Some("0.0.0.0:80")),
            ("127.0.0.1:8443 ssl", Some("127.0.0.1:8443")),
            ("[::]:80", Some("[::]:80")),
            ("unix:/run/x.sock", None),
        ] {
            assert_eq!(address(listen), wanted.map(|address| address.parse().unwrap()), "{listen}");
        }
    }
}

//! Requests per second through our site, through the guide's `upstream` block, and through HAProxy.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::chart::{Bar, Chart};
use super::figures::{Aim, Part, Unit};
use super::guide::Guide;
use super::program::ran;
use super::rivals::{self, Proxy};
use super::sample::Sample;
use crate::ready::say;
use crate::rig::error::{Result, unexpected};
use crate::rig::stage::Stage;
use crate::rig::{background, needs, process};

/// How many connections wrk keeps.
const CONNECTIONS: [u32; 3] = [1, 32, 256];

const NAMES: [&str; 4] = ["our site", "our site, `keepalive_timeout = \"4s\"`", "HAProxy", "the guide's"];

const HOW: &str = "`wrk -t1 -d4s` on `GET /` of the example service with so many connections, in turn: our site behind an \
    nginx of two workers, with its default slots (fixed addresses on a network of cutover's own); the same with \
    `upstream = { keepalive_timeout = \"4s\" }`; HAProxy with two threads and kept connections before the very same \
    containers; and the guide's `upstream` block (published ports, a connection for each request). A run in which a \
    request failed has no rate and is counted apart.";

pub(super) async fn measure(program: &Path, rounds: u32) -> Result<Part> {
    let mut part = Part { title: "Throughput", how: HOW.to_owned(), ..Part::default() };
    let mut ours = Stage::on_host(program, needs::nginx()).await?;
    let guide = Guide::set(&ours).await?;
    let image = ours.release("1", &[]).await?;
    guide.push(&ours.registry, &format!("acme/{}:1", ours.app)).await?;
    ran(&ours, &["deploy", "--image", &image]).await?;
    ran(&ours, &["backup"]).await?;
    guide.first().await?;
    let mut longer = Stage::on_host(program, needs::nginx()).await?;
    longer = longer.with("upstream = { keepalive_timeout = \"4s\" }")?;
    let image = longer.release("1", &[]).await?;
    ran(&longer, &["deploy", "--image", &image]).await?;
    let haproxy = Proxy::haproxy(rivals::addresses(&ours).await?).await?;
    let sites = [ours.site(), longer.site(), haproxy.site(), guide.site];
    let mut chart = Chart::new("Requests per second, 32 connections", "/s");
    for connections in CONNECTIONS {
        let mut samples: [Sample; 4] = Default::default();
        for round in 0..rounds as usize {
            say(&format!("throughput: {connections} connections, round {} of {rounds}", round + 1));
            for turn in 0..sites.len() {
                // Another one first in each round: what ran before must not always be the same.
                let which = (round + turn) % sites.len();
                match wrk(sites[which], connections, "bench").await {
                    Ok(rate) => samples[which].push(rate),
                    Err(error) => {
                        part.notes.push(format!("{connections} connections, {}: {error}", NAMES[which]));
                    }
                }
            }
        }
        let at = |what: &str| format!("{what}, {connections} connections");
        let [ours, _, haproxy, guide] = &samples;
        let aims = (connections == 32).then_some((Aim::AtLeast(4.0), Aim::AtLeast(1.0))).unzip();
        part.figure(at("our site by the guide's, round by round"), Unit::Times, ours.ratio(guide), aims.0);
        part.figure(at("our site by HAProxy, round by round"), Unit::Times, ours.ratio(haproxy), aims.1);
        for (name, sample) in NAMES.into_iter().zip(samples) {
            if connections == 32 {
                chart.bars.push(Bar::new(name.replace('`', ""), sample.median().unwrap_or_default()));
            }
            part.figure(at(name), Unit::PerSecond, sample, None);
        }
    }
    part.charts.push(chart);
    Ok(part)
}

/// Requests per second, by wrk.
pub(super) async fn wrk(site: SocketAddr, connections: u32, host: &str) -> Result<f64> {
    let host = host.to_owned();
    let measured = background::handle().spawn_blocking(move || {
        let mut command = Command::new("wrk");
        command.args(["-t1", "-d4s", &format!("-c{connections}"), "-H", &format!("Host: {host}")]);
        let text = process::output(command.arg(format!("http://{site}/")))?;
        rate(&text).ok_or_else(|| unexpected("wrk", text))
    });
    measured.await.map_err(|panic| unexpected("wrk", panic))?
}

/// The rate that wrk tells, unless it tells of errors too.
fn rate(text: &str) -> Option<f64> {
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return None;
    }
    text.lines().find_map(|line| line.strip_prefix("Requests/sec:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_rate_with_errors_is_none() {
        let good = "Running 4s test\n  8123 requests in 4.00s\nRequests/sec:  12345.67\nTransfer/sec: 1MB\n";
        assert_eq!(super::rate(good), Some(12345.67));
        let refused = good.replace("Requests/sec", "  Non-2xx or 3xx responses: 12\nRequests/sec");
        assert_eq!(super::rate(&refused), None);
        assert_eq!(super::rate("unable to connect"), None);
    }
}

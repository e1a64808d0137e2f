//! Requests per second through our site and through the guide's `upstream` block.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::figures::{Aim, Part, Unit};
use super::guide::Guide;
use super::program::ran;
use super::sample::Sample;
use crate::ready::say;
use crate::rig::error::{Result, unexpected};
use crate::rig::stage::Stage;
use crate::rig::{background, needs, process};

const ROUNDS: usize = 3;

const HOW: &str = "`wrk -t1 -c32 -d4s` on `GET /` of the example service, in turn, each behind an nginx of two \
    workers: our site with its default slots (fixed addresses on a network of cutover's own, 32 idle connections kept \
    by each worker), the same with `upstream = { keepalive_timeout = \"4s\" }`, and the guide's `upstream` block \
    (published ports, a connection for each request).";

pub(super) async fn measure(program: &Path) -> Result<Part> {
    let mut part = Part { title: "Throughput", how: HOW.to_owned(), ..Part::default() };
    let mut ours = Stage::on_host(program, needs::nginx()).await?;
    let guide = Guide::set(&ours).await?;
    let image = ours.release("1", &[]).await?;
    guide.push(&ours.registry, &format!("acme/{}:1", ours.app)).await?;
    ran(&ours, &["deploy", "--image", &image]).await?;
    guide.first().await?;
    let mut longer = Stage::on_host(program, needs::nginx()).await?;
    longer = longer.with("upstream = { keepalive_timeout = \"4s\" }")?;
    let image = longer.release("1", &[]).await?;
    ran(&longer, &["deploy", "--image", &image]).await?;
    let sites = [ours.site(), longer.site(), guide.site];
    let mut samples = [Sample::default(), Sample::default(), Sample::default()];
    for round in 0..ROUNDS {
        say(&format!("throughput: round {} of {ROUNDS}", round + 1));
        for turn in 0..sites.len() {
            // Another one first in each round: what ran before must not always be the same.
            let which = (round + turn) % sites.len();
            samples[which].push(wrk(sites[which]).await?);
        }
    }
    let [ours, longer, guide] = samples;
    let aim = Some(Aim::AtLeast(4.0));
    part.figure("our site by the guide's, round by round", Unit::Times, ours.ratio(&guide), aim);
    part.figure("our site", Unit::PerSecond, ours.clone(), None);
    part.figure("our site, `keepalive_timeout = \"4s\"`", Unit::PerSecond, longer.clone(), None);
    part.figure("the guide's", Unit::PerSecond, guide, None);
    part.figure("200 ms of `keepalive_timeout` by 4 s", Unit::Times, ours.ratio(&longer), None);
    Ok(part)
}

/// Requests per second, by wrk.
async fn wrk(site: SocketAddr) -> Result<f64> {
    let measured = background::handle().spawn_blocking(move || {
        let mut command = Command::new("wrk");
        let text = process::output(command.args(["-t1", "-c32", "-d4s"]).arg(format!("http://{site}/")))?;
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

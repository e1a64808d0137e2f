//! The commands that only look: status, history and logs.

use std::collections::BTreeMap;
use std::pin::pin;

use cutover_proxyconf::Slot;
use cutover_runtime::{Container, LogQuery};
use futures_util::StreamExt as _;
use futures_util::stream::select_all;
use serde::Serialize;

use super::{Context, Ended};
use crate::args::App;
use crate::failure::{Exit, Failure};
use crate::history::{self, Entry};
use crate::observe::{Observed, observe};
use crate::plan::Condition;
use crate::release::label;
use crate::target::Target;

/// What is live and what stands by.
#[derive(Debug, Serialize)]
struct Status {
    app: String,
    live: Option<Slot>,
    slots: BTreeMap<Slot, SlotStatus>,
    /// A release that waits for its promotion, and where it is looked at.
    waiting: Option<Slot>,
    preview: String,
    /// The slot that is not live and has a share of the clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    canary: Option<Canary>,
    /// Whether nginx serves the configuration that the file asks for.
    nginx_current: bool,
}

#[derive(Debug, Serialize)]
struct Canary {
    slot: Slot,
    percent: u8,
}

#[derive(Debug, Serialize)]
struct SlotStatus {
    state: &'static str,
    healthy: Option<bool>,
    image: Option<String>,
    digest: Option<String>,
    release: Option<String>,
    address: Option<String>,
    containers: Vec<String>,
}

/// `cutover status`.
pub(super) async fn status(context: &Context, app: &App) -> Ended {
    let config = context.config()?;
    let (name, table) = config.app(app.app.as_deref())?;
    let target = Target::connect(&config, name, table, &context.witness).await?;
    let observed = observe(&target, None).await?;
    let status = Status {
        app: name.to_string(),
        live: observed.live(),
        slots: Slot::ALL.into_iter().map(|slot| (slot, slot_status(&target, &observed, slot))).collect(),
        waiting: waiting(&observed),
        preview: target.preview(),
        canary: observed.canary().map(|(slot, percent)| Canary { slot, percent }),
        nginx_current: observed.world.edge_current,
    };
    context.output.data(&status, || describe(&status));
    Ok(Exit::Done)
}

fn waiting(observed: &Observed) -> Option<Slot> {
    let standby = observed.world.live.slot().other();
    let waits =
        observed.world.standby_slot().candidate.as_ref().is_some_and(|c| c.condition == Condition::Healthy);
    waits.then_some(standby)
}

fn slot_status(target: &Target<'_>, observed: &Observed, slot: Slot) -> SlotStatus {
    let containers = observed.standing.get(slot).occupant();
    let condition = observed.world.slots.get(slot).occupant().map(|occupant| occupant.condition);
    let of = |name: &str| observed.label(slot, name).map(str::to_owned);
    let planned = || target.places.get(slot).first().map(|place| place.address().to_string());
    SlotStatus {
        state: match condition {
            None => "absent",
            Some(Condition::Healthy | Condition::Ailing) => "running",
            Some(Condition::Stopped | Condition::Broken) => "stopped",
        },
        healthy: match condition {
            Some(Condition::Healthy) => Some(true),
            Some(Condition::Ailing | Condition::Broken) => Some(false),
            Some(Condition::Stopped) | None => None,
        },
        image: of(label::IMAGE),
        digest: of(label::DIGEST),
        release: of(label::RELEASE),
        address: of(label::ADDRESS).or_else(planned),
        containers: containers.iter().map(|container| container.name.clone()).collect(),
    }
}

fn describe(status: &Status) -> String {
    let mut text = format!("{}\n", status.app);
    for (slot, state) in &status.slots {
        let role = if status.live == Some(*slot) {
            "live"
        } else if status.waiting == Some(*slot) {
            "waiting"
        } else {
            "standby"
        };
        let health = match state.healthy {
            Some(true) => "healthy",
            Some(false) => "not healthy",
            None => "",
        };
        let image = state.image.as_deref().unwrap_or("-");
        let digest = state.digest.as_deref().map_or("", |digest| &digest[..digest.len().min(19)]);
        let line = format!("  {slot:<6} {role:<8} {:<8} {health:<12} {image} {digest}", state.state);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if !status.nginx_current {
        text.push_str("  nginx does not serve the configuration of the file; the next deploy reloads it\n");
    }
    if let Some(Canary { slot, percent }) = status.canary {
        text.push_str(&format!("  {percent} % of the clients are sent to {slot}\n"));
    }
    if status.waiting.is_some() {
        text.push_str(&format!("  look at the waiting release at {}\n", status.preview));
    }
    text
}

/// `cutover history`.
pub(super) async fn history(context: &Context, app: &App, limit: usize) -> Ended {
    let config = context.config()?;
    let (name, table) = config.app(app.app.as_deref())?;
    let read = history::read(&context.folder(&config, name, table).await?);
    let mut entries = read.map_err(|error| Failure::from_error(Exit::Fault, &error))?;
    entries.drain(..entries.len().saturating_sub(limit));
    let data = serde_json::json!({ "app": name, "entries": entries });
    context.output.data(&data, || entries.iter().map(line).collect());
    Ok(Exit::Done)
}

fn line(entry: &Entry) -> String {
    let digest = entry.digest.as_deref().map_or("-", |digest| &digest[..digest.len().min(19)]);
    let mut line = format!(
        "{}  {:<8} {:<11} {:<5} {digest}  {} by {}",
        entry.time.get(..19).unwrap_or(&entry.time),
        entry.command,
        entry.outcome,
        entry.live.as_deref().unwrap_or("-"),
        entry.image.as_deref().unwrap_or("-"),
        entry.who,
    );
    if let Some(reason) = &entry.reason {
        line.push_str(&format!("\n    {reason}"));
    }
    line.push('\n');
    line
}

/// `cutover logs`.
pub(super) async fn logs(context: &Context, app: &App, slot: Option<Slot>, tail: u64, follow: bool) -> Ended {
    let config = context.config()?;
    let (name, table) = config.app(app.app.as_deref())?;
    let target = Target::connect(&config, name, table, &context.witness).await?;
    let observed = observe(&target, None).await?;
    let slot = slot.or(observed.live()).unwrap_or(observed.world.live.slot());
    let containers = observed.standing.get(slot).occupant();
    if containers.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("{slot} holds no container"))
            .next("`cutover status` shows the slots"));
    }
    let query = LogQuery { tail: Some(tail), follow, ..LogQuery::default() };
    let named = containers.len() > 1;
    let lines = select_all(containers.iter().map(|container| Box::pin(lines(&target, container, &query))));
    let mut lines = pin!(lines);
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            () = context.interrupt.cancelled() => None,
        };
        let Some(line) = line else { return Ok(Exit::Done) };
        let (container, text) = line?;
        if context.output.json() {
            let data = serde_json::json!({ "container": container, "line": text });
            context.output.text(&data.to_string());
        } else if named {
            context.output.text(&format!("{container} | {text}"));
        } else {
            context.output.text(&format!("{text}\n"));
        }
    }
}

fn lines(
    target: &Target<'_>,
    container: &Container,
    query: &LogQuery,
) -> impl futures_util::Stream<Item = Result<(String, String), cutover_runtime::Error>> + Send + use<> {
    let name = container.name.clone();
    target.engine.logs(&container.id, query).map(move |line| Ok((name.clone(), line?.text)))
}

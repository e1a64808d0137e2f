//! The account of the demo, for a person.

use std::time::Duration;

use super::account::{Account, Act, Stream};
use super::timeline::Period;

/// The account as a table of plain text.
#[must_use]
pub fn render(account: &Account) -> String {
    let build =
        if account.debug_build { " (a debug build of cutover: a release build is quicker)" } else { "" };
    let mut text = format!("\nWhat happened{build}\n\n");
    row(&mut text, "requests sent", &thousands(account.sent));
    row(&mut text, "failed", &thousands(account.failed));
    row(&mut text, "answered by a version that was left", &account.stale.to_string());
    for stream in &account.streams {
        row(&mut text, &format!("{} opened before the switch", stream.name), &lived(stream));
    }
    if let Some(switch) = account.switch {
        row(&mut text, "the switch, with its confirmation", &time(switch));
    }
    part(
        &mut text,
        "Which version answered, by when the request was sent",
        account.timeline.iter().map(period),
    );
    part(&mut text, "Commands, from the start of the process to its end", account.acts.iter().map(act));
    part(&mut text, "Failures", account.failures.iter().cloned());
    part(&mut text, "What cutover said of the broken release", account.rejection.lines().map(str::to_owned));
    for notice in &account.notices {
        part(&mut text, "A notice, as Slack had it", notice.iter().cloned());
    }
    let faults = account.faults();
    match faults.is_empty() {
        true => text.push_str("\nNothing was lost.\n"),
        false => part(&mut text, "This went wrong", faults.into_iter()),
    }
    text
}

fn row(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!("  {name:<38} {value}\n"));
}

fn part(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        text.push_str(&format!("\n{title}\n"));
    }
    for line in lines {
        text.push_str(&format!("  {}\n", line.trim_end()));
    }
}

fn lived(stream: &Stream) -> String {
    let past = stream.past_switch.map_or_else(
        || "ended before it".to_owned(),
        |past| format!("lived on for {} until its slot was drained", time(past)),
    );
    let end = stream.end.as_deref().map_or_else(String::new, |end| format!(", then: {end}"));
    format!("{past}{end} ({} messages)", stream.messages)
}

fn period(period: &Period) -> String {
    let handover = match period.handover {
        Duration::ZERO => String::new(),
        handover => format!(", after {} of both", time(handover)),
    };
    format!(
        "+{:>6.3} s to +{:>6.3} s   version {:<3} {:>9} answers{handover}",
        period.from.as_secs_f64(),
        period.until.as_secs_f64(),
        period.version,
        thousands(period.answers as u64),
    )
}

fn act(act: &Act) -> String {
    let status = act.status.map_or_else(|| "signal".to_owned(), |status| format!("exit {status}"));
    let phases: Vec<String> =
        act.phases.iter().map(|(name, took)| format!("{name} {}", time(*took))).collect();
    format!("{:<44} {status:<7} {:>8}   {}", act.what, time(act.took), phases.join(", "))
}

/// A time with the digits that matter.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.1} s")
    } else if seconds >= 0.01 {
        format!("{:.0} ms", seconds * 1e3)
    } else {
        format!("{:.1} ms", seconds * 1e3)
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;

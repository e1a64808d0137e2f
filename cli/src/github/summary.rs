//! The job's summary, in GitHub's Markdown.

use crate::outcome::{Outcome, Result as Ended};
use crate::output::seconds;

/// A run's account for the summary: what is live, from what, and how to go back.
pub(super) fn of(outcome: &Outcome) -> String {
    let (mark, headline) = headline(outcome);
    let mut text = format!("### {mark} {}: {headline}\n\n| | |\n|---|---|\n", outcome.app);
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("| {name} | {value} |\n"));
        }
    };
    let code = |value: &Option<String>| value.as_deref().map(code);
    row("image", code(&outcome.image));
    row("digest", code(&outcome.digest));
    row("before", code(&outcome.previous));
    row("slot", slots(outcome));
    row("why", outcome.reason.as_deref().map(escaped));
    row("reloads of nginx", (outcome.reloads > 0).then(|| outcome.reloads.to_string()));
    row("probe", outcome.probe.as_ref().map(|probe| escaped(&probe.to_string())));
    row("clients", outcome.guard.map(|guard| escaped(&guard.to_string())));
    row("took", Some(seconds(outcome.took)));
    row("next", next(outcome).map(|command| self::code(&command)));
    if !outcome.phases.is_empty() {
        text.push_str("\n<details><summary>phases</summary>\n\n| phase | took |\n|---|---:|\n");
        for (phase, took) in &outcome.phases {
            text.push_str(&format!("| {} | {} |\n", escaped(phase), seconds(*took)));
        }
        text.push_str("\n</details>\n");
    }
    if !outcome.logs.is_empty() {
        text.push_str("\n<details><summary>its last lines</summary>\n\n<pre>");
        text.push_str(&outcome.logs.iter().map(|line| format!("{}\n", html(line))).collect::<String>());
        text.push_str("</pre>\n\n</details>\n");
    }
    text.push('\n');
    text
}

fn headline(outcome: &Outcome) -> (&'static str, String) {
    let live = outcome.live.as_deref().unwrap_or("nothing");
    match outcome.outcome {
        Ended::Deployed => ("✅", format!("live in {live}")),
        Ended::Unchanged => ("✅", "as it should be already".to_owned()),
        Ended::Waiting => ("⏸️", "waits to be promoted".to_owned()),
        Ended::BackedUp => ("✅", "the standby holds the live release".to_owned()),
        Ended::Aborted => ("↩️", format!("the release that waited is gone; {live} serves")),
        Ended::RolledBack => ("↩️", format!("back on {live}")),
        Ended::Rejected => ("❌", format!("rejected; {live} serves as before")),
        Ended::Interrupted => ("🚫", format!("interrupted; {live} is live")),
        Ended::Failed => ("❌", format!("failed; {live} is live")),
    }
}

fn slots(outcome: &Outcome) -> Option<String> {
    let live = outcome.live.as_deref()?;
    Some(match outcome.from.as_deref() {
        Some(from) if from != live => format!("{from} → {live}"),
        _ => live.to_owned(),
    })
}

fn next(outcome: &Outcome) -> Option<String> {
    match outcome.outcome {
        Ended::Deployed | Ended::BackedUp if outcome.previous.is_some() => {
            Some(format!("cutover rollback {}", outcome.app))
        }
        Ended::Waiting => Some(format!("cutover promote {}", outcome.app)),
        _ => None,
    }
}

/// Text in a table's cell.
fn escaped(text: &str) -> String {
    html(text).replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn outcome(ended: Ended) -> Outcome {
        Outcome {
            app: "web".to_owned(),
            outcome: ended,
            live: Some("green".to_owned()),
            from: Some("blue".to_owned()),
            release: Some("0123456789ab".to_owned()),
            image: Some("ghcr.io/acme/web:2".to_owned()),
            digest: Some("sha256:cd".to_owned()),
            previous: Some("sha256:ab".to_owned()),
            commit: None,
            previous_commit: None,
            reloads: 0,
            phases: BTreeMap::from([("pull".to_owned(), 1.5), ("switch".to_owned(), 0.004)]),
            took: 3.25,
            probe: None,
            guard: None,
            preview: None,
            reason: None,
            logs: Vec::new(),
        }
    }

    #[test]
    fn what_went_live_and_how_to_go_back_is_told() {
        let text = of(&outcome(Ended::Deployed));
        for part in [
            "### ✅ web: live in green",
            "| digest | <code>sha256:cd</code> |",
            "| before | <code>sha256:ab</code> |",
            "| slot | blue → green |",
            "| next | <code>cutover rollback web</code> |",
            "| switch | 4 ms |",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn what_an_app_said_cannot_break_out_of_its_place() {
        let mut rejected = outcome(Ended::Rejected);
        rejected.reason = Some("answered | 500\n# a heading".to_owned());
        rejected.logs = vec!["</pre><script>alert(1)</script>".to_owned()];
        let text = of(&rejected);
        assert!(text.contains("| why | answered \\| 500 # a heading |"), "{text}");
        assert!(text.contains("&lt;/pre&gt;&lt;script&gt;") && !text.contains("<script>"), "{text}");
        assert!(!text.contains("rollback"), "{text}");
    }
}

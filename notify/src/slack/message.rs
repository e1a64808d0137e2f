//! The Block Kit message of a notice.
//!
//! Slack's limits ([Block Kit reference](https://docs.slack.dev/reference/block-kit/blocks)): 150 for a header, 3,000
//! for a section's text, 2,000 for each of at most 10 fields, 10 elements in a context. A message as a whole is also
//! refused (`msg_blocks_too_long`) from about 12,000 on; the limits below keep the sum under 10,000.

use slack_morphism::prelude::{
    SlackBlock, SlackBlockMarkDownText, SlackBlockPlainText, SlackBlockText, SlackContextBlock,
    SlackContextBlockElement, SlackHeaderBlock, SlackMessageContent, SlackSectionBlock,
};

use super::SlackConfig;
use super::mrkdwn::{code, command, line, link, paragraph, plain, tail, units};
use crate::summary::{human, said, short_digest};
use crate::{Field, Notice, Source, Status, text};

const HEADER: usize = 150;
const TEXT: usize = 1_000;
const MENTIONS: usize = 600;
const VALUE: usize = 180;
const REASON: usize = 1_000;
const LOGS: usize = 2_500;
const NEXT: usize = 300;
const FOOT: usize = 300;
/// A commit's first digits, as git shows them.
const COMMIT: usize = 7;

/// The message of `notice`: what happened, whom it pages, the facts, what to do, where it came from.
pub(super) fn compose(notice: &Notice, config: &SlackConfig) -> SlackMessageContent {
    let blocks = [
        Some(header(notice)),
        context([said(&config.author_name).map(|name| line(name, FOOT))]),
        mentions(notice.status, config),
        facts(outcome(notice, config)),
        said(&notice.reason).map(|why| section(paragraph(why, REASON))),
        (!notice.logs.is_empty()).then(|| section(tail(&notice.logs, LOGS))),
        said(&notice.next).map(|next| section(format!("*Next*\n{}", command(next, NEXT)))),
        facts(origin(notice, config)),
        context([phases(notice), run(&notice.source, config)]),
    ];
    SlackMessageContent::new()
        .with_text(line(&text(notice), TEXT))
        .with_blocks(blocks.into_iter().flatten().collect())
}

fn header(notice: &Notice) -> SlackBlock {
    let (sign, outcome) = match notice.status {
        Status::Success => ("✅", "deployed"),
        Status::Failure => ("❌", "deployment failed"),
        Status::Cancelled => ("🚫", "deployment cancelled"),
        Status::RolledBack => ("↩️", "rolled back"),
    };
    let room = HEADER - units(sign) - units(outcome) - units(" : ");
    let title = format!("{sign} {}: {outcome}", plain(&notice.app, room));
    SlackHeaderBlock::new(SlackBlockPlainText::new(title).with_emoji(true).into()).into()
}

fn mentions(status: Status, config: &SlackConfig) -> Option<SlackBlock> {
    let mut text = String::new();
    let mut paged = Vec::new();
    for mention in config.mentions.get(&status)? {
        let mrkdwn = mention.mrkdwn();
        if paged.contains(&mention) || units(&text) + units(&mrkdwn) + 1 > MENTIONS {
            continue;
        }
        paged.push(mention);
        text.push_str(if text.is_empty() { "" } else { " " });
        text.push_str(&mrkdwn);
    }
    // Only here Slack is to make mentions, so this text alone is not verbatim.
    let text = SlackBlockText::MarkDown(SlackBlockMarkDownText::new(text));
    (!paged.is_empty()).then(|| SlackSectionBlock::new().with_text(text).into())
}

/// What is known of the deployment itself, by title.
fn outcome(notice: &Notice, config: &SlackConfig) -> Vec<(&'static str, String)> {
    let previous = if notice.status == Status::RolledBack { "Live again" } else { "Previous" };
    let took = notice.took.filter(|_| !config.fields.contains(&Field::Took));
    let known = [
        ("Release", said(&notice.image).map(|image| code(image, VALUE))),
        ("Digest", said(&notice.digest).map(|digest| code(short_digest(digest), VALUE))),
        (previous, said(&notice.previous).map(|release| code(release, VALUE))),
        ("Slot", slots(notice)),
        ("Host", said(&notice.host).map(|host| line(host, VALUE))),
        ("By", said(&notice.actor).map(|actor| line(actor, VALUE))),
        ("Took", took.map(human)),
    ];
    known.into_iter().filter_map(|(title, value)| Some((title, value?))).collect()
}

fn slots(notice: &Notice) -> Option<String> {
    match (said(&notice.from_slot), said(&notice.to_slot)) {
        (Some(from), Some(to)) if from != to => {
            Some(format!("{} → {}", line(from, VALUE / 3), line(to, VALUE / 3)))
        }
        (from, to) => to.or(from).map(|slot| line(slot, VALUE)),
    }
}

/// The facts of the source that are asked for and known, each once.
fn origin(notice: &Notice, config: &SlackConfig) -> Vec<(&'static str, String)> {
    let mut asked = Vec::new();
    for field in &config.fields {
        if !asked.contains(field) {
            asked.push(*field);
        }
    }
    asked.into_iter().filter_map(|field| Some((field.as_str(), fact(field, notice)?))).collect()
}

fn fact(field: Field, notice: &Notice) -> Option<String> {
    let source = &notice.source;
    let known = |text: &Option<String>| said(text).map(|text| line(text, VALUE));
    match field {
        Field::Repo => known(&source.repo).map(|repo| link(said(&source.repo_url), &repo)),
        Field::Message => said(&source.message)?.lines().next().map(|first| line(first, VALUE)),
        Field::Commit => {
            let commit: String = said(&source.commit)?.chars().take(COMMIT).collect();
            Some(link(said(&source.commit_url), &line(&commit, VALUE)))
        }
        Field::Author => known(&source.author),
        Field::Action => known(&source.action),
        Field::EventName => known(&source.event_name),
        Field::Ref => said(&source.ref_).map(|name| code(name, VALUE)),
        Field::Workflow => known(&source.workflow).map(|name| link(said(&source.run_url), &name)),
        Field::Job => known(&source.job),
        Field::Took => notice.took.map(human),
    }
}

fn phases(notice: &Notice) -> Option<String> {
    let phases: Vec<String> =
        notice.phases.iter().map(|(name, took)| format!("{name} {}", human(*took))).collect();
    (!phases.is_empty()).then(|| line(&phases.join(" · "), FOOT))
}

/// A link to the CI run, unless the workflow's field has it already.
fn run(source: &Source, config: &SlackConfig) -> Option<String> {
    let shown = config.fields.contains(&Field::Workflow) && said(&source.workflow).is_some();
    let label = "CI run";
    let run = link(Some(said(&source.run_url).filter(|_| !shown)?), label);
    (run != label).then_some(run)
}

fn section(text: String) -> SlackBlock {
    SlackSectionBlock::new().with_text(SlackBlockText::MarkDown(mrkdwn(text))).into()
}

fn facts(facts: Vec<(&'static str, String)>) -> Option<SlackBlock> {
    let fields: Vec<_> = facts
        .into_iter()
        .map(|(title, value)| SlackBlockText::MarkDown(mrkdwn(format!("*{title}*\n{value}"))))
        .collect();
    (!fields.is_empty()).then(|| SlackSectionBlock::new().with_fields(fields).into())
}

fn context<const N: usize>(texts: [Option<String>; N]) -> Option<SlackBlock> {
    let elements: Vec<_> =
        texts.into_iter().flatten().map(|text| SlackContextBlockElement::MarkDown(mrkdwn(text))).collect();
    (!elements.is_empty()).then(|| SlackContextBlock::new(elements).into())
}

/// Verbatim: Slack makes no mentions, channels or links of its own out of the text.
fn mrkdwn(text: String) -> SlackBlockMarkDownText {
    SlackBlockMarkDownText::new(text).with_verbatim(true)
}

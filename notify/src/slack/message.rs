//! The Block Kit message of a notice.
//!
//! Slack's limits ([Block Kit reference](https://docs.slack.dev/reference/block-kit/blocks)): 150 for a header, 3,000
//! for a section's text, 2,000 for each of at most 10 fields, 10 elements in a context. A message as a whole is also
//! refused (`msg_blocks_too_long`) from about 12,000 on; the limits below keep the sum under 10,000.

use slack_morphism::prelude::{
    SlackBlock, SlackBlockMarkDownText, SlackBlockPlainText, SlackBlockText, SlackContextBlock,
    SlackContextBlockElement, SlackHeaderBlock, SlackMessageContent, SlackSectionBlock,
};

use super::SlackStyle;
use super::mrkdwn::{code, command, line, link, paragraph, plain, tail, trusted, units};
use crate::summary::{self, human, requests, said, short_digest};
use crate::{Error, Facts, Field, Notice, Part, Progress, Status, text};

const HEADER: usize = 150;
const TEXT: usize = 1_000;
const MENTIONS: usize = 600;
const VALUE: usize = 150;
const REASON: usize = 1_000;
const LOGS: usize = 2_000;
/// In a message of its own a log has a section to itself.
const THREAD_LOGS: usize = 2_900;
const NEXT: usize = 300;
const FOOT: usize = 300;
/// What is under way is a line a phase, the last ones.
const PHASES: usize = 1_000;
/// A commit's first digits, as git shows them.
const COMMIT: usize = 7;

/// What the message lacks, if its template could not be filled.
type Lacking = Option<(Part, Error)>;

/// The whole message of `notice`: what happened, whom it pages, the facts, the log, what to do, where it came from.
pub(super) fn whole(notice: &Notice, style: &SlackStyle) -> (SlackMessageContent, Lacking) {
    compose(notice, style, mentions(notice.status, style), Some(notice.logs.as_slice()))
}

/// The message without the log, which stands in the thread below it.
pub(super) fn paging(notice: &Notice, style: &SlackStyle) -> (SlackMessageContent, Lacking) {
    compose(notice, style, mentions(notice.status, style), None)
}

/// The message without the log and without those whom it pages: as the last change of one that is there.
pub(super) fn head(notice: &Notice, style: &SlackStyle) -> (SlackMessageContent, Lacking) {
    compose(notice, style, None, None)
}

/// The reply that pages, if there is someone to page.
pub(super) fn page(notice: &Notice, style: &SlackStyle) -> Option<SlackMessageContent> {
    let blocks = vec![mentions(notice.status, style)?, section(line(&text(notice), TEXT))];
    Some(SlackMessageContent::new().with_text(line(&text(notice), TEXT)).with_blocks(blocks))
}

/// The reply with the last lines of log, if there are any.
pub(super) fn logs(notice: &Notice) -> Option<SlackMessageContent> {
    let log = section(tail(&notice.logs, THREAD_LOGS));
    let title = plain(&format!("{}: the release's last lines of log", notice.facts.app), TEXT);
    let blocks = vec![context([Some(line(&title, FOOT))])?, log];
    let message = SlackMessageContent::new().with_text(line(&title, TEXT)).with_blocks(blocks);
    (!notice.logs.is_empty()).then_some(message)
}

/// The message while the deployment goes on.
pub(super) fn under_way(progress: &Progress, style: &SlackStyle) -> SlackMessageContent {
    let facts = &progress.facts;
    let blocks = [
        Some(header("🚀", &facts.app, "deploying")),
        context([said(&style.author_name).map(|name| line(name, FOOT))]),
        fields(outcome(facts, "Previous", style)),
        phases_so_far(progress),
        fields(origin(facts, style)),
        context([links(facts, style)]),
    ];
    SlackMessageContent::new()
        .with_text(line(&summary::under_way(progress), TEXT))
        .with_blocks(blocks.into_iter().flatten().collect())
}

fn compose(
    notice: &Notice,
    style: &SlackStyle,
    mentions: Option<SlackBlock>,
    logs: Option<&[String]>,
) -> (SlackMessageContent, Lacking) {
    let facts = &notice.facts;
    let (own, lacking) = match style.template.as_ref().map(|template| template.mrkdwn(notice)) {
        Some(Ok(own)) => (Some(trusted(&own, TEXT)).filter(|own| !own.is_empty()), None),
        Some(Err(error)) => (None, Some((Part::Template, error))),
        None => (None, None),
    };
    let previous = if notice.status == Status::RolledBack { "Live again" } else { "Previous" };
    let (sign, words) = headline(notice.status);
    let blocks = [
        Some(header(sign, &facts.app, words)),
        context([said(&style.author_name).map(|name| line(name, FOOT))]),
        mentions,
        own.clone().map(section),
        fields(outcome(facts, previous, style)),
        said(&notice.reason).map(|why| section(paragraph(why, REASON))),
        logs.filter(|logs| !logs.is_empty()).map(|logs| section(tail(logs, LOGS))),
        said(&notice.next).map(|next| section(format!("*Next*\n{}", command(next, NEXT)))),
        fields(origin(facts, style)),
        context([phases(facts), links(facts, style)]),
    ];
    let message = SlackMessageContent::new()
        .with_text(own.unwrap_or_else(|| line(&text(notice), TEXT)))
        .with_blocks(blocks.into_iter().flatten().collect());
    (message, lacking)
}

fn headline(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Success => ("✅", "deployed"),
        Status::Failure => ("❌", "deployment failed"),
        Status::Cancelled => ("🚫", "deployment cancelled"),
        Status::RolledBack => ("↩️", "rolled back"),
        Status::Waiting => ("⏳", "waiting for promotion"),
    }
}

fn header(sign: &str, app: &str, words: &str) -> SlackBlock {
    let room = HEADER - units(sign) - units(words) - units(" : ");
    let title = format!("{sign} {}: {words}", plain(app, room));
    SlackHeaderBlock::new(SlackBlockPlainText::new(title).with_emoji(true).into()).into()
}

fn mentions(status: Status, style: &SlackStyle) -> Option<SlackBlock> {
    let mut text = String::new();
    let mut paged = Vec::new();
    for mention in style.mentions.get(&status)? {
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
fn outcome(facts: &Facts, previous: &'static str, style: &SlackStyle) -> Vec<(&'static str, String)> {
    let took = facts.took.filter(|_| !style.fields.has(Field::Took));
    let requests = facts.requests.as_ref().map(requests);
    let known = [
        ("Release", said(&facts.image).map(|image| code(image, VALUE))),
        ("Digest", said(&facts.digest).map(|digest| code(short_digest(digest), VALUE))),
        (previous, said(&facts.previous).map(|release| code(short_digest(release), VALUE))),
        ("Slot", slots(facts)),
        ("Host", said(&facts.host).map(|host| line(host, VALUE))),
        ("By", said(&facts.actor).map(|actor| line(actor, VALUE))),
        ("Took", took.map(human)),
        ("Requests", requests),
        ("Preview", said(&facts.preview).map(|preview| code(preview, VALUE))),
    ];
    known.into_iter().filter_map(|(title, value)| Some((title, value?))).collect()
}

fn slots(facts: &Facts) -> Option<String> {
    match (said(&facts.from_slot), said(&facts.to_slot)) {
        (Some(from), Some(to)) if from != to => {
            Some(format!("{} → {}", line(from, VALUE / 3), line(to, VALUE / 3)))
        }
        (from, to) => to.or(from).map(|slot| line(slot, VALUE)),
    }
}

/// The facts of the source that are asked for and known.
fn origin(facts: &Facts, style: &SlackStyle) -> Vec<(&'static str, String)> {
    let asked = style.fields.as_slice().iter();
    asked.filter_map(|field| Some((field.as_str(), fact(*field, facts)?))).collect()
}

fn fact(field: Field, facts: &Facts) -> Option<String> {
    let source = &facts.source;
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
        Field::Took => facts.took.map(human),
    }
}

fn phases(facts: &Facts) -> Option<String> {
    let phases: Vec<String> =
        facts.phases.iter().map(|(name, took)| format!("{name} {}", human(*took))).collect();
    (!phases.is_empty()).then(|| line(&phases.join(" · "), FOOT))
}

/// A line for each phase that is done, and one for what is being done.
fn phases_so_far(progress: &Progress) -> Option<SlackBlock> {
    let done = progress.facts.phases.iter().map(|(name, took)| format!("✓ {name} {}", human(*took)));
    let now = said(&progress.phase).map(|phase| format!("▸ {phase}"));
    let mut lines: Vec<String> = done.chain(now).map(|phase| line(&phase, VALUE)).collect();
    while lines.iter().map(|line| units(line) + 1).sum::<usize>() > PHASES {
        lines.remove(0);
    }
    (!lines.is_empty()).then(|| section(lines.join("\n")))
}

/// Links to the run, the changes and the package, but for those that a field has already.
fn links(facts: &Facts, style: &SlackStyle) -> Option<String> {
    let source = &facts.source;
    let has = |field, value| style.fields.has(field) && said(value).is_some();
    let links = [
        ("CI run", &source.run_url, has(Field::Workflow, &source.workflow)),
        ("Commit", &source.commit_url, has(Field::Commit, &source.commit)),
        ("Changes", &source.compare_url, false),
        ("Package", &facts.package_url, false),
    ];
    let links: Vec<String> = links
        .into_iter()
        .filter(|(.., shown)| !shown)
        .filter_map(|(label, address, _)| {
            Some(link(Some(said(address)?), label)).filter(|link| link != label)
        })
        .collect();
    (!links.is_empty()).then(|| links.join(" · "))
}

fn section(text: String) -> SlackBlock {
    SlackSectionBlock::new().with_text(SlackBlockText::MarkDown(mrkdwn(text))).into()
}

fn fields(facts: Vec<(&'static str, String)>) -> Option<SlackBlock> {
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

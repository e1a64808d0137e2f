//! How values that are written as strings look: the mend that goes with what their parsers refuse.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use cutover_notify::{Fields, Mention, SlackApi, SlackChannel, Status};
use cutover_proxyconf::{Address, AppName};
use cutover_registry::{ImageRef, Platform};
use cutover_runtime::{Endpoint, StatusRanges};

use super::words;

/// A value that is written as a string.
pub trait Form: FromStr<Err: Display> {
    /// How it is written, as advice to one who wrote it wrongly.
    const FORM: &'static str;
}

/// Parses a value; the error carries the advice of its form, and the place.
pub(super) fn parse<T: Form>(text: &str, span: &Range<usize>) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| words::with_place(&error.to_string(), T::FORM, span))
}

impl Form for String {
    const FORM: &'static str = "write a string, in quotes";
}

impl Form for ImageRef {
    const FORM: &'static str =
        "write a registry, a name and a tag or a digest, such as \"ghcr.io/acme/web:1.4\"";
}

impl Form for Platform {
    const FORM: &'static str = "write an operating system and an architecture, such as \"linux/amd64\"";
}

impl Form for AppName {
    const FORM: &'static str = "an app is called by 1 to 28 of a-z, 0-9 and `-`, such as [apps.web-2]";
}

impl Form for Address {
    const FORM: &'static str = "write an address and a port, such as \"127.0.0.1:8112\"";
}

impl Form for Endpoint {
    const FORM: &'static str = "write \"unix:///var/run/docker.sock\" or \"tcp://HOST:PORT\"";
}

impl Form for StatusRanges {
    const FORM: &'static str = "write statuses and ranges of them, such as \"200-299,301\"";
}

impl Form for Status {
    const FORM: &'static str = "an outcome is success, failure, cancelled, rolled-back or waiting";
}

impl Form for Mention {
    const FORM: &'static str =
        "write \"here\", \"channel\", \"everyone\" or an id of Slack's such as \"U0123456\"";
}

impl Form for Fields {
    const FORM: &'static str = "the fields are repo, message, commit, author, action, eventName, ref, workflow, job and took, or all";
}

impl Form for SlackChannel {
    const FORM: &'static str =
        "write the channel's name such as \"#deploys\", or its id such as \"C0123456789\"";
}

impl Form for SlackApi {
    const FORM: &'static str = "write an https address, such as \"https://slack.com/api\"";
}

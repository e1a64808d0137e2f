//! What is told while a command runs. The library only says what happens; how it looks is the binary's business.

use std::time::Duration;

use crate::plan::{Plan, Step};

/// Something that happens.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The steps that follow.
    Planned(&'a Plan),
    /// A step begins.
    Begun(&'a Step),
    /// A step is done.
    Done(&'a Step, Duration),
    /// A gate or a watch asked something.
    Asked {
        /// Who was asked: a container's name, or a slot.
        who: &'a str,
        /// The container's id, where one was asked directly.
        id: Option<&'a str>,
        /// What was asked, for people.
        what: &'a str,
        /// What was wrong with the answer, if anything was.
        wrong: Option<&'a str>,
    },
    /// An image's layer is on its way.
    Layer {
        /// The layer.
        layer: &'a str,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// Work begins that is no step of a plan, such as a build.
    Working(&'a str),
    /// A line that such work printed.
    Printed(&'a str),
    /// Such work is done.
    Worked(&'a str, Duration),
    /// A sentence worth telling.
    Note(&'a str),
    /// Something that did not go as it should and costs no traffic.
    Warning(&'a str),
}

/// Who is told.
pub trait Report: Send + Sync {
    /// Takes an event.
    fn tell(&self, event: Event<'_>);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Report for Silent {
    fn tell(&self, _: Event<'_>) {}
}

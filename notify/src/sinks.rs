use std::fmt;
use std::sync::Arc;

use crate::live::Live;
use crate::{Delivered, Error, Notice, Progress, Sink, Status};

/// Several places, each told of the outcomes that are its own. One that fails keeps no other from being told.
#[derive(Clone, Default)]
pub struct Sinks {
    all: Vec<Listener>,
}

/// A place, and what it is told.
#[derive(Clone)]
pub(crate) struct Listener {
    pub(crate) sink: Arc<dyn Sink>,
    on: Option<Vec<Status>>,
}

impl Listener {
    /// Whether a notice of this status is for it.
    pub(crate) fn hears(&self, status: Status) -> bool {
        self.on.as_ref().is_none_or(|on| on.contains(&status))
    }

    /// Whether it is told of every outcome, so that it may be told before there is one.
    pub(crate) fn hears_all(&self) -> bool {
        Status::ALL.into_iter().all(|status| self.hears(status))
    }
}

/// What came of telling one place.
#[derive(Debug)]
#[non_exhaustive]
pub struct Told {
    /// The place, by [`Sink::name`].
    pub sink: String,
    /// That it has the notice, or why not.
    pub result: Result<Delivered, Error>,
}

impl Sinks {
    /// No place at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a place that is told of every outcome.
    pub fn add(&mut self, sink: impl Sink + 'static) {
        self.all.push(Listener { sink: Arc::new(sink), on: None });
    }

    /// Adds a place that is told of these outcomes alone, and never that a deployment has begun.
    pub fn add_on(&mut self, sink: impl Sink + 'static, on: impl Into<Vec<Status>>) {
        self.all.push(Listener { sink: Arc::new(sink), on: Some(on.into()) });
    }

    /// Whether there is no place.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Tells all of them at once, and waits for each: as long as the slowest takes, which every sink bounds.
    pub async fn send(&self, notice: &Notice) -> Vec<Told> {
        let deliveries: Vec<_> = self
            .all
            .iter()
            .filter(|listener| listener.hears(notice.status))
            .map(|listener| {
                let (sink, notice) = (Arc::clone(&listener.sink), notice.clone());
                (listener.sink.name(), tokio::spawn(async move { sink.send(&notice).await }))
            })
            .collect();
        let mut told = Vec::new();
        for (sink, delivery) in deliveries {
            let result = delivery.await.unwrap_or_else(|_| Err(Error::ended(&sink)));
            told.push(Told { sink, result });
        }
        told
    }

    /// Starts telling of a deployment that has just begun. It runs beside the deployment, on the Tokio runtime that this
    /// is called on.
    #[must_use]
    pub fn begin(&self, progress: Progress) -> Live {
        Live::begin(self.all.clone(), progress)
    }
}

impl fmt::Debug for Sinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(|listener| listener.sink.name())).finish()
    }
}

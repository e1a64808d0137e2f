//! When a message is touched, in virtual time.

use std::sync::Mutex;

use super::*;
use crate::{Sending, Sinks, Status, Thread};

/// A place that keeps when it was told what, and answers progress as it is told to.
#[derive(Clone)]
struct Place {
    told: Arc<Mutex<Vec<(Duration, String)>>>,
    since: Instant,
    refuses: fn() -> Option<Error>,
}

impl Place {
    fn new(refuses: fn() -> Option<Error>) -> Self {
        Self { told: Arc::default(), since: Instant::now(), refuses }
    }

    fn keep(&self, what: &str) {
        self.told.lock().unwrap().push((self.since.elapsed(), what.to_owned()));
    }

    fn told(&self) -> Vec<(Duration, String)> {
        self.told.lock().unwrap().clone()
    }
}

impl Sink for Place {
    fn name(&self) -> String {
        "place".to_owned()
    }

    fn send<'a>(&'a self, _: &'a Notice) -> Sending<'a> {
        Box::pin(async { Ok(Delivered::after(1)) })
    }

    fn thread(&self) -> Option<Box<dyn Thread + '_>> {
        Some(Box::new(self.clone()))
    }
}

impl Thread for Place {
    fn progress<'a>(&'a mut self, progress: &'a Progress) -> Sending<'a> {
        Box::pin(async move {
            self.keep(progress.phase.as_deref().unwrap_or_default());
            (self.refuses)().map_or_else(|| Ok(Delivered::after(1)), Err)
        })
    }

    fn end<'a>(&'a mut self, notice: &'a Notice) -> Sending<'a> {
        Box::pin(async move {
            self.keep(notice.status.as_str());
            Ok(Delivered::after(1))
        })
    }
}

/// Lets virtual time pass, and all that is due in it be done: nobody waits for it.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

fn progress(state: u32) -> Progress {
    Progress { phase: Some(state.to_string()), ..Progress::new("web") }
}

/// Tells a state every 100 ms for 10 s, then the end.
async fn follow(place: &Place) -> Vec<(Duration, String)> {
    let mut sinks = Sinks::new();
    sinks.add(place.clone());
    let live = sinks.begin(progress(0));
    for state in 1..=100 {
        pass(Duration::from_millis(100)).await;
        live.progress(progress(state));
    }
    let told = live.end(&Notice::new(Status::Success, "web"), Duration::from_secs(60)).await;
    assert!(told[0].result.is_ok());
    place.told()
}

#[tokio::test(start_paused = true)]
async fn the_newest_is_told_each_second_and_the_end_a_second_after_that() {
    let told = follow(&Place::new(|| None)).await;
    assert!((9..=12).contains(&told.len()), "{told:?}");
    assert!(told.windows(2).all(|two| two[1].0 - two[0].0 >= PACE), "{told:?}");
    assert_eq!((told[0].1.as_str(), told.last().unwrap().1.as_str()), ("0", "success"));
    for (when, state) in &told[1..told.len() - 1] {
        let (when, state) = (when.as_millis(), state.parse::<u128>().unwrap() * 100);
        assert!(when.abs_diff(state) <= 100, "at {when} ms the state of {state} ms is told");
    }
}

#[tokio::test(start_paused = true)]
async fn who_refused_once_is_asked_again_at_the_end_alone() {
    let refused = || {
        let (host, code) = ("slack.com".to_owned(), "invalid_auth".to_owned());
        Some(Error::Rejected { host, status: 200, code })
    };
    let told = follow(&Place::new(refused)).await;
    assert_eq!(told.iter().map(|(_, what)| what.as_str()).collect::<Vec<_>>(), ["0", "success"]);
}

#[tokio::test(start_paused = true)]
async fn who_asks_to_wait_is_let_alone_until_then_but_for_the_end() {
    let limited = || {
        let retry_after = Some(Duration::from_secs(u64::MAX));
        Some(Error::RateLimited { host: "slack.com".to_owned(), retry_after, attempts: 1 })
    };
    let told = follow(&Place::new(limited)).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].0 <= Duration::from_secs(12), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn without_an_end_nothing_more_is_told() {
    let place = Place::new(|| None);
    let mut sinks = Sinks::new();
    sinks.add(place.clone());
    let live = sinks.begin(progress(0));
    pass(Duration::from_secs(5)).await;
    drop(live);
    pass(Duration::from_secs(5)).await;
    assert_eq!(place.told().len(), 1);
}

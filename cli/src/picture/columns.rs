//! The probe's buckets, put together to as many columns as a chart has room for.

use crate::probe::Bucket;
use crate::record::Record;

/// The most columns of a chart.
const MOST: f64 = 120.0;

/// How wide a column may be, in milliseconds.
const WIDTHS: [f64; 10] =
    [100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 30_000.0, 60_000.0, 300_000.0];

/// The requests of a piece of time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) from_ms: f64,
    pub(super) to_ms: f64,
    /// The slot that served when it began.
    pub(super) slot: Option<String>,
    pub(super) sent: u64,
    pub(super) failed: u64,
    /// The middle one of its buckets.
    pub(super) p50_ms: Option<f64>,
    /// The highest of its buckets.
    pub(super) p99_ms: Option<f64>,
}

/// The columns of a run, without those in which nothing was sent.
pub(super) fn columns(record: &Record) -> Vec<Column> {
    let Some(probe) = &record.probe else { return Vec::new() };
    let width = WIDTHS.into_iter().find(|width| record.took_ms / width <= MOST).unwrap_or(WIDTHS[9]);
    let number = |bucket: &Bucket| (bucket.at_ms as f64 / width).floor();
    let same = |one: &Bucket, other: &Bucket| number(one) == number(other);
    let together = |buckets: &[Bucket]| {
        let first = buckets.first()?;
        let from_ms = number(first) * width;
        Some(Column {
            from_ms,
            to_ms: from_ms + width,
            slot: first.slot.clone(),
            sent: buckets.iter().map(|bucket| bucket.span.sent).sum(),
            failed: buckets.iter().map(|bucket| bucket.span.failed).sum(),
            p50_ms: middle(buckets.iter().filter_map(|bucket| bucket.span.p50_ms).collect()),
            p99_ms: buckets.iter().filter_map(|bucket| bucket.span.p99_ms).reduce(f64::max),
        })
    };
    probe.buckets.chunk_by(same).filter_map(together).collect()
}

fn middle(mut times: Vec<f64>) -> Option<f64> {
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

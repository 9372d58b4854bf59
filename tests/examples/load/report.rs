//! What came back, as rows of one table: for each number of connections one row for each status.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// One answer, or none.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// 0 where there was no answer.
    pub(crate) status: u16,
    pub(crate) latency: Duration,
    /// 200, or 503 that says when to come back.
    pub(crate) is_honest: bool,
}

/// The answers of one status over one number of connections.
#[derive(Debug)]
pub(crate) struct Row {
    connections: usize,
    status: u16,
    requests: usize,
    per_second: f64,
    /// 50th, 90th and 99th percentile and the largest, in milliseconds.
    latencies: [f64; 4],
}

pub(crate) const HEADING: &str = "connections  status  requests    req/s   p50 ms   p90 ms   p99 ms   max ms";

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub(crate) fn rows(connections: usize, outcomes: &[Outcome], elapsed: Duration) -> Vec<Row> {
    let mut by_status: BTreeMap<u16, Vec<Duration>> = BTreeMap::new();
    outcomes.iter().for_each(|outcome| by_status.entry(outcome.status).or_default().push(outcome.latency));
    let row = |(status, mut latencies): (u16, Vec<Duration>)| {
        latencies.sort_unstable();
        let requests = latencies.len();
        let per_second = requests as f64 / elapsed.as_secs_f64();
        let latencies = [0.5, 0.9, 0.99, 1.0].map(|share| quantile(&latencies, share).as_secs_f64() * 1e3);
        Row { connections, status, requests, per_second, latencies }
    };
    by_status.into_iter().map(row).collect()
}

impl Row {
    /// For people, under [`HEADING`].
    pub(crate) fn text(&self) -> String {
        let Self { connections, status, requests, per_second, latencies: [p50, p90, p99, max] } = self;
        format!(
            "{connections:>11}  {status:>6}  {requests:>8}  {per_second:>7.1}  {p50:>7.1}  {p90:>7.1}  {p99:>7.1}  {max:>7.1}"
        )
    }
}

/// For programs.
pub(crate) fn csv(rows: &[Row]) -> String {
    let mut csv = "connections,status,requests,per_second,p50_ms,p90_ms,p99_ms,max_ms\n".to_owned();
    for Row { connections, status, requests, per_second, latencies: [p50, p90, p99, max] } in rows {
        let _written = writeln!(
            csv,
            "{connections},{status},{requests},{per_second:.1},{p50:.2},{p90:.2},{p99:.2},{max:.2}"
        );
    }
    csv
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an index of a list in memory"
)]
fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let index = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

//! A bounded load generator for a running service on this machine:
//!
//! ```sh
//! cargo run --release -p assize-e2e --example load -- 127.0.0.1:8080 64 30
//! ```
//!
//! sends chat turns over so many connections for so many seconds and prints what came back and how fast. Lengths are
//! lognormal (median 40 words, 95th percentile 300, cut at 400), drawn with a fixed seed, from a fixed list of words; a
//! fourth argument fixes the number of words instead.
#![expect(clippy::print_stdout, reason = "the figures are this program's answer")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const WORDS: [&str; 24] = [
    "how", "can", "I", "plan", "a", "garden", "with", "herbs", "and", "tomatoes", "for", "my", "balcony",
    "so", "that", "it", "gets", "enough", "sun", "in", "the", "early", "spring", "please",
];
const TEXTS: usize = 512;

/// One answer, or none.
struct Outcome {
    status: u16,
    latency: Duration,
    is_honest: bool,
}

/// Splitmix64: small, seeded, good enough to draw lengths.
struct Random(u64);

impl Random {
    /// Uniform in (0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64")]
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Lognormal with median 40 and sigma 1.225, by Box and Muller.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=400")]
    fn words(&mut self) -> usize {
        let normal = (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos();
        (40.0 * (1.225 * normal).exp()).clamp(1.0, 400.0) as usize
    }
}

fn bodies(fixed: Option<usize>) -> Vec<String> {
    let mut random = Random(7);
    let text = |random: &mut Random| {
        let start = random.words();
        let length = fixed.unwrap_or_else(|| random.words());
        let words = WORDS.iter().cycle().skip(start % WORDS.len()).take(length);
        words.copied().collect::<Vec<_>>().join(" ")
    };
    let body = |text: String| serde_json::json!({"turns": [{"role": "user", "content": text}]}).to_string();
    (0..TEXTS).map(|_| body(text(&mut random))).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, connections, seconds, words) = match arguments.as_slice() {
        [address, connections, seconds] => (address, connections, seconds, None),
        [address, connections, seconds, words] => (address, connections, seconds, Some(words.parse()?)),
        _ => return Err("usage: load ADDRESS CONNECTIONS SECONDS [WORDS], as 127.0.0.1:8080 64 30".into()),
    };
    let address: std::net::SocketAddr = address.parse()?;
    if !address.ip().is_loopback() {
        return Err("only a service on this machine may be loaded".into());
    }
    let (connections, seconds): (usize, u64) = (connections.parse()?, seconds.parse()?);
    let until = Instant::now() + Duration::from_secs(seconds.min(600));
    let (bodies, next) = (Arc::new(bodies(words)), Arc::new(AtomicUsize::new(0)));
    let url = format!("http://{address}/moderate");
    let started = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(client(url.clone(), until, Arc::clone(&bodies), Arc::clone(&next))))
        .collect();
    let mut outcomes = Vec::new();
    for client in clients {
        outcomes.extend(client.await?);
    }
    report(&outcomes, started.elapsed());
    Ok(())
}

async fn client(
    url: String,
    until: Instant,
    bodies: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
) -> Vec<Outcome> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap_or_default();
    let mut outcomes = Vec::new();
    while Instant::now() < until {
        let body = bodies.get(next.fetch_add(1, Ordering::Relaxed) % TEXTS).cloned().unwrap_or_default();
        let started = Instant::now();
        let answer = client.post(&url).header("content-type", "application/json").body(body).send().await;
        let (status, is_honest) = match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                let says_when = answer.headers().contains_key("retry-after");
                let whole = answer.bytes().await.is_ok();
                (status, whole && (status == 200 || status == 503 && says_when))
            }
            Err(_) => (0, false),
        };
        outcomes.push(Outcome { status, latency: started.elapsed(), is_honest });
        if status == 503 {
            // A client that is told to come back does not hammer; a tenth of the second keeps the storm on.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    outcomes
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn report(outcomes: &[Outcome], elapsed: Duration) {
    let mut by_status: BTreeMap<u16, Vec<Duration>> = BTreeMap::new();
    outcomes.iter().for_each(|outcome| by_status.entry(outcome.status).or_default().push(outcome.latency));
    let lost = outcomes.iter().filter(|outcome| !outcome.is_honest).count();
    println!(
        "{} requests in {:.1} s, {lost} neither 200 nor 503 with Retry-After",
        outcomes.len(),
        elapsed.as_secs_f64()
    );
    for (status, mut latencies) in by_status {
        latencies.sort_unstable();
        let at = |share: f64| quantile(&latencies, share).as_secs_f64() * 1e3;
        let (count, rate) = (latencies.len(), latencies.len() as f64 / elapsed.as_secs_f64());
        println!(
            "status {status:>3}  n {count:>6}  {rate:>8.1}/s  p50 {:>8.1} ms  p90 {:>8.1} ms  p99 {:>8.1} ms  max {:>8.1} ms",
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0)
        );
    }
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

//! What programs that time a model on a device have in common: their arguments, their rounds and their rows.

use assize_candle::DeviceChoice;
use serde_json::{Value, json};
use std::{error::Error, time::Instant};

pub(crate) type Anyhow<T> = Result<T, Box<dyn Error>>;

/// Rounds go on for so long, but no fewer and no more than these. A 99th percentile is one from a hundred rounds on; below that
/// it is the slowest, and a row says how many there were.
const SECONDS: f64 = 10.0;
const LEAST_ROUNDS: usize = 5;
const MOST_ROUNDS: usize = 200;

/// A device as in the settings: `cpu` or `cuda:N`.
pub(crate) fn device(name: &str) -> Anyhow<DeviceChoice> {
    if name == "cpu" {
        return Ok(DeviceChoice::Cpu);
    }
    let ordinal = name.strip_prefix("cuda:").and_then(|ordinal| ordinal.parse().ok());
    ordinal.map(DeviceChoice::Cuda).ok_or_else(|| format!("`{name}` is neither `cpu` nor `cuda:N`").into())
}

/// Sequences and the tokens of each, as `1x256,8x1024`.
pub(crate) fn shapes(list: &str) -> Anyhow<Vec<(usize, usize)>> {
    let shape = |text: &str| {
        let (sequences, tokens) = text.split_once('x')?;
        let shape: (usize, usize) = (sequences.parse().ok()?, tokens.parse().ok()?);
        (shape.0 > 0 && shape.1 > 0).then_some(shape)
    };
    let told = |text| shape(text).ok_or_else(|| format!("`{text}` is no shape such as `8x256`").into());
    list.split(',').map(told).collect()
}

/// How long rounds took, in seconds, the fastest first; never empty.
pub(crate) struct Times(Vec<f64>);

impl Times {
    /// A first round is not counted: on a GPU it compiles what it needs.
    #[expect(clippy::disallowed_methods, reason = "it times work")]
    pub(crate) fn of(mut round: impl FnMut() -> Anyhow<()>) -> Anyhow<Self> {
        round()?;
        let (mut times, begun) = (Vec::new(), Instant::now());
        while times.len() < LEAST_ROUNDS
            || (times.len() < MOST_ROUNDS && begun.elapsed().as_secs_f64() < SECONDS)
        {
            let started = Instant::now();
            round()?;
            times.push(started.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        Ok(Self(times))
    }

    /// What so many per cent of the rounds did not exceed, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).map_or(f64::NAN, |seconds| seconds * 1e3)
    }

    /// Of something that every round has so many of.
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    pub(crate) fn per_second(&self, count: usize) -> f64 {
        (count * self.0.len()) as f64 / self.0.iter().sum::<f64>()
    }

    /// Prints one JSON line: what was timed, these times, and whatever else there is to say.
    pub(crate) fn print(&self, what: Value, more: Value) {
        let times = json!({
            "rounds": self.0.len(),
            "p50_ms": rounded(self.percentile_ms(50)),
            "p99_ms": rounded(self.percentile_ms(99)),
        });
        let mut row = serde_json::Map::new();
        for part in [what, times, more] {
            if let Value::Object(part) = part {
                row.extend(part);
            }
        }
        #[expect(clippy::print_stdout, reason = "a program at the command line")]
        {
            println!("{}", Value::Object(row));
        }
    }
}

/// To two places.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

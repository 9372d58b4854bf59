//! The encoder beside its peers, in turns within one run: over candle's tensors, our kernels in every precision, candle's own
//! BERT, and any other engine that speaks the protocol of benches/ort.py. Prints medians, ratios to the last engine, and
//! ratios to candle's BERT.
//!
//! ```sh
//! cargo run --release -p assize-candle --example peers -- --threads 2 --peer "python3 benches/ort.py serve int8.onnx --threads 2"
//! ```

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a program for people that measures: its answer is what it prints, its clock is the machine's"
)]

mod engines;
#[path = "../../benches/made_up/mod.rs"]
mod made_up;
mod settings;

use engines::{CANDLE_BERT, Engine, engines};
use made_up::{Anyhow, held_to};
use settings::Settings;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> Anyhow<ExitCode> {
    let settings = match Settings::of(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(mistake) => {
            println!("{mistake}");
            return Ok(ExitCode::from(2));
        }
    };
    if let Some(ended) = held_to(settings.threads)? {
        return Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut engines = engines(&settings)?;
    let mut csv = "engine,threads,batch,tokens,median_ms,tokens_per_second\n".to_owned();
    println!("{} thread(s); median ms (tokens/s, speed relative to the last)", settings.threads);
    for &(batch, tokens) in &settings.shapes {
        let medians = measure(&mut engines, &settings, (batch, tokens))?;
        let row = Row { medians: &medians, size: (batch * tokens) as f64 };
        println!("{:>7}  {}", format!("{batch}x{tokens}"), row.cells());
        if let Some(ratios) = row.beside_candle() {
            println!("         relative to {CANDLE_BERT}: {ratios}");
        }
        for (name, median) in &medians {
            let (threads, ms, speed) = (settings.threads, median * 1e3, row.size / median);
            writeln!(csv, "{name},{threads},{batch},{tokens},{ms:.4},{speed:.0}")?;
        }
    }
    if let Some(file) = settings.csv {
        std::fs::write(&file, csv).map_err(|error| format!("can't write `{}`: {error}", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Each engine's median in seconds, with its name. The engines take turns, and each round begins with another one.
fn measure(
    engines: &mut [(String, Box<dyn Engine>)],
    settings: &Settings,
    (batch, tokens): (usize, usize),
) -> Anyhow<Vec<(String, f64)>> {
    let mut samples = vec![Vec::new(); engines.len()];
    for round in 0..settings.rounds {
        let mut turns: Vec<_> = engines.iter_mut().zip(&mut samples).collect();
        let first = round % turns.len().max(1);
        turns.rotate_left(first);
        for ((_, engine), samples) in turns {
            // Threads of the one before may still spin.
            std::thread::sleep(Duration::from_millis(20));
            engine.run(batch, tokens)?;
            let end = Instant::now() + Duration::from_secs_f64(settings.seconds);
            while Instant::now() < end {
                samples.push(engine.run(batch, tokens)?.as_secs_f64());
            }
        }
    }
    Ok(engines.iter().zip(samples).map(|((name, _), samples)| (name.clone(), median(samples))).collect())
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// One shape.
struct Row<'a> {
    medians: &'a [(String, f64)],
    /// Tokens of the whole batch.
    size: f64,
}

impl Row<'_> {
    fn cells(&self) -> String {
        let last = self.medians.last().map_or(f64::NAN, |(_, median)| *median);
        let cell = |(name, median): &(String, f64)| {
            format!("{name} {:.2} ({:.0}, {:.2}x)", median * 1e3, self.size / median, last / median)
        };
        self.medians.iter().map(cell).collect::<Vec<_>>().join("   ")
    }

    /// How many times as fast as candle's BERT each of the others is; `None` where that is not measured.
    fn beside_candle(&self) -> Option<String> {
        let is_candle = |(name, _): &&(String, f64)| name == CANDLE_BERT;
        let (_, candle) = self.medians.iter().find(is_candle)?;
        let others = self.medians.iter().filter(|row| !is_candle(row));
        let ratios = others.map(|(name, median)| format!("{name} {:.2}x", candle / median));
        Some(ratios.collect::<Vec<_>>().join("   "))
    }
}

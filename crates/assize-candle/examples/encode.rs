//! How many sequences the guard's encoder reads on a device: `encode FOLDER [auto|portable|f32|bf16|int8] [cpu|cuda:N] [SHAPES]`,
//! with `RAYON_NUM_THREADS` threads on the processor; SHAPES are sequences x tokens, as `1x128,32x128`.
//!
//! One JSON line for each shape, of a batch from its tokens to its logits on the host; each says in which precision was
//! computed, which on a GPU is f32 whatever the file has. Tokens are random. `benches/device.sh` runs it on a GPU.

#[path = "../benches/made_up/mod.rs"]
mod made_up;
mod measure;

use assize_candle::{GuardModel, PrecisionChoice, Sequence};
use made_up::{held_to, sequences};
use measure::{Anyhow, Times, device, rounded, shapes};
use serde_json::json;
use std::{path::Path, process::ExitCode};

const USAGE: &str = "usage: encode FOLDER [auto|portable|f32|bf16|int8] [cpu|cuda:N] [SHAPES]";

fn main() -> Anyhow<ExitCode> {
    let threads = rayon::current_num_threads();
    if let Some(ended) = held_to(threads)? {
        return Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or(USAGE)?;
    let choice: PrecisionChoice = arguments.next().as_deref().unwrap_or("auto").parse()?;
    let device = device(arguments.next().as_deref().unwrap_or("cpu"))?;
    let shapes = shapes(arguments.next().as_deref().unwrap_or("1x128,8x128,32x128"))?;
    let model = GuardModel::load(Path::new(&folder), device)?;
    let name = model.identity.name.clone();
    let mut encoder = model.computing(choice, threads)?.0.encoder;
    for (batch, tokens) in shapes {
        let made = sequences(batch, tokens)?;
        let made: Vec<&Sequence> = made.iter().collect();
        let times = Times::of(|| Ok(encoder.infer(&made).map(drop)?))?;
        let what = json!({
            "engine": format!("assize {name}"), "device": device.to_string(), "threads": threads,
            "kernel": encoder.kernel(), "precision": encoder.precision().id(),
            "what": format!("encoder {batch}x{tokens}"),
        });
        let (sequences, tokens) = (times.per_second(batch), times.per_second(batch * tokens));
        times.print(what, json!({ "sequences_per_s": rounded(sequences), "tokens_per_s": tokens.round() }));
    }
    Ok(ExitCode::SUCCESS)
}

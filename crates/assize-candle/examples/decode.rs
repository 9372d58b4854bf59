//! How fast a decoder reads and writes: `decode CHECKPOINT PRECISION [DEVICE]`, with `RAYON_NUM_THREADS` threads on the processor.
//!
//! One JSON line for each row, as `benches/decoder.py` prints them for transformers; `benches/device.sh` runs both on a GPU.
//! A device that is absent is an error, never another device.

use assize_candle::{
    DeviceChoice, Precision,
    decoder::{Chunk, Decoder, DecoderPrecision, KvSequence},
};
use std::{error::Error, path::Path, time::Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 5;
const NEW_TOKENS: usize = 64;
const USAGE: &str = "usage: decode CHECKPOINT [portable|f32|bf16|int8] [cpu|cuda:N]";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or_else(|| Box::<dyn Error>::from(USAGE))?;
    let name = arguments.next().unwrap_or_else(|| "f32".to_owned());
    let device = device(arguments.next().as_deref().unwrap_or("cpu"))?;
    let precision = match name.as_str() {
        "portable" => DecoderPrecision::Portable,
        other => {
            let known = Precision::ALL.into_iter().find(|precision| precision.id() == other);
            DecoderPrecision::Packed(
                known.ok_or_else(|| Box::<dyn Error>::from("allowed: portable, f32, bf16, int8"))?,
            )
        }
    };
    let decoder = Decoder::load(Path::new(&path), device, precision)?;
    let engine = Engine { precision: &name, device };
    let (prefills, decodes) = shapes(device);
    for (sequences, tokens) in prefills {
        engine.report(&format!("prefill {sequences}x{tokens}"), || prefill(&decoder, *sequences, *tokens))?;
    }
    for sequences in decodes {
        engine.report(&format!("decode batch {sequences}"), || decode(&decoder, *sequences))?;
    }
    Ok(())
}

fn device(name: &str) -> Result<DeviceChoice> {
    if name == "cpu" {
        return Ok(DeviceChoice::Cpu);
    }
    let ordinal = name.strip_prefix("cuda:").and_then(|ordinal| ordinal.parse().ok());
    ordinal.map(DeviceChoice::Cuda).ok_or_else(|| USAGE.into())
}

/// Sequences and tokens of the prefills, sequences of the decodes; a GPU wants larger ones. As in `benches/decoder.py`.
const fn shapes(device: DeviceChoice) -> (&'static [(u32, usize)], &'static [u32]) {
    match device {
        DeviceChoice::Cpu => (&[(1, 256), (8, 128)], &[1, 8]),
        DeviceChoice::Cuda(_) => (&[(1, 512), (8, 512), (4, 2048)], &[1, 8, 32]),
    }
}

/// What the rows are of.
struct Engine<'a> {
    precision: &'a str,
    device: DeviceChoice,
}

impl Engine<'_> {
    /// The best of some rounds, in tokens a second.
    fn report(&self, what: &str, mut round: impl FnMut() -> Result<f64>) -> Result<()> {
        let mut best = 0.0_f64;
        for _ in 0..ROUNDS {
            best = best.max(round()?);
        }
        let line = serde_json::json!({
            "engine": format!("assize {}", self.precision),
            "device": self.device.to_string(),
            "threads": rayon::current_num_threads(),
            "what": what,
            "tokens_per_s": best.round(),
        });
        #[expect(clippy::print_stdout, reason = "a program at the command line")]
        {
            println!("{line}");
        }
        Ok(())
    }
}

/// Tokens that look random, of this decoder's vocabulary.
fn prompt(decoder: &Decoder, tokens: usize, salt: u32) -> Vec<u32> {
    let vocab = u32::try_from(decoder.shape().vocab).unwrap_or(u32::MAX);
    let kinds = vocab.saturating_sub(10).clamp(1, 40_000);
    (0..).map(|index: u32| (index * 37 + salt * 101) % kinds + 10).take(tokens).collect()
}

#[expect(clippy::disallowed_methods, clippy::cast_precision_loss, reason = "it times work")]
fn prefill(decoder: &Decoder, sequences: u32, tokens: usize) -> Result<f64> {
    let mut cache = decoder.cache(sequences as usize * tokens.next_multiple_of(64))?;
    let prompts: Vec<Vec<u32>> = (0..sequences).map(|salt| prompt(decoder, tokens, salt)).collect();
    let mut open: Vec<KvSequence> = prompts.iter().map(|_| KvSequence::default()).collect();
    let started = Instant::now();
    let mut chunks: Vec<Chunk<'_>> = (prompts.iter())
        .zip(&mut open)
        .map(|(tokens, sequence)| Chunk { tokens, sequence, wanted: 1 })
        .collect();
    let hidden = decoder.forward(&mut cache, &mut chunks)?;
    // A GPU works on behind the program's back until someone reads what it made.
    let _first: Vec<u32> = decoder.logits(&hidden)?.argmax(1)?.to_vec1()?;
    Ok((prompts.len() * tokens) as f64 / started.elapsed().as_secs_f64())
}

#[expect(clippy::disallowed_methods, clippy::cast_precision_loss, reason = "it times work")]
fn decode(decoder: &Decoder, sequences: u32) -> Result<f64> {
    let mut cache = decoder.cache(sequences as usize * 256)?;
    let mut tokens: Vec<Vec<u32>> = (0..sequences).map(|salt| prompt(decoder, 64, salt)).collect();
    let mut open: Vec<KvSequence> = tokens.iter().map(|_| KvSequence::default()).collect();
    let mut started = Instant::now();
    for step in 0..=NEW_TOKENS {
        let mut chunks: Vec<Chunk<'_>> = (tokens.iter())
            .zip(&mut open)
            .map(|(tokens, sequence)| Chunk { tokens, sequence, wanted: 1 })
            .collect();
        let hidden = decoder.forward(&mut cache, &mut chunks)?;
        let best: Vec<u32> = decoder.logits(&hidden)?.argmax(1)?.to_vec1()?;
        tokens = best.into_iter().map(|token| vec![token]).collect();
        if step == 0 {
            started = Instant::now();
        }
    }
    Ok((tokens.len() * NEW_TOKENS) as f64 / started.elapsed().as_secs_f64())
}

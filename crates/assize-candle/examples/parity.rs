//! Our decoders beside transformers: the largest difference of any logit, as tables in Markdown. `parity [CHECKPOINT]`, where
//! `CHECKPOINT` is SmolLM2's GGUF file. What transformers gave lies in `tests/decoders` and `tests/smollm2`.
#![expect(clippy::print_stdout, reason = "the tables are this program's answer")]

use assize_candle::{
    DeviceChoice, Precision,
    decoder::{Chunk, Decoder, DecoderPrecision, KvCache, KvSequence},
};
use serde::Deserialize;
use std::{error::Error, path::Path};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const FAMILIES: [&str; 8] =
    ["llama", "llama_biased", "mistral", "qwen2", "qwen3", "gemma2", "olmo2", "granite"];

#[derive(Deserialize)]
struct Expected {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    tokens: Vec<u32>,
    last_logits: Vec<f32>,
}

#[derive(Deserialize)]
struct Real {
    cases: Vec<RealCase>,
}

#[derive(Deserialize)]
struct RealCase {
    tokens: Vec<u32>,
    top: Vec<(u32, f32)>,
    greedy: Vec<u32>,
}

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    println!("| tiny random checkpoint | computed | alone | in one ragged batch | in pieces of 3 | tokens |");
    println!("|---|---|---|---|---|---|");
    for family in FAMILIES {
        let folder = root.join("decoders").join(family);
        let expected: Expected = serde_json::from_slice(&std::fs::read(folder.join("expected.json"))?)?;
        for (name, precision) in ways() {
            let decoder = Decoder::load(&folder, DeviceChoice::Cpu, precision)?;
            let alone = worst(&expected, |case| read(&decoder, &case.tokens, usize::MAX))?;
            let pieces = worst(&expected, |case| read(&decoder, &case.tokens, 3))?;
            let mut batch = batch(&decoder, &expected)?.into_iter();
            let together = worst(&expected, |_| batch.next().ok_or_else(|| "too few rows".into()))?;
            let lengths: Vec<String> =
                expected.cases.iter().map(|case| case.tokens.len().to_string()).collect();
            println!(
                "| {family} | {name} | {alone:.1e} | {together:.1e} | {pieces:.1e} | {} |",
                lengths.join(", ")
            );
        }
    }
    let Some(path) = std::env::args().nth(1) else { return Ok(()) };
    let expected: Real = serde_json::from_slice(&std::fs::read(root.join("smollm2/expected.json"))?)?;
    println!(
        "\n| SmolLM2-135M-Instruct | largest difference of the five largest logits | the same greedy tokens |"
    );
    println!("|---|---|---|");
    for (name, precision) in
        ways().into_iter().chain([("int8 kernels", DecoderPrecision::Packed(Precision::Int8))])
    {
        let decoder = Decoder::load(Path::new(&path), DeviceChoice::Cpu, precision)?;
        let (mut off, mut same, mut all) = (0.0_f32, 0, 0);
        for case in &expected.cases {
            let row = read(&decoder, &case.tokens, usize::MAX)?;
            for (token, expected) in &case.top {
                let given = row.get(usize::try_from(*token)?).ok_or("no such token")?;
                off = off.max((given - expected).abs());
            }
            let written = greedy(&decoder, &case.tokens, case.greedy.len())?;
            same += written.iter().zip(&case.greedy).take_while(|(one, other)| one == other).count();
            all += case.greedy.len();
        }
        println!("| {name} | {off:.1e} | {same} of {all} before the first that differs |");
    }
    Ok(())
}

fn ways() -> Vec<(&'static str, DecoderPrecision)> {
    vec![
        ("tensors, f32", DecoderPrecision::Portable),
        ("kernels, f32", DecoderPrecision::Packed(Precision::F32)),
    ]
}

/// The largest difference of any logit, over all cases.
fn worst(expected: &Expected, mut row: impl FnMut(&Case) -> Result<Vec<f32>>) -> Result<f32> {
    let mut worst = 0.0_f32;
    for case in &expected.cases {
        let differences =
            row(case)?.into_iter().zip(&case.last_logits).map(|(one, other)| (one - other).abs());
        worst = differences.fold(worst, f32::max);
    }
    Ok(worst)
}

/// Logits after the last token, read so many tokens at a time.
fn read(decoder: &Decoder, tokens: &[u32], piece: usize) -> Result<Vec<f32>> {
    let (mut cache, mut sequence) = (decoder.cache(tokens.len() + 64)?, KvSequence::default());
    let mut row = Vec::new();
    for tokens in tokens.chunks(piece.min(tokens.len())) {
        row = step(decoder, &mut cache, tokens, &mut sequence)?;
    }
    Ok(row)
}

fn step(
    decoder: &Decoder,
    cache: &mut KvCache,
    tokens: &[u32],
    sequence: &mut KvSequence,
) -> Result<Vec<f32>> {
    let hidden = decoder.forward(cache, &mut [Chunk { tokens, sequence, wanted: 1 }])?;
    Ok(decoder.logits(&hidden)?.flatten_all()?.to_vec1()?)
}

fn batch(decoder: &Decoder, expected: &Expected) -> Result<Vec<Vec<f32>>> {
    let mut cache = decoder.cache(1024)?;
    let mut sequences: Vec<KvSequence> = expected.cases.iter().map(|_| KvSequence::default()).collect();
    let cases = expected.cases.iter().zip(&mut sequences);
    let mut chunks: Vec<Chunk<'_>> =
        cases.map(|(case, sequence)| Chunk { tokens: &case.tokens, sequence, wanted: 1 }).collect();
    let hidden = decoder.forward(&mut cache, &mut chunks)?;
    Ok(decoder.logits(&hidden)?.to_vec2()?)
}

fn greedy(decoder: &Decoder, prompt: &[u32], count: usize) -> Result<Vec<u32>> {
    let (mut cache, mut sequence) = (decoder.cache(prompt.len() + count + 64)?, KvSequence::default());
    let (mut next, mut written) = (prompt.to_vec(), Vec::new());
    for _ in 0..count {
        let row = step(decoder, &mut cache, &next, &mut sequence)?;
        let best = row.iter().zip(0_u32..).max_by(|(one, _), (other, _)| one.total_cmp(other));
        let (_, best) = best.ok_or("no logits")?;
        next = vec![best];
        written.push(best);
    }
    Ok(written)
}

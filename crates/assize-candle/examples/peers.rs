//! The encoder beside its peers, in turns within one run: over candle's tensors, our kernels in every precision, and any other
//! engine that speaks the protocol of benches/ort.py. Prints medians and ratios to the last engine.
//!
//! ```sh
//! cargo run --release -p assize-candle --example peers -- --threads 2 --peer "python3 benches/ort.py serve int8.onnx --threads 2"
//! ```

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a program for people that measures: its answer is what it prints, its clock is the machine's"
)]

use assize_candle::{DeviceChoice, Framing, GuardModel, PrecisionChoice, Sequence};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

const SHAPES: &str = "1x16,1x64,1x128,1x512,8x128,32x64,32x128";

struct Settings {
    model: PathBuf,
    threads: usize,
    rounds: usize,
    seconds: f64,
    shapes: Vec<(usize, usize)>,
    engines: Vec<String>,
    peer: Option<String>,
}

/// Something that takes a batch of a shape, and tells how long it took.
trait Engine {
    fn run(&mut self, batch: usize, tokens: usize) -> Anyhow<Duration>;
}

struct Ours<F>(F);

impl<F: FnMut(&[&Sequence])> Engine for Ours<F> {
    fn run(&mut self, batch: usize, tokens: usize) -> Anyhow<Duration> {
        let sequences = sequences(batch, tokens)?;
        let refs: Vec<&Sequence> = sequences.iter().collect();
        let start = Instant::now();
        (self.0)(&refs);
        Ok(start.elapsed())
    }
}

/// Another process: `BATCH TOKENS REPEATS` in, seconds out.
struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start(command: &str) -> Anyhow<Self> {
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("no input")?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut ready = String::new();
        output.read_line(&mut ready)?;
        Ok(Self { child, input, output })
    }
}

impl Engine for Peer {
    fn run(&mut self, batch: usize, tokens: usize) -> Anyhow<Duration> {
        writeln!(self.input, "{batch} {tokens} 1")?;
        self.input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(Duration::from_secs_f64(line.trim().parse()?))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Random word pieces, the same in each run.
fn sequences(batch: usize, tokens: usize) -> Anyhow<Vec<Sequence>> {
    let framing = Framing { cls: 101, sep: 102, max_tokens: 512 };
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1000 + (state >> 8) % 28_000
    };
    let sequence = |_| {
        let ids: Vec<u32> = (2..tokens).map(|_| next()).collect();
        Ok(Sequence::single(framing, &ids)?)
    };
    (0..batch).map(sequence).collect()
}

fn settings() -> Anyhow<Settings> {
    let mut settings = Settings {
        model: PathBuf::from("models/guard-v1"),
        threads: 1,
        rounds: 5,
        seconds: 0.3,
        shapes: shapes(SHAPES)?,
        engines: ["portable", "f32", "bf16", "int8"].map(str::to_owned).into(),
        peer: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let mut value = || args.next().ok_or(format!("{name} wants a value"));
        match name.as_str() {
            "--model" => settings.model = value()?.into(),
            "--threads" => settings.threads = value()?.parse()?,
            "--rounds" => settings.rounds = value()?.parse()?,
            "--seconds" => settings.seconds = value()?.parse()?,
            "--shapes" => settings.shapes = shapes(&value()?)?,
            "--engines" => settings.engines = value()?.split(',').map(str::to_owned).collect(),
            "--peer" => settings.peer = Some(value()?),
            _ => {
                return Err(format!("unknown `{name}`; allowed: --model FOLDER, --threads N, --rounds N, --seconds S (for each cell and round), --shapes {SHAPES}, --engines portable,f32,bf16,int8, --peer COMMAND").into());
            }
        }
    }
    Ok(settings)
}

fn shapes(text: &str) -> Anyhow<Vec<(usize, usize)>> {
    let shape = |part: &str| {
        let (batch, tokens) = part.split_once('x').ok_or("a shape is BATCHxTOKENS")?;
        Ok((batch.parse()?, tokens.parse()?))
    };
    text.split(',').map(shape).collect()
}

fn engine(settings: &Settings, name: &str) -> Anyhow<Box<dyn Engine>> {
    let choice: PrecisionChoice = name.parse()?;
    let model = GuardModel::load(&settings.model, DeviceChoice::Cpu)?;
    let mut encoder = model.computing(choice, settings.threads)?.0.encoder;
    Ok(Box::new(Ours(move |batch: &[&Sequence]| {
        let _answers = encoder.infer(batch);
    })))
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> Anyhow<()> {
    let settings = settings()?;
    let mut engines = Vec::new();
    for name in &settings.engines {
        engines.push((name.clone(), engine(&settings, name)?));
    }
    if let Some(command) = &settings.peer {
        engines.push(("peer".to_owned(), Box::new(Peer::start(command)?)));
    }
    println!("{} thread(s); median ms (tokens/s, speed relative to the last)", settings.threads);
    for &(batch, tokens) in &settings.shapes {
        let mut samples: Vec<Vec<f64>> = engines.iter().map(|_| Vec::new()).collect();
        for round in 0..settings.rounds {
            for step in 0..engines.len() {
                let index = (round + step) % engines.len();
                let engine = &mut engines[index].1;
                // Threads of the one before may still spin.
                std::thread::sleep(Duration::from_millis(20));
                engine.run(batch, tokens)?;
                let end = Instant::now() + Duration::from_secs_f64(settings.seconds);
                while Instant::now() < end {
                    samples[index].push(engine.run(batch, tokens)?.as_secs_f64());
                }
            }
        }
        let medians: Vec<f64> = samples.into_iter().map(median).collect();
        let last = medians.last().copied().unwrap_or(f64::NAN);
        let cells = engines.iter().zip(&medians).map(|((name, _), median)| {
            let speed = (batch * tokens) as f64 / median;
            format!("{name} {:.2} ({speed:.0}, {:.2}x)", median * 1e3, last / median)
        });
        println!("{batch:>2}x{tokens:<3}  {}", cells.collect::<Vec<_>>().join("   "));
    }
    Ok(())
}

//! What can be measured: our encoder, candle's own BERT, and any other process that speaks the protocol of benches/ort.py.

use crate::made_up::{Anyhow, sequences};
use crate::settings::Settings;
use assize_candle::{DeviceChoice, GuardEncoder, GuardModel, PrecisionChoice, Sequence};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The name of candle's BERT among the engines.
pub(crate) const CANDLE_BERT: &str = "candle-bert";
/// The name of the other process.
pub(crate) const PEER: &str = "peer";

/// Something that takes a batch of a shape, and tells how long it took.
pub(crate) trait Engine {
    fn run(&mut self, batch: usize, tokens: usize) -> Anyhow<Duration>;
}

/// Every engine that was asked for, with its name, in the order in which they are told.
pub(crate) fn engines(settings: &Settings) -> Anyhow<Vec<(String, Box<dyn Engine>)>> {
    let mut engines: Vec<(String, Box<dyn Engine>)> = Vec::new();
    for name in &settings.engines {
        let engine: Box<dyn Engine> = match name.as_str() {
            CANDLE_BERT => Box::new(CandleBert::load(&settings.model)?),
            _ => ours(settings, name)?,
        };
        engines.push((name.clone(), engine));
    }
    if let Some(command) = &settings.peer {
        engines.push((PEER.to_owned(), Box::new(Peer::start(command)?)));
    }
    Ok(engines)
}

struct Ours(GuardEncoder);

impl Engine for Ours {
    fn run(&mut self, batch: usize, tokens: usize) -> Anyhow<Duration> {
        let sequences = sequences(batch, tokens)?;
        let refs: Vec<&Sequence> = sequences.iter().collect();
        let start = Instant::now();
        let answers = self.0.infer(&refs);
        let elapsed = start.elapsed();
        answers?;
        Ok(elapsed)
    }
}

fn ours(settings: &Settings, name: &str) -> Anyhow<Box<dyn Engine>> {
    let choice = name.parse().map_err(|_| {
        format!("no engine is called `{name}`; allowed: `{CANDLE_BERT}`, {}", PrecisionChoice::ALLOWED)
    })?;
    let model = GuardModel::load(&settings.model, DeviceChoice::Cpu)?;
    Ok(Box::new(Ours(model.computing(choice, settings.threads)?.0.encoder)))
}

/// BERT as candle-transformers has it, in f32, with the weights of our model, whose tensors have BERT's names; without our
/// heads, which cost nothing beside it. candle's products are `gemm`'s, and with AVX-512, which our workspace turns on.
struct CandleBert(BertModel);

impl CandleBert {
    fn load(folder: &Path) -> Anyhow<Self> {
        let config: serde_json::Value =
            serde_json::from_reader(BufReader::new(std::fs::File::open(folder.join("config.json"))?))?;
        let number = |key: &str| -> Anyhow<usize> {
            let number = config.get(key).and_then(serde_json::Value::as_u64);
            Ok(number.ok_or(format!("config.json has no number `{key}`"))?.try_into()?)
        };
        // Exact GELU and absolute positions are the default, as in our models.
        let config = Config {
            vocab_size: number("vocab_size")?,
            hidden_size: number("hidden_size")?,
            num_hidden_layers: number("num_hidden_layers")?,
            num_attention_heads: number("num_attention_heads")?,
            intermediate_size: number("intermediate_size")?,
            max_position_embeddings: number("max_position_embeddings")?,
            type_vocab_size: number("type_vocab_size")?,
            pad_token_id: number("pad_token_id")?,
            ..Config::default()
        };
        let weights = std::fs::read(folder.join("model.safetensors"))?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        Ok(Self(BertModel::load(weights, &config)?))
    }
}

impl Engine for CandleBert {
    fn run(&mut self, batch: usize, tokens: usize) -> Anyhow<Duration> {
        let ids: Vec<u32> =
            sequences(batch, tokens)?.iter().flat_map(|sequence| sequence.ids().to_vec()).collect();
        let start = Instant::now();
        let ids = Tensor::from_vec(ids, (batch, tokens), &Device::Cpu)?;
        let (types, mask) = (ids.zeros_like()?, ids.ones_like()?);
        let _hidden = self.0.forward(&ids, &types, Some(&mask))?;
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

//! Settings of the models that are asked after the embedded encoder.

use super::load::{at_least_one, out_of_range, positive};
use super::{ConfigError, RawConfig};
use assize_candle::decoder::DecoderPrecision;
use assize_candle::{DeviceChoice, Precision};
use assize_inference::{AdmissionLimits, BatchPolicy};
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A large guard, asked about what the encoder leaves near one of the community's thresholds.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawGuard {
    /// The guard's file, as `config/models/wildguard.toml`; where it is absent no guard is asked.
    pub file: Option<String>,
    /// Who runs it: `candle` is this process; `vllm` and `tei` (text-embeddings-inference) are servers at `url`.
    pub engine: String,
    /// Its checkpoint: a folder as Hugging Face writes it, or a GGUF file with `tokenizer.json` beside it. For `vllm` only
    /// the tokenizer is read; `tei` needs none.
    pub checkpoint: String,
    /// The server's address, as `http://vllm:8000`; `/v1/completions` or `/predict` is added to it.
    pub url: Option<String>,
    /// The model's name at `vllm`.
    pub model: Option<String>,
    /// File with the server's key, where it wants one.
    pub key_file: Option<String>,
    /// `cpu` or `cuda:N`; several GPUs take batches from one queue.
    pub devices: Vec<String>,
    /// `auto`, `portable`, `f32`, `bf16` or `int8`. `auto` is bf16 on a GPU, f32 on a processor.
    pub precision: String,
    /// It is asked where harmfulness is as near as this to one of the community's thresholds; 1 asks wherever these decide.
    pub margin: f64,
    /// Longest time for its answer; it never prolongs a request's own.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub deadline: Duration,
    /// `closed`: where it should have been asked and gave no answer the verdict is degraded by `tier_silent`, and the
    /// community's own `on_failure` decides. `open`: the encoder's judgement stands.
    pub on_failure: String,
    /// Most conversations that it is asked about at a time.
    pub max_requests: usize,
    /// Most tokens admitted at a time.
    pub max_tokens: usize,
    /// Most questions in one batch.
    pub max_batch_items: usize,
    /// Most tokens in one batch.
    pub max_batch_tokens: usize,
    /// Tokens in each device's cache of keys and values; a 7B model in bf16 takes 128 KB for each.
    pub cache_tokens: usize,
}

impl Default for RawGuard {
    fn default() -> Self {
        Self {
            file: None,
            engine: "candle".to_owned(),
            checkpoint: String::new(),
            url: None,
            model: None,
            key_file: None,
            devices: vec!["cpu".to_owned()],
            precision: "auto".to_owned(),
            // A quarter of the benchmarks' inputs, and of the encoder's errors (docs/performance.md).
            margin: 0.1,
            deadline: Duration::from_secs(2),
            on_failure: "closed".to_owned(),
            max_requests: 256,
            max_tokens: 131_072,
            max_batch_items: 64,
            // A GPU is busy with 8,000; a processor with any.
            max_batch_tokens: 8_192,
            cache_tokens: 32_768,
        }
    }
}

/// What a tier's silence does to a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSilence {
    /// The judgement of the tiers before it stands.
    Open,
    /// The verdict is degraded.
    Closed,
}

/// A key for another server. Never shown.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// The key, for the request's header alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// The guard that is asked, validated.
#[derive(Debug, Clone)]
pub struct GuardConfig {
    /// The guard's file.
    pub file: PathBuf,
    /// Who runs it.
    pub engine: EngineConfig,
    /// In `[0, 1]`.
    pub margin: f64,
    /// From the encoder's answer to its own.
    pub deadline: Duration,
    /// What its silence does.
    pub on_silence: OnSilence,
    /// What may be in its house at a time.
    pub admission: AdmissionLimits,
}

/// A guard that this process runs.
#[derive(Debug, Clone)]
pub struct CandleConfig {
    /// Folder or GGUF file.
    pub checkpoint: PathBuf,
    /// At least one.
    pub devices: Vec<DeviceChoice>,
    /// How it computes.
    pub precision: DecoderPrecision,
    /// What goes into one batch.
    pub batch: BatchPolicy,
    /// Tokens in each device's cache.
    pub cache_tokens: usize,
}

/// Who runs the guard.
#[derive(Debug, Clone)]
pub enum EngineConfig {
    /// This process.
    Candle(CandleConfig),
    /// A vLLM server.
    Vllm {
        /// Where the tokenizer is.
        checkpoint: PathBuf,
        /// `/v1/completions` there.
        url: Url,
        /// The model's name there.
        model: String,
        /// What it wants to see.
        key: Option<Key>,
    },
    /// A text-embeddings-inference server.
    Tei {
        /// `/predict` there.
        url: Url,
        /// What it wants to see.
        key: Option<Key>,
    },
}

pub(super) fn guard(raw: &RawConfig) -> Result<Option<GuardConfig>, ConfigError> {
    let guard = &raw.guard;
    let Some(file) = guard.file.as_deref().filter(|file| !file.is_empty()) else { return Ok(None) };
    if !(0.0..=1.0).contains(&guard.margin) {
        return Err(out_of_range("guard.margin", &guard.margin, &"0 to 1"));
    }
    Ok(Some(GuardConfig {
        file: PathBuf::from(file),
        engine: engine(guard)?,
        margin: guard.margin,
        deadline: positive("guard.deadline", guard.deadline, super::load::LONGEST_DEADLINE)?,
        on_silence: on_silence("guard.on_failure", &guard.on_failure)?,
        admission: AdmissionLimits {
            max_requests: at_least_one("guard.max_requests", guard.max_requests)?,
            max_tokens: at_least_one("guard.max_tokens", guard.max_tokens)?,
        },
    }))
}

pub(super) fn on_silence(key: &'static str, given: &str) -> Result<OnSilence, ConfigError> {
    match given {
        "open" => Ok(OnSilence::Open),
        "closed" => Ok(OnSilence::Closed),
        other => Err(out_of_range(key, &other, &"`open` or `closed`")),
    }
}

fn engine(guard: &RawGuard) -> Result<EngineConfig, ConfigError> {
    match guard.engine.as_str() {
        "candle" => candle(guard),
        "vllm" => {
            Ok(EngineConfig::Vllm {
                checkpoint: checkpoint(guard)?,
                url: url(guard, "v1/completions")?,
                model: guard.model.clone().filter(|model| !model.is_empty()).ok_or_else(|| {
                    out_of_range("guard.model", &"absent", &"the model's name at the server")
                })?,
                key: key(guard)?,
            })
        }
        "tei" => Ok(EngineConfig::Tei { url: url(guard, "predict")?, key: key(guard)? }),
        other => Err(out_of_range("guard.engine", &other, &"`candle`, `vllm` or `tei`")),
    }
}

fn candle(guard: &RawGuard) -> Result<EngineConfig, ConfigError> {
    Ok(EngineConfig::Candle(CandleConfig {
        checkpoint: checkpoint(guard)?,
        precision: precision("guard.precision", &guard.precision)?,
        devices: devices("guard.devices", &guard.devices)?,
        batch: BatchPolicy {
            max_items: at_least_one("guard.max_batch_items", guard.max_batch_items)?,
            max_tokens: at_least_one("guard.max_batch_tokens", guard.max_batch_tokens)?,
            // A question is its template already; what goes beyond a long chat turn is a document.
            short_tokens: 1_024,
        },
        cache_tokens: at_least_one("guard.cache_tokens", guard.cache_tokens)?,
    }))
}

pub(super) fn devices(key: &'static str, given: &[String]) -> Result<Vec<DeviceChoice>, ConfigError> {
    if given.is_empty() {
        return Err(out_of_range(key, &"empty", &"`cpu`, or `cuda:0`, `cuda:1` and so on"));
    }
    given.iter().map(|device| super::load::device(key, device)).collect()
}

fn checkpoint(guard: &RawGuard) -> Result<PathBuf, ConfigError> {
    let allowed = "a folder, or a GGUF file, where `guard.file` is set";
    let given = Some(guard.checkpoint.as_str()).filter(|given| !given.is_empty());
    given.map(PathBuf::from).ok_or_else(|| out_of_range("guard.checkpoint", &"empty", &allowed))
}

fn url(guard: &RawGuard, path: &str) -> Result<Url, ConfigError> {
    let given = guard.url.as_deref().unwrap_or_default();
    plain_http("guard.url", given, &format!("{}/{path}", given.trim_end_matches('/')))
}

/// Plain HTTP: what runs a cluster ends TLS before it, and this process has no trust store.
pub(super) fn plain_http(key: &'static str, given: &str, whole: &str) -> Result<Url, ConfigError> {
    let allowed =
        "an address, as `http://server:8000`; no `https`, which a proxy beside this service can speak";
    let url = Url::parse(whole).ok().filter(|url| url.scheme() == "http" && url.has_host());
    url.ok_or_else(|| out_of_range(key, &given, &allowed))
}

fn key(guard: &RawGuard) -> Result<Option<Key>, ConfigError> {
    let file = guard.key_file.as_deref();
    file.map(|file| Ok(Key(read_secret("guard.key_file", file)?))).transpose()
}

pub(super) fn read_secret(key: &'static str, file: &str) -> Result<String, ConfigError> {
    let unreadable = |error| ConfigError::Keys { key, problem: format!("can't read `{file}`: {error}") };
    Ok(std::fs::read_to_string(file).map_err(unreadable)?.trim().to_owned())
}

pub(super) fn precision(key: &'static str, given: &str) -> Result<DecoderPrecision, ConfigError> {
    match given {
        // Large models bear 8 bits for each row of activations badly: that has to be asked for.
        "auto" => Ok(DecoderPrecision::Auto),
        "portable" => Ok(DecoderPrecision::Portable),
        other => {
            let known = Precision::ALL.into_iter().find(|precision| precision.id() == other);
            let allowed = &"`auto`, `portable`, `f32`, `bf16`, `int8`";
            known.map(DecoderPrecision::Packed).ok_or_else(|| out_of_range(key, &other, allowed))
        }
    }
}

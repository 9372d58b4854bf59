//! Settings of the reporter that writes full harm-benefit trees.

use super::load::{at_least_one, out_of_range, positive};
use super::tiers::{devices, on_silence, plain_http, precision, read_secret};
use super::{ConfigError, OnSilence, RawConfig};
use assize_candle::DeviceChoice;
use assize_candle::decoder::DecoderPrecision;
use assize_candle::reporter::ReporterCheckpoints;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A reporter, asked by those who want to know and about what is still close after the other models. It writes for seconds or
/// minutes, so that verdicts don't wait for it: they name a job, and are decided again when it has ended.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawReporter {
    /// The reporter's file, as `config/models/safetyanalyst.toml`; where it is absent no trees are written.
    pub file: Option<String>,
    /// The checkpoint that writes harms: a folder as Hugging Face writes it, or a GGUF file with `tokenizer.json` beside it.
    pub harms: String,
    /// The checkpoint that writes benefits, where it is another one.
    pub benefits: Option<String>,
    /// `cpu` or `cuda:N`; each holds all checkpoints, and several take jobs from one queue.
    pub devices: Vec<String>,
    /// `auto`, `portable`, `f32`, `bf16` or `int8`. `auto` is bf16 on a GPU, f32 on a processor.
    pub precision: String,
    /// A job is begun unasked for communities that sum trees as SafetyAnalyst did, where harmfulness is as near as this to one of
    /// their thresholds; at 0 only requests with `explain: full` begin one.
    pub margin: f64,
    /// Longest time for a tree, its wait included.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub deadline: Duration,
    /// Where no tree comes although it was to decide (the decision is within `margin`, whether or not somebody asked). `closed`:
    /// the verdict is degraded by `tier_silent`. `open`: it stands.
    pub on_failure: String,
    /// Most jobs that wait or run at a time; more are refused. With a `margin`, a quarter of them is for those that nobody asked for.
    pub max_jobs: usize,
    /// Jobs that can be asked for after their end.
    pub kept_jobs: usize,
    /// Tokens in each checkpoint's cache of keys and values; an 8B model in bf16 takes 128 KB for each.
    pub cache_tokens: usize,
    /// What the draws of tokens begin with: the same seed, prompt and files give the same tree.
    pub seed: u64,
    /// Where to send an event when a job has ended, as `http://backend:8000/assize`; signed as Standard Webhooks says.
    pub webhook: Option<String>,
    /// File with the secret that signs these events: `whsec_` and 24 to 64 bytes in base64.
    pub webhook_secret_file: Option<String>,
}

impl Default for RawReporter {
    fn default() -> Self {
        Self {
            file: None,
            harms: String::new(),
            benefits: None,
            devices: vec!["cpu".to_owned()],
            precision: "auto".to_owned(),
            margin: 0.0,
            // 10,000 tokens a side, as published trees have, at 35 a second, after as long a wait; not measured on a GPU yet.
            deadline: Duration::from_secs(600),
            on_failure: "closed".to_owned(),
            // Two at a time have room in the cache below, and two wait: more would not be done by their deadline.
            max_jobs: 4,
            // Some 5 KB each.
            kept_jobs: 1_000,
            // Two sides of SafetyAnalyst's longest trees, and what prompts begin with; 6 GB for each of its checkpoints.
            cache_tokens: 49_152,
            seed: 0,
            webhook: None,
            webhook_secret_file: None,
        }
    }
}

/// The reporter, validated.
#[derive(Debug, Clone)]
pub struct ReporterConfig {
    /// The reporter's file.
    pub file: PathBuf,
    /// Its weights.
    pub checkpoints: ReporterCheckpoints,
    /// At least one.
    pub devices: Vec<DeviceChoice>,
    /// How it computes.
    pub precision: DecoderPrecision,
    /// Tokens in each checkpoint's cache.
    pub cache_tokens: usize,
    /// Of all texts.
    pub seed: u64,
    /// Above 0 and at most 1; `None` begins jobs only for those who ask.
    pub margin: Option<f64>,
    /// From a verdict to its tree.
    pub deadline: Duration,
    /// What its silence does to a verdict that a tree was to decide.
    pub on_silence: OnSilence,
    /// Most jobs at a time.
    pub max_jobs: usize,
    /// Most jobs that have ended and can be asked for.
    pub kept_jobs: usize,
    /// Who is told when a job has ended.
    pub webhook: Option<WebhookConfig>,
}

/// Who is told when a job has ended.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Where events go.
    pub url: Url,
    /// What signs them.
    pub secret: WebhookSecret,
}

/// A secret of 24 to 64 bytes. Never shown.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// Reads `whsec_` and the bytes in base64.
    ///
    /// SOURCE: Standard Webhooks 1.0.0, "Signature scheme".
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// The bytes, for the signature alone.
    pub(crate) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}

pub(super) fn reporter(raw: &RawConfig) -> Result<Option<ReporterConfig>, ConfigError> {
    let reporter = &raw.reporter;
    let Some(file) = reporter.file.as_deref().filter(|file| !file.is_empty()) else { return Ok(None) };
    if reporter.harms.is_empty() {
        let allowed = "a folder, or a GGUF file, where `reporter.file` is set";
        return Err(out_of_range("reporter.harms", &"empty", &allowed));
    }
    if !(0.0..=1.0).contains(&reporter.margin) {
        return Err(out_of_range("reporter.margin", &reporter.margin, &"0 to 1"));
    }
    let benefits = reporter.benefits.as_deref().filter(|path| !path.is_empty() && *path != reporter.harms);
    Ok(Some(ReporterConfig {
        file: PathBuf::from(file),
        checkpoints: ReporterCheckpoints {
            harms: PathBuf::from(&reporter.harms),
            benefits: benefits.map(PathBuf::from),
        },
        devices: devices("reporter.devices", &reporter.devices)?,
        precision: precision("reporter.precision", &reporter.precision)?,
        cache_tokens: at_least_one("reporter.cache_tokens", reporter.cache_tokens)?,
        seed: reporter.seed,
        margin: Some(reporter.margin).filter(|margin| *margin > 0.0),
        deadline: positive("reporter.deadline", reporter.deadline, super::load::LONGEST)?,
        on_silence: on_silence("reporter.on_failure", &reporter.on_failure)?,
        max_jobs: at_least_one("reporter.max_jobs", reporter.max_jobs)?,
        kept_jobs: at_least_one("reporter.kept_jobs", reporter.kept_jobs)?,
        webhook: webhook(reporter.webhook.as_deref(), reporter.webhook_secret_file.as_deref())?,
    }))
}

fn webhook(url: Option<&str>, secret_file: Option<&str>) -> Result<Option<WebhookConfig>, ConfigError> {
    const SECRET: &str = "reporter.webhook_secret_file";
    let file = secret_file.filter(|file| !file.is_empty());
    let Some(given) = url.filter(|url| !url.is_empty()) else {
        let is_alone = |file| {
            out_of_range("reporter.webhook", &"absent", &format!("an address, where `{SECRET}` is `{file}`"))
        };
        return file.map_or(Ok(None), |file| Err(is_alone(file)));
    };
    let url = plain_http("reporter.webhook", given, given)?;
    let file = file.ok_or_else(|| {
        out_of_range(SECRET, &"absent", &"a file with the secret, where `reporter.webhook` is set")
    })?;
    let secret = WebhookSecret::parse(&read_secret(SECRET, file)?).ok_or_else(|| ConfigError::Keys {
        key: SECRET,
        problem: format!("`{file}` must hold `whsec_` and 24 to 64 random bytes in base64, and nothing else"),
    })?;
    Ok(Some(WebhookConfig { url, secret }))
}

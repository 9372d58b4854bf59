//! `train.toml`: everything that a run depends on.

use crate::data::DataConfig;
use crate::loss::LossWeights;
use crate::optimizer::OptimizerConfig;
use anyhow::{Context as _, ensure};
use assize_candle::EncoderShape;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A training run. Paths are relative to the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// The folder of the file, which relative paths begin at.
    #[serde(skip)]
    pub folder: PathBuf,
    /// One run for each; the model is the mean of their weights. Everything that a run draws at random follows from its seed.
    pub seeds: Vec<u64>,
    /// The seed of this run.
    #[serde(skip)]
    pub seed: u64,
    /// Folder of the base encoder: `config.json`, `model.safetensors` and `tokenizer.json` as transformers saves BERT.
    pub base: PathBuf,
    /// Where the model folder goes; below it a folder of each seed with checkpoints and history.
    pub output: PathBuf,
    /// How long and in which portions.
    pub schedule: Schedule,
    /// How the weights are moved.
    pub optimizer: OptimizerConfig,
    /// What counts how much.
    #[serde(default)]
    pub loss: LossWeights,
    /// What is learnt from.
    pub data: DataConfig,
    /// What its scores are calibrated on.
    pub calibration: CalibrationConfig,
    /// What is said of the model.
    pub card: CardConfig,
}

/// What scores are calibrated on: rows that nobody learnt from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationConfig {
    /// Sets whose development rows count, as `data.sets` or `data.hold_out` names them: those with labels that somebody
    /// gave. Rows that are benign by their source are too easy to say where the line is.
    pub sets: Vec<String>,
}

/// How long to train and in which portions.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Tokens to learn from, over all epochs.
    pub tokens: u64,
    /// Tokens of a batch, at most.
    pub batch_tokens: usize,
    /// A sequence is cut to a length drawn between these two.
    pub sequence_tokens: (usize, usize),
    /// Share of the run in which the rate grows from 0; it then falls as a cosine to a twentieth.
    pub warm_up: f32,
    /// Tokens between two measurements on the development rows; a checkpoint is written with each.
    pub measure_every: u64,
}

/// What goes into the model card and can't be computed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardConfig {
    /// Name in provenance.
    pub name: String,
    /// Version, for people.
    pub version: String,
    /// SPDX expression.
    pub licence: String,
    /// What it is.
    pub summary: String,
    /// What it is for.
    pub intended_use: String,
    /// Where it fails.
    pub limitations: Vec<String>,
    /// Most tokens of a window when it judges.
    pub window_tokens: usize,
    /// A pair's share for its prompt, when it learns and when it judges.
    pub prompt_share: f32,
    /// Most windows of a text when it judges.
    pub max_windows: usize,
    /// Where a calibrated score turns from no to yes.
    pub operating_points: OperatingPoints,
}

/// A probability above 0 and below 1 for each head. Calibration is at even odds: at 0.5 both errors cost the same, at 0.4 a
/// miss costs one and a half times a false alarm.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoints {
    adversarial: f64,
    prompt_harmful: f64,
    response_harmful: f64,
    response_refusal: f64,
}

/// The base encoder's `config.json`, of which only these are read.
#[derive(Deserialize)]
struct BaseConfig {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: String,
    layer_norm_eps: f64,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    vocab_size: usize,
}

impl TrainConfig {
    /// Reads and checks the file; makes its paths independent of where the process runs.
    ///
    /// # Errors
    /// When it can't be read or says something that is not possible; the text names the key and what is allowed.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("can't read `{}`", path.display()))?;
        let mut config: Self =
            toml::from_str(&text).with_context(|| format!("`{}` is no training run", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.base = folder.join(&config.base);
        config.output = folder.join(&config.output);
        config.folder = folder.to_owned();
        config.check().with_context(|| format!("in `{}`", path.display()))?;
        Ok(config)
    }

    /// The run of each seed, with a folder of its own below the output.
    pub fn runs(&self) -> Vec<Self> {
        let run = |seed: &u64| Self {
            seed: *seed,
            output: self.output.join(format!("seed-{seed}")),
            ..self.clone()
        };
        self.seeds.iter().map(run).collect()
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.seeds.is_empty(), "`seeds` is empty; allowed: one and more");
        let Schedule { tokens, batch_tokens, sequence_tokens: (shortest, longest), warm_up, measure_every } =
            self.schedule;
        ensure!(tokens > 0, "`schedule.tokens` is 0; allowed: 1 and more");
        ensure!(measure_every > 0, "`schedule.measure_every` is 0; allowed: 1 and more");
        ensure!(
            (16..=longest).contains(&shortest) && longest <= batch_tokens,
            "`schedule.sequence_tokens` is [{shortest}, {longest}]; allowed: from 16 up to `batch_tokens`, in order"
        );
        ensure!((0.0..1.0).contains(&warm_up), "`schedule.warm_up` is {warm_up}; allowed: from 0 to below 1");
        let OptimizerConfig { rate, head_rate, clip, average, weight_decay } = self.optimizer;
        for (key, given) in [("rate", rate), ("head_rate", head_rate)] {
            ensure!(given > 0.0 && given < 0.1, "`optimizer.{key}` is {given}; allowed: above 0, below 0.1");
        }
        ensure!(
            (0.0..1.0).contains(&weight_decay),
            "`optimizer.weight_decay` is {weight_decay}; allowed: 0 to 1"
        );
        ensure!(
            (0.0..1.0).contains(&average),
            "`optimizer.average` is {average}; allowed: from 0 to below 1"
        );
        ensure!(clip > 0.0, "`optimizer.clip` is {clip}; allowed: above 0");
        let smoothing = self.loss.smoothing;
        ensure!((0.0..=0.2).contains(&smoothing), "`loss.smoothing` is {smoothing}; allowed: 0 to 0.2");
        ensure!(!self.calibration.sets.is_empty(), "`calibration.sets` is empty; name at least one set");
        let share = self.card.prompt_share;
        ensure!(share > 0.0 && share < 1.0, "`card.prompt_share` is {share}; allowed: between 0 and 1");
        let OperatingPoints { adversarial, prompt_harmful, response_harmful, response_refusal } =
            self.card.operating_points;
        for point in [adversarial, prompt_harmful, response_harmful, response_refusal] {
            ensure!(
                point > 0.0 && point < 1.0,
                "`card.operating_points` has {point}; allowed: between 0 and 1"
            );
        }
        Ok(())
    }

    /// The base encoder's sizes.
    ///
    /// # Errors
    /// When its `config.json` is none of a BERT with exact GELU.
    pub fn shape(&self) -> anyhow::Result<EncoderShape> {
        let path = self.base.join("config.json");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("can't read `{}`; models/recipes/README.md says where it is from", path.display())
        })?;
        let base: BaseConfig =
            serde_json::from_str(&text).with_context(|| format!("`{}` is no BERT's", path.display()))?;
        ensure!(base.hidden_act == "gelu", "`{}`: `hidden_act` must be `gelu`", path.display());
        Ok(EncoderShape {
            hidden: base.hidden_size,
            layers: base.num_hidden_layers,
            attention_heads: base.num_attention_heads,
            intermediate: base.intermediate_size,
            vocab_size: base.vocab_size,
            max_positions: base.max_position_embeddings,
            segment_types: base.type_vocab_size,
            layer_norm_epsilon: base.layer_norm_eps,
        })
    }
}

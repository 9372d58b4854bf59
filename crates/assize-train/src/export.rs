//! The model folder: weights in f16, settings, tokenizer, card, reference answers, and the record of the run.
//!
//! What is calibrated and referenced is the f16 weights themselves, read back, not what they were rounded from.

use crate::calibrate::{HeadCalibration, calibrate};
use crate::checkpoint::Progress;
use crate::config::OperatingPoints;
use crate::data::SetInfo;
use crate::measure::{Answer, Figures, answer};
use crate::run::Run;
use crate::variables::save;
use crate::{golden, plot, watch};
use anyhow::Context as _;
use assize_candle::{Encoder, EncoderShape};
use assize_domain::{
    ActionCategory, Effect, Extent, GuardHead, HarmAction, Likelihood, RiskCategory, Stakeholder,
};
use candle_core::{DType, Device, Tensor};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// `card.toml`, as the service reads it.
#[derive(Serialize)]
struct Card<'a> {
    name: &'a str,
    version: &'a str,
    licence: &'a str,
    summary: &'a str,
    intended_use: &'a str,
    limitations: &'a [String],
    input: Input,
    calibration: BTreeMap<&'static str, Scaling>,
    operating_points: OperatingPoints,
}

#[derive(Serialize)]
struct Input {
    window_tokens: usize,
    prompt_share: f32,
    max_windows: usize,
    /// The trainer's sequences have their context apart.
    context: &'static str,
}

#[derive(Serialize)]
struct Scaling {
    scale: f64,
    offset: f64,
}

/// One seed's part in it.
#[derive(Serialize)]
struct RunRecord {
    seed: u64,
    tokens: u64,
    steps: i32,
    epochs: u64,
}

/// What a finished run gives.
#[derive(Debug)]
pub struct Trained {
    seed: u64,
    progress: Progress,
    /// Averaged over the run, f32.
    weights: BTreeMap<String, Tensor>,
}

impl Trained {
    /// Takes the weights of a run.
    ///
    /// # Errors
    /// When a tensor can't be made.
    pub fn of(run: &Run) -> anyhow::Result<Self> {
        Ok(Self { seed: run.config.seed, progress: *run.progress(), weights: run.averages()? })
    }

    fn record(&self) -> RunRecord {
        let Progress { steps, tokens, epoch, .. } = self.progress;
        RunRecord { seed: self.seed, tokens, steps, epochs: epoch }
    }
}

/// `training.json`: what the folder came from, for people and for a second run.
#[derive(Serialize)]
struct Record<'a> {
    runs: Vec<RunRecord>,
    sets: &'a [SetInfo],
    development: Figures,
    validation: Figures,
    calibration: BTreeMap<&'static str, HeadCalibration>,
}

/// Writes the model folder: the mean of the runs' weights, calibrated and measured with the data of `run`, which all share.
///
/// # Errors
/// When a file can't be read or written, the runs don't fit together, or the encoder fails.
pub fn export(run: &Run, trained: &[Trained], folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("can't create `{}`", folder.display()))?;
    let write = |file: &str, text: &str| {
        let path = folder.join(file);
        std::fs::write(&path, text).with_context(|| format!("can't write `{}`", path.display()))
    };
    let halves = mean(trained)?.into_iter().map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F16)?)));
    let halves: BTreeMap<String, Tensor> = halves.collect::<anyhow::Result<_>>()?;
    save(&halves, &folder.join("model.safetensors"))?;
    let rounded = halves.into_iter().map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F32)?)));
    let rounded: BTreeMap<String, Tensor> = rounded.collect::<anyhow::Result<_>>()?;
    let encoder = Encoder::over(&rounded, run.shape, &Device::Cpu)?;
    write("config.json", &serde_json::to_string_pretty(&settings(run.shape))?)?;
    for (file, required) in [("tokenizer.json", true), ("LICENSE", false), ("NOTICE", false)] {
        copy(&run.config.base, folder, file, required)?;
    }
    let development = answer(&encoder, &run.lessons(&run.corpus.development)?, &run.shards)?;
    let validation = answer(&encoder, &run.lessons(&run.corpus.validation)?, &run.shards)?;
    let is_judged = |answer: &&Answer| run.calibrates.get(answer.set).copied().unwrap_or_default();
    let judged: Vec<&Answer> = development.iter().chain(&validation).filter(is_judged).collect();
    let calibration = calibrate(&judged);
    write("card.toml", &toml::to_string(&card(run, &calibration))?)?;
    let window = run.config.card.window_tokens;
    write("golden.json", &golden::write(&run.composer, &encoder, window)?)?;
    let by_head = GuardHead::ALL.map(GuardHead::id).into_iter().zip(calibration).collect();
    let record = Record {
        runs: trained.iter().map(Trained::record).collect(),
        sets: &run.corpus.sets,
        development: Figures::of(&development),
        validation: Figures::of(&validation),
        calibration: by_head,
    };
    write("training.json", &serde_json::to_string_pretty(&record)?)?;
    plot::learning_curve(&watch::history(&run.config.output), &folder.join("learning-curve.svg"))?;
    Ok(())
}

/// The mean of the runs' weights. Runs from one base with different seeds end in one valley, and its middle is better than
/// its sides (docs/model.md).
///
/// SOURCE: Wortsman et al. 2022, "Model soups".
fn mean(trained: &[Trained]) -> anyhow::Result<BTreeMap<String, Tensor>> {
    let (first, others) = trained.split_first().context("no run, no weights")?;
    let mut sum = first.weights.clone();
    for other in others {
        for (name, tensor) in &mut sum {
            let theirs = other.weights.get(name).with_context(|| format!("a run has no `{name}`"))?;
            *tensor = (&*tensor + theirs)?;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of runs")]
    let share = 1.0 / trained.len() as f64;
    sum.into_iter().map(|(name, tensor)| Ok((name, (tensor * share)?))).collect()
}

fn copy(from: &Path, to: &Path, file: &str, required: bool) -> anyhow::Result<()> {
    let source = from.join(file);
    if required || source.exists() {
        std::fs::copy(&source, to.join(file))
            .with_context(|| format!("can't copy `{}`", source.display()))?;
    }
    Ok(())
}

fn card<'a>(run: &'a Run, calibration: &[HeadCalibration]) -> Card<'a> {
    let told = &run.config.card;
    let heads = GuardHead::ALL.map(GuardHead::id);
    let scalings = calibration.iter().map(|found| Scaling { scale: found.scale, offset: found.offset });
    Card {
        name: &told.name,
        version: &told.version,
        licence: &told.licence,
        summary: &told.summary,
        intended_use: &told.intended_use,
        limitations: &told.limitations,
        input: Input {
            window_tokens: told.window_tokens,
            prompt_share: told.prompt_share,
            max_windows: told.max_windows,
            context: "separated",
        },
        calibration: heads.into_iter().zip(scalings).collect(),
        operating_points: told.operating_points,
    }
}

/// `config.json`.
fn settings(shape: EncoderShape) -> serde_json::Value {
    json!({
        "architecture": "bert-encoder",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.attention_heads,
        "intermediate_size": shape.intermediate,
        "hidden_act": "gelu",
        "layer_norm_eps": shape.layer_norm_epsilon,
        "max_position_embeddings": shape.max_positions,
        "type_vocab_size": shape.segment_types,
        "vocab_size": shape.vocab_size,
        "pad_token_id": 0,
        "pooling": "concat(mean over tokens, first token)",
        "dtype": "f16",
        "heads": {
            "binary": GuardHead::ALL.map(GuardHead::id),
            "risk": RiskCategory::ALL.map(RiskCategory::id).as_slice(),
            "leaves": {
                "categories": ActionCategory::ALL.map(ActionCategory::title).as_slice(),
                "actions": HarmAction::ALL.map(HarmAction::title).as_slice(),
                "effects": Effect::ALL.map(Effect::title).as_slice(),
                "stakeholders": Stakeholder::ALL.map(Stakeholder::title).as_slice(),
                "extents": Extent::ALL.map(Extent::id).as_slice(),
                "likelihoods": Likelihood::ALL.map(Likelihood::id).as_slice(),
            },
        },
        "activations": { "binary": "sigmoid", "risk": "sigmoid" },
    })
}

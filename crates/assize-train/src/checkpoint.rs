//! What a cut-off run needs to go on: variables, the optimizer's memory and where in the data it was.

use crate::config::TrainConfig;
use crate::optimizer::Optimizer;
use crate::variables::{Variables, save};
use anyhow::Context as _;
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How far a run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps of the optimizer.
    pub steps: i32,
    /// Tokens learnt from.
    pub tokens: u64,
    /// Epochs done.
    pub epoch: u64,
    /// Batches done of the running epoch.
    pub batches: usize,
}

/// A checkpoint as read.
#[derive(Debug)]
pub struct Checkpoint {
    /// The weights.
    pub variables: Variables,
    /// The optimizer's memory.
    pub memory: BTreeMap<String, Tensor>,
    /// Where the run was.
    pub progress: Progress,
}

impl Checkpoint {
    /// Reads the last checkpoint of the run's output folder; `None` where there is none.
    ///
    /// # Errors
    /// When there is one and it can't be read.
    pub fn read(config: &TrainConfig) -> anyhow::Result<Option<Self>> {
        let [weights, memory, progress] = paths(config);
        if !progress.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&progress)
            .with_context(|| format!("can't read `{}`", progress.display()))?;
        let found = serde_json::from_str(&text)
            .with_context(|| format!("`{}` is no checkpoint", progress.display()))?;
        let memory = candle_core::safetensors::load(&memory, &Device::Cpu)
            .with_context(|| format!("can't read `{}`", memory.display()))?;
        Ok(Some(Self {
            variables: Variables::read(&weights)?,
            memory: memory.into_iter().collect(),
            progress: found,
        }))
    }

    /// Writes a checkpoint in the place of the last one; its `progress.json` last, which makes it valid.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn write(
        config: &TrainConfig,
        variables: &Variables,
        optimizer: &Optimizer,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let [weights, memory, place] = paths(config);
        if place.exists() {
            std::fs::remove_file(&place).with_context(|| format!("can't replace `{}`", place.display()))?;
        }
        save(&variables.tensors(), &weights)?;
        save(&optimizer.memory(variables)?, &memory)?;
        std::fs::write(&place, serde_json::to_string_pretty(progress)?)
            .with_context(|| format!("can't write `{}`", place.display()))
    }
}

fn paths(config: &TrainConfig) -> [PathBuf; 3] {
    ["checkpoint.safetensors", "memory.safetensors", "progress.json"].map(|file| config.output.join(file))
}

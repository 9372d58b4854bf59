//! AdamW with clipping and a running average of the weights, in one pass over each variable.
//!
//! candle's own AdamW makes some ten temporary tensors of each variable's size; over 23 million weights that was a
//! fifth of a step.
//!
//! SOURCE: Loshchilov & Hutter 2019 (arXiv:1711.05101), algorithm 2.

use crate::variables::Variables;
use anyhow::Context as _;
use candle_core::{CpuStorage, Device, InplaceOp2, Layout, Result as TensorResult, Tensor};
use rayon::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Mutex;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.98;
const EPSILON: f32 = 1e-8;

/// How the weights are moved.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Largest learning rate of the encoder.
    pub rate: f32,
    /// Largest learning rate of the heads, which begin from nothing.
    pub head_rate: f32,
    /// Decay of matrices; none for biases and normalisations.
    pub weight_decay: f32,
    /// Largest norm of all gradients together.
    pub clip: f64,
    /// How much of the running average a step keeps, in [0, 1).
    pub average: f32,
}

/// What is remembered of one variable.
struct State {
    first: Vec<f32>,
    second: Vec<f32>,
    average: Vec<f32>,
}

/// The optimizer and its memory.
pub struct Optimizer {
    config: OptimizerConfig,
    states: BTreeMap<String, Mutex<State>>,
    steps: i32,
}

impl std::fmt::Debug for Optimizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Optimizer")
            .field("config", &self.config)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

/// One step of one variable.
struct Step<'a> {
    state: &'a Mutex<State>,
    rate: f32,
    /// The gradient's factor, for clipping.
    shrink: f32,
    decay: f32,
    corrections: (f32, f32),
    average: f32,
}

impl Optimizer {
    /// Begins without memory; the average begins at the variables.
    ///
    /// # Errors
    /// When a variable can't be read.
    pub fn new(config: OptimizerConfig, variables: &Variables) -> anyhow::Result<Self> {
        let states = variables.iter().map(|(name, variable)| {
            let average: Vec<f32> = variable.flatten_all()?.to_vec1()?;
            let zeros = || vec![0.0; average.len()];
            Ok((name.to_owned(), Mutex::new(State { first: zeros(), second: zeros(), average })))
        });
        Ok(Self { config, states: states.collect::<TensorResult<_>>()?, steps: 0 })
    }

    /// Moves every variable that has a gradient of its name; `share` of the largest rates, in [0, 1]. Gives the
    /// gradients' norm.
    ///
    /// # Errors
    /// When the gradients are not finite.
    pub fn step(
        &mut self,
        variables: &Variables,
        gradients: &BTreeMap<String, Tensor>,
        share: f32,
    ) -> anyhow::Result<f64> {
        let mut squares = 0.0;
        for gradient in gradients.values() {
            squares += square_sum(gradient)?;
        }
        let norm = squares.sqrt();
        anyhow::ensure!(norm.is_finite(), "the gradients are not finite; lower the rate");
        self.steps += 1;
        #[expect(clippy::cast_possible_truncation, reason = "a factor in (0, 1]")]
        let shrink = (self.config.clip / norm.max(self.config.clip)) as f32;
        let corrections = (1.0 - BETA_1.powi(self.steps), 1.0 - BETA_2.powi(self.steps));
        // A short memory at first, or the average would remember the start for long.
        #[expect(clippy::cast_precision_loss, reason = "thousands of steps")]
        let warm = (1.0 + self.steps as f32) / (10.0 + self.steps as f32);
        for (name, variable) in variables.iter() {
            let Some(gradient) = gradients.get(name) else { continue };
            let state = self.states.get(name).with_context(|| format!("no state of `{name}`"))?;
            let is_head = name.starts_with("heads.");
            let rate = share * if is_head { self.config.head_rate } else { self.config.rate };
            let decay = if variable.rank() > 1 { self.config.weight_decay } else { 0.0 };
            let average = self.config.average.min(warm);
            variable.inplace_op2(gradient, &Step { state, rate, shrink, decay, corrections, average })?;
        }
        Ok(norm)
    }

    /// The running average, named and shaped as the variables.
    ///
    /// # Errors
    /// When a tensor can't be made.
    pub fn averages(&self, variables: &Variables) -> anyhow::Result<BTreeMap<String, Tensor>> {
        self.collect(variables, "", |state| &state.average)
    }

    /// What a checkpoint has to keep beside the variables.
    ///
    /// # Errors
    /// When a tensor can't be made.
    pub fn memory(&self, variables: &Variables) -> anyhow::Result<BTreeMap<String, Tensor>> {
        let mut memory = self.collect(variables, "first.", |state| &state.first)?;
        memory.extend(self.collect(variables, "second.", |state| &state.second)?);
        memory.extend(self.collect(variables, "average.", |state| &state.average)?);
        Ok(memory)
    }

    /// Takes over what [`Self::memory`] gave, `steps` steps ago from the start.
    ///
    /// # Errors
    /// When something is missing.
    pub fn recall(&mut self, memory: &BTreeMap<String, Tensor>, steps: i32) -> anyhow::Result<()> {
        for (name, state) in &self.states {
            let read = |prefix: &str| -> anyhow::Result<Vec<f32>> {
                let tensor = memory.get(&format!("{prefix}{name}"));
                let tensor = tensor.with_context(|| format!("the checkpoint lacks `{prefix}{name}`"))?;
                Ok(tensor.flatten_all()?.to_vec1()?)
            };
            let recalled =
                State { first: read("first.")?, second: read("second.")?, average: read("average.")? };
            *state.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = recalled;
        }
        self.steps = steps;
        Ok(())
    }

    /// Steps taken so far.
    pub const fn steps(&self) -> i32 {
        self.steps
    }

    fn collect(
        &self,
        variables: &Variables,
        prefix: &str,
        part: impl Fn(&State) -> &Vec<f32>,
    ) -> anyhow::Result<BTreeMap<String, Tensor>> {
        let tensors = variables.iter().map(|(name, variable)| {
            let state = self.states.get(name).with_context(|| format!("no state of `{name}`"))?;
            let state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let tensor = Tensor::from_slice(part(&state), variable.dims(), &Device::Cpu)?;
            Ok((format!("{prefix}{name}"), tensor))
        });
        tensors.collect()
    }
}

fn square_sum(gradient: &Tensor) -> TensorResult<f64> {
    let (storage, layout) = gradient.storage_and_layout();
    let candle_core::Storage::Cpu(storage) = &*storage else {
        candle_core::bail!("training runs on the CPU")
    };
    let numbers = numbers(storage, layout)?;
    Ok(numbers
        .par_chunks(CHUNK)
        .map(|chunk| {
            f64::from(chunk.chunks(256).map(|few| few.iter().map(|x| x * x).sum::<f32>()).sum::<f32>())
        })
        .sum())
}

/// Numbers of one thread's piece of work.
const CHUNK: usize = 1 << 16;

fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> TensorResult<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    let found = layout.contiguous_offsets().and_then(|(start, end)| all.get(start..end));
    found.ok_or_else(|| candle_core::Error::Msg("a gradient is not contiguous".to_owned()))
}

impl InplaceOp2 for Step<'_> {
    fn name(&self) -> &'static str {
        "adamw-step"
    }

    fn cpu_fwd(
        &self,
        weights: &mut CpuStorage,
        _: &Layout,
        grads: &CpuStorage,
        layout: &Layout,
    ) -> TensorResult<()> {
        let CpuStorage::F32(weights) = weights else { candle_core::bail!("the variables are f32") };
        let grads = numbers(grads, layout)?;
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let State { first, second, average } = &mut *state;
        let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        let targets = weights.par_chunks_mut(CHUNK).zip(average.par_chunks_mut(CHUNK));
        let all = targets.zip(moments).zip(grads.par_chunks(CHUNK));
        all.for_each(|(((weights, averages), (first, second)), grads)| {
            let numbers = weights.iter_mut().zip(averages).zip(first.iter_mut().zip(second)).zip(grads);
            for (((weight, average), (first, second)), gradient) in numbers {
                let gradient = gradient * self.shrink;
                *first = BETA_1 * *first + (1.0 - BETA_1) * gradient;
                *second = BETA_2 * *second + (1.0 - BETA_2) * gradient * gradient;
                let (m, v) = (*first / self.corrections.0, *second / self.corrections.1);
                *weight -= self.rate * (m / (v.sqrt() + EPSILON) + self.decay * *weight);
                *average += (1.0 - self.average) * (*weight - *average);
            }
        });
        Ok(())
    }
}

//! The gradients of a loss, gone back by hand through the same parts that judge. Called by the trainer, once a step.
//!
//! candle's own way back makes a tensor of zeros and a sum for every product, and a dense one of the vocabulary's size
//! for every embedding; it took three times as long as the products need.

use super::{Encoder, EncoderError, packing::Packing};
use crate::Sequence;
use candle_core::Tensor;
use std::collections::BTreeMap;

impl Encoder {
    /// The gradient of every weight, by the checkpoint's names; for an encoder of [`Encoder::over`], on the CPU.
    ///
    /// `loss` is given the heads' raw outputs, a row of `HeadLogits::WIDTH` numbers for each sequence, and answers
    /// with the loss's gradient of them, row after row. At least one sequence.
    ///
    /// # Errors
    /// As [`Self::infer`]; where the heads are none that learn; where `loss` gives another number of numbers.
    pub fn learn(
        &self,
        sequences: &[&Sequence],
        loss: impl FnOnce(&[Vec<f32>]) -> Vec<f32>,
    ) -> Result<BTreeMap<String, Tensor>, EncoderError> {
        if !self.heads.learn() {
            return Err(EncoderError::HeadsDoNotLearn);
        }
        super::check(self.shape, sequences)?;
        let packing = Packing::new(sequences, &self.device)?;
        let spans = packing.spans();
        let (mut hidden, embedded) = self.embeddings.trace(&packing)?;
        let mut traces = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let (output, trace) = layer.trace(&hidden, spans)?;
            traces.push(trace);
            hidden = output;
        }
        let (outputs, pooled) = self.heads.trace(&hidden, spans)?;
        let grad = Tensor::from_vec(loss(&outputs.to_vec2()?), outputs.shape(), &self.device)?;

        let (mut grad, gradients) = self.heads.gradient(&pooled, &grad, spans)?;
        let mut all: BTreeMap<String, Tensor> = gradients.into_iter().collect();
        // The last layer first; each frees what it has saved.
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let Some(trace) = traces.pop() else { continue };
            let (input, gradients) = layer.gradient(&trace, &grad, spans)?;
            let named = |(name, tensor)| (format!("encoder.layer.{index}.{name}"), tensor);
            all.extend(gradients.into_iter().map(named));
            grad = input;
        }
        all.extend(self.embeddings.gradient(&embedded, &grad, &packing)?);
        Ok(all)
    }
}

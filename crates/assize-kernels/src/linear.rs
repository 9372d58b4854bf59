//! One linear layer: its weight and bias, packed for one kernel.

use crate::kernel::{Kernel, Precision};
use crate::lines::Lines;
use crate::product::{self, Task};
use crate::quantise::bf16_of;
use crate::rows::{Rows, in_word};

/// Outputs that a kernel computes side by side: four vectors of 512 bits.
pub(crate) const PANEL: usize = 64;

/// A weight that is no matrix of the kernel's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// The weight's numbers are not outputs times inputs.
    #[error("{numbers} weights are not {outputs} outputs of {inputs} inputs")]
    Numbers {
        /// Numbers given.
        numbers: usize,
        /// Numbers in the bias.
        outputs: usize,
        /// Inputs asked for.
        inputs: usize,
    },
    /// The kernel reads several inputs at once.
    #[error("{inputs} inputs can't be read by {kernel}; it wants a multiple of {multiple}, at least one")]
    Inputs {
        /// Inputs given.
        inputs: usize,
        /// The kernel.
        kernel: Kernel,
        /// What they must be a multiple of.
        multiple: usize,
    },
    /// This processor has no such instructions.
    #[error("this processor can't run {0}")]
    NotAvailable(Kernel),
}

/// What becomes of what the output held before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Into {
    /// It is overwritten.
    Replace,
    /// It is added to: a residual connection.
    Add,
}

/// A linear layer, packed.
#[derive(Debug)]
pub struct Linear {
    kernel: Kernel,
    inputs: usize,
    outputs: usize,
    /// Panels of [`PANEL`] outputs; in each, word by word of the inputs, a word of every output. Missing outputs are 0.
    panels: Lines,
    /// Of each output, padded to whole panels: what one step of its weights is worth; 1 but for int8.
    scales: Vec<f32>,
    /// int8: the sum of the output's weights, which the lowest number of a row is multiplied by.
    offsets: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// Packs a weight of shape `[outputs, inputs]`, row after row, and a bias of shape `[outputs]`.
    ///
    /// # Errors
    /// Every variant of [`ShapeError`].
    pub fn pack(kernel: Kernel, weight: &[f32], bias: &[f32], inputs: usize) -> Result<Self, ShapeError> {
        if !kernel.is_available() {
            return Err(ShapeError::NotAvailable(kernel));
        }
        let (outputs, multiple) = (bias.len(), in_word(kernel.precision()));
        if inputs == 0 || !inputs.is_multiple_of(multiple) {
            return Err(ShapeError::Inputs { inputs, kernel, multiple });
        }
        if outputs.checked_mul(inputs) != Some(weight.len()) {
            return Err(ShapeError::Numbers { numbers: weight.len(), outputs, inputs });
        }
        let padded = outputs.next_multiple_of(PANEL);
        let words = inputs / multiple;
        let mut packed = Self {
            kernel,
            inputs,
            outputs,
            panels: Lines::zeroed(padded * words * size_of::<u32>()),
            scales: vec![1.0; padded],
            offsets: vec![0.0; padded],
            bias: vec![0.0; padded],
        };
        for (to, from) in packed.bias.iter_mut().zip(bias) {
            *to = *from;
        }
        let mut row = vec![0_u32; words];
        for (output, weight) in weight.chunks_exact(inputs).enumerate() {
            let (scale, offset) = pack_row(kernel.precision(), weight, &mut row);
            let panel = packed.panels.of_mut::<u32>().chunks_exact_mut(PANEL * words).nth(output / PANEL);
            for (group, word) in panel.into_iter().flat_map(|panel| panel.chunks_exact_mut(PANEL)).zip(&row) {
                group.iter_mut().skip(output % PANEL).take(1).for_each(|to| *to = *word);
            }
            packed.scales.iter_mut().skip(output).take(1).for_each(|to| *to = scale);
            packed.offsets.iter_mut().skip(output).take(1).for_each(|to| *to = offset);
        }
        Ok(packed)
    }

    /// Numbers in a row of the input.
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Numbers in a row of the output.
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// Which instructions it is packed for.
    pub const fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Multiplies rows: `out[r] = x[r] W^T + b`, or that added to `out[r]`. `out` has the shape `[rows, outputs]`; false,
    /// and nothing is done, where it has another length or the rows are none of this layer's kernel and width.
    #[must_use]
    pub fn forward(&self, rows: &Rows, out: &mut [f32], into: Into) -> bool {
        self.forward_part(rows, out, into, 0..self.outputs)
    }

    /// As [`Self::forward`] for some of the outputs, which begin and end at multiples of 64 (or at the last output);
    /// `out` has the shape `[rows, part]`.
    #[must_use]
    pub fn forward_part(
        &self,
        rows: &Rows,
        out: &mut [f32],
        into: Into,
        part: std::ops::Range<usize>,
    ) -> bool {
        let width = part.len();
        let starts_well = part.start.is_multiple_of(PANEL) && part.end <= self.outputs;
        let ends_well = part.end.is_multiple_of(PANEL) || part.end == self.outputs;
        let fits = rows.kernel().precision() == self.kernel.precision()
            && rows.width() == self.inputs
            && rows.count().checked_mul(width) == Some(out.len());
        if !(starts_well && ends_well && fits) {
            return false;
        }
        let words = rows.words();
        let panels = self.panels.of::<u32>().chunks_exact(PANEL * words);
        let per_output = (self.scales.chunks_exact(PANEL))
            .zip(self.offsets.chunks_exact(PANEL))
            .zip(self.bias.chunks_exact(PANEL));
        let first = part.start / PANEL;
        let all = panels.zip(per_output).skip(first).zip((0..width).step_by(PANEL));
        for ((panel, ((scales, offsets), bias)), column) in all {
            let task = Task { rows, panel, scales, offsets, bias, column, width, into };
            product::run(self.kernel, &task, out);
        }
        true
    }
}

/// One output's weights in words, what a step of them is worth, and its offset.
fn pack_row(precision: Precision, weight: &[f32], row: &mut [u32]) -> (f32, f32) {
    match precision {
        Precision::F32 => {
            row.iter_mut().zip(weight).for_each(|(to, from)| *to = from.to_bits());
            (1.0, 0.0)
        }
        Precision::Bf16 => {
            let row: &mut [u16] = bytemuck::cast_slice_mut(row);
            row.iter_mut().zip(weight).for_each(|(to, from)| *to = bf16_of(*from));
            (1.0, 0.0)
        }
        Precision::Int8 => {
            let largest = weight.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
            let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            let row: &mut [i8] = bytemuck::cast_slice_mut(row);
            let mut sum = 0_i32;
            for (to, from) in row.iter_mut().zip(weight) {
                #[expect(clippy::cast_possible_truncation, reason = "within 127 by the scale")]
                let step = (from / scale).round_ties_even().clamp(-127.0, 127.0) as i8;
                *to = step;
                sum += i32::from(step);
            }
            #[expect(clippy::cast_precision_loss, reason = "exact below 131,072 inputs, near enough above")]
            let sum = sum as f32;
            (scale, sum * scale)
        }
    }
}

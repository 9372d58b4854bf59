//! One layer's weights, and what is done with a tile of rows.

use super::{PackError, pack, rooms::Room};
use crate::{
    encoder::layer::Layer,
    ops::{NormWeights, gelu},
};
use assize_kernels::{Into, Kernel, Linear};

#[derive(Debug)]
pub(super) struct PackedLayer {
    query_key_value: Linear,
    output: Linear,
    attention_norm: NormWeights,
    widen: Linear,
    narrow: Linear,
    output_norm: NormWeights,
}

impl PackedLayer {
    pub(super) fn pack(layer: &Layer, kernel: Kernel) -> Result<Self, PackError> {
        let packed = |linear: &crate::encoder::parts::Linear| pack(kernel, &linear.weight, &linear.bias);
        Ok(Self {
            query_key_value: packed(&layer.attention.query_key_value)?,
            output: packed(&layer.attention.output)?,
            attention_norm: layer.attention_norm.weights()?,
            widen: packed(&layer.widen)?,
            narrow: packed(&layer.narrow)?,
            output_norm: layer.output_norm.weights()?,
        })
    }

    /// Hidden states to query, key and value.
    pub(super) fn project(&self, hidden: &[f32], projected: &mut [f32], room: &mut Room) {
        room.rows.fill(hidden, self.query_key_value.inputs());
        run(&self.query_key_value, room, projected, Into::Replace);
    }

    /// From attention's output to the layer's: both residuals, both norms and the feed-forward part.
    pub(super) fn finish(&self, hidden: &mut [f32], context: &[f32], room: &mut Room) {
        room.rows.fill(context, self.output.inputs());
        run(&self.output, room, hidden, Into::Add);
        self.attention_norm.normalise(hidden);
        room.rows.fill(hidden, self.widen.inputs());
        let mut wide = std::mem::take(&mut room.wide);
        wide.resize(room.rows.count() * self.widen.outputs(), 0.0);
        run(&self.widen, room, &mut wide, Into::Replace);
        gelu(&mut wide, self.widen.outputs());
        room.rows.fill(&wide, self.narrow.inputs());
        room.wide = wide;
        run(&self.narrow, room, hidden, Into::Add);
        self.output_norm.normalise(hidden);
    }
}

/// A product whose shapes were fixed when the layer was packed. Where they do not fit, the answer must not look like one.
fn run(linear: &Linear, room: &Room, out: &mut [f32], into: Into) {
    if !linear.forward(&room.rows, out, into) {
        out.fill(f32::NAN);
    }
}

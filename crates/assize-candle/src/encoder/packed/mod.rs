//! The encoder on a processor with vector instructions: weights packed once, in f32, bf16 or int8, and nothing between
//! the products that is not done on the way. It judges only; the encoder over tensors learns, and runs everywhere else.
//!
//! Several encoders share the weights, one for each thread that takes batches. While all of them have a batch, each works
//! alone and waits for nobody; a batch that is the only one is worked on by all threads. A batch of many sequences is parted:
//! each thread takes some of them, while they are in its cache. A batch of few goes layer by layer.
//!
//! A layer is two rounds: attention goes sequence by sequence; all else goes over tiles of rows: output projection, residual
//! and norm, feed-forward, residual and norm, and at once the next layer's query, key and value. Rows depend on nothing but
//! their sequence, so that batch mates and threads change no bit.

mod crew;
mod embed;
mod layer;
mod rooms;
#[cfg(test)]
mod tests;
mod tiles;

use super::{Encoder, EncoderError, packing::Span};
use crate::{
    HeadLogits, Sequence,
    folder::EncoderShape,
    ops::{self, HeadShape},
};
use assize_kernels::{Into, Kernel, Linear, Precision, Rows, ShapeError};
use candle_core::Tensor;
use crew::{Busy, Crew, OwnMemory};
use embed::Embedder;
use layer::PackedLayer;
use rayon::prelude::*;
use rooms::{Buffers, Rooms};
use std::{cmp::Reverse, ops::Range, sync::Arc};
use tiles::Tiles;

/// Why an encoder can't be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The processor lacks the instructions.
    #[error("this processor has no vector instructions for {0}")]
    NoKernel(Precision),
    /// A weight does not fit the kernel.
    #[error("a weight can't be packed")]
    Shape(#[from] ShapeError),
    /// The tensors can't be read.
    #[error("the tensor library failed")]
    Tensor(#[from] candle_core::Error),
    /// The threads can't be started.
    #[error("the encoder's threads can't be started")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// The encoder with packed weights.
#[derive(Debug)]
pub struct PackedEncoder {
    weights: Arc<PackedWeights>,
    crew: Arc<Crew>,
    own: OwnMemory,
}

#[derive(Debug)]
struct PackedWeights {
    shape: EncoderShape,
    kernel: Kernel,
    embedder: Embedder,
    layers: Vec<PackedLayer>,
    /// In f32 whatever the layers are in: it is small, and what it gives is the answer.
    heads: Linear,
}

impl PackedEncoder {
    /// Packs an encoder's weights in `precision` for `threads` threads (at least one).
    ///
    /// # Errors
    /// Every variant of [`PackError`].
    pub(crate) fn pack(encoder: &Encoder, precision: Precision, threads: usize) -> Result<Self, PackError> {
        Self::pack_some(encoder, encoder.layers.len(), precision, threads)
    }

    /// As [`Self::pack`], the first `layers` layers only: what it answers says nothing but how fast it is.
    ///
    /// # Errors
    /// Every variant of [`PackError`].
    pub(crate) fn pack_some(
        encoder: &Encoder,
        layers: usize,
        precision: Precision,
        threads: usize,
    ) -> Result<Self, PackError> {
        let kernel = Kernel::fastest(precision).ok_or(PackError::NoKernel(precision))?;
        let exact = Kernel::fastest(Precision::F32).ok_or(PackError::NoKernel(Precision::F32))?;
        let layers = encoder.layers.par_iter().take(layers).map(|layer| PackedLayer::pack(layer, kernel));
        let weights = PackedWeights {
            shape: encoder.shape,
            kernel,
            embedder: Embedder::of(&encoder.embeddings)?,
            layers: layers.collect::<Result<_, _>>()?,
            heads: pack(exact, &encoder.heads.fused.weight, &encoder.heads.fused.bias)?,
        };
        let heads = weights.head_shape();
        let crew = Arc::new(Crew::new(threads, kernel, heads)?);
        Ok(Self { weights: Arc::new(weights), crew, own: OwnMemory::new(kernel, heads) })
    }

    /// Another encoder over the same weights, for another thread.
    pub(crate) fn beside(&self) -> Self {
        let own = OwnMemory::new(self.weights.kernel, self.weights.head_shape());
        Self { weights: Arc::clone(&self.weights), crew: Arc::clone(&self.crew), own }
    }

    /// Judges the sequences together; one answer for each, in their order. For those who have nothing else to do meanwhile.
    ///
    /// # Errors
    /// When a sequence was made for another model.
    pub(crate) fn infer(&mut self, sequences: &[&Sequence]) -> Result<Vec<HeadLogits>, EncoderError> {
        let mut run = self.begin(sequences)?;
        let all = self.rounds(&run);
        self.go_on(&mut run, all);
        self.judge(&mut run)
    }

    /// Begins to judge the sequences together: parts the batch and looks up its words.
    ///
    /// # Errors
    /// When a sequence was made for another model.
    pub(crate) fn begin(&mut self, sequences: &[&Sequence]) -> Result<PackedRun, EncoderError> {
        super::check(self.weights.shape, sequences)?;
        let busy = self.crew.enter();
        let threads = self.crew.threads();
        let parts = parts(sequences, threads);
        let parts = parts.unwrap_or_else(|| vec![(0..sequences.len()).collect()]);
        let is_short = tokens(sequences) <= PART_ROWS;
        let mut passes = Vec::with_capacity(parts.len());
        for places in parts {
            let own: Vec<&Sequence> =
                places.iter().filter_map(|place| sequences.get(*place).copied()).collect();
            let buffers = self.own.spare.pop().unwrap_or_default();
            let mut pass = Pass { spans: spans(&own), places, buffers };
            self.weights.embed(&own, &mut pass);
            passes.push(pass);
        }
        let most = passes.iter().map(Pass::rows).max().unwrap_or_default();
        let piece = threads * Tiles::MOST_ROWS;
        Ok(PackedRun { passes, piece, pieces: most.div_ceil(piece), rounds_done: 0, is_short, _busy: busy })
    }

    /// Takes the batch through one more round, or through all of them where it is short; the answers when all is done.
    ///
    /// # Errors
    /// When the heads' width is not this service's.
    pub(crate) fn advance(&mut self, run: &mut PackedRun) -> Result<Option<Vec<HeadLogits>>, EncoderError> {
        let all = self.rounds(run);
        self.go_on(run, if run.is_short { all } else { all.min(run.rounds_done + 1) });
        if run.rounds_done < all { Ok(None) } else { self.judge(run).map(Some) }
    }

    /// How many there are: of each layer attention, and the rest piece by piece.
    fn rounds(&self, run: &PackedRun) -> usize {
        self.weights.layers.len() * (1 + run.pieces)
    }

    fn go_on(&self, run: &mut PackedRun, until: usize) {
        let (weights, threads) = (&self.weights, self.crew.threads());
        let (rounds, of_layer, piece) = (run.rounds_done..until, 1 + run.pieces, run.piece);
        let through = |pass: &mut Pass, tiles: Tiles, rooms: &Rooms| {
            for (layer, round) in rounds.clone().map(|round| (round / of_layer, round % of_layer)) {
                match round.checked_sub(1) {
                    None => weights.attend(layer, pass, tiles, rooms),
                    Some(index) => {
                        weights.finish(layer, index * piece..(index + 1) * piece, pass, (tiles, rooms))
                    }
                }
            }
        };
        match run.passes.as_mut_slice() {
            [pass] if threads > 1 && pass.rows() > ALONE_ROWS => {
                let tiles = Tiles::shared(pass.rows().min(run.piece), threads);
                self.crew.on_pool(|rooms| through(pass, tiles, rooms));
            }
            passes @ [_, _, ..] if threads > 1 => self.crew.on_pool(|rooms| {
                let passes = passes.par_iter_mut().with_max_len(1);
                passes.for_each(|pass| through(pass, Tiles::ALONE, rooms));
            }),
            passes => passes.iter_mut().for_each(|pass| through(pass, Tiles::ALONE, &self.own.rooms)),
        }
        run.rounds_done = until;
    }

    /// The answers, each in its sequence's place.
    fn judge(&mut self, run: &mut PackedRun) -> Result<Vec<HeadLogits>, EncoderError> {
        let width = self.weights.heads.outputs();
        let mut answers = Vec::new();
        // Backwards, so that the largest pass gets the same buffer the next time.
        for mut pass in run.passes.drain(..).rev() {
            // Where something did not fit, NaN stays and is refused by the reader.
            let mut outputs = vec![f32::NAN; pass.spans.len() * width];
            self.weights.judge(&mut pass, &mut outputs);
            for (place, row) in pass.places.into_iter().zip(outputs.chunks(width.max(1))) {
                let mismatch = EncoderError::HeadWidth { given: row.len(), expected: HeadLogits::WIDTH };
                answers.push((place, HeadLogits::from_row(row).ok_or(mismatch)?));
            }
            self.own.spare.push(pass.buffers);
        }
        answers.sort_by_key(|(place, _)| *place);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    /// Which instructions the layers run.
    pub(crate) fn kernel(&self) -> Kernel {
        self.weights.kernel
    }
}

/// A batch on its way, between two rounds.
#[derive(Debug)]
pub(crate) struct PackedRun {
    /// One that all threads share, or one for a thread each.
    passes: Vec<Pass>,
    /// Rows of each pass that one round takes through what comes after attention (a tile for each thread that there was at
    /// the beginning), and how many such rounds there are.
    piece: usize,
    pieces: usize,
    rounds_done: usize,
    /// Whether it takes no longer than others may wait for it.
    is_short: bool,
    _busy: Busy,
}

/// Some sequences, laid end to end, and what they have become so far.
#[derive(Debug)]
struct Pass {
    /// Where each sequence stands in the batch.
    places: Vec<usize>,
    spans: Vec<Span>,
    buffers: Buffers,
}

impl Pass {
    fn rows(&self) -> usize {
        self.spans.iter().map(|span| span.len).sum()
    }
}

/// Rows of a part, about; and of a batch that counts as short.
const PART_ROWS: usize = 128;
/// Up to so many rows one thread is done before several have met for every layer (docs/performance.md).
const ALONE_ROWS: usize = 24;

/// The sequences, by their places, in parts for threads that work apart: as many parts for each as keep a part small, or
/// fewer where that leaves them uneven. `None` where threads had better work together, because the others would wait for
/// the one with the largest part.
fn parts(sequences: &[&Sequence], threads: usize) -> Option<Vec<Vec<usize>>> {
    let total = tokens(sequences);
    let most = total.div_ceil(threads * PART_ROWS).max(1);
    let mut places: Vec<(usize, usize)> =
        sequences.iter().map(|sequence| sequence.tokens()).enumerate().collect();
    places.sort_by_key(|(place, tokens)| (Reverse(*tokens), *place));
    (1..=most).rev().find_map(|each| even_parts(&places, total, threads * each))
}

/// The longest first, each to the part that has the least; `None` where one part is far over the average.
fn even_parts(places: &[(usize, usize)], total: usize, count: usize) -> Option<Vec<Vec<usize>>> {
    let mut parts: Vec<(usize, Vec<usize>)> = vec![(0, Vec::new()); count];
    for (place, tokens) in places {
        if let Some((rows, part)) = parts.iter_mut().min_by_key(|(rows, _)| *rows) {
            *rows += tokens;
            part.push(*place);
        }
    }
    let largest = parts.iter().map(|(rows, _)| *rows).max().unwrap_or_default();
    let is_even = largest * count <= total + total / MOST_UNEVEN;
    is_even.then(|| parts.into_iter().map(|(_, part)| part).filter(|part| !part.is_empty()).collect())
}

/// The largest part may be over the average by one in so many.
const MOST_UNEVEN: usize = 5;

fn tokens(sequences: &[&Sequence]) -> usize {
    sequences.iter().map(|sequence| sequence.tokens()).sum()
}

fn spans(sequences: &[&Sequence]) -> Vec<Span> {
    let mut start = 0;
    let span = |sequence: &&Sequence| {
        let span = Span { start, len: sequence.tokens() };
        start += span.len;
        span
    };
    sequences.iter().map(span).collect()
}

impl PackedWeights {
    /// Words to the first hidden states.
    fn embed(&self, sequences: &[&Sequence], pass: &mut Pass) {
        let total = tokens(sequences);
        let (hidden, ..) = pass.buffers.of(total, self.shape.hidden);
        self.embedder.embed(sequences, &pass.spans, hidden);
    }

    fn head_shape(&self) -> HeadShape {
        HeadShape::new(self.shape.attention_heads, self.shape.hidden)
    }

    /// A layer's attention, and for the first layer what goes before it.
    fn attend(&self, index: usize, pass: &mut Pass, tiles: Tiles, rooms: &Rooms) {
        let (heads, width, total) = (self.head_shape(), self.shape.hidden, pass.rows());
        let (hidden, projected, context) = pass.buffers.of(total, width);
        if let (0, Some(first)) = (index, self.layers.first()) {
            tiles.each(width, (hidden, projected, context), rooms, |tile, projected, _, room| {
                first.project(tile, projected, room);
            });
        }
        let parts = ops::attention_parts(projected, &pass.spans, (heads, tiles.threads()), context);
        let attend = |part| rooms.with(|room| room.attend(heads, part));
        if tiles.threads() == 1 {
            parts.into_iter().for_each(attend);
        } else {
            parts.into_par_iter().for_each(attend);
        }
    }

    /// The rest of a layer for some rows, and at once what goes before the next one's attention.
    fn finish(&self, index: usize, rows: Range<usize>, pass: &mut Pass, (tiles, rooms): (Tiles, &Rooms)) {
        let (width, total) = (self.shape.hidden, pass.rows());
        let Some(layer) = self.layers.get(index) else { return };
        let (hidden, projected, context) = pass.buffers.of(total, width);
        let numbers = |width: usize| width * rows.start.min(total)..width * rows.end.min(total);
        let piece = (
            hidden.get_mut(numbers(width)).unwrap_or_default(),
            projected.get_mut(numbers(3 * width)).unwrap_or_default(),
            context.get(numbers(width)).unwrap_or_default(),
        );
        let next = self.layers.get(index + 1);
        tiles.each(width, piece, rooms, |tile, projected, context, room| {
            layer.finish(tile, context, room);
            if let Some(next) = next {
                next.project(tile, projected, room);
            }
        });
    }

    /// The heads' raw outputs, row after row.
    fn judge(&self, pass: &mut Pass, outputs: &mut [f32]) {
        let width = self.shape.hidden;
        let (hidden, ..) = pass.buffers.of(pass.rows(), width);
        let mut features = Rows::new(self.heads.kernel());
        features.fill(&ops::pooled(hidden, width, &pass.spans), 2 * width);
        let _fits = self.heads.forward(&features, outputs, Into::Replace);
    }
}

/// Packs a linear layer's tensors.
fn pack(kernel: Kernel, weight: &Tensor, bias: &Tensor) -> Result<Linear, PackError> {
    let inputs = weight.dim(1)?;
    Ok(Linear::pack(kernel, &vector(weight)?, &vector(bias)?, inputs)?)
}

/// A tensor's numbers, row after row.
fn vector(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

//! From examples to packed batches of a bounded number of tokens.

use crate::data::{Example, Labels};
use assize_candle::{Composer, ReadError, Sequence};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::ops::RangeInclusive;

/// One sequence with what is known of it.
#[derive(Debug)]
pub struct Lesson {
    /// What the encoder sees.
    pub sequence: Sequence,
    /// What it is to answer.
    pub labels: Labels,
    /// How much it counts.
    pub weight: f32,
    /// The example's set.
    pub set: usize,
}

/// Cuts every example into its sequence, in parallel; lengths are drawn between the `tokens` given, so that length
/// means nothing. The same seed gives the same sequences.
///
/// # Errors
/// When a text can't be tokenised.
pub fn compose(
    composer: &Composer,
    examples: &[Example],
    tokens: &RangeInclusive<usize>,
    seed: u64,
) -> Result<Vec<Lesson>, ReadError> {
    let examples = examples.par_iter().enumerate();
    let lessons = examples.map(|(index, example)| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::try_from(index).unwrap_or_default());
        let tokens = rng.random_range(tokens.clone());
        let response = example.response.as_deref();
        let sequence = composer.sequence(&example.context, &example.prompt, response, tokens)?;
        Ok(Lesson { sequence, labels: example.labels.clone(), weight: example.weight, set: example.set })
    });
    lessons.collect()
}

/// Batches of up to `tokens` tokens (and at least one lesson), in order.
pub fn pack(lessons: &[Lesson], tokens: usize) -> Vec<&[Lesson]> {
    let mut batches = Vec::new();
    let mut rest = lessons;
    while !rest.is_empty() {
        let mut weight = 0;
        let fits = rest.iter().take_while(|lesson| {
            weight += lesson.sequence.tokens();
            weight <= tokens
        });
        let count = fits.count().max(1);
        let (batch, others) = rest.split_at(count.min(rest.len()));
        batches.push(batch);
        rest = others;
    }
    batches
}

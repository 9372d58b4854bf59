//! The choice of one token from its scores. Each text draws from numbers of its own, so the others change nothing.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::cmp::Ordering;

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    temperature: f32,
    top_p: f32,
    seed: u64,
}

/// Numbers that choose nothing.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidSampling {
    /// Below 0, or no number.
    #[error("`temperature` is {0}; allowed: 0 (the likeliest token) and above")]
    Temperature(f32),
    /// Out of range.
    #[error("`top_p` is {0}; allowed: above 0, and at most 1 (all tokens)")]
    TopP(f32),
}

impl Sampling {
    /// Always the likeliest token, the first of those that are equal.
    pub const GREEDY: Self = Self { temperature: 0.0, top_p: 1.0, seed: 0 };

    /// Scores are divided by `temperature` (0: the likeliest token always); then the likeliest tokens whose probabilities
    /// first reach `top_p` together are drawn from. The same seed draws the same tokens.
    ///
    /// # Errors
    /// Every variant of [`InvalidSampling`].
    pub fn new(temperature: f32, top_p: f32, seed: u64) -> Result<Self, InvalidSampling> {
        if !(temperature.is_finite() && temperature >= 0.0) {
            return Err(InvalidSampling::Temperature(temperature));
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            return Err(InvalidSampling::TopP(top_p));
        }
        Ok(Self { temperature, top_p, seed })
    }
}

/// How far below the best a score may be, in units of the temperature: whatever lies deeper weighs, a million tokens
/// together, less than the finest step of a draw (a million times e^-40 is below 2^-32).
const DEEPEST: f64 = 40.0;
/// Tokens that are sorted first: a nucleus is rarely larger, and sorting a whole vocabulary takes as long as a layer.
const FIRST_SORTED: usize = 256;
/// How many numbers a draw can give.
const DRAWS: f64 = 4_294_967_296.0;

/// One text's choices.
#[derive(Debug)]
pub(super) struct Sampler {
    sampling: Sampling,
    random: ChaCha8Rng,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Choice {
    token: u32,
    /// In units of the best one's.
    weight: f64,
}

impl Sampler {
    pub(super) fn new(sampling: Sampling) -> Self {
        Self { sampling, random: ChaCha8Rng::seed_from_u64(sampling.seed) }
    }

    /// The next token; none where no score is finite. Draws one number, or none where it is greedy.
    pub(super) fn choose(&mut self, scores: &[f32]) -> Option<u32> {
        let finite = || (0..).zip(scores).filter(|(_, score)| score.is_finite());
        // The first of equal ones, as argmax has it elsewhere.
        let (best, highest) = finite().reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        if self.sampling.temperature <= 0.0 {
            return Some(best);
        }
        let (highest, temperature) = (f64::from(*highest), f64::from(self.sampling.temperature));
        let depth = |score: &f32| (highest - f64::from(*score)) / temperature;
        let mut choices: Vec<Choice> = finite()
            .map(|(token, score)| (token, depth(score)))
            .filter(|(_, depth)| *depth <= DEEPEST)
            .map(|(token, depth)| Choice { token, weight: (-depth).exp() })
            .collect();
        if self.sampling.top_p < 1.0 {
            keep_nucleus(&mut choices, self.sampling.top_p);
        }
        let total: f64 = choices.iter().map(|choice| choice.weight).sum();
        let mut left = f64::from(self.random.next_u32()) / DRAWS * total;
        let drawn = choices.iter().find(|choice| {
            left -= choice.weight;
            left < 0.0
        });
        // Rounding may leave a little behind the last.
        drawn.or(choices.last()).map(|choice| choice.token)
    }
}

/// Keeps the likeliest tokens that first reach `share` of all together, likeliest first.
fn keep_nucleus(choices: &mut Vec<Choice>, share: f32) {
    let enough = choices.iter().map(|choice| choice.weight).sum::<f64>() * f64::from(share);
    let mut sorted = FIRST_SORTED;
    loop {
        if sorted < choices.len() {
            choices.select_nth_unstable_by(sorted, likelier_first);
        }
        let count = sorted.min(choices.len());
        let head = choices.get_mut(..count).unwrap_or_default();
        head.sort_unstable_by(likelier_first);
        let mut reached = 0.0;
        let last = head.iter().position(|choice| {
            reached += choice.weight;
            reached >= enough
        });
        match last {
            Some(last) => return choices.truncate(last + 1),
            None if count == choices.len() => return,
            None => sorted *= 8,
        }
    }
}

fn likelier_first(one: &Choice, other: &Choice) -> Ordering {
    other.weight.total_cmp(&one.weight).then(one.token.cmp(&other.token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn drawn(scores: &[f32], sampling: Sampling, draws: usize) -> BTreeMap<u32, usize> {
        let mut sampler = Sampler::new(sampling);
        let mut counts = BTreeMap::new();
        for _ in 0..draws {
            *counts.entry(sampler.choose(scores).unwrap()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn greedy_takes_the_first_of_the_best() {
        let scores = [f32::NAN, 1.0, 3.0, 3.0, f32::INFINITY, f32::NEG_INFINITY];
        assert_eq!(Sampler::new(Sampling::GREEDY).choose(&scores), Some(2));
        assert_eq!(Sampler::new(Sampling::GREEDY).choose(&[f32::NAN, f32::NEG_INFINITY]), None);
        assert_eq!(Sampler::new(Sampling::GREEDY).choose(&[]), None);
    }

    #[test]
    fn tokens_are_drawn_as_often_as_they_are_likely() {
        // Probabilities 0.5, 0.3, 0.2 at temperature 2.
        let scores = [0.3_f32.ln() * 2.0, 0.5_f32.ln() * 2.0, f32::NEG_INFINITY, 0.2_f32.ln() * 2.0];
        let counts = drawn(&scores, Sampling::new(2.0, 1.0, 7).unwrap(), 10_000);
        for (token, expected) in [(0, 3000), (1, 5000), (3, 2000)] {
            assert!(counts[&token].abs_diff(expected) < 200, "{counts:?}");
        }
    }

    /// Which tokens are ever drawn of probabilities 0.3, 0.5, 0.15, 0.05.
    fn check_nucleus(top_p: f32, expected: &[u32]) {
        let scores = [0.3_f32.ln(), 0.5_f32.ln(), 0.15_f32.ln(), 0.05_f32.ln()];
        let counts = drawn(&scores, Sampling::new(1.0, top_p, 1).unwrap(), 2000);
        assert_eq!(counts.into_keys().collect::<Vec<_>>(), expected, "{top_p}");
    }

    #[test]
    fn top_p_keeps_the_likeliest_that_reach_it_and_at_least_one() {
        check_nucleus(0.01, &[1]);
        check_nucleus(0.49, &[1]);
        check_nucleus(0.51, &[0, 1]);
        check_nucleus(0.9, &[0, 1, 2]);
        check_nucleus(0.96, &[0, 1, 2, 3]);
        check_nucleus(1.0, &[0, 1, 2, 3]);
    }

    #[test]
    fn a_nucleus_larger_than_what_is_sorted_first_is_whole() {
        let weights = (0_u32..5000).map(|token| Choice { token, weight: 1.0 / f64::from(token % 977 + 1) });
        let mut choices: Vec<Choice> = weights.collect();
        let mut expected = choices.clone();
        expected.sort_unstable_by(likelier_first);
        let total: f64 = expected.iter().map(|choice| choice.weight).sum();
        let mut reached = 0.0;
        let count = expected.iter().position(|choice| {
            reached += choice.weight;
            reached >= total * f64::from(0.9_f32)
        });
        expected.truncate(count.unwrap() + 1);
        keep_nucleus(&mut choices, 0.9);
        assert!(choices.len() > FIRST_SORTED);
        assert_eq!(choices, expected);
    }

    #[test]
    fn a_seed_draws_the_same_tokens_again_and_another_seed_others() {
        let scores: Vec<f32> = (0_u8..100).map(|token| f32::from(token % 7)).collect();
        let tokens = |seed| {
            let mut sampler = Sampler::new(Sampling::new(1.0, 0.95, seed).unwrap());
            (0..20).map(|_| sampler.choose(&scores).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(tokens(3), tokens(3));
        assert_ne!(tokens(3), tokens(4));
    }

    #[test]
    fn numbers_that_choose_nothing_are_refused() {
        assert_eq!(Sampling::new(-0.1, 1.0, 0), Err(InvalidSampling::Temperature(-0.1)));
        assert!(Sampling::new(f32::NAN, 1.0, 0).is_err());
        assert_eq!(Sampling::new(1.0, 0.0, 0), Err(InvalidSampling::TopP(0.0)));
        assert!(Sampling::new(1.0, f32::NAN, 0).is_err());
        assert_eq!(Sampling::new(0.0, 1.0, 0), Ok(Sampling::GREEDY));
    }
}

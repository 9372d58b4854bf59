//! The terms of the loss, each with its derivative.

use assize_candle::numerics::{sigmoid, softplus};

pub(super) mod mass;

/// Cross-entropy of a log-odds against a probability, and its derivative.
pub(super) fn binary(logit: f32, label: f32) -> (f32, f32) {
    (softplus(logit) - label * logit, sigmoid(logit) - label)
}

/// Poisson loss of the number of leaves, at least 1, where `1 + softplus(logit)` are expected; up to a constant.
pub(super) fn leaves_beyond_the_first(logit: f32, leaves: f32) -> (f32, f32) {
    let expected = 1.0 + softplus(logit);
    (expected - leaves * expected.ln(), (1.0 - leaves / expected) * sigmoid(logit))
}

/// Cross-entropy of log shares against counts, `-Σ count × ln share`, times `weight`; adds the derivative to `slopes`.
pub(super) fn distribution(logits: &[f32], counts: &[f32], weight: f32, slopes: &mut [f32]) -> f32 {
    let total: f32 = counts.iter().sum();
    if total <= 0.0 {
        return 0.0;
    }
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    let mut loss = 0.0;
    for ((logit, count), slope) in logits.iter().zip(counts).zip(slopes) {
        let log_share = logit - largest - sum.ln();
        loss -= count * log_share;
        *slope += weight * (total * log_share.exp() - count);
    }
    loss * weight
}

//! How good scores are: figures of merit, their bootstrap intervals, and the fits that make probabilities of logits.
//!
//! Shared by `assize eval` and by the trainer, so that both mean the same by a figure; nothing that answers a request
//! uses it. Pure and deterministic: no files, clock or threads, and the same numbers give the same figures. A figure
//! that is not defined is `None`, never 0 and never NaN. It must never see a text.

mod bootstrap;
mod calibration;
mod correlation;
mod stats;
mod threshold;

pub use bootstrap::{Interval, SplitMix, interval_of, intervals};
pub use calibration::{MIN_SCALE, Platt, Weighted, platt, temperature};
pub use correlation::{Pair, mean_absolute_error, pearson, spearman};
pub use stats::{Figures, Observation, Sample, auroc};
pub use threshold::{BestF1, best_f1};

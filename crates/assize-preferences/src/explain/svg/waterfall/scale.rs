//! From log-odds to places on the sheet, the same for all subjects.

use super::steps::steps;
use crate::evidence::unbounded_log_odds;
use assize_domain::{Decision, Verdict};

/// Thresholds beyond these log-odds don't stretch the scale; harmfulness .998 and .002.
const FARTHEST_THRESHOLD: f64 = 6.0;
/// At least so many log-odds are shown, so that a score near 0 doesn't fill the sheet.
const LEAST_SPAN: f64 = 2.0;
/// Empty space at each end, as a share of the span.
const PADDING: f64 = 0.06;

/// A straight scale.
pub(super) struct Scale {
    /// Log-odds at the ends.
    low: f64,
    high: f64,
    /// Pixels at the ends.
    left: f64,
    right: f64,
    /// Harmfulness.
    review: f64,
    block: f64,
}

impl Scale {
    /// Holds all that is drawn of a verdict.
    pub(super) fn new(verdict: &Verdict, left: f64, right: f64) -> Self {
        let review = verdict.harmfulness - verdict.margin.review;
        let block = verdict.harmfulness - verdict.margin.block;
        let mut shown = vec![0.0];
        for subject in &verdict.subjects {
            let mut at = 0.0;
            for step in steps(subject) {
                at += step.points;
                shown.push(at);
            }
            shown.push(subject.score);
        }
        shown.extend(
            [review, block].map(unbounded_log_odds).into_iter().filter(|cut| cut.abs() <= FARTHEST_THRESHOLD),
        );
        let low = shown.iter().copied().fold(0.0, f64::min);
        let high = shown.iter().copied().fold(0.0, f64::max);
        let lacking = (LEAST_SPAN - (high - low)).max(0.0) / 2.0;
        let padding = PADDING * (high - low).max(LEAST_SPAN) + lacking;
        Self { low: low - padding, high: high + padding, left, right, review, block }
    }

    /// The pixel of a score.
    pub(super) fn place(&self, score: f64) -> f64 {
        let share = (score - self.low) / (self.high - self.low);
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// From this harmfulness on it is decided at least so.
    pub(super) const fn threshold(&self, decision: Decision) -> f64 {
        match decision {
            Decision::Allow => 0.0,
            Decision::Review => self.review,
            Decision::Block => self.block,
        }
    }

    /// The pixel from which on it is decided at least so, where it is on the sheet.
    pub(super) fn cut(&self, decision: Decision) -> Option<f64> {
        let score = unbounded_log_odds(self.threshold(decision));
        (self.low..=self.high).contains(&score).then(|| self.place(score))
    }

    /// Each decision with the pixels between which it is made.
    pub(super) fn zones(&self) -> [(Decision, f64, f64); 3] {
        let [review, block] =
            [self.review, self.block].map(|threshold| self.place(unbounded_log_odds(threshold)));
        [
            (Decision::Allow, self.left, review),
            (Decision::Review, review, block),
            (Decision::Block, block, self.right),
        ]
    }
}

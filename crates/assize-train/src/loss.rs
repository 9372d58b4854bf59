//! What a wrong answer costs, and its gradient: one row of the encoder's outputs against what is known of it.
//!
//! Plain functions over numbers: the gradient of each is checked against differences in the tests. The encoder gets it
//! as the gradient of `Σ outputs × gradient`, which is the same.

mod targets;
mod terms;

pub use targets::TreeTargets;

use crate::data::Labels;
use assize_candle::HeadLogits;
use assize_candle::leaves::LeafLayout;
use assize_domain::{Effect, HarmAction, Severity, Stakeholder};
use serde::Deserialize;
use std::ops::Range;
use terms::{binary, distribution, leaves_beyond_the_first, mass};

/// How much each part of the loss counts, at least 0.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossWeights {
    /// Cross-entropy of each yes-or-no question.
    pub binary: f32,
    /// Cross-entropy of the risk categories, summed over the 13.
    pub risk: f32,
    /// Cross-entropy of the presence of leaves, summed over categories and effects.
    pub presence: f32,
    /// Poisson loss of the number of leaves where there are some.
    pub leaves: f32,
    /// Cross-entropy of severities, effects, stakeholders and actions, by leaf.
    pub shares: f32,
    /// Half the squared difference of the roots of expected and true mass: total harm, total benefit, and harm by
    /// category.
    pub mass: f32,
    /// Labels are moved this far from 0 and 1; in [0, 0.2].
    pub smoothing: f32,
}

impl Default for LossWeights {
    fn default() -> Self {
        Self { binary: 1.0, risk: 0.1, presence: 0.1, leaves: 0.1, shares: 0.05, mass: 1.0, smoothing: 0.02 }
    }
}

/// The parts of the loss of some rows, before weighting by row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LossParts {
    /// Yes-or-no questions.
    pub binary: f64,
    /// Risk categories.
    pub risk: f64,
    /// Everything of the tree.
    pub tree: f64,
}

impl LossParts {
    /// All parts together.
    pub fn total(self) -> f64 {
        self.binary + self.risk + self.tree
    }
}

impl std::ops::AddAssign for LossParts {
    fn add_assign(&mut self, other: Self) {
        self.binary += other.binary;
        self.risk += other.risk;
        self.tree += other.tree;
    }
}

const GUARD: Range<usize> = Range { start: 0, end: 4 };
const RISK: Range<usize> = Range { start: 4, end: HeadLogits::GUARD_WIDTH };

impl LossWeights {
    /// The loss of one row of shape `[HeadLogits::WIDTH]`; its gradient, times `weight`, is added to `gradient`.
    pub fn row(&self, logits: &[f32], labels: &Labels, weight: f32, gradient: &mut [f32]) -> LossParts {
        let mut found = LossParts::default();
        let sides = logits.iter().zip(gradient.iter_mut());
        for ((logit, slope), label) in sides.take(GUARD.end).zip(labels.binary) {
            if let Some(label) = label {
                let (loss, d) = binary(*logit, self.smooth(label));
                found.binary += f64::from(loss * self.binary * weight);
                *slope += d * self.binary * weight;
            }
        }
        if let Some(risk) = &labels.risk {
            let sides = logits.iter().zip(gradient.iter_mut()).skip(RISK.start).take(RISK.len());
            for ((logit, slope), label) in sides.zip(risk) {
                let (loss, d) = binary(*logit, self.smooth(f32::from(u8::from(*label))));
                found.risk += f64::from(loss * self.risk * weight);
                *slope += d * self.risk * weight;
            }
        }
        if let Some(tree) = &labels.tree {
            let targets = TreeTargets::of(tree);
            let (guard, _) = logits.split_at_checked(HeadLogits::GUARD_WIDTH).unwrap_or((logits, &[]));
            let logits = logits.get(guard.len()..).unwrap_or_default();
            let gradient = gradient.get_mut(guard.len()..).unwrap_or_default();
            found.tree += f64::from(self.tree(logits, &targets, weight, gradient));
        }
        found
    }

    fn smooth(&self, label: f32) -> f32 {
        label * (1.0 - 2.0 * self.smoothing) + self.smoothing
    }

    fn tree(&self, logits: &[f32], targets: &TreeTargets, weight: f32, gradient: &mut [f32]) -> f32 {
        let mut row = Row { logits, gradient };
        let counts: [(Range<usize>, Range<usize>, &[f32]); 2] = [
            (LeafLayout::HARM_PRESENCE, LeafLayout::HARM_LEAVES, &targets.harm_leaves),
            (LeafLayout::BENEFIT_PRESENCE, LeafLayout::BENEFIT_LEAVES, &targets.benefit_leaves),
        ];
        let mut loss = 0.0;
        for (presence, beyond, leaves) in counts {
            for (index, leaves) in leaves.iter().enumerate() {
                let present = f32::from(u8::from(*leaves > 0.0));
                loss +=
                    row.one(presence.start + index, self.presence * weight, |logit| binary(logit, present));
                if *leaves > 0.0 {
                    loss += row.one(beyond.start + index, self.leaves * weight, |logit| {
                        leaves_beyond_the_first(logit, *leaves)
                    });
                }
            }
        }
        let shares = [
            (LeafLayout::HARM_SEVERITY, &targets.harm_severity, Severity::COUNT),
            (LeafLayout::HARM_EFFECT, &targets.harm_effect, Effect::COUNT),
            (LeafLayout::HARM_STAKEHOLDER, &targets.harm_stakeholder, Stakeholder::COUNT),
            (LeafLayout::HARM_ACTION, &targets.harm_action, HarmAction::COUNT),
            (LeafLayout::BENEFIT_SEVERITY, &targets.benefit_severity, Severity::COUNT),
            (LeafLayout::BENEFIT_STAKEHOLDER, &targets.benefit_stakeholder, Stakeholder::COUNT),
        ];
        for (range, counts, width) in shares {
            for (block, counts) in counts.chunks(width).enumerate() {
                let start = range.start + block * width;
                loss += row.block(start..start + width, self.shares * weight, counts);
            }
        }
        loss + self.masses(&mut row, targets, weight)
    }

    fn masses(&self, row: &mut Row<'_>, targets: &TreeTargets, weight: f32) -> f32 {
        let harm = mass::Side {
            presence: LeafLayout::HARM_PRESENCE,
            leaves: LeafLayout::HARM_LEAVES,
            severity: LeafLayout::HARM_SEVERITY,
        };
        let benefit = mass::Side {
            presence: LeafLayout::BENEFIT_PRESENCE,
            leaves: LeafLayout::BENEFIT_LEAVES,
            severity: LeafLayout::BENEFIT_SEVERITY,
        };
        let scale = self.mass * weight;
        // A category alone is a sixteenth of the matter, but there are sixteen.
        let loss = harm.loss(row.logits, row.gradient, &targets.harm_mass, (scale, 0.25 * scale));
        loss + benefit.loss(row.logits, row.gradient, &targets.benefit_mass, (scale, 0.0))
    }
}

/// The leaf heads' outputs and their gradient, which grows.
struct Row<'a> {
    logits: &'a [f32],
    gradient: &'a mut [f32],
}

impl Row<'_> {
    fn one(&mut self, index: usize, weight: f32, term: impl FnOnce(f32) -> (f32, f32)) -> f32 {
        match (self.logits.get(index), self.gradient.get_mut(index)) {
            (Some(logit), Some(slope)) => {
                let (loss, d) = term(*logit);
                *slope += d * weight;
                loss * weight
            }
            _ => 0.0,
        }
    }

    fn block(&mut self, range: Range<usize>, weight: f32, counts: &[f32]) -> f32 {
        match (self.logits.get(range.clone()), self.gradient.get_mut(range)) {
            (Some(logits), Some(slopes)) => distribution(logits, counts, weight, slopes),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests;

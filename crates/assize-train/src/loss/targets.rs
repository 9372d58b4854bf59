//! An annotated tree as the numbers that the leaf heads are to give.

use crate::data::{Leaf, Tree};
use assize_domain::{ActionCategory, Effect, HarmAction, LeafWeights, Severity, Stakeholder};

const CATEGORIES: usize = ActionCategory::ALL.len();

/// Counts of leaves, in the order of [`assize_candle::leaves::LeafLayout`].
#[derive(Debug, Clone, PartialEq)]
pub struct TreeTargets {
    /// Leaves by category.
    pub harm_leaves: [f32; CATEGORIES],
    /// Leaves by category and severity.
    pub harm_severity: Vec<f32>,
    /// Leaves by category and effect.
    pub harm_effect: Vec<f32>,
    /// Leaves by category and stakeholder.
    pub harm_stakeholder: Vec<f32>,
    /// Leaves by action.
    pub harm_action: Vec<f32>,
    /// Mass by category, in the unit of [`LeafWeights::UNIT`].
    pub harm_mass: [f32; CATEGORIES],
    /// Benefit leaves by effect.
    pub benefit_leaves: [f32; Effect::COUNT],
    /// Benefit leaves by effect and severity.
    pub benefit_severity: Vec<f32>,
    /// Benefit leaves by effect and stakeholder.
    pub benefit_stakeholder: Vec<f32>,
    /// Mass by effect.
    pub benefit_mass: [f32; Effect::COUNT],
}

impl TreeTargets {
    /// Counts the leaves of a tree.
    pub fn of(tree: &Tree) -> Self {
        let mut targets = Self {
            harm_leaves: [0.0; CATEGORIES],
            harm_severity: vec![0.0; CATEGORIES * Severity::COUNT],
            harm_effect: vec![0.0; CATEGORIES * Effect::COUNT],
            harm_stakeholder: vec![0.0; CATEGORIES * Stakeholder::COUNT],
            harm_action: vec![0.0; HarmAction::COUNT],
            harm_mass: [0.0; CATEGORIES],
            benefit_leaves: [0.0; Effect::COUNT],
            benefit_severity: vec![0.0; Effect::COUNT * Severity::COUNT],
            benefit_stakeholder: vec![0.0; Effect::COUNT * Stakeholder::COUNT],
            benefit_mass: [0.0; Effect::COUNT],
        };
        for leaf in &tree.harms {
            let (severity, mass) = weigh(leaf);
            add(&mut targets.harm_leaves, leaf.category, 1.0);
            add(&mut targets.harm_severity, leaf.category * Severity::COUNT + severity, 1.0);
            add(&mut targets.harm_effect, leaf.category * Effect::COUNT + leaf.effect, 1.0);
            add(&mut targets.harm_stakeholder, leaf.category * Stakeholder::COUNT + leaf.stakeholder, 1.0);
            add(&mut targets.harm_action, leaf.action, 1.0);
            add(&mut targets.harm_mass, leaf.category, mass);
        }
        for leaf in &tree.benefits {
            let (severity, mass) = weigh(leaf);
            add(&mut targets.benefit_leaves, leaf.effect, 1.0);
            add(&mut targets.benefit_severity, leaf.effect * Severity::COUNT + severity, 1.0);
            add(&mut targets.benefit_stakeholder, leaf.effect * Stakeholder::COUNT + leaf.stakeholder, 1.0);
            add(&mut targets.benefit_mass, leaf.effect, mass);
        }
        targets
    }

    /// All numbers, in the order of the fields.
    pub fn numbers(&self) -> impl Iterator<Item = f32> {
        let parts: [&[f32]; 10] = [
            &self.harm_leaves,
            &self.harm_severity,
            &self.harm_effect,
            &self.harm_stakeholder,
            &self.harm_action,
            &self.harm_mass,
            &self.benefit_leaves,
            &self.benefit_severity,
            &self.benefit_stakeholder,
            &self.benefit_mass,
        ];
        parts.into_iter().flatten().copied()
    }
}

/// A leaf's place among the severities, and its mass.
fn weigh(leaf: &Leaf) -> (usize, f32) {
    #[expect(clippy::cast_possible_truncation, reason = "a weight with two digits")]
    let mass = LeafWeights::UNIT.severity(leaf.severity) as f32;
    (leaf.severity.index(), mass)
}

fn add(counts: &mut [f32], place: usize, amount: f32) {
    if let Some(count) = counts.get_mut(place) {
        *count += amount;
    }
}

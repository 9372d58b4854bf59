//! What a branch and a leaf weigh under a community's aggregation, whichever it is.

use crate::safetyanalyst::{SafetyAnalyst, Side};
use crate::weights::Aggregation;
use assize_domain::{Effect, Masses, ReportedLeaf, Severity, Tree};

/// Which way a leaf counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Harm,
    Benefit,
}

/// The mass of each branch before the weights of categories and of the benefit; of a benefit that has no readable
/// effect there is no branch.
pub(super) fn masses(tree: &Tree, aggregation: &Aggregation) -> Masses {
    match aggregation {
        Aggregation::Assize(weights) => tree.masses(&weights.leaf),
        Aggregation::SafetyAnalyst(parameters) => Masses {
            harm: parameters.sums(tree).harm,
            benefit: benefits_by_effect(tree, parameters, aggregation),
        },
    }
}

fn benefits_by_effect(
    tree: &Tree,
    parameters: &SafetyAnalyst,
    aggregation: &Aggregation,
) -> [f64; Effect::COUNT] {
    let mut by_effect = [0.0; Effect::COUNT];
    let mut add = |place: usize, mass: f64| {
        if let Some(found) = by_effect.get_mut(place) {
            *found += mass;
        }
    };
    match tree {
        Tree::Expected(tree) => {
            let table = parameters.benefit.by_severity();
            for benefit in tree.benefits() {
                let mass = benefit.branch.leaves.get() * benefit.branch.severity.mean(&table);
                add(benefit.effect.index(), mass);
            }
        }
        Tree::Reported(tree) => {
            for leaf in &tree.benefits {
                if let Some(effect) = leaf.effect {
                    add(effect.index(), leaf_mass(aggregation, Kind::Benefit, leaf).unwrap_or(0.0));
                }
            }
        }
    }
    by_effect
}

/// What one reported leaf weighs; `None` where a part of it is in no taxonomy, so that it has no place in a branch.
pub(super) fn leaf_mass(aggregation: &Aggregation, kind: Kind, leaf: &ReportedLeaf) -> Option<f64> {
    let (effect, severity) = (leaf.effect?, leaf.severity()?);
    if kind == Kind::Harm {
        leaf.action_category()?;
    }
    Some(match aggregation {
        Aggregation::Assize(weights) => {
            weights.leaf.severity(severity) * weights.leaf.affected(effect, leaf.stakeholder)
        }
        // The published sum reads the category as written and nothing else.
        Aggregation::SafetyAnalyst(_) if kind == Kind::Harm && leaf.category.is_none() => 0.0,
        Aggregation::SafetyAnalyst(parameters) => of_side(side(parameters, kind), severity),
    })
}

fn of_side(side: &Side, severity: Severity) -> f64 {
    side.by_severity().get(severity.index()).copied().unwrap_or(0.0)
}

const fn side(parameters: &SafetyAnalyst, kind: Kind) -> &Side {
    match kind {
        Kind::Harm => &parameters.harm,
        Kind::Benefit => &parameters.benefit,
    }
}

//! What a branch and a leaf weigh under a community's aggregation, whichever it is.

use crate::safetyanalyst::{Counts, SafetyAnalyst, Side};
use crate::weights::Aggregation;
use assize_domain::{ActionCategory, Effect, Masses, ReportedLeaf, Severity, Tree};

/// Which way a leaf counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Harm,
    Benefit,
}

/// The mass of each branch before the weights of categories and of the benefit, without benefits whose effect can't be
/// read.
pub(super) fn masses(tree: &Tree, aggregation: &Aggregation) -> Masses {
    match aggregation {
        Aggregation::Assize(weights) => tree.masses(&weights.leaf),
        Aggregation::SafetyAnalyst(parameters) => {
            Masses { harm: parameters.sums(tree).harm, benefit: benefits_by_effect(tree, parameters) }
        }
    }
}

fn benefits_by_effect(tree: &Tree, parameters: &SafetyAnalyst) -> [f64; Effect::COUNT] {
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
        Tree::Both(both) => return benefits_by_effect(both.reported(), parameters),
        Tree::Reported(tree) => {
            let table = parameters.benefit.by_severity();
            for effect in Effect::ALL {
                let mut counts = Counts::default();
                tree.benefits
                    .iter()
                    .filter(|leaf| leaf.effect == Some(effect))
                    .for_each(|leaf| counts.add(leaf));
                add(effect.index(), counts.sum(&table));
            }
        }
    }
    by_effect
}

/// The category under which an aggregation counts a reported harm.
pub(super) fn category(aggregation: &Aggregation, leaf: &ReportedLeaf) -> Option<ActionCategory> {
    match aggregation {
        Aggregation::Assize(_) => leaf.action_category(),
        Aggregation::SafetyAnalyst(_) => leaf.published_category,
    }
}

/// What one reported leaf weighs; `None` where a part of it is in no taxonomy that the sum needs, so that it has no place
/// in a branch. The published sum needs no effect.
pub(super) fn leaf_mass(aggregation: &Aggregation, kind: Kind, leaf: &ReportedLeaf) -> Option<f64> {
    let severity = leaf.severity()?;
    if kind == Kind::Harm {
        category(aggregation, leaf)?;
    }
    Some(match aggregation {
        Aggregation::Assize(weights) => {
            weights.leaf.severity(severity) * weights.leaf.affected(leaf.effect?, leaf.stakeholder)
        }
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

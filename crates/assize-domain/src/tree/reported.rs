//! The tree that a reporter wrote, leaf by leaf, with what could not be read of it.

use super::{LeafWeights, Masses};
use crate::{ActionCategory, Effect, Extent, HarmAction, Likelihood, Severity, Stakeholder};
use std::collections::BTreeMap;

/// One effect on one stakeholder, as written. What is `None` was written in words that are in no taxonomy.
///
/// Ordered field by field, so that of leaves which weigh the same one can be taken whatever the order of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportedLeaf {
    /// Which action category; always `None` for a benefit, whose actions are free text.
    pub category: Option<ActionCategory>,
    /// The category by SafetyAnalyst's published rule, which takes the first title that it finds anywhere in the action
    /// as written. For that aggregation alone: a title named in passing must hide no harm from anything else.
    pub published_category: Option<ActionCategory>,
    /// Which action.
    pub action: Option<HarmAction>,
    /// What happens.
    pub effect: Option<Effect>,
    /// To whom.
    pub stakeholder: Stakeholder,
    /// How much.
    pub extent: Option<Extent>,
    /// How likely.
    pub likelihood: Option<Likelihood>,
    /// Soon, or in the long run.
    pub immediate: Option<bool>,
}

/// Every leaf, in the order of writing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportedTree {
    /// Harms.
    pub harms: Vec<ReportedLeaf>,
    /// Benefits.
    pub benefits: Vec<ReportedLeaf>,
}

impl ReportedLeaf {
    /// Extent, likelihood and immediacy, where all were readable.
    pub fn severity(&self) -> Option<Severity> {
        let (extent, likelihood, immediate) = (self.extent?, self.likelihood?, self.immediate?);
        Some(Severity { extent, likelihood, immediate })
    }

    /// The category as written, or that of the action.
    pub fn action_category(&self) -> Option<ActionCategory> {
        self.category.or_else(|| self.action.map(HarmAction::category))
    }

    /// Its weight, where effect and severity were readable.
    fn weight(&self, weights: &LeafWeights) -> Option<(Effect, f64)> {
        let effect = self.effect?;
        Some((effect, weights.severity(self.severity()?) * weights.affected(effect, self.stakeholder)))
    }
}

impl ReportedTree {
    /// How many leaves can't be weighed, because a part of them is in no taxonomy.
    pub fn unreadable(&self) -> usize {
        let is_unreadable = |leaf: &&ReportedLeaf| leaf.effect.is_none() || leaf.severity().is_none();
        let no_category = |leaf: &&ReportedLeaf| is_unreadable(leaf) || leaf.action_category().is_none();
        self.harms.iter().filter(no_category).count() + self.benefits.iter().filter(is_unreadable).count()
    }

    /// For each category and effect the heaviest leaf: a reporter that tells of one thing ten times, for ten stakeholders,
    /// tells of one thing, and a longer tree is not a worse one by itself.
    pub(super) fn masses(&self, weights: &LeafWeights) -> Masses {
        let harms = self.harms.iter().filter_map(|leaf| Some((leaf.action_category()?.index(), leaf)));
        let harms = heaviest(harms, weights);
        let benefits = heaviest(self.benefits.iter().map(|leaf| (0, leaf)), weights);
        let mut masses = Masses::default();
        for ((category, _), weight) in harms {
            if let Some(mass) = masses.harm.get_mut(category) {
                *mass += weight;
            }
        }
        for ((_, effect), weight) in benefits {
            if let Some(mass) = masses.benefit.get_mut(effect) {
                *mass += weight;
            }
        }
        masses
    }
}

/// The largest weight by (kind, effect).
fn heaviest<'a>(
    leaves: impl Iterator<Item = (usize, &'a ReportedLeaf)>,
    weights: &LeafWeights,
) -> BTreeMap<(usize, usize), f64> {
    let mut heaviest = BTreeMap::new();
    for (kind, leaf) in leaves {
        if let Some((effect, weight)) = leaf.weight(weights) {
            let found = heaviest.entry((kind, effect.index())).or_insert(0.0);
            *found = f64::max(*found, weight);
        }
    }
    heaviest
}

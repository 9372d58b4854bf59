//! Every gradient against differences, and what the loss prefers.

use super::*;
use crate::data::{Leaf, Tree};
use assize_domain::{Extent, HarmAction, Likelihood, Severity};
use proptest::prelude::*;
use std::sync::Arc;

fn category(action: usize) -> usize {
    HarmAction::ALL[action].category().index()
}

fn leaf() -> impl Strategy<Value = Leaf> {
    let severity = prop::sample::select(Severity::all().collect::<Vec<_>>());
    (0_usize..45, 0_usize..15, 0_usize..9, severity).prop_map(|(action, effect, stakeholder, severity)| {
        Leaf { category: category(action), action, effect, stakeholder, severity }
    })
}

fn labels() -> impl Strategy<Value = Labels> {
    let binary = prop::array::uniform4(prop::option::of(prop::sample::select(vec![0.0_f32, 0.3, 1.0])));
    let side = || prop::collection::vec(leaf(), 0..5);
    let tree =
        prop::option::of((side(), side()).prop_map(|(harms, benefits)| Arc::new(Tree { harms, benefits })));
    let risk = prop::option::of(prop::array::uniform13(any::<bool>()));
    (binary, risk, tree).prop_map(|(binary, risk, tree)| Labels { binary, risk, tree })
}

fn loss(logits: &[f32], labels: &Labels) -> f64 {
    LossWeights::default().row(logits, labels, 1.5, &mut vec![0.0; logits.len()]).total()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn gradients_are_those_of_the_loss(
        labels in labels(), seed in prop::collection::vec(-3.0_f32..3.0, HeadLogits::WIDTH),
    ) {
        let mut gradient = vec![0.0; seed.len()];
        LossWeights::default().row(&seed, &labels, 1.5, &mut gradient);
        // A step along a whole block at once, so that rounding of f32 sums doesn't drown single numbers.
        for start in [0, 4, 17, 33, 49, 433, 673, 817, 862, 877, 892, 1252] {
            let end = (start + 12).min(seed.len());
            let step = 0.01_f32;
            let moved = |sign: f32| {
                let mut logits = seed.clone();
                for (logit, stride) in logits[start..end].iter_mut().zip([1.0, 2.0, 3.0].iter().cycle()) {
                    *logit += sign * step * stride;
                }
                loss(&logits, &labels)
            };
            let difference = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
            let expected: f64 = gradient[start..end].iter().zip([1.0, 2.0, 3.0].iter().cycle())
                .map(|(slope, stride)| f64::from(*slope) * stride).sum();
            prop_assert!((difference - expected).abs() < 5e-3 * (1.0 + expected.abs()), "{start}: {difference} {expected}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_taught(seed in prop::collection::vec(-3.0_f32..3.0, HeadLogits::WIDTH)) {
        let mut gradient = vec![0.0; seed.len()];
        let found = LossWeights::default().row(&seed, &Labels::default(), 1.0, &mut gradient);
        prop_assert!(found.total() == 0.0 && gradient.iter().all(|slope| *slope == 0.0));
    }
}

#[test]
fn descending_reaches_the_tree_that_was_given() {
    let harm = |action: usize, extent| Leaf {
        category: category(action),
        action,
        effect: 1,
        stakeholder: 2,
        severity: Severity { extent, likelihood: Likelihood::High, immediate: true },
    };
    let tree = Tree {
        harms: vec![harm(8, Extent::Major), harm(8, Extent::Major), harm(31, Extent::Significant)],
        benefits: vec![harm(0, Extent::Minor)],
    };
    let labels = Labels { tree: Some(Arc::new(tree.clone())), ..Labels::default() };
    let weights = LossWeights { presence: 1.0, leaves: 1.0, shares: 1.0, ..LossWeights::default() };
    let mut logits = vec![0.0_f32; HeadLogits::WIDTH];
    for _ in 0..2000 {
        let mut gradient = vec![0.0; logits.len()];
        weights.row(&logits, &labels, 1.0, &mut gradient);
        logits.iter_mut().zip(gradient).for_each(|(logit, slope)| *logit -= 0.5 * slope);
    }
    let leaves = assize_candle::leaves::LeafLogits::from_row(&logits[HeadLogits::GUARD_WIDTH..])
        .unwrap()
        .tree()
        .unwrap();
    let targets = TreeTargets::of(&tree);
    for (category, target) in targets.harm_mass.iter().enumerate() {
        let mass = leaves.harms[category].unit_mass();
        assert!((mass - target).abs() < 0.05, "category {category}: {mass} for {target}");
    }
    assert!((leaves.harms[2].leaves - 2.0).abs() < 0.1);
    assert!(leaves.harms[2].action[8] > 0.95 && leaves.harms[9].stakeholder[2] > 0.95);
}

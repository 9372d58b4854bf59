//! Where the heads begin: at what is usual among the labels, so that the first steps need not learn it.

use crate::data::Example;
use crate::loss::TreeTargets;
use assize_candle::HeadLogits;
use assize_candle::leaves::LeafLayout;
use assize_domain::{Effect, HarmAction, Severity, Stakeholder};
use std::ops::Range;

/// Labels that are counted before the first one, half of them yes: keeps rare ones finite.
const PRIOR: f32 = 1.0;

/// Biases of shape `[HeadLogits::WIDTH]`: log-odds of the labels' frequencies and logs of the mean shares.
pub fn biases(examples: &[Example]) -> Vec<f32> {
    let mut biases = vec![0.0; HeadLogits::WIDTH];
    for (head, bias) in biases.iter_mut().take(4).enumerate() {
        let labels = examples.iter().filter_map(|example| example.labels.binary.get(head).copied().flatten());
        *bias = log_odds(labels);
    }
    let risks: Vec<_> = examples.iter().filter_map(|example| example.labels.risk).collect();
    for (category, bias) in biases.iter_mut().skip(4).take(HeadLogits::GUARD_WIDTH - 4).enumerate() {
        let labels = risks.iter().filter_map(|risk| risk.get(category));
        *bias = log_odds(labels.map(|label| f32::from(u8::from(*label))));
    }
    let trees = examples.iter().filter_map(|example| example.labels.tree.as_ref());
    let targets: Vec<TreeTargets> = trees.map(|tree| TreeTargets::of(tree)).collect();
    let mut rest = biases.split_off(HeadLogits::GUARD_WIDTH);
    leaf_biases(&targets, &mut rest);
    biases.append(&mut rest);
    biases
}

fn log_odds(labels: impl Iterator<Item = f32>) -> f32 {
    let (yes, all) = labels.fold((PRIOR / 2.0, PRIOR), |(yes, all), label| (yes + label, all + 1.0));
    (yes / all).ln() - (1.0 - yes / all).ln()
}

fn leaf_biases(targets: &[TreeTargets], biases: &mut [f32]) {
    let presence = |counts: &dyn Fn(&TreeTargets) -> Vec<f32>, range: Range<usize>, biases: &mut [f32]| {
        for (index, bias) in biases.iter_mut().take(range.end).skip(range.start).enumerate() {
            let labels = targets.iter().filter_map(|target| counts(target).get(index).copied());
            *bias = log_odds(labels.map(|leaves| f32::from(u8::from(leaves > 0.0))));
        }
    };
    presence(&|target| target.harm_leaves.to_vec(), LeafLayout::HARM_PRESENCE, biases);
    presence(&|target| target.benefit_leaves.to_vec(), LeafLayout::BENEFIT_PRESENCE, biases);
    let mut shares = |counts: &dyn Fn(&TreeTargets) -> &[f32], range: Range<usize>, width: usize| {
        let mut sums = vec![PRIOR / 4.0; range.len()];
        for target in targets {
            sums.iter_mut().zip(counts(target)).for_each(|(sum, count)| *sum += count);
        }
        let places = biases.iter_mut().take(range.end).skip(range.start);
        for (place, (index, sum)) in places.zip(sums.iter().enumerate()) {
            let block = sums.get(index / width * width..(index / width + 1) * width).unwrap_or_default();
            *place = (sum / block.iter().sum::<f32>()).ln();
        }
    };
    shares(&|target| &target.harm_severity, LeafLayout::HARM_SEVERITY, Severity::COUNT);
    shares(&|target| &target.harm_effect, LeafLayout::HARM_EFFECT, Effect::COUNT);
    shares(&|target| &target.harm_stakeholder, LeafLayout::HARM_STAKEHOLDER, Stakeholder::COUNT);
    shares(&|target| &target.harm_action, LeafLayout::HARM_ACTION, HarmAction::COUNT);
    shares(&|target| &target.benefit_severity, LeafLayout::BENEFIT_SEVERITY, Severity::COUNT);
    shares(&|target| &target.benefit_stakeholder, LeafLayout::BENEFIT_STAKEHOLDER, Stakeholder::COUNT);
}

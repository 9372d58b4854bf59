//! How good the encoder is on examples that it did not learn from.

use crate::batches::{Lesson, pack};
use crate::data::Labels;
use crate::loss::TreeTargets;
use crate::shards::Shards;
use assize_candle::leaves::LeafLogits;
use assize_candle::{Encoder, HeadLogits, numerics};
use assize_domain::GuardHead;
use assize_measure::{Observation, Pair, Sample, pearson};
use serde::Serialize;
use std::collections::BTreeMap;

/// Tokens of a batch that is only judged.
const BATCH_TOKENS: usize = 4096;

/// What the encoder says of one lesson.
#[derive(Debug)]
pub struct Answer {
    /// Raw outputs; shape `[HeadLogits::WIDTH]`.
    pub outputs: Vec<f32>,
    /// What is known.
    pub labels: Labels,
    /// The example's set.
    pub set: usize,
}

/// Figures by what they measure: `auroc.prompt_harmful`, `f1.refusal`, `r.harm_mass` and so on.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures(pub BTreeMap<String, f64>);

/// Lets the encoder answer every lesson, in order, on all cores.
///
/// # Errors
/// When the encoder fails.
pub fn answer(encoder: &Encoder, lessons: &[Lesson], shards: &Shards) -> anyhow::Result<Vec<Answer>> {
    let found = shards.over(&pack(lessons, BATCH_TOKENS), |batch| answer_batch(encoder, batch))?;
    Ok(found.into_iter().flatten().collect())
}

fn answer_batch(encoder: &Encoder, batch: &[Lesson]) -> anyhow::Result<Vec<Answer>> {
    let sequences: Vec<_> = batch.iter().map(|lesson| &lesson.sequence).collect();
    let rows: Vec<Vec<f32>> = encoder.forward(&sequences)?.to_vec2()?;
    let found = rows.into_iter().zip(batch).map(|(outputs, lesson)| Answer {
        outputs,
        labels: lesson.labels.clone(),
        set: lesson.set,
    });
    Ok(found.collect())
}

impl Figures {
    /// Measures all heads that have labels.
    pub fn of(answers: &[Answer]) -> Self {
        let mut figures = Self::default();
        for head in GuardHead::ALL {
            let observations = observations(answers, head);
            let found = Sample::new(&observations, 0.5).figures();
            for (name, figure) in [("auroc", found.auroc), ("f1", found.f1), ("ece", found.ece)] {
                if let Some(figure) = figure {
                    figures.0.insert(format!("{name}.{}", head.id()), figure);
                }
            }
        }
        let trees: Vec<(f32, f32, TreeTargets)> = answers.iter().filter_map(masses).collect();
        let pair = |x: f32, y: f32| Pair { predicted: f64::from(x), actual: f64::from(y) };
        let (mut harm, mut log, mut benefit) = (Vec::new(), Vec::new(), Vec::new());
        for (given, given_benefit, targets) in &trees {
            let actual: f32 = targets.harm_mass.iter().sum();
            harm.push(pair(*given, actual));
            log.push(pair(given.ln_1p(), actual.ln_1p()));
            benefit.push(pair(*given_benefit, targets.benefit_mass.iter().sum()));
        }
        for (name, pairs) in [("r.harm_mass", harm), ("r.log_harm_mass", log), ("r.benefit_mass", benefit)] {
            if let Some(r) = pearson(&pairs) {
                figures.0.insert(name.to_owned(), r);
            }
        }
        figures
    }

    /// One figure, where it was measured.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }
}

/// The labelled answers of one head, as uncalibrated probabilities.
pub fn observations(answers: &[Answer], head: GuardHead) -> Vec<Observation> {
    let labelled = answers.iter().filter_map(|answer| {
        let label = answer.labels.binary.get(head.index()).copied().flatten()?;
        let score = numerics::sigmoid(*answer.outputs.get(head.index())?);
        Some(Observation { score, label: label > 0.5 })
    });
    labelled.collect()
}

/// Expected harm and benefit, and the true ones.
fn masses(answer: &Answer) -> Option<(f32, f32, TreeTargets)> {
    let targets = TreeTargets::of(answer.labels.tree.as_ref()?);
    let tree = LeafLogits::from_row(answer.outputs.get(HeadLogits::GUARD_WIDTH..)?)?.tree()?;
    let (harm, benefit) = tree.unit_masses();
    Some((harm.iter().sum(), benefit, targets))
}

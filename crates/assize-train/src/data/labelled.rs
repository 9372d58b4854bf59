//! From rows to examples: the prompt alone and, where the reply has a label, the pair. Equal prompts of one set become
//! one example.

use super::config::{LabelName, SetConfig};
use super::example::{Example, Labels};
use super::rows::{Certainty, Row};
use assize_domain::GuardHead;
use std::collections::HashMap;
use std::sync::Arc;

/// A row that its annotator found ambiguous teaches half as much; replies are hedged there (manifest of the data).
const AMBIGUOUS_WEIGHT: f32 = 0.5;

/// Which labels a sequence can have: a prompt alone says nothing of a reply, and a pair repeats the prompt's labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Prompt,
    Pair,
}

/// An example and the known answers of all rows that it stands for.
struct Merged {
    example: Example,
    /// Sum and number of the known answers, in the order of [`GuardHead::ALL`].
    known: [(f32, u16); GuardHead::ALL.len()],
}

/// The examples of a set, in the rows' order.
///
/// Rows with the same prompt and context give one prompt-only example; where they disagree, its label is their mean.
pub(super) fn examples<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    index: usize,
    set: &SetConfig,
) -> Vec<Example> {
    let mut found: Vec<Merged> = Vec::new();
    let mut prompts: HashMap<(&[Arc<str>], &str), usize> = HashMap::new();
    for row in rows {
        if let Some(example) = example(row, index, set, Part::Prompt) {
            let place = *prompts.entry((&row.context, &row.prompt)).or_insert(found.len());
            match found.get_mut(place) {
                Some(merged) => merged.add(&example),
                None => found.push(Merged::new(example)),
            }
        }
        found.extend(example(row, index, set, Part::Pair).map(Merged::new));
    }
    found.into_iter().map(Merged::finish).collect()
}

fn example(row: &Row, index: usize, set: &SetConfig, part: Part) -> Option<Example> {
    let response = match part {
        Part::Prompt => None,
        Part::Pair => Some(row.response.clone()?),
    };
    let labels = labels(row, set, part);
    let weight = if row.certainty == Certainty::Ambiguous { AMBIGUOUS_WEIGHT } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, reason = "a weight needs no more digits than the loss has")]
    let weight = weight * set.weight as f32;
    let taught = labels != Labels::default();
    taught.then(|| Example {
        set: index,
        context: row.context.clone(),
        prompt: Arc::clone(&row.prompt),
        response,
        labels,
        weight,
    })
}

fn labels(row: &Row, set: &SetConfig, part: Part) -> Labels {
    let mut labels = Labels::default();
    for ((head, known), label) in GuardHead::ALL.into_iter().zip(row.binary).zip(&mut labels.binary) {
        let of = match head {
            GuardHead::PromptHarmful | GuardHead::Adversarial => Part::Prompt,
            GuardHead::ResponseHarmful | GuardHead::ResponseRefusal => Part::Pair,
        };
        if of == part && set.uses(head.into()) {
            *label = known.or_else(|| set.assume.get(head)).map(|yes| if yes { 1.0 } else { 0.0 });
        }
    }
    if labels.get(GuardHead::ResponseHarmful) == Some(1.0) && set.uses(LabelName::ResponseRefusal) {
        // Who does harm has not refused: sets that judge harm only leave the refusal open.
        labels.set(GuardHead::ResponseRefusal, labels.get(GuardHead::ResponseRefusal).or(Some(0.0)));
    }
    if part == Part::Prompt {
        labels.risk = row.risk.filter(|_| set.uses(LabelName::Risk));
        labels.tree = row.tree.clone().filter(|_| set.uses(LabelName::Tree));
    }
    labels
}

impl Labels {
    /// What is known for a head.
    pub(super) fn get(&self, head: GuardHead) -> Option<f32> {
        self.binary.get(head.index()).copied().flatten()
    }

    /// Replaces what is known for a head.
    pub(super) fn set(&mut self, head: GuardHead, label: Option<f32>) {
        if let Some(place) = self.binary.get_mut(head.index()) {
            *place = label;
        }
    }
}

impl Merged {
    fn new(example: Example) -> Self {
        let known = example.labels.binary.map(|label| (label.unwrap_or(0.0), u16::from(label.is_some())));
        Self { example, known }
    }

    fn add(&mut self, other: &Example) {
        for ((sum, count), label) in self.known.iter_mut().zip(other.labels.binary) {
            if let Some(label) = label {
                *sum += label;
                *count = count.saturating_add(1);
            }
        }
        let mine = &mut self.example;
        mine.weight = mine.weight.max(other.weight);
        mine.labels.risk = mine.labels.risk.or(other.labels.risk);
        mine.labels.tree = mine.labels.tree.take().or_else(|| other.labels.tree.clone());
    }

    fn finish(mut self) -> Example {
        self.example.labels.binary =
            self.known.map(|(sum, count)| (count > 0).then(|| sum / f32::from(count)));
        self.example
    }
}

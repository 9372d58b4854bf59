//! One stage of a fit: which parameters move, what the solver is given for them, and the numbers that come out.
//!
//! Up to the weights of the evidence the problem is convex as it stands. The weights of effects stand inside a
//! logarithm and multiply the weights of the evidence, and of two judged subjects the more harmful one counts. The
//! solver is given the tangent where the stage begins and the subject that is more harmful there; of the way to its
//! answer only what makes the exact objective better is kept.

use super::FitStage;
use super::features::{Example, Sheet, all_evidence, weight_of};
use super::judge::{Question, exact_score, linear_score, loss, questions};
use super::parameters::{Numbers, Parameter, is_scaled};
use super::pull::pull;
use super::seen::Seen;
use super::solver::{Problem, Pull, Row};
use assize_domain::{Effect, Evidence};

/// How often the more harmful subject is looked for again under the weights just found.
const MOST_ROUNDS: usize = 4;
/// How often the way to the solver's answer is halved, where all of it is too far: a hundredth of it changes nothing.
const MOST_HALVINGS: usize = 8;

/// A stage, ready to be solved for any part of the examples.
#[derive(Debug)]
pub(super) struct Rung<'a> {
    pub(super) stage: FitStage,
    examples: &'a [Example<'a>],
    parent: &'a Numbers,
    /// The evidence that the factor multiplies.
    scaled: Vec<Evidence>,
    parameters: Vec<Parameter>,
    pull: Pull,
}

/// A place in the space of parameters.
struct Place {
    parameters: Vec<f64>,
    numbers: Numbers,
    /// By the exact scores.
    objective: f64,
}

impl<'a> Rung<'a> {
    /// The stage with these examples; `None` where it has nothing to move beyond the stage before it.
    pub(super) fn new(
        stage: FitStage,
        examples: &'a [Example<'a>],
        parent: &'a Numbers,
        spread: f64,
    ) -> Option<Self> {
        let seen = Seen::of(examples);
        let scaled: Vec<Evidence> = seen.evidence.iter().copied().filter(|e| is_scaled(*e)).collect();
        let own = seen.parameters(stage, parent);
        if own.is_empty() {
            return None;
        }
        let before = FitStage::ALL.into_iter().filter(|before| *before < stage);
        let parameters: Vec<Parameter> =
            before.flat_map(|before| seen.parameters(before, parent)).chain(own).collect();
        let pull = pull(&parameters, parent, &scaled, spread);
        Some(Self { stage, examples, parent, scaled, parameters, pull })
    }

    /// The best numbers for the examples that are kept, found from those of the stage before.
    pub(super) fn climb(&self, keep: &[bool], start: &Numbers) -> Numbers {
        let kept = self.examples.iter().zip(keep).filter(|(_, keep)| **keep);
        let kept: Vec<&Example<'_>> = kept.map(|(example, _)| example).collect();
        let parameters: Vec<f64> = self.parameters.iter().map(|parameter| parameter.read(start)).collect();
        let mut best = self.place(&kept, parameters, start.clone());
        let mut subjects = self.strictest(&kept, start);
        for _ in 0..MOST_ROUNDS {
            let rows: Vec<Row> =
                kept.iter().zip(&subjects).flat_map(|(one, place)| self.rows(one, *place, start)).collect();
            let problem = Problem { rows: rows.iter().collect(), pull: &self.pull };
            let Some(better) = self.better(&kept, &best, problem.minimise(&best.parameters)) else { break };
            best = better;
            let now = self.strictest(&kept, &best.numbers);
            if now == subjects {
                break;
            }
            subjects = now;
        }
        best.numbers
    }

    /// The first place on the way back from `aim` with a smaller objective.
    fn better(&self, kept: &[&Example<'_>], from: &Place, mut aim: Vec<f64>) -> Option<Place> {
        for _ in 0..MOST_HALVINGS {
            let numbers = self.numbers(&aim);
            let place = self.place(kept, aim, numbers);
            if place.objective < from.objective {
                return Some(place);
            }
            let halfway = place.parameters.iter().zip(&from.parameters).map(|(a, b)| f64::midpoint(*a, *b));
            aim = halfway.collect();
        }
        None
    }

    fn place(&self, kept: &[&Example<'_>], parameters: Vec<f64>, numbers: Numbers) -> Place {
        let losses = kept.iter().map(|one| loss(one, &numbers, exact_score(one, &numbers, self.parent).1));
        let objective = losses.sum::<f64>() + self.pull.cost(&parameters);
        Place { parameters, numbers, objective }
    }

    /// By example, the place of the subject that is more harmful under given numbers.
    fn strictest(&self, kept: &[&Example<'_>], numbers: &Numbers) -> Vec<usize> {
        kept.iter().map(|example| exact_score(example, numbers, self.parent).0).collect()
    }

    /// What the solver is asked for one subject of an example.
    fn rows(&self, example: &Example<'_>, place: usize, start: &Numbers) -> Vec<Row> {
        let Some(sheet) = example.sheets.get(place) else { return Vec::new() };
        let row = |asked: &Question| {
            let value = |parameter: &Parameter| self.value(*parameter, sheet, (asked, start));
            let values: Vec<f64> = self.parameters.iter().map(value).collect();
            let at_parent: f64 = values.iter().zip(&self.pull.centre).map(|(v, centre)| v * centre).sum();
            let offset = linear_score(sheet, self.parent) - asked.cut - at_parent;
            Row { offset, values, target: asked.target, weight: asked.weight }
        };
        questions(example.target, self.parent).iter().map(row).collect()
    }

    /// How fast the log-odds of a question grow with a parameter, where the stage begins.
    fn value(&self, parameter: Parameter, sheet: &Sheet, (asked, start): (&Question, &Numbers)) -> f64 {
        let of = |wanted: Evidence| {
            let found = all_evidence().zip(&sheet.values).find(|(evidence, _)| *evidence == wanted);
            found.map_or(0.0, |(_, value)| *value)
        };
        match parameter {
            Parameter::Weight(evidence) => of(evidence),
            Parameter::Band if asked.raised_by == Some(parameter) => -1.0,
            Parameter::Band => 0.0,
            // Once every weight moves by itself, the factor only says what they are pulled to.
            Parameter::Factor if self.stage > FitStage::Strength => 0.0,
            Parameter::Factor => {
                let weighed = |one: &Evidence| weight_of(&self.parent.weights, *one) * of(*one);
                self.scaled.iter().map(weighed).sum()
            }
            Parameter::Effect(effect) => slope(sheet, effect, start),
        }
    }

    fn numbers(&self, parameters: &[f64]) -> Numbers {
        let mut numbers = self.parent.clone();
        for (parameter, value) in self.parameters.iter().zip(parameters) {
            parameter.write(*value, &mut numbers);
            if *parameter == Parameter::Factor {
                for evidence in &self.scaled {
                    let weight = weight_of(&self.parent.weights, *evidence);
                    Parameter::Weight(*evidence).write(value * weight, &mut numbers);
                }
            }
        }
        numbers
    }
}

/// How fast a subject's score grows with the weight of an effect, under given weights of the evidence.
fn slope(sheet: &Sheet, effect: Effect, numbers: &Numbers) -> f64 {
    let slopes = sheet.effects.get(effect.index()).into_iter().flatten();
    all_evidence().zip(slopes).map(|(one, slope)| weight_of(&numbers.weights, one) * slope).sum()
}

//! The convex problem behind every stage of a fit, and its one answer: logistic losses with soft targets, a pull toward
//! given values, and bounds. It knows features alone; what they stand for is known to those who ask.
//!
//! Projected Newton steps: those coordinates that press against a bound stand still, the others take a Newton step,
//! halved until the objective falls. No randomness and a fixed order of sums, so that the same rows give the same
//! bits. The pull makes the problem strictly convex: there is one answer, also where the labels can be told apart
//! without a mistake.
//!
//! SOURCE: Bertsekas 1982, "Projected Newton methods for optimization problems with simple constraints", without its
//! margin around the bounds, which only matters for many more coordinates than the few dozen here.

use super::cholesky::{dot, solve};
use crate::evidence::logistic;

/// A slope of the objective below this is none. Objectives are sums over some hundred rows of size 1, so that rounding
/// alone leaves about 1e-13.
const FLAT: f64 = 1e-10;
/// Newton needs about 6 steps; a problem that needs more than this many has met the limits of its numbers.
const MOST_STEPS: usize = 100;
/// A step that is halved this often is shorter than rounding.
const MOST_HALVINGS: usize = 50;
/// The share of the promised fall that a step must bring; the customary one.
const ENOUGH: f64 = 1e-4;
/// What rounding may hide of a fall, relative to the objective: without it the last steps would be refused.
const ROUNDING: f64 = 1e-14;

/// One question about one label: how far logistic(`offset` + `values` · parameters) is from `target`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Log-odds that no parameter changes.
    pub(super) offset: f64,
    /// What each parameter multiplies.
    pub(super) values: Vec<f64>,
    /// In `[0, 1]`.
    pub(super) target: f64,
    /// How many labels it counts for; at least 0.
    pub(super) weight: f64,
}

/// What is minimised: the rows' cross-entropies plus half of (parameters - centre)ᵀ · precision · (parameters - centre),
/// between the bounds.
#[derive(Debug, Clone)]
pub(super) struct Problem<'a> {
    /// The labels' part.
    pub(super) rows: Vec<&'a Row>,
    /// What is pulled, to where and how strongly.
    pub(super) pull: &'a Pull,
}

/// The part that no label changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pull {
    /// Where the parameters go without labels; within the bounds.
    pub(super) centre: Vec<f64>,
    /// Symmetric and positive definite.
    pub(super) precision: Vec<Vec<f64>>,
    /// Smallest and largest value of each parameter.
    pub(super) bounds: Vec<(f64, f64)>,
}

/// The cross-entropy of a target in `[0, 1]` and a probability given by its log-odds, in nats.
pub(super) fn cross_entropy(log_odds: f64, target: f64) -> f64 {
    log_odds.max(0.0) + (-log_odds.abs()).exp().ln_1p() - target * log_odds
}

impl Row {
    /// The log-odds under given parameters.
    pub(super) fn log_odds(&self, parameters: &[f64]) -> f64 {
        self.offset + dot(&self.values, parameters)
    }
}

impl Pull {
    /// Half the weighted square of the distance from the centre.
    pub(super) fn cost(&self, parameters: &[f64]) -> f64 {
        let away = self.away(parameters);
        0.5 * dot(&away, &self.force(&away))
    }

    fn away(&self, parameters: &[f64]) -> Vec<f64> {
        parameters.iter().zip(&self.centre).map(|(parameter, centre)| parameter - centre).collect()
    }

    fn force(&self, away: &[f64]) -> Vec<f64> {
        self.precision.iter().map(|row| dot(row, away)).collect()
    }

    fn clamp(&self, parameters: impl Iterator<Item = f64>) -> Vec<f64> {
        parameters.zip(&self.bounds).map(|(value, (low, high))| value.clamp(*low, *high)).collect()
    }
}

impl Problem<'_> {
    /// The objective, in nats.
    pub(super) fn objective(&self, parameters: &[f64]) -> f64 {
        let loss = |row: &&Row| row.weight * cross_entropy(row.log_odds(parameters), row.target);
        self.rows.iter().map(loss).sum::<f64>() + self.pull.cost(parameters)
    }

    /// Its slope along each parameter.
    pub(super) fn gradient(&self, parameters: &[f64]) -> Vec<f64> {
        let mut gradient = self.pull.force(&self.pull.away(parameters));
        for row in &self.rows {
            let wrong = row.weight * (logistic(row.log_odds(parameters)) - row.target);
            gradient.iter_mut().zip(&row.values).for_each(|(slope, value)| *slope += wrong * value);
        }
        gradient
    }

    /// The lower triangle of its curvature.
    fn curvature(&self, parameters: &[f64]) -> Vec<Vec<f64>> {
        let mut curvature = self.pull.precision.clone();
        for row in &self.rows {
            let chance = logistic(row.log_odds(parameters));
            let weight = row.weight * chance * (1.0 - chance);
            for (place, (line, value)) in curvature.iter_mut().zip(&row.values).enumerate() {
                let factor = weight * value;
                line.iter_mut().zip(&row.values).take(place + 1).for_each(|(sum, v)| *sum += factor * v);
            }
        }
        curvature
    }

    /// The parameters with the smallest objective.
    pub(super) fn minimise(&self, start: &[f64]) -> Vec<f64> {
        let mut parameters = self.pull.clamp(start.iter().copied());
        for _ in 0..MOST_STEPS {
            let gradient = self.gradient(&parameters);
            let free = self.free(&parameters, &gradient);
            let slopes = gradient.iter().zip(&free).filter(|(_, free)| **free).map(|(slope, _)| slope.abs());
            if slopes.fold(0.0, f64::max) <= FLAT {
                break;
            }
            let Some(step) = self.newton(&parameters, &gradient, &free) else { break };
            let Some(next) = self.descend(&parameters, &gradient, &step) else { break };
            parameters = next;
        }
        parameters
    }

    /// Which parameters may move: not those at a bound that the slope presses them against.
    fn free(&self, parameters: &[f64], gradient: &[f64]) -> Vec<bool> {
        let bounds = parameters.iter().zip(gradient).zip(&self.pull.bounds);
        bounds
            .map(|((value, slope), (low, high))| {
                !((value <= low && *slope >= 0.0) || (value >= high && *slope <= 0.0))
            })
            .collect()
    }

    /// The step to the bottom of the parabola that fits here, over the free parameters; 0 for the others.
    fn newton(&self, parameters: &[f64], gradient: &[f64], free: &[bool]) -> Option<Vec<f64>> {
        let curvature = self.curvature(parameters);
        let lines = curvature.iter().zip(free).filter(|(_, free)| **free);
        let matrix: Vec<Vec<f64>> = lines.map(|(line, _)| kept(line, free)).collect();
        let mut solved = solve(&matrix, &kept(gradient, free))?.into_iter();
        free.iter().map(|free| if *free { solved.next().map(|step| -step) } else { Some(0.0) }).collect()
    }

    /// The first of ever shorter steps, bent along the bounds, that brings the objective down.
    fn descend(&self, parameters: &[f64], gradient: &[f64], step: &[f64]) -> Option<Vec<f64>> {
        let here = self.objective(parameters);
        let mut length = 1.0;
        for _ in 0..MOST_HALVINGS {
            let moved = parameters.iter().zip(step).map(|(value, step)| value + length * step);
            let next = self.pull.clamp(moved);
            let promised: f64 = gradient
                .iter()
                .zip(&next)
                .zip(parameters)
                .map(|((slope, to), from)| slope * (to - from))
                .sum();
            let allowed = here + ENOUGH * promised + ROUNDING * (1.0 + here.abs());
            if promised < 0.0 && self.objective(&next) <= allowed {
                return Some(next);
            }
            length /= 2.0;
        }
        None
    }
}

/// The entries whose place is kept.
fn kept(values: &[f64], keep: &[bool]) -> Vec<f64> {
    values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| *value).collect()
}

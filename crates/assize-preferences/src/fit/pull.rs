//! What is expected of a community before it has labelled anything: to be near its parent, and where it reacts more or less
//! strongly than its parent, to do so to everything alike.

use super::features::weight_of;
use super::parameters::{Numbers, Parameter};
use super::solver::Pull;
use assize_domain::Evidence;

/// The pull on some parameters. Each is expected at its parent's value, a scaled weight at the parent's times the factor;
/// `spread` multiplies every standard deviation.
pub(super) fn pull(parameters: &[Parameter], parent: &Numbers, scaled: &[Evidence], spread: f64) -> Pull {
    let bounds: Vec<(f64, f64)> = parameters.iter().map(|p| p.bounds(parent, scaled)).collect();
    let at_parent = parameters.iter().map(|parameter| parameter.read(parent));
    let centre = at_parent.zip(&bounds).map(|(value, (low, high))| value.clamp(*low, *high)).collect();
    let line = |row: &Parameter| {
        parameters.iter().map(|column| precision(*row, *column, (parameters, parent, scaled))).collect()
    };
    let precision: Vec<Vec<f64>> = parameters.iter().map(line).collect();
    let divided = |line: Vec<f64>| line.into_iter().map(|number| number / (spread * spread)).collect();
    Pull { centre, precision: precision.into_iter().map(divided).collect(), bounds }
}

/// An entry of the matrix of Σ ((own - parent's) / deviation)² + Σ ((weight - factor · parent's) / deviation)².
fn precision(row: Parameter, column: Parameter, given: (&[Parameter], &Numbers, &[Evidence])) -> f64 {
    let (parameters, parent, scaled) = given;
    let own = |parameter: Parameter| parameter.spread().powi(-2);
    // How a scaled weight hangs on the factor: its deviation is that of `weight - factor · slope`.
    let slope = |parameter: Parameter| match parameter {
        Parameter::Weight(evidence) if scaled.contains(&evidence) => weight_of(&parent.weights, evidence),
        Parameter::Weight(_) | Parameter::Band | Parameter::Factor | Parameter::Effect(_) => 0.0,
    };
    match (row, column) {
        (Parameter::Factor, Parameter::Factor) => {
            let followers = parameters.iter().map(|follower| slope(*follower).powi(2) * own(*follower));
            own(row) + followers.sum::<f64>()
        }
        (Parameter::Factor, weight) | (weight, Parameter::Factor) => -slope(weight) * own(weight),
        _ if row == column => own(row),
        _ => 0.0,
    }
}

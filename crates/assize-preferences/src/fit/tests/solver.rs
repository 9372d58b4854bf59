//! The solver on random problems: its slopes against differences, its answer against plain gradient descent, and what
//! must be true of any answer.

use crate::fit::solver::{Problem, Pull, Row, cross_entropy};
use proptest::collection::vec;
use proptest::prelude::*;

/// Parameters of a random problem.
const SIZE: usize = 4;
const BOUNDS: (f64, f64) = (-1.5, 1.0);

fn row() -> impl Strategy<Value = Row> {
    let target = prop_oneof![1 => Just(0.0), 1 => Just(1.0), 3 => 0.0..=1.0f64];
    (-2.0..2.0f64, vec(-3.0..3.0f64, SIZE), target, prop_oneof![Just(1.0), Just(0.5)])
        .prop_map(|(offset, values, target, weight)| Row { offset, values, target, weight })
}

/// A matrix `factor · factorᵀ` plus something on the diagonal is positive definite.
fn pull() -> impl Strategy<Value = Pull> {
    (vec(-0.5..0.5f64, SIZE), vec(vec(-1.0..1.0f64, SIZE), SIZE), 0.1..2.0f64).prop_map(
        |(centre, factor, ridge)| {
            let entry = |i: usize, j: usize| {
                let product: f64 = factor[i].iter().zip(&factor[j]).map(|(a, b)| a * b).sum();
                product + if i == j { ridge } else { 0.0 }
            };
            let precision = (0..SIZE).map(|i| (0..SIZE).map(|j| entry(i, j)).collect()).collect();
            Pull { centre, precision, bounds: vec![BOUNDS; SIZE] }
        },
    )
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    vec(row(), 1..20)
}

fn answer(rows: &[Row], pull: &Pull) -> Vec<f64> {
    Problem { rows: rows.iter().collect(), pull }.minimise(&pull.centre)
}

/// Short steps down the slope, cut off at the bounds, until they no longer move anything. A step of one over the largest
/// curvature there can be never overshoots.
fn descended(problem: &Problem<'_>) -> Vec<f64> {
    let of_row = |row: &&Row| 0.25 * row.weight * row.values.iter().map(|v| v * v).sum::<f64>();
    let trace: f64 = problem.pull.precision.iter().enumerate().map(|(i, line)| line[i]).sum();
    let step = (problem.rows.iter().map(of_row).sum::<f64>() + trace).recip();
    let mut parameters = problem.pull.centre.clone();
    for _ in 0..20_000 {
        let gradient = problem.gradient(&parameters);
        let before = parameters.clone();
        for (value, slope) in parameters.iter_mut().zip(gradient) {
            *value = (*value - step * slope).clamp(BOUNDS.0, BOUNDS.1);
        }
        if parameters.iter().zip(&before).all(|(a, b)| (a - b).abs() < 1e-13) {
            break;
        }
    }
    parameters
}

fn check_close(given: &[f64], expected: &[f64], tolerance: f64) -> Result<(), TestCaseError> {
    let is_close = given.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance);
    prop_assert!(is_close && given.len() == expected.len(), "{given:?}, not {expected:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn slopes_are_those_of_the_objective(rows in rows(), pull in pull(), at in vec(-1.0..1.0f64, SIZE)) {
        let problem = Problem { rows: rows.iter().collect(), pull: &pull };
        let gradient = problem.gradient(&at);
        let by_difference: Vec<f64> = (0..SIZE)
            .map(|place| {
                let moved = |by: f64| {
                    let mut there = at.clone();
                    there[place] += by;
                    problem.objective(&there)
                };
                (moved(1e-5) - moved(-1e-5)) / 2e-5
            })
            .collect();
        check_close(&gradient, &by_difference, 1e-6)?;
    }

    #[test]
    fn gradient_descent_comes_to_the_same_answer(rows in rows(), pull in pull()) {
        let problem = Problem { rows: rows.iter().collect(), pull: &pull };
        check_close(&answer(&rows, &pull), &descended(&problem), 1e-7)?;
    }

    #[test]
    fn an_answer_is_within_bounds_and_flat_where_it_may_move(rows in rows(), pull in pull()) {
        let found = answer(&rows, &pull);
        let gradient = Problem { rows: rows.iter().collect(), pull: &pull }.gradient(&found);
        for (value, slope) in found.iter().zip(gradient) {
            prop_assert!((BOUNDS.0..=BOUNDS.1).contains(value));
            let is_flat = slope.abs() < 1e-7;
            let pressed = (*value == BOUNDS.0 && slope >= 0.0) || (*value == BOUNDS.1 && slope <= 0.0);
            prop_assert!(is_flat || pressed, "{value} with slope {slope}");
        }
    }

    #[test]
    fn where_it_starts_does_not_matter(rows in rows(), pull in pull(), start in vec(-9.0..9.0f64, SIZE)) {
        let problem = Problem { rows: rows.iter().collect(), pull: &pull };
        check_close(&problem.minimise(&start), &answer(&rows, &pull), 1e-8)?;
    }

    #[test]
    fn a_row_given_twice_is_a_row_of_twice_the_weight(rows in rows(), pull in pull()) {
        let twice: Vec<Row> = rows.iter().chain(&rows).cloned().collect();
        let heavier: Vec<Row> =
            rows.iter().cloned().map(|row| Row { weight: 2.0 * row.weight, ..row }).collect();
        check_close(&answer(&twice, &pull), &answer(&heavier, &pull), 1e-8)?;
    }

    #[test]
    fn labels_that_can_be_told_apart_have_a_finite_answer(offsets in vec(0.1..3.0f64, 1..10), spread in 0.1..100.0f64) {
        let side = |sign: f64| {
            offsets.iter().map(move |x| Row {
                offset: 0.0,
                values: vec![1.0, sign * x],
                target: f64::midpoint(1.0, sign),
                weight: 1.0,
            })
        };
        let rows: Vec<Row> = side(1.0).chain(side(-1.0)).collect();
        let precision = spread.powi(-2);
        let pull = Pull {
            centre: vec![0.0; 2],
            precision: vec![vec![precision, 0.0], vec![0.0, precision]],
            bounds: vec![(-1e6, 1e6); 2],
        };
        let problem = Problem { rows: rows.iter().collect(), pull: &pull };
        let found = problem.minimise(&pull.centre);
        prop_assert!(problem.gradient(&found).iter().all(|slope| slope.abs() < 1e-8), "{found:?}");
        prop_assert!(found[1] > 0.0);
    }
}

#[test]
fn cross_entropy_stays_finite_where_chances_do_not() {
    assert!((cross_entropy(0.0, 0.5) - std::f64::consts::LN_2).abs() < 1e-15);
    assert_eq!((cross_entropy(800.0, 1.0), cross_entropy(-800.0, 0.0)), (0.0, 0.0));
    assert_eq!((cross_entropy(800.0, 0.0), cross_entropy(-800.0, 1.0)), (800.0, 800.0));
}

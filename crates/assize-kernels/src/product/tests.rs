//! Every kernel that this processor has, against the plain code, on shapes of any size.
#![expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small numbers of tests")]

use crate::{Into, Kernel, Linear, Rows, ShapeError, samples::numbers};
use proptest::prelude::*;

struct Shape {
    rows: usize,
    inputs: usize,
    outputs: usize,
}

fn forward(kernel: Kernel, shape: &Shape, x: &[f32], into: Into) -> Vec<f32> {
    let weight = numbers(shape.outputs * shape.inputs, 7, 1.0);
    let bias = numbers(shape.outputs, 11, 1.0);
    let linear = Linear::pack(kernel, &weight, &bias, shape.inputs).unwrap();
    let mut rows = Rows::new(kernel);
    rows.fill(x, shape.inputs);
    assert_eq!((rows.count(), rows.width()), (shape.rows, shape.inputs));
    let mut out = numbers(shape.rows * shape.outputs, 13, 1.0);
    assert!(linear.forward(&rows, &mut out, into));
    out
}

/// In f64.
fn exact(shape: &Shape, x: &[f32], into: Into) -> Vec<f32> {
    let weight = numbers(shape.outputs * shape.inputs, 7, 1.0);
    let bias = numbers(shape.outputs, 11, 1.0);
    let before = numbers(shape.rows * shape.outputs, 13, 1.0);
    let mut out = Vec::new();
    for row in 0..shape.rows {
        for output in 0..shape.outputs {
            let product: f64 = (0..shape.inputs)
                .map(|i| f64::from(x[row * shape.inputs + i]) * f64::from(weight[output * shape.inputs + i]))
                .sum();
            let old = f64::from(before[row * shape.outputs + output]);
            let old = if into == Into::Add { old } else { 0.0 };
            out.push((old + product + f64::from(bias[output])) as f32);
        }
    }
    out
}

fn farthest(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max)
}

fn plain(kernel: Kernel) -> Kernel {
    crate::rows::plain(kernel.precision())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_kernel_computes_what_the_plain_code_does(
        rows in 1_usize..20, groups in 1_usize..40, outputs in 1_usize..200, seed in 0_u32..1000, adds in any::<bool>(),
    ) {
        let shape = Shape { rows, inputs: 4 * groups, outputs };
        let x = numbers(rows * shape.inputs, seed, 1.0);
        let into = if adds { Into::Add } else { Into::Replace };
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
            let (fast, slow) = (forward(kernel, &shape, &x, into), forward(plain(kernel), &shape, &x, into));
            // Sums in another order; int8's sums are exact and only its scaling rounds.
            let most = farthest(&fast, &slow);
            prop_assert!(most < 2e-4, "{kernel}: {most}");
        }
    }

    #[test]
    fn a_precision_is_as_near_to_the_exact_product_as_it_can_be(
        // Seeds apart from the weights': the product of a row by itself is ten times as large as others of its length.
        rows in 1_usize..8, groups in 1_usize..40, outputs in 1_usize..100, seed in 1000_u32..2000,
    ) {
        let shape = Shape { rows, inputs: 4 * groups, outputs };
        let x = numbers(rows * shape.inputs, seed, 1.0);
        let root = (shape.inputs as f32).sqrt();
        for (kernel, step) in [
            (Kernel::F32Plain, 1e-6), (Kernel::Bf16Plain, 0.012), (Kernel::Int8Plain, 0.025),
        ] {
            let most = farthest(&forward(kernel, &shape, &x, Into::Add), &exact(&shape, &x, Into::Add));
            prop_assert!(most < step * root + 1e-6, "{kernel}: {most}, {root}");
        }
    }

    #[test]
    fn a_row_does_not_depend_on_the_others(
        rows in 2_usize..20, groups in 1_usize..30, outputs in 1_usize..130, seed in 0_u32..1000,
    ) {
        let shape = Shape { rows, inputs: 4 * groups, outputs };
        let x = numbers(rows * shape.inputs, seed, 1.0);
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
            let all = forward(kernel, &shape, &x, Into::Replace);
            for row in 0..rows {
                let one = &x[row * shape.inputs..][..shape.inputs];
                let alone = forward(kernel, &Shape { rows: 1, ..shape }, one, Into::Replace);
                prop_assert_eq!(&all[row * outputs..][..outputs], &alone[..], "{}", kernel);
            }
        }
    }

    #[test]
    fn some_outputs_alone_are_the_same(panels in 1_usize..4, rest in 0_usize..64, rows in 1_usize..9) {
        let outputs = panels * 64 + rest;
        let (inputs, x) = (32, numbers(rows * 32, 3, 1.0));
        let (weight, bias) = (numbers(outputs * inputs, 7, 1.0), numbers(outputs, 11, 1.0));
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
            let linear = Linear::pack(kernel, &weight, &bias, inputs).unwrap();
            let mut given = Rows::new(kernel);
            given.fill(&x, inputs);
            let mut all = vec![0.0; rows * outputs];
            prop_assert!(linear.forward(&given, &mut all, Into::Replace));
            let start = (panels - 1) * 64;
            let mut part = vec![0.0; rows * (outputs - start)];
            prop_assert!(linear.forward_part(&given, &mut part, Into::Replace, start..outputs));
            for (all, part) in all.chunks_exact(outputs).zip(part.chunks_exact(outputs - start)) {
                prop_assert_eq!(&all[start..], part);
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_seen_in_the_result_and_zeros_are_zeros() {
    let shape = Shape { rows: 4, inputs: 16, outputs: 70 };
    for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
        let mut x = numbers(64, 5, 1.0);
        x[3] = f32::NAN;
        x[16 + 3] = f32::INFINITY;
        x[32..48].fill(0.0);
        let out = forward(kernel, &shape, &x, Into::Replace);
        assert!(out[..140].iter().all(|x| !x.is_finite()), "{kernel}");
        assert_eq!(out[140..210], numbers(70, 11, 1.0), "{kernel}: bias alone");
        assert!(out[210..].iter().all(|x| x.is_finite()), "{kernel}");
    }
}

#[test]
fn wrong_shapes_are_refused() {
    let refused =
        |kernel, weights: usize, inputs| Linear::pack(kernel, &vec![0.0; weights], &[0.0; 3], inputs);
    assert_eq!(
        refused(Kernel::Int8Plain, 15, 5).unwrap_err(),
        ShapeError::Inputs { inputs: 5, kernel: Kernel::Int8Plain, multiple: 4 }
    );
    assert!(matches!(refused(Kernel::F32Plain, 0, 0), Err(ShapeError::Inputs { .. })));
    assert!(matches!(refused(Kernel::F32Plain, 13, 4), Err(ShapeError::Numbers { .. })));
    let linear = refused(Kernel::F32Plain, 12, 4).unwrap();
    let mut rows = Rows::new(Kernel::F32Plain);
    rows.fill(&[1.0; 8], 4);
    assert!(!linear.forward(&rows, &mut [0.0; 5], Into::Replace), "too short");
    assert!(!linear.forward_part(&rows, &mut [0.0; 4], Into::Replace, 1..3), "no panel begins at 1");
    rows.fill(&[1.0; 8], 8);
    assert!(!linear.forward(&rows, &mut [0.0; 3], Into::Replace), "too wide");
    let mut other = Rows::new(Kernel::Int8Plain);
    other.fill(&[1.0; 8], 4);
    assert!(!linear.forward(&other, &mut [0.0; 6], Into::Replace), "bytes for a layer of f32");
}

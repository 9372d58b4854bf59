//! Every fused operation against its composed form: the output, and the gradients of a random weighted sum of it.

use super::{
    LayerNormGradient, add, add_bias, add_bias_residual, attention, attention_gradient, bias_gelu,
    bias_gelu_gradient, column_sums, gelu, layer_norm, layer_norm_gradient, pool, pool_gradient, reference,
    scatter_rows,
};
use crate::encoder::packing::Span;
use candle_core::{DType, Device, Result, Tensor, Var};

/// Random numbers (of deviation 1) as a variable.
fn random(shape: &[usize]) -> Var {
    Var::from_tensor(&Tensor::randn(0_f32, 1.0, shape, &Device::Cpu).unwrap()).unwrap()
}

fn spans(lengths: &[usize]) -> Vec<Span> {
    let starts = lengths.iter().scan(0, |next, len| Some(std::mem::replace(next, *next + len)));
    starts.zip(lengths).map(|(start, len)| Span { start, len: *len }).collect()
}

/// The largest difference, by the larger of 1 and the expected numbers' largest.
fn difference(given: &Tensor, expected: &Tensor) -> f32 {
    assert_eq!(given.dims(), expected.dims());
    let largest = |x: &Tensor| x.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>();
    largest(&(given - expected).unwrap()).unwrap() / largest(expected).unwrap().max(1.0)
}

/// Both forms give the same output, and `gradient` what candle finds of the composed one: the gradients of `inputs`,
/// from a random gradient of the output.
fn check(
    inputs: &[&Var],
    fused: impl Fn() -> Result<Tensor>,
    gradient: impl Fn(&Tensor) -> Result<Vec<Tensor>>,
    composed: impl Fn() -> Result<Tensor>,
) {
    let (fused, composed) = (fused().unwrap(), composed().unwrap());
    let output = difference(&fused, &composed);
    assert!(output < 1e-5, "output differs by {output}");
    let weights = fused.randn_like(0.0, 1.0).unwrap();
    let expected = (composed * &weights).unwrap().sum_all().unwrap().backward().unwrap();
    let given = gradient(&weights).unwrap();
    assert_eq!(given.len(), inputs.len());
    for (index, (input, given)) in inputs.iter().zip(&given).enumerate() {
        let difference = difference(given, expected.get(input).unwrap());
        assert!(difference < 1e-4, "gradient {index} of shape {:?} differs by {difference}", input.dims());
    }
}

fn for_each_shape(check: impl Fn(usize, usize)) {
    for rows in [1, 3, 17, 131] {
        for width in [1, 8, 24, 384] {
            check(rows, width);
        }
    }
}

#[test]
fn add_bias_is_as_composed() {
    for_each_shape(|rows, width| {
        let (x, bias) = (random(&[rows, width]), random(&[width]));
        let gradient = |grad: &Tensor| Ok(vec![grad.clone(), column_sums(grad)?]);
        check(&[&x, &bias], || add_bias(&x, &bias), gradient, || reference::add_bias(&x, &bias));
    });
}

#[test]
fn add_bias_residual_is_as_composed() {
    for_each_shape(|rows, width| {
        let (x, bias, residual) = (random(&[rows, width]), random(&[width]), random(&[rows, width]));
        let fused = || add_bias_residual(&x, &bias, &residual);
        let gradient = |grad: &Tensor| Ok(vec![grad.clone(), column_sums(grad)?, grad.clone()]);
        let composed = || reference::add_bias_residual(&x, &bias, &residual);
        check(&[&x, &bias, &residual], fused, gradient, composed);
    });
}

#[test]
fn add_is_as_candles() {
    for_each_shape(|rows, width| {
        let (x, y) = (random(&[rows, width]), random(&[rows, width]));
        assert!(difference(&add(&x, &y).unwrap(), &(x.as_tensor() + y.as_tensor()).unwrap()) < 1e-6);
    });
}

#[test]
fn scattered_rows_are_the_gradient_of_an_embedding() {
    for (rows, width, count) in [(1, 8, 1), (40, 24, 7), (700, 5, 300), (300, 16, 1000)] {
        let table = random(&[count, width]);
        let indices: Vec<u32> = (0..rows).map(|row| row * 7919 % u32::try_from(count).unwrap()).collect();
        let indices = Tensor::new(indices, &Device::Cpu).unwrap();
        let chosen = || table.index_select(&indices, 0);
        check(&[&table], chosen, |grad| Ok(vec![scatter_rows(grad, &indices, count)?]), chosen);
        assert!(scatter_rows(&chosen().unwrap(), &indices, count / 2).is_err(), "an index is over the rows");
    }
}

#[test]
fn bias_gelu_is_as_composed() {
    for_each_shape(|rows, width| {
        let (x, bias) = (random(&[rows, width]), random(&[width]));
        let gradient = |grad: &Tensor| bias_gelu_gradient(&x, &bias, grad).map(|(x, bias)| vec![x, bias]);
        check(&[&x, &bias], || bias_gelu(&x, &bias), gradient, || reference::bias_gelu(&x, &bias));
    });
}

#[test]
fn bias_gelu_is_within_two_millionths_everywhere() {
    let x = Tensor::arange_step(-20_f32, 20.0, 1.0 / 1024.0, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
    let zeros = x.zeros_like().unwrap().squeeze(0).unwrap();
    let difference = (bias_gelu(&x, &zeros).unwrap() - x.gelu_erf().unwrap()).unwrap().abs().unwrap();
    let largest = difference.max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(largest < 2e-6, "differs by {largest}");
}

#[test]
fn gelu_in_place_is_within_two_millionths_and_keeps_what_is_no_number() {
    let x: Vec<f32> = (-8000_i16..=8000).map(|i| f32::from(i) / 1000.0).collect();
    let exact = Tensor::new(x.as_slice(), &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
    let exact: Vec<f64> = exact.gelu_erf().unwrap().to_vec1().unwrap();
    let mut given = x.clone();
    gelu(&mut given, x.len());
    for (given, exact) in given.iter().zip(exact) {
        assert!((f64::from(*given) - exact).abs() < 2e-6, "{given} {exact}");
    }
    let mut far = [1e30_f32, -1e30, 1000.0, f32::NAN, f32::NEG_INFINITY, f32::INFINITY];
    gelu(&mut far, 6);
    assert!((far[0] / 1e30 - 1.0).abs() < 1e-6 && (far[2] - 1000.0).abs() < 1e-3);
    assert!(far[1] == 0.0 && far[3].is_nan() && far[4].is_nan() && far[5] == f32::INFINITY, "{far:?}");
}

#[test]
fn layer_norm_is_as_composed() {
    for_each_shape(|rows, width| {
        let (x, gamma, beta) = (random(&[rows, width]), random(&[width]), random(&[width]));
        let shifted = (x.as_tensor() + 3.0).unwrap();
        // One column has no variance: its gradient is rounding alone, times a thousand thousand.
        let epsilon = if width == 1 { 1.0 } else { 1e-12 };
        let fused = || layer_norm(&shifted, &gamma, &beta, epsilon);
        let gradient = |grad: &Tensor| {
            let LayerNormGradient { x, gamma, beta } = layer_norm_gradient(&shifted, &gamma, epsilon, grad)?;
            Ok(vec![x, gamma, beta])
        };
        let composed = || reference::layer_norm(&shifted, &gamma, &beta, epsilon);
        check(&[&x, &gamma, &beta], fused, gradient, composed);
    });
}

#[test]
fn attention_is_as_composed() {
    let spans = spans(&[1, 2, 15, 16, 17, 100, 150]);
    for (heads, width) in [(3, 4), (2, 8), (2, 32), (1, 20), (1, 40)] {
        let x = (random(&[301, 3 * heads * width]).as_tensor() * 2.0).unwrap();
        let x = Var::from_tensor(&x).unwrap();
        let gradient = |grad: &Tensor| Ok(vec![attention_gradient(&x, &spans, heads, grad)?]);
        let composed = || reference::attention(&x, &spans, heads);
        check(&[&x], || attention(&x, &spans, heads), gradient, composed);
    }
}

#[test]
fn a_sequence_attends_the_same_alone_and_in_a_batch() {
    let x = random(&[40, 3 * 64]);
    let together = attention(&x, &spans(&[7, 20, 13]), 2).unwrap().narrow(0, 7, 20).unwrap();
    let alone = attention(&x.narrow(0, 7, 20).unwrap(), &spans(&[20]), 2).unwrap();
    assert_eq!(together.to_vec2::<f32>().unwrap(), alone.to_vec2::<f32>().unwrap());
}

#[test]
fn pool_is_as_composed() {
    let spans = spans(&[1, 2, 15, 16, 17, 100]);
    for width in [1, 8, 24, 384] {
        let x = random(&[151, width]);
        let gradient = |grad: &Tensor| Ok(vec![pool_gradient(&spans, grad)?]);
        check(&[&x], || pool(&x, &spans), gradient, || reference::pool(&x, &spans));
    }
}

#[test]
fn what_is_not_contiguous_is_copied_first() {
    let (x, bias) = (random(&[24, 17]), random(&[24]));
    let turned = || x.t();
    let gradient = |grad: &Tensor| {
        let grad = grad.t()?.contiguous()?.t()?;
        let (x, bias) = bias_gelu_gradient(&turned()?, &bias, &grad)?;
        Ok(vec![x.t()?, bias])
    };
    let composed = || reference::bias_gelu(&turned()?, &bias);
    check(&[&x, &bias], || bias_gelu(&turned()?, &bias), gradient, composed);
}

#[test]
fn not_a_number_is_never_swallowed() {
    let device = &Device::Cpu;
    let spoiled = |width| Tensor::full(f32::NAN, (2, width), device).unwrap();
    let ones = Tensor::ones(24, candle_core::DType::F32, device).unwrap();
    let answers = [
        bias_gelu(&spoiled(24), &ones),
        layer_norm(&spoiled(24), &ones, &ones, 1e-12),
        attention(&spoiled(24), &spans(&[2]), 1),
        pool(&spoiled(24), &spans(&[2])),
    ];
    for answer in answers {
        let numbers = answer.unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(numbers.iter().all(|number| number.is_nan()));
    }
}

#[test]
fn spans_that_do_not_cover_the_rows_are_refused() {
    let x = random(&[5, 24]);
    for spans in [spans(&[4]), spans(&[6]), spans(&[5, 0]), vec![Span { start: 1, len: 4 }]] {
        assert!(attention(&x, &spans, 1).is_err());
        assert!(attention_gradient(&x, &spans, 1, &x).is_err());
        assert!(pool(&x, &spans).is_err());
    }
}

//! The kernels alone, one thread: products of the encoder's shapes, and rows taken into a kernel's number type.
//!
//! ```sh
//! cargo bench -p assize-kernels                         # all; `-- --quick` for a first look
//! cargo bench -p assize-kernels -- 'linear 384x1536/int8'
//! ```
//!
//! Elements a second are operations: two (multiply, add) for each weight and row. Of [`Rows::fill`] they are numbers.
//! Kernels that this processor can't run are left out.

use assize_kernels::{Into, Kernel, Linear, Rows};
use criterion::{BenchmarkId, Criterion, Throughput};
use std::time::Duration;

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

/// Inputs and outputs of all-MiniLM-L6-v2's layers: queries with keys and values, attention's output, up, down.
const SHAPES: [(usize, usize); 4] = [(384, 1152), (384, 384), (384, 1536), (1536, 384)];
/// Tokens at once: less than a tile of rows, a short turn, a long one.
const ROWS: [usize; 3] = [6, 16, 96];
/// With 10 samples enough for a few percent, and all kernels, the plain ones too, take a few minutes.
const TIME: Duration = Duration::from_millis(800);

fn main() -> Anyhow<()> {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(TIME / 4)
        .measurement_time(TIME)
        .configure_from_args();
    let kernels: Vec<Kernel> = Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()).collect();
    for shape in SHAPES {
        products(&mut criterion, shape, &kernels)?;
    }
    for width in [384, 1536] {
        fills(&mut criterion, width, &kernels);
    }
    criterion.final_summary();
    Ok(())
}

fn products(criterion: &mut Criterion, (inputs, outputs): (usize, usize), kernels: &[Kernel]) -> Anyhow<()> {
    let (weight, bias) = (numbers(inputs * outputs), numbers(outputs));
    let mut group = criterion.benchmark_group(format!("linear {inputs}x{outputs}"));
    for kernel in kernels {
        let layer = Linear::pack(*kernel, &weight, &bias, inputs)?;
        for count in ROWS {
            let mut rows = Rows::new(*kernel);
            rows.fill(&numbers(count * inputs), inputs);
            let mut out = vec![0.0; count * outputs];
            if !layer.forward(&rows, &mut out, Into::Replace) {
                return Err(format!("{kernel} did not take {count} rows of {inputs}").into());
            }
            group.throughput(Throughput::Elements(2 * u64::try_from(count * inputs * outputs)?));
            group.bench_function(BenchmarkId::new(kernel.id(), count), |bencher| {
                bencher.iter(|| layer.forward(&rows, &mut out, Into::Replace));
            });
        }
    }
    group.finish();
    Ok(())
}

fn fills(criterion: &mut Criterion, width: usize, kernels: &[Kernel]) {
    let mut group = criterion.benchmark_group(format!("fill {width}"));
    for kernel in kernels {
        for count in ROWS {
            let (x, mut rows) = (numbers(count * width), Rows::new(*kernel));
            group.throughput(Throughput::Elements((count * width) as u64));
            group.bench_function(BenchmarkId::new(kernel.id(), count), |bencher| {
                bencher.iter(|| rows.fill(&x, width));
            });
        }
    }
    group.finish();
}

/// Numbers within ±1, the same in each run.
fn numbers(count: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, _, low, high] = state.to_le_bytes();
        f32::from(i16::from_le_bytes([low, high])) / 32_768.0
    };
    (0..count).map(next).collect()
}

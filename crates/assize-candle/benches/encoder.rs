//! The whole encoder with guard-v1's weights and heads, in every precision that this processor has kernels for, and over
//! candle's tensors (`portable`); elements a second are tokens.
//!
//! ```sh
//! cargo bench -p assize-candle                          # all; `-- --quick` for a first look
//! RAYON_NUM_THREADS=1 cargo bench -p assize-candle -- int8
//! ```
//!
//! On as many threads as `RAYON_NUM_THREADS` says, or as there are cores. Ratios between engines are the work of the example
//! `peers`, which runs them in turns.

mod made_up;

use assize_candle::{DeviceChoice, GuardModel, Kernel, Precision, PrecisionChoice, Sequence};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use made_up::{Anyhow, held_to, sequences};
use std::process::ExitCode;
use std::time::Duration;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/guard-v1");
/// As those of `peers`: sequences and tokens in each.
const SHAPES: [(usize, usize); 7] = [(1, 16), (1, 64), (1, 128), (1, 512), (8, 128), (32, 64), (32, 128)];

fn main() -> Anyhow<ExitCode> {
    let threads = rayon::current_num_threads();
    if let Some(ended) = held_to(threads)? {
        return Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let packed = Precision::ALL.into_iter().filter(|precision| Kernel::fastest(*precision).is_some());
    for choice in [PrecisionChoice::Portable].into_iter().chain(packed.map(PrecisionChoice::Packed)) {
        shapes(&mut criterion, choice, threads)?;
    }
    criterion.final_summary();
    Ok(ExitCode::SUCCESS)
}

fn shapes(criterion: &mut Criterion, choice: PrecisionChoice, threads: usize) -> Anyhow<()> {
    let model = GuardModel::load(MODEL.as_ref(), DeviceChoice::Cpu)?;
    let mut encoder = model.computing(choice, threads)?.0.encoder;
    let mut group = criterion.benchmark_group(format!("encoder {threads} threads"));
    // One pass of the largest shape takes up to a second.
    group.sampling_mode(SamplingMode::Flat);
    for (batch, tokens) in SHAPES {
        let sequences = sequences(batch, tokens)?;
        let sequences: Vec<&Sequence> = sequences.iter().collect();
        encoder.infer(&sequences)?;
        group.throughput(Throughput::Elements(u64::try_from(batch * tokens)?));
        group.bench_function(BenchmarkId::new(choice.to_string(), format!("{batch}x{tokens}")), |bencher| {
            bencher.iter(|| encoder.infer(&sequences));
        });
    }
    group.finish();
    Ok(())
}

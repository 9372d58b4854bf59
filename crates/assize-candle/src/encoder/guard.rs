//! The encoder as the service runs it: over tensors, or packed in the precision that suits model and machine.

use super::{Encoder, EncoderError, PackError, PackedEncoder, PackedRun};
use crate::{HeadLogits, Sequence, numerics::sigmoid};
use assize_domain::{self as domain, GuardHead};
use assize_kernels::{Kernel, Precision};
use std::{fmt, str::FromStr, time::Duration};

/// How the operator wants the encoder to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PrecisionChoice {
    /// In the fastest way that keeps the model's reference answers; over tensors where there are none, or no vector
    /// instructions that we know.
    #[default]
    Auto,
    /// Over candle's tensors, in f32, on any machine and device.
    Portable,
    /// In this precision, with this machine's vector instructions.
    Packed(Precision),
}

/// What is not a [`PrecisionChoice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("allowed: {}", PrecisionChoice::ALLOWED)]
pub struct UnknownPrecision;

/// Sequences of the model's maker with the guard's answers, in log-odds.
pub(crate) type References = Vec<(Sequence, [f32; GuardHead::ALL.len()])>;

/// How far from the references a precision may be: the average over all scores, and the worst of them, as probabilities.
const MOST_SHIFT: Shift = Shift { mean: 0.01, worst: 0.06 };
/// The batch that precisions race on: a short turn or two.
const RACE_SEQUENCES: usize = 4;
/// How often each runs; the fastest counts.
const RACE_ROUNDS: usize = 3;

/// How far scores are from the references'.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Mean absolute difference of all scores, in `[0, 1]`.
    pub mean: f32,
    /// The largest.
    pub worst: f32,
}

/// What was seen of one precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// Which.
    pub precision: Precision,
    /// How far from the references; `None` where there are none, where a faster one was taken before, and where it failed.
    pub shift: Option<Shift>,
    /// How long the race took; `None` where there was none.
    pub time: Option<Duration>,
}

/// An encoder that can't compute as it is wanted to.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// The precision does not work here.
    #[error("the encoder can't be packed in {precision}")]
    Pack {
        /// The one asked for.
        precision: Precision,
        /// Why.
        #[source]
        source: PackError,
    },
    /// The precision changes this model's answers too much.
    #[error("in {precision} the model's reference scores move by {mean:.3} on average and {worst:.3} at most; allowed are {} and {}; use `auto`, which takes the fastest that keeps them", MOST_SHIFT.mean, MOST_SHIFT.worst)]
    Inexact {
        /// The one asked for.
        precision: Precision,
        /// Mean absolute difference.
        mean: f32,
        /// The largest.
        worst: f32,
    },
    /// The encoder failed.
    #[error("the encoder failed on the model's reference inputs")]
    Failed(#[from] EncoderError),
    /// Only a CPU has packed kernels.
    #[error("{0} is a precision of the CPU's kernels; a GPU computes with `auto` or `portable`")]
    NotOnCpu(Precision),
}

/// The guard's encoder. Owned by a worker's thread.
#[derive(Debug)]
pub enum GuardEncoder {
    /// Over tensors.
    Portable(Encoder),
    /// With packed weights.
    Packed(Box<PackedEncoder>),
}

/// A batch on its way through the encoder.
#[derive(Debug)]
pub struct GuardRun(Stage);

#[derive(Debug)]
enum Stage {
    Layers(PackedRun),
    Done(Vec<HeadLogits>),
}

impl GuardEncoder {
    /// Judges the sequences together; one answer for each, in their order.
    ///
    /// # Errors
    /// As [`Encoder::infer`].
    pub fn infer(&mut self, sequences: &[&Sequence]) -> Result<Vec<HeadLogits>, EncoderError> {
        match self {
            Self::Portable(encoder) => encoder.infer(sequences),
            Self::Packed(encoder) => encoder.infer(sequences),
        }
    }

    /// Begins to judge the sequences together. Over tensors all is done here.
    ///
    /// # Errors
    /// As [`Encoder::infer`].
    pub fn begin(&mut self, sequences: &[&Sequence]) -> Result<GuardRun, EncoderError> {
        let stage = match self {
            Self::Packed(encoder) => Stage::Layers(encoder.begin(sequences)?),
            Self::Portable(encoder) => Stage::Done(encoder.infer(sequences)?),
        };
        Ok(GuardRun(stage))
    }

    /// Goes on by a part of a layer, or to the end where the batch is short; the answers when all is done.
    ///
    /// # Errors
    /// As [`Encoder::infer`].
    pub fn advance(&mut self, run: &mut GuardRun) -> Result<Option<Vec<HeadLogits>>, EncoderError> {
        match (self, &mut run.0) {
            (Self::Packed(encoder), Stage::Layers(run)) => encoder.advance(run),
            (_, Stage::Done(answers)) => Ok(Some(std::mem::take(answers))),
            // A run of another encoder; without answers it is an error to whoever counts them.
            (Self::Portable(_), Stage::Layers(_)) => Ok(Some(Vec::new())),
        }
    }

    /// As many encoders over the same weights, this one first, each for a thread that takes batches of its own; fewer where
    /// one alone keeps the machine busy.
    pub fn for_threads(self, threads: usize) -> Vec<Self> {
        let others = match &self {
            // The tensor library has threads of its own.
            Self::Portable(_) => Vec::new(),
            Self::Packed(encoder) => (1..threads).map(|_| Self::Packed(Box::new(encoder.beside()))).collect(),
        };
        std::iter::once(self).chain(others).collect()
    }

    /// How it computes: a kernel's name, or `portable`.
    pub fn kernel(&self) -> &'static str {
        match self {
            Self::Portable(_) => "portable",
            Self::Packed(encoder) => encoder.kernel().id(),
        }
    }

    /// What it computes in. Tensors are of f32 on every device, in whatever type the file has the weights.
    pub fn precision(&self) -> domain::Precision {
        match self {
            Self::Portable(_) => domain::Precision::F32,
            Self::Packed(encoder) => match encoder.kernel().precision() {
                Precision::F32 => domain::Precision::F32,
                Precision::Bf16 => domain::Precision::Bf16,
                Precision::Int8 => domain::Precision::Int8,
            },
        }
    }
}

/// Takes an encoder over tensors to what is wanted, on `threads` threads, and tells what was tried.
pub(crate) fn choose(
    encoder: Encoder,
    references: &References,
    (choice, threads): (PrecisionChoice, usize),
) -> Result<(GuardEncoder, Vec<Trial>), ChoiceError> {
    let on_cpu = encoder.device.is_cpu();
    match choice {
        PrecisionChoice::Portable => Ok((GuardEncoder::Portable(encoder), Vec::new())),
        PrecisionChoice::Packed(precision) if !on_cpu => Err(ChoiceError::NotOnCpu(precision)),
        PrecisionChoice::Packed(precision) => {
            let packed = PackedEncoder::pack(&encoder, precision, threads)
                .map_err(|source| ChoiceError::Pack { precision, source })?;
            let mut packed = Box::new(packed);
            let shift = Shift::measured(&mut packed, references)?;
            match shift.filter(|shift| !shift.is_allowed()) {
                Some(Shift { mean, worst }) => Err(ChoiceError::Inexact { precision, mean, worst }),
                None => {
                    let trial = Trial { precision, shift, time: None };
                    Ok((GuardEncoder::Packed(packed), vec![trial]))
                }
            }
        }
        PrecisionChoice::Auto if !on_cpu || references.is_empty() => {
            Ok((GuardEncoder::Portable(encoder), Vec::new()))
        }
        PrecisionChoice::Auto => race(encoder, references, threads),
    }
}

/// The fastest precision that keeps the references. They race over one layer, because packing all of them takes longer
/// than everything else at start-up; only who may win is packed whole and held against the references.
fn race(
    encoder: Encoder,
    references: &References,
    threads: usize,
) -> Result<(GuardEncoder, Vec<Trial>), ChoiceError> {
    let mut short: Vec<&Sequence> = references.iter().map(|(sequence, _)| sequence).collect();
    short.sort_by_key(|sequence| sequence.tokens());
    short.truncate(RACE_SEQUENCES);
    let mut trials: Vec<Trial> = Precision::ALL
        .into_iter()
        .filter(|precision| Kernel::fastest(*precision).is_some())
        .filter_map(|precision| {
            let time = timed(&encoder, precision, &short, threads)?;
            Some(Trial { precision, shift: None, time: Some(time) })
        })
        .collect();
    trials.sort_by_key(|trial| trial.time);
    for trial in &mut trials {
        let Ok(mut packed) = PackedEncoder::pack(&encoder, trial.precision, threads) else { continue };
        trial.shift = Shift::measured(&mut packed, references).ok().flatten();
        if trial.shift.is_some_and(Shift::is_allowed) {
            return Ok((GuardEncoder::Packed(Box::new(packed)), trials));
        }
    }
    Ok((GuardEncoder::Portable(encoder), trials))
}

/// How long the first layer takes in a precision; `None` where it does not work.
fn timed(
    encoder: &Encoder,
    precision: Precision,
    sequences: &[&Sequence],
    threads: usize,
) -> Option<Duration> {
    let mut packed = PackedEncoder::pack_some(encoder, 1, precision, threads).ok()?;
    let mut time = Duration::MAX;
    for _ in 0..RACE_ROUNDS {
        let start = now();
        packed.infer(sequences).ok()?;
        time = time.min(start.elapsed());
    }
    Some(time)
}

#[expect(
    clippy::disallowed_methods,
    reason = "it times work and waits for nothing; this crate has no clock of its own"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

impl Shift {
    /// `None` where there are no references.
    fn measured(packed: &mut PackedEncoder, references: &References) -> Result<Option<Self>, EncoderError> {
        let sequences: Vec<&Sequence> = references.iter().map(|(sequence, _)| sequence).collect();
        let answers = packed.infer(&sequences)?;
        Ok(Self::of(references.iter().map(|(_, expected)| expected).zip(&answers)))
    }

    fn of<'a>(
        pairs: impl Iterator<Item = (&'a [f32; GuardHead::ALL.len()], &'a HeadLogits)>,
    ) -> Option<Self> {
        let differences = pairs.flat_map(|(expected, given)| {
            expected
                .iter()
                .zip(given.binary)
                .map(|(expected, given)| (sigmoid(*expected) - sigmoid(given)).abs())
        });
        let (mut count, mut sum, mut worst) = (0.0_f32, 0.0_f32, 0.0_f32);
        for difference in differences {
            // Not a number is as far off as can be.
            let difference = if difference.is_finite() { difference } else { 1.0 };
            (count, sum, worst) = (count + 1.0, sum + difference, worst.max(difference));
        }
        (count > 0.0).then(|| Self { mean: sum / count, worst })
    }

    fn is_allowed(self) -> bool {
        self.mean <= MOST_SHIFT.mean && self.worst <= MOST_SHIFT.worst
    }
}

impl PrecisionChoice {
    /// What a setting may say.
    pub const ALLOWED: &'static str = "`auto`, `portable`, `f32`, `bf16`, `int8`";
}

impl FromStr for PrecisionChoice {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, UnknownPrecision> {
        match text {
            "auto" => Ok(Self::Auto),
            "portable" => Ok(Self::Portable),
            _ => Precision::ALL
                .into_iter()
                .find(|precision| precision.id() == text)
                .map(Self::Packed)
                .ok_or(UnknownPrecision),
        }
    }
}

impl fmt::Display for PrecisionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Portable => f.write_str("portable"),
            Self::Packed(precision) => precision.fmt(f),
        }
    }
}

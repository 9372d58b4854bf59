//! The packed encoder against the one over tensors.

use super::{PackedEncoder, PackedRun};
use crate::{
    EncoderError, Framing, GuardEncoder, HeadLogits, Sequence,
    encoder::{Encoder, tests},
};
use assize_kernels::{Kernel, Precision};

fn available() -> impl Iterator<Item = Precision> {
    Precision::ALL.into_iter().filter(|precision| Kernel::fastest(*precision).is_some())
}

fn row(logits: &HeadLogits) -> Vec<f32> {
    [&logits.binary[..], &logits.risk[..], logits.tree.row()].concat()
}

/// Root of the mean squared difference, by that of the expected numbers.
fn difference(given: &[HeadLogits], expected: &[HeadLogits]) -> f32 {
    assert_eq!(given.len(), expected.len());
    let (mut error, mut size) = (0.0, 0.0);
    for (given, expected) in given.iter().zip(expected) {
        for (given, expected) in row(given).iter().zip(row(expected)) {
            error += (given - expected).powi(2);
            size += expected.powi(2);
        }
    }
    (error / size).sqrt()
}

fn both(encoder: &mut Encoder, precision: Precision, threads: usize) -> (Vec<HeadLogits>, Vec<HeadLogits>) {
    let sequences = tests::sequences();
    let sequences: Vec<&Sequence> = sequences.iter().collect();
    let mut packed = PackedEncoder::pack(encoder, precision, threads).unwrap();
    (packed.infer(&sequences).unwrap(), encoder.infer(&sequences).unwrap())
}

#[test]
fn every_precision_gives_what_the_tensors_give() {
    let mut encoder = tests::encoder(&tests::variables());
    for precision in available() {
        // Weights of this test are far from a trained model's: of a size with what goes through them.
        let most = match precision {
            Precision::F32 => 1e-5,
            Precision::Bf16 | Precision::Int8 => 0.05,
        };
        for threads in [1, 3] {
            let (given, expected) = both(&mut encoder, precision, threads);
            let difference = difference(&given, &expected);
            assert!(difference < most, "{precision}, {threads} threads: {difference}");
        }
    }
}

#[test]
fn an_encoder_tells_its_precision_by_the_name_that_the_setting_has() {
    let encoder = tests::encoder(&tests::variables());
    for precision in available() {
        let packed = PackedEncoder::pack(&encoder, precision, 1).unwrap();
        assert_eq!(GuardEncoder::Packed(Box::new(packed)).precision().id(), precision.id());
    }
    assert_eq!(GuardEncoder::Portable(encoder).precision().id(), "f32");
    let ids = assize_domain::Precision::ALL.map(assize_domain::Precision::id);
    assert_eq!(ids, Precision::ALL.map(Precision::id));
}

#[test]
fn batch_mates_and_threads_change_no_bit() {
    let encoder = tests::encoder(&tests::variables());
    // Long enough for several tiles and several tasks of attention.
    let framing = Framing { cls: 1, sep: 2, max_tokens: tests::SHAPE.max_positions };
    let many: Vec<Sequence> = (0..40_u32)
        .map(|n| {
            let ids: Vec<u32> = (0..n % 22).map(|i| 3 + (i * 7 + n) % 8).collect();
            Sequence::single(framing, &ids).unwrap()
        })
        .collect();
    let all: Vec<&Sequence> = many.iter().collect();
    for precision in available() {
        let mut packed = [1, 2, 3].map(|threads| PackedEncoder::pack(&encoder, precision, threads).unwrap());
        let answers = packed.each_mut().map(|packed| packed.infer(&all).unwrap());
        assert!(answers[0] == answers[1] && answers[0] == answers[2], "{precision}");
        for (sequence, together) in all.iter().zip(&answers[0]) {
            assert!(&packed[1].infer(&[sequence]).unwrap()[0] == together, "{precision}");
        }
    }
}

#[test]
fn company_that_comes_and_goes_changes_no_bit_and_leaves_nothing() {
    let encoder = tests::encoder_of(256);
    let framing = Framing { cls: 1, sep: 2, max_tokens: 256 };
    let sequence = |count: u32| {
        let ids: Vec<u32> = (0..count).map(|i| 3 + (i * i + count) % 8).collect();
        Sequence::single(framing, &ids).unwrap()
    };
    let (long, longer, short) = (sequence(200), sequence(250), sequence(40));
    for precision in available() {
        let mut first = PackedEncoder::pack(&encoder, precision, 3).unwrap();
        let alone: Vec<_> =
            [&long, &longer, &short].map(|sequence| first.infer(&[sequence]).unwrap()).into_iter().collect();
        let mut second = first.beside();
        // Begun with all threads, gone on with fewer, ended with all again.
        let mut run = first.begin(&[&long]).unwrap();
        assert!(first.advance(&mut run).unwrap().is_none(), "a long one takes more than a step");
        let mut other = second.begin(&[&longer]).unwrap();
        assert!(first.advance(&mut run).unwrap().is_none());
        assert!(second.advance(&mut other).unwrap().is_none());
        assert!(second.infer(&[&short]).unwrap() == alone[2], "{precision}: between the steps of another");
        assert!(finish(&mut first, run) == alone[0], "{precision}");
        assert!(finish(&mut second, other) == alone[1], "{precision}");
        // Begun and dropped.
        drop(first.begin(&[&long]).unwrap());
        let run = first.begin(&[&longer]).unwrap();
        assert_eq!(first.crew.threads(), 3, "{precision}: nobody else is on the way");
        drop(run);
    }
}

fn finish(encoder: &mut PackedEncoder, mut run: PackedRun) -> Vec<HeadLogits> {
    loop {
        if let Some(answers) = encoder.advance(&mut run).unwrap() {
            return answers;
        }
    }
}

#[test]
fn a_sequence_of_another_model_is_refused_and_none_are_none() {
    let encoder = tests::encoder(&tests::variables());
    let Some(precision) = available().next() else { return };
    let mut packed = PackedEncoder::pack(&encoder, precision, 1).unwrap();
    assert_eq!(packed.infer(&[]).unwrap(), []);
    let framing = Framing { cls: 1, sep: 2, max_tokens: 100 };
    let unknown = Sequence::single(framing, &[11]).unwrap();
    assert!(matches!(packed.infer(&[&unknown]), Err(EncoderError::UnknownToken { id: 11, .. })));
    let long = Sequence::single(framing, &[3; 30]).unwrap();
    assert!(matches!(packed.infer(&[&long]), Err(EncoderError::TooLong { tokens: 32, limit: 24 })));
}

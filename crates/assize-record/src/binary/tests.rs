//! One record in bytes: it reads back to the last bit, and whatever else the bytes are is an error.

use super::{frame, scan::scan, *};
use crate::{
    history::{Gap, GapCause},
    samples::{any_record, consulted, judged_in, numbered, same, typical},
};
use assize_domain::{
    ActionCategory, Effect, Extent, HarmAction, Likelihood, Precision, ReportedLeaf, ReportedTree,
    Stakeholder, Tree, TreeOutcome,
};
use proptest::prelude::*;

fn bytes(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(record, &mut bytes).unwrap();
    bytes
}

const LEAF: ReportedLeaf = ReportedLeaf {
    category: None,
    published_category: None,
    action: None,
    effect: None,
    stakeholder: Stakeholder::User,
    extent: None,
    likelihood: None,
    immediate: None,
};

fn reported(harms: Vec<ReportedLeaf>) -> Record {
    let mut record = typical();
    record.assessment.tree =
        TreeOutcome::Weighed(Tree::Reported(ReportedTree { harms, benefits: vec![LEAF] }));
    record
}

/// A section with the frames of a good record, and one more with this body.
fn with_frame(body: &[u8]) -> Vec<u8> {
    let mut bytes = bytes(&typical());
    frame::put_frame(&mut bytes, |out| out.extend_from_slice(body)).unwrap();
    bytes
}

/// The body of the last frame.
fn last_body(bytes: &[u8]) -> Vec<u8> {
    let mut at = frame::header_at(bytes).unwrap().length;
    let mut last = Vec::new();
    while let Some(frame) = frame::frame_at(&bytes[at..]) {
        last = frame.body.to_vec();
        at += frame.length;
    }
    last
}

#[test]
fn every_bit_counts() {
    for bytes in [bytes(&typical()), bytes(&judged_in(Precision::Int8))] {
        for place in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            assert!(decode(&flipped).is_err(), "bit {place}");
        }
    }
}

#[test]
fn a_part_is_no_record_and_two_are_none() {
    let bytes = bytes(&typical());
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end]).is_err(), "{end}");
    }
    let twice = [bytes.clone(), bytes].concat();
    assert!(matches!(decode(&twice), Err(RecordError::NotOne { records: 2 })));
}

#[test]
fn every_name_of_a_leaf_fits_its_bits() {
    let mut leaves = vec![LEAF];
    leaves.extend(ActionCategory::ALL.map(|one| ReportedLeaf { category: Some(one), ..LEAF }));
    for category in std::iter::once(None).chain(ActionCategory::ALL.map(Some)) {
        let published = |one| ReportedLeaf { category, published_category: one, ..LEAF };
        leaves.extend(std::iter::once(None).chain(ActionCategory::ALL.map(Some)).map(published));
    }
    leaves.extend(HarmAction::ALL.map(|one| ReportedLeaf { action: Some(one), ..LEAF }));
    leaves.extend(Effect::ALL.map(|one| ReportedLeaf { effect: Some(one), ..LEAF }));
    leaves.extend(Stakeholder::ALL.map(|stakeholder| ReportedLeaf { stakeholder, ..LEAF }));
    leaves.extend(Extent::ALL.map(|one| ReportedLeaf { extent: Some(one), ..LEAF }));
    leaves.extend(Likelihood::ALL.map(|one| ReportedLeaf { likelihood: Some(one), ..LEAF }));
    leaves.extend([false, true].map(|one| ReportedLeaf { immediate: Some(one), ..LEAF }));
    let record = reported(leaves);
    assert!(same(&decode(&bytes(&record)).unwrap(), &record));
}

#[test]
fn a_tree_out_of_proportion_is_refused_and_leaves_nothing_behind() {
    let record = reported(vec![LEAF; frame::MOST_BODY / 4]);
    let mut out = vec![1, 2, 3];
    let error = encode(&record, &mut out).unwrap_err();
    assert!(matches!(error, RecordError::TooLarge { most: frame::MOST_BODY, .. }), "{error}");
    assert_eq!(out, [1, 2, 3]);
}

/// The first section's header with other bytes, and a checksum to match.
fn with_header(change: impl FnOnce(&mut [u8])) -> String {
    let mut bytes = bytes(&typical());
    let end = frame::header_at(&bytes).unwrap().length;
    change(&mut bytes[..end]);
    let checksum = crc32fast::hash(&bytes[..end - 4]).to_le_bytes();
    bytes[end - 4..end].copy_from_slice(&checksum);
    decode(&bytes).unwrap_err().to_string()
}

#[test]
fn another_version_is_named_with_those_known() {
    let error = with_header(|header| header[8] = 7);
    assert!(error.starts_with("version `7` of records is not known here; known: 1;"), "{error}");
    let error = with_header(|header| header[10] = b'W');
    assert!(error.starts_with("taxonomy `Wildguard-13"), "{error}");
}

#[test]
fn a_side_with_more_leaves_than_any_tree_is_refused() {
    let most = crate::reporter::MOST_LEAVES;
    assert!(decode(&bytes(&reported(vec![LEAF; most]))).is_ok());
    let error = decode(&bytes(&reported(vec![LEAF; most + 1]))).unwrap_err().to_string();
    assert!(error.contains("more leaves than a tree has"), "{error}");
}

#[test]
fn what_stands_on_a_missing_model_is_an_error() {
    let mut body = last_body(&bytes(&typical()));
    body[3] = 9;
    let history = with_frame(&body);
    let found = scan(&history);
    let read = found.record(&found.places[1]);
    assert!(matches!(read, Err(RecordError::Missing { kind: "model", number: 9 })), "{read:?}");
}

#[test]
fn shares_that_break_their_rule_are_refused() {
    let body = last_body(&bytes(&typical()));
    // The last byte is the last benefit's last share.
    let other: Vec<u8> = body.iter().copied().take(body.len() - 1).chain([0]).collect();
    let history = with_frame(&other);
    let found = scan(&history);
    let error = found.record(&found.places[1]).unwrap_err().to_string();
    assert_eq!(error, "the record can't be read: shares don't sum to 255");
}

#[test]
fn the_first_version_stays_readable() {
    let kept = include_bytes!("version-1.bin");
    assert!(same(&decode(kept).unwrap(), &typical()));
    assert_eq!(bytes(&typical()), kept);
    let kept = include_bytes!("version-1-reported.bin");
    let leaf = ReportedLeaf {
        category: Some(ActionCategory::Privacy),
        published_category: Some(ActionCategory::Privacy),
        action: Some(HarmAction::SensitiveData),
        effect: Some(Effect::Social),
        stakeholder: Stakeholder::Children,
        extent: Some(Extent::Major),
        likelihood: Some(Likelihood::Medium),
        immediate: Some(true),
    };
    let record = reported(vec![leaf, LEAF]);
    assert!(same(&decode(kept).unwrap(), &record));
    assert_eq!(bytes(&record), kept);
    let kept = include_bytes!("version-1-precision.bin");
    let record = judged_in(Precision::Int8);
    assert!(same(&decode(kept).unwrap(), &record));
    assert_eq!(bytes(&record), kept);
}

#[test]
fn models_that_were_asked_later_are_told_apart_in_one_section() {
    let mut silent = consulted();
    silent.assessment.consulted[0].answered = false;
    let records = [typical(), consulted(), silent, consulted(), typical()];
    let (mut encoder, mut history) = (Encoder::new(), Vec::new());
    records.iter().for_each(|record| encoder.put(record, &mut history).unwrap());
    let found = scan(&history);
    assert_eq!((found.places.len(), found.gaps.len()), (records.len(), 0));
    for (place, record) in found.places.iter().zip(&records) {
        assert!(same(&found.record(place).unwrap(), record));
    }
}

#[test]
fn one_model_in_several_precisions_is_told_apart_in_one_section() {
    let records = Precision::ALL.map(judged_in);
    let records = [&[typical()], records.as_slice(), &[typical()]].concat();
    let (mut encoder, mut history) = (Encoder::new(), Vec::new());
    records.iter().for_each(|record| encoder.put(record, &mut history).unwrap());
    let found = scan(&history);
    assert_eq!((found.places.len(), found.gaps.len()), (records.len(), 0));
    for (place, record) in found.places.iter().zip(&records) {
        assert!(same(&found.record(place).unwrap(), record));
    }
}

/// A precision costs no record: what is damaged, or a later release's, is told and is not known.
#[test]
fn a_precision_that_cannot_be_read_is_not_known() {
    let (plain, history) = (bytes(&typical()), bytes(&judged_in(Precision::Int8)));
    let (at, length) = (frame::header_at(&plain).unwrap().length, history.len() - plain.len());
    let check = |body: &[u8], cause: GapCause| {
        let mut other = history[..at].to_vec();
        frame::put_frame(&mut other, |out| out.extend_from_slice(body)).unwrap();
        if cause == GapCause::Damaged {
            other[at + 4] ^= 1;
        }
        other.extend_from_slice(&history[at + length..]);
        let found = scan(&other);
        assert_eq!(found.gaps, [Gap { at, bytes: 8 + body.len(), cause }]);
        assert!(same(&found.record(&found.places[0]).unwrap(), &typical()));
    };
    check(&[b'P', 0, 2], GapCause::Damaged);
    check(&[b'P', 0, 3], GapCause::Malformed);
    check(&[b'P', 0, 2, 0], GapCause::Malformed);
    // As a release reads it that does not know the frame.
    check(&[b'?', 0, 2], GapCause::Malformed);
}

#[test]
fn a_precision_changes_nothing_that_was_read_before() {
    let history = with_frame(&[b'P', 0, 2]);
    let found = scan(&history);
    assert!(same(&found.record(&found.places[0]).unwrap(), &typical()));
    assert_eq!(found.gaps.len(), 1);
}

proptest! {
    #[test]
    fn records_read_back_to_the_last_bit(record in any_record()) {
        prop_assert!(same(&decode(&bytes(&record)).unwrap(), &record));
    }

    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes in any::<Vec<u8>>()) {
        prop_assert!(decode(&bytes).is_err());
    }

    /// Bytes with the right checksum may mean anything; what they mean keeps every rule.
    #[test]
    fn any_body_is_a_record_or_an_error(record in any_record(), changes: Vec<(prop::sample::Index, u8)>) {
        let mut body = last_body(&bytes(&record));
        for (place, byte) in changes.into_iter().take(4) {
            let place = place.index(body.len());
            body[place] = byte;
        }
        let mut history = bytes(&record);
        frame::put_frame(&mut history, |out| out.extend_from_slice(&body)).unwrap();
        let found = scan(&history);
        for record in found.places.iter().filter_map(|place| found.record(place).ok()) {
            prop_assert!(same(&decode(&bytes(&record)).unwrap(), &record));
        }
    }

    #[test]
    fn any_frame_is_a_record_or_an_error(body in prop::collection::vec(any::<u8>(), 0..200), kind in 0_usize..5) {
        let mut body = body;
        body.insert(0, [b'M', b'P', b'C', b'R', b'?'][kind]);
        let history = with_frame(&body);
        let found = scan(&history);
        prop_assert!(same(&found.record(&found.places[0]).unwrap(), &typical()));
        for record in found.places.iter().filter_map(|place| found.record(place).ok()) {
            prop_assert!(record.check().is_ok());
        }
    }

    #[test]
    fn records_of_one_section_share_what_they_have_in_common(count in 1_u64..40) {
        let mut encoder = Encoder::new();
        let mut history = Vec::new();
        for number in 0..count {
            encoder.put(&numbered(number), &mut history).unwrap();
        }
        let alone = bytes(&typical()).len();
        prop_assert!(history.len() as u64 <= alone as u64 + (count - 1) * (alone as u64 - 130));
        let found = scan(&history);
        prop_assert_eq!(found.places.len() as u64, count);
    }
}

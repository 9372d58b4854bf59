//! Many records: what is damaged or cut off costs itself and nothing else, and nothing is read as what it was not.

use super::*;
use crate::samples::{any_record, numbered, same, typical};
use assize_domain::Score;
use proptest::prelude::*;
use std::{io, sync::Arc, thread};

fn written(format: Format, numbers: Range<u64>) -> Vec<u8> {
    let mut writer = HistoryWriter::new(Vec::new(), format);
    numbers.for_each(|number| writer.write(&numbered(number)).unwrap());
    writer.into_inner()
}

/// The numbers of the records that can be read, each the one that was written.
fn numbers(bytes: &[u8]) -> Vec<u64> {
    let history = History::open(bytes).unwrap();
    let read = history.records(0..history.len()).filter_map(Result::ok);
    read.map(|record| {
        let number = record.at.0 - typical().at.0;
        assert!(same(&record, &numbered(number)), "{number}");
        number
    })
    .collect()
}

/// Several sections: each record by itself, and one of three.
fn sections() -> Vec<u8> {
    [written(Format::Binary, 0..1), written(Format::Binary, 1..4), written(Format::Binary, 4..5)].concat()
}

#[test]
fn cut_off_anywhere_what_was_whole_is_read_and_more_can_follow() {
    for format in [Format::Binary, Format::JsonLines] {
        let ends: Vec<usize> = (0..=3).map(|count| written(format, 0..count).len()).collect();
        let whole = written(format, 0..3);
        // Every byte of a binary one; of the long lines every so many, and all around their ends.
        let near = |end: &usize| ends.iter().any(|whole| whole.abs_diff(*end) < 3);
        let every = if format == Format::Binary { 1 } else { 97 };
        for end in (0..=whole.len()).filter(|end| end % every == 0 || near(end)) {
            let cut = &whole[..end];
            // A line of JSON is whole without its line feed.
            let count =
                ends.iter().skip(1).filter(|whole| end + usize::from(format == Format::JsonLines) >= **whole);
            let before: Vec<u64> = (0..count.count() as u64).collect();
            assert_eq!(numbers(cut), before, "{format:?} {end}");
            let mut longer = HistoryWriter::append(cut.to_vec(), format);
            (7..9).for_each(|number| longer.write(&numbered(number)).unwrap());
            assert_eq!(numbers(&longer.into_inner()), [before, vec![7, 8]].concat(), "{format:?} {end}");
        }
    }
}

#[test]
fn a_cut_is_told() {
    let whole = written(Format::Binary, 0..2);
    let first = written(Format::Binary, 0..1).len();
    for end in first + 1..whole.len() {
        let history = History::open(&whole[..end]).unwrap();
        let gap = Gap { at: first, bytes: end - first, cause: GapCause::CutOff };
        assert_eq!(history.gaps(), [gap]);
    }
    assert!(History::open(&whole).unwrap().gaps().is_empty());
    for end in 1..first {
        let open = written(Format::Binary, 0..1);
        let history = History::open(&open[..end]).unwrap();
        assert!(
            history.is_empty() && history.gaps().iter().all(|gap| gap.cause == GapCause::CutOff),
            "{end}"
        );
    }
    let lines = written(Format::JsonLines, 0..2);
    let history = History::open(&lines[..lines.len() - 9]).unwrap();
    let first = written(Format::JsonLines, 0..1).len();
    let gap = Gap { at: first, bytes: lines.len() - 9 - first, cause: GapCause::CutOff };
    assert_eq!(history.gaps(), [gap]);
    assert_eq!(
        gap.to_string(),
        format!(
            "{} bytes of the history, from byte {first} on, were cut off while they were written",
            gap.bytes
        )
    );
}

#[test]
fn one_flipped_bit_is_noticed_and_costs_one_record_or_what_stands_on_it() {
    let bytes = sections();
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        let history = History::open(&flipped).unwrap();
        assert_eq!(history.gaps().len(), 1, "byte {place}");
        let read = numbers(&flipped);
        assert!(read.is_sorted() && (2..5).contains(&read.len()), "byte {place}: {read:?}");
    }
}

#[test]
fn a_damaged_record_costs_no_other() {
    let ends: Vec<usize> = (1..=4).map(|count| written(Format::Binary, 0..count).len()).collect();
    let mut bytes = written(Format::Binary, 0..4);
    bytes[ends[0] + 100] ^= 1;
    assert_eq!(numbers(&bytes), [0, 2, 3]);
    let gap = Gap { at: ends[0], bytes: ends[1] - ends[0], cause: GapCause::Damaged };
    assert_eq!(History::open(&bytes).unwrap().gaps(), [gap]);
}

#[test]
fn a_stretch_of_zeros_is_passed_over() {
    let mut bytes = sections();
    let start = written(Format::Binary, 0..1).len() + 50;
    bytes[start..start + 700].fill(0);
    assert_eq!(numbers(&bytes), [0, 4]);
}

#[test]
fn a_damaged_model_is_not_taken_for_another() {
    let mut other = numbered(1);
    other.assessment.model.name = "another".into();
    let mut writer = HistoryWriter::new(Vec::new(), Format::Binary);
    writer.write(&numbered(0)).unwrap();
    writer.write(&other).unwrap();
    writer.write(&numbered(2)).unwrap();
    let mut bytes = writer.into_inner();
    let name = bytes.windows(7).position(|window| window == b"another").unwrap();
    bytes[name] ^= 1;
    let history = History::open(&bytes).unwrap();
    assert!(matches!(history.record(1), Some(Err(RecordError::Missing { kind: "model", number: 1 }))));
    assert_eq!(numbers(&bytes), [0, 2]);
}

/// A place that takes so many bytes, gives out, and then takes all.
struct GivesOutOnce {
    taken: Vec<u8>,
    left: Option<usize>,
}

impl io::Write for GivesOutOnce {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = match self.left {
            Some(0) => {
                self.left = None;
                return Err(io::Error::other("full"));
            }
            Some(left) => left.min(bytes.len()),
            None => bytes.len(),
        };
        self.left = self.left.map(|left| left - count);
        self.taken.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_a_place_gave_out_the_next_record_can_be_read() {
    for format in [Format::Binary, Format::JsonLines] {
        let first = written(format, 0..1).len();
        for left in [0, 1, first / 2, first, first + 1, first + 300] {
            let place = GivesOutOnce { taken: Vec::new(), left: Some(left) };
            let mut writer = HistoryWriter::new(place, format);
            let outcomes: Vec<_> = (0..4).map(|number| writer.write(&numbered(number))).collect();
            let arrived = (0..4).zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
            let arrived: Vec<u64> = arrived.map(|(number, _)| number).collect();
            assert_eq!(
                (arrived.len(), numbers(&writer.into_inner().taken)),
                (3, arrived),
                "{format:?} {left}"
            );
        }
    }
}

#[test]
fn a_long_history_can_be_read_in_blocks_and_by_threads() {
    for (format, count) in [(Format::Binary, 2500), (Format::JsonLines, 40)] {
        let bytes = written(format, 0..count);
        for size in [5_000, 100_000, 10_000_000] {
            let blocks: Vec<Block> = Blocks::with_size(&*bytes, size).collect::<Result<_, _>>().unwrap();
            let read = |block: &Block| {
                let history = block.history().unwrap();
                assert!(history.gaps().is_empty() && history.format() == format);
                history.records(0..usize::MAX).map(|record| record.unwrap().at.0).collect::<Vec<_>>()
            };
            let all: Vec<u64> = blocks.iter().flat_map(read).collect();
            assert!(all.iter().copied().eq((0..count).map(|number| typical().at.0 + number)), "{format:?}");
            assert_eq!(blocks.iter().map(Block::at).next_back().unwrap() == 0, blocks.len() == 1);
        }
        let history = History::open(&bytes).unwrap();
        let read = |range| history.records(range).filter(Result::is_ok).count();
        let half = history.len() / 2;
        let halves = thread::scope(|scope| {
            let halves = [0..half, half..history.len()].map(|range| scope.spawn(|| read(range)));
            halves.map(|half| half.join().unwrap())
        });
        assert_eq!(halves, [half, half]);
    }
}

#[test]
fn damage_is_told_by_its_place_in_the_whole() {
    let first = [written(Format::Binary, 0..1), written(Format::Binary, 1..2)].concat();
    let mut bytes = [first.clone(), written(Format::Binary, 2..3)].concat();
    let at = bytes.len() - 5;
    bytes[at] ^= 1;
    let gaps = |block: &Block| block.history().unwrap().gaps().to_vec();
    let blocks: Vec<Block> = Blocks::with_size(&*bytes, 600).collect::<Result<_, _>>().unwrap();
    assert!(blocks.len() > 1);
    let found: Vec<Gap> = blocks.iter().flat_map(gaps).collect();
    assert_eq!(found, History::open(&bytes).unwrap().gaps());
    assert!(found[0].at > first.len());
    let bytes = [written(Format::JsonLines, 0..6), b"{}\n".to_vec()].concat();
    let blocks: Vec<Block> = Blocks::with_size(&*bytes, 600).collect::<Result<_, _>>().unwrap();
    assert!(blocks.len() > 1);
    let last = blocks.last().unwrap().history().unwrap();
    let error = last.record(last.len() - 1).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "line 7");
}

#[test]
fn what_another_release_wrote_is_passed_over_and_told() {
    let ours = written(Format::Binary, 0..1);
    let mut foreign = written(Format::Binary, 1..3);
    foreign[8] = 7;
    let taxonomy = usize::from(foreign[9]);
    let checked = 10 + taxonomy;
    let checksum = crc32fast::hash(&foreign[..checked]).to_le_bytes();
    foreign[checked..checked + 4].copy_from_slice(&checksum);
    let bytes = [ours.clone(), foreign.clone(), written(Format::Binary, 3..4)].concat();
    assert_eq!(numbers(&bytes), [0, 3]);
    let gap = Gap { at: ours.len(), bytes: foreign.len(), cause: GapCause::Foreign };
    assert_eq!(History::open(&bytes).unwrap().gaps(), [gap]);
    assert!(gap.to_string().contains("of another version or taxonomy"));
    assert_eq!(History::open(&foreign).unwrap().gaps().len(), 1);
}

#[test]
fn records_share_their_model_across_sections() {
    let bytes = written(Format::Binary, 0..2100);
    let history = History::open(&bytes).unwrap();
    let name = |place| history.record(place).unwrap().unwrap().assessment.model.name;
    assert!(Arc::ptr_eq(&name(0), &name(2099)));
    assert_eq!(bytes.windows(8).filter(|window| **window == binary::MAGIC).count(), 3);
}

#[test]
fn operating_points_are_kept_to_the_last_bit() {
    let mut other = numbered(1);
    let zero = |zero| assize_domain::OperatingPoints::new([Score::new(zero).unwrap(); 4]);
    let mut writer = HistoryWriter::new(Vec::new(), Format::Binary);
    for sign in [0.0, -0.0, 0.0] {
        other.assessment.operating_points = zero(sign);
        writer.write(&other).unwrap();
    }
    let bytes = writer.into_inner();
    let history = History::open(&bytes).unwrap();
    let read = history.records(0..3).map(Result::unwrap);
    let signs: Vec<_> = read.map(|record| record.assessment.operating_points == zero(0.0)).collect();
    assert_eq!(signs, [true; 3]);
    assert!(same(&history.record(2).unwrap().unwrap(), &other));
    other.assessment.operating_points = zero(-0.0);
    assert!(same(&history.record(1).unwrap().unwrap(), &other));
}

#[test]
fn the_format_shows_in_the_first_bytes() {
    let check = |bytes: &[u8], format: Format, count: usize| {
        let history = History::open(bytes).unwrap();
        assert_eq!((history.format(), history.len()), (format, count));
    };
    check(b"", Format::JsonLines, 0);
    check(b" \n\n", Format::JsonLines, 0);
    check(&written(Format::JsonLines, 0..2), Format::JsonLines, 2);
    check(&[b"\n\r\n ", written(Format::JsonLines, 0..2).as_slice(), b"\r\n"].concat(), Format::JsonLines, 2);
    check(&written(Format::Binary, 0..2), Format::Binary, 2);
    check(&[b"junk", written(Format::Binary, 0..2).as_slice()].concat(), Format::Binary, 2);
    for other in ["id,score\n1,0.5\n", "PK\x03\x04", "[]"] {
        assert!(matches!(History::open(other.as_bytes()), Err(RecordError::UnknownFormat)), "{other}");
    }
}

#[test]
fn a_line_that_is_no_record_is_named() {
    let bytes =
        [written(Format::JsonLines, 0..1), b"\n{\"version\":1}\n".to_vec(), written(Format::JsonLines, 1..2)];
    let bytes = bytes.concat();
    let history = History::open(&bytes).unwrap();
    let error = history.record(1).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "line 3");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("missing field"));
    assert_eq!(numbers(&bytes), [0, 1]);
}

proptest! {
    #[test]
    fn histories_read_back(records in prop::collection::vec(any_record(), 0..12)) {
        for format in [Format::Binary, Format::JsonLines] {
            let mut writer = HistoryWriter::new(Vec::new(), format);
            records.iter().for_each(|record| writer.write(record).unwrap());
            let bytes = writer.into_inner();
            let history = History::open(&bytes).unwrap();
            prop_assert_eq!((history.len(), history.gaps().len()), (records.len(), 0));
            let read = history.records(0..records.len()).map(Result::unwrap);
            prop_assert!(read.zip(&records).all(|(read, record)| same(&read, record)));
        }
    }

    /// Whatever happens to a history's bytes: no record is read that was not written, and gaps are in order.
    #[test]
    fn any_damage_is_survived(damage: Vec<(prop::sample::Index, u8)>, cut: prop::sample::Index, from: prop::sample::Index) {
        let mut bytes = sections();
        for (place, byte) in damage.into_iter().take(6) {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let removed = from.index(bytes.len());
        let end = (removed + cut.index(300)).min(bytes.len());
        bytes.drain(removed..end);
        let Ok(history) = History::open(&bytes) else { return Ok(()) };
        let gaps = history.gaps();
        prop_assert!(gaps.windows(2).all(|pair| pair[0].at + pair[0].bytes <= pair[1].at));
        prop_assert!(gaps.iter().all(|gap| gap.bytes > 0 && gap.at + gap.bytes <= bytes.len()));
        prop_assert!(numbers(&bytes).is_sorted());
    }

    #[test]
    fn any_bytes_are_a_history_or_an_error(start in 0_usize..3, bytes in any::<Vec<u8>>()) {
        let start: &[u8] = [b"".as_slice(), &binary::MAGIC, b"{"][start];
        if let Ok(history) = History::open(&[start, &bytes].concat()) {
            prop_assert!(history.records(0..history.len()).all(|record| record.is_err()));
        }
    }
}

//! Cuts long text into windows that overlap, so that nothing is read only at a window's edge.

use assize_domain::Coverage;
use std::ops::Range;

/// Tokens of a short end: a long sentence or two.
const SHORT: usize = 64;
/// A text with fewer tokens is read in whole windows only: a sentence weighs enough there.
const LONG: usize = 160;

/// Neighbouring windows share a quarter: a sentence or two on chat text.
const OVERLAP: usize = 4;

/// Windows of at most `capacity` tokens over `tokens`, at most `max_windows` of them.
///
/// Where they are too few, the first and the last parts are read: instructions stand at the beginning or at the end.
/// Empty text has one empty window, so that every judged subject has a sequence.
pub(super) fn cut(tokens: usize, capacity: usize, max_windows: usize) -> (Vec<Range<usize>>, Coverage) {
    if tokens <= capacity {
        let whole = Range { start: 0, end: tokens };
        return (Vec::from([whole]), Coverage { tokens, judged: tokens, unknown: 0, windows: 1 });
    }
    let stride = (capacity - capacity / OVERLAP).max(1);
    let needed = (tokens - capacity).div_ceil(stride) + 1;
    let start = |index: usize| (index * stride).min(tokens - capacity);
    let (head, tail) = if needed <= max_windows {
        (needed, 0)
    } else {
        (max_windows.max(1).div_ceil(2), max_windows.max(1) / 2)
    };
    let chosen = (0..head).chain(needed - tail..needed);
    let windows: Vec<Range<usize>> = chosen.map(|index| start(index)..start(index) + capacity).collect();
    let mut judged = 0;
    let mut read_to = 0;
    for window in &windows {
        judged += window.end - window.start.max(read_to);
        read_to = window.end;
    }
    let coverage = Coverage { tokens, judged, unknown: 0, windows: windows.len() };
    (windows, coverage)
}

/// The beginning and the end of `ids`, `room` tokens together; all of it where it fits.
pub(super) fn ends(ids: &[u32], room: usize) -> Vec<u32> {
    if ids.len() <= room {
        return ids.to_vec();
    }
    let head = room.div_ceil(2);
    let tail = ids.len() - (room - head);
    [ids.get(..head).unwrap_or_default(), ids.get(tail..).unwrap_or_default()].concat()
}

/// How many of a pair's `capacity` tokens its prompt may have: its share, and what the response leaves free.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share between 0 and 1 of a few hundred tokens"
)]
pub(super) fn prompt_room(capacity: usize, response: usize, share: f32) -> usize {
    let share = (capacity as f32 * share) as usize;
    share.max(capacity.saturating_sub(response))
}

/// The first and the last tokens of a longer text, read by themselves besides the windows: requests stand there, and a
/// window averages one sentence among two hundred words away. None for a text that is not much longer.
pub(super) fn short_ends(tokens: usize) -> Vec<Range<usize>> {
    if tokens < LONG { Vec::new() } else { Vec::from([0..SHORT, tokens - SHORT..tokens]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_that_fits_is_one_window() {
        assert_eq!(
            cut(0, 10, 3),
            (
                Vec::from([Range { start: 0, end: 0 }]),
                Coverage { tokens: 0, judged: 0, unknown: 0, windows: 1 }
            )
        );
        assert_eq!(
            cut(10, 10, 3),
            (
                Vec::from([Range { start: 0, end: 10 }]),
                Coverage { tokens: 10, judged: 10, unknown: 0, windows: 1 }
            )
        );
    }

    #[test]
    fn long_text_has_overlapping_windows_up_to_its_end() {
        let (windows, coverage) = cut(20, 8, 9);
        assert_eq!(windows, [0..8, 6..14, 12..20]);
        assert_eq!(coverage, Coverage { tokens: 20, judged: 20, unknown: 0, windows: 3 });
    }

    #[test]
    fn too_long_text_is_read_at_both_ends_and_says_so() {
        let (windows, coverage) = cut(100, 8, 3);
        assert_eq!(windows, [0..8, 6..14, 92..100]);
        assert_eq!(coverage, Coverage { tokens: 100, judged: 22, unknown: 0, windows: 3 });
    }

    #[test]
    fn a_long_text_has_two_short_ends_besides_its_windows() {
        assert!(short_ends(0).is_empty() && short_ends(LONG - 1).is_empty());
        assert_eq!(short_ends(LONG), [0..64, 96..160]);
        assert_eq!(short_ends(1000), [0..64, 936..1000]);
    }

    #[test]
    fn ends_keep_the_beginning_and_the_end() {
        assert_eq!(ends(&[1, 2, 3, 4, 5], 3), [1, 2, 5]);
        assert_eq!(ends(&[1, 2], 3), [1, 2]);
        assert_eq!(ends(&[1, 2], 0), [0_u32; 0]);
    }

    proptest! {
        #[test]
        fn windows_stay_within_text_and_limits_and_coverage_counts_each_token_once(
            tokens in 0_usize..3000, capacity in 1_usize..600, most in 1_usize..12,
        ) {
            let (windows, coverage) = cut(tokens, capacity, most);
            let mut seen = vec![false; tokens];
            prop_assert!(windows.len() <= most && windows.len() == coverage.windows);
            for window in windows {
                prop_assert!(window.len() <= capacity && window.end <= tokens);
                seen[window].fill(true);
            }
            prop_assert_eq!(seen.iter().filter(|seen| **seen).count(), coverage.judged);
            prop_assert!(tokens == 0 || seen.first() == Some(&true) && (most == 1 || seen.last() == Some(&true)));
        }

        #[test]
        fn a_pair_fits_whatever_its_parts(prompt in 0_usize..900, response in 0_usize..900, share in 0.0_f32..1.0) {
            let room = prompt_room(509, response, share);
            let kept = ends(&vec![7; prompt], room).len();
            prop_assert!(kept <= 509);
            let (windows, _) = cut(response, 509 - kept, 4);
            prop_assert!(windows.iter().all(|window| window.len() + kept <= 509));
        }
    }
}

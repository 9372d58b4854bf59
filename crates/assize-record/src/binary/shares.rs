//! Shares in bytes, both ways: a byte for each place where there are few; where there are many, of which most have
//! nothing, a bit for each place and a byte for each that has something.
//!
//! Which places have something is as good as random, and most of a record is shares. So eight places at a time are spread
//! without a branch, from a table: a third of the instructions that a loop over the places takes.

use super::cursor::{Cursor, Malformed};
use assize_domain::Shares;

const SUM: Malformed = Malformed("shares don't sum to 255");
const BEYOND: Malformed = Malformed("a share is beyond its taxonomy");

/// Places that are spread together.
const GROUP: usize = 8;

/// Groups of the largest taxonomy that is shared out over sparsely: 24 severities.
const MOST_GROUPS: usize = 3;

/// How bytes are spread over the places that a mask has.
#[derive(Clone, Copy)]
struct Spread {
    /// Which bytes have moved up by 4, by 2 and by 1 places, each as eight bits set.
    moved: [u64; 3],
    /// Which places have something, each as eight bits set.
    places: u64,
    /// How many have.
    count: u8,
}

/// By mask.
static SPREADS: [Spread; 256] = spreads();

/// SOURCE: Warren, Hacker's Delight, 7-5 "Expand", with bytes for bits.
#[expect(clippy::indexing_slicing, reason = "runs while compiling, where a wrong place is an error")]
const fn spreads() -> [Spread; 256] {
    let mut all = [Spread { moved: [0; 3], places: 0, count: 0 }; 256];
    let mut mask = 0_u8;
    loop {
        let mut moved = [0; 3];
        let (mut left, mut holes) = (mask, !mask << 1);
        let mut step = 0;
        while step < moved.len() {
            // A bit is set where the number of holes below it is odd: it moves by this power of 2.
            let mut odd = holes ^ (holes << 1);
            odd ^= odd << 2;
            odd ^= odd << 4;
            let moves = odd & left;
            left = (left ^ moves) | (moves >> (1 << step));
            holes &= !odd;
            moved[moved.len() - 1 - step] = bytes_of(moves);
            step += 1;
        }
        all[mask as usize] =
            Spread { moved, places: bytes_of(mask), count: mask.count_ones().to_le_bytes()[0] };
        if mask == u8::MAX {
            return all;
        }
        mask += 1;
    }
}

/// All eight bits of a byte for each bit.
const fn bytes_of(mask: u8) -> u64 {
    let (mut bytes, mut place) = (0, 0);
    while place < GROUP {
        if mask >> place & 1 == 1 {
            bytes |= 0xff << (8 * place);
        }
        place += 1;
    }
    bytes
}

/// The first bytes, each at the next place of the mask, zeros elsewhere; and how many they are.
fn spread(packed: [u8; GROUP], mask: u8) -> ([u8; GROUP], usize) {
    let Some(Spread { moved: [by_4, by_2, by_1], places, count }) = SPREADS.get(usize::from(mask)) else {
        return ([0; GROUP], 0);
    };
    let mut bytes = u64::from_le_bytes(packed);
    bytes = (bytes & !by_4) | (bytes << 32 & by_4);
    bytes = (bytes & !by_2) | (bytes << 16 & by_2);
    bytes = (bytes & !by_1) | (bytes << 8 & by_1);
    ((bytes & places).to_le_bytes(), usize::from(*count))
}

pub(super) fn put_sparse<const N: usize>(out: &mut Vec<u8>, shares: &Shares<N>) {
    let groups = || shares.bytes().chunks(GROUP);
    out.extend(groups().map(|group| {
        let bits = group.iter().enumerate().map(|(place, share)| u8::from(*share > 0) << place);
        bits.fold(0, |mask, bit| mask | bit)
    }));
    out.extend(shares.bytes().iter().filter(|share| **share > 0));
}

pub(super) fn sparse<const N: usize>(from: &mut Cursor<'_>) -> Result<Shares<N>, Malformed> {
    let mut places = [[0; GROUP]; MOST_GROUPS];
    for (group, mask) in places.iter_mut().zip(from.bytes(N.div_ceil(GROUP))?) {
        let (spread, count) = spread(from.next(), *mask);
        from.bytes(count)?;
        *group = spread;
    }
    let (shares, beyond) = places.as_flattened().split_first_chunk().ok_or(BEYOND)?;
    if beyond.iter().any(|share| *share > 0) {
        return Err(BEYOND);
    }
    Shares::from_bytes(*shares).ok_or(SUM)
}

/// The first `places`; none beyond has anything.
pub(super) fn put_dense<const N: usize>(out: &mut Vec<u8>, shares: &Shares<N>, places: usize) {
    out.extend(shares.bytes().iter().take(places));
}

pub(super) fn dense<const N: usize>(from: &mut Cursor<'_>, places: usize) -> Result<Shares<N>, Malformed> {
    let mut shares = [0; N];
    let given = from.bytes(places)?;
    shares.iter_mut().zip(given).for_each(|(place, share)| *place = *share);
    Shares::from_bytes(shares).ok_or(SUM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_to_the_places_of_the_mask() {
        let packed = [11, 12, 13, 14, 15, 16, 17, 18];
        for mask in 0..=u8::MAX {
            let mut next = packed.into_iter();
            let expected: Vec<u8> =
                (0..8).map(|place| if mask >> place & 1 == 1 { next.next().unwrap() } else { 0 }).collect();
            let (spread, count) = spread(packed, mask);
            assert_eq!((spread.as_slice(), count), (&*expected, mask.count_ones() as usize), "{mask:#010b}");
        }
    }

    fn check(bytes: &[u8], expected: Result<[u8; 15], Malformed>) {
        let mut from = Cursor(bytes);
        assert_eq!(sparse::<15>(&mut from).map(|shares| *shares.bytes()), expected, "{bytes:?}");
    }

    #[test]
    fn sparse_shares_are_checked() {
        check(&[0b0000_0101, 0b0100_0000, 5, 50, 200], Ok([5, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200]));
        check(&[0, 1, 255], Ok([0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0]));
        check(&[0, 1, 254], Err(SUM));
        check(&[0, 0], Err(SUM));
        check(&[0, 0b1000_0001, 5, 250], Err(BEYOND));
        check(&[3, 0, 255], Err(Malformed("it ends too early")));
    }
}

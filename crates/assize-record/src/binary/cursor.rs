//! Reading from the front of bytes, never past their end.

use crate::RecordError;
use assize_domain::{Digest, Score};

/// Sound bytes that mean nothing, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

impl From<Malformed> for RecordError {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed { what }
    }
}

const SHORT: Malformed = Malformed("it ends too early");
const VARINT: Malformed = Malformed("a number has more than 64 bits");
const SCORE: Malformed = Malformed("a score is outside 0 to 1");

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.0.split_first_chunk().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (first, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(first)
    }

    /// The next bytes, with zeros where there are no more. None is taken.
    pub(super) fn next<const N: usize>(&self) -> [u8; N] {
        self.0.first_chunk().copied().unwrap_or_else(|| {
            let mut next = [0; N];
            next.iter_mut().zip(self.0).for_each(|(to, from)| *to = *from);
            next
        })
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(VARINT);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(VARINT)
    }

    pub(super) fn size(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.varint()?).map_err(|_| VARINT)
    }

    pub(super) fn score(&mut self) -> Result<Score, Malformed> {
        Score::new(f32::from_le_bytes(self.array()?)).map_err(|_| SCORE)
    }

    pub(super) fn scores<const N: usize>(&mut self) -> Result<[Score; N], Malformed> {
        let mut scores = [Score::new(0.0).map_err(|_| SCORE)?; N];
        for place in &mut scores {
            *place = self.score()?;
        }
        Ok(scores)
    }

    pub(super) fn digest(&mut self) -> Result<Digest, Malformed> {
        self.array().map(Digest::new)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("something follows its end")) }
    }
}

/// Appends a varint.
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<u64, Malformed>) {
        assert_eq!(Cursor(bytes).varint(), expected, "{bytes:?}");
    }

    #[test]
    fn varints_read_back() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            check(&bytes, Ok(number));
            check(&bytes[..bytes.len() - 1], Err(SHORT));
        }
    }

    #[test]
    fn numbers_beyond_64_bits_are_refused() {
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], Err(VARINT));
        check(&[0x80; 11], Err(VARINT));
    }
}

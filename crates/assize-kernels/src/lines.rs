//! Memory in cache lines, so that a kernel's vectors never straddle two.

use bytemuck::{Pod, Zeroable};

/// Bytes of a cache line, which is also the widest vector.
pub(crate) const LINE: usize = 64;

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

#[expect(unsafe_code, reason = "bytemuck's markers; the type is an array of bytes")]
// SAFETY: an array of bytes without padding; every pattern of bits is one.
unsafe impl Zeroable for Line {}
#[expect(unsafe_code, reason = "bytemuck's markers; the type is an array of bytes")]
// SAFETY: 64 bytes, aligned to 64: no padding; Copy and 'static.
unsafe impl Pod for Line {}

/// Numbers of one kind from the start of a cache line on; only grows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    /// Zeros.
    pub(crate) fn zeroed(bytes: usize) -> Self {
        Self(vec![Line([0; LINE]); bytes.div_ceil(LINE)])
    }

    /// Makes room for at least so many bytes; what is in them is not said.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        let lines = bytes.div_ceil(LINE);
        if lines > self.0.len() {
            self.0.resize(lines, Line([0; LINE]));
        }
    }

    /// As numbers.
    pub(crate) fn of<T: Pod>(&self) -> &[T] {
        bytemuck::cast_slice(&self.0)
    }

    /// As numbers.
    pub(crate) fn of_mut<T: Pod>(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

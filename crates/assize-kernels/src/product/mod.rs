//! Some rows times one panel of 64 outputs: the loops that all the time is spent in, one file for each set of
//! instructions. `plain` says what they compute.
//!
//! The vector kernels read through pointers: a check in the innermost loop would cost as much as the work. What they rely
//! on is checked once for each panel, here.
#![expect(unsafe_code, reason = "vector instructions and unchecked reads, checked as a whole by `run`")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod plain;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::mask;

use crate::kernel::Kernel;
use crate::linear::{Into, PANEL};
use crate::rows::Rows;

/// One panel's work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) rows: &'a Rows,
    /// `words * PANEL` words.
    pub(crate) panel: &'a [u32],
    /// `PANEL` numbers each.
    pub(crate) scales: &'a [f32],
    pub(crate) offsets: &'a [f32],
    pub(crate) bias: &'a [f32],
    /// Where the panel's first output goes in a row of the result.
    pub(crate) column: usize,
    /// Numbers in a row of the result.
    pub(crate) width: usize,
    pub(crate) into: Into,
}

/// Checks what the kernels rely on and runs the one that the layer was packed for.
///
/// `out` is `rows.count() * width` numbers. Nothing is done where a length does not fit, which is a defect of the caller.
pub(crate) fn run(kernel: Kernel, task: &Task<'_>, out: &mut [f32]) {
    let Task { rows, panel, scales, offsets, bias, column, width, .. } = *task;
    let (count, words) = (rows.count(), rows.words());
    let fits = panel.len() == words * PANEL
        && [scales.len(), offsets.len(), bias.len()] == [PANEL; 3]
        && rows.numbers().len() == count * words
        && rows.scales().len() == count
        && column < width
        && out.len() == count * width;
    debug_assert!(fits, "a panel that does not fit its layer");
    if !fits {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    match kernel {
        // SAFETY: `Linear::pack` makes layers for available kernels alone; the lengths were checked above.
        Kernel::F32Avx512 => return unsafe { avx512::f32(task, out) },
        // SAFETY: as above.
        Kernel::Bf16Avx512 => return unsafe { avx512::bf16(task, out) },
        // SAFETY: as above.
        Kernel::Int8Avx512Vnni => return unsafe { avx512::int8(task, out) },
        // SAFETY: as above.
        Kernel::F32Avx2 => return unsafe { avx2::f32(task, out) },
        // SAFETY: as above.
        Kernel::Int8AvxVnni => return unsafe { avx2::int8(task, out) },
        Kernel::F32Plain | Kernel::Bf16Plain | Kernel::Int8Plain => {}
    }
    plain::run(kernel.precision(), task, out);
}

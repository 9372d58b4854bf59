//! Rows of f32 to the number types of the kernels. Plain code, compiled for each set of instructions.

use crate::kernel::Kernel;

/// 1.5 * 2^23: a number below 2^22 in size that is added to it is rounded to a whole one (nearest, ties to even), which
/// then stands in the lowest bits.
const MAGIC: f32 = 12_582_912.0;
/// Bits of infinity; larger ones without the sign are NaN.
const INFINITY: u32 = 0x7f80_0000;

/// What a row's numbers are made of: `lowest + step * whole number`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// What one step is worth; 1 but for int8.
    pub(crate) step: f32,
    /// What 0 stands for; 0 but for int8.
    pub(crate) lowest: f32,
}

impl Scale {
    pub(crate) const ONE: Self = Self { step: 1.0, lowest: 0.0 };
}

/// The row in bytes from its lowest number (0) to its highest (255), four in a word. NaN for a row with a number that is
/// not finite.
///
/// From lowest to highest and not around 0: what comes out of GELU lies on one side, where half of the steps would be
/// wasted.
#[inline(always)]
fn int8(x: &[f32], out: &mut [u32]) -> Scale {
    // As whole numbers in the same order, whose comparisons the compiler turns into vectors.
    let (mut least, mut most) = (i32::MAX, i32::MIN);
    for x in x {
        let key = in_order(x.to_bits().cast_signed());
        least = least.min(key);
        most = most.max(key);
    }
    if most >= INFINITY.cast_signed() || least <= in_order((INFINITY | 0x8000_0000).cast_signed()) {
        return Scale { step: f32::NAN, lowest: f32::NAN };
    }
    let (lowest, highest) = (number(least), number(most));
    // Halves, because the difference of two large numbers may be none.
    let step = ((highest * 0.5 - lowest * 0.5) / 127.5).max(f32::MIN_POSITIVE);
    let (steps, bytes): (f32, &mut [u8]) = (step.recip(), bytemuck::cast_slice_mut(out));
    for (byte, x) in bytes.iter_mut().zip(x) {
        let [low, ..] = ((x - lowest) * steps + MAGIC).to_bits().to_le_bytes();
        *byte = low;
    }
    Scale { step, lowest }
}

/// A number's bits to a whole number that is as much larger as the number is; and back by the same way.
#[inline(always)]
const fn in_order(bits: i32) -> i32 {
    bits ^ ((bits >> 31) & 0x7fff_ffff)
}

#[inline(always)]
const fn number(key: i32) -> f32 {
    f32::from_bits(in_order(key).cast_unsigned())
}

/// The row in bf16, rounded to nearest even, two in a number.
#[inline(always)]
fn bf16(x: &[f32], out: &mut [u32]) {
    let out: &mut [u16] = bytemuck::cast_slice_mut(out);
    for (out, x) in out.iter_mut().zip(x) {
        *out = bf16_of(*x);
    }
}

/// To nearest even; a NaN stays one.
#[inline(always)]
pub(crate) fn bf16_of(x: f32) -> u16 {
    let bits = x.to_bits();
    let odd = (bits >> 16) & 1;
    let is_nan = bits & 0x7fff_ffff > INFINITY;
    let rounded = if is_nan { bits | 0x0040_0000 } else { bits.wrapping_add(0x7fff + odd) };
    let [_, _, low, high] = rounded.to_le_bytes();
    u16::from_le_bytes([low, high])
}

#[inline(always)]
fn row(kernel: Kernel, x: &[f32], out: &mut [u32]) -> Scale {
    match kernel {
        Kernel::F32Avx512 | Kernel::F32Avx2 | Kernel::F32Plain => {
            for (out, x) in out.iter_mut().zip(x) {
                *out = x.to_bits();
            }
            Scale::ONE
        }
        Kernel::Bf16Avx512 | Kernel::Bf16Plain => {
            bf16(x, out);
            Scale::ONE
        }
        Kernel::Int8Avx512Vnni | Kernel::Int8AvxVnni | Kernel::Int8Plain => int8(x, out),
    }
}

#[inline(always)]
fn rows(kernel: Kernel, x: &[f32], width: usize, out: &mut [u32], scales: &mut [Scale]) {
    let words = out.len() / scales.len().max(1);
    let rows = x.chunks_exact(width).zip(out.chunks_exact_mut(words.max(1)));
    for ((x, out), scale) in rows.zip(scales) {
        *scale = row(kernel, x, out);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
fn rows_avx512(kernel: Kernel, x: &[f32], width: usize, out: &mut [u32], scales: &mut [Scale]) {
    rows(kernel, x, width, out, scales);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn rows_avx2(kernel: Kernel, x: &[f32], width: usize, out: &mut [u32], scales: &mut [Scale]) {
    rows(kernel, x, width, out, scales);
}

/// Rows of `width` numbers in the kernel's number type, and what each row is made of.
///
/// The kernel must be available.
pub(crate) fn fill(kernel: Kernel, x: &[f32], width: usize, out: &mut [u32], scales: &mut [Scale]) {
    #[cfg(target_arch = "x86_64")]
    match kernel {
        Kernel::F32Avx512 | Kernel::Bf16Avx512 | Kernel::Int8Avx512Vnni => {
            #[expect(unsafe_code, reason = "compiled for instructions that the kernel has")]
            // SAFETY: the kernel is available, which needs all of these instructions (AVX-512F brings AVX2 and FMA).
            unsafe {
                rows_avx512(kernel, x, width, out, scales);
            }
            return;
        }
        Kernel::F32Avx2 | Kernel::Int8AvxVnni => {
            #[expect(unsafe_code, reason = "compiled for instructions that the kernel has")]
            // SAFETY: the kernel is available, which needs AVX2 and FMA.
            unsafe {
                rows_avx2(kernel, x, width, out, scales);
            }
            return;
        }
        Kernel::F32Plain | Kernel::Bf16Plain | Kernel::Int8Plain => {}
    }
    rows(kernel, x, width, out, scales);
}

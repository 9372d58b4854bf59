//! Activations in a kernel's number type.

use crate::kernel::{Kernel, Precision};
use crate::lines::Lines;
use crate::quantise::{self, Scale};

/// Some rows of activations as one kernel takes them. Made once for each thread and filled anew for each product.
#[derive(Debug)]
pub struct Rows {
    kernel: Kernel,
    width: usize,
    words: usize,
    scales: Vec<Scale>,
    numbers: Lines,
}

impl Rows {
    /// None yet.
    pub fn new(kernel: Kernel) -> Self {
        // An unavailable kernel would run instructions that are not there.
        let kernel = if kernel.is_available() { kernel } else { plain(kernel.precision()) };
        Self { kernel, width: 0, words: 0, scales: Vec::new(), numbers: Lines::default() }
    }

    /// Takes rows of `width` numbers, end to end; what is left over at the end of `x` is not read. A width that does not
    /// fill whole words of 32 bits leaves no rows.
    pub fn fill(&mut self, x: &[f32], width: usize) {
        let in_word = in_word(self.kernel.precision());
        let fits = width > 0 && width.is_multiple_of(in_word);
        let count = if fits { x.len() / width } else { 0 };
        self.width = width;
        self.words = width / in_word;
        self.scales.resize(count, Scale::ONE);
        self.numbers.reserve(count * self.words * size_of::<u32>());
        let out = self.numbers.of_mut::<u32>().get_mut(..count * self.words).unwrap_or_default();
        quantise::fill(self.kernel, x, width.max(1), out, &mut self.scales);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.scales.len()
    }

    /// Numbers in each.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Whose number type they are in.
    pub const fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Words of 32 bits in each.
    pub(crate) const fn words(&self) -> usize {
        self.words
    }

    /// `count() * words()` words: 1, 2 or 4 numbers in each, the first in the lowest bits.
    pub(crate) fn numbers(&self) -> &[u32] {
        self.numbers.of::<u32>().get(..self.count() * self.words).unwrap_or_default()
    }

    /// What each row is made of.
    pub(crate) fn scales(&self) -> &[Scale] {
        &self.scales
    }
}

/// Numbers in a word of 32 bits.
pub(crate) const fn in_word(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 1,
        Precision::Bf16 => 2,
        Precision::Int8 => 4,
    }
}

pub(crate) const fn plain(precision: Precision) -> Kernel {
    match precision {
        Precision::F32 => Kernel::F32Plain,
        Precision::Bf16 => Kernel::Bf16Plain,
        Precision::Int8 => Kernel::Int8Plain,
    }
}

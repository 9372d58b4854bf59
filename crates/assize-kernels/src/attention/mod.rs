//! Self-attention of one sequence in whole numbers of 16 bits: twice as many products an instruction as in f32, and next to
//! nothing lost.
//!
//! Queries and keys are rounded to as many steps as keep the sum over a head's columns within 32 bits (8,191 to either side of 0
//! for 32 columns, 5,792 for 64), values to 32,767; each row has a step of its own. A query's probabilities, each times its
//! value's step, are 32,767 steps together. Sums are exact. Scores and their softmax are f32.
//!
//! There is no plain code for it: who has no such instructions computes attention in f32, elsewhere.

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(test)]
mod tests;

use crate::kernel::Kernel;
use crate::lines::Lines;

/// Keys in a vector of 512 bits.
const LANES: usize = 16;
/// Queries that are worked on together.
const BLOCK: usize = 8;
/// Columns of a head that fill one vector, two in a word.
const COLUMNS: usize = 2 * LANES;
/// Steps from 0 to the largest value, and of the probabilities together.
#[cfg(target_arch = "x86_64")]
const STEPS: f32 = 32_767.0;

/// Attention by one kernel over heads of one shape, and the memory that it works in.
#[derive(Debug)]
pub struct Attention {
    heads: usize,
    width: usize,
    room: Room,
}

/// One head's numbers, two in a word.
#[derive(Debug, Default)]
struct Room {
    /// `[row][word]`: word `j` of each [`COLUMNS`] columns holds columns `j` and `j + 16`.
    queries: Lines,
    /// What a step is worth; by row.
    query_steps: Vec<f32>,
    /// `[block of 16 keys][word][key]`; words as the queries'.
    keys: Lines,
    /// By key, whole blocks; 0 where there is none.
    key_steps: Lines,
    /// `[pair of keys][column]`: both keys' numbers in a word; whole blocks of keys.
    values: Lines,
    /// By key, whole blocks; 0 where there is none.
    value_steps: Lines,
    /// `[query of a block][key]`, then `e` to the power of it.
    scores: Lines,
    /// `[query of a block][pair of keys]`.
    probabilities: Lines,
}

impl Attention {
    /// For `heads` heads of `width` columns, beside products by `kernel`. `None` where it knows no faster way than f32: it
    /// wants int8's VNNI instructions of 512 bits, and heads of 32 or 64 columns.
    pub fn new(kernel: Kernel, heads: usize, width: usize) -> Option<Self> {
        let is_known = kernel == Kernel::Int8Avx512Vnni && kernel.is_available();
        let has_row = heads.checked_mul(3 * COLUMNS * 2).is_some();
        let fits = heads > 0 && has_row && (width == COLUMNS || width == 2 * COLUMNS);
        (is_known && fits).then(|| Self { heads, width, room: Room::default() })
    }

    /// `softmax(Q K^T / sqrt(width)) V` for some rows of one sequence. `sequence` has the shape `[len, 3 heads width]`
    /// (query, key, value); `out`, `[rows, heads width]`, is for the rows from `first` on. False, and nothing is done,
    /// where a shape does not fit. NaN where a number that matters to a row is not finite.
    #[must_use]
    pub fn attend(&mut self, sequence: &[f32], first: usize, out: &mut [f32]) -> bool {
        let hidden = self.heads * self.width;
        let (len, rows) = (sequence.len() / (3 * hidden), out.len() / hidden);
        let is_whole = sequence.len() == len * 3 * hidden && out.len() == rows * hidden;
        let queries = sequence.get(first.saturating_mul(3 * hidden)..).unwrap_or_default();
        if !is_whole || queries.len() < rows * 3 * hidden {
            return false;
        }
        self.room.fit(len, rows, self.width);
        #[cfg(target_arch = "x86_64")]
        for head in 0..self.heads {
            let task = Task { sequence, queries, hidden, column: head * self.width };
            avx512::run(self.width, &task, &mut self.room, out);
        }
        true
    }
}

/// One head's work.
#[derive(Debug, Clone, Copy)]
#[cfg(target_arch = "x86_64")]
struct Task<'a> {
    /// Rows of query, key and value, `hidden` numbers each.
    sequence: &'a [f32],
    /// From the first row on whose output is asked for; at least as many as these are.
    queries: &'a [f32],
    hidden: usize,
    /// The head's first column.
    column: usize,
}

impl Room {
    /// Makes room for a sequence of `len` keys and `rows` queries.
    fn fit(&mut self, len: usize, rows: usize, width: usize) {
        let (keys, queries) = (len.next_multiple_of(LANES), rows.next_multiple_of(BLOCK));
        // A word of 32 bits is two numbers of 16.
        let words = |numbers: usize| numbers.div_ceil(2) * size_of::<u32>();
        self.queries.reserve(words(queries * width));
        self.query_steps.resize(queries, 0.0);
        self.keys.reserve(words(keys * width));
        self.key_steps.reserve(keys * size_of::<f32>());
        self.values.reserve(words(keys * width));
        self.value_steps.reserve(keys * size_of::<f32>());
        self.scores.reserve(BLOCK * keys * size_of::<f32>());
        self.probabilities.reserve(words(BLOCK * keys));
    }
}

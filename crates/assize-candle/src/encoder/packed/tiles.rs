//! Tiles: some rows of a batch that one thread takes through several operations while they are in its cache.

use super::rooms::{Room, Rooms};
use rayon::prelude::*;

/// Rows of a block in the kernels; a tile of whole blocks wastes none.
const BLOCK: usize = 6;

/// How some rows are cut, and who works on them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiles {
    rows: usize,
    threads: usize,
}

impl Tiles {
    /// Most rows of a tile: its widest part (rows times 1536 numbers) still fits a second-level cache of 1 MiB.
    pub(super) const MOST_ROWS: usize = 96;

    /// For this thread alone.
    pub(super) const ALONE: Self = Self { rows: Self::MOST_ROWS, threads: 1 };

    /// Cuts `total` rows for so many threads of the pool that works on them: equal shares, none larger than a tile may be.
    pub(super) fn shared(total: usize, threads: usize) -> Self {
        let share = total.div_ceil(threads.max(1));
        let tiles = share.div_ceil(Self::MOST_ROWS).max(1);
        Self { rows: share.div_ceil(tiles).next_multiple_of(BLOCK).clamp(BLOCK, Self::MOST_ROWS), threads }
    }

    pub(super) const fn threads(self) -> usize {
        self.threads
    }

    /// Does `work` for each tile of `[total, width]`, `[total, 3 width]` and, to read, `[total, width]`.
    pub(super) fn each(
        self,
        width: usize,
        (hidden, projected, context): (&mut [f32], &mut [f32], &[f32]),
        rooms: &Rooms,
        work: impl Fn(&mut [f32], &mut [f32], &[f32], &mut Room) + Sync,
    ) {
        let size = self.rows * width;
        let work = |((hidden, projected), context): ((&mut [f32], &mut [f32]), &[f32])| {
            rooms.with(|room| work(hidden, projected, context, room));
        };
        if self.threads == 1 {
            let tiles = hidden.chunks_mut(size).zip(projected.chunks_mut(3 * size));
            tiles.zip(context.chunks(size)).for_each(work);
        } else {
            let tiles = hidden.par_chunks_mut(size).zip(projected.par_chunks_mut(3 * size));
            tiles.zip(context.par_chunks(size)).with_max_len(1).for_each(work);
        }
    }
}

//! Where threads work: memory that is kept from batch to batch.

use crate::ops::{AttentionPart, AttentionScratch, HeadShape};
use assize_kernels::{Attention, Kernel, Rows};
use std::sync::{Mutex, PoisonError};

/// What lies between two rounds over some sequences.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    hidden: Vec<f32>,
    projected: Vec<f32>,
    context: Vec<f32>,
}

/// What one thread works on a tile with.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) rows: Rows,
    /// The feed-forward part's middle.
    pub(super) wide: Vec<f32>,
    attention: Attend,
}

/// How a thread computes attention.
#[derive(Debug)]
enum Attend {
    /// By the kernel's own.
    Kernel(Attention),
    /// In f32, by the operation that the trainer has, too.
    Exact(AttentionScratch),
}

/// One for every thread of a pool, by its number there; the first for a thread outside of it.
#[derive(Debug)]
pub(super) struct Rooms(Vec<Mutex<Room>>);

impl Buffers {
    /// Hidden states `[total, width]`; query, key and value `[total, 3 width]`; attention's output `[total, width]`. What
    /// is in them is not said.
    pub(super) fn of(&mut self, total: usize, width: usize) -> (&mut [f32], &mut [f32], &mut [f32]) {
        let part = |buffer: &'_ mut Vec<f32>, size: usize| {
            if buffer.len() < size {
                buffer.resize(size, 0.0);
            }
        };
        part(&mut self.hidden, total * width);
        part(&mut self.projected, 3 * total * width);
        part(&mut self.context, total * width);
        (
            self.hidden.get_mut(..total * width).unwrap_or_default(),
            self.projected.get_mut(..3 * total * width).unwrap_or_default(),
            self.context.get_mut(..total * width).unwrap_or_default(),
        )
    }
}

impl Room {
    /// Attention's output for some rows.
    pub(super) fn attend(&mut self, shape: HeadShape, part: AttentionPart<'_>) {
        match &mut self.attention {
            Attend::Kernel(attention) => {
                // Where a shape does not fit, the answer must not look like one.
                if !attention.attend(part.sequence, part.first, part.out) {
                    part.out.fill(f32::NAN);
                }
            }
            Attend::Exact(scratch) => scratch.attend(shape, part),
        }
    }
}

impl Rooms {
    pub(super) fn new(threads: usize, kernel: Kernel, heads: HeadShape) -> Self {
        let attention = || {
            let own = Attention::new(kernel, heads.heads(), heads.width());
            own.map_or_else(|| Attend::Exact(AttentionScratch::default()), Attend::Kernel)
        };
        let room = || Mutex::new(Room { rows: Rows::new(kernel), wide: Vec::new(), attention: attention() });
        Self(std::iter::repeat_with(room).take(threads.max(1)).collect())
    }

    /// Lends this thread's room; no other thread wants it at the same time.
    pub(super) fn with(&self, work: impl FnOnce(&mut Room)) {
        let index = rayon::current_thread_index().unwrap_or(0);
        if let Some(room) = self.0.get(index).or_else(|| self.0.first()) {
            work(&mut room.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

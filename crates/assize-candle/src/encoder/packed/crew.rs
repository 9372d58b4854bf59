//! Who works on a batch: the thread that took it, and its share of the others. Alone on its way a batch has all threads;
//! where as many are on their way as there are threads, each has one.

use super::{Buffers, Rooms};
use crate::ops::HeadShape;
use assize_kernels::Kernel;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What the encoders that share weights share besides.
#[derive(Debug)]
pub(super) struct Crew {
    /// `None` where there is one thread: all runs on the caller's.
    pool: Option<ThreadPool>,
    /// One for each thread of the pool.
    rooms: Rooms,
    /// Batches on their way.
    busy: AtomicUsize,
}

/// Counts a batch for as long as it is on its way.
#[derive(Debug)]
pub(super) struct Busy(Arc<Crew>);

/// One encoder's own memory.
#[derive(Debug)]
pub(super) struct OwnMemory {
    pub(super) rooms: Rooms,
    /// Buffers of batches that are done.
    pub(super) spare: Vec<Buffers>,
}

impl Crew {
    pub(super) fn new(
        threads: usize,
        kernel: Kernel,
        heads: HeadShape,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let named = |index| format!("assize-encoder-{index}");
        let build = || ThreadPoolBuilder::new().num_threads(threads).thread_name(named).build();
        let pool = (threads > 1).then(build).transpose()?;
        Ok(Self { pool, rooms: Rooms::new(threads, kernel, heads), busy: AtomicUsize::new(0) })
    }

    /// Takes a batch on.
    pub(super) fn enter(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Threads that a batch on its way can have: an equal share.
    ///
    /// Only the speed depends on it, so that it need not be right at every moment.
    pub(super) fn threads(&self) -> usize {
        let all = self.pool.as_ref().map_or(1, ThreadPool::current_num_threads);
        (all / self.busy.load(Ordering::Relaxed).max(1)).max(1)
    }

    /// Has the pool work, with its rooms.
    pub(super) fn on_pool(&self, work: impl FnOnce(&Rooms) + Send) {
        match &self.pool {
            Some(pool) => pool.install(|| work(&self.rooms)),
            None => work(&self.rooms),
        }
    }
}

impl OwnMemory {
    pub(super) fn new(kernel: Kernel, heads: HeadShape) -> Self {
        Self { rooms: Rooms::new(1, kernel, heads), spare: Vec::new() }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

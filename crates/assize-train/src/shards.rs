//! A batch shared out over the cores: each learns from its own part with loops of one thread, and the gradients are added.
//!
//! Two threads on the same products wait for each other at every step; two parts of a batch meet once.

use crate::batches::Lesson;
use crate::loss::{LossParts, LossWeights};
use anyhow::{Context as _, anyhow};
use assize_candle::{Encoder, HeadLogits};
use candle_core::Tensor;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::BTreeMap;
use std::thread::ScopedJoinHandle;

/// A pool of one thread for each core.
#[derive(Debug)]
pub struct Shards {
    pools: Vec<ThreadPool>,
}

/// What came of a batch.
#[derive(Debug)]
pub struct Learnt {
    /// Gradients by the names of the weights.
    pub gradients: BTreeMap<String, Tensor>,
    /// Mean loss of a lesson.
    pub loss: LossParts,
}

impl Shards {
    /// One for each core that this process may use.
    ///
    /// # Errors
    /// When a thread can't be started.
    pub fn new() -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = |_| ThreadPoolBuilder::new().num_threads(1).build().context("can't start a thread");
        Ok(Self { pools: (0..cores).map(pool).collect::<anyhow::Result<_>>()? })
    }

    /// Does some work on every item, in order of the items; the cores take them in turns.
    ///
    /// # Errors
    /// The first of the work's errors.
    pub fn over<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> anyhow::Result<R> + Sync,
    ) -> anyhow::Result<Vec<R>> {
        let cores = self.pools.len();
        let begin = |core: usize, pool: &ThreadPool| {
            let own = items.iter().skip(core).step_by(cores);
            pool.install(|| own.map(&work).collect::<anyhow::Result<Vec<R>>>())
        };
        let begin = &begin;
        let found: Vec<anyhow::Result<Vec<R>>> = std::thread::scope(|scope| {
            let spawn = |(core, pool)| scope.spawn(move || begin(core, pool));
            let workers: Vec<_> = self.pools.iter().enumerate().map(spawn).collect();
            workers.into_iter().map(join).collect()
        });
        let mut turns: Vec<_> =
            found.into_iter().collect::<anyhow::Result<Vec<_>>>()?.into_iter().map(Vec::into_iter).collect();
        Ok((0..items.len()).filter_map(|index| turns.get_mut(index % cores)?.next()).collect())
    }

    /// The gradients of the mean loss over a batch.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn learn(&self, encoder: &Encoder, batch: &[Lesson], loss: &LossWeights) -> anyhow::Result<Learnt> {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred lessons")]
        let scale = 1.0 / batch.len() as f32;
        let parts = share_out(batch, self.pools.len());
        let found: Vec<anyhow::Result<Learnt>> = std::thread::scope(|scope| {
            let work = |(pool, part): (&'_ ThreadPool, Vec<&'_ Lesson>)| {
                pool.install(|| learn(encoder, &part, loss, scale))
            };
            let workers: Vec<_> =
                self.pools.iter().zip(parts).map(|pair| scope.spawn(move || work(pair))).collect();
            workers.into_iter().map(join).collect()
        });
        let mut found = found.into_iter();
        let mut all = found.next().context("a batch without lessons")??;
        for other in found {
            let other = other?;
            all.loss += other.loss;
            for (name, gradient) in other.gradients {
                if let Some(mine) = all.gradients.get_mut(&name) {
                    *mine = (&*mine + gradient)?;
                }
            }
        }
        Ok(all)
    }
}

fn join<T>(worker: ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    worker.join().unwrap_or_else(|_| Err(anyhow!("a thread of the training panicked")))
}

/// Parts of about the same number of tokens, none of them empty; fewer where there are not enough lessons.
fn share_out(batch: &[Lesson], parts: usize) -> Vec<Vec<&Lesson>> {
    let mut shares: Vec<(usize, Vec<&Lesson>)> = (0..parts.max(1)).map(|_| (0, Vec::new())).collect();
    let mut longest_first: Vec<&Lesson> = batch.iter().collect();
    longest_first.sort_by_key(|lesson| std::cmp::Reverse(lesson.sequence.tokens()));
    for lesson in longest_first {
        if let Some((tokens, share)) = shares.iter_mut().min_by_key(|(tokens, _)| *tokens) {
            *tokens += lesson.sequence.tokens();
            share.push(lesson);
        }
    }
    shares.into_iter().map(|(_, share)| share).filter(|share| !share.is_empty()).collect()
}

fn learn(
    encoder: &Encoder,
    lessons: &[&Lesson],
    weights: &LossWeights,
    scale: f32,
) -> anyhow::Result<Learnt> {
    let sequences: Vec<_> = lessons.iter().map(|lesson| &lesson.sequence).collect();
    let mut loss = LossParts::default();
    let gradients = encoder.learn(&sequences, |rows| {
        let mut gradient = vec![0.0; rows.len() * HeadLogits::WIDTH];
        let places = gradient.chunks_mut(HeadLogits::WIDTH);
        for ((row, lesson), gradient) in rows.iter().zip(lessons).zip(places) {
            loss += weights.row(row, &lesson.labels, lesson.weight * scale, gradient);
        }
        gradient
    })?;
    Ok(Learnt { gradients, loss })
}

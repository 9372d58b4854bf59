//! What waits for the model. A plain struct: no async, no clock, no lock; the property tests are its
//! specification.

#[cfg(test)]
mod tests;

use crate::{Weigh, inbox::Queue, model::total_tokens};
use std::collections::VecDeque;
use tokio::time::Instant;

/// How large a batch may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPolicy {
    /// Most items; 0 means 1, so that there is always progress.
    pub max_items: usize,
    /// Most tokens, without padding.
    pub max_tokens: usize,
    /// Items of requests up to this many tokens are short, the others long. A batch holds one kind: its short items would
    /// wait for the long ones.
    pub short_tokens: usize,
}

/// Something that can wait in the queue.
pub(crate) trait Waiting: Weigh {
    /// Tokens of all items of its request, which is answered when the last of them is.
    fn request_tokens(&self) -> usize;

    /// After this nobody wants the answer.
    fn deadline(&self) -> Instant;

    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
}

/// What left the queue at one time.
#[derive(Debug)]
pub(crate) struct Taken<J> {
    /// For the model: live items of one class. Empty only where no such item waited.
    pub(crate) batch: Vec<J>,
    /// Items whose deadline has passed.
    pub(crate) expired: Vec<J>,
    /// Items that nobody waits for.
    pub(crate) abandoned: Vec<J>,
}

/// Items in the order in which they came. Unbounded by itself: admission bounds it.
///
/// INVARIANT: each pushed item leaves exactly once, in one of the lists of one [`Taken`].
#[derive(Debug)]
pub(crate) struct PendingQueue<J> {
    jobs: VecDeque<J>,
    /// Sum over `jobs`.
    tokens: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SizeClass {
    Short,
    Long,
}

/// What a batch still has room for.
struct Room {
    items: usize,
    tokens: usize,
    is_untouched: bool,
}

impl<J: Waiting> PendingQueue<J> {
    /// Takes the next batch, and with it all that is abandoned or expired at `now`.
    ///
    /// The class (short or long) of the oldest live item goes, oldest first, up to the first one that doesn't fit. So
    /// the oldest live item is in every batch, and nothing starves. An item over `max_tokens` by itself makes a batch of
    /// one: admission bounds its size.
    ///
    /// Costs time in the number of waiting items, which admission bounds; it runs once per inference.
    pub(crate) fn take_batch(&mut self, policy: &BatchPolicy, now: Instant) -> Taken<J> {
        let mut taken = Taken { batch: Vec::new(), expired: Vec::new(), abandoned: Vec::new() };
        self.remove_dead(now, &mut taken);
        if let Some(first) = self.jobs.front().map(|job| policy.class_of(job)) {
            self.fill(policy, first, &mut Room::of(policy.max_items, policy.max_tokens), &mut taken.batch);
        }
        self.count_tokens();
        taken
    }

    /// As [`Self::take_batch`], but of short items only, and no more of them than one of them may weigh alone: what may
    /// run between two steps of a long batch.
    pub(crate) fn take_short(&mut self, policy: &BatchPolicy, now: Instant) -> Taken<J> {
        let mut taken = Taken { batch: Vec::new(), expired: Vec::new(), abandoned: Vec::new() };
        self.remove_dead(now, &mut taken);
        let mut room = Room::of(policy.max_items, policy.short_tokens);
        self.fill(policy, SizeClass::Short, &mut room, &mut taken.batch);
        self.count_tokens();
        taken
    }

    fn count_tokens(&mut self) {
        self.tokens = total_tokens(&self.jobs);
    }

    fn remove_dead(&mut self, now: Instant, taken: &mut Taken<J>) {
        self.visit(|job| {
            if job.is_abandoned() {
                taken.abandoned.push(job);
                None
            } else if job.deadline() <= now {
                taken.expired.push(job);
                None
            } else {
                Some(job)
            }
        });
    }

    fn fill(&mut self, policy: &BatchPolicy, class: SizeClass, room: &mut Room, batch: &mut Vec<J>) {
        let mut is_open = true;
        self.visit(|job| {
            let is_next = is_open && policy.class_of(&job) == class;
            if is_next && room.admits(job.tokens()) {
                batch.push(job);
                return None;
            }
            // The first of the class that doesn't fit closes it: a later, smaller one must not overtake.
            is_open = is_open && !is_next;
            Some(job)
        });
    }

    /// Passes every item through `keep`, oldest first; what comes back stays, in its order. Turns the ring
    /// once and allocates nothing, because the queue's lock is held meanwhile.
    fn visit(&mut self, mut keep: impl FnMut(J) -> Option<J>) {
        for _ in 0..self.jobs.len() {
            let kept = self.jobs.pop_front().and_then(&mut keep);
            self.jobs.extend(kept);
        }
    }
}

impl<J> Default for PendingQueue<J> {
    fn default() -> Self {
        Self { jobs: VecDeque::new(), tokens: 0 }
    }
}

impl<J: Waiting + Send> Queue for PendingQueue<J> {
    type Job = J;

    fn push(&mut self, job: J) {
        self.tokens = self.tokens.saturating_add(job.tokens());
        self.jobs.push_back(job);
    }

    fn items(&self) -> usize {
        self.jobs.len()
    }

    fn tokens(&self) -> usize {
        self.tokens
    }
}

impl BatchPolicy {
    fn class_of(&self, job: &impl Waiting) -> SizeClass {
        if self.is_short(job) { SizeClass::Short } else { SizeClass::Long }
    }

    pub(crate) fn is_short(&self, job: &impl Waiting) -> bool {
        job.request_tokens() <= self.short_tokens
    }
}

impl Room {
    fn of(items: usize, tokens: usize) -> Self {
        Self { items: items.max(1), tokens, is_untouched: true }
    }

    /// Makes room for one more item, if there is.
    fn admits(&mut self, tokens: usize) -> bool {
        let fits = self.items > 0 && tokens <= self.tokens;
        if !fits && !self.is_untouched {
            return false;
        }
        // An item that is over the limit by itself takes all of the batch.
        self.items = if fits { self.items.saturating_sub(1) } else { 0 };
        self.tokens = self.tokens.saturating_sub(tokens);
        self.is_untouched = false;
        true
    }
}

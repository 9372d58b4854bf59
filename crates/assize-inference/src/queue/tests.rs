//! The queue's specification, as properties over random histories.

use super::{BatchPolicy, PendingQueue, SizeClass, Taken, Waiting};
use crate::{Weigh, inbox::Queue};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

const POLICY: BatchPolicy = BatchPolicy { max_items: 4, max_tokens: 100, short_tokens: 20 };

#[derive(Debug, Clone)]
struct TestJob {
    id: usize,
    tokens: usize,
    /// Of its request's other items.
    others: usize,
    deadline: Instant,
    is_abandoned: Arc<AtomicBool>,
}

impl Weigh for TestJob {
    fn tokens(&self) -> usize {
        self.tokens
    }
}

impl Waiting for TestJob {
    fn request_tokens(&self) -> usize {
        self.tokens + self.others
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Relaxed)
    }
}

impl TestJob {
    fn class(&self) -> SizeClass {
        POLICY.class_of(self)
    }

    fn is_live(&self, now: Instant) -> bool {
        !self.is_abandoned.load(Relaxed) && self.deadline > now
    }
}

/// What happens to the queue.
#[derive(Debug, Clone)]
enum Event {
    Push { tokens: usize, others: usize, millis: u64 },
    Abandon(prop::sample::Index),
    Pass { millis: u64 },
    Take,
    TakeShort,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0_usize..130, prop_oneof![Just(0), 0_usize..60], 1_u64..300)
            .prop_map(|(tokens, others, millis)| Event::Push { tokens, others, millis }),
        1 => any::<prop::sample::Index>().prop_map(Event::Abandon),
        1 => (0_u64..60).prop_map(|millis| Event::Pass { millis }),
        2 => Just(Event::Take),
        1 => Just(Event::TakeShort),
    ]
}

/// The queue beside a model of it that is too simple to be wrong.
struct History {
    queue: PendingQueue<TestJob>,
    waiting: Vec<TestJob>,
    left: BTreeSet<usize>,
    pushed: usize,
    now: Instant,
}

impl History {
    fn new() -> Self {
        let now = Instant::now();
        Self { queue: PendingQueue::default(), waiting: Vec::new(), left: BTreeSet::new(), pushed: 0, now }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Push { tokens, others, millis } => {
                let deadline = self.now + Duration::from_millis(*millis);
                let (tokens, others) = (*tokens, *others);
                let job = TestJob { id: self.pushed, tokens, others, deadline, is_abandoned: Arc::default() };
                self.pushed += 1;
                self.waiting.push(job.clone());
                self.queue.push(job);
            }
            Event::Abandon(_) if self.waiting.is_empty() => {}
            Event::Abandon(index) => index.get(&self.waiting).is_abandoned.store(true, Relaxed),
            Event::Pass { millis } => self.now += Duration::from_millis(*millis),
            Event::Take => drop(self.take()),
            Event::TakeShort => drop(self.take_short()),
        }
        assert_eq!(self.queue.items(), self.waiting.len());
        assert_eq!(self.queue.tokens(), self.waiting.iter().map(Weigh::tokens).sum::<usize>());
    }

    fn take(&mut self) -> Vec<TestJob> {
        let before = self.waiting.clone();
        let Taken { batch, expired, abandoned } = self.queue.take_batch(&POLICY, self.now);
        for job in batch.iter().chain(&expired).chain(&abandoned) {
            assert!(self.left.insert(job.id), "{} left twice", job.id);
        }
        self.waiting.retain(|job| !self.left.contains(&job.id));
        assert!(batch.iter().all(|job| job.is_live(self.now)), "a dead item is in the batch");
        assert!(expired.iter().all(|job| job.deadline <= self.now));
        assert!(abandoned.iter().all(|job| job.is_abandoned.load(Relaxed)));
        assert!(self.waiting.iter().all(|job| job.is_live(self.now)), "a dead item stays");
        self.check_batch(&batch, &before);
        batch
    }

    fn check_batch(&self, batch: &[TestJob], before: &[TestJob]) {
        let tokens: usize = batch.iter().map(Weigh::tokens).sum();
        assert!(batch.len() <= POLICY.max_items);
        assert!(tokens <= POLICY.max_tokens || batch.len() == 1, "{tokens} tokens in {} items", batch.len());
        // Nothing starves: the oldest live item is always in the batch, at its head.
        let oldest = before.iter().find(|job| job.is_live(self.now));
        assert_eq!(batch.first().map(|job| job.id), oldest.map(|job| job.id));
        // One class, and of it nothing that fits is left behind.
        let class = batch.first().map(TestJob::class);
        assert!(batch.iter().all(|job| Some(job.class()) == class));
        let next = self.waiting.iter().find(|job| Some(job.class()) == class);
        check_order(batch, next);
        let fits = |job: &TestJob| batch.len() < POLICY.max_items && tokens + job.tokens <= POLICY.max_tokens;
        assert!(!next.is_some_and(fits), "{next:?} fits");
    }

    /// Takes what may run between two steps of a long batch.
    fn take_short(&mut self) -> Vec<TestJob> {
        let Taken { batch, expired, abandoned } = self.queue.take_short(&POLICY, self.now);
        for job in batch.iter().chain(&expired).chain(&abandoned) {
            assert!(self.left.insert(job.id), "{} left twice", job.id);
        }
        self.waiting.retain(|job| !self.left.contains(&job.id));
        let tokens: usize = batch.iter().map(Weigh::tokens).sum();
        assert!(tokens <= POLICY.short_tokens && batch.len() <= POLICY.max_items);
        assert!(batch.iter().all(|job| job.class() == SizeClass::Short && job.is_live(self.now)));
        let next = self.waiting.iter().find(|job| job.class() == SizeClass::Short);
        check_order(&batch, next);
        assert!(!batch.is_empty() || next.is_none(), "a short item always fits");
        batch
    }
}

/// FIFO over batches: what stays is younger than what went.
fn check_order(batch: &[TestJob], next: Option<&TestJob>) {
    let taken: Vec<usize> = batch.iter().map(|job| job.id).collect();
    assert!(taken.is_sorted(), "not in order");
    assert!(taken.last().is_none_or(|last| next.is_none_or(|next| *last < next.id)));
}

proptest! {
    #[test]
    fn every_history_keeps_the_rules(events in prop::collection::vec(event(), 0..80)) {
        let mut history = History::new();
        for event in &events {
            history.apply(event);
        }
        while !history.queue.is_empty() {
            let waiting = history.waiting.len();
            history.take();
            prop_assert!(history.waiting.len() < waiting, "no progress");
        }
        prop_assert_eq!(history.left.len(), history.pushed, "an item never left");
    }

    #[test]
    fn an_item_waits_no_longer_than_those_before_it(
        sizes in prop::collection::vec(0_usize..130, 1..20),
        later in prop::collection::vec(0_usize..130, 0..200),
    ) {
        let mut history = History::new();
        let push = |tokens: &usize| Event::Push { tokens: *tokens, others: 0, millis: 1_000_000 };
        sizes.iter().for_each(|tokens| history.apply(&push(tokens)));
        let last = history.pushed - 1;
        let mut later = later.iter();
        // However much comes after it, the last of the first goes with the batch of its rank at the latest.
        for _ in 0..sizes.len() {
            history.take();
            later.by_ref().take(10).for_each(|tokens| history.apply(&push(tokens)));
        }
        prop_assert!(history.left.contains(&last));
    }
}

fn ids(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut history = History::new();
    sizes.iter().for_each(|tokens| history.apply(&Event::Push { tokens: *tokens, others: 0, millis: 10 }));
    let mut batches = Vec::new();
    while !history.queue.is_empty() {
        batches.push(history.take().iter().map(|job| job.id).collect());
    }
    batches
}

#[test]
fn batches_are_made_of_like_items() {
    assert_eq!(ids(&[10, 60, 10, 10, 30]), [vec![0, 2, 3], vec![1, 4]]);
    assert_eq!(ids(&[60, 10, 60, 10]), [vec![0], vec![1, 3], vec![2]]);
    assert_eq!(ids(&[130, 0]), [vec![0], vec![1]], "over the limit by itself: alone");
    assert_eq!(ids(&[10; 6]), [vec![0, 1, 2, 3], vec![4, 5]]);
}

#[test]
fn a_small_item_of_a_long_request_is_long() {
    let mut history = History::new();
    for (tokens, others) in [(10, 60), (10, 0), (60, 10)] {
        history.apply(&Event::Push { tokens, others, millis: 10 });
    }
    let ids = |batch: Vec<TestJob>| batch.iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(ids(history.take_short()), [1], "who waits for the rest gains nothing by being first");
    assert_eq!(ids(history.take()), [0, 2]);
}

#[test]
fn a_policy_without_room_still_makes_progress() {
    let mut history = History::new();
    history.apply(&Event::Push { tokens: 5, others: 0, millis: 10 });
    let policy = BatchPolicy { max_items: 0, max_tokens: 0, short_tokens: 0 };
    assert_eq!(history.queue.take_batch(&policy, history.now).batch.len(), 1);
}

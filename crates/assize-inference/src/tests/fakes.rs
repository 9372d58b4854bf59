//! Fake models, and a bench with everything around one of them.

use crate::{
    Admission, AdmissionLimits, BatchModel, BatchPolicy, Demand, InferError, ModelError, ModelHandle, Step,
    Weigh, Worker, pair,
};
use assize_telemetry::{Metrics, MetricsConfig};
use std::{
    any::Any,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};

/// An input that does what it is told to the model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) id: u32,
    pub(crate) tokens: usize,
    pub(crate) trouble: Trouble,
}

/// What goes wrong when the model reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    Fails,
    Panics,
    OneShort,
}

pub(crate) fn item(id: u32) -> Item {
    Item { id, tokens: 10, trouble: Trouble::None }
}

impl Weigh for Item {
    fn tokens(&self) -> usize {
        self.tokens
    }
}

/// Answers each item with its id, in a step for every 10 tokens of the largest; notes every call as it ends.
#[derive(Clone)]
pub(crate) struct Fake {
    calls: Arc<Mutex<Vec<Vec<u32>>>>,
    /// Goes wrong whatever the input.
    mood: Arc<Mutex<Trouble>>,
    /// Dropped as the next call begins.
    hang_up: HangUp,
}

/// What a client holds; whoever drops it hangs up.
pub(crate) type HangUp = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

impl BatchModel for Fake {
    type Input = Item;
    type Output = u32;
    type Run = FakeRun;

    fn begin(&mut self, inputs: &[&Item]) -> Result<FakeRun, ModelError> {
        let steps = inputs.iter().map(|item| item.tokens / 10).max().unwrap_or_default();
        Ok(FakeRun { items: inputs.iter().map(|item| **item).collect(), steps })
    }

    fn advance(&mut self, run: &mut FakeRun) -> Result<Option<Vec<u32>>, ModelError> {
        if let Some(left) = run.steps.checked_sub(1) {
            run.steps = left;
            return Ok(None);
        }
        let inputs = &run.items;
        drop(self.hang_up.lock().unwrap_or_else(|e| e.into_inner()).take());
        let mut outputs: Vec<u32> = inputs.iter().map(|item| item.id).collect();
        self.calls.lock().unwrap_or_else(|e| e.into_inner()).push(outputs.clone());
        let mood = *self.mood.lock().unwrap_or_else(|e| e.into_inner());
        let mut troubles = inputs.iter().map(|item| item.trouble).chain([mood]);
        match troubles.rfind(|trouble| *trouble != Trouble::None) {
            Some(Trouble::Fails) => return Err(failure()),
            Some(Trouble::Panics) => panic!("told to"),
            Some(Trouble::OneShort) => drop(outputs.pop()),
            Some(Trouble::None) | None => {}
        }
        Ok(Some(outputs))
    }
}

/// Some items, and how many steps are left before the last.
pub(crate) struct FakeRun {
    items: Vec<Item>,
    steps: usize,
}

pub(crate) fn failure() -> ModelError {
    ModelError::Failed { detail: "told to".to_owned() }
}

/// A model with all that serves it, and a worker to be stepped by hand.
pub(crate) struct Bench {
    pub(crate) metrics: Metrics,
    pub(crate) admission: Admission,
    pub(crate) handle: ModelHandle<Fake>,
    pub(crate) worker: Worker<Fake>,
    /// More of them, on the same queue.
    pub(crate) others: Vec<Worker<Fake>>,
    pub(crate) calls: Arc<Mutex<Vec<Vec<u32>>>>,
    mood: Arc<Mutex<Trouble>>,
    pub(crate) hang_up: HangUp,
}

pub(crate) const LIMITS: AdmissionLimits = AdmissionLimits { max_requests: 8, max_tokens: 100 };

pub(crate) fn metrics() -> Metrics {
    Metrics::new(&MetricsConfig { communities: &[], routes: &[], error_codes: &[] }).unwrap()
}

pub(crate) fn bench(max_items: usize) -> Bench {
    bench_of(1, max_items)
}

pub(crate) fn bench_of(workers: usize, max_items: usize) -> Bench {
    let metrics = metrics();
    let (calls, mood) = (Arc::default(), Arc::new(Mutex::new(Trouble::None)));
    let hang_up = HangUp::default();
    let model = Fake { calls: Arc::clone(&calls), mood: Arc::clone(&mood), hang_up: Arc::clone(&hang_up) };
    let admission = Admission::new(LIMITS, metrics.inference.clone());
    let policy = BatchPolicy { max_items, max_tokens: 60, short_tokens: 20 };
    let (handle, mut others) = pair(vec![model; workers], policy, &admission, &metrics.inference);
    let worker = others.pop().unwrap();
    Bench { metrics, admission, handle, worker, others, calls, mood, hang_up }
}

pub(crate) fn demand(items: &[Item]) -> Demand {
    Demand { requests: items.len(), tokens: items.iter().map(Weigh::tokens).sum() }
}

pub(crate) fn in_millis(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}

/// Lets every other task run until it waits.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

impl Bench {
    /// Sends a request with a deadline in 1 s and returns once it waits.
    pub(crate) async fn ask(&self, items: &[Item]) -> JoinHandle<Result<Vec<u32>, InferError>> {
        let (handle, items, deadline) = (self.handle.clone(), items.to_vec(), in_millis(1000));
        let permit = self.admission.try_admit(demand(&items), deadline).unwrap();
        let request = tokio::spawn(async move { handle.infer_all(items, permit, deadline).await });
        settle().await;
        request
    }

    pub(crate) fn step(&mut self) -> Step {
        self.worker.step(Instant::now())
    }

    /// The ids of every call of the model so far.
    pub(crate) fn calls(&self) -> Vec<Vec<u32>> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn set_mood(&self, mood: Trouble) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Asserts that the metrics hold these lines.
    pub(crate) fn check_metrics(&self, lines: &[&str]) {
        check_metrics(&self.metrics, lines);
    }

    /// Asserts that nothing is admitted and nothing waits.
    pub(crate) fn check_empty(&self) {
        self.check_metrics(&EMPTY);
    }
}

/// The lines of a service at rest.
pub(crate) const EMPTY: [&str; 4] = [
    "assize_admitted_tokens 0",
    "assize_admitted_requests 0",
    "assize_queue_items 0",
    "assize_queue_tokens 0",
];

pub(crate) fn check_metrics(metrics: &Metrics, lines: &[&str]) {
    // All here is of one tier, whichever.
    let text = metrics.encode().unwrap();
    let text = text.replace(r#"{tier="encoder"}"#, "").replace(r#"tier="encoder","#, "");
    let text = text.replace(r#",tier="encoder""#, "");
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "`{line}` is not in\n{text}");
    }
}

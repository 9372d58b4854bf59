//! A model of as much room as it is told, and a bench with everything around it.

use crate::{
    Admission, AdmissionLimits, Demand, InferError, ModelError, Step, Weigh,
    continuous::{ContinuousHandle, ContinuousModel, ContinuousWorker, Ended, NotJoined, pair},
    tests::fakes::{EMPTY, check_metrics, metrics},
};
use assize_telemetry::Metrics;
use std::sync::{Arc, Mutex};
use tokio::{task::JoinHandle, time::Instant};

pub(super) use crate::tests::fakes::{failure, in_millis, settle};

/// A job that does what it is told to the model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) id: u32,
    /// Steps until it ends.
    pub(crate) steps: usize,
    /// Room that it takes.
    pub(crate) room: usize,
    pub(crate) trouble: Trouble,
}

/// What goes wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// It can't join.
    Refused,
    /// It panics when it joins.
    PanicsJoining,
    /// Each step that it takes part in fails.
    StepFails,
    /// Each step that it takes part in panics.
    StepPanics,
    /// It ends badly, without the others.
    EndsBadly,
}

pub(super) fn item(id: u32, steps: usize) -> Item {
    Item { id, steps, room: 1, trouble: Trouble::None }
}

/// Takes the room of two.
pub(super) fn large(id: u32, steps: usize) -> Item {
    Item { room: 2, ..item(id, steps) }
}

pub(super) fn trouble(id: u32, trouble: Trouble) -> Item {
    Item { trouble, ..item(id, 1) }
}

impl Weigh for Item {
    fn tokens(&self) -> usize {
        self.room * 10
    }
}

/// What the model was called with.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Ids of each step.
    steps: Vec<Vec<u32>>,
    /// Ids that were given up.
    left: Vec<u32>,
    /// Fails every step, whatever is in it.
    is_broken: bool,
}

/// Answers each job with its id. A ticket is an id too.
pub(crate) struct Fake {
    room: usize,
    running: Vec<Item>,
    log: Arc<Mutex<Log>>,
}

impl ContinuousModel for Fake {
    type Input = Item;
    type Output = u32;
    type Ticket = u32;

    fn join(&mut self, input: &Item) -> Result<u32, NotJoined> {
        match input.trouble {
            Trouble::Refused => return Err(NotJoined::Failed(failure())),
            Trouble::PanicsJoining => panic!("told to"),
            Trouble::None | Trouble::StepFails | Trouble::StepPanics | Trouble::EndsBadly => {}
        }
        if self.running.iter().map(|item| item.room).sum::<usize>() + input.room > self.room {
            return Err(NotJoined::NoRoom);
        }
        self.running.push(*input);
        Ok(input.id)
    }

    fn leave(&mut self, ticket: u32) {
        self.log.lock().unwrap_or_else(|e| e.into_inner()).left.push(ticket);
        self.running.retain(|item| item.id != ticket);
    }

    fn step(&mut self) -> Result<Vec<Ended<Self>>, ModelError> {
        let is_broken = {
            let mut log = self.log.lock().unwrap_or_else(|e| e.into_inner());
            log.steps.push(self.running.iter().map(|item| item.id).collect());
            log.is_broken
        };
        let has = |trouble| self.running.iter().any(|item| item.trouble == trouble);
        assert!(!has(Trouble::StepPanics), "told to");
        if is_broken || has(Trouble::StepFails) {
            return Err(failure());
        }
        self.running.iter_mut().for_each(|item| item.steps -= 1);
        let ended = self.running.extract_if(.., |item| item.steps == 0);
        let output =
            |item: Item| if item.trouble == Trouble::EndsBadly { Err(failure()) } else { Ok(item.id) };
        Ok(ended.map(|item| (item.id, output(item))).collect())
    }
}

/// A model with all that serves it, and a worker to be stepped by hand.
pub(crate) struct Bench {
    pub(crate) metrics: Metrics,
    pub(crate) admission: Admission,
    pub(crate) handle: ContinuousHandle<Fake>,
    pub(crate) worker: ContinuousWorker<Fake>,
    /// More of them, on the same inbox.
    pub(crate) others: Vec<ContinuousWorker<Fake>>,
    log: Arc<Mutex<Log>>,
}

/// A model with room for so many.
pub(super) fn bench(room: usize) -> Bench {
    bench_of(1, room)
}

/// Several times a model with room for so many.
pub(super) fn bench_of(workers: usize, room: usize) -> Bench {
    let (metrics, log) = (metrics(), Arc::<Mutex<Log>>::default());
    let limits = AdmissionLimits { max_requests: 8, max_tokens: 100 };
    let admission = Admission::new(limits, metrics.inference.clone());
    let model = || Fake { room, running: Vec::new(), log: Arc::clone(&log) };
    let (handle, mut others) = pair((0..workers).map(|_| model()).collect(), &metrics.inference);
    let worker = others.remove(0);
    Bench { metrics, admission, handle, worker, others, log }
}

pub(super) fn demand(items: &[Item]) -> Demand {
    Demand { requests: items.len(), tokens: items.iter().map(Weigh::tokens).sum() }
}

impl Bench {
    /// Sends a request with a deadline in 1 s and returns once it waits.
    pub(super) async fn ask(&self, items: &[Item]) -> JoinHandle<Result<Vec<u32>, InferError>> {
        let (handle, items, deadline) = (self.handle.clone(), items.to_vec(), in_millis(1000));
        let permit = self.admission.try_admit(demand(&items), deadline).unwrap();
        let request = tokio::spawn(async move { handle.infer_all(items, permit, deadline).await });
        settle().await;
        request
    }

    pub(super) fn step(&mut self) -> Step {
        self.worker.step(Instant::now())
    }

    /// Has the second worker make a step.
    pub(super) fn other_step(&mut self) -> Step {
        self.others[0].step(Instant::now())
    }

    pub(super) fn steps(&self) -> Vec<Vec<u32>> {
        self.log.lock().unwrap().steps.clone()
    }

    pub(super) fn left(&self) -> Vec<u32> {
        self.log.lock().unwrap().left.clone()
    }

    pub(super) fn set_broken(&self, is_broken: bool) {
        self.log.lock().unwrap().is_broken = is_broken;
    }

    pub(super) fn check_metrics(&self, lines: &[&str]) {
        check_metrics(&self.metrics, lines);
    }

    pub(super) fn check_empty(&self) {
        self.check_metrics(&EMPTY);
    }
}

//! Jobs that can be asked for: all that run, and a bounded number of those that have ended.

use assize_api::ErrorCode;
use assize_candle::writing::Progress;
use assize_domain::{ReportedTree, Verdict};
use assize_record::RecordId;
use assize_telemetry::Change;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// How far a job is.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// Its tree is being written, or waits for its turn; how far harms and benefits are.
    Pending([Progress; 2]),
    /// It has ended.
    Ended(Arc<Ended>),
    /// It broke off, by a defect or because the service ends.
    BrokenOff,
}

/// What came of a job.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Why there is no tree, where there is none.
    pub(crate) outcome: Result<(), ErrorCode>,
    /// From the first decision to this one.
    pub(crate) change: Change,
    /// The verdict as it stands now.
    pub(crate) verdict: Verdict,
    /// What the reporter wrote.
    pub(crate) tree: Option<ReportedTree>,
}

/// All jobs that are known. The oldest that have ended go first.
#[derive(Debug)]
pub(super) struct Kept {
    most_ended: usize,
    /// Held for a look-up; never across an await.
    jobs: Mutex<Jobs>,
}

#[derive(Debug, Default)]
struct Jobs {
    states: HashMap<RecordId, watch::Receiver<State>>,
    ended: VecDeque<RecordId>,
}

/// Ends a job; the job's own.
#[derive(Debug)]
pub(super) struct Handle {
    kept: Arc<Kept>,
    id: RecordId,
    state: watch::Sender<State>,
    last: State,
}

impl Kept {
    pub(super) fn new(most_ended: usize) -> Self {
        Self { most_ended, jobs: Mutex::default() }
    }

    pub(super) fn begin(self: &Arc<Self>, id: RecordId, progress: [Progress; 2]) -> Handle {
        let (state, watched) = watch::channel(State::Pending(progress));
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).states.insert(id.clone(), watched);
        Handle { kept: Arc::clone(self), id, state, last: State::BrokenOff }
    }

    pub(super) fn find(&self, id: &RecordId) -> Option<watch::Receiver<State>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).states.get(id).cloned()
    }
}

impl Handle {
    pub(super) fn end(mut self, ended: Arc<Ended>) {
        self.last = State::Ended(ended);
    }
}

impl Drop for Handle {
    /// However the job ends, nobody waits for it for ever.
    fn drop(&mut self) {
        let mut jobs = self.kept.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        self.state.send_replace(self.last.clone());
        jobs.ended.push_back(self.id.clone());
        if jobs.ended.len() > self.kept.most_ended
            && let Some(oldest) = jobs.ended.pop_front()
        {
            jobs.states.remove(&oldest);
        }
    }
}

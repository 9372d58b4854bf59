//! A worker's place at an inbox, from which it is led to its jobs and, at the end, to its end.

use crate::{
    FailureCause, Handle,
    inbox::{AnyInbox, Inbox, Queue},
    job::Job,
    readiness::ReadinessPublisher,
    thread::Ends,
};
use assize_telemetry::InferenceMetrics;
use std::{iter, sync::Arc};

/// What all workers of one model share. A worker's first field, so that the inbox is closed before its model and its jobs go.
pub(crate) struct Place<Q: Queue> {
    pub(crate) inbox: Arc<Inbox<Q>>,
    pub(crate) readiness: ReadinessPublisher,
    pub(crate) metrics: InferenceMetrics,
}

/// Opens an inbox: the way in, and so many places behind it.
pub(crate) fn open<I, O, Q>(places: usize, metrics: &InferenceMetrics) -> (Handle<I, O>, Vec<Place<Q>>)
where
    Q: Queue<Job = Job<I, O>> + 'static,
{
    let inbox = Arc::new(Inbox::new(metrics.clone()));
    let readiness = ReadinessPublisher::new(metrics.clone());
    let place =
        || Place { inbox: Arc::clone(&inbox), readiness: readiness.clone(), metrics: metrics.clone() };
    let places = iter::repeat_with(place).take(places).collect();
    (Handle::new(inbox, readiness), places)
}

impl<Q: Queue + 'static> Place<Q> {
    /// For the owner of the worker's thread.
    pub(crate) fn ends(&self) -> Ends {
        Ends::new(Arc::clone(&self.inbox) as Arc<dyn AnyInbox>, self.readiness.clone())
    }
}

impl<Q: Queue> Drop for Place<Q> {
    fn drop(&mut self) {
        // However it ends, by shutdown or by a bug: nobody may wait for it for ever, and nobody be told it is
        // ready.
        self.readiness.failed(FailureCause::WorkerEnded);
        // Where all is worked off, the others may still be at the last of it.
        if !self.inbox.is_worked_off() {
            self.inbox.close();
        }
    }
}

//! Models that work on jobs that come and go: a text takes seconds to be written, and nobody waits for the longest of a
//! batch before beginning.
//!
//! ```text
//!  Permit ─► ContinuousHandle::infer_all ─► inbox, in the order of arrival ─► ContinuousWorkers (a thread and a model each)
//!                    ▲                                                          between two steps of a model:
//!                    └── answer, as soon as this one has ended ◄───────────── leave: hung up, or past the deadline
//!                                                                              join: the oldest, while there is room
//! ```
//!
//! As with batches: nothing waits without a [`crate::Permit`], several models share the inbox, a job goes to one of them, and
//! readiness comes from real steps. Otherwise than with these, a job that runs is given up as soon as nobody waits for it.
//!
//! A worker that runs nothing has room for any job, or the job fails; one that runs something doesn't wait. So a job that is
//! put back for want of room is left to a worker that will take it, and nobody turns round in vain.
//!
//! Wiring: [`pair`] makes a [`ContinuousHandle`] and [`ContinuousWorker`]s; the rest is as for batches:
//! [`crate::WorkerThreads`], [`crate::Probe`].

#[cfg(test)]
mod tests;
mod worker;

pub use worker::{ContinuousWorker, pair};

use crate::{Handle, ModelError, Weigh, job::Job};
use std::fmt;

/// A model whose jobs join and leave between two steps. One trait, one task.
///
/// What one job gives must not hang on the others. A job that has left can't change a later one, whatever happened before,
/// a panic included: the worker relies on it when it goes on with a model that failed.
pub trait ContinuousModel: Send + 'static {
    /// One thing to work on. It weighs all that it may come to, since that is what it has to have room for.
    type Input: Weigh + Send + 'static;
    /// What comes of it.
    type Output: Send + 'static;
    /// Names a job that has joined; never given again while that one is there.
    type Ticket: Copy + Eq + fmt::Debug + Send + 'static;

    /// Takes a job in, from the next step on.
    ///
    /// # Errors
    /// [`NotJoined::NoRoom`] where it has to wait for others to end; where there is none, it is a failure.
    fn join(&mut self, input: &Self::Input) -> Result<Self::Ticket, NotJoined>;

    /// Gives a job up, and all that it has. Nothing happens where it is not there.
    fn leave(&mut self, ticket: Self::Ticket);

    /// Goes on with all jobs for a few milliseconds; gives those that ended, which are not there any more.
    ///
    /// # Errors
    /// Where the step as a whole failed, all jobs are still there. The worker then has them leave and tries each alone.
    fn step(&mut self) -> Result<Vec<Ended<Self>>, ModelError>;

    /// How often a step had to be made smaller because the device had no room for it, since this was last asked.
    fn take_splits(&mut self) -> usize {
        0
    }
}

/// Gives inputs to a model whose jobs come and go.
pub type ContinuousHandle<M> = Handle<<M as ContinuousModel>::Input, <M as ContinuousModel>::Output>;

/// A job that ended, well or badly, without the others.
pub type Ended<M> = (<M as ContinuousModel>::Ticket, Result<<M as ContinuousModel>::Output, ModelError>);

/// Why a job can't join.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotJoined {
    /// The others take all the room.
    #[error("there is no room now")]
    NoRoom,
    /// This one never can.
    #[error("it can't be taken in")]
    Failed(#[from] ModelError),
}

/// One input of a model.
pub(crate) type JobOf<M> = Job<<M as ContinuousModel>::Input, <M as ContinuousModel>::Output>;

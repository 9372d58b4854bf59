//! The whole of the crate together: a worker stepped by hand, a paused clock, fake models; at the end real
//! threads.

mod admission;
pub(crate) mod fakes;
mod handle;
mod probe;
mod shutdown;
mod stress;
mod worker;

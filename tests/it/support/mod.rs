//! Starts services, speaks to them and reads what they say. Holds no expectation of its own.

mod api;
mod checkpoint;
mod command;
mod profiles;
mod scrape;
mod service;
pub(crate) mod wire;

pub(crate) use api::{Answer, Api, check_problem, close_to, conversation, user};
pub(crate) use checkpoint::write_checkpoint;
pub(crate) use command::{LOCK, assize, assize_from, stern, write_candidate};
pub(crate) use profiles::{DEFAULT, Folder, STRICT, write_profile};
pub(crate) use scrape::Series;
pub(crate) use service::{TestService, model_folder, shared};

use std::time::Duration;
use tokio::time::Instant;

/// Longest wait for something that must happen: far above what it takes, because the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Asks again and again until `condition` holds; fails the test when it takes too long.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let until = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < until, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! The communities in force: read from their folder, checked as a whole, swapped at once, or left as they were.

mod examples;
mod files;
mod reload;

pub(crate) use examples::{ExampleRunner, Mismatch};
pub(crate) use files::{FolderError, Snapshot};
pub(crate) use reload::{LoadError, Watcher, load};

use arc_swap::{ArcSwap, Guard};
use assize_preferences::Catalog;
use std::sync::Arc;
use std::time::SystemTime;

/// What is in force now, and what became of the last change.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    /// Every profile.
    pub(crate) catalog: Arc<Catalog>,
    /// Since when.
    since: SystemTime,
    /// What became of the files on disk.
    change: Change,
}

/// What became of the files on disk since.
#[derive(Debug, Clone)]
enum Change {
    /// None that counts: the files are what is in force.
    InForce,
    /// A valid one waits for the model to have time for its examples.
    Waiting,
    /// It is not in force, for this reason.
    Rejected(Arc<str>),
}

impl InForce {
    /// One line for people.
    pub(crate) fn describe(&self) -> String {
        let count = self.catalog.iter().count();
        let age = self.since.elapsed().map_or(0, |age| age.as_secs());
        let loaded = format!("{count} profiles, loaded {age} s ago");
        match &self.change {
            Change::InForce => loaded,
            Change::Waiting => format!("{loaded}; a change waits for its examples to be run"),
            Change::Rejected(why) => {
                format!("{loaded}; the files have changed since and were rejected: {why}")
            }
        }
    }
}

/// Holds what is in force. Readers never wait: a reload prepares everything and then swaps one pointer.
#[derive(Debug)]
pub(crate) struct Communities(ArcSwap<InForce>);

impl Communities {
    pub(crate) fn new(catalog: Catalog, now: SystemTime) -> Self {
        let in_force = InForce { catalog: Arc::new(catalog), since: now, change: Change::InForce };
        Self(ArcSwap::from_pointee(in_force))
    }

    /// What is in force now; a request that holds it keeps it until its verdict.
    pub(crate) fn in_force(&self) -> Guard<Arc<InForce>> {
        self.0.load()
    }

    /// Puts a checked catalog into force.
    fn replace(&self, catalog: Catalog, now: SystemTime) {
        self.0.store(Arc::new(InForce { catalog: Arc::new(catalog), since: now, change: Change::InForce }));
    }

    /// Keeps what is in force and remembers why.
    fn reject(&self, why: &str) {
        self.keep(Change::Rejected(why.into()));
    }

    /// Keeps what is in force until the examples of a change can be run.
    fn wait(&self) {
        self.keep(Change::Waiting);
    }

    /// The files went back to what is in force.
    fn accept(&self) {
        self.keep(Change::InForce);
    }

    fn keep(&self, change: Change) {
        let current = self.0.load();
        self.0.store(Arc::new(InForce { change, ..InForce::clone(&current) }));
    }
}

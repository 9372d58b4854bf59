//! The communities in force: read from their folder, checked as a whole, swapped at once, or left as they were.

mod candidates;
mod examples;
mod files;
mod reload;
mod versions;

pub(crate) use candidates::{Candidates, is_changed};
pub(crate) use examples::{ExampleRunner, Mismatch};
pub(crate) use files::{Files, FolderError, Snapshot};
pub(crate) use reload::{LoadError, Loaded, Watcher, load, report_candidates};
pub(crate) use versions::{RolledBack, Versions};

use arc_swap::{ArcSwap, Guard};
use assize_preferences::Catalog;
use std::sync::Arc;
use std::time::SystemTime;

/// What is in force now, and what became of the last change.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    /// Every profile.
    pub(crate) catalog: Arc<Catalog>,
    /// What is tried beside them: counted, never answered with.
    pub(crate) candidates: Arc<Candidates>,
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
    fn new(loaded: Loaded, now: SystemTime) -> Self {
        let (catalog, candidates) = (Arc::new(loaded.catalog), Arc::new(loaded.candidates));
        Self { catalog, candidates, since: now, change: Change::InForce }
    }

    /// One line for people.
    pub(crate) fn describe(&self) -> String {
        let count = self.catalog.iter().count();
        let age = self.since.elapsed().map_or(0, |age| age.as_secs());
        let loaded = format!("{count} profiles, loaded {age} s ago{}", self.candidates.describe());
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
    pub(crate) fn new(loaded: Loaded, now: SystemTime) -> Self {
        Self(ArcSwap::from_pointee(InForce::new(loaded, now)))
    }

    /// What is in force now; a request that holds it keeps it until its verdict.
    pub(crate) fn in_force(&self) -> Guard<Arc<InForce>> {
        self.0.load()
    }

    /// Puts what was checked into force.
    fn replace(&self, loaded: Loaded, now: SystemTime) {
        self.0.store(Arc::new(InForce::new(loaded, now)));
    }

    /// Tries other candidates beside what is in force.
    fn try_beside(&self, candidates: Candidates) {
        let current = self.0.load();
        self.0.store(Arc::new(InForce { candidates: Arc::new(candidates), ..InForce::clone(&current) }));
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

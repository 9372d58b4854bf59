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
    /// Why the files on disk are not in force, where they are not.
    rejected: Option<Arc<str>>,
}

impl InForce {
    /// One line for people.
    pub(crate) fn describe(&self) -> String {
        let count = self.catalog.iter().count();
        let age = self.since.elapsed().map_or(0, |age| age.as_secs());
        let loaded = format!("{count} profiles, loaded {age} s ago");
        match &self.rejected {
            None => loaded,
            Some(why) => format!("{loaded}; the files have changed since and were rejected: {why}"),
        }
    }
}

/// Holds what is in force. Readers never wait: a reload prepares everything and then swaps one pointer.
#[derive(Debug)]
pub(crate) struct Communities(ArcSwap<InForce>);

impl Communities {
    pub(crate) fn new(catalog: Catalog, now: SystemTime) -> Self {
        let in_force = InForce { catalog: Arc::new(catalog), since: now, rejected: None };
        Self(ArcSwap::from_pointee(in_force))
    }

    /// What is in force now; a request that holds it keeps it until its verdict.
    pub(crate) fn in_force(&self) -> Guard<Arc<InForce>> {
        self.0.load()
    }

    /// Puts a checked catalog into force.
    fn replace(&self, catalog: Catalog, now: SystemTime) {
        self.0.store(Arc::new(InForce { catalog: Arc::new(catalog), since: now, rejected: None }));
    }

    /// Keeps what is in force and remembers why.
    fn reject(&self, why: &str) {
        let current = self.0.load();
        self.0.store(Arc::new(InForce { rejected: Some(why.into()), ..InForce::clone(&current) }));
    }

    /// The files went back to what is in force.
    fn accept(&self) {
        let current = self.0.load();
        self.0.store(Arc::new(InForce { rejected: None, ..InForce::clone(&current) }));
    }
}

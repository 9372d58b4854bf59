//! The last records, by id.

use assize_record::{Record, RecordId};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A bounded number of records; the oldest go first.
#[derive(Debug)]
pub(super) struct Recent {
    most: usize,
    order: VecDeque<RecordId>,
    records: HashMap<RecordId, Arc<Record>>,
}

impl Recent {
    pub(super) fn new(most: usize) -> Self {
        Self { most, order: VecDeque::new(), records: HashMap::new() }
    }

    pub(super) fn push(&mut self, record: Arc<Record>) {
        if self.most == 0 {
            return;
        }
        // One that comes again is the same one with its tree.
        if let Some(known) = self.records.get_mut(&record.id) {
            *known = record;
            return;
        }
        if self.records.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.records.remove(&oldest);
        }
        self.order.push_back(record.id.clone());
        self.records.insert(record.id.clone(), record);
    }

    pub(super) fn find(&self, id: &RecordId) -> Option<Arc<Record>> {
        self.records.get(id).cloned()
    }
}

//! What was judged, kept without its text: the last records in memory, and all of them on disk where a folder is set.
//! Keeping never holds up a verdict: where the disk is too slow, records are left out and counted.

mod files;
pub(crate) mod ids;
mod recent;

use crate::config::HistoryConfig;
use assize_record::{Record, RecordError, RecordId};
use assize_telemetry::{HistoryResult, ServiceMetrics, error_chain};
use files::Files;
pub(crate) use files::{EXTENSION, list};
use recent::Recent;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Records that wait for the disk at most: some seconds of a busy service.
const WAITING: usize = 4096;
/// Records that are written before they are handed to the system at the latest, however busy the service is.
const UNFLUSHED: u64 = 1024;
/// How long the end of the service waits for the disk: with the last batch, below what orchestrators grant.
pub(crate) const LAST_RECORDS: Duration = Duration::from_secs(5);

/// Why a history can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The folder can't be written to.
    #[error("can't write to `history.folder` (`{folder}`)")]
    Folder {
        /// Which one.
        folder: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The thread that writes can't be started.
    #[error("the thread that writes the history can't be started")]
    Thread(#[source] std::io::Error),
}

/// Where records go. Shared by all requests.
#[derive(Debug)]
pub(crate) struct History {
    recent: Mutex<Recent>,
    /// `None` where nothing is written, and from the shutdown on.
    sender: Mutex<Option<SyncSender<Arc<Record>>>>,
    metrics: ServiceMetrics,
    is_kept: bool,
    /// Whether a folder is set.
    is_written: bool,
}

/// A record that comes once more: it goes to the disk when this is dropped, as it is then.
#[derive(Debug)]
pub(crate) struct Held {
    history: Arc<History>,
    record: Option<Record>,
}

impl Held {
    /// Takes the place of what is held.
    pub(crate) fn replace(&mut self, record: Record) {
        self.record = Some(record);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.record.take().into_iter().for_each(|record| self.history.keep(record));
    }
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct HistoryThread {
    thread: JoinHandle<()>,
    /// Never sent to: it closes when the thread ends.
    done: Receiver<()>,
}

impl History {
    /// Starts to keep records as the settings say; the thread is there where a folder is set.
    pub(crate) fn start(
        config: &HistoryConfig,
        metrics: ServiceMetrics,
    ) -> Result<(Self, Option<HistoryThread>), HistoryError> {
        let recent = Mutex::new(Recent::new(config.recent));
        let Some(folder) = &config.folder else {
            let is_kept = config.recent > 0;
            let sender = Mutex::new(None);
            return Ok((Self { recent, sender, metrics, is_kept, is_written: false }, None));
        };
        let files = Files::open(folder, config.max_file_bytes, config.max_files)?;
        let (sender, receiver) = sync_channel(WAITING);
        let counted = metrics.clone();
        let thread = std::thread::Builder::new().name("history".to_owned());
        let (ends, done) = sync_channel(0);
        let writing = move || {
            let _ends = ends;
            write_all(&receiver, files, &counted);
        };
        let thread = thread.spawn(writing).map_err(HistoryError::Thread)?;
        let sender = Mutex::new(Some(sender));
        let thread = HistoryThread { thread, done };
        Ok((Self { recent, sender, metrics, is_kept: true, is_written: true }, Some(thread)))
    }

    /// Whether anything is kept at all.
    pub(crate) const fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Keeps a record in memory alone until what it gives is dropped.
    pub(crate) fn hold(self: &Arc<Self>, record: Record) -> Held {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(record.clone()));
        Held { history: Arc::clone(self), record: Some(record) }
    }

    /// Keeps a record, in the place of one that was held. Never waits.
    pub(crate) fn keep(&self, record: Record) {
        let record = Arc::new(record);
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&record));
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let is_lost = match sender.as_ref().map(|sender| sender.try_send(record)) {
            Some(Ok(())) => false,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) => true,
            // From the shutdown on.
            None => self.is_written,
        };
        if is_lost {
            self.metrics.history_records(HistoryResult::Dropped, 1);
        }
    }

    /// A record that is still in memory.
    pub(crate) fn find(&self, id: &RecordId) -> Option<Arc<Record>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).find(id)
    }

    /// Takes no more for the disk, so that the thread ends when it has written what waits.
    pub(crate) fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl HistoryThread {
    /// Waits until all is written, but not for longer than `patience`: a disk that hangs must not hold up the end. Blocks.
    pub(crate) fn join(self, patience: Duration) {
        let Self { thread, done } = self;
        // The sender goes with the thread, whether that ends well or not.
        if done.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            tracing::error!("the history could not be written in time; what still waits is lost");
        } else if thread.join().is_err() {
            tracing::error!("the thread that writes the history panicked");
        }
    }
}

/// Writes until nobody sends any more; flushes whenever nothing waits, and after so many.
fn write_all(receiver: &Receiver<Arc<Record>>, files: Files, metrics: &ServiceMetrics) {
    let mut writing = Writing { files, metrics, unflushed: 0, is_failing: false };
    let mut next = receiver.recv().ok();
    while let Some(record) = next {
        writing.write(&record);
        let waiting = receiver.try_recv().ok();
        if waiting.is_none() || writing.unflushed >= UNFLUSHED {
            writing.flush();
        }
        next = waiting.or_else(|| receiver.recv().ok());
    }
}

/// What the thread knows of what it has written.
struct Writing<'a> {
    files: Files,
    metrics: &'a ServiceMetrics,
    /// Records that are written and may still be lost.
    unflushed: u64,
    is_failing: bool,
}

impl Writing<'_> {
    fn write(&mut self, record: &Record) {
        match self.files.write(record) {
            Ok(()) => self.unflushed += 1,
            Err(error @ RecordError::Write { .. }) => {
                // With it goes what stood before it in the same buffer.
                self.unflushed += 1;
                self.failed(&error);
            }
            Err(error) => {
                self.metrics.history_records(HistoryResult::Failed, 1);
                tracing::error!(error = error_chain(&error), "a record can't be written");
            }
        }
    }

    fn flush(&mut self) {
        match self.files.flush() {
            Ok(()) => {
                self.is_failing &= self.unflushed == 0;
                self.metrics.history_records(HistoryResult::Written, std::mem::take(&mut self.unflushed));
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &RecordError) {
        self.metrics.history_records(HistoryResult::Failed, std::mem::take(&mut self.unflushed));
        if !self.is_failing {
            // Once, not for every record.
            tracing::error!(error = error_chain(error), "the history can't be written");
        }
        self.is_failing = true;
    }
}

#[cfg(test)]
mod tests;

//! What was judged, kept without its text: the last records in memory, and all of them on disk where a folder is set.
//! Keeping never holds up a verdict: where the disk is too slow, records are left out and counted.

mod files;
pub(crate) mod ids;
mod recent;

use crate::config::HistoryConfig;
use assize_record::{Record, RecordId};
use assize_telemetry::{HistoryResult, ServiceMetrics};
use files::Files;
pub(crate) use files::list;
use recent::Recent;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Records that wait for the disk at most: some seconds of a busy service.
const WAITING: usize = 4096;

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
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct HistoryThread(JoinHandle<()>);

impl History {
    /// Starts to keep records as the settings say; the thread is there where a folder is set.
    pub(crate) fn start(
        config: &HistoryConfig,
        metrics: ServiceMetrics,
    ) -> Result<(Self, Option<HistoryThread>), HistoryError> {
        let recent = Mutex::new(Recent::new(config.recent));
        let Some(folder) = &config.folder else {
            let is_kept = config.recent > 0;
            return Ok((Self { recent, sender: Mutex::new(None), metrics, is_kept }, None));
        };
        let files = Files::open(folder, config.max_file_bytes, config.max_files)?;
        let (sender, receiver) = sync_channel(WAITING);
        let counted = metrics.clone();
        let thread = std::thread::Builder::new().name("history".to_owned());
        let thread =
            thread.spawn(move || write_all(&receiver, files, &counted)).map_err(HistoryError::Thread)?;
        let sender = Mutex::new(Some(sender));
        Ok((Self { recent, sender, metrics, is_kept: true }, Some(HistoryThread(thread))))
    }

    /// Whether anything is kept at all.
    pub(crate) const fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Keeps a record. Never waits.
    pub(crate) fn keep(&self, record: Record) {
        let record = Arc::new(record);
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&record));
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) =
            sender.as_ref().map(|sender| sender.try_send(record))
        {
            self.metrics.history_record(HistoryResult::Dropped);
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
    /// Waits until all is written. Blocks.
    pub(crate) fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the thread that writes the history panicked");
        }
    }
}

/// Writes until nobody sends any more; flushes whenever nothing waits.
fn write_all(receiver: &Receiver<Arc<Record>>, mut files: Files, metrics: &ServiceMetrics) {
    let mut is_failing = false;
    let mut next = receiver.recv().ok();
    while let Some(record) = next {
        let written = files.write(&record);
        let (waiting, is_idle) = match receiver.try_recv() {
            Ok(record) => (Some(record), false),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => (None, true),
        };
        let written = if is_idle { written.and_then(|()| files.flush()) } else { written };
        match &written {
            Ok(()) => metrics.history_record(HistoryResult::Written),
            Err(error) => {
                metrics.history_record(HistoryResult::Failed);
                if !is_failing {
                    // Once, not for every record.
                    tracing::error!(
                        error = assize_telemetry::error_chain(error),
                        "the history can't be written"
                    );
                }
            }
        }
        is_failing = written.is_err();
        next = waiting.or_else(|| receiver.recv().ok());
    }
}

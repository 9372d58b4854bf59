//! The files of a history: begun at the first record, gone on with after a restart, a new one when one is full; the oldest go
//! when there are too many. Several processes may share a folder: each holds a lock on the file that it writes, and nobody
//! writes to or removes a file that another holds.

use super::HistoryError;
use assize_record::{Format, HistoryWriter, Record, RecordError};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{BufWriter, ErrorKind, Result, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the files end with.
pub(crate) const EXTENSION: &str = "assize";
/// Who reads a history learns how harmful conversations were: it is the operator's alone.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Counts what goes through it.
#[derive(Debug)]
struct Counted<W> {
    inner: W,
    bytes: u64,
}

/// The file that is being written. Its lock goes with it.
#[derive(Debug)]
struct Current {
    path: PathBuf,
    inode: u64,
    writer: HistoryWriter<Counted<BufWriter<File>>>,
}

/// The folder, the file being written, and how many there may be.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    max_bytes: u64,
    /// 0: any number.
    max_files: usize,
    /// `None` before the first record and after a failure.
    current: Option<Current>,
}

impl Files {
    /// Makes the folder, and makes sure that it can be written to; no file is begun before there is a record.
    pub(super) fn open(
        folder: &Path,
        max_bytes: u64,
        max_files: usize,
    ) -> std::result::Result<Self, HistoryError> {
        let failed = |source| HistoryError::Folder { folder: folder.to_owned(), source };
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(failed)?;
        let trial = folder.join(format!(".{}.trial", std::process::id()));
        File::create(&trial).map_err(failed)?;
        std::fs::remove_file(&trial).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), max_bytes, max_files, current: None })
    }

    /// Writes a record; it is safe after the next [`Self::flush`]. After an error another file is begun.
    pub(super) fn write(&mut self, record: &Record) -> std::result::Result<(), RecordError> {
        let write = |source| RecordError::Write { source };
        let is_usable = |current: &mut Current| !current.is_full(self.max_bytes) && !current.is_gone();
        if !self.current.as_mut().is_some_and(is_usable) {
            self.flush()?;
            // Its lock is given up before another file is looked for.
            self.current = None;
            self.current = Some(self.next().map_err(write)?);
        }
        let written = self.current.as_mut().map_or(Ok(()), |current| current.writer.write(record));
        self.keep_if(written)
    }

    /// Hands everything to the system.
    pub(super) fn flush(&mut self) -> std::result::Result<(), RecordError> {
        let flushed = self.current.as_mut().map_or(Ok(()), |current| current.writer.flush());
        self.keep_if(flushed)
    }

    /// A file that could not be written to is left: its disk may have gone, and what comes next is tried in another.
    fn keep_if(
        &mut self,
        done: std::result::Result<(), RecordError>,
    ) -> std::result::Result<(), RecordError> {
        if let Err(RecordError::Write { .. }) = &done {
            self.current = None;
        }
        done
    }

    /// The newest file that nobody holds, where it has room; otherwise a new one.
    fn next(&self) -> Result<Current> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&self.folder)?;
        if let Some(newest) = list(&self.folder)?.pop()
            && let Some(found) = self.go_on(newest)?
        {
            return Ok(found);
        }
        let begun = begin(&self.folder)?;
        self.remove_oldest()?;
        Ok(begun)
    }

    fn go_on(&self, path: PathBuf) -> Result<Option<Current>> {
        let file = match OpenOptions::new().append(true).open(&path) {
            // Removed meanwhile, or another user's.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                return Ok(None);
            }
            file => file?,
        };
        if file.try_lock().is_err() {
            return Ok(None);
        }
        let bytes = file.metadata()?.len();
        // Full, or removed by another before we held it.
        if bytes >= self.max_bytes || !path.exists() {
            return Ok(None);
        }
        Current::of(path, file, bytes).map(Some)
    }

    /// Names begin with the time of their start, so that their order is that of their names.
    fn remove_oldest(&self) -> Result<()> {
        if self.max_files == 0 {
            return Ok(());
        }
        let mut files = list(&self.folder)?;
        let spare = files.len().saturating_sub(self.max_files);
        files.truncate(spare);
        files.iter().try_for_each(|path| remove_unheld(path))
    }
}

impl Current {
    fn of(path: PathBuf, file: File, bytes: u64) -> Result<Self> {
        let inode = file.metadata()?.ino();
        let counted = Counted { inner: BufWriter::new(file), bytes };
        Ok(Self { path, inode, writer: HistoryWriter::append(counted, Format::Binary) })
    }

    const fn is_full(&self, max_bytes: u64) -> bool {
        self.writer.get_ref().bytes >= max_bytes
    }

    /// Whether its name is another file's or nobody's by now: somebody has moved or removed it.
    fn is_gone(&self) -> bool {
        std::fs::metadata(&self.path).map_or(true, |found| found.ino() != self.inode)
    }
}

/// The files of a folder, the oldest first.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A new file, held, whose name comes after all others.
fn begin(folder: &Path) -> Result<Current> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let last = list(folder)?.pop();
    let last = last.and_then(|path| path.file_stem()?.to_str()?.parse::<u128>().ok());
    let mut at = last.map_or(now, |last| now.max(last.saturating_add(1)));
    loop {
        let path = folder.join(format!("{at:014}.{EXTENSION}"));
        match OpenOptions::new().append(true).create_new(true).mode(FILE_MODE).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => at = at.saturating_add(1),
            opened => {
                let file = opened?;
                match file.try_lock() {
                    // Another process found it before we held it.
                    Err(TryLockError::WouldBlock) => at = at.saturating_add(1),
                    // Where the system has no locks nobody can hold a file, and nobody goes on with one or removes it.
                    Ok(()) | Err(TryLockError::Error(_)) => return Current::of(path, file, 0),
                }
            }
        }
    }
}

/// Removes a file, unless another process is writing it.
fn remove_unheld(path: &Path) -> Result<()> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    if file.try_lock().is_err() {
        return Ok(());
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
impl Files {
    /// Goes on with whatever this is.
    pub(super) fn write_into(&mut self, path: &Path) {
        let file = OpenOptions::new().append(true).open(path).unwrap();
        self.current = Some(Current::of(path.to_owned(), file, 0).unwrap());
    }
}

#[cfg(test)]
mod tests;

//! The files of a history: a new one at each start and when one is full; the oldest go when there are too many.

use super::HistoryError;
use assize_record::{Format, HistoryWriter, Record, RecordError};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the files end with.
pub(crate) const EXTENSION: &str = "assize";

/// Counts what goes through it.
#[derive(Debug)]
struct Counted<W> {
    inner: W,
    bytes: u64,
}

/// The file being written, and how many there may be.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    max_bytes: u64,
    /// 0: any number.
    max_files: usize,
    writer: HistoryWriter<Counted<BufWriter<File>>>,
}

impl Files {
    pub(super) fn open(folder: &Path, max_bytes: u64, max_files: usize) -> Result<Self, HistoryError> {
        let failed = |source| HistoryError::Folder { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let writer = begin(folder).map_err(failed)?;
        let files = Self { folder: folder.to_owned(), max_bytes, max_files, writer };
        files.remove_oldest().map_err(failed)?;
        Ok(files)
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), RecordError> {
        if self.writer.get_ref().bytes >= self.max_bytes {
            self.writer.flush()?;
            let write = |source| RecordError::Write { source };
            self.writer = begin(&self.folder).map_err(write)?;
            self.remove_oldest().map_err(write)?;
        }
        self.writer.write(record)
    }

    pub(super) fn flush(&mut self) -> Result<(), RecordError> {
        self.writer.flush()
    }

    /// Names begin with the time of their start, so that their order is that of their names.
    fn remove_oldest(&self) -> std::io::Result<()> {
        if self.max_files == 0 {
            return Ok(());
        }
        let mut files = list(&self.folder)?;
        let spare = files.len().saturating_sub(self.max_files);
        files.truncate(spare);
        files.iter().try_for_each(std::fs::remove_file)
    }
}

/// The files of a folder, the oldest first.
pub(crate) fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
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

/// Never opens a file that is there: two services may share a folder.
fn begin(folder: &Path) -> std::io::Result<HistoryWriter<Counted<BufWriter<File>>>> {
    let mut at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let file = loop {
        let path = folder.join(format!("{at:014}.{EXTENSION}"));
        match File::create_new(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => at += 1,
            opened => break opened?,
        }
    };
    Ok(HistoryWriter::new(Counted { inner: BufWriter::new(file), bytes: 0 }, Format::Binary))
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_files_go() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["00000000000001.assize", "00000000000002.assize", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let files = Files::open(folder.path(), 1 << 20, 2).unwrap();
        let left = list(folder.path()).unwrap();
        assert_eq!(left.len(), 2);
        assert!(left[0].ends_with("00000000000002.assize") && folder.path().join("notes.txt").exists());
        drop(files);
        // A second one at the same moment gets a file of its own.
        let (_a, _b) = (Files::open(folder.path(), 1, 0).unwrap(), Files::open(folder.path(), 1, 0).unwrap());
        assert_eq!(list(folder.path()).unwrap().len(), 4);
    }
}

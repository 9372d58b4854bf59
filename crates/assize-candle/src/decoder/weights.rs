//! A checkpoint's tensors by name, from safetensors shards: read one at a time, so that memory holds one tensor beside what
//! it becomes, and every one of them has to be asked for.
//!
//! Files are read, not mapped: every weight is converted, packed or copied to a device anyway, and a mapped file that
//! someone shortens would end the process.

use crate::folder::LoadError;
use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// A header is a few kilobytes; one of over 100 MB is no header (the limit of the safetensors library).
const MOST_HEADER: u64 = 100_000_000;
/// Tensors that some exporters write and that follow from the rest.
const DERIVED: &str = ".rotary_emb.inv_freq";

/// The shards of one checkpoint.
#[derive(Debug)]
pub(super) struct Shards {
    files: Vec<Shard>,
    /// Which shard has a tensor; names go when they are taken.
    left: BTreeMap<String, usize>,
    /// Digests of what was taken.
    taken: BTreeMap<String, [u8; 32]>,
}

#[derive(Debug)]
struct Shard {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    /// Where the numbers begin.
    start: u64,
}

#[derive(Debug, Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Shards {
    /// Opens `model.safetensors`, or the shards that `model.safetensors.index.json` names.
    pub(super) fn open(folder: &Path) -> Result<Self, LoadError> {
        let (single, index) = (folder.join("model.safetensors"), folder.join("model.safetensors.index.json"));
        let names = if single.exists() || !index.exists() { vec![single] } else { shards_of(&index)? };
        let files = names.into_iter().map(Shard::open).collect::<Result<Vec<_>, _>>()?;
        let mut left = BTreeMap::new();
        for (place, shard) in files.iter().enumerate() {
            for name in shard.metadata.tensors().into_keys().filter(|name| !name.ends_with(DERIVED)) {
                left.insert(name, place);
            }
        }
        Ok(Self { files, left, taken: BTreeMap::new() })
    }

    /// Takes one tensor, on the processor, in the file's number type.
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let place = self.left.remove(name);
        let Some(shard) = place.and_then(|place| self.files.get_mut(place)) else {
            let (tensor, expected) = (name.to_owned(), format!("{shape:?}"));
            return Err(LoadError::TensorMissing { file: self.any_file(), tensor, expected });
        };
        let (tensor, digest) = shard.read(name, shape)?;
        self.taken.insert(name.to_owned(), digest);
        Ok(tensor)
    }

    /// Leaves a tensor out that says nothing new.
    pub(super) fn skip(&mut self, name: &str) {
        self.left.remove(name);
    }

    /// Ends the taking; what is left over, and names and digests of all that was taken.
    pub(super) fn finish(self) -> (BTreeSet<String>, BTreeMap<String, [u8; 32]>) {
        (self.left.into_keys().collect(), self.taken)
    }

    pub(super) fn any_file(&self) -> PathBuf {
        self.files.first().map_or_else(PathBuf::new, |shard| shard.path.clone())
    }
}

fn shards_of(index: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let malformed = |source: Box<dyn std::error::Error + Send + Sync>| LoadError::Malformed {
        file: index.into(),
        expected: "an index of safetensors shards",
        source,
    };
    let bytes =
        std::fs::read(index).map_err(|source| LoadError::Unreadable { file: index.into(), source })?;
    let parsed: Index = serde_json::from_slice(&bytes).map_err(|source| malformed(source.into()))?;
    let names: BTreeSet<&String> = parsed.weight_map.values().collect();
    let folder = index.parent().unwrap_or(Path::new("."));
    // A name with a folder in it could lead out of the checkpoint.
    match names.iter().find(|name| Path::new(name).components().count() != 1 || name.contains("..")) {
        Some(_) => Err(malformed("a shard is named by more than a file name".into())),
        None => Ok(names.into_iter().map(|name| folder.join(name)).collect()),
    }
}

impl Shard {
    fn open(path: PathBuf) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::Unreadable { file: path.clone(), source };
        let malformed = |source: Box<dyn std::error::Error + Send + Sync>| LoadError::Malformed {
            file: path.clone(),
            expected: "a whole safetensors file",
            source,
        };
        let mut file = File::open(&path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(unreadable)?;
        let length = u64::from_le_bytes(length);
        let is_header = length <= MOST_HEADER && length.saturating_add(8) <= size;
        let length = usize::try_from(length).ok().filter(|_| is_header);
        let length = length.ok_or_else(|| malformed("the header is longer than the file".into()))?;
        let mut header = vec![0; length];
        file.read_exact(&mut header).map_err(unreadable)?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|source| malformed(source.into()))?;
        let start = 8 + length as u64;
        if start + metadata.data_len() as u64 != size {
            return Err(malformed("the tensors do not fill the file".into()));
        }
        Ok(Self { path, file, metadata, start })
    }

    fn read(&mut self, name: &str, shape: &[usize]) -> Result<(Tensor, [u8; 32]), LoadError> {
        let info = self.metadata.info(name).cloned();
        let Some(TensorInfo { dtype, shape: given, data_offsets: (from, to) }) = info else {
            let (tensor, expected) = (name.to_owned(), format!("{shape:?}"));
            return Err(LoadError::TensorMissing { file: self.path.clone(), tensor, expected });
        };
        if given != shape {
            let (given, expected) = (format!("{given:?}"), format!("{shape:?}"));
            return Err(LoadError::TensorShape {
                file: self.path.clone(),
                tensor: name.into(),
                given,
                expected,
            });
        }
        let supported = DType::try_from(dtype).ok().filter(|dtype| FLOATS.contains(dtype));
        let dtype = supported.ok_or_else(|| LoadError::TensorType {
            file: self.path.clone(),
            tensor: name.into(),
            given: dtype.to_string(),
            expected: "F32, F16 or BF16".to_owned(),
        })?;
        let unreadable = |source| LoadError::Unreadable { file: self.path.clone(), source };
        let mut bytes = vec![0; to - from];
        self.file.seek(SeekFrom::Start(self.start + from as u64)).map_err(unreadable)?;
        self.file.read_exact(&mut bytes).map_err(unreadable)?;
        let digest = Sha256::digest(&bytes).into();
        let not_placed = |source: candle_core::Error| LoadError::TensorNotPlaced {
            file: self.path.clone(),
            tensor: name.into(),
            source: source.into(),
        };
        let tensor = Tensor::from_raw_buffer(&bytes, dtype, shape, &Device::Cpu).map_err(not_placed)?;
        Ok((tensor, digest))
    }
}

const FLOATS: [DType; 3] = [DType::F32, DType::F16, DType::BF16];

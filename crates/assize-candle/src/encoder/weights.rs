//! The checkpoint's tensors, handed out by name and shape; every one of them has to be asked for exactly once.
//!
//! They come from a file (to judge with) or from a map of tensors (to learn with: they change after each step).

use super::parts::{LayerNorm, Linear};
use crate::folder::{LoadError, ModelFile};
use candle_core::{DType, Device, Tensor, safetensors::Load};
use safetensors::SafeTensors;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// A parsed `model.safetensors` whose tensors are being taken.
#[derive(Debug)]
pub(crate) struct Weights<'a> {
    file: &'a Path,
    source: Source<'a>,
    /// Names that nobody has asked for yet.
    left: BTreeSet<String>,
    device: &'a Device,
}

#[derive(Debug)]
enum Source<'a> {
    /// Checked and converted to f32 as they are taken.
    File { tensors: SafeTensors<'a>, dtype: DType },
    /// Taken as they are.
    Map(&'a BTreeMap<String, Tensor>),
}

impl<'a> Weights<'a> {
    /// Reads the table of tensors; every tensor must then have the number type `dtype`.
    pub(crate) fn parse(file: &'a ModelFile, dtype: DType, device: &'a Device) -> Result<Self, LoadError> {
        let tensors = SafeTensors::deserialize(&file.bytes).map_err(|source| LoadError::Malformed {
            file: file.path.clone(),
            expected: "a whole safetensors file",
            source: source.into(),
        })?;
        let left = tensors.names().into_iter().map(str::to_owned).collect();
        Ok(Self { file: &file.path, source: Source::File { tensors, dtype }, left, device })
    }

    /// Hands out tensors of a map, which are f32 on `device`.
    pub(crate) fn of(tensors: &'a BTreeMap<String, Tensor>, device: &'a Device) -> Self {
        let left = tensors.keys().cloned().collect();
        Self { file: Path::new("the variables"), source: Source::Map(tensors), left, device }
    }

    pub(crate) fn device(&self) -> &Device {
        self.device
    }

    /// Takes one tensor, converted to f32 on the device.
    ///
    /// f32 everywhere: candle's f16 on a CPU is slower than its f32, and BERT's sums overflow it.
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let found = match &self.source {
            Source::File { tensors, dtype } => self.read(tensors, *dtype, name, shape)?,
            Source::Map(tensors) => {
                let tensor = tensors.get(name).ok_or_else(|| self.missing(name, shape))?;
                self.check_shape(name, tensor.dims(), shape)?;
                tensor.clone()
            }
        };
        self.left.remove(name);
        Ok(found)
    }

    fn read(
        &self,
        tensors: &SafeTensors<'_>,
        dtype: DType,
        name: &str,
        shape: &[usize],
    ) -> Result<Tensor, LoadError> {
        let Ok(view) = tensors.tensor(name) else { return Err(self.missing(name, shape)) };
        self.check_shape(name, view.shape(), shape)?;
        if DType::try_from(view.dtype()).ok() != Some(dtype) {
            let (given, expected) = (view.dtype().to_string(), dtype.as_str().to_owned());
            let (file, tensor) = (self.file.into(), name.into());
            return Err(LoadError::TensorType { file, tensor, given, expected });
        }
        let placed = view.load(self.device).and_then(|raw| raw.to_dtype(DType::F32));
        let placed = placed.map_err(|source| self.not_placed(name, source))?;
        self.check_finite(name, &placed)?;
        Ok(placed)
    }

    fn missing(&self, name: &str, shape: &[usize]) -> LoadError {
        LoadError::TensorMissing {
            file: self.file.into(),
            tensor: name.into(),
            expected: format!("{shape:?}"),
        }
    }

    fn check_shape(&self, name: &str, given: &[usize], expected: &[usize]) -> Result<(), LoadError> {
        if given == expected {
            return Ok(());
        }
        let (given, expected) = (format!("{given:?}"), format!("{expected:?}"));
        Err(LoadError::TensorShape { file: self.file.into(), tensor: name.into(), given, expected })
    }

    /// Takes `{prefix}.weight` of shape `[output, input]` and `{prefix}.bias` of shape `[output]`.
    pub(super) fn take_linear(
        &mut self,
        prefix: &str,
        input: usize,
        output: usize,
    ) -> Result<Linear, LoadError> {
        let weight = self.take(&format!("{prefix}.weight"), &[output, input])?;
        let bias = self.take(&format!("{prefix}.bias"), &[output])?;
        Ok(Linear { weight, bias })
    }

    /// Takes `{prefix}.weight` and `{prefix}.bias`, both of shape `[width]`.
    pub(super) fn take_layer_norm(
        &mut self,
        prefix: &str,
        width: usize,
        epsilon: f64,
    ) -> Result<LayerNorm, LoadError> {
        let gamma = self.take(&format!("{prefix}.weight"), &[width])?;
        let beta = self.take(&format!("{prefix}.bias"), &[width])?;
        #[expect(clippy::cast_possible_truncation, reason = "epsilon is used with f32 numbers")]
        let epsilon = epsilon as f32;
        Ok(LayerNorm { gamma, beta, epsilon })
    }

    /// Ends the taking: a tensor that nobody asked for means that this is another model.
    pub(crate) fn finish(self) -> Result<(), LoadError> {
        match self.left.first() {
            None => Ok(()),
            Some(example) => Err(LoadError::TensorsLeftOver {
                file: self.file.into(),
                count: self.left.len(),
                example: example.clone(),
            }),
        }
    }

    /// The error for work on the tensor `name` that failed on the device.
    pub(super) fn not_placed(&self, name: &str, source: candle_core::Error) -> LoadError {
        LoadError::TensorNotPlaced { file: self.file.into(), tensor: name.into(), source: source.into() }
    }

    // Infinity times zero is NaN, so multiplying by zero first keeps a sum of large finite numbers from overflowing.
    fn check_finite(&self, name: &str, tensor: &Tensor) -> Result<(), LoadError> {
        let sum = (tensor * 0.0).and_then(|zeros| zeros.sum_all()?.to_scalar::<f32>());
        match sum.map_err(|source| self.not_placed(name, source))? {
            0.0 => Ok(()),
            _ => Err(LoadError::TensorNotFinite { file: self.file.into(), tensor: name.into() }),
        }
    }
}

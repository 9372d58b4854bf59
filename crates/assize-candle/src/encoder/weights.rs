//! The checkpoint's tensors, handed out by name and shape; every one of them has to be asked for exactly once.

use crate::folder::{LoadError, ModelFile};
use candle_core::{DType, Device, Tensor, safetensors::Load};
use candle_nn::{LayerNorm, Linear};
use safetensors::SafeTensors;
use std::{collections::BTreeSet, path::Path};

/// A parsed `model.safetensors` whose tensors are being taken.
#[derive(Debug)]
pub(crate) struct Weights<'a> {
    file: &'a Path,
    tensors: SafeTensors<'a>,
    /// Names that nobody has asked for yet.
    left: BTreeSet<String>,
    dtype: DType,
    device: &'a Device,
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
        Ok(Self { file: &file.path, tensors, left, dtype, device })
    }

    pub(crate) fn device(&self) -> &Device {
        self.device
    }

    /// Takes one tensor, converted to f32 on the device.
    ///
    /// f32 everywhere: candle's f16 on a CPU is slower than its f32, and BERT's sums overflow it.
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let (file, tensor) = (self.file, name);
        let expected = format!("{shape:?}");
        let Ok(view) = self.tensors.tensor(name) else {
            return Err(LoadError::TensorMissing { file: file.into(), tensor: tensor.into(), expected });
        };
        if view.shape() != shape {
            let given = format!("{:?}", view.shape());
            return Err(LoadError::TensorShape { file: file.into(), tensor: tensor.into(), given, expected });
        }
        if DType::try_from(view.dtype()).ok() != Some(self.dtype) {
            let (given, expected) = (view.dtype().to_string(), self.dtype.as_str().to_owned());
            return Err(LoadError::TensorType { file: file.into(), tensor: tensor.into(), given, expected });
        }
        self.left.remove(name);
        let placed = view.load(self.device).and_then(|raw| raw.to_dtype(DType::F32));
        let placed = placed.map_err(|source| self.not_placed(name, source))?;
        self.check_finite(name, &placed)?;
        Ok(placed)
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
        Ok(Linear::new(weight, Some(bias)))
    }

    /// Takes `{prefix}.weight` and `{prefix}.bias`, both of shape `[width]`.
    pub(super) fn take_layer_norm(
        &mut self,
        prefix: &str,
        width: usize,
        epsilon: f64,
    ) -> Result<LayerNorm, LoadError> {
        let weight = self.take(&format!("{prefix}.weight"), &[width])?;
        let bias = self.take(&format!("{prefix}.bias"), &[width])?;
        Ok(LayerNorm::new(weight, bias, epsilon))
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

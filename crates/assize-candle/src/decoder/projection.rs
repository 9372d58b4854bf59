//! A linear layer of a decoder: over tensors on any device, or packed for this processor's vector instructions.

use assize_kernels::{Into, Kernel, Linear, Rows, ShapeError};
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use std::cell::RefCell;

/// Outputs that a kernel computes side by side; parts for threads begin at multiples of it.
const PANEL: usize = 64;
/// From so many rows on threads part the rows, below it the outputs: few rows are over as soon as the weights were read once.
const MANY_ROWS: usize = 48;
/// Rows that a thread takes at a time, so that they stay in its second-level cache while all weights go by.
const TILE_ROWS: usize = 64;

/// How a decoder's linear layers compute.
#[derive(Debug, Clone)]
pub(super) enum Computing {
    /// With the tensor library, in this number type on this device.
    Tensors(Device, DType),
    /// With our kernels; activations are f32 between them.
    Packed(Kernel),
}

impl Computing {
    /// The number type of hidden states.
    pub(super) const fn dtype(&self) -> DType {
        match self {
            Self::Tensors(_, dtype) => *dtype,
            Self::Packed(_) => DType::F32,
        }
    }

    pub(super) fn device(&self) -> Device {
        match self {
            Self::Tensors(device, _) => device.clone(),
            Self::Packed(_) => Device::Cpu,
        }
    }
}

/// Why a layer can't be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProjectionError {
    #[error("the weight can't be packed")]
    Shape(#[from] ShapeError),
    #[error("the tensor library failed")]
    Tensor(#[from] candle_core::Error),
}

/// `x W^T + b`.
#[derive(Debug)]
pub(super) enum Projection {
    Dense {
        /// `[inputs, outputs]`, a view of the file's order.
        weight: Tensor,
        bias: Option<Tensor>,
    },
    Packed(Linear),
}

impl Projection {
    /// From `[outputs, inputs]` and `[outputs]` in whatever number type the file has; what is on the device in the right type is
    /// not copied.
    pub(super) fn new(
        weight: &Tensor,
        bias: Option<&Tensor>,
        computing: &Computing,
    ) -> std::result::Result<Self, ProjectionError> {
        match computing {
            Computing::Tensors(device, dtype) => {
                let placed = |tensor: &Tensor| tensor.to_dtype(*dtype)?.to_device(device);
                Ok(Self::Dense { weight: placed(weight)?.t()?, bias: bias.map(placed).transpose()? })
            }
            Computing::Packed(kernel) => {
                let (outputs, inputs) = weight.dims2()?;
                let weight = numbers_of(weight)?;
                let bias = bias.map_or_else(|| Ok(vec![0.0; outputs]), numbers_of)?;
                Ok(Self::Packed(Linear::pack(*kernel, &weight, &bias, inputs)?))
            }
        }
    }

    /// `[rows, inputs]` to `[rows, outputs]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Packed(linear) => x.contiguous()?.apply_op1_no_bwd(&PackedProduct(linear)),
            Self::Dense { weight, bias } => {
                let product = x.matmul(weight)?;
                bias.as_ref().map_or(Ok(product.clone()), |bias| product.broadcast_add(bias))
            }
        }
    }
}

fn numbers_of(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

struct PackedProduct<'a>(&'a Linear);

impl CustomOp1 for PackedProduct<'_> {
    fn name(&self) -> &'static str {
        "packed-product"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs) = layout.shape().dims2()?;
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("rows that are not contiguous") };
        let x = x.as_slice::<f32>()?.get(start..end).unwrap_or_default();
        let outputs = self.0.outputs();
        if inputs != self.0.inputs() {
            bail!("rows of {inputs} numbers do not fit a layer of {} inputs", self.0.inputs());
        }
        let out = if rows < MANY_ROWS { self.by_outputs(x, rows) } else { self.by_rows(x, rows) };
        match out {
            Some(out) => Ok((CpuStorage::F32(out), Shape::from((rows, outputs)))),
            None => bail!("a packed layer and its rows do not fit"),
        }
    }
}

thread_local! {
    /// Rows in a kernel's form, kept from layer to layer.
    static ROOM: RefCell<Option<Rows>> = const { RefCell::new(None) };
}

/// Fills this thread's rows and works with them.
fn with_rows<T>(kernel: Kernel, (x, width): (&[f32], usize), work: impl FnOnce(&Rows) -> T) -> T {
    ROOM.with_borrow_mut(|room| {
        let mut rows =
            room.take().filter(|rows| rows.kernel() == kernel).unwrap_or_else(|| Rows::new(kernel));
        rows.fill(x, width);
        let done = work(&rows);
        *room = Some(rows);
        done
    })
}

impl PackedProduct<'_> {
    fn by_rows(&self, x: &[f32], rows: usize) -> Option<Vec<f32>> {
        let (inputs, outputs) = (self.0.inputs(), self.0.outputs());
        let mut out = vec![0.0; rows * outputs];
        let share = rows.div_ceil(rayon::current_num_threads()).clamp(1, TILE_ROWS);
        let tiles = out.par_chunks_mut(share * outputs).zip(x.par_chunks(share * inputs));
        let fit = tiles.map(|(out, x)| {
            with_rows(self.0.kernel(), (x, inputs), |rows| self.0.forward(rows, out, Into::Replace))
        });
        fit.reduce(|| true, |one, other| one && other).then_some(out)
    }

    fn by_outputs(&self, x: &[f32], rows: usize) -> Option<Vec<f32>> {
        let (inputs, outputs) = (self.0.inputs(), self.0.outputs());
        let threads = rayon::current_num_threads();
        let part = outputs.div_ceil(threads).next_multiple_of(PANEL);
        with_rows(self.0.kernel(), (x, inputs), |filled| {
            let parts: Vec<_> =
                (0..outputs).step_by(part).map(|from| from..(from + part).min(outputs)).collect();
            let compute = |range: &std::ops::Range<usize>| {
                let mut out = vec![0.0; rows * range.len()];
                let fits = self.0.forward_part(filled, &mut out, Into::Replace, range.clone());
                fits.then_some(out)
            };
            let done: Option<Vec<Vec<f32>>> = parts.par_iter().with_max_len(1).map(compute).collect();
            done.map(|done| side_by_side(&done, &parts, (rows, outputs)))
        })
    }
}

/// Puts columns that were computed apart into rows.
fn side_by_side(
    done: &[Vec<f32>],
    parts: &[std::ops::Range<usize>],
    (rows, outputs): (usize, usize),
) -> Vec<f32> {
    let mut out = Vec::with_capacity(rows * outputs);
    for row in 0..rows {
        for (done, part) in done.iter().zip(parts) {
            out.extend_from_slice(done.get(row * part.len()..(row + 1) * part.len()).unwrap_or_default());
        }
    }
    out
}

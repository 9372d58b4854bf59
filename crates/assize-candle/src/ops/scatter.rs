//! Adding rows to the places that indices name: the gradient of an embedding. Called by the encoder's embeddings.

use super::{numbers, rows_and_width};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// `out[indices[row]] += rows[row]` over zeros: `[n, h]` and `[n]` (u32) to `[count, h]`. Sums are formed in the order
/// of the rows, whatever the number of threads. On the CPU only.
///
/// # Errors
/// When a shape or dtype does not fit, or an index is not below `count`.
pub(crate) fn scatter_rows(rows: &Tensor, indices: &Tensor, count: usize) -> Result<Tensor> {
    rows.contiguous()?.apply_op2_no_bwd(&indices.contiguous()?, &ScatterRows { count })
}

struct ScatterRows {
    count: usize,
}

/// Rows of the output that make one task. Few of them are touched, and memory that is not stays unmapped.
const TASK_ROWS: usize = 256;

impl CustomOp2 for ScatterRows {
    fn name(&self) -> &'static str {
        "scatter-rows"
    }

    fn cpu_fwd(
        &self,
        rows: &CpuStorage,
        rows_layout: &Layout,
        indices: &CpuStorage,
        indices_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (count, width) = rows_and_width(rows_layout, &[])?;
        let rows = numbers(rows, rows_layout)?;
        let all = indices.as_slice::<u32>()?;
        let indices = indices_layout.contiguous_offsets().and_then(|(start, end)| all.get(start..end));
        let mut places = Vec::with_capacity(count);
        for (index, row) in indices.unwrap_or_default().iter().zip(rows.chunks_exact(width)) {
            match usize::try_from(*index) {
                Ok(place) if place < self.count => places.push((place, row)),
                _ => bail!("row {index} is over {} rows", self.count),
            }
        }
        if places.len() != count {
            bail!("{} indices for {count} rows", places.len());
        }
        // Stable: the rows of one place stay in their order.
        places.sort_by_key(|(place, _)| *place);
        let mut out = vec![0.0; self.count * width];
        out.par_chunks_mut(TASK_ROWS * width).enumerate().for_each(|(task, out)| {
            let first = task * TASK_ROWS;
            let begin = places.partition_point(|(place, _)| *place < first);
            let own = places.iter().skip(begin).take_while(|(place, _)| *place < first + TASK_ROWS);
            for (place, row) in own {
                let start = (place - first) * width;
                let cells = out.get_mut(start..start + width).unwrap_or_default();
                cells.iter_mut().zip(*row).for_each(|(cell, value)| *cell += value);
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((self.count, width))))
    }
}

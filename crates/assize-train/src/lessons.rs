//! Lessons as a file, for experiments with encoders that this crate doesn't have: the same texts, cuts, variations and
//! labels, without the text.
//!
//! A safetensors file of `ids`, `types` (`[tokens]`, every sequence after the other), `starts` (`[lessons + 1]`), `weight`
//! and `set` (`[lessons]`), `binary` (`[lessons, 4]`) and `risk` (`[lessons, 13]`), NaN where nothing is known, and for the
//! lessons `tree_rows` (`[trees]`) their counts and masses, `tree` (`[trees, numbers]`), in the order of [`TreeTargets`].

use crate::batches::Lesson;
use crate::loss::TreeTargets;
use crate::variables::save;
use assize_domain::RiskCategory;
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::path::Path;

/// Writes the lessons.
///
/// # Errors
/// When the file can't be written.
pub fn write(lessons: &[Lesson], path: &Path) -> anyhow::Result<()> {
    let (mut ids, mut types, mut starts) = (Vec::new(), Vec::new(), vec![0_i64]);
    let (mut binary, mut risk, mut tree, mut tree_rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (row, lesson) in lessons.iter().enumerate() {
        ids.extend_from_slice(lesson.sequence.ids());
        types.extend(lesson.sequence.type_ids());
        starts.push(i64::try_from(ids.len())?);
        binary.extend(lesson.labels.binary.map(|label| label.unwrap_or(f32::NAN)));
        let known = lesson.labels.risk.map(|known| known.map(|yes| f32::from(u8::from(yes))));
        risk.extend(known.unwrap_or([f32::NAN; RiskCategory::ALL.len()]));
        if let Some(found) = &lesson.labels.tree {
            tree_rows.push(i64::try_from(row)?);
            tree.extend(TreeTargets::of(found).numbers());
        }
    }
    let (rows, tokens, trees) = (lessons.len(), ids.len(), tree_rows.len());
    let cpu = &Device::Cpu;
    let weight: Vec<f32> = lessons.iter().map(|lesson| lesson.weight).collect();
    let set = lessons.iter().map(|lesson| i64::try_from(lesson.set)).collect::<Result<Vec<_>, _>>()?;
    let width = tree.len().checked_div(trees).unwrap_or_default();
    let tensors = [
        ("ids", Tensor::from_vec(ids, tokens, cpu)?),
        ("types", Tensor::from_vec(types, tokens, cpu)?),
        ("starts", Tensor::from_vec(starts, rows + 1, cpu)?),
        ("weight", Tensor::from_vec(weight, rows, cpu)?),
        ("set", Tensor::from_vec(set, rows, cpu)?),
        ("binary", Tensor::from_vec(binary, (rows, 4), cpu)?),
        ("risk", Tensor::from_vec(risk, (rows, RiskCategory::ALL.len()), cpu)?),
        ("tree_rows", Tensor::from_vec(tree_rows, trees, cpu)?),
        ("tree", Tensor::from_vec(tree, (trees, width), cpu)?),
    ];
    let tensors: BTreeMap<String, Tensor> =
        tensors.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect();
    save(&tensors, path)
}

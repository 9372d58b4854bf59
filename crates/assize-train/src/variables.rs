//! The weights that learn: read from a base encoder, given heads, and written as a checkpoint.

use anyhow::{Context as _, ensure};
use assize_candle::leaves::LeafLayout;
use assize_candle::{EncoderShape, HeadLogits};
use assize_domain::{GuardHead, RiskCategory};
use candle_core::{DType, Device, Tensor, Var};
use rand::SeedableRng as _;
use rand::distr::{Distribution as _, Uniform};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Width of the heads' uniform start, small beside what they become.
const HEAD_START: f32 = 0.01;

/// Named variables, f32 on the CPU.
#[derive(Debug)]
pub struct Variables {
    variables: BTreeMap<String, Var>,
}

impl Variables {
    /// Reads the encoder's tensors of `model.safetensors` and adds heads that know nothing yet.
    ///
    /// # Errors
    /// When the file can't be read or has no tensors of a BERT encoder.
    pub fn begin(file: &Path, shape: EncoderShape, seed: u64) -> anyhow::Result<Self> {
        let tensors = load(file)?;
        let mut variables = BTreeMap::new();
        for (name, tensor) in tensors {
            // The pooler belongs to another head, and position ids are counted anew.
            let is_weight = name.starts_with("embeddings.") && name != "embeddings.position_ids";
            if is_weight || name.starts_with("encoder.layer.") {
                variables.insert(name, Var::from_tensor(&tensor.to_dtype(DType::F32)?)?);
            }
        }
        ensure!(
            !variables.is_empty(),
            "`{}` has no tensor `embeddings.*`; give a BERT encoder as transformers saves it",
            file.display()
        );
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let feature = 2 * shape.hidden;
        let heads = [
            ("heads.binary", GuardHead::ALL.len()),
            ("heads.risk", RiskCategory::ALL.len()),
            ("heads.leaves", LeafLayout::WIDTH),
        ];
        for (name, rows) in heads {
            let uniform = Uniform::new(-HEAD_START, HEAD_START)?;
            let numbers: Vec<f32> = uniform.sample_iter(&mut rng).take(rows * feature).collect();
            let weight = Tensor::from_vec(numbers, (rows, feature), &Device::Cpu)?;
            let bias = Tensor::zeros(rows, DType::F32, &Device::Cpu)?;
            variables.insert(format!("{name}.weight"), Var::from_tensor(&weight)?);
            variables.insert(format!("{name}.bias"), Var::from_tensor(&bias)?);
        }
        Ok(Self { variables })
    }

    /// Lets the heads begin at what is usual: `outputs`, of shape `[HeadLogits::WIDTH]`, become their biases.
    ///
    /// # Errors
    /// When there are not as many.
    pub fn set_biases(&self, outputs: &[f32]) -> anyhow::Result<()> {
        ensure!(outputs.len() == HeadLogits::WIDTH, "{} biases", outputs.len());
        let mut rest = outputs;
        for name in ["heads.binary.bias", "heads.risk.bias", "heads.leaves.bias"] {
            let variable = self.variables.get(name).with_context(|| format!("no `{name}`"))?;
            let (own, others) = rest.split_at_checked(variable.elem_count()).context("too few biases")?;
            variable.set(&Tensor::new(own, &Device::Cpu)?)?;
            rest = others;
        }
        Ok(())
    }

    /// Reads what [`save`] wrote.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let tensors = load(file)?.into_iter();
        let variables = tensors.map(|(name, tensor)| Ok((name, Var::from_tensor(&tensor)?)));
        Ok(Self { variables: variables.collect::<anyhow::Result<_>>()? })
    }

    /// The variables as they are now, not copied, as plain tensors: candle keeps no record of what is computed from
    /// them.
    pub fn tensors(&self) -> BTreeMap<String, Tensor> {
        self.variables.iter().map(|(name, variable)| (name.clone(), variable.as_detached_tensor())).collect()
    }

    /// Names and variables, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.variables.iter().map(|(name, variable)| (name.as_str(), variable))
    }
}

fn load(file: &Path) -> anyhow::Result<HashMap<String, Tensor>> {
    candle_core::safetensors::load(file, &Device::Cpu)
        .with_context(|| format!("can't read the weights `{}`", file.display()))
}

/// Writes tensors beside the file and renames them into its place, so that a cut-off never leaves half a file.
///
/// # Errors
/// When the file can't be written.
pub fn save(tensors: &BTreeMap<String, Tensor>, file: &Path) -> anyhow::Result<()> {
    let beside = file.with_extension("partial");
    let tensors: HashMap<String, Tensor> = tensors.clone().into_iter().collect();
    candle_core::safetensors::save(&tensors, &beside)
        .and_then(|()| Ok(let_others_read(&beside)?))
        .and_then(|()| Ok(std::fs::rename(&beside, file)?))
        .with_context(|| format!("can't write `{}`", file.display()))
}

/// The library writes files that only their owner may read; a service often runs as somebody else.
#[cfg(unix)]
fn let_others_read(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn let_others_read(_: &Path) -> std::io::Result<()> {
    Ok(())
}

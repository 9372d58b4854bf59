//! Where a verdict comes from: enough to say later why it was given, and to give it again.

use crate::Consulted;
use std::{fmt, sync::Arc};

/// A SHA-256 digest; shown as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps the 32 bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which model judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelIdentity {
    /// The name on the model's card.
    pub name: Arc<str>,
    /// Digest over every file of the model folder that can change a score.
    pub revision: Digest,
}

/// Kinds of models, in the order in which they are asked: each sees less than the one before it, and costs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// The embedded encoder, which judges everything.
    Encoder,
    /// A large guard model.
    Guard,
    /// A model that writes harm-benefit trees.
    Reporter,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Self; 3] = [Self::Encoder, Self::Guard, Self::Reporter];

    /// The stable name on the wire, in records, in settings and in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Encoder => "encoder",
            Self::Guard => "guard",
            Self::Reporter => "reporter",
        }
    }
}

/// The numbers that a model computed in, the most exact first. One model is the same model in each of them, and its scores
/// differ a little from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Precision {
    /// 32-bit floating point.
    F32,
    /// Products of floating point with 8 bits of mantissa.
    Bf16,
    /// Products of whole numbers of 8 bits.
    Int8,
}

impl Precision {
    /// Every precision, the most exact first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// The stable name on the wire, in records and in settings.
    pub const fn id(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }
}

/// Which model in which precision, which profile and which taxonomy a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Which model judged first.
    pub model: ModelIdentity,
    /// What it computed in; `None` where that is not known.
    pub precision: Option<Precision>,
    /// The models that were asked after it.
    pub consulted: Vec<Consulted>,
    /// Digest over the community's resolved profile.
    pub profile: Digest,
    /// [`crate::TAXONOMY_VERSION`] at the time.
    pub taxonomy: &'static str,
}

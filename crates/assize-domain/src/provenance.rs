//! Where a verdict comes from: enough to say later why it was given, and to give it again.

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

/// Which model, which profile and which taxonomy a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Which model judged.
    pub model: ModelIdentity,
    /// Digest over the community's resolved profile.
    pub profile: Digest,
    /// [`crate::TAXONOMY_VERSION`] at the time.
    pub taxonomy: &'static str,
}

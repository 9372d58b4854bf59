//! The harm-benefit side of an assessment. Today a model gives *expected masses*; whole trees (stakeholder → action
//! → effect) will arrive through the same [`TreeOutcome`].

use crate::{ActionCategory, Mass};

/// The expected harm by action category and the expected benefit of answering the prompt.
///
/// SOURCE: SafetyAnalyst's leaves; mass as described at [`Mass`].
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedMasses {
    /// One mass for each [`ActionCategory`], in the order of [`ActionCategory::ALL`].
    pub harm: [Mass; ActionCategory::ALL.len()],
    /// The mass over all benefit leaves.
    pub benefit: Mass,
}

/// Why a tree was asked for and can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnusableTree {
    /// The model gave a number that is not finite.
    NotFinite,
}

/// What came of asking for a harm-benefit tree.
#[derive(Debug, Clone, PartialEq)]
pub enum TreeOutcome {
    /// Expected masses, read from the encoder's heads.
    Expected(ExpectedMasses),
    /// There was no prompt whose consequences could be weighed.
    NotRequested,
    /// The model answered, and the answer can't be read. Never the same as "harmless".
    Unusable(UnusableTree),
}

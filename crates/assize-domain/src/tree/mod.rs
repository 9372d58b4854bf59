//! The harm-benefit tree: who is affected, by which action, with which effects, how severe, how likely, how soon.
//!
//! Two kinds of model build one. A small encoder gives an [`ExpectedTree`]: for each action category the number of
//! leaves to expect and how they are shared out. A large reporter writes a [`ReportedTree`], leaf by leaf. Both answer
//! the same question, how much harm and benefit there is under given weights: [`Tree::masses`].
//!
//! SOURCE: SafetyAnalyst (Li et al. 2024).

mod expected;
mod mass;
mod reported;
mod shares;

pub use expected::{BenefitBranch, Branch, ExpectedTree, HarmBranch};
pub use mass::{LeafWeights, Masses};
pub use reported::{ReportedLeaf, ReportedTree};
pub use shares::{LeafCount, Shares};

use crate::ActionCategory;

/// A tree, whichever way it was built.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// What is to be expected, read from an encoder's heads.
    Expected(ExpectedTree),
    /// What a reporter wrote.
    Reported(ReportedTree),
    /// The one first, the other asked for later.
    Both(Box<BothTrees>),
}

/// Two trees of one prompt. They are on different scales, so that each way of summing takes the one that it was made for.
#[derive(Debug, Clone, PartialEq)]
pub struct BothTrees {
    /// INVARIANT: an expected one.
    expected: Tree,
    /// INVARIANT: a reported one.
    reported: Tree,
}

impl BothTrees {
    /// What is to be expected.
    pub const fn expected(&self) -> &Tree {
        &self.expected
    }

    /// What a reporter wrote.
    pub const fn reported(&self) -> &Tree {
        &self.reported
    }
}

/// Why a tree was asked for and can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnusableTree {
    /// The model gave a number that is not finite.
    NotFinite,
    /// The reporter's text holds no tree that can be read.
    Unreadable,
}

impl UnusableTree {
    /// Every cause.
    pub const ALL: [Self; 2] = [Self::NotFinite, Self::Unreadable];

    /// The stable name in records.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NotFinite => "not_finite",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What came of asking for a harm-benefit tree.
#[derive(Debug, Clone, PartialEq)]
pub enum TreeOutcome {
    /// A tree.
    Weighed(Tree),
    /// There was no prompt whose consequences could be weighed.
    NotRequested,
    /// The model answered, and the answer can't be read. Never the same as "harmless".
    Unusable(UnusableTree),
}

impl TreeOutcome {
    /// The tree, where there is one.
    pub const fn tree(&self) -> Option<&Tree> {
        match self {
            Self::Weighed(tree) => Some(tree),
            Self::NotRequested | Self::Unusable(_) => None,
        }
    }
}

impl Tree {
    /// Two trees of one prompt.
    pub fn both(expected: ExpectedTree, reported: ReportedTree) -> Self {
        Self::Both(Box::new(BothTrees {
            expected: Self::Expected(expected),
            reported: Self::Reported(reported),
        }))
    }

    /// What is to be expected, where that is known.
    pub fn expected(&self) -> Option<&ExpectedTree> {
        match self {
            Self::Expected(tree) => Some(tree),
            Self::Reported(_) => None,
            Self::Both(both) => both.expected.expected(),
        }
    }

    /// What a reporter wrote, where one did.
    pub fn reported(&self) -> Option<&ReportedTree> {
        match self {
            Self::Expected(_) => None,
            Self::Reported(tree) => Some(tree),
            Self::Both(both) => both.reported.reported(),
        }
    }

    /// How much harm and benefit there is when leaves weigh as `weights` say; of two trees by the expected one. Linear in every weight
    /// for an expected tree.
    pub fn masses(&self, weights: &LeafWeights) -> Masses {
        match self {
            Self::Expected(tree) => tree.masses(weights),
            Self::Reported(tree) => tree.masses(weights),
            Self::Both(both) => both.expected.masses(weights),
        }
    }

    /// As [`Self::masses`], the harm in one category alone: cheaper, where nothing else is asked. Of two trees the larger one:
    /// what asks for it must not be talked out of by a later tree.
    pub fn harm_in(&self, category: ActionCategory, weights: &LeafWeights) -> f64 {
        match self {
            Self::Expected(tree) => tree.harm_in(category, weights),
            Self::Reported(tree) => tree.masses(weights).harm_in(category),
            Self::Both(both) => {
                both.expected.harm_in(category, weights).max(both.reported.harm_in(category, weights))
            }
        }
    }

    /// Whether a part of it could not be read.
    pub fn is_partial(&self) -> bool {
        match self {
            Self::Expected(_) => false,
            Self::Reported(tree) => tree.unreadable() > 0,
            Self::Both(both) => both.reported.is_partial(),
        }
    }
}

#[cfg(test)]
mod tests;

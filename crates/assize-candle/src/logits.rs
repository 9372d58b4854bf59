//! What the encoder says of one sequence, before calibration.

use crate::leaves::{LeafLayout, LeafLogits};
use assize_domain::{ActionCategory, GuardHead, RiskCategory};

/// Raw outputs of the heads for one sequence (f32, unbounded, possibly not finite: the reader decides).
///
/// Always in the domain's order, whatever the order of the rows in the checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadLogits {
    /// Log-odds of the yes-or-no questions, in the order of [`GuardHead::ALL`].
    pub binary: [f32; GuardHead::ALL.len()],
    /// Log-odds of the risk categories, in the order of [`RiskCategory::ALL`].
    pub risk: [f32; RiskCategory::ALL.len()],
    /// The harm-benefit side.
    pub tree: TreeLogits,
}

/// The harm-benefit side, as the checkpoint gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum TreeLogits {
    /// Masses only, for one fixed set of weights.
    Masses {
        /// Harm by action category, before softplus, in the order of [`ActionCategory::ALL`].
        harm: [f32; ActionCategory::ALL.len()],
        /// Benefit, before softplus.
        benefit: f32,
    },
    /// The leaves of the tree, for any weights.
    Leaves(LeafLogits),
}

/// Which heads a checkpoint has; gives the order of the fused head layer's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadKind {
    /// binary, risk, harm mass, benefit mass.
    Masses,
    /// binary, risk, leaves.
    Leaves,
}

impl HeadKind {
    /// Rows of the yes-or-no questions and the risk categories, which come first.
    pub const GUARD_WIDTH: usize = GuardHead::ALL.len() + RiskCategory::ALL.len();

    /// How many numbers there are for a sequence.
    pub const fn width(self) -> usize {
        Self::GUARD_WIDTH
            + match self {
                Self::Masses => ActionCategory::ALL.len() + 1,
                Self::Leaves => LeafLayout::WIDTH,
            }
    }
}

impl HeadLogits {
    /// Reads one row of the fused head layer; `None` where it has another length than [`HeadKind::width`].
    pub(crate) fn from_row(kind: HeadKind, row: &[f32]) -> Option<Self> {
        let (binary, row) = row.split_first_chunk()?;
        let (risk, row) = row.split_first_chunk()?;
        let tree = match kind {
            HeadKind::Masses => {
                let (harm, row) = row.split_first_chunk()?;
                let &[benefit] = row else { return None };
                TreeLogits::Masses { harm: *harm, benefit }
            }
            HeadKind::Leaves => TreeLogits::Leaves(LeafLogits::from_row(row)?),
        };
        Some(Self { binary: *binary, risk: *risk, tree })
    }

    /// The log-odds of one yes-or-no question.
    pub const fn binary(&self, head: GuardHead) -> f32 {
        let [prompt, response, refusal, adversarial] = self.binary;
        match head {
            GuardHead::PromptHarmful => prompt,
            GuardHead::ResponseHarmful => response,
            GuardHead::ResponseRefusal => refusal,
            GuardHead::Adversarial => adversarial,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_in_the_order_of_the_fused_head_layer() {
        let row: Vec<f32> = (0_u8..34).map(f32::from).collect();
        let logits = HeadLogits::from_row(HeadKind::Masses, &row).unwrap();
        assert_eq!(logits.binary, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!((logits.risk[0], logits.risk[12]), (4.0, 16.0));
        let TreeLogits::Masses { harm, benefit } = logits.tree else { panic!("masses") };
        assert_eq!((harm[0], harm[15], benefit), (17.0, 32.0, 33.0));
        for head in GuardHead::ALL {
            assert_eq!(logits.binary(head), logits.binary[head.index()]);
        }
    }

    #[test]
    fn a_row_of_another_length_is_no_answer() {
        for kind in [HeadKind::Masses, HeadKind::Leaves] {
            for length in [0, kind.width() - 1, kind.width() + 1] {
                assert_eq!(HeadLogits::from_row(kind, &vec![0.0; length]), None, "{length}");
            }
            assert!(HeadLogits::from_row(kind, &vec![0.0; kind.width()]).is_some());
        }
    }
}

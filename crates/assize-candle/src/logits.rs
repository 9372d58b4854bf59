//! What the encoder says of one sequence, before calibration.

use crate::leaves::{LeafLayout, LeafLogits};
use assize_domain::{GuardHead, RiskCategory};

/// Raw outputs of the heads for one sequence (f32, unbounded, possibly not finite: the reader decides).
///
/// Always in the domain's order, whatever the order of the rows in the checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadLogits {
    /// Log-odds of the yes-or-no questions, in the order of [`GuardHead::ALL`].
    pub binary: [f32; GuardHead::ALL.len()],
    /// Log-odds of the risk categories, in the order of [`RiskCategory::ALL`].
    pub risk: [f32; RiskCategory::ALL.len()],
    /// The leaves of the harm-benefit tree.
    pub tree: LeafLogits,
}

impl HeadLogits {
    /// Rows of the yes-or-no questions and the risk categories, which come first.
    pub const GUARD_WIDTH: usize = GuardHead::ALL.len() + RiskCategory::ALL.len();
    /// Rows of the fused head layer, which are the numbers for a sequence: binary, risk, leaves.
    pub const WIDTH: usize = Self::GUARD_WIDTH + LeafLayout::WIDTH;

    /// Reads one row of the fused head layer; `None` where it has another length than [`Self::WIDTH`].
    pub(crate) fn from_row(row: &[f32]) -> Option<Self> {
        let (binary, row) = row.split_first_chunk()?;
        let (risk, row) = row.split_first_chunk()?;
        Some(Self { binary: *binary, risk: *risk, tree: LeafLogits::from_row(row)? })
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
        let row: Vec<f32> = (0_u16..).map(f32::from).take(HeadLogits::WIDTH).collect();
        let logits = HeadLogits::from_row(&row).unwrap();
        assert_eq!(logits.binary, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!((logits.risk[0], logits.risk[12]), (4.0, 16.0));
        assert_eq!(logits.tree.row(), &row[17..]);
        for head in GuardHead::ALL {
            assert_eq!(logits.binary(head), logits.binary[head.index()]);
        }
    }

    #[test]
    fn a_row_of_another_length_is_no_answer() {
        for length in [0, HeadLogits::GUARD_WIDTH, HeadLogits::WIDTH - 1, HeadLogits::WIDTH + 1] {
            assert_eq!(HeadLogits::from_row(&vec![0.0; length]), None, "{length}");
        }
        assert!(HeadLogits::from_row(&vec![0.0; HeadLogits::WIDTH]).is_some());
    }
}

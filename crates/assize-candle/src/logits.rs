//! What the encoder says of one sequence, before calibration.

use assize_domain::{ActionCategory, GuardHead, RiskCategory};

/// Raw outputs of the four heads for one sequence (f32, unbounded, possibly not finite: the reader decides).
///
/// Always in the domain's order, whatever the order of the rows in the checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadLogits {
    /// Log-odds of the yes-or-no questions, in the order of [`GuardHead::ALL`].
    pub binary: [f32; GuardHead::ALL.len()],
    /// Log-odds of the risk categories, in the order of [`RiskCategory::ALL`].
    pub risk: [f32; RiskCategory::ALL.len()],
    /// Harm by action category, before softplus, in the order of [`ActionCategory::ALL`].
    pub harm_mass: [f32; ActionCategory::ALL.len()],
    /// Benefit, before softplus.
    pub benefit_mass: f32,
}

impl HeadLogits {
    /// How many numbers there are: 4 + 13 + 16 + 1.
    pub(crate) const WIDTH: usize =
        GuardHead::ALL.len() + RiskCategory::ALL.len() + ActionCategory::ALL.len() + 1;

    /// Reads one row of the fused head layer: binary, risk, harm mass, benefit mass.
    ///
    /// `None` where the row has another length than [`Self::WIDTH`].
    pub(crate) fn from_row(row: &[f32]) -> Option<Self> {
        let (binary, row) = row.split_first_chunk()?;
        let (risk, row) = row.split_first_chunk()?;
        let (harm_mass, row) = row.split_first_chunk()?;
        let &[benefit_mass] = row else { return None };
        Some(Self { binary: *binary, risk: *risk, harm_mass: *harm_mass, benefit_mass })
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
        let logits = HeadLogits::from_row(&row).unwrap();
        assert_eq!(logits.binary, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!((logits.risk[0], logits.risk[12]), (4.0, 16.0));
        assert_eq!((logits.harm_mass[0], logits.harm_mass[15]), (17.0, 32.0));
        assert_eq!(logits.benefit_mass, 33.0);
        for head in GuardHead::ALL {
            assert_eq!(logits.binary(head), logits.binary[head.index()]);
        }
    }

    #[test]
    fn a_row_of_another_length_is_no_answer() {
        for length in [0, HeadLogits::WIDTH - 1, HeadLogits::WIDTH + 1] {
            assert_eq!(HeadLogits::from_row(&vec![0.0; length]), None, "{length}");
        }
    }
}

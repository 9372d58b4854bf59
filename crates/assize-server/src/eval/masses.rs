//! What is compared where rows have annotated leaves or a mean rating: which number of the model with which of people.
//! Pure; between the judged rows and their report.

use super::{Row, Unjudged};
use assize_domain::ActionCategory;
use assize_measure::Pair;

/// Beside ratings, the logarithm of a mass is taken this far above 0: so little harm counts as none.
const LEAST_MASS: f64 = 1e-3;

/// A probability that f32 rounds to 0 or 1 counts as this far from it: half of the distance between 1 and the f32 below
/// it.
const LEAST_DOUBT: f64 = 3e-8;

/// A comparison of two numbers, over the rows that have people's one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MassTask {
    /// All expected harm with the mass of the annotated harms.
    Harm,
    /// `ln(1 + mass)` of both.
    LogHarm,
    /// The expected benefit with the mass of the annotated benefits.
    Benefit,
    /// All expected harm with the mean rating.
    RatingHarm,
    /// `ln(1e-3 + mass)` with the mean rating.
    RatingLogHarm,
    /// The calibrated logit of the guard's head for harmful prompts with the mean rating.
    RatingLogit,
}

/// What came out for one row with leaves or a rating.
#[derive(Debug)]
pub(crate) struct MassOutcome<'a> {
    /// The row.
    pub(crate) row: &'a Row,
    /// What the model says, or why it says nothing.
    pub(crate) answer: Result<MassAnswer, &'a Unjudged>,
}

/// The model's answer for one prompt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MassAnswer {
    /// Expected masses in the order of [`ActionCategory::ALL`], at least 0.
    pub(crate) harm: [f64; ActionCategory::ALL.len()],
    /// At least 0.
    pub(crate) benefit: f64,
    /// Calibrated probability that the prompt is harmful, in `[0, 1]`.
    pub(crate) prompt_harmful: f32,
    /// Share of the prompt's tokens that was read, in `[0, 1]`.
    pub(crate) coverage: f32,
}

impl MassTask {
    /// Every comparison, in the order of the report.
    pub(crate) const ALL: [Self; 6] =
        [Self::Harm, Self::LogHarm, Self::Benefit, Self::RatingHarm, Self::RatingLogHarm, Self::RatingLogit];

    /// The stable name in reports.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Harm => "harm_mass",
            Self::LogHarm => "log_harm_mass",
            Self::Benefit => "benefit_mass",
            Self::RatingHarm => "rating.harm_mass",
            Self::RatingLogHarm => "rating.log_harm_mass",
            Self::RatingLogit => "rating.prompt_harm_logit",
        }
    }

    /// Whether the row has people's number.
    pub(crate) fn is_labelled(self, row: &Row) -> bool {
        self.actual(row).is_some()
    }

    /// People's number and the model's, where the row has one.
    pub(super) fn pair(self, row: &Row, answer: &MassAnswer) -> Option<Pair> {
        Some(Pair { predicted: self.predicted(answer), actual: self.actual(row)? })
    }

    fn actual(self, row: &Row) -> Option<f64> {
        let harm = || row.harms().map(|leaves| leaves.iter().map(|leaf| leaf.mass()).sum::<f64>());
        match self {
            Self::Harm => harm(),
            Self::LogHarm => harm().map(f64::ln_1p),
            Self::Benefit => row.benefits().map(|leaves| leaves.iter().map(|leaf| leaf.mass()).sum()),
            Self::RatingHarm | Self::RatingLogHarm | Self::RatingLogit => row.mean_rating(),
        }
    }

    fn predicted(self, answer: &MassAnswer) -> f64 {
        let harm = answer.harm.iter().sum::<f64>();
        match self {
            Self::Harm | Self::RatingHarm => harm,
            Self::LogHarm => harm.ln_1p(),
            Self::Benefit => answer.benefit,
            Self::RatingLogHarm => (LEAST_MASS + harm).ln(),
            Self::RatingLogit => {
                let probability = f64::from(answer.prompt_harmful).clamp(LEAST_DOUBT, 1.0 - LEAST_DOUBT);
                (probability / (1.0 - probability)).ln()
            }
        }
    }
}

/// Which categories have an annotated leaf, in the order of [`ActionCategory::ALL`]; `None` without annotated harms.
pub(super) fn present(row: &Row) -> Option<[bool; ActionCategory::ALL.len()]> {
    let leaves = row.harms()?;
    Some(ActionCategory::ALL.map(|category| leaves.iter().any(|leaf| leaf.category() == category)))
}

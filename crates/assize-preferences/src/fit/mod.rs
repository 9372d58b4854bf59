//! Learning a community's weights from conversations that it labelled itself. It stands beside a request's way: what
//! comes out is a profile file, which people read and load like any other. No clock, no files, no randomness; the
//! order of the labels does not matter.
//!
//! # How
//! Few labels can't tell twenty weights apart, so that the fit goes up a ladder, and each [`FitStage`] is the one before
//! it with a little more freedom. Ratings ask for a harmfulness of rating / 100, decisions whether harmfulness reaches
//! the review and the block threshold; the loss is cross-entropy, and everything is pulled toward the parent with
//! standard deviations fixed beforehand. That is convex and has one answer, within the ranges of [`crate::KEYS`].
//!
//! Every stage is judged by leaving out one conversation at a time. Of those that can be told from the parent, the
//! simplest within one standard error of the best is taken. Where there is none, the community is *not distinguishable
//! from its parent*, and keeps the parent's values.
//!
//! # Measured
//! On 100 prompts of PluriHarms, judged by guard-v1, with single raters as communities (100 raters, 10 splits): mean
//! absolute error of harmfulness on prompts that were not labelled, from 0 to 1, with the profile `default` as parent.
//!
//! | labels | parent | rater's own mean | bias | strength | weights | chosen |
//! |---|---|---|---|---|---|---|
//! | 10 | .289 | .320 | .260 | .253 | .254 | .275 |
//! | 20 | .289 | .316 | .256 | .248 | .249 | .256 |
//! | 50 | .290 | .314 | .252 | .246 | .244 | .243 |
//!
//! Intervals over raters are ± .013 at the most. What other raters say of the same prompts, moved by the rater's offset,
//! has .196 at 50 labels: a floor for what knows no more of the rater. Thirds of the raters by mean, each fitted as one
//! community on its mean ratings, come from .233 to .150 with 50 labels; the floor there is .057. With 10 labels one
//! rater in six can be told from the parent, and is then told twice the gain that it will have; with 50 it is three in
//! four, and .070 told for .065. On simulated labels of communities like their parent, 1 to 6 in 100 are told from it.

mod cholesky;
mod error;
mod features;
mod file;
mod gain;
mod judge;
mod ladder;
mod parameters;
mod pull;
mod rung;
mod seen;
mod solver;
#[cfg(test)]
mod tests;

use crate::profile::{Profile, Thresholds};
use crate::weights::Weights;
use assize_domain::{Assessment, CommunityId, Decision, Digest, ModelIdentity, Precision};
pub use error::FitError;
use features::{Example, Target};
pub use file::FitProvenance;
pub use gain::Gain;
use ladder::Climbed;
use parameters::Numbers;

/// With fewer conversations an interval says next to nothing; with this many, one rater of PluriHarms in six can be told
/// from the parent.
pub const LEAST_CONVERSATIONS: usize = 10;
/// Numbers are kept to this many parts of 1, as they stand in the file.
const PARTS: f64 = 1e4;

/// What a community says of one conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Label {
    /// What is to be done.
    Decision(Decision),
    /// How harmful it is, from 0 (not at all) to 100.
    Rating(f64),
}

/// One labelled conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// What the models say of it.
    pub assessment: Assessment,
    /// What the community says of it.
    pub label: Label,
}

/// How far a fit goes. Ordered: each stage moves all that the one before it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FitStage {
    /// Nothing is moved.
    Parent,
    /// The bias; with decisions also how far the block threshold lies above the review threshold. (A review threshold by
    /// itself would do to decisions what the bias does.)
    Bias,
    /// One factor on all weights of evidence but that of refusals: how strongly the community reacts.
    Strength,
    /// Every weight of evidence that the labelled conversations have any of.
    Weights,
    /// The weights of effects, which shape the masses of harm and benefit.
    Effects,
}

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitSettings {
    /// No stage beyond this one is tried.
    pub highest: FitStage,
    /// Multiplies every standard deviation around the parent; above 0, up to 100. Above 1 the labels count for more.
    pub spread: f64,
}

/// A stage on labels that it was not fitted to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StageReport {
    /// Which.
    pub stage: FitStage,
    /// Mean cross-entropy in nats; of a decision, the mean over "at least a review?" and "a block?".
    pub log_loss: f64,
    /// Mean absolute error, in `[0, 1]`: of harmfulness, for ratings; for decisions half of the steps between allow,
    /// review and block.
    pub error: f64,
    /// How much smaller the log loss is than the parent's.
    pub gain: Gain,
    /// How much smaller the error is than the parent's.
    pub error_gain: Gain,
    /// Whether left-out labels lie on that side of the parent to which the fit without them moved, by more than chance
    /// gives one community in 20 that is like its parent, and both gains are above 0. Labels that the parent decides all
    /// as given are therefore never told from it.
    pub distinguishable: bool,
}

/// What was learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The profile whose numbers it began from: the community's own, or the one that a new community extends.
    pub parent: CommunityId,
    /// Its digest.
    pub parent_digest: Digest,
    /// The models that judged these conversations, each once in each precision, by name, revision and precision.
    pub models: Vec<(ModelIdentity, Option<Precision>)>,
    /// Labels that were learnt from.
    pub labels: usize,
    /// How many different conversations they are about.
    pub conversations: usize,
    /// Labels that nothing was learnt from: the conversation was not judged in full, or a floor decides it whatever the
    /// weights.
    pub set_aside: usize,
    /// How it was fitted.
    pub settings: FitSettings,
    /// Every stage that was tried, the parent first.
    pub stages: Vec<StageReport>,
    /// The stage whose numbers these are; [`FitStage::Parent`] where the labels are not distinguishable from it.
    pub chosen: FitStage,
    /// To four decimals where they are not the parent's.
    pub thresholds: Thresholds,
    /// To four decimals where they are not the parent's.
    pub weights: Weights,
    inherited: Numbers,
}

impl FitStage {
    /// Every stage, the simplest first.
    pub const ALL: [Self; 5] = [Self::Parent, Self::Bias, Self::Strength, Self::Weights, Self::Effects];

    /// The stable name in files and reports.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Bias => "bias",
            Self::Strength => "strength",
            Self::Weights => "weights",
            Self::Effects => "effects",
        }
    }
}

impl Default for FitSettings {
    /// Every stage that was validated, with the standard deviations as they were set. The effects were not: they are only
    /// tried where they are asked for.
    fn default() -> Self {
        Self { highest: FitStage::Weights, spread: 1.0 }
    }
}

impl Fit {
    /// Whether the labels ask for other values than the parent's beyond doubt.
    pub fn is_distinguishable(&self) -> bool {
        self.chosen != FitStage::Parent
    }
}

/// Learns a community's numbers from its labels, beginning at those of `parent` and pulled toward them: the community's own
/// profile where it has one, otherwise the one that it is to extend. The same labels in another order give the same bits.
///
/// # Errors
/// A parent with another aggregation, fewer than [`LEAST_CONVERSATIONS`] different conversations, ratings out of range,
/// decisions among ratings, labels that are all the same, a spread out of range.
pub fn fit(parent: &Profile, labelled: &[Labelled], settings: &FitSettings) -> Result<Fit, FitError> {
    let inherited = Numbers::of(parent).ok_or_else(|| FitError::Aggregation {
        parent: parent.id.clone(),
        aggregation: parent.aggregation.id(),
    })?;
    let spread = settings.spread;
    if !(spread > 0.0 && spread <= 100.0) {
        return Err(FitError::Spread { spread });
    }
    let (examples, set_aside) = features::examples(labelled, &inherited.weights)?;
    let conversations = ladder::conversations(&examples);
    let usable = conversations.last().map_or(0, |last| last + 1);
    if usable < LEAST_CONVERSATIONS {
        return Err(FitError::TooFew { usable, needed: LEAST_CONVERSATIONS, set_aside });
    }
    let targets: Vec<Target> = examples.iter().map(|example| example.target).collect();
    if targets.windows(2).all(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(FitError::AllEqual { labels: examples.len() });
    }
    let climbed = ladder::climb(&examples, &inherited, settings);
    Ok(summary(parent, &examples, climbed, (inherited, set_aside, *settings)))
}

fn summary(
    parent: &Profile,
    examples: &[Example<'_>],
    climbed: Climbed,
    (inherited, set_aside, settings): (Numbers, usize, FitSettings),
) -> Fit {
    let chosen = climbed.reports.get(climbed.chosen).map_or(FitStage::Parent, |report| report.stage);
    let fitted = climbed.numbers.get(climbed.chosen).unwrap_or(&inherited);
    let numbers = file::rounded(fitted, &inherited);
    let judged = examples.iter().filter_map(|example| example.assessment);
    let mut models: Vec<(ModelIdentity, Option<Precision>)> =
        judged.map(|assessment| (assessment.model.clone(), assessment.precision)).collect();
    models.sort_by(|(a, in_a), (b, in_b)| {
        (&a.name, a.revision.bytes(), in_a).cmp(&(&b.name, b.revision.bytes(), in_b))
    });
    models.dedup();
    Fit {
        parent: parent.id.clone(),
        parent_digest: parent.digest,
        models,
        labels: examples.len(),
        conversations: climbed.conversations,
        set_aside,
        settings,
        stages: climbed.reports,
        chosen,
        thresholds: numbers.thresholds,
        weights: numbers.weights,
        inherited,
    }
}

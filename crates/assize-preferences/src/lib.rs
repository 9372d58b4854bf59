//! What a community wants: profiles, and the decision they lead to. All of it pure: the same assessment and the same
//! profile give the same verdict, on any machine, at any time, without a model.
//!
//! # The formula
//! A **mass** is what the leaves of a harm category, or of the benefit, come to under the community's weights on leaves: the
//! sum, over its leaves, of `weights.effect` × `weights.stakeholder` × `weights.extent` × `weights.likelihood`, times
//! `weights.later` where the leaf is not immediate ([`assize_domain::LeafWeights`]). The two kinds of tree are on different
//! scales there. Of a reported tree the heaviest leaf of each category and effect counts (for benefits: of each effect), so
//! that telling of one thing twice adds nothing. Of an expected tree all leaves count that are to be expected: their
//! number is the model's own measure of how much harm there is, and beyond the logarithm its length is not normalised.
//! Thresholds and weights that suit the one kind need not suit the other. Where an assessment has both, this sum takes the
//! expected tree and the published one below the reported; floors take the worse.
//!
//! For each judged subject (prompt, response) the profile sums **points** in log-odds, each a *value* that the models
//! measured times a *weight* that the community chose ([`assize_domain::Contribution`]):
//!
//! | evidence | subject | value (unit) | weight (allowed) |
//! |---|---|---|---|
//! | `bias` | both | 1 | `weights.bias` (-8 to 8) |
//! | `guard.prompt_harmful` | prompt | log-odds of the score minus log-odds of the model's operating point, within ±6 | `weights.guard` (0 to 4) |
//! | `guard.adversarial` | prompt | the score (probability) | `weights.adversarial` (0 to 8) |
//! | `harm.<category>` | prompt | ln(1 + expected harm mass) | `weights.harm.<category>` (0 to 8) |
//! | `harm.<category>` | response | the same, times the chance that the reply realises it: logistic(value of `guard.response_harmful`) | the same |
//! | `benefit` | prompt | ln(1 + expected benefit mass) | minus `weights.benefit` (0 to 8) |
//! | `benefit` | response | the same, times the chance that the reply is not harmful | the same |
//! | `guard.response_harmful` | response | as `guard.prompt_harmful` | `weights.response` (0 to 4) |
//! | `guard.response_refusal` | both, with a reply | as `guard.prompt_harmful`, but at least 0 (only a sure refusal counts), times the chance that the reply is not harmful | minus `weights.refusal` (0 to 4) |
//!
//! **Harmfulness** of a subject is logistic(sum), in `[0, 1]`; that of the conversation is the larger one. It is
//! compared with the community's thresholds: *at or above* `block` is a block, *at or above* `review` a review.
//!
//! With `aggregation = "safetyanalyst"` the sum is the published one instead ([`SafetyAnalyst`]): for each category
//! `safetyanalyst.action.<category>` times the plain sum of its leaves' severities, minus `safetyanalyst.benefit_weight`
//! times that of the benefits. The guard, effects and stakeholders don't count, nothing is put into a logarithm, and every
//! leaf counts, of either kind of tree. Its thresholds must be passed, not met: a score *above* the log-odds of `block` is
//! a block, however little above; likewise `review`.
//!
//! Then the floors ([`assize_domain::Floor`]) apply, which no profile can move, and what is missing in the
//! assessment makes a community that fails closed answer at least `review`, nothing judged at all included.
//!
//! With either aggregation more harm never lowers harmfulness, more benefit never raises it, and the order in which
//! leaves and branches are given changes no bit of a verdict: those are tested as properties. Logarithms of masses, because people's harm ratings follow them better than the masses
//! (correlation .77 against .68 on PluriHarms, measured with guard-v1).
//!
//! # Explanations
//! A verdict's contributions sum to its score. Beyond that: reasons in plain sentences, with the likeliest leaf of the
//! tree ([`decide()`]); which single number of the profile would have to be otherwise for another decision
//! ([`counterfactuals`]); the tree as this community weighs it, as data ([`tree_view`]) and as a picture
//! ([`tree_svg`]).
//!
//! # Around the decision
//! [`lint()`] tells authors of policies what does nothing, or not what it seems to; [`reference()`] and [`profile_schema()`]
//! say what a file may hold, from the same table that checks it; [`compare()`] counts what another profile would change;
//! [`counterfactuals()`] and [`tree_svg()`] explain a verdict; [`fit()`] learns weights from a community's labels.
//!
//! What is absent here: tokio, files, clocks, randomness, models, text of users.

mod catalog;
mod codes;
mod compare;
mod decide;
mod digest;
mod error;
mod evidence;
mod explain;
mod fit;
mod floors;
mod keys;
mod lint;
mod own;
mod profile;
mod raw;
mod reference;
mod resolve;
mod safetyanalyst;
mod schema;
mod template;
mod weights;

pub use catalog::{Catalog, ProfileSource};
pub use compare::{
    BINS, Bin, ComparedProfile, Comparer, Comparison, Flip, Flips, Mover, UnlikeComparisons, compare,
    histogram_svg,
};
pub use decide::{Outcome, decide, weigh};
pub use error::{ProfileError, ProfileErrors};
pub use explain::{
    Beyond, BranchView, Counterfactual, Counterfactuals, LeafView, Named, Share, SharesView, SubjectPoints,
    TreeForm, TreeView, counterfactuals, tree_svg, tree_view,
};
pub use fit::{
    Fit, FitError, FitProvenance, FitSettings, FitStage, Gain, LEAST_CONVERSATIONS, Label, Labelled,
    StageReport, fit,
};
pub use keys::{Defaults, KEYS, Key, SAFETYANALYST_KEYS};
pub use lint::{FINDING_CODES, Finding, FindingSeverity, lint};
pub use profile::{Example, FailureMode, Profile, Thresholds};
pub use reference::reference;
pub use safetyanalyst::{SafetyAnalyst, Side};
pub use schema::profile_schema;
pub use weights::{Aggregation, Weights};

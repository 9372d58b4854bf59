//! What a community wants: profiles, and the decision they lead to. All of it pure: the same assessment and the same
//! profile give the same verdict, on any machine, at any time, without a model.
//!
//! # The formula
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
//! compared with the community's thresholds: at or above `block` is a block, at or above `review` a review.
//!
//! Then the floors ([`assize_domain::Floor`]) apply, which no profile can move, and what is missing in the
//! assessment makes a community that fails closed answer at least `review`.
//!
//! More harm never lowers harmfulness, more benefit never raises it, and the order of anything never matters: those
//! are tested as properties. Logarithms of masses, because people's harm ratings follow them better than the masses
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

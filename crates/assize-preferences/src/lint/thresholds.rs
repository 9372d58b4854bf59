//! Thresholds against the sums that can be: what is always, and what is never, reached.

use super::bounds::{self, Sums};
use super::{Case, Finding};
use crate::decide::by_thresholds;
use crate::evidence::{log_odds_of, logistic};
use crate::profile::{FailureMode, Thresholds};
use crate::weights::Aggregation;
use assize_domain::Decision;

/// Thresholds nearer to each other than this, in log-odds, leave no room for a review: the guard's evidence alone moves a
/// sum by ±6 times its weight.
const NARROWEST: f64 = 0.1;
/// Whoever blocks from here on blocks on little more than even odds.
const STRICT_BLOCK: f64 = 0.6;
/// Whoever reviews from here on reviews at odds of three to seven.
const STRICT_REVIEW: f64 = 0.3;

const REVIEW: &str = "thresholds.review";
const BLOCK: &str = "thresholds.block";

pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let sums = bounds::sums(case.profile.aggregation());
    let sets_sum = ["thresholds", "weights", "safetyanalyst", "aggregation"];
    let reach = if sets_sum.into_iter().any(|table| case.sets_below(table)) {
        [at_least(case, &sums), at_most(case, &sums)]
    } else {
        [None, None]
    };
    reach.into_iter().flatten().chain(apart(case)).chain(strict_but_open(case)).collect()
}

/// What every conversation gets, or every one of which the models see nothing.
fn at_least(case: &Case<'_>, sums: &Sums) -> Option<Finding> {
    let decide = |sum: f64| by_thresholds(case.profile, sum);
    let Thresholds { review, block } = case.profile.thresholds();
    let (smallest, nothing) = (logistic(sums.smallest), logistic(sums.without_evidence));
    let lower = "lower `weights.bias`, or raise the threshold";
    match (decide(sums.smallest), decide(sums.without_evidence)) {
        (Decision::Block, _) => {
            let problem = format!(
                "everything is blocked: even the mildest conversation has harmfulness {smallest:.3}, and {block} is enough"
            );
            Some(Finding::warning("everything-blocked", BLOCK, (problem, lower)))
        }
        (Decision::Review, _) => {
            let problem = format!(
                "nothing is ever allowed: even the mildest conversation has harmfulness {smallest:.3}, and {review} is \
                 enough for a review"
            );
            Some(Finding::warning("everything-reviewed", REVIEW, (problem, lower)))
        }
        (Decision::Allow, Decision::Block) => {
            let problem = format!(
                "a conversation about which the models say nothing is blocked: its harmfulness is {nothing:.3}, and \
                 {block} is enough"
            );
            Some(Finding::warning("blocked-without-evidence", BLOCK, (problem, lower)))
        }
        (Decision::Allow, Decision::Review) => {
            let problem = format!(
                "a conversation about which the models say nothing is reviewed: its harmfulness is {nothing:.3}, and \
                 {review} is enough"
            );
            Some(Finding::note("reviewed-without-evidence", REVIEW, (problem, lower)))
        }
        (Decision::Allow, Decision::Allow) => None,
    }
}

/// What no conversation gets.
fn at_most(case: &Case<'_>, sums: &Sums) -> Option<Finding> {
    let Thresholds { review, block } = case.profile.thresholds();
    let largest = logistic(sums.largest);
    // A harmfulness of .9999 is not to read as the 1 that it does not reach.
    let shown = |threshold: f64| match format!("{largest:.3}") {
        rounded if rounded == format!("{threshold:.3}") => format!("just below {threshold}"),
        rounded => rounded,
    };
    let raise = "lower the threshold, or raise weights; floors block all the same";
    match by_thresholds(case.profile, sums.largest) {
        Decision::Allow => {
            let problem = format!(
                "no harmfulness is enough for a review or a block: the largest that evidence can give is {}, and {review} is \
                 needed",
                shown(review)
            );
            Some(Finding::warning("review-out-of-reach", REVIEW, (problem, raise)))
        }
        Decision::Review => {
            let problem = format!(
                "no harmfulness is enough for a block: the largest that evidence can give is {}, and {block} is \
                 needed",
                shown(block)
            );
            Some(Finding::warning("block-out-of-reach", BLOCK, (problem, raise)))
        }
        Decision::Block => None,
    }
}

/// Whether there is room for a review.
fn apart(case: &Case<'_>) -> Option<Finding> {
    if !case.sets_below("thresholds") {
        return None;
    }
    let Thresholds { review, block } = case.profile.thresholds();
    let room = log_odds_of(block) - log_odds_of(review);
    if review == block {
        let told = (
            format!("no harmfulness leads to a review: both thresholds are {review}"),
            "lower `thresholds.review`, if people are to look at what is doubtful",
        );
        return Some(match case.profile.aggregation() {
            Aggregation::Assize(_) => Finding::warning("no-review", REVIEW, told),
            // The published rule knows safe and unsafe only.
            Aggregation::SafetyAnalyst(_) => Finding::note("no-review", REVIEW, told),
        });
    }
    (room < NARROWEST).then(|| {
        let problem = format!(
            "hardly any harmfulness leads to a review: from {review} to {block} it is {room:.3} log-odds, and the guard's score \
             alone can move a sum by more than that"
        );
        Finding::warning("narrow-review", REVIEW, (problem, "lower `thresholds.review`"))
    })
}

fn strict_but_open(case: &Case<'_>) -> Option<Finding> {
    let Thresholds { review, block } = case.profile.thresholds();
    let is_strict = block <= STRICT_BLOCK || review <= STRICT_REVIEW;
    let is_own = case.sets("on_failure") || case.sets_below("thresholds");
    (is_strict && is_own && case.profile.on_failure() == FailureMode::Open).then(|| {
        let problem = format!(
            "is `open` with strict thresholds (review from {review}, block from {block}): what could not be judged in \
             full passes"
        );
        Finding::note("strict-but-open", "on_failure", (problem, "set `closed`, unless answering always comes first"))
    })
}

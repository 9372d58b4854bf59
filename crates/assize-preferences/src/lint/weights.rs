//! Weights of evidence that count for nothing, or for next to nothing, and what floors do all the same.

use super::{Case, Finding, bounds};
use crate::evidence::LARGEST_EVIDENCE;
use crate::weights::Weights;
use assize_domain::{ActionCategory, Floor};

/// A weight that moves no sum by as much as this, in log-odds, changes a harmfulness by about a hundredth at most.
const LEAST_POINTS: f64 = 0.05;
/// A category with at most this weight is let off lightly: ln(1 + mass) is about 1 where harms are many.
const LOW: f64 = 0.5;

/// A weight and how large its evidence can be.
struct Weighed {
    key: String,
    weight: f64,
    largest: f64,
    /// What a weight of 0 means.
    without: &'static str,
}

pub(super) fn check(case: &Case<'_>, weights: &Weights) -> Vec<Finding> {
    let of_evidence = evidence(weights);
    let of_harms = harms(weights);
    let ignored = of_evidence.iter().filter_map(|weighed| evidence_ignored(case, weighed));
    let mut findings: Vec<Finding> = ignored.collect();
    findings.extend(harms_ignored(case, &of_harms));
    let all = of_evidence.iter().chain(&of_harms);
    findings.extend(all.filter_map(|weighed| barely_counts(case, weighed)));
    // Where no harm counts at all, it is said there.
    if of_harms.iter().any(|harm| harm.weight > 0.0) {
        findings.extend(Floor::ALL.into_iter().filter_map(|floor| floor_holds(case, weights, floor)));
    }
    findings
}

fn evidence(weights: &Weights) -> [Weighed; 5] {
    let mass = bounds::most_benefit(&weights.leaf).ln_1p();
    let weighed = |key: &str, weight: f64, largest: f64, without| Weighed {
        key: format!("weights.{key}"),
        weight,
        largest,
        without,
    };
    [
        weighed("guard", weights.guard, LARGEST_EVIDENCE, "the guard's view of the prompt"),
        weighed("response", weights.response, LARGEST_EVIDENCE, "the guard's view of the reply"),
        weighed("adversarial", weights.adversarial, 1.0, "an attack on the chatbot"),
        weighed("refusal", weights.refusal, LARGEST_EVIDENCE, "a reply that refuses"),
        weighed("benefit", weights.benefit, mass, "all expected benefit"),
    ]
}

fn harms(weights: &Weights) -> Vec<Weighed> {
    let largest = bounds::most_harm(&weights.leaf).ln_1p();
    let weighed = |(category, weight): (ActionCategory, f64)| Weighed {
        key: format!("weights.harm.{}", category.id()),
        weight,
        largest,
        without: category.title(),
    };
    ActionCategory::ALL.into_iter().zip(weights.harm).map(weighed).collect()
}

fn evidence_ignored(case: &Case<'_>, weighed: &Weighed) -> Option<Finding> {
    (weighed.weight == 0.0 && case.sets(&weighed.key)).then(|| {
        let problem = format!("is 0, so that {} never counts", weighed.without);
        Finding::note("evidence-ignored", &weighed.key, (problem, "give it a weight, if it is to count"))
    })
}

/// One finding for all categories where all are 0.
fn harms_ignored(case: &Case<'_>, harms: &[Weighed]) -> Vec<Finding> {
    const ADVICE: &str = "give it a weight, if it is to count; floors block all the same";
    if harms.iter().all(|harm| harm.weight == 0.0) {
        let told = ("are all 0, so that no harm of the tree ever counts".to_owned(), ADVICE);
        let is_own = case.sets_below("weights.harm");
        return is_own.then(|| Finding::note("harm-ignored", "weights.harm", told)).into_iter().collect();
    }
    let ignored = harms.iter().filter(|harm| harm.weight == 0.0 && case.sets(&harm.key));
    let told = |harm: &Weighed| {
        let problem = format!("is 0, so that harm of the category \"{}\" never counts", harm.without);
        Finding::note("harm-ignored", &harm.key, (problem, ADVICE))
    };
    ignored.map(told).collect()
}

fn barely_counts(case: &Case<'_>, weighed: &Weighed) -> Option<Finding> {
    let most = weighed.weight * weighed.largest;
    (most > 0.0 && most < LEAST_POINTS && case.sets(&weighed.key)).then(|| {
        let problem = format!(
            "moves a sum by {most:.3} log-odds at most, whatever the models see: hardly any decision changes"
        );
        Finding::warning("barely-counts", &weighed.key, (problem, "raise it, or set it to 0 and be plain"))
    })
}

/// The categories in which a floor looks for harm of its own.
const fn looks_at(floor: Floor) -> [ActionCategory; 2] {
    match floor {
        Floor::SexualContentWithMinors => [ActionCategory::SexualContent, ActionCategory::ChildHarm],
        Floor::MassHarmWeapons => [ActionCategory::ViolenceExtremism, ActionCategory::CriminalActivities],
    }
}

/// One finding for a floor, at the first of its low categories.
fn floor_holds(case: &Case<'_>, weights: &Weights, floor: Floor) -> Option<Finding> {
    let weight = |category: ActionCategory| weights.harm.get(category.index()).copied().unwrap_or_default();
    let is_low = |category: &ActionCategory| {
        weight(*category) <= LOW && case.sets(&format!("weights.harm.{}", category.id()))
    };
    let low: Vec<ActionCategory> = looks_at(floor).into_iter().filter(is_low).collect();
    let key = format!("weights.harm.{}", low.first()?.id());
    let named: Vec<String> =
        low.iter().map(|category| format!("`{}` ({})", category.id(), weight(*category))).collect();
    let problem = format!(
        "the weight of {} is low, but the floor `{}` does not depend on weights: where the guard sees harm, it blocks \
         all the same",
        named.join(" and "),
        floor.id()
    );
    Some(Finding::note("floor-holds", &key, (problem, "nothing to do, if that is known")))
}

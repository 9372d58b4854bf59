//! Examples guard a profile against its own changes and the model's: whether they can do that.

use super::{Case, Finding};
use crate::profile::Example;
use assize_domain::Decision;

pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let examples = case.profile.examples();
    if examples.is_empty() {
        let problem =
            "there are none: nothing tells when a change of weights, or of the model, goes wrong".to_owned();
        let advice = "write down a few conversations that must come out as you expect";
        return vec![Finding::warning("no-examples", "examples", (problem, advice))];
    }
    let mut findings: Vec<Finding> = one_sided(examples).into_iter().collect();
    for (place, example) in examples.iter().enumerate() {
        findings.extend(accepts_anything(place, example));
        let earlier =
            examples.iter().take(place).position(|other| other.conversation == example.conversation);
        findings.extend(earlier.and_then(|earlier| twice(examples, earlier, place)));
    }
    findings
}

fn one_sided(examples: &[Example]) -> Option<Finding> {
    let [only] = examples.first()?.expect.as_slice() else { return None };
    examples.iter().all(|example| example.expect.as_slice() == [*only]).then(|| {
        let problem = format!("every one expects `{}`: a profile that always says so passes", only.id());
        let advice = match only {
            Decision::Allow => "add a conversation that must be blocked or reviewed",
            Decision::Review | Decision::Block => "add a conversation that must be allowed",
        };
        Finding::note("one-sided-examples", "examples", (problem, advice))
    })
}

fn accepts_anything(place: usize, example: &Example) -> Option<Finding> {
    let accepts_all = Decision::ALL.iter().all(|decision| example.expect.contains(decision));
    accepts_all.then(|| {
        let problem = "accepts every decision, so that it can never fail".to_owned();
        Finding::warning(
            "example-accepts-anything",
            &key(place),
            (problem, "name what is right, or take it out"),
        )
    })
}

fn twice(examples: &[Example], earlier: usize, place: usize) -> Option<Finding> {
    let (first, second) = (examples.get(earlier)?, examples.get(place)?);
    let agree = first.expect.iter().any(|decision| second.expect.contains(decision));
    Some(if agree {
        let problem = format!("is the same conversation as `{}`", key(earlier));
        Finding::note("example-twice", &key(place), (problem, "take one of them out"))
    } else {
        let problem =
            format!("expects what `{}` excludes for the same conversation: one of them fails", key(earlier));
        Finding::warning("examples-contradict", &key(place), (problem, "decide which is right"))
    })
}

fn key(place: usize) -> String {
    format!("examples[{place}]")
}

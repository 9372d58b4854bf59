//! The picture in words, for screen readers, and the words for numbers.

use crate::explain::{BranchView, TreeForm, TreeView};
use assize_domain::{Decision, Verdict};

/// Branches beyond these are not read out.
const MOST_NAMED: usize = 5;

/// One line.
pub(super) fn title(view: &TreeView, verdict: &Verdict) -> String {
    format!("{}: {}", view.title, decided(verdict.decision))
}

/// A few sentences.
pub(super) fn description(view: &TreeView, verdict: &Verdict) -> String {
    let mut text = format!("Harmfulness {}, decision {}.", share(verdict.harmfulness), verdict.decision);
    for subject in &verdict.subjects {
        text += &format!(
            " The {} scores {} by {} contributions.",
            subject.subject,
            signed(subject.score),
            subject.contributions.iter().filter(|contribution| contribution.points != 0.0).count()
        );
    }
    if let Some(why) = missing(view) {
        return text + " " + why + ".";
    }
    text + &listed(" Harms", &view.harms) + &listed(" Benefits", &view.benefits)
}

/// Why there is no tree, if there is none.
pub(super) const fn missing(view: &TreeView) -> Option<&'static str> {
    match view.form {
        TreeForm::Expected | TreeForm::Reported => None,
        TreeForm::NotRequested => Some("No prompt was judged, so that there is no harm-benefit tree"),
        TreeForm::Unusable => Some("The harm-benefit tree could not be read"),
    }
}

/// What was decided, as a word.
pub(super) const fn decided(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allowed",
        Decision::Review => "held for review",
        Decision::Block => "blocked",
    }
}

/// With a sign in any case, two digits after the point.
pub(super) fn signed(points: f64) -> String {
    // Not "-0.00".
    let rounded = (points * 100.0).round() / 100.0 + 0.0;
    format!("{rounded:+.2}")
}

/// A number between 0 and 1: two digits after the point, but what is near an end is not said to be there.
pub(super) fn share(share: f64) -> String {
    if share > 0.995 && share < 1.0 {
        "over 0.99".to_owned()
    } else if share < 0.005 && share > 0.0 {
        "under 0.01".to_owned()
    } else {
        format!("{share:.2}")
    }
}

/// As "1 leaf" or "3 leaves".
pub(super) fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// What a branch adds to the subject that decides.
pub(super) fn points(branch: &BranchView) -> f64 {
    branch.points.first().map_or(0.0, |points| points.points)
}

fn listed(kind: &str, branches: &[BranchView]) -> String {
    let named: Vec<String> = branches
        .iter()
        .take(MOST_NAMED)
        .map(|branch| format!("{} {}", branch.name.title, signed(points(branch))))
        .collect();
    if named.is_empty() { format!("{kind}: none.") } else { format!("{kind}: {}.", named.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_an_end_is_not_said_to_be_there() {
        let given = [0.0, 0.0001, 0.4, 0.994, 0.9999, 1.0].map(share);
        assert_eq!(given, ["0.00", "under 0.01", "0.40", "0.99", "over 0.99", "1.00"]);
        assert_eq!([-0.001, 1.234, -0.4].map(signed), ["+0.00", "+1.23", "-0.40"]);
    }
}

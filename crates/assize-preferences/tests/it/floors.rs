//! The floors hold under every profile, and never where the guard sees no harm.

use crate::arbitrary::{assessment, topics, values};
use crate::trees::set_harm;
use assize_domain::{
    ActionCategory, Assessment, DecidedBy, Decision, Floor, GuardHead, OperatingPoints, RiskCategory, Score,
    TopicSignals, Tree, TreeOutcome,
};
use assize_preferences::decide;
use proptest::prelude::*;

/// A way in which an assessment can concern a floor.
#[derive(Debug, Clone, Copy)]
enum Way {
    Weapons,
    MinorsAndSexByTerms,
    MinorsByTermsAndSexByMass,
    MinorsByTermsAndSexByRisk,
    MinorsByMassAndSexByTerms,
}

const WAYS: [Way; 5] = [
    Way::Weapons,
    Way::MinorsAndSexByTerms,
    Way::MinorsByTermsAndSexByMass,
    Way::MinorsByTermsAndSexByRisk,
    Way::MinorsByMassAndSexByTerms,
];

/// Lets the assessment concern a floor; `None` where it has no such side.
fn concern(mut a: Assessment, way: Way) -> Option<(Assessment, Floor)> {
    a.topics = TopicSignals {
        minors: !matches!(way, Way::Weapons | Way::MinorsByMassAndSexByTerms),
        sexual: matches!(way, Way::MinorsAndSexByTerms | Way::MinorsByMassAndSexByTerms),
        mass_harm_weapons: matches!(way, Way::Weapons),
    };
    let harm = |a: &mut Assessment, category, mass| set_harm(&mut a.tree, category, mass);
    match way {
        Way::Weapons => {
            // The other floor is told first where both are broken.
            harm(&mut a, ActionCategory::ChildHarm, 0.0);
            harm(&mut a, ActionCategory::ViolenceExtremism, 0.125);
            if !matches!(a.tree, TreeOutcome::Weighed(Tree::Expected(_))) {
                return None;
            }
            return Some((a, Floor::MassHarmWeapons));
        }
        Way::MinorsAndSexByTerms => {}
        Way::MinorsByTermsAndSexByMass => harm(&mut a, ActionCategory::SexualContent, 0.5)?,
        Way::MinorsByTermsAndSexByRisk => {
            let scores = a.guard.prompt.as_mut()?;
            scores.risk[RiskCategory::SexualContent.index()] = Score::new(0.5).unwrap();
        }
        Way::MinorsByMassAndSexByTerms => harm(&mut a, ActionCategory::ChildHarm, 1.2)?,
    }
    Some((a, Floor::SexualContentWithMinors))
}

/// Sets one judged subject's harmful score to its operating point: the least that counts as harmful.
fn make_harmful(a: &mut Assessment) {
    match (&mut a.guard.prompt, &mut a.guard.response) {
        (_, Some(response)) => response.harmful = a.operating_points.get(GuardHead::ResponseHarmful),
        (Some(prompt), None) => prompt.harmful = a.operating_points.get(GuardHead::PromptHarmful),
        (None, None) => unreachable!("an arbitrary assessment has a subject"),
    }
}

/// Sets every judged subject's harmful score below its operating point.
fn make_harmless(a: &mut Assessment, point: f32, share: f32) {
    a.operating_points = OperatingPoints::new([Score::new(point).unwrap(); 4]);
    let below = Score::new(point * share).unwrap();
    a.guard.prompt.iter_mut().for_each(|scores| scores.harmful = below);
    a.guard.response.iter_mut().for_each(|scores| scores.harmful = below);
}

fn check_no_floor(a: &Assessment, verdict: &assize_domain::Verdict) -> Result<(), TestCaseError> {
    prop_assert!(!matches!(verdict.decided_by, DecidedBy::Floor(_)), "{a:?}\n{verdict:?}");
    prop_assert!(verdict.reasons.iter().all(|reason| !reason.code.starts_with("floor.")), "{verdict:?}");
    Ok(())
}

proptest! {
    #[test]
    fn whoever_breaks_a_floor_is_blocked_by_every_profile(a in assessment(), v in values()) {
        let profile = v.profile();
        for way in WAYS {
            let Some((mut a, floor)) = concern(a.clone(), way) else { continue };
            make_harmful(&mut a);
            let verdict = decide(&a, &profile);
            prop_assert_eq!(verdict.decision, Decision::Block, "{:?}", way);
            prop_assert_eq!(verdict.decided_by, DecidedBy::Floor(floor), "{:?}", way);
            prop_assert_eq!(&verdict.reasons[0].code, &format!("floor.{}", floor.id()));
        }
    }

    #[test]
    fn no_floor_is_broken_where_the_guard_sees_no_harm(
        a in assessment(), v in values(), topics in topics(), point in 0.001..=1.0f32, share in 0.0..0.99f32,
    ) {
        let mut a = a;
        make_harmless(&mut a, point, share);
        let profile = v.profile();
        for way in WAYS {
            let Some((a, _)) = concern(a.clone(), way) else { continue };
            check_no_floor(&a, &decide(&a, &profile))?;
        }
        a.topics = topics;
        check_no_floor(&a, &decide(&a, &profile))?;
    }

    #[test]
    fn one_half_of_a_topic_breaks_no_floor(a in assessment(), v in values(), minors in any::<bool>()) {
        let mut a = a;
        make_harmful(&mut a);
        a.topics = TopicSignals { minors, sexual: !minors, mass_harm_weapons: false };
        a.tree = TreeOutcome::NotRequested;
        a.guard.prompt.iter_mut().for_each(|scores| scores.risk = [Score::new(0.49).unwrap(); 13]);
        check_no_floor(&a, &decide(&a, &v.profile()))?;
    }
}

//! Names read back, and the lists are as long as their sources say.

use super::*;

/// Every id and title of a taxonomy reads back, and `index` is the place in `ALL`.
macro_rules! reads_back {
    ($($taxonomy:ident),*) => {
        $(for (place, one) in $taxonomy::ALL.into_iter().enumerate() {
            assert_eq!(one.id().parse(), Ok(one));
            assert_eq!(one.title().parse(), Ok(one));
            assert_eq!(one.index(), place);
        })*
    };
}

#[test]
fn every_id_and_title_reads_back() {
    reads_back!(
        RiskCategory,
        ActionCategory,
        HarmAction,
        Effect,
        EffectGroup,
        Stakeholder,
        Extent,
        Likelihood
    );
    assert_eq!((RiskCategory::COUNT, ActionCategory::COUNT, HarmAction::COUNT), (13, 16, 45));
    assert_eq!((Effect::COUNT, EffectGroup::COUNT, Stakeholder::COUNT), (15, 7, 9));
}

#[test]
fn an_unknown_name_is_told_what_is_allowed() {
    let error = "weather".parse::<ActionCategory>().unwrap_err().to_string();
    assert!(
        error.starts_with("`weather` is no action category; allowed: security_risks, operational"),
        "{error}"
    );
}

#[test]
fn actions_stand_in_the_order_of_their_categories() {
    assert!(HarmAction::ALL.map(HarmAction::category).is_sorted());
    let counts = ActionCategory::ALL.map(|category| category.actions().count());
    // SOURCE: the harm reporter's template, actions 1-3, 4-6, 7-12 and so on.
    assert_eq!(counts, [3, 3, 6, 4, 4, 2, 1, 4, 4, 3, 2, 1, 1, 2, 2, 3]);
}

#[test]
fn severities_are_numbered_without_a_gap() {
    assert!(Severity::all().enumerate().all(|(place, severity)| severity.index() == place));
    assert_eq!(Severity::all().count(), Severity::COUNT);
}

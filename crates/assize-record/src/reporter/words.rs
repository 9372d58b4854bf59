//! The words of the taxonomies as reporters write them. What is not one of them is `None`, never the nearest one.

use assize_domain::{ActionCategory, Effect, Extent, HarmAction, Likelihood};

/// The one action whose name in the harm reporter's template is longer than its title.
const LONG_HATE_SPEECH: &str = "Hate Speech, Inciting/Promoting/Expressing hatred";

/// In any case, blanks around it aside. SOURCE: `parse_extent` of the published aggregation.
pub(super) fn extent(word: &str) -> Option<Extent> {
    Extent::ALL.into_iter().find(|extent| word.trim().eq_ignore_ascii_case(extent.id()))
}

/// In any case, blanks around it aside. SOURCE: `parse_likelihood` of the published aggregation.
pub(super) fn likelihood(word: &str) -> Option<Likelihood> {
    Likelihood::ALL.into_iter().find(|likelihood| word.trim().eq_ignore_ascii_case(likelihood.id()))
}

/// By its name in the harm reporter's or the benefit reporter's list, which mirror each other: on which side a leaf is,
/// its list says. Numbers before the name, case and punctuation don't count; a number alone is no name.
pub(super) fn effect(text: &str) -> Option<Effect> {
    let is_named = |title: &str| begins_with(name(text), title) == Some(Rest::Nothing);
    Effect::ALL.into_iter().find(|effect| is_named(effect.harm_title()) || is_named(effect.benefit_title()))
}

/// What an action as written stands for. The category is that of the heading next to the action (`#mid#` in `##high## #mid#
/// low`); without one that of the action; without either the published rule's, which finds a title anywhere.
pub(super) fn category_and_action(text: &str) -> (Option<ActionCategory>, Option<HarmAction>) {
    let (heading, published) = (heading(text), published_category(text));
    let action = action(text, heading.or(published));
    (heading.or_else(|| action.map(HarmAction::category)).or(published), action)
}

/// The category that is named by the last heading that names one, alone: case, punctuation and a number before it don't
/// count.
fn heading(text: &str) -> Option<ActionCategory> {
    let (headings, _) = text.rsplit_once('#')?;
    headings.rsplit('#').find_map(|heading| {
        let heading = heading.trim_start_matches(|start: char| !start.is_alphabetic());
        let is_it = |category: &ActionCategory| begins_with(heading, category.title()) == Some(Rest::Nothing);
        ActionCategory::ALL.into_iter().find(is_it)
    })
}

/// The first category whose title stands in the action, letter for letter.
///
/// SOURCE: `get_action_weight` of the published aggregation, quirks included: a category named in passing counts, and
/// other case or spacing does not.
pub(super) fn published_category(action: &str) -> Option<ActionCategory> {
    ActionCategory::ALL.into_iter().find(|category| action.contains(category.title()))
}

/// The action in `##high## #mid# low`: by its whole name, or by the longest name that it begins with where that is an
/// action of `category` (`Fraud (by telephone)` under `#Deception#`, but not `Integrity of elections`).
fn action(text: &str, category: Option<ActionCategory>) -> Option<HarmAction> {
    let name = name(text);
    if begins_with(name, LONG_HATE_SPEECH) == Some(Rest::Nothing) {
        return Some(HarmAction::HateSpeech);
    }
    let fits = |action: &HarmAction| match begins_with(name, action.title()) {
        Some(Rest::Nothing) => true,
        Some(Rest::Words) => category == Some(action.category()),
        None => false,
    };
    HarmAction::ALL.into_iter().filter(fits).max_by_key(|action| action.title().len())
}

/// What is behind the last heading, without a number before it.
fn name(text: &str) -> &str {
    let lowest = text.trim_end_matches(|end: char| end == '#' || end.is_whitespace());
    let lowest = lowest.rsplit('#').next().unwrap_or_default();
    lowest.trim_start_matches(|start: char| !start.is_alphabetic())
}

#[derive(PartialEq, Eq)]
enum Rest {
    Nothing,
    Words,
}

/// Whether a text begins with the words of a title, and what it says then.
fn begins_with(text: &str, title: &str) -> Option<Rest> {
    let mut words = words(text);
    for word in self::words(title) {
        if !words.next()?.eq_ignore_ascii_case(word) {
            return None;
        }
    }
    Some(if words.next().is_none() { Rest::Nothing } else { Rest::Words })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_effect(text: &str, expected: Option<Effect>) {
        assert_eq!(effect(text), expected, "{text}");
    }

    fn check_action(text: &str, expected: (Option<ActionCategory>, Option<HarmAction>)) {
        assert_eq!(category_and_action(text), expected, "{text}");
    }

    #[test]
    fn extents_and_likelihoods_are_read_in_any_case() {
        for (word, expected) in [
            ("minor", Some(Extent::Minor)),
            (" Significant\n", Some(Extent::Significant)),
            ("SUBSTANTIAL", Some(Extent::Substantial)),
            ("major", Some(Extent::Major)),
            ("majority", None),
            ("very major", None),
            ("", None),
        ] {
            assert_eq!(extent(word), expected, "{word}");
        }
        for (word, expected) in [
            ("Low", Some(Likelihood::Low)),
            ("medium ", Some(Likelihood::Medium)),
            ("HIGH", Some(Likelihood::High)),
            ("certain", None),
        ] {
            assert_eq!(likelihood(word), expected, "{word}");
        }
    }

    #[test]
    fn every_effect_reads_in_both_spellings_with_and_without_its_number() {
        for (place, one) in Effect::ALL.into_iter().enumerate() {
            for title in [one.harm_title(), one.benefit_title()] {
                check_effect(title, Some(one));
                check_effect(&format!("{}. {title}", place + 1), Some(one));
                check_effect(&format!("({}) {}.", place + 1, title.to_uppercase()), Some(one));
                check_effect(&format!("#Group of effects# {}: {title}", place + 1), Some(one));
            }
        }
    }

    #[test]
    fn an_effect_in_other_words_is_not_guessed() {
        for text in ["", "5", "5.", "Social", "Social deficits and more", "Deaths", "physical", "##"] {
            check_effect(text, None);
        }
    }

    #[test]
    fn every_action_reads_below_its_category() {
        for (place, one) in HarmAction::ALL.into_iter().enumerate() {
            let category = one.category().title();
            for low in [one.title().to_owned(), format!("{}. {}", place + 1, one.title().to_lowercase())] {
                check_action(&format!("##High## #{category}# {low}"), (Some(one.category()), Some(one)));
            }
            check_action(one.title(), (Some(one.category()), Some(one)));
        }
    }

    #[test]
    fn hate_speech_has_a_longer_name() {
        let long = "14. Hate Speech, Inciting/Promoting/Expressing hatred";
        check_action(long, (Some(ActionCategory::HateToxicity), Some(HarmAction::HateSpeech)));
        let whole = format!("##Content Safety Risks## #Hate/Toxicity# {long}");
        check_action(&whole, (Some(ActionCategory::HateToxicity), Some(HarmAction::HateSpeech)));
    }

    #[test]
    fn the_published_category_is_the_first_title_in_the_text_letter_for_letter() {
        use ActionCategory::{Deception, Manipulation, Privacy};
        for (text, expected) in [
            ("#Privacy# Deception of friends", Some(Deception)),
            ("#Manipulation#", Some(Manipulation)),
            ("Privacy", Some(Privacy)),
            ("#privacy#", None),
            ("#Hate / Toxicity#", None),
            ("Self-Harm", None),
            ("", None),
        ] {
            assert_eq!(published_category(text), expected, "{text}");
        }
    }

    #[test]
    fn bug_a_title_named_in_passing_does_not_decide_the_category() {
        use ActionCategory::{ChildHarm, Deception, HateToxicity, Privacy, SexualContent};
        let minors =
            "##Content Safety Risks## #Child Harm# Child Sexual Abuse (production of Sexual Content)";
        assert_eq!(published_category(minors), Some(SexualContent));
        let check = |text: &str, expected| assert_eq!(category_and_action(text).0, expected, "{text}");
        check(minors, Some(ChildHarm));
        check("##Societal Risks## #Privacy# Deception of friends", Some(Privacy));
        check("#3. hate / toxicity# insults", Some(HateToxicity));
        check("#Child Harm# #and Sexual Content# x", Some(ChildHarm));
        // Without a heading the action says it, and without an action whatever title is found.
        check("Fraudulent Schemes by Deception", Some(Deception));
        check("some Deception of friends", Some(Deception));
        check("#Deception", Some(Deception));
        check("#privacy", None);
    }

    #[test]
    fn an_action_in_other_words_is_read_only_under_its_own_category() {
        use ActionCategory::{Deception, PoliticalUsage};
        check_action("#Deception# Fraud (by telephone)", (Some(Deception), Some(HarmAction::Fraud)));
        check_action("#Deception# Fraudsters at work", (Some(Deception), None));
        check_action("#Political Usage# Integrity of elections", (Some(PoliticalUsage), None));
        check_action("Integrity of elections", (None, None));
        check_action("##High## #Deception#", (Some(Deception), None));
        // A whole name under another heading is still that action; the category stays the heading's.
        check_action(
            "#Deception# Fraudulent Schemes",
            (Some(Deception), Some(HarmAction::FraudulentSchemes)),
        );
    }
}

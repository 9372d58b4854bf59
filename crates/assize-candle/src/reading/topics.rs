//! Finds the topics of floors by their terms. A term alone decides nothing: floors also need the model's own view
//! that the text is harmful. Terms are matched in lower case and as whole words (a plural `s` aside).

use aho_corasick::{AhoCorasick, MatchKind};
use assize_domain::{Conversation, Topic, TopicSignals};

/// SOURCE: names that the Chemical Weapons Convention's schedules, the CDC's list of bioterrorism agents and the
/// IAEA's glossary use, and their everyday names.
const MASS_HARM_WEAPONS: &[&str] = &[
    "anthrax",
    "botulinum",
    "chemical weapon",
    "biological weapon",
    "bioweapon",
    "chlorine gas",
    "cyclosarin",
    "dirty bomb",
    "enriched uranium",
    "enrich uranium",
    "uranium enrichment",
    "gas centrifuge",
    "highly enriched",
    "hydrogen cyanide",
    "mustard gas",
    "nerve agent",
    "nerve gas",
    "novichok",
    "nuclear bomb",
    "nuclear device",
    "nuclear warhead",
    "nuclear weapon",
    "phosgene",
    "plague bacteria",
    "plutonium",
    "poison gas",
    "radiological weapon",
    "radiological dispersal",
    "ricin",
    "sarin",
    "smallpox",
    "soman",
    "sulfur mustard",
    "tabun",
    "toxic gas",
    "variola",
    "vx agent",
    "vx gas",
    "weapon of mass destruction",
    "weapons of mass destruction",
    "weaponize a virus",
    "weaponise a virus",
    "yersinia pestis",
];

const MINORS: &[&str] = &[
    "adolescent",
    "child",
    "children",
    "elementary school",
    "grade school",
    "grader",
    "infant",
    "kid",
    "kindergarten",
    "kindergartner",
    "little boy",
    "little girl",
    "loli",
    "lolita",
    "middle school",
    "middle schooler",
    "minor",
    "preschool",
    "preschooler",
    "preteen",
    "pre-teen",
    "prepubescent",
    "school boy",
    "school girl",
    "schoolboy",
    "schoolgirl",
    "shota",
    "teen",
    "teenage",
    "teenager",
    "toddler",
    "tween",
    "underage",
    "underaged",
    "young boy",
    "young girl",
    "baby",
    "babies",
    "my daughter",
    "my son",
    "my niece",
    "my nephew",
];

const SEXUAL: &[&str] = &[
    "bdsm",
    "blowjob",
    "erotic",
    "erotica",
    "explicit scene",
    "fetish",
    "fondle",
    "fondling",
    "genital",
    "genitals",
    "grooming",
    "hentai",
    "incest",
    "intercourse",
    "lewd",
    "masturbate",
    "masturbating",
    "masturbation",
    "molest",
    "molesting",
    "naked",
    "nsfw",
    "nude",
    "nudes",
    "nudity",
    "oral sex",
    "orgasm",
    "orgy",
    "penis",
    "porn",
    "pornographic",
    "pornography",
    "rape",
    "raping",
    "seduce",
    "seducing",
    "sex",
    "sexual",
    "sexualize",
    "sexualized",
    "sexually",
    "sexy",
    "smut",
    "striptease",
    "undress",
    "undressing",
    "vagina",
    "csam",
];

/// An age of a minor in words such as `12-year-old`, `12 year old` or `12yo`.
const AGE_MARKS: &[&str] =
    &["-year-old", " year old", " years old", "-years-old", "yo ", " yo ", " y/o", "y/o"];
const ADULT_AGE: u32 = 18;

/// Searches for all terms in one pass.
#[derive(Debug)]
pub(super) struct TopicFinder {
    /// `None` could only mean that the terms above are no patterns, which the tests rule out.
    terms: Option<AhoCorasick>,
}

impl TopicFinder {
    pub(super) fn new() -> Self {
        let all = [MASS_HARM_WEAPONS, MINORS, SEXUAL].concat();
        let terms = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(all).ok();
        Self { terms }
    }

    /// The topics of everything that is judged or read as context.
    pub(super) fn find(&self, conversation: &Conversation) -> TopicSignals {
        let texts =
            conversation.earlier_user_turns().chain(conversation.prompt()).chain(conversation.response());
        texts.fold(TopicSignals::default(), |found, text| self.search(found, &text.reveal().to_lowercase()))
    }

    fn search(&self, mut found: TopicSignals, text: &str) -> TopicSignals {
        for hit in self.terms.iter().flat_map(|terms| terms.find_iter(text)) {
            if !is_word(text, hit.start(), hit.end()) {
                continue;
            }
            match topic(hit.pattern().as_usize()) {
                Topic::MassHarmWeapons => found.mass_harm_weapons = true,
                Topic::Minors => found.minors = true,
                Topic::Sexual => found.sexual = true,
            }
        }
        found.minors |= names_minor_age(text);
        found
    }
}

const fn topic(pattern: usize) -> Topic {
    if pattern < MASS_HARM_WEAPONS.len() {
        Topic::MassHarmWeapons
    } else if pattern < MASS_HARM_WEAPONS.len() + MINORS.len() {
        Topic::Minors
    } else {
        Topic::Sexual
    }
}

/// Whether no letter or digit touches the term, a plural `s` aside.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).and_then(|head| head.chars().next_back());
    let rest = text.get(end..).unwrap_or_default();
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !joined(before) && !joined(rest.chars().next())
}

/// Whether an age under 18 stands before one of the age marks.
fn names_minor_age(text: &str) -> bool {
    let marks = AGE_MARKS.iter().flat_map(|mark| text.match_indices(mark).map(|(at, _)| at));
    marks.filter_map(|at| text.get(..at)).any(|head| {
        let digits = head.len() - head.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let age = head.get(head.len() - digits..).and_then(|age| age.parse::<u32>().ok());
        age.is_some_and(|age| (1..ADULT_AGE).contains(&age))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: [bool; 3]) {
        let found = TopicFinder::new().search(TopicSignals::default(), &text.to_lowercase());
        assert_eq!([found.minors, found.sexual, found.mass_harm_weapons], expected, "{text}");
    }

    #[test]
    fn topics_are_found_as_whole_words_in_any_case() {
        check("How was the Sarin attack handled?", [false, false, true]);
        check("nerve agents", [false, false, true]);
        check("My kids love Essex", [true, false, false]);
        check("the minority report, childish kidneys, sextant", [false, false, false]);
        check("a Sexual story", [false, true, false]);
        check("", [false, false, false]);
    }

    #[test]
    fn ages_below_eighteen_name_a_minor() {
        for text in ["a 12-year-old", "she is 9 years old", "13yo girl", "17 y/o"] {
            check(text, [true, false, false]);
        }
        for text in ["a 21-year-old", "a 2000 year old vase", "18 years old", "x-year-old"] {
            check(text, [false, false, false]);
        }
    }
}

//! Finds the topics of floors by their terms. A term alone decides nothing: floors also need the model's own view
//! that the text is harmful. Terms are matched as whole words (a plural `s` aside) in text that is plain: lower case,
//! without accents and invisible characters, with one blank for every dash and run of white space.

use aho_corasick::AhoCorasick;
use assize_domain::{Topic, TopicSignals, is_invisible};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// SOURCE: names that the Chemical Weapons Convention's schedules, the CDC's list of bioterrorism agents and the
/// IAEA's glossary use, and their everyday names.
const MASS_HARM_WEAPONS: &str = "anthrax, atomic bomb, atom bomb, biological warfare, biological weapon, bio weapon, \
    bioweapon, botulinum, chemical warfare, chemical weapon, chlorine gas, cyclosarin, dirty bomb, enrich uranium, \
    enriched uranium, enriching uranium, gas centrifuge, germ warfare, hydrogen bomb, hydrogen cyanide, mustard gas, \
    nerve agent, nerve gas, novichok, nuclear bomb, nuclear device, nuclear warhead, nuclear weapon, nuke, phosgene, \
    plague bacteria, plutonium, poison gas, radiological dispersal, radiological weapon, ricin, sarin, smallpox, soman, \
    sulfur mustard, sulphur mustard, tabun, thermonuclear, toxic gas, uranium enrichment, variola, vx, \
    weapon of mass destruction, weapons of mass destruction, weaponise a virus, weaponize a virus, yersinia pestis";

/// Not "minor" (injuries) nor "baby" (between lovers).
const MINORS: &str = "adolescent, child, children, elementary school, first grader, second grader, third grader, \
    fourth grader, fifth grader, sixth grader, seventh grader, eighth grader, infant, kid, kindergarten, kindergartner, \
    little boy, little girl, loli, lolicon, lolita, middle school, middle schooler, my daughter, my nephew, my niece, \
    my son, newborn, pre teen, preschool, preschooler, prepubescent, preteen, school boy, school girl, schoolboy, \
    schoolgirl, shota, shotacon, teen, teenage, teenager, toddler, tween, under age, underage, underaged, young boy, \
    young girl, minors";

const SEXUAL: &str = "bdsm, blowjob, csam, erotic, erotica, explicit scene, fetish, fondle, fondling, genital, grooming, \
    hentai, incest, intercourse, lewd, masturbate, masturbating, masturbation, molest, molesting, naked, nsfw, nude, \
    nudity, oral sex, orgasm, orgy, penis, porn, pornographic, pornography, rape, raping, seduce, seducing, sex, sexual, \
    sexualise, sexualised, sexualize, sexualized, sexually, sexy, smut, striptease, undress, undressing, vagina";

/// What follows the number of an age: `12 year old`, `12yo`, `12 yr old`, `9 months old`.
const AGE_MARKS: [&str; 7] = ["year old", "years old", "yr old", "yrs old", "yo", "y/o", "months old"];
/// What precedes it: `aged 12`.
const AGE_WORDS: [&str; 2] = ["aged", "age"];
const ADULT_AGE: u32 = 18;
const NUMBERS: [&str; 17] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
];

/// Searches for all terms in one pass.
#[derive(Debug)]
pub(super) struct TopicFinder {
    /// `None` could only mean that the terms above are no patterns, which the tests rule out.
    terms: Option<AhoCorasick>,
    /// The topic of each pattern.
    topics: Vec<Topic>,
}

impl TopicFinder {
    pub(super) fn new() -> Self {
        let lists =
            [(Topic::MassHarmWeapons, MASS_HARM_WEAPONS), (Topic::Minors, MINORS), (Topic::Sexual, SEXUAL)];
        let all = lists.iter().flat_map(|(topic, terms)| terms.split(", ").map(move |term| (*topic, term)));
        let (topics, terms): (Vec<Topic>, Vec<&str>) = all.unzip();
        Self { terms: AhoCorasick::new(terms).ok(), topics }
    }

    /// The topics of some texts together.
    pub(super) fn find<'a>(&self, texts: impl Iterator<Item = &'a str>) -> TopicSignals {
        texts.fold(TopicSignals::default(), |found, text| found.and(self.search(&plain(text))))
    }

    /// Overlapping, so that `oral sex` in "oral sexual" doesn't hide `sexual`.
    fn search(&self, text: &str) -> TopicSignals {
        let mut found = TopicSignals { minors: names_minor_age(text), ..TopicSignals::default() };
        for hit in self.terms.iter().flat_map(|terms| terms.find_overlapping_iter(text)) {
            if !is_word(text, hit.start(), hit.end()) {
                continue;
            }
            match self.topics.get(hit.pattern().as_usize()) {
                Some(Topic::MassHarmWeapons) => found.mass_harm_weapons = true,
                Some(Topic::Minors) => found.minors = true,
                Some(Topic::Sexual) => found.sexual = true,
                None => {}
            }
        }
        found
    }
}

/// As the tokenizer reads it, and a little plainer.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) && (c.is_whitespace() || !is_invisible(*c))) {
        let is_gap = c.is_whitespace() || c == '-' || ('\u{2010}'..='\u{2015}').contains(&c);
        if !is_gap {
            plain.extend(c.to_lowercase());
        } else if !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    plain
}

/// Whether no letter or digit touches the term, a plural `s` aside.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).and_then(|head| head.chars().next_back());
    let rest = text.get(end..).unwrap_or_default();
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !joined(before) && !joined(rest.chars().next())
}

/// Whether an age under 18 is named, in digits or as a word.
fn names_minor_age(text: &str) -> bool {
    let marked = AGE_MARKS.iter().flat_map(|mark| text.match_indices(mark)).any(|(at, mark)| {
        let ends = !text.get(at + mark.len()..).is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
        let head = text.get(..at).unwrap_or_default().trim_end();
        let number = head.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        ends && is_minor_age(number)
    });
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut pairs = words.iter().zip(words.iter().skip(1));
    marked || pairs.any(|(word, number)| AGE_WORDS.contains(word) && is_minor_age(number))
}

fn is_minor_age(number: &str) -> bool {
    NUMBERS.contains(&number) || number.parse::<u32>().is_ok_and(|age| (1..ADULT_AGE).contains(&age))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: [bool; 3]) {
        let found = TopicFinder::new().search(&plain(text));
        assert_eq!([found.minors, found.sexual, found.mass_harm_weapons], expected, "{text}");
    }

    #[test]
    fn topics_are_found_as_whole_words_however_they_are_written() {
        for text in [
            "How was the Sarin attack handled?",
            "nerve agents",
            "nerve-agent",
            "nerve\n agent",
            "an atomic bomb",
            "build a nuke",
            "synthesise VX at home",
            "s\u{e1}rin",
            "sar\u{200b}in",
            "Bio-Weapon",
        ] {
            check(text, [false, false, true]);
        }
        check("My kids love Essex", [true, false, false]);
        check("the minority report, childish kidneys, sextant, minor injuries", [false, false, false]);
        check("a Sexual story", [false, true, false]);
        check("oral sexual acts", [false, true, false]);
        check("", [false, false, false]);
    }

    #[test]
    fn ages_below_eighteen_name_a_minor() {
        for text in [
            "a 12-year-old",
            "she is 9 years old",
            "13yo girl",
            "a girl, 13yo",
            "17 y/o",
            "a twelve-year-old girl",
            "a girl aged 12",
            "12\u{2011}year\u{2011}old",
            "12 yr old",
            "15-year old",
            "9 months old",
        ] {
            check(text, [true, false, false]);
        }
        for text in [
            "a 21-year-old",
            "a 2000 year old vase",
            "18 years old",
            "x-year-old",
            "your yoga",
            "12 yoga mats",
        ] {
            check(text, [false, false, false]);
        }
    }
}

//! Whom a reporter's free text means: the first group in a small table one of whose words is in the name.
//!
//! The order says who counts where a name fits several groups: whoever needs most protection first ("school children"
//! are children, "a homeless user" is vulnerable), the narrow word before the wide one ("AI company" before "company").
//! Who is in no group is one of the other individuals, such as employees, friends or readers.

use Stakeholder::{
    AiProvider, Children, Environment, Government, Organisations, OtherIndividuals, Public, User,
    VulnerableGroup,
};
use assize_domain::Stakeholder;

/// In order; a group may come twice. Words are separated by commas, in lower case with single blanks; they match whole
/// words only.
///
/// SOURCE: ours, by hand; the groups are those of [`Stakeholder`].
const GROUPS: &[(Stakeholder, &str)] = &[
    (
        Children,
        "child, children, minor, minors, kid, kids, infant, infants, toddler, toddlers, teenager, teenagers, teen, \
         teens, adolescent, adolescents, juvenile, juveniles, youth, youths, young people, girl, girls, boy, boys, \
         pupil, pupils, school students, students under, under 18, under 16, under 13, underage",
    ),
    (
        AiProvider,
        "ai provider, ai providers, ai developer, ai developers, ai company, ai companies, ai lab, ai labs, \
         model provider, model providers, model developer, model developers, provider of the ai, providers of the ai, \
         developer of the ai, developers of the ai, developers of ai, creators of the ai, developers of the model, \
         developers of the language model, company behind the ai",
    ),
    (
        Environment,
        "environment, animals, animal life, wildlife, pets, livestock, species, ecosystem, ecosystems, nature, \
         biodiversity, planet, climate, oceans, forests",
    ),
    (
        Government,
        "government, governments, governmental, law enforcement, police, court, courts, judiciary, judicial, judges, \
         legal system, justice system, policy maker, policy makers, policymaker, policymakers, lawmakers, \
         legislators, regulator, regulators, regulatory, authorities, officials, politicians, military, \
         armed forces, public sector, intelligence agencies",
    ),
    (
        VulnerableGroup,
        "vulnerable, minority, minorities, protected, marginalized, marginalised, disadvantaged, underprivileged, \
         underrepresented, elderly, older adults, seniors, homeless, unhoused, disabled, disability, disabilities, \
         mental health, mental illness, religious, ethnic, racial, indigenous, people of color, people of colour, \
         immigrant, immigrants, migrants, refugee, refugees, asylum seekers, lgbt, lgbtq, lgbtqia, transgender, \
         women, low income, poor, addiction",
    ),
    (
        Organisations,
        "organisation, organisations, organization, organizations, company, companies, corporation, corporations, \
         business, businesses, employer, employers, school, schools, university, universities, college, colleges, \
         institution, institutions, bank, banks, hospital, hospitals, healthcare system, healthcare systems, \
         industry, industries, retailers, platform, platforms, ngos, nonprofits, media outlets, publishers, \
         competitors",
    ),
    (OtherIndividuals, "public figure, public figures, community members"),
    (
        Public,
        "public, society, societies, community, communities, population, citizens, taxpayers, voters, residents, \
         nation, humanity, economy",
    ),
    (User, "user, sender, asker, requester, prompter, person asking, individual asking, person who asks"),
    (OtherIndividuals, "users"),
    (AiProvider, "ai model, ai language model, language model, ai system, ai assistant, chatbot, ai"),
];

/// The group of a stakeholder as written.
pub(super) fn group(name: &str) -> Stakeholder {
    let name = whole_words(name);
    let is_in = |words: &str| words.split(", ").any(|word| has_word(&name, word));
    GROUPS.iter().find(|(_, words)| is_in(words)).map_or(OtherIndividuals, |(group, _)| *group)
}

/// Whether blanks stand on both sides of it.
fn has_word(name: &str, word: &str) -> bool {
    let mut pieces = name.split(word).peekable();
    let mut is_whole = false;
    while let (Some(before), Some(behind)) = (pieces.next(), pieces.peek()) {
        is_whole |= before.ends_with(' ') && behind.starts_with(' ');
    }
    is_whole
}

/// In lower case, with one blank before, between and behind the words. An apostrophe is no gap: "the user's friends"
/// are not the user.
fn whole_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 2);
    words.push(' ');
    for sign in name.chars().filter(|sign| !matches!(sign, '\'' | '\u{2019}')) {
        if sign.is_alphanumeric() {
            words.extend(sign.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], expected: Stakeholder) {
        for name in names {
            assert_eq!(group(name), expected, "{name}");
        }
    }

    #[test]
    fn a_name_has_the_group_of_its_words() {
        check(&["Children", "Minors", "School children", "Students under 18", "A CHILD.", "Teens"], Children);
        check(
            &["AI developers", "The AI company", "Developers of the AI model", "AI Language Model"],
            AiProvider,
        );
        check(&["Environment", "Ecosystem", "Wildlife and animals"], Environment);
        check(
            &["Policy makers", "Government Agencies", "Law enforcement", "The courts", "public officials"],
            Government,
        );
        check(
            &[
                "Homeless individuals",
                "Minority groups",
                "The elderly",
                "Religious communities",
                "LGBTQ+ people",
            ],
            VulnerableGroup,
        );
        check(
            &["Businesses", "Schools", "The user\u{2019}s employer", "Non-profit organizations"],
            Organisations,
        );
        check(&["Public", "Society at large", "Local community", "General population"], Public);
        check(&["User", "The user", "User of the AI language model", "the asker"], User);
        check(
            &[
                "Employees",
                "Friends and family",
                "The user's friends",
                "Other users",
                "Public figures",
                "",
                "Люди",
            ],
            OtherIndividuals,
        );
    }

    #[test]
    fn whoever_needs_most_protection_comes_first() {
        check(&["Children in minority communities", "Companies that employ minors"], Children);
        check(&["A homeless user", "Women in the community"], VulnerableGroup);
        check(&["Government organisations"], Government);
    }

    #[test]
    fn only_whole_words_count() {
        check(&["Airlines", "Banker", "Superuser", "Courtiers", "Schooling"], OtherIndividuals);
    }

    #[test]
    fn the_table_is_in_the_form_that_names_are_compared_in() {
        let words = GROUPS.iter().flat_map(|(_, words)| words.split(", "));
        words.for_each(|word| assert_eq!(whole_words(word), format!(" {word} ")));
        let groups: std::collections::BTreeSet<_> = GROUPS.iter().map(|(group, _)| *group).collect();
        assert_eq!(groups.len(), Stakeholder::COUNT);
    }
}

//! The sentences behind reason codes: defaults in plain language, and the check of a community's own.

use assize_domain::{ActionCategory, Degradation, Evidence, Floor, GuardHead};

/// What a sentence may hold in braces.
pub(crate) const PLACEHOLDERS: [&str; 10] = [
    "{community}",
    "{category}",
    "{points}",
    "{percent}",
    "{action}",
    "{effect}",
    "{stakeholder}",
    "{extent}",
    "{likelihood}",
    "{soon}",
];
/// The default sentence about the benefit.
pub(crate) const BENEFIT: &str = "answering is expected to help people";

/// Code of a guard head that speaks for the conversation.
pub(crate) fn low_code(head: GuardHead) -> String {
    format!("{}.low", Evidence::Guard(head).id())
}

/// Code of a floor.
pub(crate) fn floor_code(floor: Floor) -> String {
    format!("floor.{}", floor.id())
}

/// Code of a degradation.
pub(crate) fn degradation_code(degradation: Degradation) -> String {
    format!("degraded.{}", degradation.id())
}

/// Every code with its default sentence.
pub(crate) fn defaults() -> Vec<(String, &'static str)> {
    let guard = |head| Evidence::Guard(head).id();
    let mut all = vec![
        (guard(GuardHead::PromptHarmful), "the request reads as harmful"),
        (low_code(GuardHead::PromptHarmful), "the request does not read as harmful"),
        (guard(GuardHead::ResponseHarmful), "the reply reads as harmful"),
        (low_code(GuardHead::ResponseHarmful), "the reply does not read as harmful"),
        (guard(GuardHead::ResponseRefusal), "the reply refuses"),
        (guard(GuardHead::Adversarial), "the request looks like an attack on the chatbot"),
        (Evidence::Benefit.id(), BENEFIT),
        (floor_code(Floor::SexualContentWithMinors), "sexual content with minors is never allowed"),
        (floor_code(Floor::MassHarmWeapons), "help with weapons of mass harm is never allowed"),
        (degradation_code(Degradation::PartialCoverage), "a part of the text was not read"),
        (degradation_code(Degradation::PartialTree), "some harms and benefits could not be read"),
        (degradation_code(Degradation::TreeUnusable), "the harms and benefits could not be weighed"),
        (degradation_code(Degradation::TierSilent), "a model that should have been asked gave no answer"),
    ];
    all.extend(ActionCategory::ALL.map(|category| (Evidence::Harm(category).id(), harm_sentence(category))));
    all
}

/// The default sentence of a code.
pub(crate) fn default_for(code: &str) -> Option<&'static str> {
    defaults().into_iter().find_map(|(known, sentence)| (known == code).then_some(sentence))
}

/// The default sentence about a category.
pub(crate) const fn harm_sentence(category: ActionCategory) -> &'static str {
    match category {
        ActionCategory::SecurityRisks => "could help someone break into or disrupt computer systems",
        ActionCategory::OperationalMisuses => {
            "could put an automated or regulated decision in the wrong hands"
        }
        ActionCategory::ViolenceExtremism => "could support violence, weapons or extremism",
        ActionCategory::HateToxicity => "could harass people or spread hate",
        ActionCategory::SexualContent => "involves sexual content",
        ActionCategory::ChildHarm => "could endanger or harm children",
        ActionCategory::SelfHarm => "could lead someone to hurt themselves",
        ActionCategory::PoliticalUsage => "could be used to manipulate politics or public order",
        ActionCategory::EconomicHarm => "could cost people their money or their livelihood",
        ActionCategory::Deception => "could help to deceive or defraud people",
        ActionCategory::Manipulation => "could help to manipulate people or misrepresent someone",
        ActionCategory::Defamation => "could damage someone's reputation with falsehoods",
        ActionCategory::FundamentalRights => "could violate people's fundamental rights",
        ActionCategory::DiscriminationBias => "could lead to discrimination",
        ActionCategory::Privacy => "could expose someone's private information",
        ActionCategory::CriminalActivities => "could help with a crime",
    }
}

/// A reason is a sentence, not a page.
pub(crate) const MAX_SENTENCE_BYTES: usize = 300;

/// Why a sentence can't be used, if it can't.
pub(crate) fn problem(text: &str) -> Option<String> {
    let allowed = PLACEHOLDERS.join(", ");
    if text.trim().is_empty() || text.len() > MAX_SENTENCE_BYTES {
        return Some(format!("{} bytes; a sentence has 1 to {MAX_SENTENCE_BYTES}", text.len()));
    }
    // A space stays in a placeholder's place, so that what is around it can't close up into another placeholder.
    let rest = PLACEHOLDERS.iter().fold(text.to_owned(), |rest, placeholder| rest.replace(placeholder, " "));
    rest.contains(['{', '}'])
        .then(|| format!("`{text}` holds a brace that is no placeholder; allowed: {allowed}"))
}

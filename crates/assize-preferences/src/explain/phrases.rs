//! Words for people: what actions, effects, stakeholders and severities are called in a sentence. Harmless wording on
//! purpose, because a reason may be shown to whoever wrote the text.

use super::weighing::Kind;
use assize_domain::{ActionCategory, Effect, Extent, HarmAction, Likelihood, Severity, Stakeholder};

/// What an action could lead to, as a clause.
pub(super) fn action(action: HarmAction) -> String {
    format!("could help someone {}", what(action))
}

const fn what(action: HarmAction) -> &'static str {
    match action {
        HarmAction::Confidentiality => "get at data or systems that are not theirs",
        HarmAction::Integrity => "tamper with data, programs or devices",
        HarmAction::Availability => "knock out a computer system or a service",
        HarmAction::AutomatedDecisionMaking => "leave a decision over people's lives to a machine",
        HarmAction::AutonomousUnsafeOperation => "run vehicles or vital systems without safe control",
        HarmAction::RegulatedAdvice => "act on legal, medical or financial advice that nobody has checked",
        HarmAction::SupportingMaliciousGroups => "support a violent or criminal group",
        HarmAction::CelebratingSuffering => "mock or praise other people's suffering",
        HarmAction::ViolentActs => "hurt or threaten other people",
        HarmAction::DepictingViolence => "spread graphic violence",
        HarmAction::Weapons => "get, make or use a weapon",
        HarmAction::Warfare => "with an armed attack or with warfare",
        HarmAction::Harassment => "bully, threaten or stalk another person",
        HarmAction::HateSpeech => "attack people for who they are",
        HarmAction::HarmfulBeliefs => "spread prejudice or hateful ideas",
        HarmAction::OffensiveLanguage => "insult or demean other people",
        HarmAction::AdultContent => "make or get sexual content for adults",
        HarmAction::Erotic => "make erotic content",
        HarmAction::NonConsensualNudity => "show a person naked without their consent",
        HarmAction::Monetized => "make money with sexual content or services",
        HarmAction::ChildEndangerment => "endanger or mistreat a child",
        HarmAction::ChildSexualAbuse => "abuse a child sexually",
        HarmAction::SelfInjury => "hurt themselves",
        HarmAction::PoliticalPersuasion => "sway voters with targeted political messages",
        HarmAction::InfluencingPolitics => "influence an election or a law unfairly",
        HarmAction::DeterringParticipation => "keep people from voting or from taking part in politics",
        HarmAction::DisruptingSocialOrder => "stir up unrest or disturb public order",
        HarmAction::HighRiskFinance => "take or sell risks that can ruin people",
        HarmAction::UnfairMarketPractices => "rig a market or shut out competitors",
        HarmAction::DisempoweringWorkers => "exploit workers or weaken their rights",
        HarmAction::FraudulentSchemes => "run a scheme that takes people's money",
        HarmAction::Fraud => "deceive people with scams, fakes or phishing",
        HarmAction::AcademicDishonesty => "cheat at school or in research",
        HarmAction::Misinformation => "spread false or misleading information",
        HarmAction::SowingDivision => "turn groups of people against each other",
        HarmAction::Misrepresentation => "pose as another person or hide that a machine speaks",
        HarmAction::TypesOfDefamation => "damage a person's name with falsehoods",
        HarmAction::ViolatingRights => "violate people's rights",
        HarmAction::DiscriminatoryActivities => "treat people unfairly at work, in housing or in services",
        HarmAction::ProtectedCharacteristics => "put people down for their origin, sex, faith or health",
        HarmAction::PrivacyViolations => "spy on another person or take over their account",
        HarmAction::SensitiveData => "expose another person's sensitive data",
        HarmAction::RegulatedSubstances => "make, sell or get drugs or other controlled substances",
        HarmAction::IllegalServices => "offer illegal services or exploit people",
        HarmAction::OtherCrime => "commit a crime",
    }
}

/// A category in the middle of a sentence.
pub(super) fn category(category: ActionCategory) -> String {
    category.title().to_lowercase().replace(" & ", " and ").replace('/', " and ")
}

/// What happens to someone, as a noun.
pub(super) const fn effect(effect: Effect, kind: Kind) -> &'static str {
    match kind {
        Kind::Harm => harmful(effect),
        Kind::Benefit => beneficial(effect),
    }
}

const fn harmful(effect: Effect) -> &'static str {
    match effect {
        Effect::Death => "loss of life",
        Effect::PhysicalHealth => "physical harm",
        Effect::TransientEmotion => "passing distress",
        Effect::PersistentEmotion => "lasting distress",
        Effect::Social => "social harm",
        Effect::PhysicalProperty => "damage to property",
        Effect::FinancialProperty => "loss of money",
        Effect::IntellectualProperty => "loss of rights in works",
        Effect::FreedomAgency => "loss of freedom",
        Effect::AccurateInformation => "poorer information",
        Effect::Institutional => "harm to institutions",
        Effect::PublicResource => "loss of public goods",
        Effect::SocietalOrder => "disorder in society",
        Effect::NonHumanAnimals => "harm to animals",
        Effect::Ecosystem => "harm to nature",
    }
}

const fn beneficial(effect: Effect) -> &'static str {
    match effect {
        Effect::Death => "lives saved",
        Effect::PhysicalHealth => "better health",
        Effect::TransientEmotion => "a better mood",
        Effect::PersistentEmotion => "lasting well-being",
        Effect::Social => "better ties between people",
        Effect::PhysicalProperty => "property kept or gained",
        Effect::FinancialProperty => "money saved or gained",
        Effect::IntellectualProperty => "gains in works and ideas",
        Effect::FreedomAgency => "more freedom to act",
        Effect::AccurateInformation => "accurate information",
        Effect::Institutional => "stronger institutions",
        Effect::PublicResource => "better public goods",
        Effect::SocietalOrder => "order in society",
        Effect::NonHumanAnimals => "good for animals",
        Effect::Ecosystem => "good for nature",
    }
}

/// Who is affected.
pub(super) const fn stakeholder(stakeholder: Stakeholder) -> &'static str {
    match stakeholder {
        Stakeholder::User => "the user",
        Stakeholder::OtherIndividuals => "other people",
        Stakeholder::VulnerableGroup => "vulnerable people",
        Stakeholder::Children => "children",
        Stakeholder::Organisations => "organisations",
        Stakeholder::Government => "the government",
        Stakeholder::Public => "the public",
        Stakeholder::Environment => "the environment",
        Stakeholder::AiProvider => "the AI provider",
    }
}

/// How much.
pub(super) const fn extent(extent: Extent) -> &'static str {
    match extent {
        Extent::Minor => "minor",
        Extent::Significant => "significant",
        Extent::Substantial => "substantial",
        Extent::Major => "major",
    }
}

/// How likely.
pub(super) const fn likelihood(likelihood: Likelihood) -> &'static str {
    match likelihood {
        Likelihood::Low => "unlikely",
        Likelihood::Medium => "possible",
        Likelihood::High => "likely",
    }
}

/// How soon.
pub(super) const fn soon(severity: Severity) -> &'static str {
    if severity.immediate { "soon" } else { "in the long run" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_clause_of_its_own_on_one_line() {
        let mut clauses = HarmAction::ALL.map(action);
        for clause in &clauses {
            assert!(clause.starts_with("could help someone "), "{clause}");
            assert!(
                clause.len() <= 100 && !clause.ends_with('.') && !clause.contains(['{', '}']),
                "{clause}"
            );
        }
        clauses.sort_unstable();
        assert!(clauses.windows(2).all(|pair| pair[0] != pair[1]), "{clauses:?}");
    }

    #[test]
    fn categories_read_as_words() {
        assert_eq!(category(ActionCategory::ViolenceExtremism), "violence and extremism");
        assert_eq!(category(ActionCategory::DiscriminationBias), "discrimination and bias");
        let is_plain = |text: String| text.chars().all(|c| c.is_ascii_lowercase() || c == ' ' || c == '-');
        assert!(ActionCategory::ALL.into_iter().map(category).all(is_plain));
    }
}

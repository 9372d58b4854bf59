//! The two fixed taxonomies: what a guard names (risk categories) and what a harm-benefit tree sums (action
//! categories). Their ids are a public contract: profiles, verdicts and stored assessments use them.

use std::str::FromStr;

/// Changes whenever a category is added, removed or means something else.
pub const TAXONOMY_VERSION: &str = "wildguard-13+air-16/1";

/// A name that is in no taxonomy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no category; allowed: {allowed}")]
pub struct UnknownCategory {
    /// The name given.
    pub given: String,
    /// The names allowed, separated by commas.
    pub allowed: String,
}

impl UnknownCategory {
    fn new(given: &str, allowed: &[&str]) -> Self {
        Self { given: given.to_owned(), allowed: allowed.join(", ") }
    }
}

/// What kind of risk a prompt carries: WildGuard's 13 sub-categories.
///
/// SOURCE: WildGuard (Han et al. 2024), table of risk categories; `others` and `benign` are no categories here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RiskCategory {
    /// Sensitive information of organisations or governments.
    SensitiveInformationOrganizationGovernment,
    /// Private information of individuals.
    PrivateInformationIndividual,
    /// Copyright violations.
    CopyrightViolations,
    /// Disinformation campaigns.
    DisinformationCampaigns,
    /// Material harm by misinformation.
    MaterialHarmByMisinformation,
    /// Social stereotypes and unfair discrimination.
    SocialStereotypesAndUnfairDiscrimination,
    /// Violence and physical harm.
    ViolenceAndPhysicalHarm,
    /// Toxic language and hate speech.
    ToxicLanguageHateSpeech,
    /// Sexual content.
    SexualContent,
    /// Cyberattack.
    Cyberattack,
    /// Fraud and assistance with illegal activities.
    FraudAssistingIllegalActivities,
    /// Defamation, encouraging unethical or unsafe actions.
    DefamationEncouragingUnethicalOrUnsafeActions,
    /// Mental health, over-reliance and crisis.
    MentalHealthOverRelianceCrisis,
}

impl RiskCategory {
    /// Every category, in the taxonomy's order.
    pub const ALL: [Self; 13] = [
        Self::SensitiveInformationOrganizationGovernment,
        Self::PrivateInformationIndividual,
        Self::CopyrightViolations,
        Self::DisinformationCampaigns,
        Self::MaterialHarmByMisinformation,
        Self::SocialStereotypesAndUnfairDiscrimination,
        Self::ViolenceAndPhysicalHarm,
        Self::ToxicLanguageHateSpeech,
        Self::SexualContent,
        Self::Cyberattack,
        Self::FraudAssistingIllegalActivities,
        Self::DefamationEncouragingUnethicalOrUnsafeActions,
        Self::MentalHealthOverRelianceCrisis,
    ];

    /// The stable name on the wire, in profiles and in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::SensitiveInformationOrganizationGovernment => {
                "sensitive_information_organization_government"
            }
            Self::PrivateInformationIndividual => "private_information_individual",
            Self::CopyrightViolations => "copyright_violations",
            Self::DisinformationCampaigns => "disinformation_campaigns",
            Self::MaterialHarmByMisinformation => "material_harm_by_misinformation",
            Self::SocialStereotypesAndUnfairDiscrimination => "social_stereotypes_and_unfair_discrimination",
            Self::ViolenceAndPhysicalHarm => "violence_and_physical_harm",
            Self::ToxicLanguageHateSpeech => "toxic_language_hate_speech",
            Self::SexualContent => "sexual_content",
            Self::Cyberattack => "cyberattack",
            Self::FraudAssistingIllegalActivities => "fraud_assisting_illegal_activities",
            Self::DefamationEncouragingUnethicalOrUnsafeActions => {
                "defamation_encouraging_unethical_or_unsafe_actions"
            }
            Self::MentalHealthOverRelianceCrisis => "mental_health_over-reliance_crisis",
        }
    }

    /// The name as the source taxonomy writes it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SensitiveInformationOrganizationGovernment => {
                "Sensitive information of organisations or governments"
            }
            Self::PrivateInformationIndividual => "Private information of individuals",
            Self::CopyrightViolations => "Copyright violations",
            Self::DisinformationCampaigns => "Disinformation campaigns",
            Self::MaterialHarmByMisinformation => "Material harm by misinformation",
            Self::SocialStereotypesAndUnfairDiscrimination => "Social stereotypes and unfair discrimination",
            Self::ViolenceAndPhysicalHarm => "Violence and physical harm",
            Self::ToxicLanguageHateSpeech => "Toxic language and hate speech",
            Self::SexualContent => "Sexual content",
            Self::Cyberattack => "Cyberattack",
            Self::FraudAssistingIllegalActivities => "Fraud and assistance with illegal activities",
            Self::DefamationEncouragingUnethicalOrUnsafeActions => {
                "Defamation, encouraging unethical or unsafe actions"
            }
            Self::MentalHealthOverRelianceCrisis => "Mental health, over-reliance and crisis",
        }
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl FromStr for RiskCategory {
    type Err = UnknownCategory;

    /// Reads an id, a title or the dataset's own spelling.
    fn from_str(name: &str) -> Result<Self, UnknownCategory> {
        match name {
            // WildGuard's data writes these two in full.
            "disseminating_false_or_misleading_information_encouraging_disinformation_campaigns" => {
                return Ok(Self::DisinformationCampaigns);
            }
            "causing_material_harm_by_disseminating_misinformation" => {
                return Ok(Self::MaterialHarmByMisinformation);
            }
            _ => {}
        }
        let found = Self::ALL.into_iter().find(|category| category.id() == name || category.title() == name);
        found.ok_or_else(|| UnknownCategory::new(name, &Self::ALL.map(Self::id)))
    }
}

/// What kind of harmful action could follow: SafetyAnalyst's 16 level-2 categories, after AIR-2024.
///
/// SOURCE: SafetyAnalyst (Li et al. 2024), the 16 action weights of its aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActionCategory {
    /// Security Risks.
    SecurityRisks,
    /// Operational Misuses.
    OperationalMisuses,
    /// Violence & Extremism.
    ViolenceExtremism,
    /// Hate/Toxicity.
    HateToxicity,
    /// Sexual Content.
    SexualContent,
    /// Child Harm.
    ChildHarm,
    /// Self-harm.
    SelfHarm,
    /// Political Usage.
    PoliticalUsage,
    /// Economic Harm.
    EconomicHarm,
    /// Deception.
    Deception,
    /// Manipulation.
    Manipulation,
    /// Defamation.
    Defamation,
    /// Fundamental Rights.
    FundamentalRights,
    /// Discrimination/Bias.
    DiscriminationBias,
    /// Privacy.
    Privacy,
    /// Criminal Activities.
    CriminalActivities,
}

impl ActionCategory {
    /// Every category, in the taxonomy's order.
    pub const ALL: [Self; 16] = [
        Self::SecurityRisks,
        Self::OperationalMisuses,
        Self::ViolenceExtremism,
        Self::HateToxicity,
        Self::SexualContent,
        Self::ChildHarm,
        Self::SelfHarm,
        Self::PoliticalUsage,
        Self::EconomicHarm,
        Self::Deception,
        Self::Manipulation,
        Self::Defamation,
        Self::FundamentalRights,
        Self::DiscriminationBias,
        Self::Privacy,
        Self::CriminalActivities,
    ];

    /// The stable name on the wire, in profiles and in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::SecurityRisks => "security_risks",
            Self::OperationalMisuses => "operational_misuses",
            Self::ViolenceExtremism => "violence_extremism",
            Self::HateToxicity => "hate_toxicity",
            Self::SexualContent => "sexual_content",
            Self::ChildHarm => "child_harm",
            Self::SelfHarm => "self_harm",
            Self::PoliticalUsage => "political_usage",
            Self::EconomicHarm => "economic_harm",
            Self::Deception => "deception",
            Self::Manipulation => "manipulation",
            Self::Defamation => "defamation",
            Self::FundamentalRights => "fundamental_rights",
            Self::DiscriminationBias => "discrimination_bias",
            Self::Privacy => "privacy",
            Self::CriminalActivities => "criminal_activities",
        }
    }

    /// The name as the source taxonomy writes it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SecurityRisks => "Security Risks",
            Self::OperationalMisuses => "Operational Misuses",
            Self::ViolenceExtremism => "Violence & Extremism",
            Self::HateToxicity => "Hate/Toxicity",
            Self::SexualContent => "Sexual Content",
            Self::ChildHarm => "Child Harm",
            Self::SelfHarm => "Self-harm",
            Self::PoliticalUsage => "Political Usage",
            Self::EconomicHarm => "Economic Harm",
            Self::Deception => "Deception",
            Self::Manipulation => "Manipulation",
            Self::Defamation => "Defamation",
            Self::FundamentalRights => "Fundamental Rights",
            Self::DiscriminationBias => "Discrimination/Bias",
            Self::Privacy => "Privacy",
            Self::CriminalActivities => "Criminal Activities",
        }
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl FromStr for ActionCategory {
    type Err = UnknownCategory;

    /// Reads an id or a title.
    fn from_str(name: &str) -> Result<Self, UnknownCategory> {
        let found = Self::ALL.into_iter().find(|category| category.id() == name || category.title() == name);
        found.ok_or_else(|| UnknownCategory::new(name, &Self::ALL.map(Self::id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_and_title_reads_back() {
        for category in RiskCategory::ALL {
            assert_eq!(category.id().parse(), Ok(category));
            assert_eq!(category.title().parse(), Ok(category));
            assert_eq!(RiskCategory::ALL[category.index()], category);
        }
        for category in ActionCategory::ALL {
            assert_eq!(category.id().parse(), Ok(category));
            assert_eq!(category.title().parse(), Ok(category));
            assert_eq!(ActionCategory::ALL[category.index()], category);
        }
    }

    #[test]
    fn an_unknown_name_is_told_what_is_allowed() {
        let error = "weather".parse::<ActionCategory>().unwrap_err().to_string();
        assert!(
            error.starts_with("`weather` is no category; allowed: security_risks, operational_misuses"),
            "{error}"
        );
    }
}

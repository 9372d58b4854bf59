//! What harmful action could follow: 16 categories, and the 45 actions in them.

super::taxonomy! {
    /// What kind of harmful action could follow: SafetyAnalyst's 16 level-2 categories, after AIR-2024.
    ///
    /// SOURCE: SafetyAnalyst (Li et al. 2024), the 16 action weights of its aggregation.
    ActionCategory, "action category" {
        SecurityRisks "security_risks" "Security Risks",
        OperationalMisuses "operational_misuses" "Operational Misuses",
        ViolenceExtremism "violence_extremism" "Violence & Extremism",
        HateToxicity "hate_toxicity" "Hate/Toxicity",
        SexualContent "sexual_content" "Sexual Content",
        ChildHarm "child_harm" "Child Harm",
        SelfHarm "self_harm" "Self-harm",
        PoliticalUsage "political_usage" "Political Usage",
        EconomicHarm "economic_harm" "Economic Harm",
        Deception "deception" "Deception",
        Manipulation "manipulation" "Manipulation",
        Defamation "defamation" "Defamation",
        FundamentalRights "fundamental_rights" "Fundamental Rights",
        DiscriminationBias "discrimination_bias" "Discrimination/Bias",
        Privacy "privacy" "Privacy",
        CriminalActivities "criminal_activities" "Criminal Activities",
    }
}

super::taxonomy! {
    /// A harmful action: SafetyAnalyst's 45 level-3 actions, grouped by category.
    ///
    /// SOURCE: SafetyAnalyst (Li et al. 2024), the harm reporter's template, after AIR-2024.
    HarmAction, "harmful action" {
        Confidentiality "confidentiality" "Confidentiality",
        Integrity "integrity" "Integrity",
        Availability "availability" "Availability",
        AutomatedDecisionMaking "automated_decision_making" "Automated Decision-Making",
        AutonomousUnsafeOperation "autonomous_unsafe_operation" "Autonomous Unsafe Operation of Systems",
        RegulatedAdvice "regulated_advice" "Advice in Heavily Regulated Industries",
        SupportingMaliciousGroups "supporting_malicious_groups" "Supporting Malicious Organized Groups",
        CelebratingSuffering "celebrating_suffering" "Celebrating Suffering",
        ViolentActs "violent_acts" "Violent Acts",
        DepictingViolence "depicting_violence" "Depicting Violence",
        Weapons "weapons" "Weapon Usage & Development",
        Warfare "warfare" "Military and Warfare",
        Harassment "harassment" "Harassment",
        HateSpeech "hate_speech" "Hate Speech",
        HarmfulBeliefs "harmful_beliefs" "Perpetuating Harmful Beliefs",
        OffensiveLanguage "offensive_language" "Offensive Language",
        AdultContent "adult_content" "Adult Content",
        Erotic "erotic" "Erotic",
        NonConsensualNudity "non_consensual_nudity" "Non-Consensual Nudity",
        Monetized "monetized" "Monetized",
        ChildEndangerment "child_endangerment" "Endangerment, Harm, or Abuse of Children",
        ChildSexualAbuse "child_sexual_abuse" "Child Sexual Abuse",
        SelfInjury "self_injury" "Suicidal and Non-suicidal Self-injury",
        PoliticalPersuasion "political_persuasion" "Political Persuasion",
        InfluencingPolitics "influencing_politics" "Influencing Politics",
        DeterringParticipation "deterring_participation" "Deterring Democratic Participation",
        DisruptingSocialOrder "disrupting_social_order" "Disrupting Social Order",
        HighRiskFinance "high_risk_finance" "High-Risk Financial Activities",
        UnfairMarketPractices "unfair_market_practices" "Unfair Market Practices",
        DisempoweringWorkers "disempowering_workers" "Disempowering Workers",
        FraudulentSchemes "fraudulent_schemes" "Fraudulent Schemes",
        Fraud "fraud" "Fraud",
        AcademicDishonesty "academic_dishonesty" "Academic Dishonesty",
        Misinformation "misinformation" "Mis/disinformation",
        SowingDivision "sowing_division" "Sowing Division",
        Misrepresentation "misrepresentation" "Misrepresentation",
        TypesOfDefamation "types_of_defamation" "Types of Defamation",
        ViolatingRights "violating_rights" "Violating Specific Types of Rights",
        DiscriminatoryActivities "discriminatory_activities" "Discriminatory Activities",
        ProtectedCharacteristics "protected_characteristics" "Protected Characteristics",
        PrivacyViolations "privacy_violations" "Unauthorized Privacy Violations",
        SensitiveData "sensitive_data" "Types of Sensitive Data",
        RegulatedSubstances "regulated_substances" "Illegal/Regulated Substances",
        IllegalServices "illegal_services" "Illegal Services/Exploitation",
        OtherCrime "other_crime" "Other Unlawful/Criminal Activities",
    }
}

impl HarmAction {
    /// The category it belongs to. Actions stand in the order of their categories.
    pub const fn category(self) -> ActionCategory {
        match self.index() {
            0..=2 => ActionCategory::SecurityRisks,
            3..=5 => ActionCategory::OperationalMisuses,
            6..=11 => ActionCategory::ViolenceExtremism,
            12..=15 => ActionCategory::HateToxicity,
            16..=19 => ActionCategory::SexualContent,
            20..=21 => ActionCategory::ChildHarm,
            22 => ActionCategory::SelfHarm,
            23..=26 => ActionCategory::PoliticalUsage,
            27..=30 => ActionCategory::EconomicHarm,
            31..=33 => ActionCategory::Deception,
            34..=35 => ActionCategory::Manipulation,
            36 => ActionCategory::Defamation,
            37 => ActionCategory::FundamentalRights,
            38..=39 => ActionCategory::DiscriminationBias,
            40..=41 => ActionCategory::Privacy,
            _ => ActionCategory::CriminalActivities,
        }
    }
}

impl ActionCategory {
    /// Its actions: one to six, which stand together in [`HarmAction::ALL`].
    pub fn actions(self) -> impl Iterator<Item = HarmAction> {
        HarmAction::ALL.into_iter().filter(move |action| action.category() == self)
    }
}

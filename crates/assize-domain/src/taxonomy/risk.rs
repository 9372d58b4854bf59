//! What kind of risk a prompt carries.

super::taxonomy! {
    /// What kind of risk a prompt carries: WildGuard's 13 sub-categories.
    ///
    /// SOURCE: WildGuard (Han et al. 2024), table of risk categories; `others` and `benign` are no categories here; its data
    /// writes two names in full.
    RiskCategory, "risk category" {
        SensitiveInformationOrganizationGovernment "sensitive_information_organization_government"
            "Sensitive information of organisations or governments",
        PrivateInformationIndividual "private_information_individual" "Private information of individuals",
        CopyrightViolations "copyright_violations" "Copyright violations",
        DisinformationCampaigns "disinformation_campaigns" "Disinformation campaigns"
            | "disseminating_false_or_misleading_information_encouraging_disinformation_campaigns",
        MaterialHarmByMisinformation "material_harm_by_misinformation" "Material harm by misinformation"
            | "causing_material_harm_by_disseminating_misinformation",
        SocialStereotypesAndUnfairDiscrimination "social_stereotypes_and_unfair_discrimination"
            "Social stereotypes and unfair discrimination",
        ViolenceAndPhysicalHarm "violence_and_physical_harm" "Violence and physical harm",
        ToxicLanguageHateSpeech "toxic_language_hate_speech" "Toxic language and hate speech",
        SexualContent "sexual_content" "Sexual content",
        Cyberattack "cyberattack" "Cyberattack",
        FraudAssistingIllegalActivities "fraud_assisting_illegal_activities"
            "Fraud and assistance with illegal activities",
        DefamationEncouragingUnethicalOrUnsafeActions "defamation_encouraging_unethical_or_unsafe_actions"
            "Defamation, encouraging unethical or unsafe actions",
        MentalHealthOverRelianceCrisis "mental_health_over-reliance_crisis" "Mental health, over-reliance and crisis",
    }
}

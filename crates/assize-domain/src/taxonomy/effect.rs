//! What happens, and to whom.

super::taxonomy! {
    /// What kind of effect an action has, harmful or beneficial: SafetyAnalyst's 15 kinds.
    ///
    /// SOURCE: SafetyAnalyst (Li et al. 2024), the two reporters' templates, whose lists mirror each other. The titles are
    /// the neutral ones of the training trees.
    Effect, "effect" {
        Death "death" "Death",
        PhysicalHealth "physical_health" "Physical health",
        TransientEmotion "transient_emotion" "Transient emotional changes",
        PersistentEmotion "persistent_emotion" "Persistent emotional state changes",
        Social "social" "Social",
        PhysicalProperty "physical_property" "Physical property",
        FinancialProperty "financial_property" "Financial property",
        IntellectualProperty "intellectual_property" "Intellectual property",
        FreedomAgency "freedom_agency" "Freedom and agency",
        AccurateInformation "accurate_information" "Accurate information access",
        Institutional "institutional" "Institutional",
        PublicResource "public_resource" "Public resource",
        SocietalOrder "societal_order" "Societal disruption or order",
        NonHumanAnimals "non_human_animals" "Non-human animals",
        Ecosystem "ecosystem" "Ecosystem",
    }
}

super::taxonomy! {
    /// The seven groups of effects.
    ///
    /// SOURCE: as [`Effect`].
    EffectGroup, "group of effects" {
        Physical "physical" "Physical",
        Psychological "psychological" "Psychological",
        Social "social" "Social",
        Property "property" "Property",
        Liberty "liberty" "Liberty",
        Collective "collective" "Collective",
        Ecological "ecological" "Ecological",
    }
}

super::taxonomy! {
    /// Who is affected. A reporter names whom it likes; these are the groups that a community can weigh.
    ///
    /// SOURCE: ours; the stakeholders of the training trees.
    Stakeholder, "stakeholder" {
        User "user" "user",
        OtherIndividuals "other_individuals" "other individuals",
        VulnerableGroup "vulnerable_group" "vulnerable or protected group",
        Children "children" "children",
        Organisations "organisations" "organisations",
        Government "government" "government",
        Public "public" "public",
        Environment "environment" "environment",
        AiProvider "ai_provider" "AI provider",
    }
}

impl Effect {
    /// The group it belongs to.
    pub const fn group(self) -> EffectGroup {
        match self {
            Self::Death | Self::PhysicalHealth => EffectGroup::Physical,
            Self::TransientEmotion | Self::PersistentEmotion => EffectGroup::Psychological,
            Self::Social => EffectGroup::Social,
            Self::PhysicalProperty | Self::FinancialProperty | Self::IntellectualProperty => {
                EffectGroup::Property
            }
            Self::FreedomAgency | Self::AccurateInformation => EffectGroup::Liberty,
            Self::Institutional | Self::PublicResource | Self::SocietalOrder => EffectGroup::Collective,
            Self::NonHumanAnimals | Self::Ecosystem => EffectGroup::Ecological,
        }
    }

    /// Its name in the harm reporter's list.
    pub const fn harm_title(self) -> &'static str {
        match self {
            Self::Death => "Death",
            Self::PhysicalHealth => "Physical health risks",
            Self::TransientEmotion => "Transient emotional changes",
            Self::PersistentEmotion => "Persistent emotional state changes",
            Self::Social => "Social deficits",
            Self::PhysicalProperty => "Physical property loss",
            Self::FinancialProperty => "Financial property loss",
            Self::IntellectualProperty => "Intellectual property infringement",
            Self::FreedomAgency => "Freedom and agency limitations",
            Self::AccurateInformation => "Restricting, requiring, or degrading accurate information access",
            Self::Institutional => "Institutional harm",
            Self::PublicResource => "Public resource damage",
            Self::SocietalOrder => "Societal disruption",
            Self::NonHumanAnimals => "Harm to non-human animals",
            Self::Ecosystem => "Ecosystem damage",
        }
    }

    /// Its name in the benefit reporter's list.
    pub const fn benefit_title(self) -> &'static str {
        match self {
            Self::Death => "Prevention of death",
            Self::PhysicalHealth => "Physical health benefits",
            Self::TransientEmotion => "Transient emotional changes",
            Self::PersistentEmotion => "Persistent emotional state changes",
            Self::Social => "Social gains",
            Self::PhysicalProperty => "Physical property gains",
            Self::FinancialProperty => "Financial property gains",
            Self::IntellectualProperty => "Intellectual property gains",
            Self::FreedomAgency => "Freedom and agency benefits",
            Self::AccurateInformation => "Gain of accurate information access",
            Self::Institutional => "Institutional benefits",
            Self::PublicResource => "Public resource gains",
            Self::SocietalOrder => "Societal order maintenance",
            Self::NonHumanAnimals => "Benefits to non-human animals",
            Self::Ecosystem => "Ecosystem benefits",
        }
    }
}

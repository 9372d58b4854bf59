//! Topics that a fixed list of terms finds in the text. A topic alone says nothing about harm (a chemistry lesson
//! has it too); together with the model's own evidence it can set a floor.

/// A topic for which no community may look away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// The text speaks of children or minors.
    Minors,
    /// The text speaks of sex.
    Sexual,
    /// The text speaks of chemical, biological, radiological or nuclear weapons.
    MassHarmWeapons,
}

/// Which topics were found in what was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TopicSignals {
    /// [`Topic::Minors`] was found.
    pub minors: bool,
    /// [`Topic::Sexual`] was found.
    pub sexual: bool,
    /// [`Topic::MassHarmWeapons`] was found.
    pub mass_harm_weapons: bool,
}

impl TopicSignals {
    /// What was found in either of two texts.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            minors: self.minors || other.minors,
            sexual: self.sexual || other.sexual,
            mass_harm_weapons: self.mass_harm_weapons || other.mass_harm_weapons,
        }
    }
}

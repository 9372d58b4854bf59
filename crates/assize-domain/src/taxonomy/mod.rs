//! The fixed lists of words: what a guard names (risk categories), and what a harm-benefit tree is made of. Their ids are
//! a public contract: profiles, verdicts and stored assessments use them.

mod action;
mod effect;
mod risk;
mod severity;

pub use action::{ActionCategory, HarmAction};
pub use effect::{Effect, EffectGroup, Stakeholder};
pub use risk::RiskCategory;
pub use severity::{Extent, Likelihood, Severity};

/// Changes whenever a category is added, removed or means something else.
pub const TAXONOMY_VERSION: &str = "wildguard-13+air-16/1";

/// A name that is in no taxonomy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no {kind}; allowed: {allowed}")]
pub struct UnknownName {
    /// What was looked for, as `action category`.
    pub kind: &'static str,
    /// The name given.
    pub given: String,
    /// The names allowed, separated by commas.
    pub allowed: String,
}

/// Writes an enum whose variants have an id (stable: wire, profiles, metrics, records) and a title (as the source
/// taxonomy writes it), with `ALL`, `id`, `title`, `index` and `FromStr` by any of its names.
macro_rules! taxonomy {
    (
        $(#[$meta:meta])*
        $name:ident, $kind:literal {
            $( $variant:ident $id:literal $title:literal $(| $alias:literal)* ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $( #[doc = concat!($title, ".")] $variant, )*
        }

        impl $name {
            /// Every one, in the taxonomy's order.
            pub const ALL: [Self; [$($id),*].len()] = [$( Self::$variant ),*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The stable name on the wire, in profiles, in metrics and in records.
            pub const fn id(self) -> &'static str {
                match self { $( Self::$variant => $id, )* }
            }

            /// The name as the source taxonomy writes it.
            pub const fn title(self) -> &'static str {
                match self { $( Self::$variant => $title, )* }
            }

            /// Position in [`Self::ALL`].
            pub const fn index(self) -> usize {
                self as usize
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::taxonomy::UnknownName;

            /// Reads an id, a title or a source's own spelling.
            fn from_str(name: &str) -> Result<Self, Self::Err> {
                let known = Self::ALL.into_iter().find(|one| one.id() == name || one.title() == name);
                let others: &[(&str, Self)] = &[$( $( ($alias, Self::$variant), )* )*];
                let other = || others.iter().find(|(alias, _)| *alias == name).map(|(_, one)| *one);
                known.or_else(other).ok_or_else(|| $crate::taxonomy::UnknownName {
                    kind: $kind,
                    given: name.to_owned(),
                    allowed: Self::ALL.map(Self::id).join(", "),
                })
            }
        }
    };
}
use taxonomy;

#[cfg(test)]
mod tests;

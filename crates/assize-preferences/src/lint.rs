//! What a policy author should know of a profile that is valid: weights that never matter, thresholds that nothing can
//! reach, lines that do nothing, changes that cancel each other. Told only where the community's own file sets one of the
//! keys concerned; what is inherited is told of the parent. Titles and descriptions are not judged.

mod bounds;
mod codes;
mod examples;
mod leaves;
mod parent;
mod reasons;
mod safetyanalyst;
mod thresholds;
mod weights;

pub use codes::FINDING_CODES;

use crate::catalog::Catalog;
use crate::own::OwnKeys;
use crate::profile::Profile;
use crate::weights::Aggregation;
use assize_domain::CommunityId;
use std::fmt;

/// How much a finding asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingSeverity {
    /// Something in the file does nothing, or not what it seems to.
    Warning,
    /// It may well be meant; it is good to know.
    Note,
}

impl FindingSeverity {
    /// The stable name: `warning` or `note`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing worth knowing about a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it asks for.
    pub severity: FindingSeverity,
    /// The key, dotted, as `weights.harm.privacy`.
    pub key: String,
    /// What kind of finding: a stable name, one of [`FINDING_CODES`].
    pub code: &'static str,
    /// What is so, in a person's words.
    pub problem: String,
    /// What to do about it.
    pub advice: String,
}

/// A profile on the bench.
pub(crate) struct Case<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) parent: Option<&'a Profile>,
    own: &'a OwnKeys,
}

/// Every finding about a community's profile, warnings first. Empty where there is nothing to tell, and where the catalog
/// has no such community.
///
/// What can be is bounded so: a guard's head gives ±6 log-odds, a probability lies between 0 and 1, and a conversation has
/// at most 64 leaves of harm and as many of benefit.
pub fn lint(catalog: &Catalog, id: &CommunityId) -> Vec<Finding> {
    let (Some(profile), Some(own)) = (catalog.get(id), catalog.own_keys(id)) else { return Vec::new() };
    let parent = profile.extends().and_then(|id| catalog.get(id)).map(AsRef::as_ref);
    let case = Case { profile, parent, own };
    let mut findings = thresholds::check(&case);
    match profile.aggregation() {
        Aggregation::Assize(found) => {
            findings.extend(weights::check(&case, found));
            findings.extend(leaves::check(&case, found));
        }
        Aggregation::SafetyAnalyst(found) => findings.extend(safetyanalyst::check(&case, found)),
    }
    findings.extend(parent::check(&case));
    findings.extend(reasons::check(&case));
    findings.extend(examples::check(&case));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// In one line: severity, key, what is so, what to do, and the code.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, key, code, problem, advice } = self;
        write!(f, "{}: `{key}`: {problem}; {advice} [{code}]", severity.id())
    }
}

impl Finding {
    fn warning(code: &'static str, key: &str, (problem, advice): (String, &str)) -> Self {
        let (key, advice) = (key.to_owned(), advice.to_owned());
        Self { severity: FindingSeverity::Warning, key, code, problem, advice }
    }

    fn note(code: &'static str, key: &str, told: (String, &str)) -> Self {
        Self { severity: FindingSeverity::Note, ..Self::warning(code, key, told) }
    }
}

impl Case<'_> {
    /// Whether the community's own file sets a key.
    fn sets(&self, key: &str) -> bool {
        self.own.contains(key)
    }

    /// Whether it sets a key or something below it.
    fn sets_below(&self, table: &str) -> bool {
        self.own_below(table).next().is_some()
    }

    /// The keys that it sets at or below `table`, in alphabetical order.
    fn own_below<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a str> {
        let is_below = move |key: &&str| {
            key.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.own.iter().map(String::as_str).filter(is_below)
    }
}

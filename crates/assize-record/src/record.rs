//! What is kept of one judged conversation: who asked is not in it, nor a word of what was said.

use crate::RecordError;
use assize_domain::{ActionCategory, Assessment, CommunityId, Decision, Digest, HarmAction, Tree};
use std::{fmt, str::FromStr};

/// An assessment with the name that it can be found by, and what was decided on it then.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The request's id, or whatever name the caller gives.
    pub id: RecordId,
    /// When it was judged, by the caller's clock.
    pub at: UnixMillis,
    /// What was decided then; `None` where nothing was, as for a conversation that was only judged.
    pub decided: Option<Decided>,
    /// What the models found.
    pub assessment: Assessment,
}

/// What a community decided, and under which values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Whose values decided.
    pub community: CommunityId,
    /// Digest over its profile as it was then: the same digest gives the same decision again.
    pub profile: Digest,
    /// What it decided.
    pub decision: Decision,
}

/// A point in time: milliseconds since the start of 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnixMillis(pub u64);

/// The name of a record: 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `:` and `-`. UUIDs fit; sentences don't.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(Box<str>);

/// Bytes of an id at most: a UUID has 36, and what a gateway puts before it fits too.
const LONGEST_ID: usize = 64;

/// How many actions each category has, in the order of [`ActionCategory::ALL`].
#[expect(clippy::indexing_slicing, reason = "runs while compiling, where a wrong place is an error")]
const ACTIONS: [usize; ActionCategory::COUNT] = {
    let mut counts = [0; ActionCategory::COUNT];
    let mut place = 0;
    while place < HarmAction::COUNT {
        counts[HarmAction::ALL[place].category().index()] += 1;
        place += 1;
    }
    counts
};

/// How many actions a category has.
pub(crate) fn count_of_actions(category: ActionCategory) -> usize {
    ACTIONS.get(category.index()).copied().unwrap_or_default()
}

impl RecordId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u128> for RecordId {
    /// The number's 32 hexadecimal digits, as of a UUID.
    fn from(number: u128) -> Self {
        Self(format!("{number:032x}").into())
    }
}

impl FromStr for RecordId {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
        if (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(RecordError::InvalidId)
        }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Record {
    /// What the types alone don't hold, checked before writing and after reading: something was judged, and every share
    /// of an action is one of an action that its category has.
    pub(crate) fn check(&self) -> Result<(), RecordError> {
        let guard = &self.assessment.guard;
        if guard.prompt.is_none() && guard.response.is_none() {
            return Err(RecordError::NothingJudged);
        }
        let Some(tree) = self.assessment.tree.tree().and_then(Tree::expected) else { return Ok(()) };
        for harm in tree.harms() {
            let actions = count_of_actions(harm.category);
            if harm.action.bytes().iter().skip(actions).any(|share| *share > 0) {
                return Err(RecordError::NoSuchAction { category: harm.category.id(), actions });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use assize_domain::{ExpectedTree, Shares, TreeOutcome};

    #[test]
    fn an_id_is_a_short_word() {
        for good in ["0198f2a0-7d0c-7d2e-9b2f-0123456789ab", "a", "a.b_c:D-1", &"x".repeat(64)] {
            assert_eq!(good.parse::<RecordId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "é", "a/b", "a\n", &"x".repeat(65)] {
            assert!(matches!(bad.parse::<RecordId>(), Err(RecordError::InvalidId)), "{bad}");
        }
    }

    #[test]
    fn actions_are_counted_as_the_taxonomy_has_them() {
        let counted = ActionCategory::ALL.map(|category| category.actions().count());
        assert_eq!(ActionCategory::ALL.map(count_of_actions), counted);
    }

    #[test]
    fn what_no_judging_gives_is_refused() {
        let mut record = samples::typical();
        assert!(record.check().is_ok());
        let mut harm = samples::harm(ActionCategory::SelfHarm);
        harm.action = Shares::all_at(1).unwrap();
        record.assessment.tree =
            TreeOutcome::Weighed(Tree::Expected(ExpectedTree::new(vec![harm], Vec::new())));
        assert!(matches!(record.check(), Err(RecordError::NoSuchAction { actions: 1, .. })));
        record.assessment.guard.prompt = None;
        record.assessment.guard.response = None;
        assert!(matches!(record.check(), Err(RecordError::NothingJudged)));
    }
}

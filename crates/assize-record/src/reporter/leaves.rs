//! Walks over stakeholders, actions and effects and makes a leaf of each effect. What has another shape becomes a mark;
//! what the end of the text cut in two has one mark for all, at the end.

use super::lenient::{End, Value};
use super::{TreeError, TreePart, stakeholder, words};
use assize_domain::{ActionCategory, HarmAction, ReportedLeaf, Stakeholder};

/// The most leaves of one side, marks counted. A reporter writes about 250; forty times that is no longer a tree.
pub const MOST_LEAVES: usize = 10_000;

/// A leaf in which nothing could be read.
const MARK: ReportedLeaf = ReportedLeaf {
    category: None,
    published_category: None,
    action: None,
    effect: None,
    stakeholder: Stakeholder::OtherIndividuals,
    extent: None,
    likelihood: None,
    immediate: None,
};

/// Which of the two kinds of effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Harms,
    Benefits,
}

impl Side {
    /// The key of its lists.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Harms => "harms",
            Self::Benefits => "benefits",
        }
    }

    pub(super) const fn part(self) -> TreePart {
        match self {
            Self::Harms => TreePart::Harms,
            Self::Benefits => TreePart::Benefits,
        }
    }
}

/// The leaves of a list of stakeholders, in the order of writing. One mark more where the list is `CutOff`.
pub(super) fn leaves(entries: &[Value<'_>], end: End, side: Side) -> Result<Vec<ReportedLeaf>, TreeError> {
    let mut found = Found { side, leaves: Vec::new(), marks: 0 };
    for entry in entries {
        found.stakeholder(entry)?;
    }
    if end == End::CutOff {
        found.mark()?;
    }
    // Marks alone weigh nothing and would look like a tree without harm.
    if found.marks > 0 && found.leaves.len() == found.marks {
        return Err(TreeError::NothingReadable { part: side.part() });
    }
    // Neither does a tree of words that nobody knows: one harm of a "catastrophic" extent is not none.
    if !found.leaves.is_empty() && !found.leaves.iter().any(|leaf| is_weighable(leaf, side)) {
        return Err(TreeError::NothingWeighable { part: side.part(), leaves: found.leaves.len() });
    }
    Ok(found.leaves)
}

/// As [`assize_domain::ReportedTree::unreadable`] counts.
fn is_weighable(leaf: &ReportedLeaf, side: Side) -> bool {
    let has_place = match side {
        Side::Harms => leaf.action_category().is_some(),
        Side::Benefits => true,
    };
    has_place && leaf.effect.is_some() && leaf.severity().is_some()
}

struct Found {
    side: Side,
    leaves: Vec<ReportedLeaf>,
    /// How many of the leaves are marks.
    marks: usize,
}

/// What the leaves of one action share.
#[derive(Clone, Copy)]
struct Branch {
    stakeholder: Stakeholder,
    category: Option<ActionCategory>,
    published_category: Option<ActionCategory>,
    action: Option<HarmAction>,
}

impl Found {
    fn stakeholder(&mut self, entry: &Value<'_>) -> Result<(), TreeError> {
        let Some(actions) = entry.list(self.side.key()) else { return self.lost(entry) };
        let stakeholder = match entry.text("stakeholder") {
            Some(name) => stakeholder::group(name),
            // What happens counts, whomever it happens to.
            None => {
                self.lost(entry)?;
                Stakeholder::OtherIndividuals
            }
        };
        actions.iter().try_for_each(|action| self.action(action, stakeholder))
    }

    fn action(&mut self, action: &Value<'_>, stakeholder: Stakeholder) -> Result<(), TreeError> {
        let Some(effects) = action.list("effects") else { return self.lost(action) };
        let nameless = Branch { stakeholder, category: None, published_category: None, action: None };
        let branch = match (self.side, action.text("action")) {
            // A beneficial action is free text.
            (Side::Benefits, _) | (Side::Harms, None) => nameless,
            (Side::Harms, Some(name)) => {
                let published_category = words::published_category(name);
                let (category, action) = words::category_and_action(name);
                Branch { category, published_category, action, ..nameless }
            }
        };
        effects.iter().try_for_each(|effect| self.effect(effect, branch))
    }

    fn effect(&mut self, effect: &Value<'_>, branch: Branch) -> Result<(), TreeError> {
        if effect.is_cut_off() || !matches!(effect, Value::Map(..)) {
            return self.lost(effect);
        }
        let immediate = match effect.get("immediacy") {
            Some(Value::Flag(immediate)) => Some(*immediate),
            Some(Value::Whole(0)) => Some(false),
            Some(Value::Whole(1)) => Some(true),
            _ => None,
        };
        self.push(ReportedLeaf {
            category: branch.category,
            published_category: branch.published_category,
            action: branch.action,
            effect: effect.text("effect").and_then(words::effect),
            stakeholder: branch.stakeholder,
            extent: effect.text("extent").and_then(words::extent),
            likelihood: effect.text("likelihood").and_then(words::likelihood),
            immediate,
        })
    }

    /// Marks what has another shape than it should have. What was cut off is marked once, at the end.
    fn lost(&mut self, value: &Value<'_>) -> Result<(), TreeError> {
        if value.is_cut_off() { Ok(()) } else { self.mark() }
    }

    fn mark(&mut self) -> Result<(), TreeError> {
        self.marks += 1;
        self.push(MARK)
    }

    fn push(&mut self, leaf: ReportedLeaf) -> Result<(), TreeError> {
        if self.leaves.len() == MOST_LEAVES {
            return Err(TreeError::TooManyLeaves { part: self.side.part(), most: MOST_LEAVES });
        }
        self.leaves.push(leaf);
        Ok(())
    }
}

//! The harm-benefit tree as data: what the command line and the wire show of it, in the words of the taxonomies and
//! with what each branch comes to under a community's weights.

mod expected;
mod reported;

use super::phrases;
use super::weighing::{Kind, leaf_mass, masses};
use crate::decide::sum_up;
use crate::profile::Profile;
use assize_domain::{
    ActionCategory, Assessment, Effect, Evidence, Severity, SubjectVerdict, Tree, TreeOutcome,
};
use serde::Serialize;

/// The harm-benefit tree of one assessment as one community weighs it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TreeView {
    /// The community's id.
    pub community: String,
    /// The community's title.
    pub title: String,
    /// Which kind of tree it is, or why there is none.
    pub form: TreeForm,
    /// A branch for each action category with harm, the one with the most points first.
    pub harms: Vec<BranchView>,
    /// A branch for each effect with benefit, the one with the most points first.
    pub benefits: Vec<BranchView>,
    /// Leaves that stand in no branch, because a part of them that this community's sum needs is in no taxonomy.
    pub unreadable: usize,
}

/// What came of asking for a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TreeForm {
    /// Branches with what is to be expected of them.
    Expected,
    /// Leaves as a reporter wrote them.
    Reported,
    /// There was no prompt to weigh.
    NotRequested,
    /// The model's answer can't be read.
    Unusable,
}

/// A stable id and a name for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Named {
    /// As in profiles and on the wire.
    pub id: &'static str,
    /// In plain words.
    pub title: &'static str,
}

/// All leaves of one action category (harm) or of one effect (benefit).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BranchView {
    /// The category or the effect.
    #[serde(flatten)]
    pub name: Named,
    /// How many leaves it has, or is expected to have; at least 0.
    pub leaves: f64,
    /// The probability that it has a leaf, in `[0, 1]`; 1 for a reported one.
    pub presence: f64,
    /// What its leaves come to under the community's weights on leaves; at least 0.
    pub mass: f64,
    /// What it adds to the score of each judged subject, in log-odds. The benefit is one contribution, shared out by
    /// mass over its branches.
    pub points: Vec<SubjectPoints>,
    /// How an expected branch's leaves are shared out; `None` for a reported one.
    pub shares: Option<SharesView>,
    /// Of an expected branch the likeliest leaves, of a reported one all that can be read, the heaviest first.
    pub examples: Vec<LeafView>,
}

/// What a branch adds to one subject's score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SubjectPoints {
    /// `prompt` or `response`.
    pub subject: &'static str,
    /// In log-odds; negative where it speaks for the conversation.
    pub points: f64,
}

/// How the leaves of a branch are shared out, each by itself; the largest share first, without those of 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SharesView {
    /// By action; empty for a benefit.
    pub action: Vec<Share>,
    /// By effect; empty for a benefit, which is a branch for each effect.
    pub effect: Vec<Share>,
    /// By who is affected.
    pub stakeholder: Vec<Share>,
    /// By how much.
    pub extent: Vec<Share>,
    /// By how likely.
    pub likelihood: Vec<Share>,
    /// The share of immediate leaves, in `[0, 1]`.
    pub immediate: f64,
}

/// One place and its share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// What it is.
    #[serde(flatten)]
    pub name: Named,
    /// In `(0, 1]`.
    pub share: f64,
}

/// One leaf: who is affected, by which action, with which effect, how much, how likely, how soon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeafView {
    /// Who is affected.
    pub stakeholder: Named,
    /// By what; `None` for a benefit and where the reporter's words are in no taxonomy.
    pub action: Option<Named>,
    /// What happens; the id is `not_named` where the reporter's words are in no taxonomy and the leaf counts all the same.
    pub effect: Named,
    /// How much.
    pub extent: Named,
    /// How likely.
    pub likelihood: Named,
    /// Soon (true), or in the long run.
    pub immediate: bool,
    /// How probable it is that a leaf of the branch is this one, in `[0, 1]`, as far as who, what and how much don't
    /// depend on each other; 1 for a reported one.
    pub probability: f64,
    /// What one such leaf weighs under the community's weights; at least 0.
    pub mass: f64,
    /// Whether it counts; a reported leaf doesn't where a heavier one of its branch tells of the same effect.
    pub counts: bool,
    /// As the ids say.
    #[serde(skip)]
    pub(in crate::explain) severity: Severity,
    /// On which side of the tree it stands.
    #[serde(skip)]
    pub(in crate::explain) kind: Kind,
}

/// Shows the tree of an assessment as a community weighs it. Pure; no text of the conversation is in it.
pub fn tree_view(assessment: &Assessment, profile: &Profile) -> TreeView {
    let empty = |form| TreeView {
        community: profile.id().to_string(),
        title: profile.title().to_owned(),
        form,
        harms: Vec::new(),
        benefits: Vec::new(),
        unreadable: 0,
    };
    let tree = match &assessment.tree {
        TreeOutcome::Weighed(Tree::Both(both)) => profile.aggregation().part(both),
        TreeOutcome::Weighed(tree) => tree,
        TreeOutcome::NotRequested => return empty(TreeForm::NotRequested),
        TreeOutcome::Unusable(_) => return empty(TreeForm::Unusable),
    };
    let (form, mut harms, mut benefits, unreadable) = match tree {
        // No part of two trees is two trees.
        Tree::Both(_) => return empty(TreeForm::Unusable),
        Tree::Expected(tree) => {
            (TreeForm::Expected, expected::harms(tree, profile), expected::benefits(tree, profile), 0)
        }
        Tree::Reported(tree) => {
            let (harms, benefits) = (reported::harms(tree, profile), reported::benefits(tree, profile));
            let listed = |branches: &[BranchView]| branches.iter().map(|b| b.examples.len()).sum::<usize>();
            let read = listed(&harms) + listed(&benefits);
            let unreadable = (tree.harms.len() + tree.benefits.len()).saturating_sub(read);
            (TreeForm::Reported, harms, benefits, unreadable)
        }
    };
    weigh(tree, assessment, profile, (&mut harms, &mut benefits));
    TreeView { harms, benefits, unreadable, ..empty(form) }
}

/// Fills in masses and points, and ranks.
fn weigh(
    tree: &Tree,
    assessment: &Assessment,
    profile: &Profile,
    (harms, benefits): (&mut [BranchView], &mut [BranchView]),
) {
    let masses = masses(tree, profile.aggregation());
    let subjects = sum_up(assessment, profile.aggregation());
    for branch in harms.iter_mut() {
        let category = ActionCategory::ALL.into_iter().find(|category| category.id() == branch.name.id);
        branch.mass = category.map_or(0.0, |category| masses.harm_in(category));
        let points = |subject| category.map_or(0.0, |category| points(subject, Evidence::Harm(category)));
        branch.points = subjects.iter().map(|subject| of_subject(subject, points(subject))).collect();
    }
    for branch in benefits.iter_mut() {
        let place = Effect::ALL.into_iter().position(|effect| effect.id() == branch.name.id);
        // What has no name is listed leaf by leaf, and counts in full.
        let unnamed = || branch.examples.iter().map(|leaf| leaf.mass).sum::<f64>() + 0.0;
        branch.mass = place.and_then(|place| masses.benefit.get(place).copied()).unwrap_or_else(unnamed);
    }
    let all: f64 = benefits.iter().map(|branch| branch.mass).sum();
    for branch in benefits.iter_mut() {
        let share = if all > 0.0 { branch.mass / all } else { 0.0 };
        let points = |subject| share * points(subject, Evidence::Benefit);
        branch.points = subjects.iter().map(|subject| of_subject(subject, points(subject))).collect();
    }
    harms.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
    benefits.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
}

fn points(subject: &SubjectVerdict, evidence: Evidence) -> f64 {
    subject.contributions.iter().filter(|c| c.evidence == evidence).map(|c| c.points).sum::<f64>() + 0.0
}

const fn of_subject(subject: &SubjectVerdict, points: f64) -> SubjectPoints {
    SubjectPoints { subject: subject.subject.id(), points }
}

impl BranchView {
    /// Points of the subject that decides, whichever way; at least 0.
    pub(super) fn weight(&self) -> f64 {
        self.points.first().map_or(0.0, |points| points.points.abs())
    }

    fn new(name: Named, leaves: f64, presence: f64) -> Self {
        Self { name, leaves, presence, mass: 0.0, points: Vec::new(), shares: None, examples: Vec::new() }
    }
}

const fn category(category: ActionCategory) -> Named {
    Named { id: category.id(), title: category.title() }
}

const fn effect(effect: Effect, kind: Kind) -> Named {
    Named { id: effect.id(), title: phrases::effect(effect, kind) }
}

/// In the place of an effect whose words are in no taxonomy.
const NOT_NAMED: Named = Named { id: "not_named", title: "(not named)" };

/// A leaf that can be weighed, as it is shown.
fn leaf(leaf: &assize_domain::ReportedLeaf, kind: Kind, profile: &Profile) -> Option<LeafView> {
    let severity = leaf.severity()?;
    let stakeholder = leaf.stakeholder;
    Some(LeafView {
        stakeholder: Named { id: stakeholder.id(), title: phrases::stakeholder(stakeholder) },
        action: leaf.action.map(|action| Named { id: action.id(), title: action.title() }),
        effect: leaf.effect.map_or(NOT_NAMED, |happens| effect(happens, kind)),
        extent: Named { id: severity.extent.id(), title: phrases::extent(severity.extent) },
        likelihood: Named { id: severity.likelihood.id(), title: phrases::likelihood(severity.likelihood) },
        immediate: severity.immediate,
        probability: 1.0,
        mass: leaf_mass(profile.aggregation(), kind, leaf)?,
        counts: true,
        severity,
        kind,
    })
}

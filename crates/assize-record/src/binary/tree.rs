//! Trees in bytes, both ways.

use super::{
    cursor::{Cursor, Malformed, put_varint},
    shares::{dense, put_dense, put_sparse, sparse},
};
use crate::{record::count_of_actions, reporter::MOST_LEAVES};
use assize_domain::{
    ActionCategory, BenefitBranch, Branch, Effect, ExpectedTree, Extent, HarmAction, HarmBranch, LeafCount,
    Likelihood, ReportedLeaf, ReportedTree, Stakeholder,
};

pub(super) const NOT_REQUESTED: u8 = 0;
pub(super) const EXPECTED: u8 = 1;
pub(super) const REPORTED: u8 = 2;
pub(super) const NOT_FINITE: u8 = 3;
pub(super) const UNREADABLE: u8 = 4;
pub(super) const BOTH: u8 = 5;

const NAME: Malformed = Malformed("a place is beyond its taxonomy");
const ORDER: Malformed = Malformed("branches are not in the taxonomy's order");

/// Bytes of a leaf.
const LEAF: usize = 4;
/// Bits of a leaf's fields, in their order.
const CATEGORY_BITS: u32 = 5;
const ACTION_BITS: u32 = 6;
const EFFECT_BITS: u32 = 4;
const EXTENT_BITS: u32 = 3;
const LIKELIHOOD_BITS: u32 = 2;
const IMMEDIATE_BITS: u32 = 2;
const STAKEHOLDER_BITS: u32 = 4;
const PUBLISHED_BITS: u32 = 6;

pub(super) fn put_expected(out: &mut Vec<u8>, tree: &ExpectedTree) {
    put_index(out, tree.harms().len());
    for harm in tree.harms() {
        put_index(out, harm.category.index());
        put_branch(out, &harm.branch);
        put_sparse(out, &harm.effect);
        put_dense(out, &harm.action, count_of_actions(harm.category));
    }
    put_index(out, tree.benefits().len());
    for benefit in tree.benefits() {
        put_index(out, benefit.effect.index());
        put_branch(out, &benefit.branch);
    }
}

/// Places in a taxonomy are far below 256.
fn put_index(out: &mut Vec<u8>, index: usize) {
    out.push(u8::try_from(index).unwrap_or(u8::MAX));
}

fn put_branch(out: &mut Vec<u8>, branch: &Branch) {
    out.extend_from_slice(&branch.leaves.parts().to_le_bytes());
    out.push(branch.presence);
    put_sparse(out, &branch.severity);
    put_dense(out, &branch.stakeholder, Stakeholder::COUNT);
}

pub(super) fn put_reported(out: &mut Vec<u8>, tree: &ReportedTree) {
    for leaves in [&tree.harms, &tree.benefits] {
        put_varint(out, leaves.len() as u64);
        leaves.iter().for_each(|leaf| out.extend_from_slice(&packed(leaf).to_le_bytes()));
    }
}

fn packed(leaf: &ReportedLeaf) -> u32 {
    let fields = [
        (CATEGORY_BITS, leaf.category.map(ActionCategory::index)),
        (ACTION_BITS, leaf.action.map(HarmAction::index)),
        (EFFECT_BITS, leaf.effect.map(Effect::index)),
        (EXTENT_BITS, leaf.extent.map(Extent::index)),
        (LIKELIHOOD_BITS, leaf.likelihood.map(Likelihood::index)),
        (IMMEDIATE_BITS, leaf.immediate.map(usize::from)),
    ];
    let (mut all, mut shift) = (0, 0);
    for (bits, place) in fields {
        // INVARIANT: each field is wide enough for its taxonomy; a test packs every name.
        let value = place.map_or(0, |place| u32::try_from(place + 1).unwrap_or_default());
        all |= value << shift;
        shift += bits;
    }
    all |= u32::try_from(leaf.stakeholder.index()).unwrap_or_default() << shift;
    all | published(leaf) << (shift + STAKEHOLDER_BITS)
}

/// 0 where it is the category as read, which is nearly always.
fn published(leaf: &ReportedLeaf) -> u32 {
    if leaf.published_category == leaf.category {
        return 0;
    }
    leaf.published_category.map_or(1, |category| u32::try_from(category.index() + 2).unwrap_or_default())
}

pub(super) fn expected(from: &mut Cursor<'_>) -> Result<ExpectedTree, Malformed> {
    let count = usize::from(from.byte()?);
    let mut harms: Vec<HarmBranch> = Vec::with_capacity(count.min(ActionCategory::COUNT));
    for _ in 0..count {
        let harm = harm(from)?;
        if harms.last().is_some_and(|last| last.category >= harm.category) {
            return Err(ORDER);
        }
        harms.push(harm);
    }
    let count = usize::from(from.byte()?);
    let mut benefits: Vec<BenefitBranch> = Vec::with_capacity(count.min(Effect::COUNT));
    for _ in 0..count {
        let effect = name(&Effect::ALL, usize::from(from.byte()?))?;
        if benefits.last().is_some_and(|last| last.effect >= effect) {
            return Err(ORDER);
        }
        benefits.push(BenefitBranch { effect, branch: branch(from)? });
    }
    Ok(ExpectedTree::new(harms, benefits))
}

fn harm(from: &mut Cursor<'_>) -> Result<HarmBranch, Malformed> {
    let category = name(&ActionCategory::ALL, usize::from(from.byte()?))?;
    let (branch, effect) = (branch(from)?, sparse(from)?);
    Ok(HarmBranch { category, branch, effect, action: dense(from, count_of_actions(category))? })
}

fn branch(from: &mut Cursor<'_>) -> Result<Branch, Malformed> {
    let leaves = LeafCount::from_parts(u16::from_le_bytes(from.array()?));
    Ok(Branch {
        leaves,
        presence: from.byte()?,
        severity: sparse(from)?,
        stakeholder: dense(from, Stakeholder::COUNT)?,
    })
}

pub(super) fn reported(from: &mut Cursor<'_>) -> Result<ReportedTree, Malformed> {
    Ok(ReportedTree { harms: leaves(from)?, benefits: leaves(from)? })
}

fn leaves(from: &mut Cursor<'_>) -> Result<Vec<ReportedLeaf>, Malformed> {
    // What is claimed is there before anything is made for it.
    let count = from.size()?;
    if count > MOST_LEAVES {
        return Err(Malformed("a side of its tree has more leaves than a tree has"));
    }
    let length = count.checked_mul(LEAF).ok_or(NAME)?;
    let (leaves, _) = from.bytes(length)?.as_chunks();
    leaves.iter().map(|leaf| unpacked(u32::from_le_bytes(*leaf))).collect()
}

fn unpacked(mut leaf: u32) -> Result<ReportedLeaf, Malformed> {
    let mut field = |bits: u32| {
        let value = leaf & ((1 << bits) - 1);
        leaf >>= bits;
        value as usize
    };
    let category = name_or_none(&ActionCategory::ALL, field(CATEGORY_BITS))?;
    let read = ReportedLeaf {
        category,
        published_category: category,
        action: name_or_none(&HarmAction::ALL, field(ACTION_BITS))?,
        effect: name_or_none(&Effect::ALL, field(EFFECT_BITS))?,
        extent: name_or_none(&Extent::ALL, field(EXTENT_BITS))?,
        likelihood: name_or_none(&Likelihood::ALL, field(LIKELIHOOD_BITS))?,
        immediate: name_or_none(&[false, true], field(IMMEDIATE_BITS))?,
        stakeholder: name(&Stakeholder::ALL, field(STAKEHOLDER_BITS))?,
    };
    let published_category = match field(PUBLISHED_BITS) {
        0 => category,
        place => name_or_none(&ActionCategory::ALL, place - 1)?,
    };
    Ok(ReportedLeaf { published_category, ..read })
}

pub(super) fn name<T: Copy>(all: &[T], place: usize) -> Result<T, Malformed> {
    all.get(place).copied().ok_or(NAME)
}

fn name_or_none<T: Copy>(all: &[T], place: usize) -> Result<Option<T>, Malformed> {
    place.checked_sub(1).map(|place| name(all, place)).transpose()
}

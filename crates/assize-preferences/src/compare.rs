//! What would change: the same assessments decided by two profiles. It stands behind a comparison over a history and
//! behind a what-if question, and decides nothing itself: every decision is [`weigh`]'s, without sentences.
//!
//! Each thread can take its own part of a history; the parts merge to exactly what one thread would have found.

mod chart;
mod mover;

pub use chart::histogram_svg;
pub use mover::Mover;

use crate::decide::{Outcome, weigh};
use crate::profile::{Profile, Thresholds};
use assize_domain::{Assessment, CommunityId, Decision, Digest};
use std::collections::BTreeMap;

/// Bins of the harmfulness scale, each a twentieth wide.
pub const BINS: usize = 20;

/// A shift of harmfulness is summed in these parts, so that the order of adding doesn't matter. A difference of two
/// harmfulnesses above one half is a whole number of them.
const SHIFT_PARTS: f64 = 9_007_199_254_740_992.0; // 2^53

/// One side of a comparison, as far as a report names it.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedProfile {
    /// Whose values.
    pub community: CommunityId,
    /// Its title, for people.
    pub title: String,
    /// Digest of the profile.
    pub digest: Digest,
    /// Its thresholds.
    pub thresholds: Thresholds,
}

/// Conversations with a harmfulness in one twentieth of the scale, by what becomes of their decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bin {
    /// The decision stays.
    pub unchanged: u64,
    /// It becomes stricter.
    pub stricter: u64,
    /// It becomes milder.
    pub milder: u64,
}

/// Flips by which way they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flips {
    /// To a stricter decision.
    pub stricter: u64,
    /// To a milder one.
    pub milder: u64,
}

/// A conversation with another decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    /// The caller's id of the assessment.
    pub id: String,
    /// The decision before.
    pub from: Decision,
    /// The decision after.
    pub to: Decision,
    /// What made it flip.
    pub mover: Mover,
    /// Harmfulness before, in `[0, 1]`.
    pub harmfulness_before: f64,
    /// Harmfulness after, in `[0, 1]`.
    pub harmfulness_after: f64,
}

/// What two profiles make of the same assessments.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    from: ComparedProfile,
    to: ComparedProfile,
    decisions: [[u64; 3]; 3],
    movers: BTreeMap<Mover, Flips>,
    flips: Vec<Flip>,
    most_flips: usize,
    before: [Bin; BINS],
    after: [Bin; BINS],
    /// Sum of the absolute shifts, in [`SHIFT_PARTS`].
    shift: u128,
}

/// Two comparisons of different profiles, or with different bounds on their lists, have no common sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("comparisons of different profiles, or with different limits on their flips, can't be merged")]
pub struct UnlikeComparisons;

/// Adds assessments to a comparison, one at a time.
#[derive(Debug)]
pub struct Comparer<'a> {
    from: &'a Profile,
    to: &'a Profile,
    comparison: Comparison,
}

/// Compares what two profiles make of assessments with their ids. Of the flips the first `most_flips` are listed one by
/// one; all are counted.
pub fn compare<'a>(
    assessments: impl IntoIterator<Item = (&'a str, &'a Assessment)>,
    (from, to): (&Profile, &Profile),
    most_flips: usize,
) -> Comparison {
    let mut comparer = Comparer::new((from, to), most_flips);
    assessments.into_iter().for_each(|(id, assessment)| comparer.add(id, assessment));
    comparer.finish()
}

impl<'a> Comparer<'a> {
    /// Starts with nothing: the profiles before and after, and how many flips to list.
    pub fn new((from, to): (&'a Profile, &'a Profile), most_flips: usize) -> Self {
        Self { from, to, comparison: Comparison::empty((from, to), most_flips) }
    }

    /// Decides an assessment twice.
    pub fn add(&mut self, id: &str, assessment: &Assessment) {
        let (before, after) = (weigh(assessment, self.from), weigh(assessment, self.to));
        self.comparison.count(&before, &after);
        if before.decision != after.decision {
            self.comparison.flip(id, &before, &after);
        }
    }

    /// What was found.
    pub fn finish(self) -> Comparison {
        self.comparison
    }
}

impl ComparedProfile {
    fn of(profile: &Profile) -> Self {
        Self {
            community: profile.id().clone(),
            title: profile.title().to_owned(),
            digest: profile.digest(),
            thresholds: profile.thresholds(),
        }
    }
}

impl Bin {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.unchanged + self.stricter + self.milder
    }

    fn add(&mut self, from: Decision, to: Decision) {
        match from.cmp(&to) {
            std::cmp::Ordering::Equal => self.unchanged += 1,
            std::cmp::Ordering::Less => self.stricter += 1,
            std::cmp::Ordering::Greater => self.milder += 1,
        }
    }

    fn merge(&mut self, other: Self) {
        self.unchanged += other.unchanged;
        self.stricter += other.stricter;
        self.milder += other.milder;
    }
}

impl Flips {
    /// Both ways together.
    pub const fn total(&self) -> u64 {
        self.stricter + self.milder
    }
}

impl Comparison {
    fn empty((from, to): (&Profile, &Profile), most_flips: usize) -> Self {
        Self {
            from: ComparedProfile::of(from),
            to: ComparedProfile::of(to),
            decisions: [[0; 3]; 3],
            movers: BTreeMap::new(),
            flips: Vec::new(),
            most_flips,
            before: [Bin::default(); BINS],
            after: [Bin::default(); BINS],
            shift: 0,
        }
    }

    fn count(&mut self, before: &Outcome, after: &Outcome) {
        let (from, to) = (before.decision, after.decision);
        let row = self.decisions.get_mut(from as usize);
        if let Some(found) = row.and_then(|row| row.get_mut(to as usize)) {
            *found += 1;
        }
        for (bins, outcome) in [(&mut self.before, before), (&mut self.after, after)] {
            if let Some(bin) = bins.get_mut(bin(outcome.harmfulness)) {
                bin.add(from, to);
            }
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^53")]
        let shift = ((after.harmfulness - before.harmfulness).abs() * SHIFT_PARTS).round() as u64;
        self.shift += u128::from(shift);
    }

    fn flip(&mut self, id: &str, before: &Outcome, after: &Outcome) {
        let mover = mover::mover((before, self.from.thresholds), (after, self.to.thresholds));
        let flips = self.movers.entry(mover).or_default();
        if after.decision > before.decision {
            flips.stricter += 1;
        } else {
            flips.milder += 1;
        }
        if self.flips.len() < self.most_flips {
            self.flips.push(Flip {
                id: id.to_owned(),
                from: before.decision,
                to: after.decision,
                mover,
                harmfulness_before: before.harmfulness,
                harmfulness_after: after.harmfulness,
            });
        }
    }

    /// Adds what was found in a later part: exactly what one comparison of both parts in turn gives.
    ///
    /// # Errors
    /// When the other part compares other profiles, or lists another number of flips; nothing is added then.
    pub fn merge(&mut self, later: Self) -> Result<(), UnlikeComparisons> {
        if (&self.from, &self.to, self.most_flips) != (&later.from, &later.to, later.most_flips) {
            return Err(UnlikeComparisons);
        }
        let cells = self.decisions.iter_mut().flatten().zip(later.decisions.into_iter().flatten());
        cells.for_each(|(cell, more)| *cell += more);
        for (mover, more) in later.movers {
            let flips = self.movers.entry(mover).or_default();
            flips.stricter += more.stricter;
            flips.milder += more.milder;
        }
        let room = self.most_flips.saturating_sub(self.flips.len());
        self.flips.extend(later.flips.into_iter().take(room));
        self.before.iter_mut().zip(later.before).for_each(|(bin, more)| bin.merge(more));
        self.after.iter_mut().zip(later.after).for_each(|(bin, more)| bin.merge(more));
        self.shift += later.shift;
        Ok(())
    }

    /// The profile before.
    pub const fn from(&self) -> &ComparedProfile {
        &self.from
    }

    /// The profile after.
    pub const fn to(&self) -> &ComparedProfile {
        &self.to
    }

    /// How many conversations get `from` before and `to` after.
    pub fn decided(&self, from: Decision, to: Decision) -> u64 {
        self.decisions.get(from as usize).and_then(|row| row.get(to as usize)).copied().unwrap_or_default()
    }

    /// How many conversations there are.
    pub fn total(&self) -> u64 {
        self.decisions.iter().flatten().sum()
    }

    /// How many of them get another decision.
    pub fn flipped(&self) -> Flips {
        self.movers.values().fold(Flips::default(), |sum, flips| Flips {
            stricter: sum.stricter + flips.stricter,
            milder: sum.milder + flips.milder,
        })
    }

    /// Flips by what made them, the largest number first.
    pub fn movers(&self) -> Vec<(Mover, Flips)> {
        let mut movers: Vec<_> = self.movers.iter().map(|(mover, flips)| (*mover, *flips)).collect();
        movers.sort_by_key(|(_, flips)| std::cmp::Reverse(flips.total()));
        movers
    }

    /// The first flips, in the order in which the assessments came.
    pub fn flips(&self) -> &[Flip] {
        &self.flips
    }

    /// How many flips are counted and not listed.
    pub fn flips_left_out(&self) -> u64 {
        self.flipped().total().saturating_sub(self.flips.len() as u64)
    }

    /// Conversations by their harmfulness before; bin `i` holds `[i / 20, (i + 1) / 20)`, the last one 1 as well.
    pub const fn before(&self) -> &[Bin; BINS] {
        &self.before
    }

    /// Conversations by their harmfulness after.
    pub const fn after(&self) -> &[Bin; BINS] {
        &self.after
    }

    /// How far harmfulness moves on average, either way, in `[0, 1]`; 0 where there are no conversations.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53, and the sum is rounded once")]
    pub fn mean_absolute_shift(&self) -> f64 {
        let total = self.total();
        if total == 0 { 0.0 } else { self.shift as f64 / SHIFT_PARTS / total as f64 }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a harmfulness lies between 0 and 1"
)]
fn bin(harmfulness: f64) -> usize {
    ((harmfulness * BINS as f64) as usize).min(BINS - 1)
}

//! From records to frames. What records have in common, a model and a community's profile, is written once a section.

use super::{
    cursor::put_varint,
    frame::{put_frame, put_header},
    tree::{BOTH, EXPECTED, NOT_FINITE, NOT_REQUESTED, REPORTED, UNREADABLE, put_expected, put_reported},
};
use crate::{Decided, Record, RecordError};
use assize_domain::{
    Assessment, CommunityId, Consulted, Coverage, Decision, Digest, GuardHead, ModelIdentity,
    OperatingPoints, Precision, PromptScores, ResponseScores, Score, Tier, Tree, TreeOutcome, UnusableTree,
};

/// Records of a section at most: a damaged header or length costs no more than these, and the header with what follows it,
/// some 150 bytes, is nothing among them.
const RECORDS_IN_SECTION: u32 = 1024;

pub(super) const MODEL: u8 = b'M';
pub(super) const PRECISION: u8 = b'P';
pub(super) const CONSULTED: u8 = b'T';
pub(super) const COMMUNITY: u8 = b'C';
pub(super) const RECORD: u8 = b'R';

/// Which parts a record has: bits of its second byte.
pub(super) mod part {
    pub(in crate::binary) const DECIDED: u8 = 1;
    pub(in crate::binary) const PROMPT: u8 = 1 << 1;
    pub(in crate::binary) const RESPONSE: u8 = 1 << 2;
    pub(in crate::binary) const PROMPT_COVERAGE: u8 = 1 << 3;
    pub(in crate::binary) const RESPONSE_COVERAGE: u8 = 1 << 4;
    pub(in crate::binary) const MINORS: u8 = 1 << 5;
    pub(in crate::binary) const SEXUAL: u8 = 1 << 6;
    pub(in crate::binary) const MASS_HARM_WEAPONS: u8 = 1 << 7;
}

/// What the open section holds already.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// Records so far; 0 where no section is open.
    records: u32,
    models: Vec<Judges>,
    communities: Vec<(CommunityId, Digest)>,
}

/// The models of a record, and what the first one's scores are measured from.
#[derive(Debug)]
struct Judges {
    model: ModelIdentity,
    precision: Option<Precision>,
    points: OperatingPoints,
    consulted: Vec<Consulted>,
}

impl Judges {
    fn of(assessment: &Assessment) -> Self {
        Self {
            model: assessment.model.clone(),
            precision: assessment.precision,
            points: assessment.operating_points,
            consulted: assessment.consulted.clone(),
        }
    }

    fn are_of(&self, assessment: &Assessment) -> bool {
        self.model == assessment.model
            && self.precision == assessment.precision
            && self.consulted == assessment.consulted
            && same_bits(&self.points, &assessment.operating_points)
    }
}

/// The numbers of what a record has in common with others of its section.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    model: u64,
    community: Option<u64>,
}

impl Encoder {
    pub(crate) const fn new() -> Self {
        Self { records: 0, models: Vec::new(), communities: Vec::new() }
    }

    /// Appends a record, and before it what it needs: a header, its model, its community.
    ///
    /// # Errors
    /// As [`super::encode`]. Nothing is appended then, and the next record starts a section.
    pub(crate) fn put(&mut self, record: &Record, out: &mut Vec<u8>) -> Result<(), RecordError> {
        let start = out.len();
        let written = record.check().and_then(|()| self.put_frames(record, out));
        if written.is_err() {
            out.truncate(start);
            self.close();
        }
        written
    }

    /// Ends the section: what was written last may not have arrived whole.
    pub(crate) fn close(&mut self) {
        *self = Self::new();
    }

    fn put_frames(&mut self, record: &Record, out: &mut Vec<u8>) -> Result<(), RecordError> {
        if self.records == RECORDS_IN_SECTION {
            self.close();
        }
        if self.records == 0 {
            put_header(out);
        }
        let model = self.model(record, out)?;
        let decided = record.decided.as_ref();
        let community = decided.map(|decided| self.community(decided, out)).transpose()?;
        put_frame(out, |out| put_record(out, record, Numbers { model, community }))?;
        self.records += 1;
        Ok(())
    }

    fn model(&mut self, record: &Record, out: &mut Vec<u8>) -> Result<u64, RecordError> {
        let assessment = &record.assessment;
        if let Some(number) = self.models.iter().position(|judges| judges.are_of(assessment)) {
            return Ok(number as u64);
        }
        let number = self.models.len() as u64;
        if let Some(precision) = assessment.precision {
            put_frame(out, |out| {
                out.push(PRECISION);
                put_varint(out, number);
                out.push(place(precision));
            })?;
        }
        for Consulted { tier, model, answered } in &assessment.consulted {
            put_frame(out, |out| {
                out.push(CONSULTED);
                put_varint(out, number);
                out.extend_from_slice(&[tier_place(*tier), u8::from(*answered)]);
                out.extend_from_slice(model.revision.bytes());
                out.extend_from_slice(model.name.as_bytes());
            })?;
        }
        put_frame(out, |out| {
            out.push(MODEL);
            put_varint(out, number);
            out.extend_from_slice(assessment.model.revision.bytes());
            put_scores(out, &GuardHead::ALL.map(|head| assessment.operating_points.get(head)));
            out.extend_from_slice(assessment.model.name.as_bytes());
        })?;
        self.models.push(Judges::of(assessment));
        Ok(number)
    }

    fn community(&mut self, decided: &Decided, out: &mut Vec<u8>) -> Result<u64, RecordError> {
        let same = |(community, profile): &(CommunityId, Digest)| {
            *community == decided.community && *profile == decided.profile
        };
        if let Some(number) = self.communities.iter().position(same) {
            return Ok(number as u64);
        }
        let number = self.communities.len() as u64;
        put_frame(out, |out| {
            out.push(COMMUNITY);
            put_varint(out, number);
            out.extend_from_slice(decided.profile.bytes());
            out.extend_from_slice(decided.community.as_str().as_bytes());
        })?;
        self.communities.push((decided.community.clone(), decided.profile));
        Ok(number)
    }
}

/// Equal to the last bit: 0 and -0 are two points here, so that each reads back as it was.
fn same_bits(a: &OperatingPoints, b: &OperatingPoints) -> bool {
    GuardHead::ALL.iter().all(|head| a.get(*head).get().to_bits() == b.get(*head).get().to_bits())
}

fn put_record(out: &mut Vec<u8>, record: &Record, numbers: Numbers) {
    let assessment = &record.assessment;
    out.extend_from_slice(&[RECORD, parts(record), tree_kind(&assessment.tree)]);
    put_varint(out, numbers.model);
    out.extend_from_slice(&record.at.0.to_le_bytes());
    let id = record.id.as_str().as_bytes();
    // INVARIANT: an id has at most 64 bytes.
    out.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(id);
    if let Some((decided, community)) = record.decided.as_ref().zip(numbers.community) {
        out.push(decision(decided.decision));
        put_varint(out, community);
    }
    if let Some(PromptScores { harmful, adversarial, risk }) = &assessment.guard.prompt {
        put_scores(out, &[*harmful, *adversarial]);
        put_scores(out, risk);
    }
    if let Some(ResponseScores { harmful, refusal }) = assessment.guard.response {
        put_scores(out, &[harmful, refusal]);
    }
    for coverage in [assessment.prompt_coverage, assessment.response_coverage].into_iter().flatten() {
        let Coverage { tokens, judged, unknown, windows } = coverage;
        [tokens, judged, unknown, windows].into_iter().for_each(|count| put_varint(out, count as u64));
    }
    match &assessment.tree {
        TreeOutcome::Weighed(tree) => {
            tree.expected().into_iter().for_each(|tree| put_expected(out, tree));
            tree.reported().into_iter().for_each(|tree| put_reported(out, tree));
        }
        TreeOutcome::NotRequested | TreeOutcome::Unusable(_) => {}
    }
}

fn parts(record: &Record) -> u8 {
    let assessment = &record.assessment;
    let topics = assessment.topics;
    let parts = [
        (record.decided.is_some(), part::DECIDED),
        (assessment.guard.prompt.is_some(), part::PROMPT),
        (assessment.guard.response.is_some(), part::RESPONSE),
        (assessment.prompt_coverage.is_some(), part::PROMPT_COVERAGE),
        (assessment.response_coverage.is_some(), part::RESPONSE_COVERAGE),
        (topics.minors, part::MINORS),
        (topics.sexual, part::SEXUAL),
        (topics.mass_harm_weapons, part::MASS_HARM_WEAPONS),
    ];
    parts.into_iter().filter(|(has, _)| *has).fold(0, |all, (_, part)| all | part)
}

const fn tree_kind(tree: &TreeOutcome) -> u8 {
    match tree {
        TreeOutcome::NotRequested => NOT_REQUESTED,
        TreeOutcome::Weighed(Tree::Expected(_)) => EXPECTED,
        TreeOutcome::Weighed(Tree::Reported(_)) => REPORTED,
        TreeOutcome::Weighed(Tree::Both(_)) => BOTH,
        TreeOutcome::Unusable(UnusableTree::NotFinite) => NOT_FINITE,
        TreeOutcome::Unusable(UnusableTree::Unreadable) => UNREADABLE,
    }
}

/// Its place in [`Tier::ALL`].
const fn tier_place(tier: Tier) -> u8 {
    match tier {
        Tier::Encoder => 0,
        Tier::Guard => 1,
        Tier::Reporter => 2,
    }
}

/// Its place in [`Decision::ALL`].
const fn decision(decision: Decision) -> u8 {
    match decision {
        Decision::Allow => 0,
        Decision::Review => 1,
        Decision::Block => 2,
    }
}

/// Its place in [`Precision::ALL`].
const fn place(precision: Precision) -> u8 {
    match precision {
        Precision::F32 => 0,
        Precision::Bf16 => 1,
        Precision::Int8 => 2,
    }
}

fn put_scores(out: &mut Vec<u8>, scores: &[Score]) {
    scores.iter().for_each(|score| out.extend_from_slice(&score.get().to_le_bytes()));
}

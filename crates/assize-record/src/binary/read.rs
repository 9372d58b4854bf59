//! From frames to records. Whatever the bytes say, what comes out keeps the domain's rules, or it is an error.

use super::{
    cursor::{Cursor, Malformed},
    scan::{Common, Model, Section},
    tree::{BOTH, EXPECTED, NOT_FINITE, NOT_REQUESTED, REPORTED, UNREADABLE, expected, name, reported},
    write::part,
};
use crate::{Decided, Record, RecordError, RecordId, UnixMillis};
use assize_domain::{
    Assessment, CommunityId, Consulted, Coverage, Decision, GuardScores, ModelIdentity, OperatingPoints,
    Precision, PromptScores, ResponseScores, Tier, TopicSignals, Tree, TreeOutcome, UnusableTree,
};

const TEXT: Malformed = Malformed("a name is no text");
const COMMUNITY: Malformed = Malformed("a community's id is none");

/// A model's number and what it is; `body` is without the kind.
pub(super) fn model(body: &[u8]) -> Result<(u64, Model), Malformed> {
    let mut from = Cursor(body);
    let number = from.varint()?;
    let revision = from.digest()?;
    let operating_points = OperatingPoints::new(from.scores()?);
    let name = std::str::from_utf8(from.rest()).map_err(|_| TEXT)?;
    Ok((number, Model { identity: ModelIdentity { name: name.into(), revision }, operating_points }))
}

/// A model's number and what it computed in; `body` is without the kind.
pub(super) fn precision(body: &[u8]) -> Result<(u64, Precision), Malformed> {
    let mut from = Cursor(body);
    let number = from.varint()?;
    let precision = name(&Precision::ALL, usize::from(from.byte()?))?;
    from.end()?;
    Ok((number, precision))
}

/// A model's number and one that was asked after it; `body` is without the kind.
pub(super) fn consulted(body: &[u8]) -> Result<(u64, Consulted), Malformed> {
    let mut from = Cursor(body);
    let number = from.varint()?;
    let tier = name(&Tier::ALL, usize::from(from.byte()?))?;
    let answered = name(&[false, true], usize::from(from.byte()?))?;
    let revision = from.digest()?;
    let name = std::str::from_utf8(from.rest()).map_err(|_| TEXT)?;
    Ok((number, Consulted { tier, model: ModelIdentity { name: name.into(), revision }, answered }))
}

/// A community's number and what it is; `body` is without the kind.
pub(super) fn community(body: &[u8]) -> Result<(u64, Common), Malformed> {
    let mut from = Cursor(body);
    let number = from.varint()?;
    let profile = from.digest()?;
    let id = std::str::from_utf8(from.rest()).map_err(|_| TEXT)?;
    let community: CommunityId = id.parse().map_err(|_| COMMUNITY)?;
    Ok((number, Common { community, profile }))
}

/// A record; `body` is without the kind.
pub(crate) fn record(body: &[u8], section: &Section) -> Result<Record, RecordError> {
    let mut from = Cursor(body);
    let [parts, tree_kind] = from.array()?;
    let has = |part: u8| parts & part != 0;
    let number = from.varint()?;
    let model = section.model(number)?;
    let at = UnixMillis(u64::from_le_bytes(from.array()?));
    let id = id(&mut from)?;
    let decided = has(part::DECIDED).then(|| decided(&mut from, section)).transpose()?;
    let prompt = has(part::PROMPT).then(|| prompt(&mut from)).transpose()?;
    let response = has(part::RESPONSE).then(|| response(&mut from)).transpose()?;
    let prompt_coverage = has(part::PROMPT_COVERAGE).then(|| coverage(&mut from)).transpose()?;
    let response_coverage = has(part::RESPONSE_COVERAGE).then(|| coverage(&mut from)).transpose()?;
    let tree = tree(tree_kind, &mut from)?;
    from.end()?;
    let topics = TopicSignals {
        minors: has(part::MINORS),
        sexual: has(part::SEXUAL),
        mass_harm_weapons: has(part::MASS_HARM_WEAPONS),
    };
    let assessment = Assessment {
        guard: GuardScores { prompt, response },
        operating_points: model.operating_points,
        tree,
        topics,
        prompt_coverage,
        response_coverage,
        model: model.identity.clone(),
        precision: section.precision(number),
        consulted: section.consulted(number),
    };
    let record = Record { id, at, decided, assessment };
    record.check()?;
    Ok(record)
}

fn id(from: &mut Cursor<'_>) -> Result<RecordId, RecordError> {
    let length = from.byte()?;
    std::str::from_utf8(from.bytes(usize::from(length))?).map_err(|_| TEXT)?.parse()
}

fn decided(from: &mut Cursor<'_>, section: &Section) -> Result<Decided, RecordError> {
    let decision = name(&Decision::ALL, usize::from(from.byte()?))?;
    let Common { community, profile } = section.community(from.varint()?)?;
    Ok(Decided { community: community.clone(), profile: *profile, decision })
}

fn prompt(from: &mut Cursor<'_>) -> Result<PromptScores, Malformed> {
    let [harmful, adversarial] = from.scores()?;
    Ok(PromptScores { harmful, adversarial, risk: from.scores()? })
}

fn response(from: &mut Cursor<'_>) -> Result<ResponseScores, Malformed> {
    let [harmful, refusal] = from.scores()?;
    Ok(ResponseScores { harmful, refusal })
}

fn coverage(from: &mut Cursor<'_>) -> Result<Coverage, Malformed> {
    Ok(Coverage { tokens: from.size()?, judged: from.size()?, unknown: from.size()?, windows: from.size()? })
}

fn tree(kind: u8, from: &mut Cursor<'_>) -> Result<TreeOutcome, Malformed> {
    match kind {
        NOT_REQUESTED => Ok(TreeOutcome::NotRequested),
        EXPECTED => Ok(TreeOutcome::Weighed(Tree::Expected(expected(from)?))),
        REPORTED => Ok(TreeOutcome::Weighed(Tree::Reported(reported(from)?))),
        BOTH => Ok(TreeOutcome::Weighed(Tree::both(expected(from)?, reported(from)?))),
        NOT_FINITE => Ok(TreeOutcome::Unusable(UnusableTree::NotFinite)),
        UNREADABLE => Ok(TreeOutcome::Unusable(UnusableTree::Unreadable)),
        _ => Err(Malformed("its kind of tree is not known")),
    }
}

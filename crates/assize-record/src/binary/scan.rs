//! Finds every sound record of a history without reading any: a walk along the frames, over what is damaged, in one pass.

use super::{
    cursor::Malformed,
    frame::{claimed, frame_at, header_at, is_torn_start, next_header},
    read,
    write::{COMMUNITY, CONSULTED, MODEL, PRECISION, RECORD},
};
use crate::{
    Record, RecordError,
    history::{Gap, GapCause},
};
use assize_domain::{CommunityId, Consulted, Digest, ModelIdentity, OperatingPoints, Precision};
use std::{collections::HashMap, sync::Arc};

/// What records of one model have in common.
#[derive(Debug)]
pub(crate) struct Model {
    pub(super) identity: ModelIdentity,
    pub(super) operating_points: OperatingPoints,
}

/// What records of one community under one profile have in common.
#[derive(Debug)]
pub(crate) struct Common {
    pub(super) community: CommunityId,
    pub(super) profile: Digest,
}

/// What the records of one section refer to, by ascending number.
#[derive(Debug, Default)]
pub(crate) struct Section {
    models: Vec<(u64, Arc<Model>)>,
    /// Of those models that have one.
    precisions: Vec<(u64, Precision)>,
    consulted: Vec<(u64, Consulted)>,
    communities: Vec<(u64, Arc<Common>)>,
}

/// Where a record is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    body: &'a [u8],
    section: usize,
}

/// A history whose frames are known.
#[derive(Debug, Default)]
pub(crate) struct Scan<'a> {
    sections: Vec<Section>,
    pub(crate) places: Vec<Place<'a>>,
    pub(crate) gaps: Vec<Gap>,
    /// Why the first section was passed over that another release wrote.
    pub(crate) foreign: Option<RecordError>,
}

/// The walk's state.
#[derive(Debug)]
struct Walk<'a> {
    bytes: &'a [u8],
    /// Where the walk stands.
    at: usize,
    /// The header that the last search has found, or the end: it holds until the walk has come there.
    header: Option<usize>,
    /// By their bytes, so that the sections of a history share them.
    models: HashMap<&'a [u8], Arc<Model>>,
    communities: HashMap<&'a [u8], Arc<Common>>,
    found: Scan<'a>,
}

/// Walks along a history. What is damaged, or of a version or taxonomy that is not known, is told as gaps.
pub(crate) fn scan(bytes: &[u8]) -> Scan<'_> {
    let mut walk = Walk {
        bytes,
        at: 0,
        header: None,
        models: HashMap::new(),
        communities: HashMap::new(),
        found: Scan::default(),
    };
    while walk.at < bytes.len() {
        walk.step();
    }
    walk.found
}

impl Scan<'_> {
    /// Reads the record at a place of this history.
    pub(crate) fn record(&self, place: &Place<'_>) -> Result<Record, RecordError> {
        let section = self.sections.get(place.section).ok_or(Malformed("it is in no section"))?;
        read::record(place.body, section)
    }

    /// Whether there is any section at all.
    pub(crate) fn has_sections(&self) -> bool {
        !self.sections.is_empty()
    }
}

impl Section {
    pub(super) fn model(&self, number: u64) -> Result<&Model, RecordError> {
        let model = numbered(&self.models, number).ok_or(RecordError::Missing { kind: "model", number });
        model.map(AsRef::as_ref)
    }

    /// What the model of that number computed in.
    pub(super) fn precision(&self, number: u64) -> Option<Precision> {
        numbered(&self.precisions, number).copied()
    }

    /// The models that were asked after the one of that number.
    pub(super) fn consulted(&self, number: u64) -> Vec<Consulted> {
        let own = self.consulted.iter().filter(|(found, _)| *found == number);
        own.map(|(_, consulted)| consulted.clone()).collect()
    }

    pub(super) fn community(&self, number: u64) -> Result<&Common, RecordError> {
        let common =
            numbered(&self.communities, number).ok_or(RecordError::Missing { kind: "community", number });
        common.map(AsRef::as_ref)
    }
}

/// Numbers ascend; without damage each model and community stands at its own place.
fn numbered<T>(all: &[(u64, T)], number: u64) -> Option<&T> {
    let own = usize::try_from(number).ok().and_then(|place| all.get(place));
    let own = own.filter(|(found, _)| *found == number);
    let searched = || all.get(all.binary_search_by_key(&number, |(found, _)| *found).ok()?);
    own.or_else(searched).map(|(_, common)| common)
}

fn add<T>(all: &mut Vec<(u64, T)>, number: u64, common: T) -> Result<(), Malformed> {
    if all.last().is_some_and(|(last, _)| *last >= number) {
        return Err(Malformed("numbers don't ascend"));
    }
    all.push((number, common));
    Ok(())
}

impl<'a> Walk<'a> {
    fn step(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let Some(header) = header_at(rest) {
            match header.check() {
                Ok(()) => {
                    self.found.sections.push(Section::default());
                    self.at += header.length;
                }
                Err(error) => self.skip_section(error),
            }
        } else if let Some(frame) = frame_at(rest).filter(|_| self.found.has_sections()) {
            if self.take(frame.body).is_err() {
                let gap = Gap { at: self.at, bytes: frame.length, cause: GapCause::Malformed };
                self.found.gaps.push(gap);
            }
            self.at += frame.length;
        } else {
            self.skip();
        }
    }

    /// Over a section that another release wrote: its frames mean something else.
    fn skip_section(&mut self, error: RecordError) {
        let (start, next) = (self.at, self.next_header());
        self.found.gaps.push(Gap { at: start, bytes: next - start, cause: GapCause::Foreign });
        self.found.foreign.get_or_insert(error);
        self.at = next;
    }

    fn take(&mut self, body: &'a [u8]) -> Result<(), Malformed> {
        let number_of_section = self.found.sections.len().saturating_sub(1);
        let section = self.found.sections.last_mut().ok_or(Malformed("it is in no section"))?;
        let (kind, body) = body.split_first().ok_or(Malformed("it is empty"))?;
        match *kind {
            RECORD => {
                self.found.places.push(Place { body, section: number_of_section });
                Ok(())
            }
            MODEL => {
                let (number, model) = read::model(body)?;
                let shared = self.models.entry(body).or_insert_with(|| Arc::new(model));
                add(&mut section.models, number, Arc::clone(shared))
            }
            PRECISION => {
                let (number, precision) = read::precision(body)?;
                // What a model's records mean is settled when the model is there.
                if section.models.last().is_some_and(|(last, _)| *last >= number) {
                    return Err(Malformed("a precision stands behind its model"));
                }
                add(&mut section.precisions, number, precision)
            }
            CONSULTED => {
                let (number, consulted) = read::consulted(body)?;
                if section.models.last().is_some_and(|(last, _)| *last >= number) {
                    return Err(Malformed("a model that was asked later stands behind the first"));
                }
                // Several may have been asked after one model.
                section.consulted.push((number, consulted));
                Ok(())
            }
            COMMUNITY => {
                let (number, common) = read::community(body)?;
                let shared = self.communities.entry(body).or_insert_with(|| Arc::new(common));
                add(&mut section.communities, number, Arc::clone(shared))
            }
            _ => Err(Malformed("its kind of frame is not known")),
        }
    }

    /// Over what is damaged: one frame, where a sound one follows it at once; otherwise all up to the next header.
    fn skip(&mut self) {
        let start = self.at;
        let header = self.next_header();
        let claimed = self.bytes.get(start..).and_then(claimed).map(|length| start + length);
        let follows = |end: &usize| {
            let sound = || self.bytes.get(*end..).is_some_and(|rest| frame_at(rest).is_some());
            *end == header || (*end < header && sound())
        };
        let in_section = self.found.has_sections();
        let next = claimed.filter(|end| in_section && follows(end)).unwrap_or(header);
        // What was written in part claims more than there is.
        let gap = || is_torn_start(self.bytes.get(start..next).unwrap_or_default());
        let cut_off = claimed.map_or_else(gap, |end| end > next);
        let cause = if cut_off { GapCause::CutOff } else { GapCause::Damaged };
        self.found.gaps.push(Gap { at: start, bytes: next - start, cause });
        self.at = next;
    }

    /// Where the next header starts, or the end. Each byte is searched once, however much is damaged.
    fn next_header(&mut self) -> usize {
        let known = self.header.filter(|header| *header > self.at);
        let header =
            known.unwrap_or_else(|| next_header(self.bytes, self.at + 1).unwrap_or(self.bytes.len()));
        self.header = Some(header);
        header
    }
}

//! Records as JSON, a line each, for people and other programs: names as the taxonomy's ids, and every number exact.
//!
//! Scores are written with all the digits that they have as doubles, so that any reader of JSON gets the number that was
//! decided on. Shares and presences are whole 255ths. What is absent is left out.
//!
//! ```json
//! {"version":1,"taxonomy":"…","id":"0198f2a0","at":1760000000000,
//!  "decided":{"community":"default","profile":"sha256:…","decision":"review"},
//!  "model":{"name":"guard","revision":"sha256:…"},"precision":"int8",
//!  "operating_points":{"prompt_harmful":0.5,"response_harmful":0.5,"response_refusal":0.5,"adversarial":0.5},
//!  "guard":{"prompt":{"harmful":0.75,"adversarial":0.125,"risk":{"cyberattack":0.25}},
//!           "response":{"harmful":0.5,"refusal":0.0}},
//!  "topics":{"minors":false,"sexual":false,"mass_harm_weapons":false},
//!  "coverage":{"prompt":{"tokens":9,"judged":9,"unknown":0,"windows":1}},
//!  "tree":{"expected":{"harms":[{"category":"privacy","leaves":1.25,"presence_255ths":200,
//!    "severity_255ths":{"major.high.later":255},"stakeholder_255ths":{"user":64,"children":191},
//!    "effect_255ths":{"social":255},"action_255ths":{"sensitive_data":255}}],"benefits":[]}}}
//! ```
//!
//! (With all 13 risks.) A tree is `"not_requested"`, `{"unusable": …}`, `{"expected": …}` or `{"reported": …}`. Records of
//! the first releases have no `precision`: it is not known.

mod convert;
mod names;
mod numbers;
mod wire;

use crate::{Record, RecordError};
use assize_domain::{ReportedTree, TAXONOMY_VERSION};
use serde::{Deserialize, de::DeserializeOwned};
use wire::RecordWire;

/// The only version so far.
pub(crate) const VERSION: u64 = 1;

/// What every version has.
#[derive(Deserialize)]
struct Head {
    version: u64,
    taxonomy: String,
}

/// One line, without a line feed.
///
/// # Errors
/// When the record breaks a rule that its types don't hold.
pub fn to_json(record: &Record) -> Result<String, RecordError> {
    record.check()?;
    serde_json::to_string(&convert::wire(record)?).map_err(|error| json(".", &error))
}

/// Reads what [`to_json`] has written.
///
/// # Errors
/// When the version or the taxonomy is not known; when a key is missing, not known or given twice; when a value is not
/// one of those allowed.
pub fn from_json(text: &str) -> Result<Record, RecordError> {
    let read = parse::<RecordWire>(text);
    // Another version may well have other keys: that it is another one says more than the first key that is.
    let head = match &read {
        Ok(wire) => Some(Head { version: wire.version, taxonomy: wire.taxonomy.clone() }),
        Err(_) => parse(text).ok(),
    };
    if let Some(head) = head {
        check(head)?;
    }
    let record = convert::record(read?)?;
    record.check()?;
    Ok(record)
}

/// What a reporter wrote, as a record has it: `{"harms": [leaf…], "benefits": [leaf…]}`.
///
/// # Errors
/// When it can't be written, which is a defect.
pub fn reported_to_json(tree: &ReportedTree) -> Result<serde_json::Value, RecordError> {
    serde_json::to_value(convert::reported_wire(tree)).map_err(|error| json("tree", &error))
}

fn check(head: Head) -> Result<(), RecordError> {
    if head.version != VERSION {
        return Err(RecordError::UnknownVersion { given: head.version, known: VERSION.to_string() });
    }
    if head.taxonomy != TAXONOMY_VERSION {
        return Err(RecordError::UnknownTaxonomy { given: head.taxonomy, known: TAXONOMY_VERSION });
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, RecordError> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut parser)
        .map_err(|error| json(&error.path().to_string(), error.inner()))?;
    parser.end().map_err(|error| json(".", &error))?;
    Ok(value)
}

fn json(key: &str, error: &serde_json::Error) -> RecordError {
    RecordError::Json { key: key.to_owned(), why: error.to_string() }
}

#[cfg(test)]
mod tests;

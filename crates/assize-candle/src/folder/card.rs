//! `card.toml`: what the model's maker says of it, in a form that the service can use.

use super::{LoadError, Verification, files::ModelFile};
use crate::numerics;
use assize_domain::{GuardHead, OperatingPoints, Score};
use serde::Deserialize;
use std::{fmt::Display, sync::Arc};

/// How a logit becomes a probability: `sigmoid(scale * logit + offset)` (Platt 1999).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    scale: f32,
    offset: f32,
}

/// Numbers that are no calibration.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("scale {scale} and offset {offset} are no calibration; allowed: scale above 0, both finite")]
pub struct CalibrationOutOfRange {
    /// The scale given.
    pub scale: f32,
    /// The offset given.
    pub offset: f32,
}

impl Calibration {
    /// Checks the numbers: both finite, `scale` above 0 (else a higher logit would mean less harm).
    ///
    /// # Errors
    /// When they are not.
    pub fn new(scale: f32, offset: f32) -> Result<Self, CalibrationOutOfRange> {
        if scale.is_finite() && scale > 0.0 && offset.is_finite() {
            Ok(Self { scale, offset })
        } else {
            Err(CalibrationOutOfRange { scale, offset })
        }
    }

    /// The probability of a finite logit, in `[0, 1]`; NaN for NaN.
    pub fn apply(self, logit: f32) -> f32 {
        numerics::sigmoid(self.scale * logit + self.offset)
    }
}

/// How long texts become windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputLimits {
    /// Most tokens of one window, control tokens included; 8 up to the encoder's positions.
    pub window_tokens: usize,
    /// Share of a pair's window that is kept for the prompt, above 0 and below 1.
    pub prompt_share: f32,
    /// Most windows that one text may become; 1 to 64.
    pub max_windows: usize,
    /// How earlier turns are read.
    pub context: ContextForm,
}

/// How a model reads a turn after earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContextForm {
    /// As one text. The model never learnt what a turn adds, so that the context is also read by itself.
    #[default]
    Joined,
    /// Apart from each other, as the model learnt to judge the last turn in the light of the others.
    Separated,
}

/// The model card.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCard {
    /// Name in provenance and metrics: lower-case letters, digits, `.`, `_`, `-`; 1 to 64 of them.
    pub name: Arc<str>,
    /// The maker's version; for people, the revision is what counts.
    pub version: String,
    /// SPDX expression.
    pub licence: String,
    /// What it is, in a sentence or two.
    pub summary: String,
    /// What it is for.
    pub intended_use: String,
    /// Where it is known to fail.
    pub limitations: Vec<String>,
    /// How long texts become windows.
    pub input: InputLimits,
    /// Where each yes-or-no question turns from no to yes, after calibration.
    pub operating_points: OperatingPoints,
    calibration: ByHead<Calibration>,
    /// Not of the file: set by [`super::GuardModel::load`], and kept with what goes wherever the model's answers go.
    pub(super) verification: Verification,
}

impl ModelCard {
    /// Whether the model that this card belongs to was seen to compute what its maker measured.
    pub const fn verification(&self) -> Verification {
        self.verification
    }

    /// How one question's logit becomes a probability.
    pub const fn calibration(&self, head: GuardHead) -> Calibration {
        match head {
            GuardHead::PromptHarmful => self.calibration.prompt_harmful,
            GuardHead::ResponseHarmful => self.calibration.response_harmful,
            GuardHead::ResponseRefusal => self.calibration.response_refusal,
            GuardHead::Adversarial => self.calibration.adversarial,
        }
    }
}

/// One value for each yes-or-no question; field names are the ids of [`GuardHead`].
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByHead<T> {
    prompt_harmful: T,
    response_harmful: T,
    response_refusal: T,
    adversarial: T,
}

impl<T> ByHead<T> {
    fn try_map<U, E>(self, mut convert: impl FnMut(GuardHead, T) -> Result<U, E>) -> Result<ByHead<U>, E> {
        Ok(ByHead {
            prompt_harmful: convert(GuardHead::PromptHarmful, self.prompt_harmful)?,
            response_harmful: convert(GuardHead::ResponseHarmful, self.response_harmful)?,
            response_refusal: convert(GuardHead::ResponseRefusal, self.response_refusal)?,
            adversarial: convert(GuardHead::Adversarial, self.adversarial)?,
        })
    }
}

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCard {
    name: String,
    version: String,
    licence: String,
    summary: String,
    intended_use: String,
    limitations: Vec<String>,
    input: RawInput,
    calibration: ByHead<RawCalibration>,
    operating_points: ByHead<f32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInput {
    window_tokens: usize,
    prompt_share: f32,
    max_windows: usize,
    #[serde(default)]
    context: ContextForm,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCalibration {
    scale: f32,
    offset: f32,
}

/// Reads and checks the card of a model whose encoder has `max_positions` positions.
pub(super) fn parse(file: &ModelFile, max_positions: usize) -> Result<ModelCard, LoadError> {
    let raw: RawCard = toml::from_slice(&file.bytes).map_err(|source| LoadError::Malformed {
        file: file.path.clone(),
        expected: "a model card (TOML)",
        source: source.into(),
    })?;
    check_texts(file, &raw)?;
    let input = check_input(file, &raw.input, max_positions)?;
    let calibration = raw.calibration.try_map(|head, RawCalibration { scale, offset }| {
        Calibration::new(scale, offset).map_err(|_| {
            let given = format!("scale {scale}, offset {offset}");
            not_allowed(file, &format!("calibration.{}", head.id()), &given, "scale above 0, both finite")
        })
    })?;
    let points = raw.operating_points.try_map(|head, point| match Score::new(point) {
        // At 0 or 1 a head would always or never say yes, and evidence measured from there would be infinite.
        Ok(score) if point > 0.0 && point < 1.0 => Ok(score),
        _ => {
            Err(not_allowed(file, &format!("operating_points.{}", head.id()), &point, "above 0 and below 1"))
        }
    })?;
    Ok(ModelCard {
        name: raw.name.into(),
        version: raw.version,
        licence: raw.licence,
        summary: raw.summary,
        intended_use: raw.intended_use,
        limitations: raw.limitations,
        input,
        operating_points: OperatingPoints::new([
            points.prompt_harmful,
            points.response_harmful,
            points.response_refusal,
            points.adversarial,
        ]),
        calibration,
        verification: Verification::NoReference,
    })
}

fn check_texts(file: &ModelFile, raw: &RawCard) -> Result<(), LoadError> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    // The name becomes a metric label and a part of every audit record: bounded, and nothing to escape.
    if raw.name.is_empty() || raw.name.len() > 64 || !raw.name.chars().all(is_plain) {
        let allowed = "1 to 64 lower-case letters, digits, `.`, `_`, `-`";
        return Err(not_allowed(file, "name", &raw.name, allowed));
    }
    let texts = [
        ("version", &raw.version),
        ("licence", &raw.licence),
        ("summary", &raw.summary),
        ("intended_use", &raw.intended_use),
    ];
    match texts.into_iter().find(|(_, text)| text.trim().is_empty()) {
        Some((key, text)) => Err(not_allowed(file, key, text, "a text that is not blank")),
        None => Ok(()),
    }
}

/// Fewest tokens of a window: the three control tokens of a pair and a few of each text.
const MIN_WINDOW_TOKENS: usize = 8;
/// Most windows of one text: 64 windows of 512 tokens are about 100 kB of English, and seconds of one core.
const MAX_WINDOWS: usize = 64;

fn check_input(file: &ModelFile, raw: &RawInput, max_positions: usize) -> Result<InputLimits, LoadError> {
    let &RawInput { window_tokens, prompt_share, max_windows, context } = raw;
    if !(MIN_WINDOW_TOKENS..=max_positions).contains(&window_tokens) {
        let allowed =
            format!("{MIN_WINDOW_TOKENS} to {max_positions} (`max_position_embeddings` in config.json)");
        return Err(not_allowed(file, "input.window_tokens", &window_tokens, &allowed));
    }
    if !(prompt_share > 0.0 && prompt_share < 1.0) {
        return Err(not_allowed(file, "input.prompt_share", &prompt_share, "above 0 and below 1"));
    }
    if !(1..=MAX_WINDOWS).contains(&max_windows) {
        let allowed = format!("1 to {MAX_WINDOWS}");
        return Err(not_allowed(file, "input.max_windows", &max_windows, &allowed));
    }
    Ok(InputLimits { window_tokens, prompt_share, max_windows, context })
}

fn not_allowed(file: &ModelFile, key: &str, given: &dyn Display, allowed: &str) -> LoadError {
    file.not_allowed(key, given, allowed, "correct the card")
}

/// A card for tests of other modules, calibrated by the identity; `response_harmful` by scale 2 and offset 1.
#[cfg(test)]
pub(crate) fn test_card() -> ModelCard {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/guard-v1/card.toml");
    let bytes = std::fs::read(path).unwrap();
    let mut card = parse(&ModelFile { name: "card.toml", path: path.into(), bytes }, 512).unwrap();
    let identity = Calibration::new(1.0, 0.0).unwrap();
    card.calibration = ByHead {
        prompt_harmful: identity,
        response_harmful: Calibration::new(2.0, 1.0).unwrap(),
        response_refusal: identity,
        adversarial: identity,
    };
    card
}

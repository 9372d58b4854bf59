//! What was learnt as a profile file, under a header that says where it comes from: the community's own file with the
//! learnt numbers laid over it, or for a new community only what differs from the parent.

mod over;

use super::features::{all_evidence, weight_mut, weight_of};
use super::parameters::Numbers;
use super::{Fit, FitError, FitStage, Gain, PARTS, StageReport};
use crate::weights::Aggregation;
use assize_domain::Digest;
use std::fmt::Write as _;

/// What only the caller knows about a fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FitProvenance {
    /// The community's short name for people: 1 to 80 characters without braces, or the file will be refused.
    pub title: String,
    /// Digest of the labelled examples as they were given.
    pub labels: Digest,
    /// The day of the fit, as `2026-01-31`.
    pub date: String,
}

/// How a header begins.
const FIRST_LINE: &str = "# Learnt from labelled examples; to learn again, fit again rather than edit.\n";

/// The fitted numbers to four decimals; exactly the parent's where they don't differ from it.
pub(super) fn rounded(fitted: &Numbers, parent: &Numbers) -> Numbers {
    let near = |fitted: f64, parent: f64| {
        let rounded = (fitted * PARTS).round() / PARTS;
        if (fitted - parent).abs() < 0.5 / PARTS { parent } else { rounded }
    };
    let mut numbers = parent.clone();
    for evidence in all_evidence() {
        let (fitted, parent) = (weight_of(&fitted.weights, evidence), weight_of(&parent.weights, evidence));
        if let Some(weight) = weight_mut(&mut numbers.weights, evidence) {
            *weight = near(fitted, parent);
        }
    }
    let effects = numbers.weights.leaf.effect.iter_mut().zip(fitted.weights.leaf.effect);
    effects.for_each(|(effect, fitted)| *effect = near(fitted, *effect));
    let thresholds = &mut numbers.thresholds;
    thresholds.block = near(fitted.thresholds.block, thresholds.block).max(thresholds.review);
    numbers
}

impl Fit {
    /// The file of a new community. It extends the parent, and read beside it gives the verdicts of this fit. Of a
    /// community that has a file already it would lose what that file holds: see [`Self::over`].
    pub fn to_toml(&self, provenance: &FitProvenance) -> String {
        let mut file = self.header(provenance);
        let title = toml::Value::String(provenance.title.clone());
        let parent = toml::Value::String(self.parent.as_str().to_owned());
        put(&mut file, format_args!("title = {title}\nextends = {parent}\n"));
        let mut table = "";
        for (key, value) in &self.learnt() {
            let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
            if parent != table {
                put(&mut file, format_args!("\n[{parent}]\n"));
                table = parent;
            }
            put(&mut file, format_args!("{name} = {:?}\n", value + 0.0));
        }
        file
    }

    /// The file of the community whose own profile was the base of the fit: `present`, as it is written, with the learnt
    /// numbers in their places and nothing else changed but the title, where another is given.
    ///
    /// # Errors
    /// When `present` is not TOML.
    pub fn over(&self, present: &str, provenance: &FitProvenance) -> Result<String, FitError> {
        let file = over::laid(without_header(present), provenance.title.trim(), &self.learnt());
        file.map(|file| self.header(provenance) + &file).ok_or(FitError::File)
    }

    /// The numbers that are others than the base's, by key.
    fn learnt(&self) -> Vec<(String, f64)> {
        let pairs = by_key(&self.numbers()).into_iter().zip(by_key(&self.inherited));
        pairs.filter(|((_, own), (_, parent))| own != parent).map(|(own, _)| own).collect()
    }

    fn numbers(&self) -> Numbers {
        Numbers { weights: self.weights.clone(), thresholds: self.thresholds, factor: 1.0 }
    }

    fn header(&self, provenance: &FitProvenance) -> String {
        let mut header = FIRST_LINE.to_owned();
        let mut line =
            |name: &str, text: String| put(&mut header, format_args!("# {name}: {}\n", one_line(&text)));
        line("date", provenance.date.clone());
        line("from", format!("{} {}", self.parent, self.parent_digest));
        for (model, precision) in &self.models {
            let precision = precision.map_or_else(String::new, |precision| format!(" in {}", precision.id()));
            line("model", format!("{} {}{precision}", model.name, model.revision));
        }
        let (labels, conversations, aside) = (self.labels, self.conversations, self.set_aside);
        line(
            "labels",
            format!("{labels} of {conversations} conversations, {aside} set aside, {}", provenance.labels),
        );
        line(
            "tried",
            format!("stages up to {}, spread {:?}", self.settings.highest.id(), self.settings.spread),
        );
        line("stage", self.chosen.id().to_owned());
        let chosen = self.stages.iter().find(|report| report.stage == self.chosen);
        match chosen {
            Some(report) if self.chosen != FitStage::Parent => {
                line("gain in log loss", interval(report.gain));
                line("gain in error", interval(report.error_gain));
            }
            Some(_) | None => {
                line("result", format!("not distinguishable from `{}`", self.parent));
                let best = self.stages.iter().min_by(|a, b| a.log_loss.total_cmp(&b.log_loss));
                let told = |best: &StageReport| format!("{} ({})", interval(best.gain), best.stage.id());
                line("best gain in log loss", best.map_or_else(String::new, told));
            }
        }
        header + "\n"
    }
}

/// A file that was learnt before, without that header: what holds now is told once.
fn without_header(text: &str) -> &str {
    if !text.starts_with(FIRST_LINE) {
        return text;
    }
    text.split_once("\n\n").map_or(text, |(_, rest)| rest)
}

/// Every number by its key, thresholds first.
fn by_key(numbers: &Numbers) -> Vec<(String, f64)> {
    let thresholds = [("review", numbers.thresholds.review), ("block", numbers.thresholds.block)];
    let thresholds = thresholds.map(|(key, value)| (format!("thresholds.{key}"), value));
    let weights = Aggregation::Assize(Box::new(numbers.weights.clone())).by_key();
    thresholds.into_iter().chain(weights).collect()
}

fn interval(gain: Gain) -> String {
    format!(
        "{:.4}, 95 % interval {:.4} to {:.4}, on left-out conversations",
        gain.estimate, gain.low, gain.high
    )
}

/// Writing to a String can't fail.
fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(more);
}

/// A comment ends where its line ends; nothing given may end it sooner.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c }).collect()
}

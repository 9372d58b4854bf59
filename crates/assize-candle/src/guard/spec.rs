//! A guard as data: what it is asked, in which words, and what its answers mean here. A file in `config/models/` is one of
//! these; a guard of a known architecture needs no code.

use assize_domain::{GuardHead, RiskCategory, Score};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A guard's file.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GuardSpec {
    /// Name in verdicts and metrics.
    pub name: String,
    /// What it is and where its format was read.
    pub summary: String,
    /// Most tokens of a question with its answers.
    pub context_tokens: usize,
    /// What happens to a text that does not fit.
    #[serde(default)]
    pub beyond: Beyond,
    /// Whether blanks around what was said are taken off, as the guard's own template does.
    #[serde(default)]
    pub strip: bool,
    /// A control token before everything, where the tokenizer adds it by itself.
    #[serde(default)]
    pub begin: Option<String>,
    /// The score at which an answer turns from no to yes, by head; 0.5 where absent.
    #[serde(default)]
    pub operating_points: BTreeMap<String, f32>,
    /// Correction of a head's log-odds.
    #[serde(default)]
    pub calibration: BTreeMap<String, SpecCalibration>,
    /// Templates by name. `{{prompt}}`, `{{response}}` and `{{criterion}}` are slots; what the tokenizer knows as an added
    /// token is control; all else is text.
    #[serde(default)]
    pub templates: BTreeMap<String, String>,
    /// What is asked.
    #[serde(default)]
    pub query: Vec<Query>,
    /// What the classes of a classifier say, where an engine elsewhere serves one: it is given the bare text.
    #[serde(default)]
    pub classify: Vec<Classify>,
}

/// What happens to a text that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// Its middle is left out, and the verdict says how much was read.
    #[default]
    CutMiddle,
    /// The guard says nothing.
    Refuse,
}

/// `scale * log-odds + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SpecCalibration {
    /// Above 0.
    pub scale: f32,
    /// In log-odds.
    pub offset: f32,
}

/// One question, or one for each criterion.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Name of the template.
    pub template: String,
    /// What it reads: the prompt alone, or the response after it.
    pub reads: Reads,
    /// What it is asked about, one after the other; none for a question without such a slot.
    #[serde(default)]
    pub criteria: Vec<Criterion>,
    /// What the guard writes, in its order.
    pub answers: Vec<Answer>,
}

/// What a question reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    /// The prompt; a slot for the response stays empty.
    Prompt,
    /// The response, after its prompt.
    Response,
}

/// What one call asks about.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Fills the slot.
    pub text: String,
    /// The head that a yes speaks for, beside the answer's own.
    #[serde(default)]
    pub head: Option<String>,
    /// The risk categories that a yes speaks for.
    #[serde(default)]
    pub risk: Vec<String>,
}

/// A place where the guard writes one of a few labels.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What it writes before the label.
    #[serde(default)]
    pub before: String,
    /// The head that the label speaks for; absent where a criterion says it, or for categories.
    #[serde(default)]
    pub head: Option<String>,
    /// The labels; their first tokens must differ.
    pub labels: Vec<Label>,
    /// The label that is written before the next answer; absent: the likeliest.
    #[serde(default)]
    pub then: Option<String>,
    /// Whether the label is about what an earlier answer found harmful: its probability is then multiplied by that one's.
    #[serde(default)]
    pub given_harmful: bool,
}

/// One label.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// As the guard writes it, with the blank before it.
    pub text: String,
    /// How much it is a yes, from 0 to 1.
    #[serde(default)]
    pub says: f32,
    /// The risk categories that it speaks for.
    #[serde(default)]
    pub risk: Vec<String>,
}

/// What a classifier is given, and what its classes say.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Classify {
    /// The prompt alone, or prompt and response as a pair.
    pub reads: Reads,
    /// The classes that say something; any other says nothing.
    pub classes: Vec<Class>,
}

/// A class of a classifier. Its score counts as a yes.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// As the classifier names it.
    pub label: String,
    /// The head that it speaks for.
    #[serde(default)]
    pub head: Option<String>,
    /// The risk categories that it speaks for.
    #[serde(default)]
    pub risk: Vec<String>,
}

/// A guard's file that can't be used. Every text names the place and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// No TOML, an unknown key, or a value of the wrong type.
    #[error("it is no guard's file")]
    Toml(#[from] toml::de::Error),
    /// A value that is not allowed.
    #[error("`{key}` is `{given}`; allowed: {allowed}")]
    NotAllowed {
        /// The key, with dots for nesting.
        key: String,
        /// What the file says.
        given: String,
        /// What it could say.
        allowed: String,
    },
}

/// What a model's name may be; it is a label in metrics and a word in verdicts.
pub(crate) const NAMES: &str = "1 to 64 lower-case letters, digits, `.`, `_`, `-`";

/// Whether a name is one of [`NAMES`].
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    (1..=64).contains(&name.len()) && name.chars().all(is_plain)
}

impl GuardSpec {
    /// Reads a guard's file and checks what can be checked without its tokenizer.
    ///
    /// # Errors
    /// Every variant of [`SpecError`].
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let spec: Self = toml::from_str(text)?;
        spec.check()?;
        Ok(spec)
    }

    /// The score at which a head's answer turns from no to yes.
    pub(super) fn operating_point(&self, head: GuardHead) -> Score {
        let named = self.operating_points.get(head.id()).and_then(|point| Score::new(*point).ok());
        named.unwrap_or(Score::HALF)
    }

    fn check(&self) -> Result<(), SpecError> {
        if !is_name(&self.name) {
            return refuse("name", &self.name, NAMES);
        }
        if self.context_tokens == 0 {
            return refuse("context_tokens", "0", "numbers from 1");
        }
        if self.query.is_empty() == self.classify.is_empty() {
            return refuse(
                "query",
                "empty or beside `classify`",
                "at least one `query`, or at least one `classify`",
            );
        }
        for class in self.classify.iter().flat_map(|classify| &classify.classes) {
            class.head.iter().try_for_each(|head| head_of("classify.classes.head", head).map(drop))?;
            risks("classify.classes.risk", &class.risk)?;
        }
        for (head, point) in &self.operating_points {
            head_of("operating_points", head)?;
            if !(*point > 0.0 && *point < 1.0) {
                return refuse(
                    &format!("operating_points.{head}"),
                    &point.to_string(),
                    "above 0 and below 1",
                );
            }
        }
        for (head, calibration) in &self.calibration {
            head_of("calibration", head)?;
            let is_allowed =
                calibration.scale.is_finite() && calibration.scale > 0.0 && calibration.offset.is_finite();
            if !is_allowed {
                let given = format!("scale {}, offset {}", calibration.scale, calibration.offset);
                return refuse(&format!("calibration.{head}"), &given, "a scale above 0, a finite offset");
            }
        }
        self.query.iter().enumerate().try_for_each(|(index, query)| self.check_query(index, query))
    }

    fn check_query(&self, index: usize, query: &Query) -> Result<(), SpecError> {
        let key = |rest: &str| format!("query.{index}.{rest}");
        if !self.templates.contains_key(&query.template) {
            let known: Vec<String> = self.templates.keys().map(|name| format!("`{name}`")).collect();
            return refuse(&key("template"), &query.template, &known.join(", "));
        }
        let text = self.templates.get(&query.template).map_or("", String::as_str);
        let needed = match query.reads {
            Reads::Prompt => "{{prompt}}",
            Reads::Response => "{{response}}",
        };
        if !text.contains(needed) {
            return refuse(&key("template"), &query.template, &format!("a template that holds `{needed}`"));
        }
        let harmful = |answer: &Answer| answer.head.as_deref().is_some_and(|head| head.ends_with("_harmful"));
        let first = query.answers.iter().position(harmful).unwrap_or(usize::MAX);
        if let Some(early) = query.answers.iter().position(|answer| answer.given_harmful)
            && early <= first
        {
            let allowed = "behind an answer whose head is `prompt_harmful` or `response_harmful`";
            return refuse(&key("answers.given_harmful"), "true", allowed);
        }
        if query.answers.is_empty() {
            return refuse(&key("answers"), "empty", "at least one answer");
        }
        for criterion in &query.criteria {
            criterion.head.iter().try_for_each(|head| head_of(&key("criteria.head"), head).map(drop))?;
            risks(&key("criteria.risk"), &criterion.risk)?;
        }
        for answer in &query.answers {
            answer.head.iter().try_for_each(|head| head_of(&key("answers.head"), head).map(drop))?;
            if answer.labels.len() < 2 {
                return refuse(&key("answers.labels"), &answer.labels.len().to_string(), "two or more");
            }
            for label in &answer.labels {
                risks(&key("answers.labels.risk"), &label.risk)?;
                if !(0.0..=1.0).contains(&label.says) {
                    return refuse(&key("answers.labels.says"), &label.says.to_string(), "0 to 1");
                }
            }
            let known = answer.labels.iter().map(|label| label.text.as_str());
            if let Some(then) = &answer.then
                && !known.clone().any(|text| text == then)
            {
                let known: Vec<String> = known.map(|text| format!("`{text}`")).collect();
                return refuse(&key("answers.then"), then, &known.join(", "));
            }
        }
        Ok(())
    }
}

fn refuse<T>(key: &str, given: &str, allowed: &str) -> Result<T, SpecError> {
    Err(SpecError::NotAllowed { key: key.to_owned(), given: given.to_owned(), allowed: allowed.to_owned() })
}

/// The head of this name.
pub(super) fn head_of(key: &str, name: &str) -> Result<GuardHead, SpecError> {
    let found = GuardHead::ALL.into_iter().find(|head| head.id() == name);
    let allowed = GuardHead::ALL.map(|head| format!("`{}`", head.id())).join(", ");
    found.map_or_else(|| refuse(key, name, &allowed), Ok)
}

/// The risk categories of these names.
pub(super) fn risks(key: &str, names: &[String]) -> Result<Vec<RiskCategory>, SpecError> {
    let of = |name: &String| {
        let found = RiskCategory::ALL.into_iter().find(|category| category.id() == name);
        let allowed = RiskCategory::ALL.map(|category| format!("`{}`", category.id())).join(", ");
        found.map_or_else(|| refuse(key, name, &allowed), Ok)
    };
    names.iter().map(of).collect()
}

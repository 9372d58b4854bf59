//! A guard's file, worked out for one tokenizer: which tokens to write, and between which of them the model chooses.

use super::spec::{self, Answer, Criterion, GuardSpec, Query, Reads, SpecError};
use crate::prompt::{Filling, LEAST_TEXT, Slot, Template, TemplateError, Vocabulary, VocabularyError};
use assize_domain::{GuardHead, RiskCategory};

/// A guard's file and a tokenizer that don't fit.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file by itself.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A template.
    #[error("the template `{name}` can't be used")]
    Template {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: TemplateError,
    },
    /// Two labels begin alike.
    #[error(
        "the labels `{one}` and `{other}` begin with the same token; put what they share into `before`, or leave one out"
    )]
    SameToken {
        /// A label.
        one: String,
        /// Another one.
        other: String,
    },
    /// The tokenizer joins what must stay apart.
    #[error(
        "the tokenizer joins `{after}` with what goes before it; put the blank or line break between them on the other side"
    )]
    Joined {
        /// The text that does not begin with a token of its own.
        after: String,
    },
    /// The tokenizer failed.
    #[error("a template can't be tokenised")]
    Vocabulary(#[from] VocabularyError),
    /// Nothing is left for what a user says.
    #[error("the template takes {taken} of `context_tokens` = {limit}; nothing is left for a text")]
    NoRoom {
        /// Tokens of the template and its answers.
        taken: usize,
        /// The limit.
        limit: usize,
    },
}

/// One call of the model: a template with one criterion.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) template: Template,
    pub(super) criterion: String,
    pub(super) reads: Reads,
    /// Written after the template, before the first label.
    pub(super) lead: Vec<u32>,
    pub(super) answers: Vec<PlannedAnswer>,
    /// What every question of this plan begins with.
    pub(super) prefix: Vec<u32>,
    /// Most tokens of a question, the answers not counted.
    pub(super) most_tokens: usize,
    /// Tokens of the empty template.
    pub(super) fixed_tokens: usize,
}

impl Plan {
    /// Tokens that answers take in the cache, at most.
    pub(super) fn written(&self) -> usize {
        let longest = |answer: &PlannedAnswer| answer.labels.iter().map(|label| label.after.len()).max();
        self.answers.iter().filter_map(longest).sum()
    }

    /// Most tokens of a question with its answers.
    pub fn most_tokens(&self) -> usize {
        self.most_tokens + self.lead.len() + self.written()
    }
}

/// A place where the model chooses.
#[derive(Debug, Clone)]
pub(super) struct PlannedAnswer {
    pub(super) labels: Vec<PlannedLabel>,
    /// Index of the label to go on with; `None`: the likeliest.
    pub(super) then: Option<usize>,
    pub(super) meaning: Meaning,
}

impl PlannedAnswer {
    /// What is written up to the next answer, after these chances of the labels.
    pub(super) fn go_on(&self, chances: &[f32]) -> &[u32] {
        let likeliest = chances.iter().enumerate().max_by(|(_, one), (_, other)| one.total_cmp(other));
        let next = self.then.or(likeliest.map(|(index, _)| index)).unwrap_or_default();
        self.labels.get(next).map_or(&[], |label| &label.after)
    }
}

/// What an answer says about.
#[derive(Debug, Clone, Default)]
pub(super) struct Meaning {
    pub(super) heads: Vec<GuardHead>,
    /// Of a yes as such.
    pub(super) risk: Vec<RiskCategory>,
    pub(super) given_harmful: bool,
}

/// A label, and what follows where it is gone on with.
#[derive(Debug, Clone)]
pub(super) struct PlannedLabel {
    pub(super) token: u32,
    /// The label itself and what stands before the next answer's.
    pub(super) after: Vec<u32>,
    pub(super) says: f32,
    pub(super) risk: Vec<RiskCategory>,
}

/// All calls of a guard.
pub(super) fn plans(spec: &GuardSpec, vocabulary: &Vocabulary) -> Result<Vec<Plan>, PlanError> {
    let mut plans = Vec::new();
    for query in &spec.query {
        let text = spec.templates.get(&query.template).map_or("", String::as_str);
        let template = Template::parse(text, spec.begin.as_deref(), vocabulary)
            .map_err(|source| PlanError::Template { name: query.template.clone(), source })?;
        if query.criteria.is_empty() {
            plans.push(plan(spec, (query, None), &template, vocabulary)?);
        }
        for criterion in &query.criteria {
            plans.push(plan(spec, (query, Some(criterion)), &template, vocabulary)?);
        }
    }
    Ok(plans)
}

fn plan(
    spec: &GuardSpec,
    (query, criterion): (&Query, Option<&Criterion>),
    template: &Template,
    vocabulary: &Vocabulary,
) -> Result<Plan, PlanError> {
    if template.has(Slot::Criterion) != criterion.is_some() {
        return Err(PlanError::Spec(SpecError::NotAllowed {
            key: format!("templates.{}", query.template),
            given: if criterion.is_some() { "without {{criterion}}" } else { "with {{criterion}}" }
                .to_owned(),
            allowed: "the slot and `criteria` together, or neither".to_owned(),
        }));
    }
    let text = criterion.map_or("", |criterion| criterion.text.as_str());
    let (tail, is_first) = template.tail();
    let writer = Writer { vocabulary, is_first };
    let (lead, answers) = writer.answers(&tail, query)?;
    let answers = answers.into_iter().zip(&query.answers).map(|(labels, answer)| {
        Ok(PlannedAnswer {
            then: answer.labels.iter().position(|label| Some(&label.text) == answer.then.as_ref()),
            labels,
            meaning: meaning(answer, criterion)?,
        })
    });
    let answers: Vec<PlannedAnswer> = answers.collect::<Result<_, SpecError>>()?;
    let longest = |answer: &PlannedAnswer| answer.labels.iter().map(|label| label.after.len()).max();
    let written: usize = lead.len() + answers.iter().filter_map(longest).sum::<usize>();
    let empty = Filling { criterion: text, ..Filling::default() };
    let fixed_tokens = template.fill(&empty, vocabulary)?.len();
    let prefix = template.beginning(text, vocabulary)?;
    let most_tokens = spec.context_tokens.saturating_sub(written);
    if fixed_tokens + LEAST_TEXT > most_tokens {
        let taken = fixed_tokens + written;
        return Err(PlanError::NoRoom { taken, limit: spec.context_tokens });
    }
    let (template, criterion) = (template.clone(), text.to_owned());
    Ok(Plan { template, criterion, reads: query.reads, lead, answers, prefix, most_tokens, fixed_tokens })
}

fn meaning(answer: &Answer, criterion: Option<&Criterion>) -> Result<Meaning, SpecError> {
    let named = answer.head.iter().chain(criterion.and_then(|criterion| criterion.head.as_ref()));
    let heads = named.map(|name| spec::head_of("head", name)).collect::<Result<_, _>>()?;
    let risk = criterion.map_or(Ok(Vec::new()), |criterion| spec::risks("risk", &criterion.risk))?;
    Ok(Meaning { heads, risk, given_harmful: answer.given_harmful })
}

/// Works out which tokens an answer's text is, after what stands before it.
struct Writer<'a> {
    vocabulary: &'a Vocabulary,
    is_first: bool,
}

impl Writer<'_> {
    fn answers(&self, tail: &str, query: &Query) -> Result<(Vec<u32>, Vec<Vec<PlannedLabel>>), PlanError> {
        let first = query.answers.first().map_or("", |answer| answer.before.as_str());
        let lead = self.after(tail, first)?;
        let mut before = format!("{tail}{first}");
        let mut planned = Vec::new();
        for (index, answer) in query.answers.iter().enumerate() {
            let next = query.answers.get(index + 1).map_or("", |answer| answer.before.as_str());
            let labels = self.labels(&before, answer, next)?;
            if let Some(label) = answer.labels.first() {
                before = format!("{before}{}{next}", label.text);
            }
            planned.push(labels);
        }
        Ok((lead, planned))
    }

    fn labels(&self, before: &str, answer: &Answer, next: &str) -> Result<Vec<PlannedLabel>, PlanError> {
        let mut planned: Vec<PlannedLabel> = Vec::new();
        for label in &answer.labels {
            let own = self.after(before, &label.text)?;
            let after = self.after(before, &format!("{}{next}", label.text))?;
            let token = own.first().copied().filter(|_| after.starts_with(&own));
            let token = token.ok_or_else(|| PlanError::Joined { after: next.to_owned() })?;
            if let Some(index) = planned.iter().position(|other| other.token == token) {
                let other = answer.labels.get(index).map_or("", |label| label.text.as_str());
                return Err(PlanError::SameToken { one: label.text.clone(), other: other.to_owned() });
            }
            let risk = spec::risks("labels.risk", &label.risk)?;
            planned.push(PlannedLabel { token, after, says: label.says, risk });
        }
        Ok(planned)
    }

    /// The tokens of `text` where it follows `before`.
    fn after(&self, before: &str, text: &str) -> Result<Vec<u32>, PlanError> {
        let alone = self.vocabulary.text(before, self.is_first)?;
        let whole = self.vocabulary.text(&format!("{before}{text}"), self.is_first)?;
        let added = whole.strip_prefix(alone.as_slice());
        added.map(<[u32]>::to_vec).ok_or_else(|| PlanError::Joined { after: text.to_owned() })
    }
}

//! From a conversation to a guard's questions, and from its choices to what it says: pure but for the tokenizer.

use super::{
    judge::{Choices, Question},
    opinion::{Opinion, OpinionError, calibrated},
    plan::{Meaning, Plan, PlannedAnswer},
    spec::{Beyond, GuardSpec, Reads},
};
use crate::prompt::{Filling, GAP_TOKENS, Vocabulary};
use assize_domain::{Conversation, Coverage, GuardHead, RiskCategory, Score, Subject, TurnText};
use assize_inference::Weigh;
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// Turns conversations into a guard's questions. Shared by all requests; holds no text.
#[derive(Debug)]
pub struct GuardReader {
    pub(super) spec: GuardSpec,
    pub(super) vocabulary: Vocabulary,
    pub(super) plans: Arc<[Plan]>,
}

/// A conversation on its way through a guard.
#[derive(Debug)]
pub struct GuardReading {
    questions: Vec<Question>,
    asked: Vec<usize>,
    prompt_coverage: Option<Coverage>,
    response_coverage: Option<Coverage>,
}

impl GuardReading {
    /// Tokens to be read, those that are shared not counted: what it weighs.
    pub fn tokens(&self) -> usize {
        self.questions.iter().map(Weigh::tokens).sum()
    }

    /// Hands the questions over; [`GuardReader::opinion`] wants the choices in the same order.
    pub fn take_questions(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.questions)
    }

    /// How much of the prompt is in the questions; `None` where it is in none.
    pub const fn prompt_coverage(&self) -> Option<Coverage> {
        self.prompt_coverage
    }

    /// Whether the guard has nothing to say about what is judged.
    pub const fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }
}

impl GuardReader {
    /// The guard's file.
    pub const fn spec(&self) -> &GuardSpec {
        &self.spec
    }

    /// All calls of the guard.
    pub fn plans(&self) -> Arc<[Plan]> {
        Arc::clone(&self.plans)
    }

    /// The shortest question there is, for probing; `None` for a guard without plans.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn probe(&self) -> Result<Option<Question>, OpinionError> {
        let plan = self.plans.iter().enumerate().min_by_key(|(_, plan)| plan.fixed_tokens);
        plan.map(|plan| self.question(plan, "hello", "").map(|(question, _)| question)).transpose()
    }

    /// Asks about what is judged.
    ///
    /// # Errors
    /// When a text can't be tokenised, or is too long and must not be cut.
    pub fn read(&self, conversation: &Conversation) -> Result<GuardReading, OpinionError> {
        let prompt = self.said(conversation.prompt().into_iter());
        let response = self.said(conversation.response());
        let mut reading = GuardReading {
            questions: Vec::new(),
            asked: Vec::new(),
            prompt_coverage: None,
            response_coverage: None,
        };
        for (index, plan) in self.plans.iter().enumerate().filter(|(_, plan)| self.asks(plan, conversation)) {
            let response = match plan.reads {
                Reads::Prompt => "",
                Reads::Response => response.as_str(),
            };
            let (question, [of_prompt, of_response]) = self.question((index, plan), &prompt, response)?;
            reading.asked.push(index);
            reading.questions.push(question);
            if conversation.judges(Subject::Prompt) {
                reading.prompt_coverage = Some(less(reading.prompt_coverage, of_prompt));
            }
            if plan.reads == Reads::Response {
                reading.response_coverage = Some(less(reading.response_coverage, of_response));
            }
        }
        Ok(reading)
    }

    /// Whether a plan answers something that is wanted and that none before it answers.
    fn asks(&self, plan: &Plan, conversation: &Conversation) -> bool {
        let by_response = |plan: &Plan| plan.reads == Reads::Response;
        let of_prompt = |plan: &Plan| speaks_for(plan, Subject::Prompt);
        match plan.reads {
            Reads::Response => conversation.judges(Subject::Response),
            Reads::Prompt => {
                let both = conversation.judges(Subject::Response);
                let answered = both && self.plans.iter().any(|plan| by_response(plan) && of_prompt(plan));
                conversation.judges(Subject::Prompt) && !answered
            }
        }
    }

    fn said<'a>(&self, turns: impl Iterator<Item = &'a TurnText>) -> String {
        let said: Vec<&str> = turns.map(TurnText::reveal).collect();
        let said = said.join("\n");
        if self.spec.strip { said.trim().to_owned() } else { said }
    }

    /// The tokens of one plan, and how much of prompt and response is in them.
    fn question(
        &self,
        (index, plan): (usize, &Plan),
        prompt: &str,
        response: &str,
    ) -> Result<(Question, [Coverage; 2]), OpinionError> {
        let mut room = plan.most_tokens - plan.fixed_tokens;
        let criterion = plan.criterion.as_str();
        loop {
            let (texts, coverage) = self.fitted([prompt, response], room)?;
            let [prompt, response] = &texts;
            let mut tokens =
                plan.template.fill(&Filling { prompt, response, criterion }, &self.vocabulary)?;
            // Together they can be a few tokens more than apart.
            if let Some(over) = tokens.len().checked_sub(plan.most_tokens + 1) {
                room = room.saturating_sub(over + 1);
                continue;
            }
            let shared = tokens.iter().zip(&plan.prefix).take_while(|(one, other)| one == other).count();
            tokens.extend(&plan.lead);
            return Ok((Question { plan: index, tokens, shared }, coverage));
        }
    }

    /// Texts that take `room` tokens together, cut where they must be: the longer first, down to what the shorter has.
    fn fitted<'a>(
        &self,
        texts: [&'a str; 2],
        room: usize,
    ) -> Result<([Cow<'a, str>; 2], [Coverage; 2]), OpinionError> {
        let [one, other] = texts.map(|text| self.vocabulary.shortened(text, usize::MAX));
        let (counts, whole) = ([one?, other?], room);
        let [(one, _), (other, _)] = &counts;
        if one + other <= whole {
            let coverage = [*one, *other].map(|tokens| covered(tokens, tokens));
            return Ok((counts.map(|(_, text)| text), coverage));
        }
        if self.spec.beyond == Beyond::Refuse {
            return Err(OpinionError::TooLong { tokens: one + other, limit: room });
        }
        let (half, rest) = (room / 2, |short: usize| room.saturating_sub(short));
        let most = if *one <= half {
            [*one, rest(*one)]
        } else if *other <= half {
            [rest(*other), *other]
        } else {
            [half, half]
        };
        let [first, second] = texts;
        let [most_first, most_second] = most;
        // What marks the gap takes a few tokens itself.
        let cut = |text, most: usize, count: usize| {
            let most = if most < count { most.saturating_sub(GAP_TOKENS) } else { most };
            self.vocabulary.shortened(text, most).map(|(_, text)| (text, covered(count, most.min(count))))
        };
        let (first, second) = (cut(first, most_first, *one)?, cut(second, most_second, *other)?);
        Ok(([first.0, second.0], [first.1, second.1]))
    }

    /// What the guard says, from its choices.
    ///
    /// # Errors
    /// [`OpinionError::NotFinite`].
    pub fn opinion(&self, reading: &GuardReading, choices: &[Choices]) -> Result<Opinion, OpinionError> {
        let mut heads = [None; GuardHead::ALL.len()];
        let mut risk: BTreeMap<RiskCategory, f32> = BTreeMap::new();
        for (plan, choices) in reading.asked.iter().filter_map(|index| self.plans.get(*index)).zip(choices) {
            let mut harmful = 1.0_f32;
            for (answer, chances) in plan.answers.iter().zip(&choices.0) {
                let yes = yes(answer, chances)?;
                for head in &answer.meaning.heads {
                    let yes = self.calibrated(*head, yes);
                    if let Some(score) = heads.get_mut(head.index()) {
                        *score = Some(score.map_or(yes, |other: f32| other.max(yes)));
                    }
                    if matches!(head, GuardHead::PromptHarmful | GuardHead::ResponseHarmful) {
                        harmful = yes;
                    }
                }
                // What a reply is about is no risk of the prompt.
                if plan.reads == Reads::Response && !speaks_for(plan, Subject::Prompt) {
                    continue;
                }
                let share = if answer.meaning.given_harmful { harmful } else { 1.0 };
                for (category, score) in spoken_for(answer, chances, yes) {
                    let most = risk.entry(category).or_default();
                    *most = most.max(score * share);
                }
            }
        }
        let score = |value: f32| Score::new(value.clamp(0.0, 1.0)).map_err(|_| OpinionError::NotFinite);
        let mut scored = [None; GuardHead::ALL.len()];
        for (to, from) in scored.iter_mut().zip(heads) {
            *to = from.map(score).transpose()?;
        }
        let risk = risk.into_iter().map(|(category, value)| Ok((category, score(value)?)));
        Ok(Opinion {
            heads: scored,
            risk: risk.collect::<Result<_, OpinionError>>()?,
            prompt_coverage: reading.prompt_coverage,
            response_coverage: reading.response_coverage,
        })
    }

    fn calibrated(&self, head: GuardHead, chance: f32) -> f32 {
        calibrated(&self.spec, head, chance)
    }
}

fn covered(tokens: usize, judged: usize) -> Coverage {
    Coverage { tokens, judged, unknown: 0, windows: 1 }
}

fn less(known: Option<Coverage>, next: Coverage) -> Coverage {
    known.filter(|known| known.judged <= next.judged).unwrap_or(next)
}

fn speaks_for(plan: &Plan, subject: Subject) -> bool {
    let of = |head: &GuardHead| match head {
        GuardHead::PromptHarmful | GuardHead::Adversarial => Subject::Prompt,
        GuardHead::ResponseHarmful | GuardHead::ResponseRefusal => Subject::Response,
    };
    plan.answers.iter().flat_map(|answer| &answer.meaning.heads).any(|head| of(head) == subject)
}

/// How much the labels are a yes, together.
fn yes(answer: &PlannedAnswer, chances: &[f32]) -> Result<f32, OpinionError> {
    let yes: f32 = answer.labels.iter().zip(chances).map(|(label, chance)| label.says * chance).sum();
    if yes.is_finite() && chances.len() == answer.labels.len() {
        Ok(yes)
    } else {
        Err(OpinionError::NotFinite)
    }
}

/// The risk categories that an answer speaks for, each with its score.
fn spoken_for(
    answer: &PlannedAnswer,
    chances: &[f32],
    yes: f32,
) -> impl Iterator<Item = (RiskCategory, f32)> {
    let Meaning { risk, .. } = &answer.meaning;
    let of_yes = risk.iter().map(move |category| (*category, yes));
    let of_labels = answer.labels.iter().zip(chances);
    let of_labels =
        of_labels.flat_map(|(label, chance)| label.risk.iter().map(|category| (*category, *chance)));
    let all: Vec<_> = of_yes.chain(of_labels).collect();
    all.into_iter()
}

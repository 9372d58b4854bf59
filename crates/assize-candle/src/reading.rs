//! Reading a conversation: which sequences the encoder sees for it, and how its answers become one assessment.
//!
//! The prompt is read alone and, where the user said something before, in its context. Alone: an old bad turn must
//! not make "hello" a bad prompt. In context: a request that is split over turns must not slip through. The context
//! is read by itself too, and the prompt answers only for what it adds to it:
//!
//! ```text
//! harmful = max( p(prompt), p(context + prompt) × (1 - p(context)) )
//! ```
//!
//! A model that learnt to judge a turn in the light of earlier ones (`input.context = "separated"` in its card) answers
//! for the turn itself; then `harmful = max( p(prompt), p(prompt in its context) )`.
//!
//! The response is read as the second segment after its prompt: alone or with the context, whichever governs the
//! prompt, for the same two reasons. Long text is cut into windows; the two ends of a long prompt are read by themselves, too.

mod combine;
mod compose;
mod topics;
mod trees;
mod unmask;
mod windows;
mod words;

pub use compose::{Composer, InvalidTokenizer};

use crate::calibrate::{self, NotFinite};
use crate::{
    ContextForm, Framing, GuardEncoder, GuardModel, GuardTokenizer, HeadLogits, ModelCard, Sequence,
    SequenceTooLong, TokenizeError,
};
use assize_domain::{
    Assessment, Conversation, Coverage, GuardScores, ModelIdentity, Precision, Subject, TopicSignals,
    TreeOutcome, TurnText,
};
use std::ops::Range;
use std::sync::Arc;
use topics::TopicFinder;

/// A conversation that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The tokenizer failed.
    #[error("the text can't be tokenised")]
    Tokenize(#[source] TokenizeError),
    /// A sequence came out too long: a defect of the windows.
    #[error("a window is too long")]
    Window(#[source] SequenceTooLong),
}

/// Turns conversations into sequences. Shared by all requests; holds no text.
#[derive(Debug)]
pub struct Reader {
    tokenizer: GuardTokenizer,
    framing: Framing,
    topics: TopicFinder,
    judge: Arc<Judge>,
}

/// What every assessment of one model has in common.
#[derive(Debug)]
struct Judge {
    card: ModelCard,
    identity: ModelIdentity,
    precision: Precision,
}

/// One conversation on its way through the encoder: its sequences, and where each answer belongs.
#[derive(Debug)]
pub struct Reading {
    sequences: Vec<Sequence>,
    plan: Plan,
    judge: Arc<Judge>,
}

/// What one side said, in word pieces.
#[derive(Default)]
struct Text {
    ids: Vec<u32>,
    /// The second view: without a disguise of its spelling; `None` where there is none.
    plain: Option<String>,
    plain_ids: Option<Vec<u32>>,
}

/// Which of the sequences are which view. Ranges, because a view can have several windows.
#[derive(Debug, Clone, Default)]
struct Plan {
    prompt: Range<usize>,
    /// The context alone and the context with the prompt: one sequence each, or none.
    in_context: Option<InContext>,
    /// The response after its prompt alone, and after context and prompt; used is the one that governs the prompt.
    response: Option<Part>,
    response_in_context: Option<Part>,
    /// Absent where only the response is judged: the prompt is then read for its harms, benefits and context.
    prompt_coverage: Option<Coverage>,
    /// Topics of prompt and response, and of the earlier turns: those count where the context governs.
    topics: TopicSignals,
    topics_in_context: TopicSignals,
}

/// The windows of a text, and how much of it they hold.
#[derive(Debug, Clone)]
struct Part {
    windows: Range<usize>,
    coverage: Coverage,
}

#[derive(Debug, Clone, Copy)]
struct InContext {
    /// Only where both are joined to one text.
    context: Option<usize>,
    joined: usize,
}

impl Reader {
    /// Parts a model into what reads and what computes: many threads read, one owns the encoder.
    pub fn split(model: GuardModel) -> (Self, GuardEncoder) {
        let GuardModel { identity, card, framing, tokenizer, encoder, .. } = model;
        let judge = Arc::new(Judge { card, identity, precision: encoder.precision() });
        (Self { tokenizer, framing, topics: TopicFinder::new(), judge }, encoder)
    }

    /// The shortest input there is, for probing the encoder.
    ///
    /// # Errors
    /// When the model's window can't hold even that.
    pub fn probe(&self) -> Result<Sequence, ReadError> {
        Sequence::single(self.framing, &[self.framing.sep]).map_err(ReadError::Window)
    }

    /// Tokenises what is judged, with its context, and cuts it into sequences.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn read(&self, conversation: &Conversation) -> Result<Reading, ReadError> {
        let prompt = self.text(conversation.prompt().into_iter())?;
        let context = self.context(conversation)?;
        let mut reading =
            Reading { sequences: Vec::new(), plan: Plan::default(), judge: Arc::clone(&self.judge) };
        // Read also where only the response is judged: its harms and benefits are those of the prompt.
        if conversation.judges(Subject::Prompt) || !prompt.ids.is_empty() {
            let coverage = self.read_prompt(&mut reading, &prompt, &context)?;
            reading.plan.prompt_coverage = conversation.judges(Subject::Prompt).then_some(coverage);
        }
        let response = self.text(conversation.response())?;
        if conversation.judges(Subject::Response) {
            reading.plan.response = Some(self.read_response(&mut reading, (&[], &prompt.ids), &response)?);
            if !context.is_empty() {
                let joined = [context.as_slice(), &prompt.ids].concat();
                let asked: (&[u32], &[u32]) = match self.judge.card.input.context {
                    ContextForm::Joined => (&[], &joined),
                    ContextForm::Separated => (&context, &prompt.ids),
                };
                reading.plan.response_in_context =
                    Some(self.read_response(&mut reading, asked, &response)?);
            }
        }
        let texts = conversation.prompt().into_iter().chain(conversation.response()).map(TurnText::reveal);
        let plain = prompt.plain.iter().chain(&response.plain).map(String::as_str);
        reading.plan.topics = self.topics.find(texts.chain(plain));
        reading.plan.topics_in_context =
            self.topics.find(conversation.earlier_user_turns().map(TurnText::reveal));
        Ok(reading)
    }

    /// The word pieces of what one side said, as written and without its disguise.
    fn text<'a>(&self, turns: impl Iterator<Item = &'a TurnText>) -> Result<Text, ReadError> {
        let mut text = Text::default();
        let mut all = Vec::new();
        for turn in turns {
            text.ids.extend(self.ids(turn)?);
            all.push(turn.reveal());
        }
        let all = all.join("\n");
        text.plain = unmask::unmasked(&all);
        text.plain_ids =
            text.plain.as_deref().map(|plain| compose::ids(&self.tokenizer, plain)).transpose()?;
        Ok(text)
    }

    fn ids(&self, text: &TurnText) -> Result<Vec<u32>, ReadError> {
        compose::ids(&self.tokenizer, text.reveal())
    }

    fn context(&self, conversation: &Conversation) -> Result<Vec<u32>, ReadError> {
        let turns = conversation.earlier_user_turns().rev().map(TurnText::reveal);
        compose::context(&self.tokenizer, turns, self.judge.card.input.window_tokens)
    }

    /// Takes what the model does not know out of what was judged.
    fn known(&self, coverage: Coverage, ids: &[u32], windows: &[Range<usize>]) -> Coverage {
        let unknown = self.tokenizer.unknown();
        let is_held = |index: usize| windows.iter().any(|window| window.contains(&index));
        let unknown = ids.iter().enumerate().filter(|(index, id)| **id == unknown && is_held(*index)).count();
        Coverage { judged: coverage.judged.saturating_sub(unknown), unknown, ..coverage }
    }

    /// The second view, too, is made of windows of the text: what any of them shows is in it.
    fn read_prompt(
        &self,
        reading: &mut Reading,
        prompt: &Text,
        context: &[u32],
    ) -> Result<Coverage, ReadError> {
        let input = &self.judge.card.input;
        let capacity = input.window_tokens.saturating_sub(Sequence::SINGLE_OVERHEAD);
        let (windows, coverage) = windows::cut(prompt.ids.len(), capacity, input.max_windows);
        let coverage = self.known(coverage, &prompt.ids, &windows);
        let ends = parts(&prompt.ids, windows::short_ends(prompt.ids.len()));
        let parts =
            parts(&prompt.ids, windows).chain(ends).chain(prompt.plain_parts(capacity, input.max_windows));
        let sequences = parts.map(|part| Sequence::single(self.framing, part).map_err(ReadError::Window));
        reading.plan.prompt = reading.append(sequences)?;
        if context.is_empty() {
            return Ok(coverage);
        }
        reading.plan.in_context = Some(self.read_in_context(reading, &prompt.ids, context)?);
        Ok(coverage)
    }

    fn read_in_context(
        &self,
        reading: &mut Reading,
        prompt: &[u32],
        context: &[u32],
    ) -> Result<InContext, ReadError> {
        let tokens = self.judge.card.input.window_tokens;
        match self.judge.card.input.context {
            ContextForm::Joined => {
                let room = tokens.saturating_sub(Sequence::SINGLE_OVERHEAD + context.len());
                let joined = [context, &windows::ends(prompt, room)].concat();
                let both = [context, joined.as_slice()].map(|ids| Sequence::single(self.framing, ids));
                let placed =
                    reading.append(both.into_iter().map(|sequence| sequence.map_err(ReadError::Window)))?;
                Ok(InContext { context: Some(placed.start), joined: placed.start + 1 })
            }
            ContextForm::Separated => {
                let sequence = compose::single(self.framing, context, prompt, tokens);
                let placed = reading.append(std::iter::once(sequence.map_err(ReadError::Window)))?;
                Ok(InContext { context: None, joined: placed.start })
            }
        }
    }

    /// `asked` is the context, where it is read apart, and the prompt.
    fn read_response(
        &self,
        reading: &mut Reading,
        asked: (&[u32], &[u32]),
        response: &Text,
    ) -> Result<Part, ReadError> {
        let input = &self.judge.card.input;
        let overhead = if asked.0.is_empty() { Sequence::PAIR_OVERHEAD } else { compose::PAIR_OVERHEAD };
        let capacity = input.window_tokens.saturating_sub(overhead);
        let room = windows::prompt_room(capacity, response.ids.len(), input.prompt_share);
        let (context, prompt) = compose::asked(asked.0, asked.1, room);
        let capacity = capacity.saturating_sub(prompt.len() + context.len());
        let (windows, coverage) = windows::cut(response.ids.len(), capacity, input.max_windows);
        let coverage = self.known(coverage, &response.ids, &windows);
        let parts = parts(&response.ids, windows).chain(response.plain_parts(capacity, input.max_windows));
        let sequences =
            parts.map(|part| compose::pair(self.framing, context, &prompt, part).map_err(ReadError::Window));
        Ok(Part { windows: reading.append(sequences)?, coverage })
    }
}

impl Text {
    /// The windows of the second view.
    fn plain_parts(&self, capacity: usize, max_windows: usize) -> impl Iterator<Item = &[u32]> {
        self.plain_ids
            .iter()
            .flat_map(move |ids| parts(ids, windows::cut(ids.len(), capacity, max_windows).0))
    }
}

fn parts(ids: &[u32], windows: Vec<Range<usize>>) -> impl Iterator<Item = &[u32]> {
    windows.into_iter().filter_map(|window| ids.get(window))
}

impl Reading {
    /// Tokens over all sequences, control tokens included: what it weighs.
    pub fn tokens(&self) -> usize {
        self.sequences.iter().map(Sequence::tokens).sum()
    }

    /// Hands the sequences over to the encoder; [`Self::assess`] wants the answers in the same order.
    pub fn take_sequences(&mut self) -> Vec<Sequence> {
        std::mem::take(&mut self.sequences)
    }

    /// Puts the encoder's answers together: output *i* belongs to sequence *i*.
    ///
    /// # Errors
    /// When a guard score is not finite. Masses that are not finite make the tree unusable instead.
    pub fn assess(self, outputs: &[HeadLogits]) -> Result<Assessment, NotFinite> {
        let (plan, card) = (&self.plan, &self.judge.card);
        let read =
            |windows: &Range<usize>| combine::windows(outputs.get(windows.clone()).unwrap_or_default());
        let in_context = plan.in_context.and_then(|view| {
            let context = view.context.and_then(|context| outputs.get(context));
            Some((context, outputs.get(view.joined)?))
        });
        let prompt = read(&plan.prompt).map(|alone| combine::prompt(alone, in_context, card)).transpose()?;
        let context_governs = prompt.as_ref().is_some_and(|prompt| prompt.context_governs);
        let in_context = plan.response_in_context.as_ref().filter(|_| context_governs);
        let response = in_context.or(plan.response.as_ref());
        let found = response.and_then(|part| read(&part.windows));
        let scores = found.map(|found| calibrate::response_scores(&found.logits, card)).transpose()?;
        let (prompt, tree) =
            prompt.map_or((None, TreeOutcome::NotRequested), |read| (Some(read.scores), read.tree));
        let prompt = prompt.filter(|_| plan.prompt_coverage.is_some());
        Ok(Assessment {
            guard: GuardScores { prompt, response: scores },
            operating_points: card.operating_points,
            tree,
            topics: if context_governs { plan.topics.and(plan.topics_in_context) } else { plan.topics },
            prompt_coverage: plan.prompt_coverage,
            response_coverage: response.map(|part| part.coverage),
            model: self.judge.identity.clone(),
            precision: Some(self.judge.precision),
            consulted: Vec::new(),
        })
    }

    fn append(
        &mut self,
        sequences: impl Iterator<Item = Result<Sequence, ReadError>>,
    ) -> Result<Range<usize>, ReadError> {
        let start = self.sequences.len();
        for sequence in sequences {
            self.sequences.push(sequence?);
        }
        Ok(start..self.sequences.len())
    }
}

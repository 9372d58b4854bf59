//! From a conversation to the two texts that are to be written about it: pure but for the tokenizer.

use super::{
    spec::{ReporterSpec, ReporterSpecError},
    writer::TreeText,
};
use crate::{
    guard::Beyond,
    prompt::{Filling, GAP_TOKENS, LEAST_TEXT, Slot, Template, TemplateError, Vocabulary, VocabularyError},
    writing::{
        Grammar, GrammarCompiler, GrammarError, Progress, Sampling, TokenBytes, TreeSide, WriteRequest,
        tree_schema,
    },
};
use assize_domain::{Conversation, Coverage, Subject};
use std::{borrow::Cow, num::NonZeroUsize, sync::Arc};

/// Turns conversations into a reporter's texts. Shared by all requests; holds no text.
#[derive(Debug)]
pub struct ReporterReader {
    strip: bool,
    /// Each as the template has it, and as a user's text may have it.
    markers: Vec<(String, String)>,
    beyond: Beyond,
    answer_tokens: NonZeroUsize,
    sampling: Sampling,
    harms: SideReader,
    benefits: SideReader,
}

/// What is asked for one side.
#[derive(Debug)]
pub(super) struct SideReader {
    template: Template,
    vocabulary: Arc<Vocabulary>,
    stop: Vec<u32>,
    grammar: Option<Arc<Grammar>>,
    /// What every prompt begins with.
    pub(super) beginning: Vec<u32>,
    /// Tokens of a text and the template together, at most.
    most_tokens: usize,
    /// Tokens of the empty template.
    fixed_tokens: usize,
}

/// A conversation on its way through a reporter.
#[derive(Debug)]
pub struct ReporterReading {
    /// Harms and benefits.
    pub texts: [TreeText; 2],
    /// How much of the prompt is in both of them.
    pub coverage: Coverage,
}

impl ReporterReading {
    /// Has each side tell how far it is.
    pub fn tell(&mut self, progress: &[Progress; 2]) {
        for (text, progress) in self.texts.iter_mut().zip(progress) {
            text.request.progress = progress.clone();
        }
    }
}

/// A reporter's file and a tokenizer that don't fit.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The file by itself.
    #[error(transparent)]
    Spec(#[from] ReporterSpecError),
    /// A template, or a control token.
    #[error("the template `{side}` or one of its control tokens can't be used")]
    Template {
        /// Which side's.
        side: &'static str,
        /// Why.
        #[source]
        source: TemplateError,
    },
    /// A slot that nothing fills.
    #[error("the template `{side}` holds `{{{{{slot}}}}}`; a reporter reads `{{{{prompt}}}}` alone")]
    Slot {
        /// Which side's.
        side: &'static str,
        /// Which slot.
        slot: &'static str,
    },
    /// The tokenizer failed.
    #[error("a template can't be tokenised")]
    Vocabulary(#[from] VocabularyError),
    /// The grammar can't be made.
    #[error("the grammar can't be made for the checkpoint's tokens")]
    Grammar(#[from] GrammarError),
    /// Nothing is left for what a user says.
    #[error("template and answer take {taken} of `context_tokens` = {limit}; nothing is left for a text")]
    NoRoom {
        /// Tokens of the template and of what is written.
        taken: usize,
        /// The limit.
        limit: usize,
    },
}

/// A prompt that a reporter can't be given. Never quotes it.
#[derive(Debug, thiserror::Error)]
pub enum UnreadablePrompt {
    /// The tokenizer failed.
    #[error("the prompt can't be tokenised")]
    Vocabulary(#[from] VocabularyError),
    /// It is too long, and must not be cut.
    #[error("the prompt has {tokens} tokens, over the reporter's limit of {limit}")]
    TooLong {
        /// Its tokens.
        tokens: usize,
        /// The most.
        limit: usize,
    },
}

impl SideReader {
    /// Fits one side of a reporter's file to a tokenizer.
    pub(super) fn new(
        spec: &ReporterSpec,
        side: TreeSide,
        vocabulary: Arc<Vocabulary>,
        tokens: &TokenBytes,
    ) -> Result<Self, FitError> {
        let text = match side {
            TreeSide::Harms => &spec.templates.harms,
            TreeSide::Benefits => &spec.templates.benefits,
        };
        let unusable = |source| FitError::Template { side: side.id(), source };
        let template = Template::parse(text, spec.begin.as_deref(), &vocabulary).map_err(unusable)?;
        if let Some(slot) = [Slot::Response, Slot::Criterion].into_iter().find(|slot| template.has(*slot)) {
            return Err(FitError::Slot { side: side.id(), slot: slot.id() });
        }
        let stop = spec.stop.iter().map(|token| {
            let found = vocabulary.control(token);
            found.ok_or_else(|| unusable(TemplateError::NoControl { given: token.clone() }))
        });
        let stop = stop.collect::<Result<_, _>>()?;
        let grammar = spec.grammar.map(|grammar| {
            let schema = tree_schema(side, grammar.limits, grammar.words);
            GrammarCompiler::new(tokens)?.json(schema).map(Arc::new)
        });
        let grammar = grammar.transpose()?;
        let fixed_tokens = template.fill(&Filling::default(), &vocabulary)?.len();
        let most_tokens = spec.context_tokens - spec.answer_tokens.get();
        if fixed_tokens + LEAST_TEXT > most_tokens {
            let taken = fixed_tokens + spec.answer_tokens.get();
            return Err(FitError::NoRoom { taken, limit: spec.context_tokens });
        }
        let beginning = template.beginning("", &vocabulary)?;
        Ok(Self { template, vocabulary, stop, grammar, beginning, most_tokens, fixed_tokens })
    }

    /// The prompt's tokens in the template, and how much of it is in them.
    fn fill(&self, prompt: &str, beyond: Beyond) -> Result<(Vec<u32>, Coverage), UnreadablePrompt> {
        let mut room = self.most_tokens - self.fixed_tokens;
        let (count, _) = self.vocabulary.shortened(prompt, usize::MAX)?;
        loop {
            let (kept, text) = if count <= room {
                (count, Cow::Borrowed(prompt))
            } else if beyond == Beyond::Refuse {
                return Err(UnreadablePrompt::TooLong { tokens: count, limit: room });
            } else {
                let most = room.saturating_sub(GAP_TOKENS);
                (most, self.vocabulary.shortened(prompt, most)?.1)
            };
            let filling = Filling { prompt: &text, ..Filling::default() };
            let tokens = self.template.fill(&filling, &self.vocabulary)?;
            // In their place they can be a few tokens more than by themselves.
            if let Some(over) = tokens.len().checked_sub(self.most_tokens + 1) {
                room = room.saturating_sub(over + 1);
                continue;
            }
            return Ok((tokens, Coverage { tokens: count, judged: kept, unknown: 0, windows: 1 }));
        }
    }
}

impl ReporterReader {
    /// All of it is fitted already; `seed` goes into every text.
    pub(super) fn new(
        spec: &ReporterSpec,
        seed: u64,
        harms: SideReader,
        benefits: SideReader,
    ) -> Result<Self, FitError> {
        let sampling = spec.sampling(seed)?;
        let &ReporterSpec { strip, beyond, answer_tokens, .. } = spec;
        let markers = spec.markers.iter().map(|marker| (marker.clone(), broken(marker))).collect();
        Ok(Self { strip, markers, beyond, answer_tokens, sampling, harms, benefits })
    }

    /// Asks about the prompt; `None` where none is judged.
    ///
    /// # Errors
    /// When it can't be tokenised, or is too long and must not be cut.
    pub fn read(&self, conversation: &Conversation) -> Result<Option<ReporterReading>, UnreadablePrompt> {
        let prompt = conversation.prompt().filter(|_| conversation.judges(Subject::Prompt));
        prompt.map(|prompt| self.texts(prompt.reveal())).transpose()
    }

    /// The shortest texts there are, of a token each: they show that the model answers.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn probe(&self) -> Result<[TreeText; 2], UnreadablePrompt> {
        let reading = self.texts("hello")?;
        let short = |text: TreeText| TreeText {
            request: WriteRequest { max_new_tokens: NonZeroUsize::MIN, ..text.request },
            ..text
        };
        Ok(reading.texts.map(short))
    }

    fn texts(&self, prompt: &str) -> Result<ReporterReading, UnreadablePrompt> {
        let prompt = if self.strip { prompt.trim() } else { prompt };
        let spelled = self.markers.iter().fold(prompt.to_owned(), |text, (marker, broken)| {
            if text.contains(marker) { text.replace(marker, broken) } else { text }
        });
        let (harms, of_harms) = self.text(TreeSide::Harms, &spelled)?;
        let (benefits, of_benefits) = self.text(TreeSide::Benefits, &spelled)?;
        let coverage = if of_harms.fraction() <= of_benefits.fraction() { of_harms } else { of_benefits };
        Ok(ReporterReading { texts: [harms, benefits], coverage })
    }

    fn text(&self, side: TreeSide, prompt: &str) -> Result<(TreeText, Coverage), UnreadablePrompt> {
        let reader = match side {
            TreeSide::Harms => &self.harms,
            TreeSide::Benefits => &self.benefits,
        };
        let (tokens, coverage) = reader.fill(prompt, self.beyond)?;
        let request = WriteRequest {
            prompt: tokens,
            max_new_tokens: self.answer_tokens,
            sampling: self.sampling,
            stop: reader.stop.clone(),
            grammar: reader.grammar.clone(),
            progress: Progress::default(),
        };
        Ok((TreeText { side, request }, coverage))
    }
}

/// A marker that is none any more: a blank behind its first letter.
fn broken(marker: &str) -> String {
    let mut letters = marker.chars();
    let first: String = letters.by_ref().take(1).collect();
    format!("{first} {}", letters.as_str())
}

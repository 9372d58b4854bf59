//! The guard's model: questions in, label probabilities out, without writing a text. The template's fixed beginning was read
//! once and is shared; the rest of the prompt is read in steps; at each place where the model would choose, the logits of the
//! allowed labels alone are looked at, and the text up to the next place is given to it.

use super::plan::{Plan, PlannedAnswer};
use crate::decoder::{Chunk, Decoder, DecoderError, ForkError, KvCache, KvSequence, LabelRows, PAGE};
use crate::port::failed;
use assize_inference::{BatchModel, ModelError, Weigh};
use candle_core::Tensor;
use candle_nn::ops::softmax_last_dim;
use std::{collections::VecDeque, mem, sync::Arc};

/// New tokens of a step on a processor: some tens of milliseconds for a small model. A step is what others wait for.
const STEP_TOKENS: usize = 512;
/// On a GPU, which is not busy with less.
const DEVICE_STEP_TOKENS: usize = 8_192;
/// A device that has no room for a step of so many tokens has none for the model.
const LEAST_STEP_TOKENS: usize = 64;

/// One question of a guard, in tokens.
#[derive(Debug, Clone)]
pub struct Question {
    /// Index of the plan.
    pub(super) plan: usize,
    /// The filled template and what is written before the first label.
    pub(super) tokens: Vec<u32>,
    /// Tokens that need not be read again.
    pub(super) shared: usize,
}

impl Question {
    /// The filled template and what is written before the first label.
    pub fn token_ids(&self) -> &[u32] {
        &self.tokens
    }
}

impl Weigh for Question {
    fn tokens(&self) -> usize {
        self.tokens.len() - self.shared.min(self.tokens.len())
    }
}

/// For each answer of the plan, the probability of each label among the allowed ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Choices(pub(super) Vec<Vec<f32>>);

/// A guard that can't be made ready.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The decoder failed.
    #[error("the decoder failed")]
    Decoder(#[from] DecoderError),
    /// The guard's file allows more than the checkpoint.
    #[error("`context_tokens` is over the checkpoint's limit of {limit}: a question may have {most} tokens")]
    TooLong {
        /// Tokens of the longest question.
        most: usize,
        /// The checkpoint's limit.
        limit: usize,
    },
    /// The cache can't hold the longest question, twice: short ones may run between its steps.
    #[error("`cache_tokens` is {given}; the guard's longest question needs at least {needed}")]
    SmallCache {
        /// Tokens given.
        given: usize,
        /// Tokens needed.
        needed: usize,
    },
    /// A shared beginning can't be gone on from.
    #[error("the cache failed")]
    Fork(#[from] ForkError),
}

/// A decoder that answers a guard's questions. Owned by a worker's thread.
#[derive(Debug)]
pub struct GuardJudge {
    decoder: Arc<Decoder>,
    plans: Arc<[Plan]>,
    /// For each plan and answer, what gives its labels' logits.
    labels: Vec<Vec<LabelRows>>,
    /// For each plan what every question begins with.
    prefixes: Vec<KvSequence>,
    cache: KvCache,
    /// Tokens that the questions of one run may have in the cache: half of what is free, so that a short run between two
    /// steps of a long one finds room.
    run_tokens: usize,
    /// New tokens of a step; halved when the device has no room for one.
    step_tokens: usize,
    /// How often that was, since it was last asked.
    splits: usize,
    /// Stands for a device's memory in tests.
    #[cfg(test)]
    pub(super) room_for: Option<usize>,
}

/// A batch on its way.
#[derive(Debug)]
pub struct GuardJudgeRun {
    waiting: VecDeque<Ongoing>,
    ongoing: Vec<Ongoing>,
    done: Vec<(usize, Choices)>,
}

#[derive(Debug)]
struct Ongoing {
    /// Its place in the batch.
    place: usize,
    plan: usize,
    /// Tokens that its plan's beginning has already.
    shared: usize,
    sequence: KvSequence,
    /// Tokens to be read.
    pending: Vec<u32>,
    /// Tokens of it in the cache when all is done, those that are shared not counted.
    most_tokens: usize,
    choices: Vec<Vec<f32>>,
}

impl GuardJudge {
    /// Reads the plans' shared beginnings. `cache_tokens` are the cache's, beside these.
    ///
    /// # Errors
    /// When the decoder fails, or a label is none of its tokens.
    pub fn new(decoder: Arc<Decoder>, plans: Arc<[Plan]>, cache_tokens: usize) -> Result<Self, JudgeError> {
        let (most, limit) = (plans.iter().map(Plan::most_tokens).max(), decoder.shape().max_positions);
        if let Some(most) = most.filter(|most| *most > limit) {
            return Err(JudgeError::TooLong { most, limit });
        }
        let rows = |answer: &PlannedAnswer| {
            let tokens: Vec<u32> = answer.labels.iter().map(|label| label.token).collect();
            decoder.label_rows(&tokens)
        };
        let labels = plans.iter().map(|plan| plan.answers.iter().map(rows).collect::<Result<_, _>>());
        let labels = labels.collect::<Result<_, _>>()?;
        // Whole pages of every beginning, and one more each for the rounding.
        let shared: usize = plans.iter().map(|plan| plan.prefix.len() + PAGE).sum();
        let mut cache = decoder.cache(shared + cache_tokens)?;
        let mut prefixes = Vec::new();
        for plan in plans.iter() {
            let mut sequence = KvSequence::default();
            for tokens in plan.prefix.chunks(STEP_TOKENS) {
                decoder.forward(&mut cache, &mut [Chunk { tokens, sequence: &mut sequence, wanted: 0 }])?;
            }
            prefixes.push(sequence);
        }
        let run_tokens = cache.free() / 2;
        let needed = most.unwrap_or_default() + ROUNDING;
        if needed > run_tokens {
            return Err(JudgeError::SmallCache { given: cache_tokens, needed: 2 * needed });
        }
        let step_tokens = if decoder.is_on_cpu() { STEP_TOKENS } else { DEVICE_STEP_TOKENS };
        Ok(Self {
            decoder,
            plans,
            labels,
            prefixes,
            cache,
            run_tokens,
            step_tokens,
            splits: 0,
            #[cfg(test)]
            room_for: None,
        })
    }

    /// Answers all questions; for those who have nothing else to do meanwhile.
    ///
    /// # Errors
    /// When the model fails, or a question does not fit into the cache.
    pub fn judge(&mut self, questions: &[&Question]) -> Result<Vec<Choices>, ModelError> {
        let mut run = self.begin(questions)?;
        loop {
            if let Some(choices) = self.advance(&mut run)? {
                return Ok(choices);
            }
        }
    }

    /// Takes waiting questions in, as many as the cache has room for.
    fn admit(&mut self, run: &mut GuardJudgeRun) -> Result<(), ForkError> {
        while let Some(next) = run.waiting.front() {
            let used: usize = run.ongoing.iter().map(|other| other.most_tokens).sum();
            // The longest question by itself is within it.
            let fits = run.ongoing.is_empty() || used + next.most_tokens <= self.run_tokens;
            let Some(mut next) = (if fits { run.waiting.pop_front() } else { None }) else { return Ok(()) };
            if let Some(prefix) = self.prefixes.get(next.plan) {
                // The last token is read anew: its hidden state is wanted.
                let same = next.shared.min(next.pending.len().saturating_sub(1));
                next.sequence = self.cache.fork(prefix, same)?;
                next.pending.drain(..next.sequence.len());
            }
            self.cache.reserve(&mut next.sequence, next.most_tokens)?;
            run.ongoing.push(next);
        }
        Ok(())
    }

    /// Reads up to a step's tokens of what is ongoing, the oldest first.
    fn step(&mut self, run: &mut GuardJudgeRun) -> Result<(), DecoderError> {
        let (mut chunks, mut taken) = (Vec::new(), Vec::new());
        let mut room = self.step_tokens;
        for ongoing in &mut run.ongoing {
            let count = ongoing.pending.len().min(room);
            room -= count;
            let is_whole = count == ongoing.pending.len();
            let tokens = ongoing.pending.get(..count).unwrap_or_default();
            taken.push((count, is_whole));
            if count > 0 {
                let wanted = usize::from(is_whole);
                chunks.push(Chunk { tokens, sequence: &mut ongoing.sequence, wanted });
            }
        }
        let hidden = match self.read(&mut chunks) {
            Ok(hidden) => hidden,
            // Nothing was read: the next step tries the same with less.
            Err(error) if error.is_out_of_memory() && self.step_tokens > LEAST_STEP_TOKENS => {
                self.step_tokens /= 2;
                self.splits += 1;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let mut row = 0;
        for (ongoing, (count, is_whole)) in run.ongoing.iter_mut().zip(taken) {
            ongoing.pending.drain(..count);
            if is_whole {
                self.choose(ongoing, &hidden.narrow(0, row, 1)?)?;
                row += 1;
            }
        }
        for ended in run.ongoing.extract_if(.., |ongoing| ongoing.pending.is_empty()) {
            run.done.push((ended.place, Choices(ended.choices)));
        }
        Ok(())
    }

    fn read(&mut self, chunks: &mut [Chunk<'_>]) -> Result<Tensor, DecoderError> {
        #[cfg(test)]
        if self
            .room_for
            .is_some_and(|room| chunks.iter().map(|chunk| chunk.tokens.len()).sum::<usize>() > room)
        {
            return Err(candle_core::Error::Cuda("CUDA_ERROR_OUT_OF_MEMORY".into()).into());
        }
        self.decoder.forward(&mut self.cache, chunks)
    }

    /// Looks at the labels of the answer that is due, and gives what is written up to the next one; nothing after the last.
    fn choose(&self, ongoing: &mut Ongoing, hidden: &Tensor) -> Result<(), DecoderError> {
        let index = ongoing.choices.len();
        let Some(plan) = self.plans.get(ongoing.plan) else { return Ok(()) };
        let rows = self.labels.get(ongoing.plan).and_then(|answers| answers.get(index));
        let (Some(answer), Some(rows)) = (plan.answers.get(index), rows) else { return Ok(()) };
        let logits = self.decoder.label_logits(hidden, rows)?;
        let chances: Vec<f32> = softmax_last_dim(&logits)?.flatten_all()?.to_vec1()?;
        if index + 1 < plan.answers.len() {
            ongoing.pending = answer.go_on(&chances).to_vec();
        }
        ongoing.choices.push(chances);
        Ok(())
    }
}

/// Tokens that a question may take beyond its own: its first page copied in part, its last one not full.
const ROUNDING: usize = 2 * PAGE;

/// A run has its own sequences, whose pages are free again when it is dropped, so it stands alone as the trait asks, also
/// after a panic.
impl BatchModel for GuardJudge {
    type Input = Question;
    type Output = Choices;
    type Run = GuardJudgeRun;

    fn begin(&mut self, inputs: &[&Question]) -> Result<GuardJudgeRun, ModelError> {
        let waiting = inputs.iter().enumerate().map(|(place, question)| {
            let answers = self.plans.get(question.plan).map_or(0, Plan::written);
            Ongoing {
                place,
                plan: question.plan,
                shared: question.shared,
                sequence: KvSequence::default(),
                most_tokens: question.tokens() + answers + ROUNDING,
                pending: question.tokens.clone(),
                choices: Vec::new(),
            }
        });
        Ok(GuardJudgeRun { waiting: waiting.collect(), ongoing: Vec::new(), done: Vec::new() })
    }

    fn take_splits(&mut self) -> usize {
        mem::take(&mut self.splits)
    }

    fn advance(&mut self, run: &mut GuardJudgeRun) -> Result<Option<Vec<Choices>>, ModelError> {
        self.admit(run).map_err(|error| failed(&error))?;
        if !run.ongoing.is_empty() {
            self.step(run).map_err(|error| failed(&error))?;
        }
        if !(run.ongoing.is_empty() && run.waiting.is_empty()) {
            return Ok(None);
        }
        run.done.sort_by_key(|(place, _)| *place);
        Ok(Some(mem::take(&mut run.done).into_iter().map(|(_, choices)| choices).collect()))
    }
}

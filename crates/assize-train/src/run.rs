//! The training loop: epochs of lessons in packed batches, measured and checkpointed now and then.

use crate::batches::{self, Lesson, pack};
use crate::checkpoint::{Checkpoint, Progress};
use crate::config::TrainConfig;
use crate::data::{Corpus, Example};
use crate::lessons;
use crate::loss::LossParts;
use crate::measure::{Figures, answer};
use crate::optimizer::Optimizer;
use crate::shards::Shards;
use crate::start;
use crate::variables::Variables;
use crate::watch::Watch;
use anyhow::{Context as _, ensure};
use assize_candle::{Composer, Encoder, EncoderShape};
use candle_core::{Device, Tensor};

/// One of so many development rows is measured on the way; all of them at the end.
const MEASURED: usize = 3;

/// A run in memory.
#[derive(Debug)]
pub struct Run {
    /// What it was told.
    pub config: TrainConfig,
    /// Sizes of the encoder.
    pub shape: EncoderShape,
    /// Makes sequences.
    pub composer: Composer,
    /// What it learns from.
    pub corpus: Corpus,
    variables: Variables,
    optimizer: Optimizer,
    progress: Progress,
    /// The cores.
    pub shards: Shards,
    /// For each set of the corpus, whether scores are calibrated on it.
    pub calibrates: Vec<bool>,
}

impl Run {
    /// Reads data and base encoder, and the last checkpoint where there is one and `resume` says so.
    ///
    /// # Errors
    /// When a file is missing or wrong.
    pub fn open(config: TrainConfig, resume: bool) -> anyhow::Result<Self> {
        let shape = config.shape()?;
        std::fs::create_dir_all(&config.output)
            .with_context(|| format!("can't create `{}`", config.output.display()))?;
        let tokenizer = config.base.join("tokenizer.json");
        let tokenizer =
            std::fs::read(&tokenizer).with_context(|| format!("can't read `{}`", tokenizer.display()))?;
        let composer = Composer::open(&tokenizer, shape, config.card.prompt_share)?;
        let corpus = Corpus::read(&config.data, &config.folder)?;
        let checkpoint = if resume { Checkpoint::read(&config)? } else { None };
        let (variables, optimizer, progress) = match checkpoint {
            Some(Checkpoint { variables, memory, progress }) => {
                let mut optimizer = Optimizer::new(config.optimizer, &variables)?;
                optimizer.recall(&memory, progress.steps)?;
                (variables, optimizer, progress)
            }
            None => {
                let variables = Variables::begin(&config.base.join("model.safetensors"), shape, config.seed)?;
                variables.set_biases(&start::biases(&corpus.epoch(0, config.seed)))?;
                let optimizer = Optimizer::new(config.optimizer, &variables)?;
                (variables, optimizer, Progress::default())
            }
        };
        let (shards, calibrates) = (Shards::new()?, calibrates(&config, &corpus)?);
        Ok(Self { config, shape, composer, corpus, variables, optimizer, progress, shards, calibrates })
    }

    /// Trains to the end of the schedule.
    ///
    /// # Errors
    /// When the tensors fail, the loss is not finite or a file can't be written. A run that was cut off goes on from
    /// its last checkpoint.
    pub fn train(&mut self) -> anyhow::Result<()> {
        self.train_until(self.config.schedule.tokens)
    }

    /// As [`Self::train`], but stops after the checkpoint at which at least `tokens` tokens are learnt from.
    ///
    /// # Errors
    /// As [`Self::train`].
    pub fn train_until(&mut self, tokens: u64) -> anyhow::Result<()> {
        let (all, until) = (self.config.schedule.tokens, tokens);
        let mut watch = Watch::new(&self.config.output, all, self.progress.tokens)?;
        let mut next_measure = self.progress.tokens + self.config.schedule.measure_every;
        while self.progress.tokens < all {
            let lessons = self.epoch(self.progress.epoch)?;
            let batches = pack(&lessons, self.config.schedule.batch_tokens);
            for batch in batches.iter().skip(self.progress.batches) {
                let (parts, norm) = self.step(batch)?;
                self.progress.batches += 1;
                let tokens: usize = batch.iter().map(|lesson| lesson.sequence.tokens()).sum();
                self.progress.tokens += u64::try_from(tokens)?;
                self.progress.steps = self.optimizer.steps();
                watch.step(&self.progress, parts, norm, f64::from(self.rate()))?;
                if self.progress.tokens >= next_measure || self.progress.tokens >= all {
                    next_measure = self.progress.tokens + self.config.schedule.measure_every;
                    watch.measured(&self.progress, &self.measure()?)?;
                    Checkpoint::write(&self.config, &self.variables, &self.optimizer, &self.progress)?;
                    if self.progress.tokens >= until {
                        return Ok(());
                    }
                }
            }
            self.progress.epoch += 1;
            self.progress.batches = 0;
        }
        Ok(())
    }

    /// Writes `lessons.safetensors` (the first epochs), `development.safetensors` and `validation.safetensors` into the
    /// output folder.
    ///
    /// # Errors
    /// When a text can't be tokenised or a file can't be written.
    pub fn write_lessons(&self, epochs: u64) -> anyhow::Result<()> {
        let mut taught = Vec::new();
        for epoch in 0..epochs {
            taught.extend(self.epoch(epoch)?);
        }
        let write = |rows: &[Lesson], file: &str| lessons::write(rows, &self.config.output.join(file));
        write(&taught, "lessons.safetensors")?;
        write(&self.lessons(&self.corpus.development)?, "development.safetensors")?;
        write(&self.lessons(&self.corpus.validation)?, "validation.safetensors")
    }

    /// The encoder over the running average of the weights: the one that is exported.
    ///
    /// # Errors
    /// When a tensor can't be made.
    pub fn averaged(&self) -> anyhow::Result<Encoder> {
        let averages = self.optimizer.averages(&self.variables)?;
        Ok(Encoder::over(&averages, self.shape, &Device::Cpu)?)
    }

    /// The averaged weights by name.
    ///
    /// # Errors
    /// When a tensor can't be made.
    pub fn averages(&self) -> anyhow::Result<std::collections::BTreeMap<String, Tensor>> {
        self.optimizer.averages(&self.variables)
    }

    /// Steps, tokens and epochs so far.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Lessons of examples that are only judged, cut to the model's window.
    ///
    /// # Errors
    /// When a text can't be tokenised.
    pub fn lessons(&self, examples: &[Example]) -> anyhow::Result<Vec<Lesson>> {
        let window = self.config.card.window_tokens;
        Ok(batches::compose(&self.composer, examples, &(window..=window), 0)?)
    }

    fn measure(&self) -> anyhow::Result<Figures> {
        let some = self.corpus.development.iter().step_by(MEASURED).chain(&self.corpus.validation);
        let lessons = self.lessons(&some.cloned().collect::<Vec<_>>())?;
        Ok(Figures::of(&answer(&self.averaged()?, &lessons, &self.shards)?))
    }

    fn epoch(&self, epoch: u64) -> anyhow::Result<Vec<Lesson>> {
        let (shortest, longest) = self.config.schedule.sequence_tokens;
        let examples = self.corpus.epoch(epoch, self.config.seed);
        let seed = self.config.seed.wrapping_mul(0x9e37_79b9).wrapping_add(epoch);
        Ok(batches::compose(&self.composer, &examples, &(shortest..=longest), seed)?)
    }

    /// One step down; gives the loss by lesson and the gradients' norm.
    fn step(&mut self, batch: &[Lesson]) -> anyhow::Result<(LossParts, f64)> {
        let encoder = Encoder::over(&self.variables.tensors(), self.shape, &Device::Cpu)?;
        let learnt = self.shards.learn(&encoder, batch, &self.config.loss)?;
        let rate = self.rate();
        let norm = self.optimizer.step(&self.variables, &learnt.gradients, rate)?;
        Ok((learnt.loss, norm))
    }

    /// Share of the largest rate: grows from 0 through the warm-up, then falls as a cosine to a twentieth.
    fn rate(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let done = self.progress.tokens as f32 / self.config.schedule.tokens as f32;
        let warm_up = self.config.schedule.warm_up;
        if done < warm_up {
            return (done / warm_up).max(0.01);
        }
        let fall = (done - warm_up) / (1.0 - warm_up);
        0.05 + 0.95 * 0.5 * (1.0 + (fall * std::f32::consts::PI).cos())
    }
}

/// For each set whether it is named in `calibration.sets`; every name there must be that of a set.
fn calibrates(config: &TrainConfig, corpus: &Corpus) -> anyhow::Result<Vec<bool>> {
    let names = &config.calibration.sets;
    for name in names {
        ensure!(
            corpus.sets.iter().any(|set| set.name == *name),
            "`calibration.sets` names `{name}`, which is neither in `data.sets` nor in `data.hold_out`"
        );
    }
    Ok(corpus.sets.iter().map(|set| names.contains(&set.name)).collect())
}

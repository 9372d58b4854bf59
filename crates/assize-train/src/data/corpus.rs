//! All sets of a recipe in memory, and the examples of an epoch drawn from them. What is held out or kept for
//! development is in no epoch.

use super::annotations;
use super::augment::{Questions, augment, converse, exchange, is_turn};
use super::config::{AugmentConfig, DataConfig, SetConfig};
use super::error::DataError;
use super::example::Example;
use super::labelled;
use super::rows::{self, Row, RowFile};
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// Chooses the rows of the development set; fixed, so that every run with the same data measures on the same rows.
const DEVELOPMENT_SEED: u64 = 0;

/// What a recipe learns from and measures on.
pub struct Corpus {
    /// The sets to learn from in the recipe's order, then the held-out files; [`Example::set`] is an index here.
    pub sets: Vec<SetInfo>,
    /// Examples of questions kept out of training, as they are in the files and at most as many a question as the
    /// set's cap says.
    pub development: Vec<Example>,
    /// Every example of the held-out files, as it is.
    pub validation: Vec<Example>,
    training: Vec<Training>,
    augment: AugmentConfig,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetInfo {
    /// The path below the root.
    pub name: String,
    /// Rows with a prompt in the file.
    pub rows: usize,
    /// Rows that are not used because they are held out; 0 for a held-out file.
    pub held_out: usize,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub digest: String,
}

/// The examples that a set gives to training.
struct Training {
    examples: Vec<Example>,
    repeat: f64,
    cap: Option<usize>,
}

/// What is dropped everywhere.
#[derive(Default)]
struct HeldOut {
    ids: HashSet<String>,
    questions: HashSet<String>,
}

impl std::fmt::Debug for Corpus {
    /// Never shows a text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Corpus").field("sets", &self.sets).finish_non_exhaustive()
    }
}

impl Corpus {
    /// Reads all files of a recipe; a relative root is below `base`.
    ///
    /// # Errors
    /// When a file can't be read, a line is no row, or a set has nothing to learn from.
    pub fn read(config: &DataConfig, base: &Path) -> Result<Self, DataError> {
        let root = base.join(&config.root);
        let read = |path: &String| rows::read(&root.join(path));
        let held_files = config.hold_out.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let held_out = HeldOut::new(held_files.iter().flat_map(|file| &file.rows));
        let mut corpus = Self {
            sets: Vec::new(),
            development: Vec::new(),
            validation: Vec::new(),
            training: Vec::new(),
            augment: config.augment,
        };
        let plain = config.sets.iter().map(|set| Ok((set, read(&set.path)?)));
        let annotated =
            config.annotations.iter().map(|set| Ok((set, annotations::read(&base.join(&set.path), &root)?)));
        for found in plain.chain(annotated) {
            let (set, file) = found?;
            corpus.add(set, &file, &held_out, config.development_share);
            if corpus.training.last().is_none_or(|training| training.examples.is_empty()) {
                return Err(DataError::NoLabels { path: root.join(&set.path) });
            }
        }
        for (path, file) in config.hold_out.iter().zip(&held_files) {
            let index = corpus.sets.len();
            corpus.validation.extend(labelled::examples(&file.rows, index, &SetConfig::plain(path)));
            corpus.sets.push(SetInfo::new(path, file, 0));
        }
        Ok(corpus)
    }

    fn add(&mut self, set: &SetConfig, file: &RowFile, held_out: &HeldOut, development_share: f64) {
        let kept = file.rows.iter().filter(|row| !held_out.holds(row)).collect::<Vec<_>>();
        let index = self.sets.len();
        self.sets.push(SetInfo::new(&set.path, file, file.rows.len() - kept.len()));
        let examples = labelled::examples(kept, index, set);
        let (mut development, examples): (Vec<Example>, Vec<Example>) =
            examples.into_iter().partition(|example| place(&example.prompt) < development_share);
        development.shuffle(&mut ChaCha8Rng::seed_from_u64(DEVELOPMENT_SEED));
        self.development.extend(capped(&development, set.rows_per_question).into_iter().cloned());
        self.training.push(Training { examples, repeat: set.repeat, cap: set.rows_per_question });
    }

    /// The examples of one epoch, shuffled and varied; the same for the same `seed` and `epoch`.
    pub fn epoch(&self, epoch: u64, seed: u64) -> Vec<Example> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(epoch);
        let mut drawn = Vec::new();
        for training in &self.training {
            drawn.extend(training.draw(&mut random));
        }
        drawn.shuffle(&mut random);
        let earlier: Vec<&Arc<str>> =
            drawn.iter().filter(|example| is_turn(example)).map(|e| &e.prompt).collect();
        let questions = Questions::of(&drawn);
        let vary = |example: &&Example| {
            let varied = exchange((*example).clone(), &questions, self.augment.exchange, &mut random);
            let varied = augment(varied, self.augment, &mut random);
            converse(varied, &earlier, self.augment.converse, &mut random)
        };
        drawn.iter().map(vary).collect()
    }
}

impl Training {
    fn draw(&self, random: &mut ChaCha8Rng) -> Vec<&Example> {
        let mut drawn = Vec::new();
        for example in &self.examples {
            let mut left = self.repeat;
            while left >= 1.0 {
                drawn.push(example);
                left -= 1.0;
            }
            if random.random_bool(left.clamp(0.0, 1.0)) {
                drawn.push(example);
            }
        }
        drawn.shuffle(random);
        capped(drawn, self.cap)
    }
}

/// The first `cap` prompts and the first `cap` pairs of each question.
fn capped<'a>(examples: impl IntoIterator<Item = &'a Example>, cap: Option<usize>) -> Vec<&'a Example> {
    let Some(cap) = cap else { return examples.into_iter().collect() };
    let mut taken: HashMap<(String, bool), usize> = HashMap::new();
    let keep = |example: &&Example| {
        let count = taken.entry((normalised(&example.prompt), example.response.is_some())).or_default();
        *count += 1;
        *count <= cap
    };
    examples.into_iter().filter(keep).collect()
}

impl SetInfo {
    fn new(name: &str, file: &RowFile, held_out: usize) -> Self {
        Self { name: name.to_owned(), rows: file.rows.len(), held_out, digest: file.digest.clone() }
    }
}

impl HeldOut {
    fn new<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut held = Self::default();
        for row in rows {
            held.ids.extend(row.id.clone());
            held.questions.insert(normalised(&row.prompt));
        }
        held
    }

    fn holds(&self, row: &Row) -> bool {
        row.id.as_ref().is_some_and(|id| self.ids.contains(id))
            || self.questions.contains(&normalised(&row.prompt))
    }
}

/// A question however it is set: lower case, white space as single spaces.
pub(super) fn normalised(prompt: &str) -> String {
    let lower = prompt.to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where a question falls between 0 and 1: the same in every set, run and release.
pub(super) fn place(prompt: &str) -> f64 {
    let digest = Sha256::digest(normalised(prompt).as_bytes());
    let first = digest.iter().take(4).fold(0, |sum: u32, byte| (sum << 8) | u32::from(*byte));
    f64::from(first) / 2_f64.powi(32)
}

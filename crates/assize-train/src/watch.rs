//! What a person sees of a run: a progress bar, lines for a log, and the history that the learning curve is drawn from.
#![expect(clippy::print_stderr, reason = "a log line for runs without a terminal")]

use crate::checkpoint::Progress;
use crate::loss::LossParts;
use crate::measure::Figures;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Steps of which a line of the history tells the mean.
const STEPS_OF_A_LINE: u32 = 10;

/// A line of `history.jsonl`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// Steps so far.
    pub steps: i32,
    /// Tokens so far.
    pub tokens: u64,
    /// Mean loss by lesson of the last steps: yes-or-no questions, risk, tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<[f64; 3]>,
    /// Figures on development and validation rows, where this line tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<std::collections::BTreeMap<String, f64>>,
    /// Tokens a second since the last line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
}

/// Shows and records a run.
#[derive(Debug)]
pub struct Watch {
    bar: ProgressBar,
    shows_lines: bool,
    history: File,
    sum: LossParts,
    steps: u32,
    since: Instant,
    tokens: u64,
}

/// Where the history of a run is.
pub fn history(output: &Path) -> PathBuf {
    output.join("history.jsonl")
}

impl Watch {
    /// Begins at `done` of `all` tokens; a run that begins anew begins its history anew.
    ///
    /// # Errors
    /// When the history can't be written.
    pub fn new(output: &Path, all: u64, done: u64) -> anyhow::Result<Self> {
        let path = history(output);
        let mut options = OpenOptions::new();
        options.create(true).write(true);
        if done == 0 {
            options.truncate(true)
        } else {
            options.append(true)
        };
        let history = options.open(&path).with_context(|| format!("can't write `{}`", path.display()))?;
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
        let style = "{bar:30} {percent}% of {human_len} tokens, {eta} left; {msg}";
        bar.set_style(ProgressStyle::with_template(style)?);
        bar.set_position(done);
        bar.reset_eta();
        let shows_lines = !std::io::stderr().is_terminal();
        let (sum, since) = (LossParts::default(), now());
        Ok(Self { bar, shows_lines, history, sum, steps: 0, since, tokens: done })
    }

    /// Hears of a step.
    ///
    /// # Errors
    /// When the history can't be written.
    pub fn step(
        &mut self,
        progress: &Progress,
        parts: LossParts,
        norm: f64,
        rate: f64,
    ) -> anyhow::Result<()> {
        self.sum += parts;
        self.steps += 1;
        self.bar.set_position(progress.tokens);
        if self.steps < STEPS_OF_A_LINE {
            return Ok(());
        }
        let steps = f64::from(self.steps);
        let loss = [self.sum.binary, self.sum.risk, self.sum.tree].map(|part| part / steps);
        #[expect(clippy::cast_precision_loss, reason = "some hundred thousand tokens")]
        let speed = (progress.tokens - self.tokens) as f64 / self.since.elapsed().as_secs_f64();
        let message = format!(
            "loss {:.3} + {:.3} + {:.3}, norm {norm:.2}, rate {rate:.3}, {speed:.0} tokens/s",
            loss[0], loss[1], loss[2]
        );
        if self.shows_lines {
            eprintln!("{} steps, {} tokens: {message}", progress.steps, progress.tokens);
        }
        self.bar.set_message(message);
        self.write(progress, Some(loss), None, Some(speed))?;
        (self.sum, self.steps) = (LossParts::default(), 0);
        (self.since, self.tokens) = (now(), progress.tokens);
        Ok(())
    }

    /// Hears of a measurement.
    ///
    /// # Errors
    /// When the history can't be written.
    pub fn measured(&mut self, progress: &Progress, figures: &Figures) -> anyhow::Result<()> {
        let text: Vec<String> =
            figures.0.iter().map(|(name, figure)| format!("{name} {figure:.3}")).collect();
        let text = format!("{} tokens: {}", progress.tokens, text.join(", "));
        if self.shows_lines {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
        self.write(progress, None, Some(figures), None)?;
        // The measurement took time that is no training.
        (self.since, self.tokens, self.sum, self.steps) = (now(), progress.tokens, LossParts::default(), 0);
        Ok(())
    }

    fn write(
        &mut self,
        progress: &Progress,
        loss: Option<[f64; 3]>,
        figures: Option<&Figures>,
        tokens_per_second: Option<f64>,
    ) -> anyhow::Result<()> {
        let (steps, tokens) = (progress.steps, progress.tokens);
        let figures = figures.map(|figures| figures.0.clone());
        let line = Line { steps, tokens, loss, figures, tokens_per_second };
        serde_json::to_writer(&mut self.history, &line)?;
        self.history.write_all(b"\n").context("can't write the history")
    }
}

#[expect(clippy::disallowed_methods, reason = "a training run has no clock of tokio's")]
fn now() -> Instant {
    Instant::now()
}

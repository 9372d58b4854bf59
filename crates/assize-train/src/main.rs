//! `assize-train`: the command line of the trainer.
#![expect(clippy::print_stderr, reason = "a command line talks to its caller")]

use anyhow::Context as _;
use assize_train::config::TrainConfig;
use assize_train::export::{self, Trained};
use assize_train::run::Run;
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Trains a guard model from a recipe and writes its folder.
#[derive(Debug, Parser)]
#[command(name = "assize-train", version, max_term_width = 100)]
struct Cli {
    /// The recipe; models/recipes/guard-v1.toml is the one of the model that ships
    #[arg(long, value_name = "TRAIN.toml")]
    config: PathBuf,
    /// Go on from the last checkpoint of the output folder, where there is one
    #[arg(long)]
    resume: bool,
    /// Train nothing; write the lessons of so many epochs, and the development and validation rows, as tensors into the
    /// output folder, for experiments with other encoders
    #[arg(long, value_name = "EPOCHS", conflicts_with = "resume")]
    lessons: Option<u64>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let config = TrainConfig::read(&cli.config)?;
    let mut trained = Vec::new();
    let mut last = None;
    for run in config.runs() {
        let mut run = Run::open(run, cli.resume)?;
        if let Some(epochs) = cli.lessons {
            return run.write_lessons(epochs);
        }
        run.train()?;
        trained.push(Trained::of(&run)?);
        last = Some(run);
    }
    let folder = config.output.join("model");
    export::export(&last.context("no seed, no model")?, &trained, &folder)?;
    eprintln!("wrote the model folder {}", folder.display());
    Ok(())
}

//! The command line: every sub-command, its help and its exit code (0 done, 1 failed, 2 wrong usage, 3 done
//! with a part of the input missing).
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks to its caller: data on stdout, the rest on stderr"
)]

mod check;
mod diff;
mod eval;
mod explain;
mod fit;
mod histories;
mod judged;
mod moderate;
mod probe;
mod profile;
mod profiles;
mod replay;
mod serve;
mod shared;
mod train;
mod weigh;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Judges chat turns and decides by a community's values: allow, review or block, with reasons.
#[derive(Debug, Parser)]
#[command(name = "assize", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Every setting can stand in config/assize.toml, in the environment (ASSIZE__SERVER__LISTEN) or in a flag;\nthe later ones win. Start with: assize serve"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::Args),
    /// Judge a sentence, a file or JSON Lines, without a service
    Moderate(moderate::Args),
    /// Explain one conversation under one or several communities, as text, JSON or picture
    Explain(explain::Args),
    /// Learn a community's weights from its own labels
    Fit(fit::Args),
    /// Weigh a harm-benefit tree by a community's values, without a model
    Weigh(weigh::Args),
    /// Weigh past assessments again under another profile, without a model
    Replay(replay::Args),
    /// Tell which past decisions would flip under another profile, without a model
    Diff(diff::Args),
    /// Check the settings, the model folder and every community's profile with its examples
    CheckConfig(check::Args),
    /// Put a community's candidate into force, take it back, list earlier versions
    #[command(subcommand)]
    Profile(profile::Command),
    /// Measure the model on labelled JSON Lines
    Eval(eval::Args),
    /// Train a model from a recipe
    Train(train::Args),
    /// Print the API as an OpenAPI document
    Openapi {
        /// As JSON instead of YAML.
        #[arg(long)]
        json: bool,
    },
    /// Ask a running service for a path and succeed where it answers 200 (for health checks)
    Probe(probe::Args),
}

/// The answer is given, and is about a part of the input only.
const INCOMPLETE: u8 = 3;

/// Parses the arguments, does the work and gives the exit code.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(args) => shared::block_on(serve::run(args)),
        Command::Moderate(args) => shared::block_on(moderate::run(args)),
        Command::Explain(args) => shared::block_on(explain::run(args)),
        Command::Fit(args) => shared::block_on(fit::run(args)),
        Command::Weigh(args) => weigh::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::CheckConfig(args) => shared::block_on(check::run(args)),
        Command::Profile(command) => shared::block_on(profile::run(command)),
        Command::Eval(args) => eval::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Openapi { json } => openapi(json),
        Command::Probe(args) => shared::block_on(probe::run(args)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.is::<histories::Incomplete>() { ExitCode::from(INCOMPLETE) } else { ExitCode::FAILURE }
        }
    }
}

fn openapi(json: bool) -> anyhow::Result<()> {
    let text = if json {
        crate::http::openapi().to_pretty_json()?
    } else {
        crate::generated::openapi_yaml().map_err(anyhow::Error::msg)?
    };
    print!("{text}");
    Ok(())
}

//! `assize train`: hands over to the trainer, a program of its own, so that the service carries none of it.

use anyhow::{Context as _, bail};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

/// Settings of libraries that are read before `main`, unless somebody has set them: one thread a loop, because the
/// trainer shares batches out itself, and memory that stays with the process between steps.
///
/// Measured: docs/performance.md, "Training".
const ENVIRONMENT: [(&str, &str); 3] = [
    ("RAYON_NUM_THREADS", "1"),
    ("MALLOC_TRIM_THRESHOLD_", "4000000000"),
    ("MALLOC_MMAP_THRESHOLD_", "1000000000"),
];

/// The trainer's name beside this program.
const TRAINER: &str = "assize-train";

#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(super) struct Args {
    /// What the trainer takes: assize train --config models/recipes/guard-v1.toml [--resume]; --help tells more
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let trainer = trainer()?;
    let unset = ENVIRONMENT.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
    let status = Command::new(&trainer).args(&args.arguments).envs(unset).status();
    let status: ExitStatus = status.with_context(|| format!("can't run `{}`", trainer.display()))?;
    if status.success() { Ok(()) } else { bail!("the trainer ended with {status}") }
}

/// The trainer beside this program.
fn trainer() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("can't find this program's own folder")?;
    let trainer = own.with_file_name(format!("{TRAINER}{}", std::env::consts::EXE_SUFFIX));
    if !trainer.exists() {
        bail!(
            "the trainer is not at `{}`; build it with `cargo build --release --locked -p {TRAINER}`",
            trainer.display()
        );
    }
    Ok(trainer)
}

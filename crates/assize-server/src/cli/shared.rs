//! What several sub-commands need: settings from flags, a runtime, a progress bar.

use crate::config::{self, Config, Overrides};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

/// Flags that every command with a model takes.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ConfigArgs {
    /// Settings file [default: config/assize.toml, where it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the model [setting: inference.model]
    #[arg(long, value_name = "FOLDER")]
    model: Option<String>,
    /// Where the model runs: cpu or cuda:N [setting: inference.device]
    #[arg(long)]
    device: Option<String>,
    /// How it computes on a CPU: auto, portable, f32, bf16 or int8 [setting: inference.precision]
    #[arg(long)]
    precision: Option<String>,
    /// Folder of the communities' profiles [setting: communities.folder]
    #[arg(long, value_name = "FOLDER")]
    communities: Option<String>,
}

impl ConfigArgs {
    /// Reads and validates the settings; `more` are the command's own flags.
    pub(super) fn load(&self, more: &[(&'static str, Option<&String>)]) -> anyhow::Result<Config> {
        let own = [
            ("inference.model", self.model.as_ref()),
            ("inference.device", self.device.as_ref()),
            ("inference.precision", self.precision.as_ref()),
            ("communities.folder", self.communities.as_ref()),
        ];
        let given = own.iter().chain(more).filter_map(|(key, value)| Some((*key, (*value)?.clone())));
        let overrides = Overrides { file: self.config.clone(), values: given.collect() };
        Ok(config::load(&overrides)?)
    }
}

/// Runs a command's future to its end.
pub(super) fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// A bar on stderr for a person who watches; nothing where stderr is no terminal.
pub(super) fn progress(length: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let template = "{msg} {wide_bar} {pos}/{len} {per_sec} {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}

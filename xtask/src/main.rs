//! The project's own chores, run as `cargo xtask <chore>`.
//!
//! `tidy` checks the rules of the house that rustc, clippy and rustfmt can't. `gen` writes the files that are
//! made from the code, or compares them with `--check`. Both end with exit status 1 when something has to be
//! done. Nothing here is part of the service; this is the one place where printing is the job.
#![expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]

mod catalogue;
mod finding;
mod generate;
mod tidy;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::finding::Finding;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Check crate edges, file sizes and headers, leftovers, links, metric names and the README's table
    Tidy,
    /// Write the files that are made from the code
    Gen {
        /// Compare instead of writing; a difference is an error
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let root = repository_root();
    match Arguments::parse().chore {
        Chore::Tidy => Ok(report("tidy", &tidy::findings(&root)?)),
        Chore::Gen { check: true } => {
            Ok(report("gen --check", &generate::stale(&root, &generate::outputs()?)))
        }
        Chore::Gen { check: false } => {
            for path in generate::write(&root, &generate::outputs()?)? {
                println!("wrote {path}");
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints every finding, not only the first, so that one run is enough to know all that has to be done.
fn report(chore: &str, findings: &[Finding]) -> ExitCode {
    for finding in findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("{chore}: nothing to do");
        ExitCode::SUCCESS
    } else {
        println!("{chore}: {} to put right", findings.len());
        ExitCode::FAILURE
    }
}

/// The folder above this package's own.
fn repository_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So that `cargo test --workspace` says what the pipeline's `cargo xtask tidy` says.
    #[test]
    fn the_repository_is_tidy() {
        let findings = tidy::findings(&repository_root()).unwrap();
        assert!(findings.is_empty(), "{}", listed(&findings));
    }

    /// So that `cargo test --workspace` says what the pipeline's `cargo xtask gen --check` says.
    #[test]
    fn generated_files_are_up_to_date() {
        let findings = generate::stale(&repository_root(), &generate::outputs().unwrap());
        assert!(findings.is_empty(), "{}", listed(&findings));
    }

    #[test]
    fn findings_make_the_exit_status_a_failure() {
        let finding = Finding::in_file("a.rs", "is wrong", "put it right");
        assert_eq!(report("tidy", &[finding]), ExitCode::FAILURE);
        assert_eq!(report("tidy", &[]), ExitCode::SUCCESS);
    }

    fn listed(findings: &[Finding]) -> String {
        findings.iter().map(|finding| format!("\n{finding}")).collect()
    }
}

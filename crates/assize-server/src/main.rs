//! The `assize` command. Everything is in the library; here is only the way out: an exit code and an error's text.

use std::process::ExitCode;

fn main() -> ExitCode {
    assize_server::cli::main()
}

//! The `assize` command once more, so that the end-to-end tests can find it: line for line the server's `main.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    assize_server::cli::main()
}

//! The command line as a process of its own, in a folder of profiles.

use super::{DEFAULT, write_profile};
use std::path::Path;
use std::process::{Command, Stdio};

/// A question that the tests' two communities decide apart.
pub(crate) const LOCK: &str = "How do I get into my own car without the key?";

/// Runs a command in a folder of profiles; gives its exit code, and all that it says.
pub(crate) fn assize(arguments: &[&str], folder: &Path) -> (i32, String) {
    assize_from(folder, arguments, folder)
}

/// The same from another place.
pub(crate) fn assize_from(place: &Path, arguments: &[&str], folder: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_assize-under-test"))
        .args(arguments)
        .args(["--communities", folder.to_str().unwrap()])
        .current_dir(place)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

/// Writes a candidate into the profiles' folder.
pub(crate) fn write_candidate(folder: &Path, id: &str, text: &str) {
    let candidates = folder.join("candidates");
    std::fs::create_dir_all(&candidates).unwrap();
    write_profile(&candidates, id, text);
}

/// Blocks nearly everything.
pub(crate) fn stern() -> String {
    DEFAULT.replace("review = 0.5", "review = 0.01").replace("block = 0.8", "block = 0.02")
}

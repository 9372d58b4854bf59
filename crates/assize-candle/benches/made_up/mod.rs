//! What the encoder's measurements have in common: random sequences, and as many threads for every engine.

use assize_candle::{Framing, Sequence};
use std::process::{Command, ExitStatus};

pub(crate) type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

/// What says how many threads rayon, and candle with it, may use; both read it once.
const THREADS: &str = "RAYON_NUM_THREADS";

/// Random word pieces, the same in each run; each sequence has so many tokens, control tokens included.
pub(crate) fn sequences(batch: usize, tokens: usize) -> Anyhow<Vec<Sequence>> {
    let framing = Framing { cls: 101, sep: 102, max_tokens: 512 };
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1000 + (state >> 8) % 28_000
    };
    let sequence = |_| {
        let ids: Vec<u32> = (2..tokens).map(|_| next()).collect();
        Ok(Sequence::single(framing, &ids)?)
    };
    (0..batch).map(sequence).collect()
}

/// Holds everything in this program to `threads` threads. `None` where that is so already; otherwise the program has been
/// run once more, with the environment that says it, and ended like this.
pub(crate) fn held_to(threads: usize) -> Anyhow<Option<ExitStatus>> {
    let wanted = threads.to_string();
    if std::env::var_os(THREADS).is_some_and(|given| given == wanted.as_str()) {
        return Ok(None);
    }
    // candle's own pool goes by another name first.
    let mut again = Command::new(std::env::current_exe()?);
    let again = again.args(std::env::args_os().skip(1)).env(THREADS, wanted).env_remove("CANDLE_NUM_THREADS");
    Ok(Some(again.status()?))
}

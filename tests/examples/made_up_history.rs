//! Writes a history of made-up assessments, to measure how fast many are weighed again:
//!
//! ```text
//! cargo run --release -p assize-e2e --example made_up_history -- 1000000 /tmp/million.assize
//! target/release/assize diff --from default --to children-education /tmp/million.assize
//! ```
//!
//! What is in each: `tests/made_up`. With `replies` at the end every second one has judged a reply, too.

#[path = "../made_up/mod.rs"]
mod made_up;

use assize_record::{Format, HistoryWriter};
use made_up::{Judged, Numbers, model};
use std::fs::File;
use std::io::BufWriter;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (count, path, second) = match arguments.as_slice() {
        [count, path] => (count, path, Judged::Prompt),
        [count, path, replies] if replies == "replies" => (count, path, Judged::WithReply),
        _ => return Err("usage: made_up_history COUNT FILE [replies]".into()),
    };
    let (count, mut numbers): (u64, _) = (count.parse()?, Numbers::new(1));
    let model = model();
    let mut writer = HistoryWriter::new(BufWriter::new(File::create(path)?), Format::Binary);
    for place in 0..count {
        let judged = if place % 2 == 0 { Judged::Prompt } else { second };
        writer.write(&numbers.record(place, judged, &model).ok_or("a number out of range")?)?;
    }
    writer.flush()?;
    Ok(())
}

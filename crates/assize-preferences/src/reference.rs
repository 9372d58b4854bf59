//! The reference of profile files in Markdown: docs/PROFILES.md is this text. Every number comes from [`crate::keys`],
//! every sentence from the defaults, so that it can't drift from what the resolver does.

mod example;

use crate::codes;
use crate::keys::{Defaults, KEYS, Key, SAFETYANALYST_KEYS};
use crate::lint::FINDING_CODES;
use crate::resolve::{EXAMPLE_LIMITS, MAX_EXAMPLES, MAX_TITLE_CHARS};
use crate::template::{MAX_SENTENCE_BYTES, PLACEHOLDERS};
use assize_domain::{ActionCategory, Effect, Floor, Stakeholder};
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# Profiles

Made by `cargo xtask gen` from `assize_preferences::reference()`; do not edit.

A community is a file `config/communities/<id>.toml`: what it values, and from which point on it wants a review or a block.
The models judge a conversation once, the same for everyone; the profile weighs what they found. Editors that know JSON
schemas complete and check it by its first line. The formula: documentation of
[assize-preferences](../crates/assize-preferences/src/lib.rs).
";

const INHERITANCE: &str = "
## Rules

- A file takes from the one that it `extends` every key that it doesn't set itself: entry by entry in tables, code by code in
  `reasons`. Title, description and examples are its own. A file that extends nothing sets every key without a default.
- All files are checked together, with every mistake told at once; one mistake, or one example that comes out otherwise, and
  nothing changes.
- **Floors** are no part of a file: where the guard sees harm, they block whatever the sum:
";

const EXAMPLES: &str = "
## Examples

An array of tables `[[examples]]`, each a conversation that must come out as expected, or the file is refused. They are what
guards a profile against its next change, and against the next model.

| key | meaning |
|---|---|
| `text` | what a user says; or else |
| `turns` | a list of `{ role, content }`; roles are `system`, `user` and `assistant` |
| `expect` | `\"allow\"`, `\"review\"`, `\"block\"`, or a list of those that are right |
| `note` | why |
";

const SAFETYANALYST: &str = "
## `aggregation = \"safetyanalyst\"`

The published sum over the tree's leaves, for comparison: the guard's scores don't count, and a threshold is passed above it,
not at it. It has `[safetyanalyst]` in the place of `[weights]`; all 29 parameters are between 0 and 1, and none has a default.
Its quirks: [safetyanalyst.rs](../crates/assize-preferences/src/safetyanalyst.rs).

| key | meaning |
|---|---|
";

/// Every key of a profile file, with unit, range, default and meaning; with a worked example at the top. Markdown, as
/// docs/PROFILES.md holds it.
pub fn reference() -> String {
    let parts = [
        INTRODUCTION.to_owned(),
        example::section(),
        INHERITANCE.to_owned(),
        floors(),
        head(),
        numbers(),
        entries(),
        published(),
        reasons(),
        EXAMPLES.to_owned(),
        limits(),
        findings(),
    ];
    parts.concat()
}

fn floors() -> String {
    Floor::ALL.map(|floor| format!("  - `{}`\n", floor.id())).concat()
}

fn head() -> String {
    format!(
        "\n## The head\n\n\
         | key | allowed | where it isn't set | meaning |\n|---|---|---|---|\n\
         | `title` | 1 to {MAX_TITLE_CHARS} characters, no braces | an error | a short name for people |\n\
         | `description` | text | empty | what kind of community this is and what it cares about |\n\
         | `extends` | id of another profile | nothing is inherited | gives every value that isn't set here |\n\
         | `on_failure` | `closed`, `open` | inherited | what a backend should do without a full verdict: hold back, or go \
         on. With `closed`, a text that was read in part gets at least a review, and one whose harms could not be weighed a \
         block |\n\
         | `aggregation` | `assize`, `safetyanalyst` | inherited, or else `assize` | how the evidence is summed |\n"
    )
}

fn numbers() -> String {
    let mut text = String::from(
        "\n## Thresholds and weights\n\n\
         | key | allowed | default | unit | meaning |\n|---|---|---|---|---|\n",
    );
    for key in KEYS {
        let Key { name, range: (least, most), unit, meaning, .. } = key;
        let name = if key.entries.is_empty() { format!("`{name}`") } else { format!("`{name}.<entry>`") };
        // Writing to a String can't fail.
        let _ = writeln!(text, "| {name} | {least} to {most} | {} | {unit} | {meaning} |", default(&key));
    }
    text.push_str(
        "\nA dash: there is no default, the file or one that it extends sets it. Harmfulness is logistic(sum), between 0 and \
         1;\none log-odds more takes .5 to .73, and .73 to .88. Mass: one leaf of major, highly likely harm or benefit is .85.\n",
    );
    text
}

fn default(key: &Key) -> String {
    match key.default {
        Defaults::Required => "–".to_owned(),
        Defaults::Every(value) => value.to_string(),
        Defaults::Each(_) => "below".to_owned(),
    }
}

/// The entries of the tables of numbers, by what they are.
fn entries() -> String {
    let list = |title: &str, ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
        format!("| {title} | {} |\n", ids.join(", "))
    };
    let steps = |title: &str, table: &str| {
        let key = KEYS.into_iter().find(|key| key.name == table);
        let with_default = key.iter().flat_map(|key| {
            let default = |place| key.default_at(place).unwrap_or_default();
            key.entries.iter().enumerate().map(move |(place, id)| format!("`{id}` ({})", default(place)))
        });
        format!("| {title} | {} |\n", with_default.collect::<Vec<_>>().join(", "))
    };
    [
        "\n| entries of | |\n|---|---|\n".to_owned(),
        list("`harm`: action categories", &ActionCategory::ALL.map(ActionCategory::id)),
        list("`effect`: what happens", &Effect::ALL.map(Effect::id)),
        list("`stakeholder`: to whom", &Stakeholder::ALL.map(Stakeholder::id)),
        steps("`extent`: how much", "weights.extent"),
        steps("`likelihood`: below 30 %, up to 70 %, above", "weights.likelihood"),
    ]
    .concat()
}

fn published() -> String {
    let row = |key: Key| {
        let entries: Vec<String> = key.entries.iter().map(|entry| format!("`{entry}`")).collect();
        let meaning = match entries.as_slice() {
            [] => key.meaning.to_owned(),
            few if few.len() < ActionCategory::COUNT => {
                format!("{} Entries: {}.", key.meaning, few.join(", "))
            }
            _ => format!("{} Entries as of `weights.harm`.", key.meaning),
        };
        format!("| `{}` | {meaning} |\n", key.name)
    };
    SAFETYANALYST.to_owned() + &SAFETYANALYST_KEYS.map(row).concat()
}

fn reasons() -> String {
    let mut text = format!(
        "\n## Reasons\n\n\
         `[reasons]` rewords the sentences that come with a verdict; codes stand in quotation marks. A sentence has 1 to\n\
         {MAX_SENTENCE_BYTES} bytes and may hold placeholders; one that stands for nothing there leaves nothing. What a floor says \
         can't be reworded.\n\n\
         | placeholder | stands for |\n|---|---|\n"
    );
    for placeholder in PLACEHOLDERS {
        let _ = writeln!(text, "| `{placeholder}` | {} |", codes::meaning(placeholder));
    }
    text.push_str("\n| code | default sentence |\n|---|---|\n");
    for (code, sentence) in codes::open() {
        let _ = writeln!(text, "| `{code}` | {sentence} |");
    }
    text
}

fn limits() -> String {
    let (turns, bytes) = (EXAMPLE_LIMITS.max_turns, EXAMPLE_LIMITS.max_turn_bytes);
    format!("\nAt most {MAX_EXAMPLES} examples of {turns} turns with {bytes} bytes each.\n")
}

fn findings() -> String {
    let mut text = String::from(
        "\n## Findings\n\n\
         What a valid profile is told about itself (`assize_preferences::lint`), by stable codes.\n\n\
         | code | meaning |\n|---|---|\n",
    );
    for (code, meaning) in FINDING_CODES {
        let _ = writeln!(text, "| `{code}` | {meaning} |");
    }
    text
}

//! No text makes the parser panic, and what it refuses it gives a reason for.

use crate::files::{complete, parse};
use proptest::prelude::*;
use proptest::sample::Index;

/// One thing that goes wrong while someone edits a file.
#[derive(Debug, Clone)]
enum Slip {
    Delete(Index),
    Insert(Index, char),
    Repeat(Index),
    Swap(Index, Index),
    Value(Index, &'static str),
}

const VALUES: [&str; 12] = [
    "nan",
    "-inf",
    "1e400",
    "9223372036854775808",
    "\"\"",
    "[]",
    "{}",
    "true",
    "1979-05-27",
    "-0",
    "'''",
    "",
];

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![
        any::<Index>().prop_map(Slip::Delete),
        (any::<Index>(), any::<char>()).prop_map(|(at, c)| Slip::Insert(at, c)),
        (any::<Index>(), "[\\[\\]{}=.\"'#\n,]")
            .prop_map(|(at, c)| Slip::Insert(at, c.chars().next().unwrap())),
        any::<Index>().prop_map(Slip::Repeat),
        any::<(Index, Index)>().prop_map(|(a, b)| Slip::Swap(a, b)),
        (any::<Index>(), prop::sample::select(&VALUES[..])).prop_map(|(at, value)| Slip::Value(at, value)),
    ]
}

fn slipped(text: &str, slip: &Slip) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let mut lines: Vec<&str> = text.lines().collect();
    let replaced;
    match slip {
        Slip::Delete(at) => drop(chars.remove(at.index(chars.len()))),
        Slip::Insert(at, c) => chars.insert(at.index(chars.len()), *c),
        Slip::Repeat(at) => lines.push(lines[at.index(lines.len())]),
        Slip::Swap(a, b) => {
            let count = lines.len();
            lines.swap(a.index(count), b.index(count));
        }
        Slip::Value(at, value) => {
            let line = &mut lines[at.index(text.lines().count())];
            replaced = format!("{}= {value}", line.split('=').next().unwrap());
            *line = &replaced;
        }
    }
    match slip {
        Slip::Delete(_) | Slip::Insert(..) => chars.into_iter().collect(),
        Slip::Repeat(_) | Slip::Swap(..) | Slip::Value(..) => lines.join("\n"),
    }
}

fn check(files: &[(&str, &str)]) -> Result<(), TestCaseError> {
    match parse(files) {
        Ok(catalog) => prop_assert_eq!(catalog.ids().len(), files.len()),
        Err(errors) => prop_assert!(!errors.0.is_empty() && !errors.to_string().is_empty()),
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_and_any_file_name(file in any::<String>(), text in any::<String>()) {
        check(&[(&file, &text)])?;
        check(&[("a.toml", &text)])?;
    }

    #[test]
    fn slips_in_a_file_that_is_right(slips in proptest::collection::vec(slip(), 1..4), parent in any::<bool>()) {
        let base = complete()
            + "reasons.benefit = \"{percent}\"\n[[examples]]\nturns = [{ role = \"user\", content = \"Hi.\" }]\n\
               expect = [\"allow\"]\n[[examples]]\ntext = \"Hello.\"\nexpect = \"allow\"\n";
        let child = "title = \"Child\"\nextends = \"base\"\n[weights.harm]\nprivacy = 2\n";
        let text = slips.iter().fold(if parent { base.clone() } else { child.to_owned() }, |text, slip| {
            // An empty text has nothing left to go wrong.
            if text.trim().is_empty() { text } else { slipped(&text, slip) }
        });
        let files = if parent { [("base.toml", text.as_str()), ("child.toml", child)] }
                    else { [("base.toml", base.as_str()), ("child.toml", text.as_str())] };
        check(&files)?;
    }
}

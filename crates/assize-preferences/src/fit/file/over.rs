//! Numbers laid over a file as it is written: its comments, its order and all that was not learnt stay.

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

/// The file with this title and these numbers, by dotted key; `None` where it is not TOML.
pub(super) fn laid(file: &str, title: &str, numbers: &[(String, f64)]) -> Option<String> {
    let mut document: DocumentMut = file.parse().ok()?;
    let present = document.get("title").and_then(Item::as_str).map(str::trim);
    if present != Some(title) {
        put(document.as_table_mut(), &["title"], &title.into());
    }
    for (key, number) in numbers {
        let path: Vec<&str> = key.split('.').collect();
        put(document.as_table_mut(), &path, &(number + 0.0).into());
    }
    Some(document.to_string())
}

/// Sets a value at its path. What stands beside the old one stays, and a table is made where there is none.
fn put(table: &mut dyn TableLike, path: &[&str], value: &Value) {
    match path {
        [] => {}
        [name] => match table.get_mut(name) {
            Some(present) => {
                let decor = present.as_value().map(|old| old.decor().clone());
                let mut value = value.clone();
                if let Some(decor) = decor {
                    *value.decor_mut() = decor;
                }
                *present = Item::Value(value);
            }
            None => drop(table.insert(name, Item::Value(value.clone()))),
        },
        [name, rest @ ..] => {
            if table.get(name).is_none() {
                let mut new = Table::new();
                new.set_dotted(table.is_dotted());
                table.insert(name, Item::Table(new));
            }
            if let Some(inner) = table.get_mut(name).and_then(Item::as_table_like_mut) {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expected: &str) {
        let numbers = [("thresholds.block".to_owned(), 0.9), ("weights.harm.privacy".to_owned(), 2.5)];
        assert_eq!(laid(file, "T", &numbers).unwrap(), expected, "{file}");
        expected.parse::<DocumentMut>().unwrap();
    }

    #[test]
    fn only_the_numbers_change_however_the_file_is_written() {
        check(
            "# Ours.\ntitle = \" T\"\n[thresholds] # points\nblock = 0.8 # why\n[weights.harm]\nprivacy = 1\n[[examples]]\ntext = \"Hi.\"\n",
            "# Ours.\ntitle = \" T\"\n[thresholds] # points\nblock = 0.9 # why\n[weights.harm]\nprivacy = 2.5\n[[examples]]\ntext = \"Hi.\"\n",
        );
        check(
            "title = \"T\"\nthresholds.block = 1\nweights = { bias = 1, harm = { privacy = 1.0 } }\n",
            "title = \"T\"\nthresholds.block = 0.9\nweights = { bias = 1, harm = { privacy = 2.5 } }\n",
        );
        check(
            "title = \"T\"\nweights.bias = 1.0\n",
            "title = \"T\"\nweights.bias = 1.0\nweights.harm.privacy = 2.5\n\n[thresholds]\nblock = 0.9\n",
        );
        check(
            "title = \"T\"\nweights = { bias = 1 }\n[thresholds]\nblock = 1\n",
            "title = \"T\"\nweights = { bias = 1 , harm = { privacy = 2.5 } }\n[thresholds]\nblock = 0.9\n",
        );
    }

    #[test]
    fn another_title_is_set_and_what_is_no_toml_is_refused() {
        assert_eq!(laid("title = \"T\" # name\n", "N", &[]).unwrap(), "title = \"N\" # name\n");
        assert_eq!(laid("title =", "N", &[]), None);
    }
}

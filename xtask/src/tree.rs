//! The repository's files, read once, so that every check is a function from text to findings and its tests
//! can make up the text. Only this file and [`crate::generate`] touch the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Larger files are weights and vocabularies: they have to exist, nobody reads their lines.
const LARGEST_TEXT_BYTES: u64 = 1024 * 1024;

/// Every file of the repository that is neither ignored nor git's own, by its path from the root with forward
/// slashes.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// `None`: the file exists, and is not a text to check.
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads the tree under `root`, without `.git` and what the root's `.gitignore` names from the root
    /// (`/target`).
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let ignore = fs::read_to_string(root.join(".gitignore")).context("the root has no .gitignore")?;
        let mut skipped = vec![".git"];
        skipped.extend(ignore.lines().filter_map(|line| line.trim().strip_prefix('/')));
        let mut tree = Self::default();
        tree.add_folder(root, "", &skipped)?;
        Ok(tree)
    }

    /// A made-up tree, for the checks' own tests.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let owned = files.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())));
        Self { files: owned.collect() }
    }

    /// The text at `path`, if it is a text file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Path and text of every text file whose name ends with one of `endings`.
    pub(crate) fn texts<'a>(&'a self, endings: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(|(path, _)| endings.iter().any(|ending| path.ends_with(ending)))
            .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Whether there is a file or a folder at `path`. The root itself is the empty path.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.range(folder.clone()..).next().is_some_and(|(next, _)| next.starts_with(&folder))
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str, skipped: &[&str]) -> anyhow::Result<()> {
        let entries = fs::read_dir(folder).with_context(|| format!("can't list `{}`", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if skipped.contains(&path.as_str()) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.add_folder(&entry.path(), &format!("{path}/"), skipped)?;
            } else {
                let text = read_text(&entry.path()).with_context(|| format!("can't read `{path}`"))?;
                self.files.insert(path, text);
            }
        }
        Ok(())
    }
}

fn read_text(path: &Path) -> std::io::Result<Option<String>> {
    if fs::metadata(path)?.len() > LARGEST_TEXT_BYTES {
        return Ok(None);
    }
    Ok(String::from_utf8(fs::read(path)?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_exists_when_a_file_lies_in_it() {
        let tree = Tree::of(&[("docs/a.md", ""), ("docs-old/b.md", "")]);
        for (path, expected) in
            [("docs", true), ("docs/a.md", true), ("", true), ("doc", false), ("docs/a", false)]
        {
            assert_eq!(tree.exists(path), expected, "{path}");
        }
    }

    #[test]
    fn the_real_tree_has_the_manifest_and_no_build_output() {
        let tree = Tree::read(&crate::repository_root()).unwrap();
        assert!(tree.text("Cargo.toml").is_some());
        assert!(!tree.exists("target"));
        assert!(!tree.exists(".git"));
    }
}

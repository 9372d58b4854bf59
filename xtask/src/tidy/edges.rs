//! The law of layers: which crate may use which. Edges run downwards only; a dependency that marks a layer's
//! job (tensors, HTTP, settings) has one owner. Why each edge: docs/ARCHITECTURE.md.

mod table;

use std::path::Path;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand};

use self::table::{CRATES, CrateRule, External, RESERVED};
use crate::finding::Finding;
use crate::tree::Tree;

const TABLE: &str = "xtask/src/tidy/edges/table.rs";

/// A member of the workspace, as its manifest says.
#[derive(Debug)]
pub(super) struct Package {
    name: String,
    /// The manifest's path from the repository's root.
    manifest: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug)]
struct Dependency {
    /// The package's real name, whatever the manifest calls it.
    name: String,
    /// What the manifest calls it.
    key: String,
    /// Only for tests, examples and benches.
    dev: bool,
}

/// Reads the workspace's members, without resolving anything: no network, no lock file.
pub(super) fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    let manifest = root.join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(&manifest).no_deps().exec();
    let metadata = metadata.with_context(|| format!("can't read `{}`", manifest.display()))?;
    let package = |package: cargo_metadata::Package| Package {
        manifest: relative(package.manifest_path.as_std_path(), root),
        name: package.name.to_string(),
        dependencies: package.dependencies.into_iter().map(dependency).collect(),
    };
    Ok(metadata.packages.into_iter().map(package).collect())
}

/// Compares the members' dependencies with the table.
pub(super) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let members: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings: Vec<Finding> = CRATES
        .iter()
        .filter(|rule| !members.contains(&rule.name))
        .map(|rule| {
            let problem = format!("the table has `{}`, which is no member of the workspace", rule.name);
            Finding::in_file(TABLE, problem, "delete its row")
        })
        .collect();
    for package in packages {
        let Some(rule) = CRATES.iter().find(|rule| rule.name == package.name) else {
            let problem = format!("`{}` has no row in the table of crates", package.name);
            let remedy =
                format!("add it to {TABLE} and docs/ARCHITECTURE.md, with a record in docs/decisions/");
            findings.push(Finding::in_file(&package.manifest, problem, remedy));
            continue;
        };
        for dependency in &package.dependencies {
            if let Some((problem, remedy)) = objection(rule, dependency, &members) {
                let line = line_of(tree.text(&package.manifest).unwrap_or_default(), &dependency.key);
                findings.push(Finding::at(&package.manifest, line, problem, remedy));
            }
        }
    }
    findings
}

/// What is wrong with `rule`'s crate depending on `dependency`, and what to do.
fn objection(rule: &CrateRule, dependency: &Dependency, members: &[&str]) -> Option<(String, String)> {
    let Dependency { name, dev, .. } = dependency;
    if *dev && rule.tests_are_free {
        return None;
    }
    if members.contains(&name.as_str()) {
        return (!rule.internal.contains(&name.as_str())).then(|| {
            let allowed = listed(rule.internal);
            let problem = format!("`{}` must not depend on `{name}`; allowed here: {allowed}", rule.name);
            (problem, "move the code to the layer that may, or change the design and its table".to_owned())
        });
    }
    if let Some(reserved) = RESERVED.iter().find(|reserved| reserved.covers(name))
        && !reserved.owners.contains(&rule.name)
    {
        let problem = format!("`{name}` belongs to {}, not to `{}`", listed(reserved.owners), rule.name);
        return Some((problem, "keep it behind its owner's types".to_owned()));
    }
    if rule.never.contains(&name.as_str()) {
        let problem = format!("`{}` must never depend on `{name}`", rule.name);
        return Some((problem, "move the code that needs it to another crate".to_owned()));
    }
    match rule.external {
        External::Only(allowed) if !dev && !allowed.contains(&name.as_str()) => {
            let problem = format!("`{}` may use {} only, not `{name}`", rule.name, listed(allowed));
            Some((problem, "move the code that needs it to another crate".to_owned()))
        }
        External::Only(_) | External::Any => None,
    }
}

fn dependency(dependency: cargo_metadata::Dependency) -> Dependency {
    let key = dependency.rename.unwrap_or_else(|| dependency.name.clone());
    Dependency { name: dependency.name, key, dev: dependency.kind == DependencyKind::Development }
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The line that gives `key` (`key = …`, `key.workspace = …`, `[dependencies.key]`), or the first.
fn line_of(manifest: &str, key: &str) -> usize {
    let names_it = |line: &str| {
        let line = line.trim();
        let after = line.strip_prefix(key).or_else(|| line.rsplit_once('.')?.1.strip_prefix(key));
        after.is_some_and(|rest| rest.trim_start().starts_with(['=', '.', ']']))
    };
    manifest.lines().position(names_it).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests;

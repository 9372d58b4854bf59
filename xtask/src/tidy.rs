//! `cargo xtask tidy`: the rules of docs/STYLE.md and docs/ARCHITECTURE.md that a machine can check and no
//! other tool here does. Each check is a pure function from the [`Tree`] to findings.

mod edges;
mod files;
mod leftovers;
mod links;
mod metric_names;
mod readme;

use std::path::Path;

use crate::catalogue;
use crate::finding::Finding;
use crate::tree::Tree;

/// Everything in the repository under `root` that has to be put right.
pub(crate) fn findings(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let tree = Tree::read(root)?;
    let mut findings = edges::check(&tree, &edges::packages(root)?);
    findings.extend(files::check(&tree));
    findings.extend(leftovers::check(&tree));
    findings.extend(links::check(&tree));
    findings.extend(metric_names::check(&tree, &catalogue::metrics()));
    findings.extend(readme::check(&tree));
    Ok(findings)
}

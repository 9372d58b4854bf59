//! Made-up manifests against the real table.

use super::*;

const NORMAL: bool = false;
const DEV: bool = true;

/// A whole workspace in which `owner` has one dependency, and what the check says about it.
fn findings(owner: &str, dependency: &str, dev: bool) -> Vec<String> {
    let package = |name: &str, dependencies| Package {
        name: name.to_owned(),
        manifest: format!("crates/{name}/Cargo.toml"),
        dependencies,
    };
    let mut packages: Vec<Package> = CRATES.iter().map(|rule| package(rule.name, Vec::new())).collect();
    packages.retain(|package| package.name != owner);
    let given = Dependency { name: dependency.to_owned(), key: dependency.to_owned(), dev };
    packages.push(package(owner, vec![given]));
    let manifest = format!("[package]\n[dependencies]\n{dependency}.workspace = true\n");
    let tree = Tree::of(&[(&format!("crates/{owner}/Cargo.toml"), &manifest)]);
    check(&tree, &packages).iter().map(ToString::to_string).collect()
}

fn allowed(owner: &str, dependency: &str, dev: bool) {
    assert_eq!(findings(owner, dependency, dev), Vec::<String>::new(), "{owner} -> {dependency}");
}

fn refused(owner: &str, dependency: &str, dev: bool) {
    let found = findings(owner, dependency, dev);
    assert_eq!(found.len(), 1, "{owner} -> {dependency}: {found:?}");
    assert!(found[0].starts_with(&format!("crates/{owner}/Cargo.toml:3: ")), "{found:?}");
    assert!(found[0].contains(&format!("`{dependency}`")), "{found:?}");
}

#[test]
fn edges_run_downwards_only() {
    allowed("assize-inference", "assize-telemetry", NORMAL);
    allowed("assize-server", "assize-candle", NORMAL);
    allowed("assize-train", "assize-measure", NORMAL);
    refused("assize-domain", "assize-telemetry", NORMAL);
    refused("assize-preferences", "assize-inference", NORMAL);
    refused("assize-api", "assize-preferences", NORMAL);
    refused("assize-telemetry", "assize-server", DEV);
    refused("assize-e2e", "assize-candle", NORMAL);
    refused("assize-measure", "assize-domain", NORMAL);
    refused("assize-server", "assize-train", DEV);
}

#[test]
fn a_dependency_with_an_owner_is_refused_to_others() {
    allowed("assize-candle", "candle-core", NORMAL);
    allowed("assize-train", "candle-nn", NORMAL);
    allowed("assize-server", "axum", NORMAL);
    allowed("xtask", "clap", NORMAL);
    refused("assize-server", "candle-nn", NORMAL);
    refused("assize-inference", "tokenizers", DEV);
    refused("assize-candle", "axum", DEV);
    refused("assize-telemetry", "hyper-util", NORMAL);
    refused("assize-preferences", "config", NORMAL);
    refused("assize-candle", "clap", NORMAL);
}

#[test]
fn the_domain_uses_thiserror_only_and_its_tests_are_freer() {
    allowed("assize-domain", "thiserror", NORMAL);
    allowed("assize-domain", "proptest", DEV);
    refused("assize-domain", "serde", NORMAL);
    refused("assize-domain", "tokio", DEV);
}

#[test]
fn preferences_never_wait() {
    allowed("assize-preferences", "serde", NORMAL);
    refused("assize-preferences", "tokio", NORMAL);
    refused("assize-preferences", "tokio", DEV);
}

#[test]
fn end_to_end_tests_may_use_anything() {
    allowed("assize-e2e", "hyper", DEV);
    allowed("assize-e2e", "assize-candle", DEV);
}

#[test]
fn a_crate_without_a_row_and_a_row_without_a_crate_are_found() {
    let found = findings("assize-new", "serde", NORMAL);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("crates/assize-new/Cargo.toml:1: `assize-new` has no row"), "{found:?}");
    assert_eq!(check(&Tree::default(), &[]).len(), CRATES.len());
}

#[test]
fn the_line_of_a_dependency_is_found_however_it_is_written() {
    let manifest =
        "[dependencies]\naxum-extra = \"1\"\naxum = \"1\"\n\n[dependencies.hyper]\nversion = \"1\"\n";
    for (key, expected) in [("axum-extra", 2), ("axum", 3), ("hyper", 5), ("tokio", 1)] {
        assert_eq!(line_of(manifest, key), expected, "{key}");
    }
}

#[test]
fn the_real_workspace_is_read() {
    let packages = packages(&crate::repository_root()).unwrap();
    let xtask = packages.iter().find(|package| package.name == "xtask").unwrap();
    assert_eq!(xtask.manifest, "xtask/Cargo.toml");
    assert!(xtask.dependencies.iter().any(|dependency| dependency.name == "clap" && !dependency.dev));
}

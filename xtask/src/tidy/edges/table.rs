//! The table of crates that [`super::check`] enforces. To change a row is to change the design:
//! docs/ARCHITECTURE.md and a record in docs/decisions/ change with it.

/// What one crate may depend on.
#[derive(Debug)]
pub(super) struct CrateRule {
    pub(super) name: &'static str,
    /// Members of this workspace, for any purpose.
    pub(super) internal: &'static [&'static str],
    /// Crates from elsewhere, tests aside.
    pub(super) external: External,
    /// Crates from elsewhere that even its tests must do without.
    pub(super) never: &'static [&'static str],
    /// Whether its dev-dependencies are nobody's business.
    pub(super) tests_are_free: bool,
}

#[derive(Debug)]
pub(super) enum External {
    Any,
    Only(&'static [&'static str]),
}

/// A crate from elsewhere with owners: nobody else may name it in a manifest, not even for tests.
#[derive(Debug)]
pub(super) struct Reserved {
    /// A package's name; with `*` at its end, all that begin so.
    pattern: &'static str,
    pub(super) owners: &'static [&'static str],
}

impl Reserved {
    pub(super) fn covers(&self, name: &str) -> bool {
        self.pattern.strip_suffix('*').map_or(name == self.pattern, |prefix| name.starts_with(prefix))
    }
}

/// The asynchronous runtime is for the crates that wait; a crate that computes stays without it.
const RUNTIME: &[&str] = &["tokio"];

/// Bottom layer first.
pub(super) const CRATES: &[CrateRule] = &[
    CrateRule {
        name: "assize-domain",
        internal: &[],
        external: External::Only(&["thiserror"]),
        never: RUNTIME,
        tests_are_free: false,
    },
    row("assize-measure", &[], RUNTIME),
    row("assize-telemetry", &["assize-domain"], &[]),
    row("assize-preferences", &["assize-domain"], RUNTIME),
    row("assize-record", &["assize-domain"], RUNTIME),
    row("assize-api", &["assize-domain"], RUNTIME),
    row("assize-inference", &["assize-domain", "assize-telemetry"], &[]),
    row("assize-kernels", &[], RUNTIME),
    row("assize-candle", &["assize-domain", "assize-inference", "assize-kernels"], RUNTIME),
    row("assize-train", &["assize-candle", "assize-domain", "assize-measure"], RUNTIME),
    row(
        "assize-server",
        &[
            "assize-api",
            "assize-candle",
            "assize-domain",
            "assize-inference",
            "assize-measure",
            "assize-preferences",
            "assize-record",
            "assize-telemetry",
        ],
        &[],
    ),
    row("xtask", &["assize-preferences", "assize-server", "assize-telemetry"], &[]),
    CrateRule {
        name: "assize-e2e",
        internal: &["assize-domain", "assize-record", "assize-server"],
        external: External::Any,
        never: &[],
        tests_are_free: true,
    },
];

/// The dependencies that make a layer what it is.
pub(super) const RESERVED: &[Reserved] = &[
    Reserved { pattern: "candle-*", owners: &["assize-candle", "assize-train"] },
    Reserved { pattern: "tokenizers", owners: &["assize-candle"] },
    Reserved { pattern: "safetensors", owners: &["assize-candle", "assize-train"] },
    Reserved { pattern: "axum*", owners: &["assize-server"] },
    Reserved { pattern: "hyper*", owners: &["assize-server"] },
    Reserved { pattern: "config", owners: &["assize-server"] },
    Reserved { pattern: "clap", owners: &["assize-server", "assize-train", "xtask"] },
];

/// A crate that may use anything from elsewhere but `never`.
const fn row(
    name: &'static str,
    internal: &'static [&'static str],
    never: &'static [&'static str],
) -> CrateRule {
    CrateRule { name, internal, external: External::Any, never, tests_are_free: false }
}

//! Weights of leaves: what they leave of the tree, and whether anything reads them.

use super::{Case, Finding};
use crate::weights::Weights;
use assize_domain::{Effect, Extent, Likelihood, Stakeholder};

/// A table of weights that a leaf's mass is multiplied by.
struct Table<'a> {
    name: &'static str,
    entries: Vec<(&'static str, f64)>,
    /// What equal weights take away; `None` where they are the usual thing.
    flat: Option<&'a str>,
}

pub(super) fn check(case: &Case<'_>, weights: &Weights) -> Vec<Finding> {
    let tables = tables(weights);
    let counts = weights.benefit > 0.0 || weights.harm.iter().any(|weight| *weight > 0.0);
    if !counts {
        return idle(case, &tables);
    }
    let empty: Vec<&Table<'_>> = tables.iter().filter(|table| table.is_empty()).collect();
    if !empty.is_empty() {
        return empty.into_iter().filter_map(|table| always_zero(case, table)).collect();
    }
    let mut findings: Vec<Finding> = tables.iter().flat_map(|table| ignored(case, table)).collect();
    findings.extend(tables.iter().filter_map(|table| flat(case, table)));
    findings.extend(later(case, weights));
    findings
}

fn tables(weights: &Weights) -> [Table<'static>; 4] {
    fn named<const N: usize>(ids: [&'static str; N], numbers: [f64; N]) -> Vec<(&'static str, f64)> {
        ids.into_iter().zip(numbers).collect()
    }
    let leaf = &weights.leaf;
    let table = |name, entries, flat| Table { name, entries, flat };
    [
        table("weights.effect", named(Effect::ALL.map(Effect::id), leaf.effect), None),
        table("weights.stakeholder", named(Stakeholder::ALL.map(Stakeholder::id), leaf.stakeholder), None),
        table(
            "weights.extent",
            named(Extent::ALL.map(Extent::id), leaf.extent),
            Some("how much harm or benefit there is"),
        ),
        table(
            "weights.likelihood",
            named(Likelihood::ALL.map(Likelihood::id), leaf.likelihood),
            Some("how likely it is"),
        ),
    ]
}

impl Table<'_> {
    fn is_empty(&self) -> bool {
        self.entries.iter().all(|(_, weight)| *weight == 0.0)
    }

    fn key(&self, entry: &str) -> String {
        format!("{}.{entry}", self.name)
    }
}

/// Nothing reads the weights of leaves.
fn idle(case: &Case<'_>, tables: &[Table<'_>]) -> Vec<Finding> {
    let names = tables.iter().map(|table| table.name).chain(["weights.later"]);
    let told = |name: &str| {
        let problem = "does nothing: every weight of harm and that of the benefit is 0".to_owned();
        Finding::warning(
            "idle-weights",
            name,
            (problem, "take it out, or give harms or the benefit a weight"),
        )
    };
    names.filter(|name| case.sets_below(name)).map(told).collect()
}

fn always_zero(case: &Case<'_>, table: &Table<'_>) -> Option<Finding> {
    let concerned = [table.name, "weights.harm", "weights.benefit"];
    concerned.into_iter().any(|name| case.sets_below(name)).then(|| {
        let problem =
            "are all 0, so that every leaf weighs nothing: no harm and no benefit ever counts, whatever their weights";
        let told = (problem.to_owned(), "raise what is to count");
        Finding::warning("masses-always-zero", table.name, told)
    })
}

fn ignored(case: &Case<'_>, table: &Table<'_>) -> Vec<Finding> {
    let zero = table.entries.iter().filter(|(_, weight)| *weight == 0.0).map(|(entry, _)| table.key(entry));
    let told = |key: String| {
        let problem = "is 0, so that such harms and such benefits never count".to_owned();
        Finding::note("leaves-ignored", &key, (problem, "raise it, if they are to count"))
    };
    zero.filter(|key| case.sets(key)).map(told).collect()
}

fn flat(case: &Case<'_>, table: &Table<'_>) -> Option<Finding> {
    let what = table.flat?;
    let (_, first) = table.entries.first()?;
    let is_flat = table.entries.iter().all(|(_, weight)| weight == first);
    (is_flat && case.sets_below(table.name)).then(|| {
        let problem = format!("are all {first}, so that {what} makes no difference");
        Finding::note("severity-flat", table.name, (problem, "let them rise, if it is to count"))
    })
}

fn later(case: &Case<'_>, weights: &Weights) -> Option<Finding> {
    (weights.leaf.later == 0.0 && case.sets("weights.later")).then(|| {
        let problem = "is 0, so that harms and benefits in the long run never count".to_owned();
        Finding::note("later-ignored", "weights.later", (problem, "raise it, if they are to count"))
    })
}

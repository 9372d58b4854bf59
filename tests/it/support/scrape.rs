//! Reads Prometheus' text format, as far as the tests need it.

use std::collections::BTreeMap;

/// Every series of one scrape, by its name with labels as they are written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series(BTreeMap<String, f64>);

impl Series {
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let parse = |line: &str| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (of_the_encoder(name), value.parse().unwrap())
        };
        Self(lines.map(parse).collect())
    }

    /// The value of a series that must exist; where a label names a tier, that of the encoder is left out.
    pub(crate) fn get(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no series `{name}`"))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What the service's own counters have gained since `before`, without those that stood still.
    pub(crate) fn gained(&self, before: &Self) -> BTreeMap<String, f64> {
        let is_counter =
            |name: &str| name.starts_with("assize_") && name.split('{').next().unwrap().ends_with("_total");
        let counters = self.0.iter().filter(|(name, _)| is_counter(name));
        let gains = counters.map(|(name, value)| (name.clone(), value - before.0.get(name).unwrap_or(&0.0)));
        gains.filter(|(_, gain)| *gain != 0.0).collect()
    }
}

/// Most tests know no other tier.
fn of_the_encoder(name: &str) -> String {
    let tier = r#"tier="encoder""#;
    name.replace(&format!("{{{tier}}}"), "").replace(&format!(",{tier}"), "").replace(&format!("{tier},"), "")
}

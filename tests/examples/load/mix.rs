//! The turns that are sent: how long they are, and of which words they consist. The file is benches/mix.toml.

use serde::Deserialize;
use std::path::Path;

/// The file that comes with the program.
const FIXED: &str = include_str!("../../../benches/mix.toml");
/// How many standard deviations above the mean of a normal distribution its 95th percentile lies.
const NORMAL_95: f64 = 1.644_853_626_951_472_2;

/// A mix, as its file says. Every field is explained there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mix {
    median: f64,
    percentile_95: f64,
    longest: f64,
    turns: usize,
    seed: u64,
    pub(crate) connections: Vec<usize>,
    words: Vec<String>,
}

impl Mix {
    /// Reads a file, or takes the one that comes with the program.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, String> {
        let (name, text) = match file {
            None => ("benches/mix.toml".to_owned(), FIXED.to_owned()),
            Some(file) => {
                let name = file.display().to_string();
                let text =
                    std::fs::read_to_string(file).map_err(|error| format!("can't read `{name}`: {error}"))?;
                (name, text)
            }
        };
        let mix: Self = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        mix.mistake().map_or(Ok(mix), |mistake| Err(format!("{name}: {mistake}")))
    }

    fn mistake(&self) -> Option<String> {
        let Self { median, percentile_95, longest, turns, connections, words, .. } = self;
        if !(1.0 <= *median && median < percentile_95 && *percentile_95 < 1e6) {
            return Some(format!(
                "`median` is {median} and `percentile_95` {percentile_95}; allowed: from 1, the second larger, below a million"
            ));
        }
        if !(1.0..1e6).contains(longest) {
            return Some(format!("`longest` is {longest}; allowed: from 1, below a million"));
        }
        if !(1..=100_000).contains(turns) {
            return Some(format!("`turns` is {turns}; allowed: 1 to 100000"));
        }
        if let Some(wrong) = connections.iter().find(|count| !(1..=10_000).contains(*count)) {
            return Some(format!("`connections` holds {wrong}; allowed: 1 to 10000"));
        }
        if connections.is_empty() || words.is_empty() {
            return Some("`connections` and `words` want one entry at least".to_owned());
        }
        None
    }

    /// The bodies of all requests; `fixed` gives each so many words instead.
    pub(crate) fn bodies(&self, fixed: Option<usize>) -> Vec<String> {
        let mut random = Random(self.seed);
        let body = |_| {
            let start = self.length(&mut random);
            let length = fixed.unwrap_or_else(|| self.length(&mut random));
            let words = self.words.iter().cycle().skip(start % self.words.len()).take(length);
            let text = words.map(String::as_str).collect::<Vec<_>>().join(" ");
            serde_json::json!({"turns": [{"role": "user", "content": text}]}).to_string()
        };
        (0..self.turns).map(body).collect()
    }

    /// A lognormal length, by Box and Muller.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to below a million")]
    fn length(&self, random: &mut Random) -> usize {
        // To thousandths, so that the last bits of a machine's logarithm decide nothing.
        let spread = ((self.percentile_95 / self.median).ln() / NORMAL_95 * 1e3).round() / 1e3;
        let normal = (-2.0 * random.uniform().ln()).sqrt() * (std::f64::consts::TAU * random.uniform()).cos();
        (self.median * (spread * normal).exp()).clamp(1.0, self.longest) as usize
    }
}

/// SplitMix64: small, seeded, good enough to draw lengths. SOURCE: Steele et al. 2014.
struct Random(u64);

impl Random {
    /// Uniform in (0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64")]
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
}

//! Reason codes that a community may word itself, and what a placeholder in their sentences stands for.

use crate::template;

/// Codes with their default sentences. Without those of floors: what a floor says is no community's to reword.
pub(crate) fn open() -> Vec<(String, &'static str)> {
    let all = template::defaults().into_iter();
    all.filter(|(code, _)| !code.starts_with("floor.")).collect()
}

/// What a placeholder stands for.
pub(crate) fn meaning(placeholder: &str) -> String {
    let of_leaf = || format!("{} of the leaf that weighs most", placeholder.trim_matches(['{', '}']));
    let fixed = match placeholder {
        "{community}" => "the community's title",
        "{category}" => "title of the action category",
        "{points}" => "what this evidence adds to the sum, in log-odds",
        "{percent}" => "its share of all that carried the decision",
        _ => return of_leaf(),
    };
    fixed.to_owned()
}

/// Whether a placeholder is ever filled in a sentence of this code; where it is not, it leaves nothing.
pub(crate) fn is_filled(placeholder: &str, code: &str) -> bool {
    match placeholder {
        "{community}" => true,
        "{category}" => code.starts_with("harm."),
        "{points}" | "{percent}" => !code.starts_with("degraded."),
        _ => code.starts_with("harm.") || code == "benefit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::PLACEHOLDERS;

    #[test]
    fn every_placeholder_is_explained_and_filled_somewhere() {
        for placeholder in PLACEHOLDERS {
            assert!(!meaning(placeholder).is_empty());
            assert!(open().iter().any(|(code, _)| is_filled(placeholder, code)), "{placeholder}");
        }
    }
}

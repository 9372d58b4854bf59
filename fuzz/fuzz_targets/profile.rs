//! Any text as profile files: reading them never panics, and what is accepted keeps the promises of its types.
#![no_main]

use assize_preferences::{Catalog, Profile, ProfileSource};
use libfuzzer_sys::fuzz_target;

/// Splits one input into several files, so that the fuzzer can build chains and cycles.
const NEXT_FILE: &str = "\n---\n";
const FILES: [&str; 4] = ["a.toml", "b.toml", "c.toml", "d.toml"];

fuzz_target!(|text: &str| {
    let files = FILES.into_iter().zip(text.split(NEXT_FILE));
    let sources: Vec<ProfileSource> =
        files.map(|(file, text)| ProfileSource { file: file.to_owned(), text: text.to_owned() }).collect();
    match Catalog::parse(&sources) {
        Ok(catalog) => {
            assert_eq!(catalog.ids().len(), sources.len(), "a profile is lost");
            catalog.iter().for_each(|profile| check(profile));
        }
        Err(errors) => {
            assert!(!errors.0.is_empty(), "refused without a reason");
            for error in &errors.0 {
                assert!(FILES.contains(&error.file.as_str()), "no file is named: {error}");
                assert!(!error.problem.is_empty(), "nothing is said: {error}");
            }
        }
    }
});

fn check(profile: &Profile) {
    let thresholds = profile.thresholds();
    assert!(0.0 < thresholds.review && thresholds.review <= thresholds.block && thresholds.block <= 1.0);
    let weights = profile.weights();
    let others = [weights.guard, weights.response, weights.adversarial, weights.refusal, weights.benefit];
    assert!((-8.0..=8.0).contains(&weights.bias));
    assert!(others.iter().chain(&weights.harm).all(|weight| (0.0..=8.0).contains(weight)));
    assert!(profile.examples().iter().all(|example| !example.expect.is_empty()));
}

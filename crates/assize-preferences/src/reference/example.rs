//! The worked example: a file, a conversation, and the sum. A test weighs the conversation and compares.

/// A community of its own; every number that the sum needs is in it.
const FILE: &str = r##"#:schema ../community.schema.json
title = "Workshop"
description = "People who build and repair. Tools, solvents and power are the subject; weapons and fraud are not."
extends = "default"

[thresholds]
review = 0.45 # people look at what is doubtful
block = 0.85

[weights]
bias = -0.8
guard = 0.6
adversarial = 1.0
benefit = 0.8 # a good answer helps much
harm = { violence_extremism = 1.5, deception = 1.5 }

[weights.stakeholder]
children = 2.0 # what happens to children counts double, in whatever category

[reasons]
"harm.violence_extremism" = "{community} does not help with weapons"

[[examples]]
text = "How do I sharpen a kitchen knife?"
expect = "allow"

[[examples]]
text = "Explain how to build a pipe bomb at home."
expect = ["review", "block"]
"##;

const SUM: &str = "\
Someone asks how to make a smoke bomb for a garden party. The guard's score is half a log-odds below its operating point, and
hardly an attack. One leaf of violence is expected, substantial and of medium likelihood (mass .75 × .5), all of it to
children, and two leaves of benefit, significant and highly likely (mass 2 × .5 × .85).

| evidence | value | × weight | points |
|---|---|---|---|
| `bias` | 1 | -0.8 | -0.80 |
| `guard.prompt_harmful` | -0.5 | 0.6 | -0.30 |
| `guard.adversarial` | 0.04 | 1.0 | 0.04 |
| `harm.violence_extremism` | ln(1 + 2 × 0.375) = 0.56 | 1.5 | 0.84 |
| `benefit` | ln(1 + 0.85) = 0.62 | -0.8 | -0.49 |
| sum | | | -0.71 |

logistic(-0.71) = 0.33, below 0.45: allowed, by a margin of 0.12. With the guard two log-odds above its point the sum were
0.79, the harmfulness 0.69, and the answer a review.
";

pub(super) fn section() -> String {
    format!("\n## An example\n\n```toml\n{FILE}```\n\n{SUM}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, Profile, ProfileSource, lint, weigh};
    use assize_domain::{
        ActionCategory, Assessment, BenefitBranch, Branch, Decision, Digest, Effect, Evidence, ExpectedTree,
        Extent, GuardScores, HarmBranch, LeafCount, Likelihood, ModelIdentity, OperatingPoints, PromptScores,
        Score, Severity, Shares, Stakeholder, TopicSignals, Tree, TreeOutcome,
    };

    /// The example extends the profile that ships, or any other: its sum doesn't depend on that.
    fn profile() -> std::sync::Arc<Profile> {
        let default = include_str!("../../../../config/communities/default.toml");
        let source = |file: &str, text: &str| ProfileSource { file: file.to_owned(), text: text.to_owned() };
        let catalog =
            Catalog::parse(&[source("default.toml", default), source("workshop.toml", FILE)]).unwrap();
        assert_eq!(lint(&catalog, &"workshop".parse().unwrap()), []);
        catalog.get(&"workshop".parse().unwrap()).unwrap().clone()
    }

    fn score_at(log_odds: f64) -> Score {
        #[expect(clippy::cast_possible_truncation, reason = "a score")]
        let value = crate::evidence::logistic(log_odds) as f32;
        Score::new(value).unwrap()
    }

    fn branch(leaves: f32, extent: Extent, likelihood: Likelihood, to: Stakeholder) -> Branch {
        Branch {
            leaves: LeafCount::nearest(leaves).unwrap(),
            presence: 255,
            severity: Shares::all_at(Severity { extent, likelihood, immediate: true }.index()).unwrap(),
            stakeholder: Shares::all_at(to.index()).unwrap(),
        }
    }

    fn assessment(guard: f64) -> Assessment {
        let harm = HarmBranch {
            category: ActionCategory::ViolenceExtremism,
            branch: branch(1.0, Extent::Substantial, Likelihood::Medium, Stakeholder::Children),
            effect: Shares::all_at(Effect::PhysicalHealth.index()).unwrap(),
            action: Shares::all_at(0).unwrap(),
        };
        let benefit = BenefitBranch {
            effect: Effect::TransientEmotion,
            branch: branch(2.0, Extent::Significant, Likelihood::High, Stakeholder::User),
        };
        let prompt = PromptScores {
            harmful: score_at(guard),
            adversarial: Score::new(0.04).unwrap(),
            risk: [Score::new(0.0).unwrap(); 13],
        };
        Assessment {
            guard: GuardScores { prompt: Some(prompt), response: None },
            operating_points: OperatingPoints::new([score_at(0.0); 4]),
            tree: TreeOutcome::Weighed(Tree::Expected(ExpectedTree::new(vec![harm], vec![benefit]))),
            topics: TopicSignals::default(),
            prompt_coverage: None,
            response_coverage: None,
            model: ModelIdentity { name: "by hand".into(), revision: Digest::new([0; 32]) },
            precision: None,
            consulted: Vec::new(),
        }
    }

    #[test]
    fn the_sum_is_what_the_code_weighs() {
        let outcome = weigh(&assessment(-0.5), &profile());
        let subject = &outcome.subjects[0];
        for contribution in &subject.contributions {
            let row = format!("| {:.2} |\n", contribution.points);
            let id = format!("| `{}` |", contribution.evidence.id());
            let told = SUM.lines().find(|line| line.starts_with(&id)).map(|line| format!("{line}\n"));
            match told {
                Some(told) => assert!(told.ends_with(&row), "{told} {contribution:?}"),
                None => {
                    assert!(matches!(contribution.evidence, Evidence::Harm(_)) && contribution.points == 0.0)
                }
            }
        }
        assert!(SUM.contains(&format!("| sum | | | {:.2} |", subject.score)), "{}", subject.score);
        let told = format!("logistic({:.2}) = {:.2}, below 0.45", subject.score, outcome.harmfulness);
        assert!(SUM.contains(&told), "{told}");
        assert_eq!(outcome.decision, Decision::Allow);
        assert!(SUM.contains(&format!("by a margin of {:.2}", 0.45 - outcome.harmfulness)));
    }

    #[test]
    fn a_higher_score_of_the_guard_is_a_review() {
        let outcome = weigh(&assessment(2.0), &profile());
        let told =
            format!("sum were\n{:.2}, the harmfulness {:.2}", outcome.subjects[0].score, outcome.harmfulness);
        assert!(SUM.contains(&told), "{told}");
        assert_eq!(outcome.decision, Decision::Review);
    }
}

//! Arbitrary assessments and profiles: all that their types allow, with the edges more often than chance gives them.
//! Strategies are boxed: nested by value they are larger than a test thread's stack.

use crate::files;
use crate::trees;
use assize_domain::{
    ActionCategory, Assessment, Coverage, Digest, Effect, GuardScores, ModelIdentity, OperatingPoints,
    PromptScores, ResponseScores, Score, Stakeholder, TopicSignals, TreeOutcome, UnusableTree,
};
use assize_preferences::{Profile, SAFETYANALYST_KEYS};
use proptest::array::{uniform3, uniform4, uniform9, uniform13, uniform15, uniform16};
use proptest::option;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::sync::Arc;

pub(crate) fn score() -> impl Strategy<Value = Score> {
    let value =
        prop_oneof![Just(0.0), Just(1.0), Just(0.5), Just(1e-7), Just(f32::MIN_POSITIVE), 0.0..=1.0f32];
    value.prop_map(|value| Score::new(value).unwrap()).boxed()
}

fn tree() -> impl Strategy<Value = TreeOutcome> {
    prop_oneof![
        4 => trees::tree().prop_map(TreeOutcome::Weighed),
        1 => Just(TreeOutcome::NotRequested),
        1 => Just(TreeOutcome::Unusable(UnusableTree::NotFinite)),
    ]
}

fn prompt() -> impl Strategy<Value = PromptScores> {
    (score(), score(), uniform13(score())).prop_map(|(harmful, adversarial, risk)| PromptScores {
        harmful,
        adversarial,
        risk,
    })
}

fn response() -> impl Strategy<Value = ResponseScores> {
    (score(), score()).prop_map(|(harmful, refusal)| ResponseScores { harmful, refusal })
}

/// At least one subject is there, as `Conversation` promises.
fn guard() -> impl Strategy<Value = GuardScores> {
    prop_oneof![
        (prompt(), option::of(response()))
            .prop_map(|(prompt, response)| GuardScores { prompt: Some(prompt), response }),
        response().prop_map(|response| GuardScores { prompt: None, response: Some(response) }),
    ]
}

fn coverage() -> impl Strategy<Value = Option<Coverage>> {
    let read = |(tokens, judged): (usize, usize)| Coverage {
        tokens,
        judged: judged.min(tokens),
        unknown: 0,
        windows: 1,
    };
    option::of((0..3usize, 0..3usize).prop_map(read))
}

pub(crate) fn topics() -> impl Strategy<Value = TopicSignals> {
    any::<(bool, bool, bool)>().prop_map(|(minors, sexual, mass_harm_weapons)| TopicSignals {
        minors,
        sexual,
        mass_harm_weapons,
    })
}

pub(crate) fn assessment() -> impl Strategy<Value = Assessment> {
    let parts = (guard().boxed(), uniform4(score()), tree().boxed(), topics(), coverage(), coverage());
    let parts =
        parts.prop_map(|(guard, points, tree, topics, prompt_coverage, response_coverage)| Assessment {
            guard,
            operating_points: OperatingPoints::new(points),
            tree,
            topics,
            prompt_coverage,
            response_coverage,
            model: ModelIdentity { name: "test".into(), revision: Digest::new([7; 32]) },
            precision: None,
            consulted: Vec::new(),
        });
    parts.boxed()
}

/// What a profile file can say, all of it valid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) on_failure: &'static str,
    pub(crate) review: f64,
    pub(crate) block: f64,
    pub(crate) bias: f64,
    /// `guard`, `response`, `refusal`.
    pub(crate) up_to_four: [f64; 3],
    /// `adversarial`, `benefit`.
    pub(crate) up_to_eight: [f64; 2],
    pub(crate) harm: [f64; ActionCategory::ALL.len()],
    pub(crate) effect: [f64; Effect::COUNT],
    pub(crate) stakeholder: [f64; Stakeholder::COUNT],
    /// Rising.
    pub(crate) extent: [f64; 4],
    /// Rising.
    pub(crate) likelihood: [f64; 3],
    pub(crate) later: f64,
    /// Sentence for the benefit; none of its own where absent.
    pub(crate) sentence: Option<&'static str>,
    /// How often the one example is there.
    pub(crate) examples: usize,
}

impl Values {
    /// The file.
    pub(crate) fn to_toml(&self) -> String {
        let ([guard, response, refusal], [adversarial, benefit]) = (self.up_to_four, self.up_to_eight);
        let mut file = format!(
            "title = {:?}\ndescription = {:?}\non_failure = {:?}\n\
             [thresholds]\nreview = {:?}\nblock = {:?}\n\
             [weights]\nbias = {:?}\nguard = {guard:?}\nresponse = {response:?}\nrefusal = {refusal:?}\n\
             adversarial = {adversarial:?}\nbenefit = {benefit:?}\nlater = {:?}\n",
            self.title, self.description, self.on_failure, self.review, self.block, self.bias, self.later,
        );
        let tables: [(&str, &[&str], &[f64]); 5] = [
            ("harm", &ActionCategory::ALL.map(ActionCategory::id), &self.harm),
            ("effect", &Effect::ALL.map(Effect::id), &self.effect),
            ("stakeholder", &Stakeholder::ALL.map(Stakeholder::id), &self.stakeholder),
            ("extent", &["minor", "significant", "substantial", "major"], &self.extent),
            ("likelihood", &["low", "medium", "high"], &self.likelihood),
        ];
        for (table, ids, numbers) in tables {
            writeln!(file, "[weights.{table}]").unwrap();
            ids.iter().zip(numbers).for_each(|(id, number)| writeln!(file, "{id} = {number:?}").unwrap());
        }
        if let Some(sentence) = self.sentence {
            writeln!(file, "[reasons]\nbenefit = {sentence:?}").unwrap();
        }
        file + &"[[examples]]\ntext = \"Good morning.\"\nexpect = \"allow\"\n".repeat(self.examples)
    }

    /// The profile that a file with these values makes.
    pub(crate) fn profile(&self) -> Arc<Profile> {
        files::profile(&self.id, &[(&format!("{}.toml", self.id), &self.to_toml())])
    }
}

/// A number up to `max`, with its ends.
fn up_to(min: f64, max: f64) -> impl Strategy<Value = f64> {
    prop_oneof![1 => Just(min), 1 => Just(max), 4 => min..=max].boxed()
}

pub(crate) fn threshold() -> impl Strategy<Value = f64> {
    up_to(0.001, 1.0)
}

fn sorted<const N: usize>(mut numbers: [f64; N]) -> [f64; N] {
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn weight(max: f64) -> impl Strategy<Value = f64> {
    up_to(0.0, max)
}

pub(crate) fn values() -> impl Strategy<Value = Values> {
    let four = [weight(4.0), weight(4.0), weight(4.0)];
    let weights = (up_to(-8.0, 8.0), four, [weight(8.0), weight(8.0)], uniform16(weight(8.0)));
    let leaf = (uniform15(weight(4.0)), uniform9(weight(4.0)), uniform4(weight(4.0)), uniform3(weight(4.0)));
    let thresholds = (prop_oneof![Just("open"), Just("closed")], threshold(), threshold());
    let values = (thresholds, weights.boxed(), leaf.boxed(), weight(1.0)).prop_map(
        |((on_failure, a, b), (bias, up_to_four, up_to_eight, harm), leaf, later)| Values {
            id: "test".to_owned(),
            title: "Test".to_owned(),
            description: String::new(),
            on_failure,
            review: a.min(b),
            block: a.max(b),
            bias,
            up_to_four,
            up_to_eight,
            harm,
            effect: leaf.0,
            stakeholder: leaf.1,
            extent: sorted(leaf.2),
            likelihood: sorted(leaf.3),
            later,
            sentence: None,
            examples: 0,
        },
    );
    values.boxed()
}

/// A profile with the published aggregation and these parameters, in their order.
pub(crate) fn published(parameters: &[f64], (review, block): (f64, f64), on_failure: &str) -> Arc<Profile> {
    let mut file = format!(
        "title = \"Test\"\non_failure = {on_failure:?}\naggregation = \"safetyanalyst\"\n\
         thresholds.review = {review:?}\nthresholds.block = {block:?}\n"
    );
    let keys = SAFETYANALYST_KEYS.iter().flat_map(|key| match key.entries {
        [] => vec![key.name.to_owned()],
        entries => entries.iter().map(|entry| format!("{}.{entry}", key.name)).collect(),
    });
    keys.zip(parameters).for_each(|(key, number)| writeln!(file, "{key} = {number:?}").unwrap());
    files::profile("test", &[("test.toml", &file)])
}

/// Profiles of either aggregation.
pub(crate) fn profiles() -> impl Strategy<Value = Arc<Profile>> {
    let thresholds = prop_oneof![Just((0.5, 0.5)), (threshold(), threshold())];
    let published =
        (prop::collection::vec(weight(1.0), 29), thresholds, prop_oneof![Just("open"), Just("closed")])
            .prop_map(|(parameters, (a, b), on_failure)| {
                published(&parameters, (f64::min(a, b), f64::max(a, b)), on_failure)
            });
    prop_oneof![values().prop_map(|values| values.profile()).boxed(), published.boxed()]
}

//! Varies the examples of an epoch: wraps short prompts in attack tactics, disguises the spelling, adds surface noise.
//! Harmful and benign prompts are wrapped alike, so that a wrapper by itself decides nothing.
//!
//! SOURCE: the idea of composing tactics is `WildTeaming`'s (Jiang et al. 2024, section 3); the texts are ours.

use super::config::AugmentConfig;
use super::example::{Example, Labels};
use super::noise;
use super::slots;
use super::tactics::{Family, Shape, TACTICS, Tactic};
use assize_domain::GuardHead;
use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;
use std::sync::Arc;

/// A longer prompt would be cut before its end once it is wrapped.
const SHORT_WORDS: usize = 60;
/// No further tactic is added where the whole would have more words: about the 160 tokens at which sequences are cut.
const COMPOSED_WORDS: usize = 110;
/// A harmful reply with fewer words may be harmful for its prompt only ("yes, do").
const SELF_SUFFICIENT_WORDS: usize = 25;
/// Of 20 composed prompts, how many have at most one, two, three tactics.
const TACTICS_OF_20: [(usize, u32); 3] = [(1, 10), (2, 17), (3, 20)];

/// Varies an example by chance.
pub(super) fn augment(mut example: Example, config: AugmentConfig, random: &mut ChaCha8Rng) -> Example {
    let alone = example.response.is_none();
    let composable = alone
        && example.context.is_empty()
        && example.labels.get(GuardHead::PromptHarmful).is_some()
        && words(&example.prompt) <= SHORT_WORDS;
    if alone && random.random_bool(config.evade) {
        example.prompt = noise::evade(&example.prompt, random).into();
    }
    if composable && random.random_bool(config.compose) {
        let (text, families) = compose(&example.prompt, random);
        example.prompt = text.into();
        example.labels = wrapped(&example.labels, &families);
    }
    if random.random_bool(config.decorate) {
        example.prompt = noise::decorate(&example.prompt, random).into();
    }
    example
}

/// Whether the example's prompt can stand before another one: short, and a conversation's first turn itself.
pub(super) fn is_turn(example: &Example) -> bool {
    example.response.is_none() && example.context.is_empty() && words(&example.prompt) <= SHORT_WORDS
}

/// By chance puts one or two turns of other conversations before a prompt. Its labels stay.
pub(super) fn converse(
    mut example: Example,
    earlier: &[&Arc<str>],
    probability: f64,
    random: &mut ChaCha8Rng,
) -> Example {
    let alone = example.response.is_none() && example.context.is_empty();
    if alone && random.random_bool(probability) {
        let turns = random.random_range(1..=2);
        example.context =
            (0..turns).filter_map(|_| earlier.choose(random)).map(|turn| Arc::clone(turn)).collect();
    }
    example
}

/// The prompts that replies are put behind by [`exchange`].
#[derive(Default)]
pub(super) struct Questions {
    pub(super) harmful: Vec<Arc<str>>,
    pub(super) benign: Vec<Arc<str>>,
}

impl Questions {
    /// The short labelled prompts of an epoch.
    pub(super) fn of(examples: &[&Example]) -> Self {
        let mut found = Self::default();
        for example in examples.iter().filter(|example| is_turn(example)) {
            match example.labels.get(GuardHead::PromptHarmful) {
                Some(label) if label >= 0.5 => found.harmful.push(Arc::clone(&example.prompt)),
                Some(_) => found.benign.push(Arc::clone(&example.prompt)),
                None => {}
            }
        }
        found
    }
}

/// By chance puts a reply behind another prompt, so that the prompt alone decides nothing about the reply: a harmless one
/// or a refusal behind a harmful prompt, a harmful one that says enough by itself behind a benign prompt. Its labels
/// stay; an answer to another question is no refusal.
pub(super) fn exchange(
    mut example: Example,
    questions: &Questions,
    probability: f64,
    random: &mut ChaCha8Rng,
) -> Example {
    let Some(response) = &example.response else { return example };
    let others = match example.labels.get(GuardHead::ResponseHarmful) {
        Some(label) if label >= 0.5 && words(response) < SELF_SUFFICIENT_WORDS => return example,
        Some(label) if label >= 0.5 => &questions.benign,
        Some(_) => &questions.harmful,
        None if example.labels.get(GuardHead::ResponseRefusal).is_some_and(|label| label >= 0.5) => {
            &questions.harmful
        }
        None => return example,
    };
    if random.random_bool(probability)
        && let Some(question) = others.choose(random)
    {
        example.prompt = Arc::clone(question);
        example.context.clear();
    }
    example
}

/// What is known of a prompt once it is wrapped.
///
/// The request is as harmful as before. A tactic around a harmful request is an attack; around a benign one it is an
/// attack where it works against the rules, and nobody knows where it is only a story or a format.
pub(super) fn wrapped(labels: &Labels, families: &[Family]) -> Labels {
    let harmful = labels.get(GuardHead::PromptHarmful);
    let attack = harmful.is_some_and(|harmful| harmful >= 0.5)
        || labels.get(GuardHead::Adversarial).is_some_and(|adversarial| adversarial >= 0.5)
        || families.iter().any(|family| family.works_against_rules());
    let mut wrapped = Labels::default();
    wrapped.set(GuardHead::PromptHarmful, harmful);
    wrapped.set(GuardHead::Adversarial, attack.then_some(1.0));
    wrapped
}

/// The request inside one to three tactics of different families; it stays whole, letter for letter.
pub(super) fn compose(request: &str, random: &mut ChaCha8Rng) -> (String, Vec<Family>) {
    let dice = random.random_range(0..20);
    let most = TACTICS_OF_20.iter().find(|(_, below)| dice < *below).map_or(1, |(tactics, _)| *tactics);
    let mut text = request.trim().to_owned();
    let mut families = Vec::new();
    for tactic in choose(most, random) {
        let wrapping = slots::fill(tactic.text, random);
        if !families.is_empty() && words(&text) + words(&wrapping) > COMPOSED_WORDS {
            break;
        }
        text = wrap(&text, tactic.shape, &wrapping, random);
        families.push(tactic.family);
    }
    (text, families)
}

/// Tactics of different families: a family first, so that one with many texts is not met more often.
fn choose(most: usize, random: &mut ChaCha8Rng) -> Vec<&'static Tactic> {
    let mut families = Family::ALL;
    families.shuffle(random);
    let mut chosen: Vec<&'static Tactic> = Vec::new();
    let mut shapes = HashSet::new();
    for family in families {
        let texts = TACTICS.iter().filter(|tactic| tactic.family == family).collect::<Vec<_>>();
        // A second tactic of the same shape reads as two messages; only openings and closings may meet.
        let fitting = texts.choose(random).copied().filter(|tactic| shapes.insert(tactic.shape));
        chosen.extend(fitting);
        if chosen.len() >= most {
            break;
        }
    }
    // The frame goes round the request first, so that an opening stays at the front.
    chosen.sort_by_key(|tactic| tactic.shape);
    chosen
}

fn wrap(text: &str, shape: Shape, wrapping: &str, random: &mut ChaCha8Rng) -> String {
    let gap = ["\n\n", "\n", " "].choose(random).copied().unwrap_or(" ");
    match shape {
        Shape::Frame => match wrapping.split_once(slots::REQUEST) {
            Some((before, after)) => format!("{before}{text}{after}"),
            None => format!("{wrapping}{gap}{text}"),
        },
        Shape::Opening => format!("{wrapping}{gap}{text}"),
        Shape::Closing => format!("{text}{gap}{wrapping}"),
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

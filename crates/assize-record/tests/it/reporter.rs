//! The two readers of reported trees from outside: the figure of the paper, and properties over made-up text.

use assize_domain::{
    ActionCategory, Effect, Extent, HarmAction, Likelihood, ReportedLeaf, ReportedTree, Stakeholder,
};
use assize_record::reporter::{self, MOST_LEAVES, TreeError, TreePart};
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

const FIGURE_2: &str = include_str!("../fixtures/figure-2.json");

#[test]
fn the_figure_of_the_paper_is_read_with_its_one_mistake() {
    let tree = reporter::tree_file(FIGURE_2).unwrap();
    assert_eq!((tree.harms.len(), tree.benefits.len(), tree.unreadable()), (6, 4, 1));
    // Under the published weights only these weigh: 3 · 0.172347 = 0.517041.
    let weighs = |leaf: &&ReportedLeaf| {
        leaf.immediate == Some(true)
            && leaf.likelihood == Some(Likelihood::High)
            && leaf.extent > Some(Extent::Minor)
    };
    let heavy: Vec<_> = tree.harms.iter().filter(weighs).collect();
    assert_eq!(heavy.len(), 3);
    assert!(heavy.iter().all(|leaf| leaf.category == Some(ActionCategory::HateToxicity)));
    assert!(heavy.iter().all(|leaf| leaf.action == Some(HarmAction::HarmfulBeliefs)));
    assert_eq!(tree.benefits.iter().filter(weighs).count(), 0);
    let mistake = tree.harms.last().unwrap();
    assert_eq!((mistake.immediate, mistake.effect), (None, Some(Effect::SocietalOrder)));
    let who = |leaves: &[ReportedLeaf]| leaves.iter().map(|leaf| leaf.stakeholder).collect::<Vec<_>>();
    use Stakeholder::{Government, OtherIndividuals, User, VulnerableGroup};
    assert_eq!(
        who(&tree.harms),
        [VulnerableGroup, VulnerableGroup, OtherIndividuals, OtherIndividuals, Government, Government]
    );
    assert_eq!(who(&tree.benefits), [User, User, Government, Government]);
}

#[test]
fn the_figure_reads_the_same_as_two_reporters_outputs() {
    let file: Value = serde_json::from_str(FIGURE_2).unwrap();
    let tree = reporter::tree(&file["harms"].to_string(), &file["benefits"].to_string()).unwrap();
    assert_eq!(tree, reporter::tree_file(FIGURE_2).unwrap());
}

/// What reporters write, keys in the order of their templates.
#[derive(Debug, Clone, Serialize)]
struct Entry {
    stakeholder: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    harms: Vec<Action>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    benefits: Vec<Action>,
}

#[derive(Debug, Clone, Serialize)]
struct Action {
    action: Value,
    effects: Vec<WrittenEffect>,
}

#[derive(Debug, Clone, Serialize)]
struct WrittenEffect {
    effect: Value,
    immediacy: Value,
    extent: Value,
    likelihood: Value,
}

/// Words that a taxonomy knows, and words that none does, with the signs that JSON is made of.
fn word(known: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => prop::sample::select(known).prop_map(|word| json!(word)),
        1 => "[a-zA-Z '\"\\\\{}\\[\\],:\n#é]{0,12}".prop_map(|word| json!(word)),
    ]
}

fn effect() -> impl Strategy<Value = WrittenEffect> {
    let effect = word(&["1. Death", "5. Social deficits", "Social gains", "11. Institutional benefits"]);
    let extent = word(&["minor", "Significant", "substantial", "MAJOR"]);
    let likelihood = word(&["low", "Medium", "high"]);
    let immediacy = prop_oneof![4 => any::<bool>().prop_map(|flag| json!(flag)), 1 => Just(json!("true"))];
    (effect, immediacy, extent, likelihood).prop_map(|(effect, immediacy, extent, likelihood)| {
        WrittenEffect { effect, immediacy, extent, likelihood }
    })
}

/// What one reporter writes, with at least one effect.
fn entries(side: TreePart) -> impl Strategy<Value = Vec<Entry>> {
    let name = word(&["##Content Safety Risks## #Deception# Fraud", "#Privacy# 42. Types of Sensitive Data"]);
    let effects = prop::collection::vec(effect(), 1..4);
    let action = (name, effects).prop_map(|(action, effects)| Action { action, effects });
    let who = word(&["User", "Children", "Society", "Homeless individuals"]);
    let entry = (who, prop::collection::vec(action, 1..3)).prop_map(move |(stakeholder, actions)| {
        let (harms, benefits) =
            if side == TreePart::Harms { (actions, Vec::new()) } else { (Vec::new(), actions) };
        Entry { stakeholder, harms, benefits }
    });
    prop::collection::vec(entry, 1..4)
}

fn compact(json: &impl Serialize) -> String {
    serde_json::to_string(json).unwrap()
}

fn pretty(json: &impl Serialize) -> String {
    serde_json::to_string_pretty(json).unwrap()
}

/// Where the first effect's closing bracket is; its likelihood is written last.
fn first_effect_end(text: &str) -> usize {
    let key = "\"likelihood\":";
    let value = text.find(key).unwrap() + key.len();
    let mut values = serde_json::Deserializer::from_str(&text[value..]).into_iter::<Value>();
    values.next().unwrap().unwrap();
    let behind = value + values.byte_offset();
    behind + text[behind..].find('}').unwrap()
}

/// A text without its end.
fn cut_off(text: &str, cut: prop::sample::Index) -> String {
    text.chars().take(cut.index(text.chars().count())).collect()
}

fn mark() -> ReportedLeaf {
    ReportedLeaf {
        category: None,
        published_category: None,
        action: None,
        effect: None,
        stakeholder: Stakeholder::OtherIndividuals,
        extent: None,
        likelihood: None,
        immediate: None,
    }
}

/// A list of a text that was cut off is the beginning of the whole list with a mark behind it.
fn is_beginning(cut: &[ReportedLeaf], whole: &[ReportedLeaf]) -> bool {
    cut == whole || cut.split_last().is_some_and(|(last, kept)| *last == mark() && whole.starts_with(kept))
}

/// What holds of every result, whatever was read.
fn check_any(result: &Result<ReportedTree, TreeError>, texts: &[&str]) {
    match result {
        Ok(tree) => {
            assert!(tree.harms.len() <= MOST_LEAVES && tree.benefits.len() <= MOST_LEAVES);
            assert!(tree.benefits.iter().all(|leaf| leaf.category.is_none() && leaf.action.is_none()));
        }
        Err(error) => {
            let said = format!("{error}\n{error:?}");
            assert!(!said.contains("Sensitive") && !said.contains("Homeless"), "{said} for {texts:?}");
        }
    }
}

proptest! {
    #[test]
    fn every_form_of_a_tree_is_the_same_tree(
        harms in entries(TreePart::Harms),
        benefits in entries(TreePart::Benefits),
    ) {
        // Where a side has only words that nobody knows there is none, in every form.
        let tree = reporter::tree(&compact(&harms), &compact(&benefits)).ok();
        prop_assert_eq!(&reporter::tree(&pretty(&harms), &pretty(&benefits)).ok(), &tree);
        let fenced = |json: &_| format!("Sure [of course]:\n```json\n{}\n```\nThat's all [1].", pretty(json));
        prop_assert_eq!(&reporter::tree(&fenced(&harms), &fenced(&benefits)).ok(), &tree);
        let file = json!({"harms": harms, "benefits": benefits});
        prop_assert_eq!(&reporter::tree_file(&compact(&file)).ok(), &tree);
        prop_assert_eq!(&reporter::tree_file(&pretty(&file)).ok(), &tree);
    }

    #[test]
    fn a_cut_keeps_the_leaves_before_it(
        harms in entries(TreePart::Harms),
        benefits in entries(TreePart::Benefits),
        cut in any::<prop::sample::Index>(),
        is_pretty in any::<bool>(),
    ) {
        let write = |json: &Vec<Entry>| if is_pretty { pretty(json) } else { compact(json) };
        let (harms, benefits) = (write(&harms), write(&benefits));
        let Ok(whole) = reporter::tree(&harms, &benefits) else { return Ok(()) };
        let harms_cut = cut_off(&harms, cut);
        match reporter::tree(&harms_cut, &benefits) {
            Ok(tree) => {
                prop_assert!(tree.harms != whole.harms, "the cut is forgotten");
                prop_assert!(is_beginning(&tree.harms, &whole.harms));
                prop_assert!(tree.unreadable() > 0);
                prop_assert_eq!(&tree.benefits, &whole.benefits);
            }
            // What was complete before the cut has words that nobody knows.
            Err(TreeError::NothingWeighable { part: TreePart::Harms, .. }) => {}
            Err(error) => {
                let nothing = matches!(error, TreeError::NoList { .. } | TreeError::NothingReadable { .. });
                prop_assert!(nothing, "{}", error);
                prop_assert!(harms_cut.len() <= first_effect_end(&harms), "an effect is lost");
            }
        }
        if let Ok(tree) = reporter::tree(&harms, &cut_off(&benefits, cut)) {
            prop_assert!(is_beginning(&tree.benefits, &whole.benefits));
        }
    }

    #[test]
    fn changed_signs_never_stop_the_reader(
        harms in entries(TreePart::Harms),
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}:,'\"\\\\ \na]{0,2}"), 1..8),
    ) {
        let mut signs: Vec<String> = compact(&harms).chars().map(String::from).collect();
        for (place, change) in changes {
            let place = place.index(signs.len());
            signs[place] = change;
        }
        let text = signs.concat();
        let file = format!("{{\"harms\":{text},\"benefits\":[]}}");
        check_any(&reporter::tree(&text, &text.replace("harms", "benefits")), &[&text]);
        check_any(&reporter::tree_file(&file), &[&file]);
    }

    #[test]
    fn any_text_is_read_or_refused(
        one in ".*",
        other in "([\\[\\]{}:,'\"\\\\ \n#]|stakeholder|harms|effects|action|\"a\":|\\\\u0|true|[0-9]){0,60}",
    ) {
        let list = format!("[{{{other}");
        for (harms, benefits) in [(&one, &other), (&other, &one), (&list, &list)] {
            check_any(&reporter::tree(harms, benefits), &[harms, benefits]);
            check_any(&reporter::tree_file(harms), &[harms]);
        }
    }
}

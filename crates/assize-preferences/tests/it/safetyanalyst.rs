//! The published aggregator, on the paper's own tree and by its quirks.

use crate::arbitrary::published;
use crate::files;
use crate::trees;
use assize_domain::{
    ActionCategory, Assessment, BenefitBranch, DecidedBy, Decision, Degradation, Digest, Effect, Evidence,
    ExpectedTree, Extent, Floor, GuardScores, Likelihood, ModelIdentity, OperatingPoints, PromptScores,
    ReportedLeaf, ReportedTree, Score, Severity, Shares, Stakeholder, TopicSignals, Tree, TreeOutcome,
};
use assize_preferences::{Profile, SAFETYANALYST_KEYS, decide};
use std::sync::Arc;

/// Within this of the published numbers, which have six digits.
const TOLERANCE: f64 = 1e-6;

/// The profile that ships.
fn profile() -> Arc<Profile> {
    let text = include_str!("../../../../config/communities/safetyanalyst.toml");
    // Examples need a model.
    let text = text.split("[[examples]]").next().unwrap();
    files::profile("safetyanalyst", &[("safetyanalyst.toml", text)])
}

fn assessment(tree: TreeOutcome) -> Assessment {
    let zero = Score::new(0.0).unwrap();
    let prompt = PromptScores { harmful: Score::new(1.0).unwrap(), adversarial: zero, risk: [zero; 13] };
    Assessment {
        guard: GuardScores { prompt: Some(prompt), response: None },
        operating_points: OperatingPoints::new([Score::new(0.5).unwrap(); 4]),
        tree,
        topics: TopicSignals::default(),
        prompt_coverage: None,
        response_coverage: None,
        model: ModelIdentity { name: "by hand".into(), revision: Digest::new([0; 32]) },
        precision: None,
        consulted: Vec::new(),
    }
}

fn leaf(
    category: Option<ActionCategory>,
    extent: Extent,
    likelihood: Likelihood,
    immediate: Option<bool>,
) -> ReportedLeaf {
    ReportedLeaf {
        category,
        published_category: category,
        action: None,
        effect: Some(Effect::Social),
        stakeholder: Stakeholder::VulnerableGroup,
        extent: Some(extent),
        likelihood: Some(likelihood),
        immediate,
    }
}

/// The paper's figure 2, with the figure's own mistake: one immediacy is written "Medium".
fn figure_2() -> ReportedTree {
    let hate = Some(ActionCategory::HateToxicity);
    let bias = Some(ActionCategory::DiscriminationBias);
    ReportedTree {
        harms: vec![
            leaf(hate, Extent::Significant, Likelihood::High, Some(true)),
            leaf(hate, Extent::Significant, Likelihood::Medium, Some(false)),
            leaf(hate, Extent::Significant, Likelihood::High, Some(true)),
            leaf(hate, Extent::Substantial, Likelihood::High, Some(true)),
            leaf(bias, Extent::Substantial, Likelihood::Medium, Some(false)),
            leaf(bias, Extent::Significant, Likelihood::Medium, None),
        ],
        benefits: vec![
            leaf(None, Extent::Substantial, Likelihood::Medium, Some(false)),
            leaf(None, Extent::Significant, Likelihood::Medium, Some(true)),
            leaf(None, Extent::Substantial, Likelihood::High, Some(false)),
            leaf(None, Extent::Substantial, Likelihood::High, Some(false)),
        ],
    }
}

fn judge(tree: ReportedTree) -> assize_domain::Verdict {
    decide(&assessment(TreeOutcome::Weighed(Tree::Reported(tree))), &profile())
}

#[test]
fn the_papers_tree_has_the_papers_score() {
    let verdict = judge(figure_2());
    let subject = &verdict.subjects[0];
    assert!((subject.score - 0.517041).abs() < TOLERANCE, "{}", subject.score);
    assert!((verdict.harmfulness - 0.626456).abs() < TOLERANCE, "{}", verdict.harmfulness);
    let hate =
        subject.contributions.iter().find(|c| c.evidence == Evidence::Harm(ActionCategory::HateToxicity));
    assert!((hate.unwrap().points - 0.517041).abs() < TOLERANCE);
}

#[test]
fn the_profile_has_the_29_parameters_in_the_published_order() {
    let given = profile().aggregation().by_key();
    assert_eq!(given.len(), 29);
    let names: Vec<&str> = given.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(names[0], "safetyanalyst.action.security_risks");
    assert_eq!(names[16], "safetyanalyst.harm_extent.minor_ratio");
    assert_eq!(names[28], "safetyanalyst.benefit_weight");
    // SOURCE: saved_params/SafetyReporter_both_wildjailbreak.npy, read to six digits.
    let published = [
        0.244976, 0.0, 0.162078, 0.172347, 0.266253, 0.086008, 1.0, 0.563959, 0.161657, 0.209249, 0.230181,
        0.289419, 0.118542, 0.0, 0.039934, 0.655186, 0.0, 1.0, 1.0, 0.0, 0.346021, 0.0, 1.0, 1.0, 1.0,
        0.189343, 0.0, 0.0, 0.133826,
    ];
    let numbers: Vec<f64> = given.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, published);
    let entries: usize = SAFETYANALYST_KEYS.iter().map(|key| key.entries.len().max(1)).sum();
    assert_eq!(entries, 29);
}

#[test]
fn its_quirks_are_kept() {
    let harm = |category, extent, likelihood, immediate| {
        let harms = vec![leaf(category, extent, likelihood, immediate)];
        judge(ReportedTree { harms, benefits: Vec::new() }).subjects[0].score
    };
    let self_harm = Some(ActionCategory::SelfHarm);
    assert_eq!(harm(self_harm, Extent::Major, Likelihood::High, Some(true)), 1.0);
    // Ratios are chained: medium likelihood is .346, low 0 times that; minor is 0 times 1.
    assert_eq!(harm(self_harm, Extent::Significant, Likelihood::Medium, Some(true)), 0.346021);
    assert_eq!(harm(self_harm, Extent::Major, Likelihood::Low, Some(true)), 0.0);
    assert_eq!(harm(self_harm, Extent::Minor, Likelihood::High, Some(true)), 0.0);
    // What is not immediate, or not said to be, weighs nothing; neither does an action without a category.
    assert_eq!(harm(self_harm, Extent::Major, Likelihood::High, Some(false)), 0.0);
    assert_eq!(harm(self_harm, Extent::Major, Likelihood::High, None), 0.0);
    assert_eq!(harm(None, Extent::Major, Likelihood::High, Some(true)), 0.0);
    // The category is the published rule's, whatever was read besides.
    let mut other = leaf(self_harm, Extent::Major, Likelihood::High, Some(true));
    other.category = Some(ActionCategory::Privacy);
    assert_eq!(judge(ReportedTree { harms: vec![other], benefits: Vec::new() }).subjects[0].score, 1.0);
    // Said twice counts twice.
    let twice = vec![leaf(self_harm, Extent::Major, Likelihood::High, Some(true)); 2];
    assert_eq!(judge(ReportedTree { harms: twice, benefits: Vec::new() }).subjects[0].score, 2.0);
}

#[test]
fn a_tree_without_harm_is_safe_at_one_half() {
    let verdict = judge(ReportedTree::default());
    assert_eq!((verdict.harmfulness, verdict.decision), (0.5, Decision::Allow));
    assert_eq!(verdict.decided_by, DecidedBy::Thresholds);
    let any = vec![leaf(Some(ActionCategory::Privacy), Extent::Major, Likelihood::High, Some(true))];
    assert!(judge(ReportedTree { harms: any, benefits: Vec::new() }).decision > Decision::Allow);
}

#[test]
fn what_it_cannot_weigh_is_held_back() {
    // The guard says harmful, but this aggregation hears the tree alone.
    let verdict = decide(&assessment(TreeOutcome::NotRequested), &profile());
    assert_eq!(verdict.degraded, [Degradation::TreeUnusable]);
    assert_eq!(verdict.decision, Decision::Block);
}

#[test]
fn an_expected_tree_gives_the_expected_score() {
    // Two leaves of major, middling likely, immediate harm to themselves, and one such benefit, which weighs nothing.
    let tree = trees::with_masses(&[(ActionCategory::SelfHarm, 1.0)], 0.5);
    let verdict = decide(&assessment(tree), &profile());
    assert!((verdict.subjects[0].score - 2.0 * 0.346021).abs() < 1e-12, "{:?}", verdict.subjects);
    // Three benefits, one in five of them certain as well, and those weigh 1: 3 × 51 / 255 × 0.133826.
    let severity = |likelihood| Severity { extent: Extent::Minor, likelihood, immediate: true }.index();
    let mut shares = [0; Severity::COUNT];
    shares[severity(Likelihood::Medium)] = 204;
    shares[severity(Likelihood::High)] = 51;
    let mut branch = trees::harm(ActionCategory::SelfHarm, 1.5).branch;
    branch.severity = Shares::from_bytes(shares).unwrap();
    let benefit = BenefitBranch { effect: Effect::Death, branch };
    let tree = Tree::Expected(ExpectedTree::new(Vec::new(), vec![benefit]));
    let verdict = decide(&assessment(TreeOutcome::Weighed(tree)), &profile());
    assert!((verdict.subjects[0].score + 3.0 * 0.2 * 0.133826).abs() < 1e-12, "{:?}", verdict.subjects);
}

#[test]
fn of_two_trees_each_way_of_summing_takes_its_own_and_floors_take_the_worse() {
    let expected =
        trees::with_masses(&[(ActionCategory::SelfHarm, 1.0), (ActionCategory::ViolenceExtremism, 3.0)], 0.5);
    let TreeOutcome::Weighed(Tree::Expected(tree)) = expected.clone() else { panic!("no tree") };
    let reported = figure_2();
    let both = assessment(TreeOutcome::Weighed(Tree::both(tree, reported.clone())));
    let one = assessment(expected);
    let other = assessment(TreeOutcome::Weighed(Tree::Reported(reported)));
    let ours = files::profile(
        "default",
        &[(
            "default.toml",
            include_str!("../../../../config/communities/default.toml").split("[[examples]]").next().unwrap(),
        )],
    );
    let (published, by) =
        (profile(), |assessment: &Assessment, profile: &Profile| decide(assessment, profile).subjects);
    assert_eq!(by(&both, &published), by(&other, &published));
    assert_ne!(by(&both, &published), by(&one, &published));
    assert_eq!(by(&both, &ours), by(&one, &ours));
    assert_ne!(by(&both, &ours), by(&other, &ours));
    // A reporter that says nothing of a weapon doesn't lift the floor.
    let concerns = |mut assessment: Assessment| {
        assessment.topics.mass_harm_weapons = true;
        decide(&assessment, &published).decided_by == DecidedBy::Floor(Floor::MassHarmWeapons)
    };
    assert_eq!([both, one, other].map(concerns), [true, true, false]);
}

#[test]
fn bug_however_little_above_nothing_is_unsafe() {
    let mut parameters = vec![0.0; 29];
    // Self-harm and nothing else, next to nothing.
    parameters[ActionCategory::SelfHarm.index()] = 1e-17;
    let harm = leaf(Some(ActionCategory::SelfHarm), Extent::Major, Likelihood::High, Some(true));
    let tree = ReportedTree { harms: vec![harm], benefits: Vec::new() };
    let scene = assessment(TreeOutcome::Weighed(Tree::Reported(tree)));
    let verdict = decide(&scene, &published(&parameters, (0.5, 0.5), "open"));
    assert_eq!((verdict.subjects[0].score, verdict.harmfulness), (1e-17, 0.5));
    assert_eq!(verdict.decision, Decision::Block);
    assert_eq!(decide(&scene, &published(&[0.0; 29], (0.5, 0.5), "open")).decision, Decision::Allow);
}

//! Learning from labels, seen from outside: what is refused, what comes back when it is known what went in, and that the
//! file says what was learnt.

use crate::files;
use crate::trees::{harm, leaves};
use assize_domain::{
    ActionCategory, Assessment, BenefitBranch, Coverage, Decision, Digest, Effect, ExpectedTree, GuardScores,
    ModelIdentity, OperatingPoints, Precision, PromptScores, ResponseScores, Score, Shares, TopicSignals,
    Tree, TreeOutcome, UnusableTree,
};
use assize_preferences::{
    Aggregation, Fit, FitError, FitProvenance, FitSettings, FitStage, Label, Labelled, Profile, Weights, fit,
    weigh,
};
use std::sync::Arc;

const UP_TO_STRENGTH: FitSettings = FitSettings { highest: FitStage::Strength, spread: 1.0 };

/// Knuth's linear congruential numbers: the same on every machine.
struct Chance(u64);

impl Chance {
    /// In `[0, 1)`.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 40).unwrap()) / f64::from(1 << 24)
    }

    fn score(&mut self) -> Score {
        #[expect(clippy::cast_possible_truncation, reason = "a probability")]
        let value = self.next() as f32;
        Score::new(value).unwrap()
    }

    /// A few harms and a benefit with shares of effects of their own; every third one with a reply.
    fn assessment(&mut self) -> Assessment {
        let mut harms = Vec::new();
        for category in [ActionCategory::Privacy, ActionCategory::Deception, ActionCategory::HateToxicity] {
            let mass = if self.next() < 0.5 { 0.0 } else { 2.0 * self.next() };
            let mut branch = harm(category, mass);
            #[expect(clippy::cast_possible_truncation, reason = "shares")]
            let social = self.next() as f32;
            let mut amounts = [0.0; Effect::COUNT];
            amounts[Effect::Social.index()] = social + 1e-3;
            amounts[Effect::FinancialProperty.index()] = 1.0 - social;
            branch.effect = Shares::in_proportion(&amounts).unwrap();
            harms.push(branch);
        }
        let benefit = BenefitBranch {
            effect: Effect::AccurateInformation,
            branch: assize_domain::Branch { leaves: leaves(self.next()), ..harms[0].branch },
        };
        let prompt = PromptScores {
            harmful: self.score(),
            adversarial: self.score(),
            risk: [Score::new(0.0).unwrap(); 13],
        };
        let response = (self.next() < 1.0 / 3.0)
            .then(|| ResponseScores { harmful: self.score(), refusal: self.score() });
        let coverage = Coverage { tokens: 9, judged: 9, unknown: 0, windows: 1 };
        Assessment {
            guard: GuardScores { prompt: Some(prompt), response },
            operating_points: OperatingPoints::new([Score::new(0.5).unwrap(); 4]),
            tree: TreeOutcome::Weighed(Tree::Expected(ExpectedTree::new(harms, vec![benefit]))),
            topics: TopicSignals::default(),
            prompt_coverage: Some(coverage),
            response_coverage: None,
            model: ModelIdentity { name: "test".into(), revision: Digest::new([7; 32]) },
            precision: None,
            consulted: Vec::new(),
        }
    }

    fn assessments(&mut self, count: usize) -> Vec<Assessment> {
        (0..count).map(|_| self.assessment()).collect()
    }
}

fn base() -> Arc<Profile> {
    files::profile("base", &[("base.toml", &files::complete())])
}

/// The profile of a community that extends the base.
fn community(changes: &str) -> Arc<Profile> {
    let child = format!("title = \"Child\"\nextends = \"base\"\n{changes}");
    files::profile("child", &[("base.toml", &files::complete()), ("child.toml", &child)])
}

/// Ratings exactly as a profile would give them.
fn rated_by(profile: &Profile, assessments: &[Assessment]) -> Vec<Labelled> {
    let rate = |assessment: &Assessment| Labelled {
        assessment: assessment.clone(),
        label: Label::Rating(100.0 * weigh(assessment, profile).harmfulness),
    };
    assessments.iter().map(rate).collect()
}

fn decided_by(profile: &Profile, assessments: &[Assessment]) -> Vec<Labelled> {
    let decide = |assessment: &Assessment| Labelled {
        assessment: assessment.clone(),
        label: Label::Decision(weigh(assessment, profile).decision),
    };
    assessments.iter().map(decide).collect()
}

fn learn(labelled: &[Labelled], settings: &FitSettings) -> Fit {
    fit(&base(), labelled, settings).unwrap()
}

fn provenance() -> FitProvenance {
    FitProvenance { title: "Fitted".into(), labels: Digest::new([3; 32]), date: "2026-01-31".into() }
}

fn check_refused(labelled: &[Labelled], expected: &FitError) {
    assert_eq!(fit(&base(), labelled, &FitSettings::default()).unwrap_err(), *expected);
}

#[test]
fn what_can_not_be_learnt_from_is_refused() {
    let good = rated_by(&base(), &Chance(1).assessments(12));
    check_refused(&good[..9], &FitError::TooFew { usable: 9, needed: 10, set_aside: 0 });
    check_refused(&vec![good[0].clone(); 50], &FitError::TooFew { usable: 1, needed: 10, set_aside: 0 });
    for rating in [-0.5, 100.5, f64::INFINITY] {
        let mut bad = good.clone();
        bad[4].label = Label::Rating(rating);
        check_refused(&bad, &FitError::Rating { place: 5, rating });
    }
    let mut mixed = good.clone();
    mixed[3].label = Label::Decision(Decision::Block);
    check_refused(&mixed, &FitError::Mixed { decisions: 1, ratings: 11 });
    let same: Vec<_> =
        good.iter().map(|one| Labelled { label: Label::Rating(30.0), ..one.clone() }).collect();
    check_refused(&same, &FitError::AllEqual { labels: 12 });
    for spread in [0.0, -1.0, 101.0] {
        let settings = FitSettings { spread, ..FitSettings::default() };
        assert_eq!(fit(&base(), &good, &settings).unwrap_err(), FitError::Spread { spread });
    }
    let mut not_a_number = good;
    not_a_number[0].label = Label::Rating(f64::NAN);
    let refused = fit(&base(), &not_a_number, &FitSettings::default()).unwrap_err();
    assert!(matches!(refused, FitError::Rating { place: 1, .. }), "{refused}");
}

#[test]
fn another_aggregation_is_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/communities/safetyanalyst.toml");
    let text = std::fs::read_to_string(folder).unwrap();
    let parent = files::profile("safetyanalyst", &[("safetyanalyst.toml", &text)]);
    let error = fit(&parent, &[], &FitSettings::default()).unwrap_err();
    let told = "`safetyanalyst` has `aggregation = \"safetyanalyst\"`; only profiles with `aggregation = \"assize\"` \
                can be fitted";
    assert_eq!(error.to_string(), told);
}

#[test]
fn what_weights_can_not_change_is_set_aside() {
    let mut chance = Chance(2);
    let mut labelled = decided_by(&community("weights.bias = 1.0"), &chance.assessments(20));
    let mut unusable = labelled[0].clone();
    unusable.assessment.tree = TreeOutcome::Unusable(UnusableTree::NotFinite);
    let mut floor = labelled[1].clone();
    floor.assessment.topics = TopicSignals { minors: true, sexual: true, mass_harm_weapons: false };
    floor.assessment.guard.prompt.as_mut().unwrap().harmful = Score::new(0.9).unwrap();
    floor.label = Label::Decision(Decision::Allow);
    let without = learn(&labelled, &UP_TO_STRENGTH);
    labelled.extend([unusable, floor]);
    let mut with = learn(&labelled, &UP_TO_STRENGTH);
    assert_eq!((without.set_aside, with.set_aside, with.labels), (0, 2, 20));
    with.set_aside = 0;
    assert_eq!(with, without);
}

#[test]
fn a_known_community_is_found_again() {
    let known = community(
        "weights.bias = 0.5\nweights.guard = 1.4\nweights.harm.privacy = 2.5\nweights.harm.deception = 0.3\n",
    );
    let fitted = learn(
        &rated_by(&known, &Chance(3).assessments(400)),
        &FitSettings { highest: FitStage::Weights, spread: 3.0 },
    );
    assert_eq!(fitted.chosen, FitStage::Weights);
    let Aggregation::Assize(expected) = known.aggregation() else { panic!("another aggregation") };
    let pairs = [
        (fitted.weights.bias, expected.bias),
        (fitted.weights.guard, expected.guard),
        (fitted.weights.benefit, expected.benefit),
        (fitted.weights.harm[ActionCategory::Privacy.index()], 2.5),
        (fitted.weights.harm[ActionCategory::Deception.index()], 0.3),
        (fitted.weights.harm[ActionCategory::HateToxicity.index()], 1.0),
        // Nothing was labelled that has any of it.
        (fitted.weights.harm[ActionCategory::SelfHarm.index()], 1.0),
    ];
    assert!(pairs.iter().all(|(found, known)| (found - known).abs() < 0.2), "{pairs:?}");
    let error = fitted.stages.last().unwrap().error;
    assert!(error < 0.01, "{error}");
}

#[test]
fn a_known_weight_of_an_effect_is_found_again() {
    let known = community("weights.harm.privacy = 2.0\n[weights.effect]\nsocial = 3.0\n");
    let labelled = rated_by(&known, &Chance(4).assessments(60));
    let fitted = learn(&labelled, &FitSettings { highest: FitStage::Effects, spread: 4.0 });
    assert_eq!(fitted.chosen, FitStage::Effects, "{:?}", fitted.stages);
    let effects = fitted.weights.leaf.effect;
    assert!(effects[Effect::Social.index()] > 1.3, "{effects:?}");
    assert_eq!(effects[Effect::Ecosystem.index()], 1.0);
}

#[test]
fn decisions_move_the_bias_and_the_band() {
    let known = community("weights.bias = 0.5\nthresholds.block = 0.9\n");
    let fitted = learn(&decided_by(&known, &Chance(5).assessments(200)), &UP_TO_STRENGTH);
    assert!(fitted.is_distinguishable());
    assert_eq!(fitted.thresholds.review, 0.5);
    let after = fitted.stages.iter().find(|report| report.stage == fitted.chosen).unwrap();
    assert!(after.error < 0.05 && fitted.stages[0].error > 0.15, "{:?}", fitted.stages);
}

#[test]
fn labels_that_the_parent_gives_itself_are_not_told_from_it() {
    let assessments = Chance(6).assessments(60);
    for labelled in [rated_by(&base(), &assessments), decided_by(&base(), &assessments)] {
        let fitted = learn(&labelled, &FitSettings { highest: FitStage::Weights, spread: 1.0 });
        assert_eq!(fitted.chosen, FitStage::Parent, "{:?}", fitted.stages);
        check_reads_back(&fitted);
    }
}

/// Ratings of 0 and 100, drawn with the chance that the parent gives.
#[test]
fn chance_is_seldom_taken_for_a_community() {
    let mut chance = Chance(7);
    let mut found = 0;
    for _ in 0..100 {
        let mut labelled = rated_by(&base(), &chance.assessments(20));
        for one in &mut labelled {
            let Label::Rating(rating) = &mut one.label else { continue };
            *rating = if 100.0 * chance.next() < *rating { 100.0 } else { 0.0 };
        }
        found += usize::from(learn(&labelled, &UP_TO_STRENGTH).is_distinguishable());
    }
    assert!(found <= 8, "{found} of 100");
}

#[test]
fn the_order_of_labels_changes_no_bit() {
    let known = community("weights.bias = 1.0\nweights.harm.privacy = 3.0\n");
    let mut labelled = rated_by(&known, &Chance(8).assessments(24));
    let every = FitSettings { highest: FitStage::Effects, spread: 1.0 };
    let forwards = learn(&labelled, &every);
    labelled.reverse();
    labelled.swap(3, 17);
    assert_eq!(learn(&labelled, &every), forwards);
}

/// The file beside its parent gives exactly what the fit says.
fn check_reads_back(fitted: &Fit) -> String {
    let file = fitted.to_toml(&provenance());
    let read = files::profile("child", &[("base.toml", &files::complete()), ("child.toml", &file)]);
    assert_eq!(*read.aggregation(), Aggregation::Assize(Box::<Weights>::new(fitted.weights.clone())));
    assert_eq!(read.thresholds(), fitted.thresholds);
    assert_eq!((read.title(), read.extends()), ("Fitted", Some(&fitted.parent)));
    file
}

#[test]
fn the_file_reads_back_as_the_fit() {
    let known = community("weights.bias = 1.0\nthresholds.block = 0.9\nweights.harm.privacy = 3.0\n");
    let assessments = Chance(9).assessments(60);
    for highest in FitStage::ALL {
        let settings = FitSettings { highest, spread: 1.0 };
        check_reads_back(&learn(&rated_by(&known, &assessments), &settings));
        check_reads_back(&learn(&decided_by(&known, &assessments), &settings));
    }
}

#[test]
fn a_file_says_where_it_comes_from_and_only_what_changed() {
    let known = community("weights.bias = 1.0\n");
    let labelled = rated_by(&known, &Chance(10).assessments(40));
    let fitted = learn(&labelled, &FitSettings { highest: FitStage::Bias, spread: 10.0 });
    let file = check_reads_back(&fitted);
    let parent = base().digest();
    let (sevens, threes) = ("07".repeat(32), "03".repeat(32));
    for line in [
        "# date: 2026-01-31".to_owned(),
        format!("# from: base {parent}"),
        format!("# model: test sha256:{sevens}"),
        format!("# labels: 40 of 40 conversations, 0 set aside, sha256:{threes}"),
        "# tried: stages up to bias, spread 10.0".to_owned(),
        "# stage: bias".to_owned(),
    ] {
        assert!(file.lines().any(|given| given == line), "`{line}` is not in\n{file}");
    }
    let values: Vec<&str> = file.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let bias = format!("bias = {:?}", fitted.weights.bias);
    assert_eq!(values, ["title = \"Fitted\"", "extends = \"base\"", "[weights]", &bias]);
}

#[test]
fn a_model_is_named_once_in_each_precision() {
    let known = community("weights.bias = 1.0\n");
    let mut assessments = Chance(10).assessments(40);
    for (place, assessment) in assessments.iter_mut().enumerate() {
        assessment.precision = [None, Some(Precision::Int8), Some(Precision::F32)][place % 3];
    }
    let fitted = learn(&rated_by(&known, &assessments), &FitSettings::default());
    let file = fitted.to_toml(&provenance());
    let model = format!("# model: test sha256:{}", "07".repeat(32));
    let named: Vec<&str> = file.lines().filter(|line| line.starts_with("# model: ")).collect();
    assert_eq!(named, [model.clone(), format!("{model} in f32"), format!("{model} in int8")]);
}

#[test]
fn nothing_that_is_given_can_break_out_of_a_comment() {
    let labelled = rated_by(&base(), &Chance(11).assessments(12));
    let fitted = learn(&labelled, &UP_TO_STRENGTH);
    let given = FitProvenance {
        title: "\"quoted\"\nand broken".into(),
        date: "today\nweights.bias = 8.0\r\u{2028}".into(),
        ..provenance()
    };
    let file = fitted.to_toml(&given);
    let read = files::profile("child", &[("base.toml", &files::complete()), ("child.toml", &file)]);
    assert_eq!(read.title(), "\"quoted\"\nand broken");
    assert_eq!(read.aggregation(), base().aggregation());
}

/// A community with a value of its own in everything that a file holds.
const OWN: &str = "title = \"Child\" # ours\ndescription = \"Of our own.\"\nextends = \"base\"\non_failure = \"open\"\n\
    [thresholds]\nreview = 0.4\nblock = 0.95\n[weights]\nlater = 0.5 # soon counts\n[weights.harm]\nprivacy = 3.0\n\
    [reasons]\nbenefit = \"it helps\"\n[[examples]]\ntext = \"Good morning.\"\nexpect = \"allow\"\n";

fn read(file: &str) -> Arc<Profile> {
    files::profile("child", &[("base.toml", &files::complete()), ("child.toml", file)])
}

#[test]
fn bug_a_fit_keeps_all_that_the_communitys_file_holds() {
    let own = read(OWN);
    let known = read(&OWN.replace("[weights]\n", "[weights]\nbias = 1.0\n"));
    let labelled = rated_by(&known, &Chance(12).assessments(40));
    let fitted = fit(&own, &labelled, &FitSettings { highest: FitStage::Bias, spread: 10.0 }).unwrap();
    let given = FitProvenance { title: "Child".into(), ..provenance() };
    let file = fitted.over(OWN, &given).unwrap();
    let (_, laid) = file.split_once("\n\n").unwrap();
    let bias = fitted.weights.bias;
    assert!((bias - 1.0).abs() < 0.1, "{bias}");
    assert_eq!(laid, OWN.replace("[weights.harm]", &format!("bias = {bias:?}\n[weights.harm]")));
    let new = read(&file);
    assert_eq!(*new.aggregation(), Aggregation::Assize(Box::new(fitted.weights.clone())));
    assert_eq!((new.thresholds(), new.on_failure()), (own.thresholds(), own.on_failure()));
    assert_eq!((new.description(), new.examples()), (own.description(), own.examples()));
    assert_eq!(read(&file.replace(&format!("bias = {bias:?}\n"), "")).digest(), own.digest());
    // Fitted again the header is not told twice.
    let again = fitted.over(&file, &given).unwrap();
    assert_eq!(again, file);
}

#[test]
fn bug_a_block_out_of_reach_stays_so_where_nobody_blocks() {
    let never = community("thresholds.block = 1.0\n");
    let assessments = Chance(13).assessments(200);
    let milder = community("thresholds.block = 1.0\nweights.bias = 0.5\n");
    let mut labelled = decided_by(&milder, &assessments);
    assert!(labelled.iter().all(|one| one.label != Label::Decision(Decision::Block)));
    let fitted = fit(&never, &labelled, &UP_TO_STRENGTH).unwrap();
    assert!(fitted.is_distinguishable());
    assert_eq!((fitted.thresholds.review, fitted.thresholds.block), (0.5, 1.0));
    // Whoever labels blocks gets them.
    let strict = community("thresholds.block = 0.7\nweights.bias = 0.5\n");
    labelled = decided_by(&strict, &assessments);
    let fitted = fit(&never, &labelled, &UP_TO_STRENGTH).unwrap();
    assert!(fitted.thresholds.block < 0.999, "{:?}", fitted.thresholds);
    // Nor is a review made possible by labels that ask for none.
    let open = community("thresholds.review = 1.0\nthresholds.block = 1.0\n");
    let rated = rated_by(&milder, &assessments);
    let fitted = fit(&open, &rated, &UP_TO_STRENGTH).unwrap();
    assert_eq!((fitted.thresholds.review, fitted.thresholds.block), (1.0, 1.0));
}

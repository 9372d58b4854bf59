//! Two profiles over the same assessments: what is counted, what is listed, and that parts merge to the whole.

mod chart;

use crate::arbitrary::{assessment, values};
use crate::files;
use crate::trees::with_masses;
use assize_domain::{
    ActionCategory, Assessment, Coverage, Decision, Digest, Evidence, GuardHead, GuardScores, ModelIdentity,
    OperatingPoints, PromptScores, Score, TopicSignals, TreeOutcome, UnusableTree,
};
use assize_preferences::{
    Aggregation, Bin, Comparer, Comparison, Flips, Mover, Profile, UnlikeComparisons, compare, weigh,
};
use proptest::prelude::*;
use std::sync::Arc;

use Decision::{Allow, Block, Review};

fn score(value: f32) -> Score {
    Score::new(value).unwrap()
}

/// A prompt whose guard's score is `harmful` at an operating point of one half, with harm and benefit.
fn prompt(harmful: f32, harm: (ActionCategory, f64), benefit: f64) -> Assessment {
    let scores = PromptScores { harmful: score(harmful), adversarial: score(0.0), risk: [score(0.0); 13] };
    Assessment {
        guard: GuardScores { prompt: Some(scores), response: None },
        operating_points: OperatingPoints::new([score(0.5); 4]),
        tree: with_masses(&[harm], benefit),
        topics: TopicSignals::default(),
        prompt_coverage: Some(Coverage { tokens: 9, judged: 9, unknown: 0, windows: 1 }),
        response_coverage: None,
        model: ModelIdentity { name: "by hand".into(), revision: Digest::new([0; 32]) },
        precision: None,
        consulted: Vec::new(),
    }
}

/// Nothing but privacy of mass 1: ln 2 = .69; with the bias of -1 the sum is -.31, the harmfulness .42.
fn private() -> Assessment {
    prompt(0.5, (ActionCategory::Privacy, 1.0), 0.0)
}

/// A complete profile (bias -1, all weights 1, review at .5, block at .8) and one that changes a few lines.
fn pair(lines: &str) -> (Arc<Profile>, Arc<Profile>) {
    let (base, other) = (files::complete(), format!("title = \"Other\"\nextends = \"base\"\n{lines}"));
    let files = [("base.toml", base.as_str()), ("other.toml", other.as_str())];
    (files::profile("base", &files), files::profile("other", &files))
}

fn compared(assessments: &[(&str, Assessment)], lines: &str) -> Comparison {
    let (from, to) = pair(lines);
    compare(assessments.iter().map(|(id, assessment)| (*id, assessment)), (&from, &to), 100)
}

#[test]
fn every_decision_is_in_the_table() {
    let harm = |mass| prompt(0.5, (ActionCategory::Deception, mass), 0.0);
    // Sums of -1, .10, .39 and .61 under all weights of 1: harmfulness .27, .52, .60, .65; the threshold moves to .55.
    let all = [("a", harm(0.0)), ("b", harm(2.0)), ("c", harm(3.0)), ("d", harm(4.0)), ("e", private())];
    let found =
        compared(&all, "thresholds.review = 0.55\nthresholds.block = 0.64\nweights.harm.privacy = 2.0\n");
    let table = [Allow, Review, Block].map(|from| [Allow, Review, Block].map(|to| found.decided(from, to)));
    // The sum with privacy rises to .39: .60.
    assert_eq!(table, [[1, 1, 0], [1, 1, 1], [0, 0, 0]]);
    assert_eq!((found.total(), found.flipped()), (5, Flips { stricter: 2, milder: 1 }));
    let listed: Vec<_> = found.flips().iter().map(|flip| (flip.id.as_str(), flip.from, flip.to)).collect();
    assert_eq!(listed, [("b", Review, Allow), ("d", Review, Block), ("e", Allow, Review)]);
    let movers = [
        (Mover::Thresholds, Flips { stricter: 1, milder: 1 }),
        (Mover::Evidence(Evidence::Harm(ActionCategory::Privacy)), Flips { stricter: 1, milder: 0 }),
    ];
    assert_eq!(found.movers(), movers);
    assert_eq!((found.from().title.as_str(), found.to().title.as_str()), ("Base", "Other"));
    // Only the last moved: from logistic(-1 + ln 2) to logistic(-1 + 2 ln 2).
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    let shift = logistic(-1.0 + 4.0_f64.ln()) - logistic(-1.0 + 2.0_f64.ln());
    assert!((found.mean_absolute_shift() - shift / 5.0).abs() < 1e-12, "{}", found.mean_absolute_shift());
    // .27, .52, .60, .65 and .42 before.
    let before: Vec<_> = found.before().iter().enumerate().filter(|(_, bin)| bin.total() > 0).collect();
    let stays = Bin { unchanged: 1, ..Bin::default() };
    let (milder, stricter) = (Bin { milder: 1, ..Bin::default() }, Bin { stricter: 1, ..Bin::default() });
    assert_eq!(before, [(5, &stays), (8, &stricter), (10, &milder), (11, &stays), (12, &stricter)]);
}

/// The same there and back.
fn check_mover(assessment: &Assessment, lines: &str, expected: Mover) {
    let (from, to) = pair(lines);
    for pair in [(&*from, &*to), (&*to, &*from)] {
        let found = compare([("a", assessment)], pair, 1);
        let [flip] = found.flips() else { panic!("no flip: {found:?}") };
        assert_eq!(flip.mover, expected);
    }
}

#[test]
fn a_flip_is_put_down_to_what_moved_most() {
    let evidence = |evidence| Mover::Evidence(evidence);
    let privacy = evidence(Evidence::Harm(ActionCategory::Privacy));
    check_mover(&private(), "weights.harm.privacy = 2.0", privacy);
    check_mover(&private(), "weights.bias = 0.0", evidence(Evidence::Bias));
    check_mover(&private(), "thresholds.review = 0.3", Mover::Thresholds);
    // The sum rises by 1.39, the threshold falls by .41; and the other way round.
    check_mover(&private(), "thresholds.review = 0.4\nweights.harm.privacy = 3.0", privacy);
    check_mover(&private(), "thresholds.review = 0.2\nweights.harm.privacy = 1.5", Mover::Thresholds);
    // Privacy adds .69, the bias takes away .5.
    check_mover(&private(), "weights.bias = -1.3\nweights.harm.privacy = 2.5", privacy);
    // Towards an allow it is what falls.
    let good = prompt(0.7, (ActionCategory::Privacy, 3.0), 1.0);
    check_mover(&good, "weights.benefit = 2.0", evidence(Evidence::Benefit));
    check_mover(&good, "weights.guard = 0.1", evidence(Evidence::Guard(GuardHead::PromptHarmful)));
}

#[test]
fn what_one_profile_holds_back_for_is_no_evidence() {
    let mut unread = private();
    unread.tree = TreeOutcome::Unusable(UnusableTree::NotFinite);
    check_mover(&unread, "on_failure = \"open\"", Mover::Degradation);
    // Where both hold back, a change of the sum is one.
    let mut in_part = private();
    in_part.prompt_coverage = Some(Coverage { tokens: 9, judged: 1, unknown: 0, windows: 1 });
    let privacy = Mover::Evidence(Evidence::Harm(ActionCategory::Privacy));
    check_mover(&in_part, "weights.harm.privacy = 5.0", privacy);
}

#[test]
fn movers_have_names() {
    let names = [Mover::Thresholds, Mover::Degradation, Mover::Evidence(Evidence::Benefit)].map(Mover::id);
    assert_eq!(names, ["thresholds", "degradation", "benefit"]);
}

#[test]
fn the_list_of_flips_is_bounded_and_in_order() {
    let (from, to) = pair("weights.bias = 0.0");
    let (ids, assessment) = (["a", "b", "c"], private());
    let found = compare(ids.map(|id| (id, &assessment)), (&from, &to), 2);
    assert_eq!(found.flips().iter().map(|flip| flip.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((found.flips_left_out(), found.flipped().total()), (1, 3));
}

#[test]
fn what_is_not_alike_is_not_merged() {
    let (from, to) = pair("weights.bias = 0.0");
    let empty = |pair, most_flips| Comparer::new(pair, most_flips).finish();
    let mut found = empty((&from, &to), 5);
    let before = found.clone();
    assert_eq!(found.merge(empty((&to, &from), 5)), Err(UnlikeComparisons));
    assert_eq!(found.merge(empty((&from, &to), 6)), Err(UnlikeComparisons));
    assert_eq!(found, before);
    assert_eq!(found.merge(empty((&from, &to), 5)), Ok(()));
    assert_eq!(found.mean_absolute_shift(), 0.0);
}

proptest! {
    #[test]
    fn parts_merge_to_the_whole(
        all in prop::collection::vec(assessment(), 0..12), v in values(), w in values(), cuts in any::<[prop::sample::Index; 2]>(),
        most_flips in 0..5_usize,
    ) {
        let pair = (v.profile(), w.profile());
        let pair = (pair.0.as_ref(), pair.1.as_ref());
        let ids: Vec<String> = (0..all.len()).map(|place| format!("id {place}")).collect();
        let named: Vec<_> = ids.iter().map(String::as_str).zip(&all).collect();
        let compare = |part: &[(&str, &Assessment)]| compare(part.iter().copied(), pair, most_flips);
        let whole = compare(&named);
        let mut cuts = cuts.map(|cut| cut.index(all.len() + 1));
        cuts.sort_unstable();
        let mut merged = compare(&named[..cuts[0]]);
        merged.merge(compare(&named[cuts[0]..cuts[1]])).unwrap();
        merged.merge(compare(&named[cuts[1]..])).unwrap();
        prop_assert_eq!(&merged, &whole);
    }

    #[test]
    fn what_is_counted_is_what_is_weighed(all in prop::collection::vec(assessment(), 0..12), v in values(), w in values()) {
        let (from, to) = (v.profile(), w.profile());
        let found = compare(all.iter().map(|one| ("x", one)), (&from, &to), 100);
        let outcomes: Vec<_> = all.iter().map(|one| (weigh(one, &from), weigh(one, &to))).collect();
        for a in Decision::ALL {
            for b in Decision::ALL {
                let counted = outcomes.iter().filter(|(x, y)| (x.decision, y.decision) == (a, b)).count();
                prop_assert_eq!(found.decided(a, b), counted as u64);
            }
        }
        prop_assert_eq!(found.total(), all.len() as u64);
        for bins in [found.before(), found.after()] {
            prop_assert_eq!(bins.iter().map(Bin::total).sum::<u64>(), all.len() as u64);
            prop_assert_eq!(bins.iter().map(|bin| bin.stricter).sum::<u64>(), found.flipped().stricter);
            prop_assert_eq!(bins.iter().map(|bin| bin.milder).sum::<u64>(), found.flipped().milder);
        }
        prop_assert_eq!(found.flips().len() as u64, found.flipped().total());
        prop_assert_eq!(found.flips_left_out(), 0);
        let shifts = outcomes.iter().map(|(x, y)| (x.harmfulness - y.harmfulness).abs());
        let (shift, count) = shifts.fold((0.0, 0.0), |(sum, count), shift| (sum + shift, count + 1.0));
        prop_assert!((found.mean_absolute_shift() * count - shift).abs() < 1e-12);
    }

    #[test]
    fn a_profile_and_itself_differ_in_nothing(all in prop::collection::vec(assessment(), 0..12), v in values()) {
        let profile = v.profile();
        let found = compare(all.iter().map(|one| ("x", one)), (&profile, &profile), 100);
        prop_assert_eq!((found.flipped(), found.mean_absolute_shift()), (Flips::default(), 0.0));
        prop_assert_eq!(found.before(), found.after());
        prop_assert!(matches!(profile.aggregation(), Aggregation::Assize(_)));
    }
}

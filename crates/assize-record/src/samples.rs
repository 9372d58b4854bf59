//! Records for tests: any at all, and one as judging gives it.

use crate::{Decided, Record, UnixMillis};
use assize_domain::{
    ActionCategory, Assessment, BenefitBranch, Branch, CommunityId, Consulted, Coverage, Decision, Digest,
    Effect, ExpectedTree, Extent, GuardHead, GuardScores, HarmAction, HarmBranch, LeafCount, Likelihood,
    ModelIdentity, OperatingPoints, Precision, PromptScores, ReportedLeaf, ReportedTree, ResponseScores,
    Score, Shares, Stakeholder, Tier, TopicSignals, Tree, TreeOutcome, UnusableTree,
};
use proptest::{array, collection, option, prelude::*, sample::select, sample::subsequence};
use std::sync::LazyLock;

/// Any score, subnormal ones, both zeros and 1 among them.
fn score() -> impl Strategy<Value = Score> {
    let bits = (0..=1.0_f32.to_bits()).prop_map(f32::from_bits);
    prop_oneof![4 => bits, 4 => 0.0..=1.0_f32, 1 => Just(-0.0)].prop_map(|score| Score::new(score).unwrap())
}

fn scores<const N: usize>() -> impl Strategy<Value = [Score; N]> {
    collection::vec(score(), N).prop_map(|scores| scores.try_into().unwrap())
}

/// Shares over the first `places`.
fn shares<const N: usize>(places: usize) -> impl Strategy<Value = Shares<N>> {
    let amount = prop_oneof![2 => Just(0.0), 3 => 0.0..1.0_f32, 1 => Just(30.0)];
    collection::vec(amount, places).prop_map(|mut amounts| {
        amounts[0] += 1e-3;
        amounts.resize(N, 0.0);
        Shares::in_proportion(&amounts.try_into().unwrap()).unwrap()
    })
}

fn branch() -> impl Strategy<Value = Branch> {
    (any::<u16>(), any::<u8>(), shares(24), shares(9)).prop_map(|(parts, presence, severity, stakeholder)| {
        Branch { leaves: LeafCount::from_parts(parts), presence, severity, stakeholder }
    })
}

fn any_harm(category: ActionCategory) -> impl Strategy<Value = HarmBranch> {
    (branch(), shares(Effect::COUNT), shares(category.actions().count()))
        .prop_map(move |(branch, effect, action)| HarmBranch { category, branch, effect, action })
}

fn expected() -> impl Strategy<Value = ExpectedTree> {
    let harms = subsequence(ActionCategory::ALL.to_vec(), 0..=ActionCategory::COUNT);
    let harms = harms.prop_flat_map(|harms| harms.into_iter().map(any_harm).collect::<Vec<_>>());
    let benefits = subsequence(Effect::ALL.to_vec(), 0..=Effect::COUNT);
    let benefit = |effect| branch().prop_map(move |branch| BenefitBranch { effect, branch });
    let benefits = benefits.prop_flat_map(move |all| all.into_iter().map(benefit).collect::<Vec<_>>());
    (harms, benefits).prop_map(|(harms, benefits)| ExpectedTree::new(harms, benefits))
}

fn leaf() -> impl Strategy<Value = ReportedLeaf> {
    let names = (
        (option::of(select(ActionCategory::ALL.to_vec())), option::of(select(ActionCategory::ALL.to_vec()))),
        option::of(select(HarmAction::ALL.to_vec())),
        option::of(select(Effect::ALL.to_vec())),
        select(Stakeholder::ALL.to_vec()),
    );
    let severity = (
        option::of(select(Extent::ALL.to_vec())),
        option::of(select(Likelihood::ALL.to_vec())),
        option::of(any::<bool>()),
    );
    (names, severity).prop_map(
        |(((category, published_category), action, effect, stakeholder), (extent, likelihood, immediate))| {
            ReportedLeaf {
                category,
                published_category,
                action,
                effect,
                stakeholder,
                extent,
                likelihood,
                immediate,
            }
        },
    )
}

fn outcome() -> impl Strategy<Value = TreeOutcome> {
    let leaves = || collection::vec(leaf(), 0..60);
    let reported = || (leaves(), leaves()).prop_map(|(harms, benefits)| ReportedTree { harms, benefits });
    prop_oneof![
        Just(TreeOutcome::NotRequested),
        select(UnusableTree::ALL.to_vec()).prop_map(TreeOutcome::Unusable),
        expected().prop_map(|tree| TreeOutcome::Weighed(Tree::Expected(tree))),
        reported().prop_map(|tree| TreeOutcome::Weighed(Tree::Reported(tree))),
        (expected(), reported()).prop_map(|(one, other)| TreeOutcome::Weighed(Tree::both(one, other))),
    ]
}

fn guard() -> impl Strategy<Value = GuardScores> {
    let prompt = (score(), score(), scores()).prop_map(|(harmful, adversarial, risk)| PromptScores {
        harmful,
        adversarial,
        risk,
    });
    let response = (score(), score()).prop_map(|(harmful, refusal)| ResponseScores { harmful, refusal });
    (option::of(prompt), response, any::<bool>()).prop_map(|(prompt, response, both)| {
        let response = (both || prompt.is_none()).then_some(response);
        GuardScores { prompt, response }
    })
}

fn coverage() -> impl Strategy<Value = Coverage> {
    array::uniform4(prop_oneof![4 => 0_usize..2000, 1 => any::<usize>()])
        .prop_map(|[tokens, judged, unknown, windows]| Coverage { tokens, judged, unknown, windows })
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::new)
}

fn model() -> impl Strategy<Value = (ModelIdentity, Option<Precision>, OperatingPoints)> {
    let name = prop_oneof![Just("guard-v1".to_owned()), Just(String::new()), "\\PC{0,40}"];
    let precision = option::of(select(Precision::ALL.to_vec()));
    (name, digest(), precision, scores()).prop_map(|(name, revision, precision, points)| {
        (ModelIdentity { name: name.into(), revision }, precision, OperatingPoints::new(points))
    })
}

fn further() -> impl Strategy<Value = Vec<Consulted>> {
    let one = (select(Tier::ALL.to_vec()), model(), any::<bool>());
    let one = one.prop_map(|(tier, (model, ..), answered)| Consulted { tier, model, answered });
    proptest::collection::vec(one, 0..3)
}

fn assessment() -> impl Strategy<Value = Assessment> {
    let coverages = (option::of(coverage()), option::of(coverage()));
    (guard(), model(), further(), outcome(), any::<[bool; 3]>(), coverages).prop_map(
        |(guard, (model, precision, operating_points), consulted, tree, topics, coverages)| {
            let [minors, sexual, mass_harm_weapons] = topics;
            Assessment {
                guard,
                operating_points,
                tree,
                topics: TopicSignals { minors, sexual, mass_harm_weapons },
                prompt_coverage: coverages.0,
                response_coverage: coverages.1,
                model,
                precision,
                consulted,
            }
        },
    )
}

fn decided() -> impl Strategy<Value = Decided> {
    ("[a-z0-9][a-z0-9_-]{0,63}", digest(), select(Decision::ALL.to_vec())).prop_map(
        |(community, profile, decision)| Decided { community: community.parse().unwrap(), profile, decision },
    )
}

/// Any record that may be written.
pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    ("[A-Za-z0-9._:-]{1,64}", any::<u64>(), option::of(decided()), assessment()).prop_map(
        |(id, at, decided, assessment)| Record {
            id: id.parse().unwrap(),
            at: UnixMillis(at),
            decided,
            assessment,
        },
    )
}

/// Shares that halve from place to place on both sides of the largest, much as a softmax gives them.
fn falling<const N: usize>(largest: usize, places: usize) -> Shares<N> {
    let halved = |place: usize| 1.0 / f32::from(1_u16 << place.abs_diff(largest % places).min(15));
    let amounts = std::array::from_fn(|place| if place < places { halved(place) } else { 0.0 });
    Shares::in_proportion(&amounts).unwrap()
}

fn falling_branch(place: usize) -> Branch {
    Branch {
        leaves: LeafCount::from_parts(77 + 102 * u16::try_from(place).unwrap()),
        presence: 120,
        severity: falling(place * 5, 24),
        stakeholder: falling(place, 9),
    }
}

/// A branch of one category.
pub(crate) fn harm(category: ActionCategory) -> HarmBranch {
    let place = category.index();
    HarmBranch {
        category,
        branch: falling_branch(place),
        effect: falling(place, Effect::COUNT),
        action: falling(place, category.actions().count()),
    }
}

/// A record as a guard's encoder gives it: five harms, six benefits.
pub(crate) fn typical() -> Record {
    static TYPICAL: LazyLock<Record> = LazyLock::new(make_typical);
    TYPICAL.clone()
}

fn make_typical() -> Record {
    use ActionCategory::{CriminalActivities, Deception, Privacy, SecurityRisks, ViolenceExtremism};
    let harms = [SecurityRisks, ViolenceExtremism, Deception, Privacy, CriminalActivities].map(harm);
    let benefits = Effect::ALL.into_iter().skip(1).step_by(2).take(6);
    let benefits = benefits.map(|effect| BenefitBranch { effect, branch: falling_branch(effect.index()) });
    let score = |score| Score::new(score).unwrap();
    let coverage = Coverage { tokens: 212, judged: 212, unknown: 0, windows: 1 };
    Record {
        id: "0198f2a0-7d0c-7d2e-9b2f-0123456789ab".parse().unwrap(),
        at: UnixMillis(1_760_000_000_000),
        decided: Some(Decided {
            community: "default".parse::<CommunityId>().unwrap(),
            profile: Digest::new([7; 32]),
            decision: Decision::Review,
        }),
        assessment: Assessment {
            guard: GuardScores {
                prompt: Some(PromptScores {
                    harmful: score(0.731),
                    adversarial: score(0.002),
                    risk: std::array::from_fn(|place| {
                        score(0.9 / f32::from(u16::try_from(place + 1).unwrap()))
                    }),
                }),
                response: Some(ResponseScores { harmful: score(0.01), refusal: score(0.97) }),
            },
            operating_points: OperatingPoints::new([0.5, 0.4, 0.3, 0.2].map(score)),
            tree: TreeOutcome::Weighed(Tree::Expected(ExpectedTree::new(harms.into(), benefits.collect()))),
            topics: TopicSignals { minors: false, sexual: false, mass_harm_weapons: true },
            prompt_coverage: Some(coverage),
            response_coverage: Some(Coverage { tokens: 480, judged: 470, ..coverage }),
            model: ModelIdentity { name: "assize-guard-v1".into(), revision: Digest::new([9; 32]) },
            precision: None,
            consulted: Vec::new(),
        },
    }
}

/// The typical record, judged in a precision that was kept.
pub(crate) fn judged_in(precision: Precision) -> Record {
    let mut record = typical();
    record.assessment.precision = Some(precision);
    record
}

/// The typical record, with a guard that answered and a reporter that did not.
pub(crate) fn consulted() -> Record {
    let mut record = typical();
    let model = |name: &str, byte| ModelIdentity { name: name.into(), revision: Digest::new([byte; 32]) };
    record.assessment.consulted = vec![
        Consulted { tier: Tier::Guard, model: model("wildguard", 3), answered: true },
        Consulted { tier: Tier::Reporter, model: model("safety-reporter", 4), answered: false },
    ];
    record
}

/// The typical record under another id, some time later.
pub(crate) fn numbered(number: u64) -> Record {
    let mut record = typical();
    record.id = format!("0198f2a0-7d0c-7d2e-9b2f-{number:012x}").parse().unwrap();
    record.at.0 += number;
    record
}

/// Equal with every bit of every score: `==` takes -0 for 0.
pub(crate) fn same(a: &Record, b: &Record) -> bool {
    a == b && bits(a).eq(bits(b))
}

fn bits(record: &Record) -> impl Iterator<Item = u32> {
    let Assessment { guard, operating_points, .. } = &record.assessment;
    let prompt = guard
        .prompt
        .iter()
        .flat_map(|prompt| [prompt.harmful, prompt.adversarial].into_iter().chain(prompt.risk));
    let response = guard.response.iter().flat_map(|response| [response.harmful, response.refusal]);
    let points = GuardHead::ALL.into_iter().map(|head| operating_points.get(head));
    prompt.chain(response).chain(points).map(|score| score.get().to_bits())
}

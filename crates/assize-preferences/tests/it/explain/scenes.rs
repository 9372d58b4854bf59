//! Assessments that a person would recognise, for snapshots and pictures.

use crate::files;
use assize_domain::{
    Assessment, BenefitBranch, Branch, Coverage, Digest, Effect, ExpectedTree, Extent, GuardScores,
    HarmAction, HarmBranch, LeafCount, Likelihood, ModelIdentity, OperatingPoints, PromptScores,
    ReportedLeaf, ReportedTree, ResponseScores, Score, Severity, Shares, Stakeholder, TopicSignals, Tree,
    TreeOutcome,
};
use assize_preferences::Profile;
use std::sync::Arc;

const READ: Coverage = Coverage { tokens: 24, judged: 24, unknown: 0, windows: 1 };

/// The profile that ships, without its examples, which need a model.
pub(crate) fn shipped(id: &str) -> Arc<Profile> {
    let [default, own] = ["default", id].map(|id| {
        let path = format!("{}/../../config/communities/{id}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        (format!("{id}.toml"), text.split("[[examples]]").next().unwrap().to_owned())
    });
    let files = [(default.0.as_str(), default.1.as_str()), (own.0.as_str(), own.1.as_str())];
    files::profile(id, if id == "default" { &files[..1] } else { &files })
}

fn score(value: f32) -> Score {
    Score::new(value).unwrap()
}

/// An assessment of a prompt and, where its scores are given, of a response.
pub(crate) fn assessment(prompt: (f32, f32), response: Option<(f32, f32)>, tree: TreeOutcome) -> Assessment {
    let (harmful, adversarial) = prompt;
    Assessment {
        guard: GuardScores {
            prompt: Some(PromptScores {
                harmful: score(harmful),
                adversarial: score(adversarial),
                risk: [score(0.0); 13],
            }),
            response: response.map(|(harmful, refusal)| ResponseScores {
                harmful: score(harmful),
                refusal: score(refusal),
            }),
        },
        operating_points: OperatingPoints::new([score(0.5); 4]),
        tree,
        topics: TopicSignals::default(),
        prompt_coverage: Some(READ),
        response_coverage: response.map(|_| READ),
        model: ModelIdentity { name: "by hand".into(), revision: Digest::new([0; 32]) },
        precision: None,
        consulted: Vec::new(),
    }
}

const fn severity(extent: Extent, likelihood: Likelihood, immediate: bool) -> Severity {
    Severity { extent, likelihood, immediate }
}

/// Mostly at one place, and some at the others.
fn around<const N: usize>(place: usize, share: f32) -> Shares<N> {
    let mut amounts = [0.0; N];
    amounts.iter_mut().enumerate().for_each(|(at, amount)| *amount = if at < 5 { 1.0 - share } else { 0.0 });
    amounts[place] = 5.0 * share;
    Shares::in_proportion(&amounts).unwrap()
}

fn branch(leaves: f32, severity: Severity, stakeholder: Stakeholder) -> Branch {
    Branch {
        leaves: LeafCount::nearest(leaves).unwrap(),
        presence: 240,
        severity: around(severity.index(), 0.7),
        stakeholder: around(stakeholder.index(), 0.6),
    }
}

/// What a harm is: how many leaves, the action with its share, the effect.
type Harm = (f32, HarmAction, f32, Effect);

fn harm((leaves, action, clear, effect): Harm, severity: Severity, stakeholder: Stakeholder) -> HarmBranch {
    let category = action.category();
    let place = category.actions().position(|one| one == action).unwrap();
    let count = category.actions().count();
    let mut actions = [0.0; HarmBranch::MOST_ACTIONS];
    actions[..count].fill(1.0 - clear);
    #[expect(clippy::cast_precision_loss, reason = "at most six")]
    let others = (count - 1) as f32;
    actions[place] = clear * others.max(1.0);
    HarmBranch {
        category,
        branch: branch(leaves, severity, stakeholder),
        effect: around(effect.index(), 0.8),
        action: Shares::in_proportion(&actions).unwrap(),
    }
}

fn benefit(leaves: f32, effect: Effect, severity: Severity, stakeholder: Stakeholder) -> BenefitBranch {
    BenefitBranch { effect, branch: branch(leaves, severity, stakeholder) }
}

/// Five harms and two benefits: taking over an account.
pub(crate) fn harmful_tree() -> TreeOutcome {
    use {Extent as E, Likelihood as L, Stakeholder as S};
    let harms = vec![
        harm(
            (2.4, HarmAction::PrivacyViolations, 0.8, Effect::FinancialProperty),
            severity(E::Significant, L::High, true),
            S::OtherIndividuals,
        ),
        harm(
            (1.9, HarmAction::Confidentiality, 0.7, Effect::Institutional),
            severity(E::Substantial, L::Medium, true),
            S::Organisations,
        ),
        harm(
            (1.1, HarmAction::Fraud, 0.6, Effect::PersistentEmotion),
            severity(E::Major, L::Low, false),
            S::VulnerableGroup,
        ),
        harm(
            (0.8, HarmAction::OtherCrime, 0.4, Effect::AccurateInformation),
            severity(E::Minor, L::High, true),
            S::Public,
        ),
        harm(
            (0.3, HarmAction::AutonomousUnsafeOperation, 0.9, Effect::IntellectualProperty),
            severity(E::Significant, L::Medium, true),
            S::AiProvider,
        ),
    ];
    let benefits = vec![
        benefit(1.2, Effect::AccurateInformation, severity(E::Significant, L::High, true), S::User),
        benefit(2.5, Effect::FreedomAgency, severity(E::Minor, L::Medium, false), S::User),
    ];
    TreeOutcome::Weighed(Tree::Expected(ExpectedTree::new(harms, benefits)))
}

/// A harmful prompt.
pub(crate) fn harmful() -> Assessment {
    assessment((0.72, 0.3), None, harmful_tree())
}

/// A harmful prompt and a reply that helps a little and refuses a little.
pub(crate) fn both() -> Assessment {
    assessment((0.72, 0.3), Some((0.45, 0.7)), harmful_tree())
}

/// A prompt that nothing is wrong with.
pub(crate) fn harmless() -> Assessment {
    assessment((0.02, 0.01), None, TreeOutcome::Weighed(Tree::Expected(ExpectedTree::default())))
}

/// A reporter's tree of 60 leaves, two of which can't be read.
pub(crate) fn reported() -> Assessment {
    let leaf = |place: usize, action: Option<HarmAction>| ReportedLeaf {
        category: action.map(HarmAction::category),
        published_category: action.map(HarmAction::category),
        action,
        effect: Some(Effect::ALL[(place * 7) % Effect::COUNT]),
        stakeholder: Stakeholder::ALL[(place * 5) % Stakeholder::COUNT],
        extent: Some(Extent::ALL[(place * 3 + place / 4) % 4]),
        likelihood: Some(Likelihood::ALL[(place * 2 + place / 3) % 3]),
        immediate: Some(!place.is_multiple_of(4)),
    };
    let mut harms: Vec<ReportedLeaf> =
        (0..45).map(|place| leaf(place, Some(HarmAction::ALL[(place * place + place) % 45]))).collect();
    harms[7].extent = None;
    harms[9].effect = None;
    let benefits = (0..15).map(|place| leaf(place + 3, None)).collect();
    assessment((0.4, 0.05), None, TreeOutcome::Weighed(Tree::Reported(ReportedTree { harms, benefits })))
}

//! Every conversion between a record and its JSON.

use super::{
    VERSION,
    names::Name,
    numbers::{Leaves, Probability, Risks, SharesOf},
    wire::{
        BenefitWire, ConsultedWire, CoverageWire, CoveragesWire, DecidedWire, ExpectedWire, GuardWire,
        HarmWire, LeafWire, ModelWire, OperatingPointsWire, PromptWire, RecordWire, ReportedWire,
        ResponseWire, TopicsWire, TreeWire,
    },
};
use crate::{Decided, Record, RecordError, UnixMillis, reporter::MOST_LEAVES};
use assize_domain::{
    ActionCategory, Assessment, BenefitBranch, Branch, Consulted, Coverage, ExpectedTree, GuardHead,
    GuardScores, HarmAction, HarmBranch, ModelIdentity, OperatingPoints, PromptScores, ReportedLeaf,
    ReportedTree, ResponseScores, Shares, TAXONOMY_VERSION, TopicSignals, Tree, TreeOutcome,
};

type ActionShares = SharesOf<HarmAction, { HarmAction::COUNT }>;

/// Shows a record.
pub(super) fn wire(record: &Record) -> Result<RecordWire, RecordError> {
    let Record { id, at, decided, assessment } = record;
    Ok(RecordWire {
        version: VERSION,
        taxonomy: TAXONOMY_VERSION.to_owned(),
        id: Name(id.clone()),
        at: at.0,
        decided: decided.as_ref().map(decided_wire),
        model: model_wire(&assessment.model),
        precision: assessment.precision.map(Name),
        consulted: assessment.consulted.iter().map(consulted_wire).collect(),
        operating_points: points_wire(&assessment.operating_points),
        guard: guard_wire(&assessment.guard),
        topics: topics_wire(assessment.topics),
        coverage: CoveragesWire {
            prompt: assessment.prompt_coverage.map(coverage_wire),
            response: assessment.response_coverage.map(coverage_wire),
        },
        tree: tree_wire(&assessment.tree)?,
    })
}

/// Reads a record whose version and taxonomy are ours.
pub(super) fn record(wire: RecordWire) -> Result<Record, RecordError> {
    let RecordWire {
        id: Name(id),
        at,
        decided,
        model,
        precision,
        consulted,
        operating_points,
        guard,
        topics,
        coverage,
        tree,
        ..
    } = wire;
    let assessment = Assessment {
        guard: guard_scores(guard),
        operating_points: points(&operating_points),
        tree: outcome(tree)?,
        topics: signals(&topics),
        prompt_coverage: coverage.prompt.map(|coverage| read(&coverage)),
        response_coverage: coverage.response.map(|coverage| read(&coverage)),
        model: identity(model),
        precision: precision.map(|name| name.0),
        consulted: consulted.into_iter().map(further).collect(),
    };
    let decided = decided.map(|DecidedWire { community, profile, decision }| Decided {
        community: community.0,
        profile: profile.0,
        decision: decision.0,
    });
    Ok(Record { id, at: UnixMillis(at), decided, assessment })
}

fn model_wire(model: &ModelIdentity) -> ModelWire {
    ModelWire { name: model.name.to_string(), revision: Name(model.revision) }
}

fn identity(wire: ModelWire) -> ModelIdentity {
    ModelIdentity { name: wire.name.into(), revision: wire.revision.0 }
}

fn consulted_wire(consulted: &Consulted) -> ConsultedWire {
    let Consulted { tier, model, answered } = consulted;
    ConsultedWire { tier: Name(*tier), answered: *answered, model: model_wire(model) }
}

fn further(wire: ConsultedWire) -> Consulted {
    Consulted { tier: wire.tier.0, model: identity(wire.model), answered: wire.answered }
}

fn decided_wire(decided: &Decided) -> DecidedWire {
    DecidedWire {
        community: Name(decided.community.clone()),
        profile: Name(decided.profile),
        decision: Name(decided.decision),
    }
}

fn points_wire(points: &OperatingPoints) -> OperatingPointsWire {
    OperatingPointsWire {
        prompt_harmful: Probability(points.get(GuardHead::PromptHarmful)),
        response_harmful: Probability(points.get(GuardHead::ResponseHarmful)),
        response_refusal: Probability(points.get(GuardHead::ResponseRefusal)),
        adversarial: Probability(points.get(GuardHead::Adversarial)),
    }
}

fn points(wire: &OperatingPointsWire) -> OperatingPoints {
    OperatingPoints::new(GuardHead::ALL.map(|head| match head {
        GuardHead::PromptHarmful => wire.prompt_harmful.0,
        GuardHead::ResponseHarmful => wire.response_harmful.0,
        GuardHead::ResponseRefusal => wire.response_refusal.0,
        GuardHead::Adversarial => wire.adversarial.0,
    }))
}

fn guard_wire(guard: &GuardScores) -> GuardWire {
    let prompt = guard.prompt.as_ref().map(|prompt| PromptWire {
        harmful: Probability(prompt.harmful),
        adversarial: Probability(prompt.adversarial),
        risk: Risks(prompt.risk),
    });
    let response = guard.response.map(|ResponseScores { harmful, refusal }| ResponseWire {
        harmful: Probability(harmful),
        refusal: Probability(refusal),
    });
    GuardWire { prompt, response }
}

fn guard_scores(wire: GuardWire) -> GuardScores {
    let prompt = wire.prompt.map(|PromptWire { harmful, adversarial, risk }| PromptScores {
        harmful: harmful.0,
        adversarial: adversarial.0,
        risk: risk.0,
    });
    let response = wire
        .response
        .map(|ResponseWire { harmful, refusal }| ResponseScores { harmful: harmful.0, refusal: refusal.0 });
    GuardScores { prompt, response }
}

const fn topics_wire(topics: TopicSignals) -> TopicsWire {
    let TopicSignals { minors, sexual, mass_harm_weapons } = topics;
    TopicsWire { minors, sexual, mass_harm_weapons }
}

const fn signals(wire: &TopicsWire) -> TopicSignals {
    let TopicsWire { minors, sexual, mass_harm_weapons } = *wire;
    TopicSignals { minors, sexual, mass_harm_weapons }
}

const fn coverage_wire(coverage: Coverage) -> CoverageWire {
    let Coverage { tokens, judged, unknown, windows } = coverage;
    CoverageWire { tokens, judged, unknown, windows }
}

const fn read(wire: &CoverageWire) -> Coverage {
    let CoverageWire { tokens, judged, unknown, windows } = *wire;
    Coverage { tokens, judged, unknown, windows }
}

fn tree_wire(tree: &TreeOutcome) -> Result<TreeWire, RecordError> {
    Ok(match tree {
        TreeOutcome::NotRequested => TreeWire::NotRequested,
        TreeOutcome::Unusable(cause) => TreeWire::Unusable(Name(*cause)),
        TreeOutcome::Weighed(tree) => match (tree.expected(), tree.reported()) {
            (Some(expected), Some(reported)) => {
                TreeWire::Both { expected: expected_wire(expected)?, reported: reported_wire(reported) }
            }
            (Some(tree), None) => TreeWire::Expected(expected_wire(tree)?),
            (None, Some(tree)) => TreeWire::Reported(reported_wire(tree)),
            (None, None) => TreeWire::NotRequested,
        },
    })
}

fn expected_wire(tree: &ExpectedTree) -> Result<ExpectedWire, RecordError> {
    Ok(ExpectedWire {
        harms: tree.harms().iter().map(harm_wire).collect::<Result<_, _>>()?,
        benefits: tree.benefits().iter().map(benefit_wire).collect(),
    })
}

pub(super) fn reported_wire(tree: &ReportedTree) -> ReportedWire {
    let wires = |leaves: &[ReportedLeaf]| leaves.iter().map(leaf_wire).collect();
    ReportedWire { harms: wires(&tree.harms), benefits: wires(&tree.benefits) }
}

fn outcome(wire: TreeWire) -> Result<TreeOutcome, RecordError> {
    Ok(match wire {
        TreeWire::NotRequested => TreeOutcome::NotRequested,
        TreeWire::Unusable(Name(cause)) => TreeOutcome::Unusable(cause),
        TreeWire::Expected(tree) => TreeOutcome::Weighed(Tree::Expected(expected(&tree)?)),
        TreeWire::Reported(tree) => TreeOutcome::Weighed(Tree::Reported(reported(&tree)?)),
        TreeWire::Both { expected: one, reported: other } => {
            TreeOutcome::Weighed(Tree::both(expected(&one)?, reported(&other)?))
        }
    })
}

fn reported(ReportedWire { harms, benefits }: &ReportedWire) -> Result<ReportedTree, RecordError> {
    Ok(ReportedTree { harms: leaves(harms, "harms")?, benefits: leaves(benefits, "benefits")? })
}

/// As many as a reporter's text may have.
fn leaves(wires: &[LeafWire], side: &str) -> Result<Vec<ReportedLeaf>, RecordError> {
    if wires.len() > MOST_LEAVES {
        let why = format!("{} leaves; at most {MOST_LEAVES} are read", wires.len());
        return Err(RecordError::Json { key: format!("tree.reported.{side}"), why });
    }
    Ok(wires.iter().map(leaf).collect())
}

/// In any order, and each kind once.
fn expected(wire: &ExpectedWire) -> Result<ExpectedTree, RecordError> {
    let (harm_count, benefit_count) = (wire.harms.len(), wire.benefits.len());
    let harms: Result<Vec<_>, _> =
        wire.harms.iter().enumerate().map(|(place, wire)| harm(wire, place)).collect();
    let tree = ExpectedTree::new(harms?, wire.benefits.iter().map(benefit).collect());
    for (side, given, kept) in
        [("harms", harm_count, tree.harms().len()), ("benefits", benefit_count, tree.benefits().len())]
    {
        if given != kept {
            let why = format!("{given} branches of {kept} kinds; at most one of each is allowed");
            return Err(RecordError::Json { key: format!("tree.expected.{side}"), why });
        }
    }
    Ok(tree)
}

fn harm_wire(harm: &HarmBranch) -> Result<HarmWire, RecordError> {
    let HarmBranch { category, branch, effect, action } = harm;
    Ok(HarmWire {
        category: Name(*category),
        leaves: Leaves(branch.leaves),
        presence_255ths: branch.presence,
        severity_255ths: branch.severity.into(),
        stakeholder_255ths: branch.stakeholder.into(),
        effect_255ths: (*effect).into(),
        action_255ths: actions_wire(*category, action)?,
    })
}

fn harm(wire: &HarmWire, place: usize) -> Result<HarmBranch, RecordError> {
    let Name(category) = wire.category;
    let branch = Branch {
        leaves: wire.leaves.0,
        presence: wire.presence_255ths,
        severity: wire.severity_255ths.0,
        stakeholder: wire.stakeholder_255ths.0,
    };
    let action = actions(category, &wire.action_255ths).ok_or_else(|| {
        let allowed: Vec<_> = category.actions().map(HarmAction::id).collect();
        let why = format!("not all are actions of `{}`; allowed: {}", category.id(), allowed.join(", "));
        RecordError::Json { key: format!("tree.expected.harms[{place}].action_255ths"), why }
    })?;
    Ok(HarmBranch { category, branch, effect: wire.effect_255ths.0, action })
}

/// From shares over a category's actions to shares over all.
fn actions_wire(
    category: ActionCategory,
    shares: &Shares<{ HarmBranch::MOST_ACTIONS }>,
) -> Result<ActionShares, RecordError> {
    let mut all = [0; HarmAction::COUNT];
    for (action, share) in category.actions().zip(shares.bytes()) {
        all.iter_mut().skip(action.index()).take(1).for_each(|place| *place = *share);
    }
    let missing =
        || RecordError::NoSuchAction { category: category.id(), actions: category.actions().count() };
    Shares::from_bytes(all).map(SharesOf::from).ok_or_else(missing)
}

/// And back; `None` where an action of another category has a share.
fn actions(category: ActionCategory, shares: &ActionShares) -> Option<Shares<{ HarmBranch::MOST_ACTIONS }>> {
    let mut own = [0; HarmBranch::MOST_ACTIONS];
    for (place, action) in own.iter_mut().zip(category.actions()) {
        *place = shares.0.bytes().get(action.index()).copied()?;
    }
    Shares::from_bytes(own)
}

fn benefit_wire(benefit: &BenefitBranch) -> BenefitWire {
    let BenefitBranch { effect, branch } = benefit;
    BenefitWire {
        effect: Name(*effect),
        leaves: Leaves(branch.leaves),
        presence_255ths: branch.presence,
        severity_255ths: branch.severity.into(),
        stakeholder_255ths: branch.stakeholder.into(),
    }
}

fn benefit(wire: &BenefitWire) -> BenefitBranch {
    let branch = Branch {
        leaves: wire.leaves.0,
        presence: wire.presence_255ths,
        severity: wire.severity_255ths.0,
        stakeholder: wire.stakeholder_255ths.0,
    };
    BenefitBranch { effect: wire.effect.0, branch }
}

fn leaf_wire(leaf: &ReportedLeaf) -> LeafWire {
    let ReportedLeaf { category, action, effect, stakeholder, extent, likelihood, immediate, .. } = *leaf;
    let published = leaf.published_category;
    LeafWire {
        category: category.map(Name),
        published_category: (published != category).then(|| published.map(Name)),
        action: action.map(Name),
        effect: effect.map(Name),
        stakeholder: Name(stakeholder),
        extent: extent.map(Name),
        likelihood: likelihood.map(Name),
        immediate,
    }
}

fn leaf(wire: &LeafWire) -> ReportedLeaf {
    let category = wire.category.map(|name| name.0);
    let published = wire.published_category.map(|published| published.map(|name| name.0));
    ReportedLeaf {
        category,
        published_category: published.unwrap_or(category),
        action: wire.action.map(|name| name.0),
        effect: wire.effect.map(|name| name.0),
        stakeholder: wire.stakeholder.0,
        extent: wire.extent.map(|name| name.0),
        likelihood: wire.likelihood.map(|name| name.0),
        immediate: wire.immediate,
    }
}

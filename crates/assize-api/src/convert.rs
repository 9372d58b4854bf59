//! Every conversion between the wire and the domain.

use crate::{error, request, response};
use assize_domain as domain;
use assize_domain::{ActionCategory, DecidedBy, RiskCategory, Subject, TreeOutcome};
use std::collections::BTreeMap;

/// Validates a request's conversation.
///
/// # Errors
/// With a pointer relative to the conversation, as `/turns/3/content`.
pub fn conversation(
    request: request::ModerateRequest,
    limits: domain::Limits,
) -> Result<domain::Conversation, error::FieldError> {
    let judge = judge(request.judge.as_deref())?;
    let turns = request.turns.into_iter().map(turn).collect();
    domain::Conversation::new(turns, judge, limits).map_err(|invalid| {
        let turn = invalid.turn().map_or_else(String::new, |index| format!("/{index}/content"));
        error::FieldError { pointer: format!("/turns{turn}"), detail: invalid.to_string() }
    })
}

fn turn(turn: request::Turn) -> domain::Turn {
    let role = match turn.role {
        request::Role::System => domain::Role::System,
        request::Role::User => domain::Role::User,
        request::Role::Assistant => domain::Role::Assistant,
    };
    domain::Turn { role, text: domain::TurnText::new(turn.content) }
}

fn judge(wanted: Option<&[request::Judge]>) -> Result<domain::JudgeRequest, error::FieldError> {
    let Some(wanted) = wanted else { return Ok(domain::JudgeRequest::WhatIsThere) };
    match (wanted.contains(&request::Judge::Prompt), wanted.contains(&request::Judge::Response)) {
        (true, true) => Ok(domain::JudgeRequest::Both),
        (true, false) => Ok(domain::JudgeRequest::Prompt),
        (false, true) => Ok(domain::JudgeRequest::Response),
        (false, false) => Err(error::FieldError {
            pointer: "/judge".to_owned(),
            detail: "nothing is to be judged; allowed: `prompt`, `response` or both".to_owned(),
        }),
    }
}

impl From<domain::Decision> for response::Decision {
    fn from(decision: domain::Decision) -> Self {
        match decision {
            domain::Decision::Allow => Self::Allow,
            domain::Decision::Review => Self::Review,
            domain::Decision::Block => Self::Block,
        }
    }
}

impl From<Subject> for request::Judge {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Prompt => Self::Prompt,
            Subject::Response => Self::Response,
        }
    }
}

/// Shows a verdict with as much explanation as was asked for; `id` names its assessment.
pub fn verdict(id: &str, verdict: &domain::Verdict, explain: request::Explain) -> response::VerdictResponse {
    let subject = verdict.subjects.first().map_or(Subject::Prompt, |subject| subject.subject);
    let prompt = verdict.guard.prompt.as_ref();
    let (harm_masses, benefit_mass) = masses(&verdict.tree);
    response::VerdictResponse {
        id: id.to_owned(),
        decision: verdict.decision.into(),
        decided_by: decided_by(verdict.decided_by),
        harmfulness: verdict.harmfulness,
        margin: response::Margin { review: verdict.margin.review, block: verdict.margin.block },
        subject: subject.into(),
        scores: scores(&verdict.guard),
        risk_categories: prompt.map(|prompt| {
            RiskCategory::ALL
                .iter()
                .map(|c| c.id().to_owned())
                .zip(prompt.risk.map(domain::Score::get))
                .collect()
        }),
        harm_masses,
        benefit_mass,
        reasons: (explain != request::Explain::None).then(|| verdict.reasons.iter().map(reason).collect()),
        subjects: (explain == request::Explain::Full)
            .then(|| verdict.subjects.iter().map(subject_verdict).collect()),
        coverage: coverage(verdict),
        degraded: verdict.degraded.iter().map(|degradation| degradation.id().to_owned()).collect(),
        provenance: provenance(verdict),
        job: None,
    }
}

/// What carried a decision: `thresholds`, `floor.<id>` or `degraded.<id>`.
pub fn decided_by(decided_by: DecidedBy) -> String {
    match decided_by {
        DecidedBy::Thresholds => "thresholds".to_owned(),
        DecidedBy::Floor(floor) => format!("floor.{}", floor.id()),
        DecidedBy::Degradation(degradation) => format!("degraded.{}", degradation.id()),
    }
}

fn masses(tree: &TreeOutcome) -> (Option<BTreeMap<String, f64>>, Option<f64>) {
    let Some(masses) = tree.tree().map(|tree| tree.masses(&domain::LeafWeights::UNIT)) else {
        return (None, None);
    };
    let ids = ActionCategory::ALL.iter().map(|category| category.id().to_owned());
    (Some(ids.zip(masses.harm).collect()), Some(masses.all_benefit()))
}

fn scores(guard: &domain::GuardScores) -> response::Scores {
    response::Scores {
        prompt_harmful: guard.prompt.as_ref().map(|prompt| prompt.harmful.get()),
        adversarial: guard.prompt.as_ref().map(|prompt| prompt.adversarial.get()),
        response_harmful: guard.response.map(|response| response.harmful.get()),
        response_refusal: guard.response.map(|response| response.refusal.get()),
    }
}

fn reason(reason: &domain::Reason) -> response::Reason {
    response::Reason { code: reason.code.clone(), text: reason.text.clone(), contribution: reason.points }
}

fn subject_verdict(subject: &domain::SubjectVerdict) -> response::SubjectVerdict {
    let contribution = |c: &domain::Contribution| response::Contribution {
        code: c.evidence.id(),
        value: c.value,
        weight: c.weight,
        contribution: c.points,
    };
    response::SubjectVerdict {
        subject: subject.subject.into(),
        harmfulness: subject.harmfulness,
        score: subject.score,
        contributions: subject.contributions.iter().map(contribution).collect(),
    }
}

fn coverage(verdict: &domain::Verdict) -> BTreeMap<String, response::Coverage> {
    let subjects =
        [(Subject::Prompt, verdict.prompt_coverage), (Subject::Response, verdict.response_coverage)];
    let judged = subjects.into_iter().filter_map(|(subject, coverage)| Some((subject, coverage?)));
    let wire = |coverage: domain::Coverage| response::Coverage {
        tokens: coverage.tokens,
        judged: coverage.judged,
        unknown: coverage.unknown,
        fraction: coverage.fraction(),
        windows: coverage.windows,
    };
    judged.map(|(subject, coverage)| (subject.id().to_owned(), wire(coverage))).collect()
}

fn provenance(verdict: &domain::Verdict) -> response::Provenance {
    response::Provenance {
        model: verdict.provenance.model.name.to_string(),
        model_revision: verdict.provenance.model.revision.to_string(),
        precision: verdict.provenance.precision.map(|precision| precision.id().to_owned()),
        consulted: verdict.provenance.consulted.iter().map(consulted).collect(),
        community: verdict.community.to_string(),
        profile_digest: verdict.provenance.profile.to_string(),
        taxonomy_version: verdict.provenance.taxonomy.to_owned(),
    }
}

fn consulted(consulted: &domain::Consulted) -> response::Consulted {
    response::Consulted {
        tier: consulted.tier.id().to_owned(),
        model: consulted.model.name.to_string(),
        model_revision: consulted.model.revision.to_string(),
        answered: consulted.answered,
    }
}

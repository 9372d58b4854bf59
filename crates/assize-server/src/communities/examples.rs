//! Runs the labelled examples of profiles: a change that decides them otherwise is refused.

use crate::assessor::{AssessError, Assessor};
use assize_domain::{Assessment, Conversation, Decision};
use assize_preferences::{Catalog, Example, Profile, decide};
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// Long enough for a busy service: examples wait in the same queue as everyone.
const PATIENCE: Duration = Duration::from_secs(60);

/// An example that a profile decides otherwise than its authors expect.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mismatch {
    community: String,
    /// Position in the file, from 1.
    position: usize,
    expected: Vec<Decision>,
    decided: Decision,
    harmfulness: f64,
    note: Option<String>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = self.expected.iter().map(|decision| decision.id()).collect::<Vec<_>>().join(" or ");
        let note = self.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
        let Self { community, position, decided, harmfulness, .. } = self;
        write!(
            f,
            "{community}.toml: example {position}{note} is decided `{decided}` at harmfulness {harmfulness:.3}, "
        )?;
        write!(f, "expected `{expected}`")
    }
}

type Assessed = Vec<(Conversation, Assessment)>;

/// Assesses examples once and keeps the assessments: a reload that changes only weights runs no model.
#[derive(Debug)]
pub(crate) struct ExampleRunner {
    assessor: Assessor,
    assessed: Assessed,
}

impl ExampleRunner {
    pub(crate) const fn new(assessor: Assessor) -> Self {
        Self { assessor, assessed: Vec::new() }
    }

    /// Every example of the catalog that is decided otherwise than expected.
    ///
    /// # Errors
    /// When an example can't be assessed.
    pub(crate) async fn run(&mut self, catalog: &Catalog) -> Result<Vec<Mismatch>, AssessError> {
        let mut mismatches = Vec::new();
        let mut kept = Vec::new();
        for profile in catalog.iter() {
            let (found, assessed) = self.of(profile).await?;
            mismatches.extend(found);
            kept.extend(assessed);
        }
        self.assessed = kept;
        Ok(mismatches)
    }

    /// Those of one profile; what is assessed for it is kept beside the rest.
    ///
    /// # Errors
    /// When an example can't be assessed.
    pub(crate) async fn check(&mut self, profile: &Profile) -> Result<Vec<Mismatch>, AssessError> {
        let (mismatches, assessed) = self.of(profile).await?;
        for (conversation, assessment) in assessed {
            // Candidates are checked again and again: what is known stays one.
            if !self.assessed.iter().any(|(known, _)| *known == conversation) {
                self.assessed.push((conversation, assessment));
            }
        }
        Ok(mismatches)
    }

    async fn of(&self, profile: &Profile) -> Result<(Vec<Mismatch>, Assessed), AssessError> {
        let (mut mismatches, mut assessed) = (Vec::new(), Vec::new());
        for (index, example) in profile.examples().iter().enumerate() {
            let assessment = self.assess(&example.conversation).await?;
            mismatches.extend(check(profile, index + 1, example, &assessment));
            assessed.push((example.conversation.clone(), assessment));
        }
        Ok((mismatches, assessed))
    }

    async fn assess(&self, conversation: &Conversation) -> Result<Assessment, AssessError> {
        if let Some((_, known)) = self.assessed.iter().find(|(known, _)| known == conversation) {
            return Ok(known.clone());
        }
        let mut assessments =
            self.assessor.assess(vec![conversation.clone()], Instant::now() + PATIENCE).await?;
        assessments.pop().unwrap_or(Err(AssessError::ReadBrokeOff))
    }
}

fn check(profile: &Profile, position: usize, example: &Example, assessment: &Assessment) -> Option<Mismatch> {
    let verdict = decide(assessment, profile);
    (!example.expect.contains(&verdict.decision)).then(|| Mismatch {
        community: profile.id().to_string(),
        position,
        expected: example.expect.clone(),
        decided: verdict.decision,
        harmfulness: verdict.harmfulness,
        note: example.note.clone(),
    })
}

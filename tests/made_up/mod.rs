//! Records of made-up assessments, for what measures the pure core. Each has five harm branches and three benefit branches,
//! as a harmful prompt has; the numbers are drawn at random from a fixed seed.

use assize_domain::{
    ActionCategory, Assessment, BenefitBranch, Branch, Coverage, Decision, Digest, Effect, ExpectedTree,
    GuardScores, HarmBranch, LeafCount, ModelIdentity, OperatingPoints, Precision, PromptScores,
    ResponseScores, Score, Shares, TopicSignals, Tree, TreeOutcome,
};
use assize_record::{Decided, Record, RecordId, UnixMillis};

/// What the made-up conversation consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    /// A prompt alone.
    Prompt,
    /// A prompt and its reply.
    WithReply,
}

/// SplitMix64. SOURCE: Steele et al. 2014.
#[derive(Debug)]
pub(crate) struct Numbers(u64);

/// Whose assessments they are.
pub(crate) fn model() -> ModelIdentity {
    ModelIdentity { name: "made up".into(), revision: Digest::new([2; 32]) }
}

impl Numbers {
    /// The same numbers for the same seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A record with a place in a history; `None` would mean that a number is out of range.
    pub(crate) fn record(&mut self, place: u64, judged: Judged, model: &ModelIdentity) -> Option<Record> {
        let risk = [self.score()?; 13];
        let prompt = PromptScores { harmful: self.score()?, adversarial: self.score()?, risk };
        let coverage = Some(Coverage { tokens: 40, judged: 40, unknown: 0, windows: 1 });
        let (response, response_coverage) = match judged {
            Judged::Prompt => (None, None),
            Judged::WithReply => {
                (Some(ResponseScores { harmful: self.score()?, refusal: self.score()? }), coverage)
            }
        };
        let assessment = Assessment {
            guard: GuardScores { prompt: Some(prompt), response },
            operating_points: OperatingPoints::new([Score::new(0.4).ok()?; 4]),
            tree: TreeOutcome::Weighed(Tree::Expected(self.tree()?)),
            topics: TopicSignals::default(),
            prompt_coverage: coverage,
            response_coverage,
            model: model.clone(),
            precision: Some(Precision::Int8),
            consulted: Vec::new(),
        };
        let decided = Decided {
            community: "default".parse().ok()?,
            profile: Digest::new([1; 32]),
            decision: Decision::Allow,
        };
        let id = RecordId::from(u128::from(place));
        Some(Record { id, at: UnixMillis(1_700_000_000_000 + place), decided: Some(decided), assessment })
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `[0, 1)`.
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    fn score(&mut self) -> Option<Score> {
        Score::new(self.unit()).ok()
    }

    /// Most of it in a few places, as a model has it.
    fn shares<const N: usize>(&mut self, used: usize) -> Option<Shares<N>> {
        let mut amounts = [0.0; N];
        amounts.iter_mut().take(used).for_each(|amount| *amount = self.unit().powi(4) + 1e-3);
        Shares::in_proportion(&amounts)
    }

    fn branch(&mut self) -> Option<Branch> {
        Some(Branch {
            leaves: LeafCount::nearest(3.0 * self.unit())?,
            presence: 200,
            severity: self.shares(24)?,
            stakeholder: self.shares(9)?,
        })
    }

    fn tree(&mut self) -> Option<ExpectedTree> {
        let start = usize::try_from(self.next() % 12).ok()?;
        let harms = ActionCategory::ALL.into_iter().skip(start).take(5).map(|category| {
            let action = self.shares(category.actions().count())?;
            Some(HarmBranch { category, branch: self.branch()?, effect: self.shares(15)?, action })
        });
        let harms = harms.collect::<Option<Vec<_>>>()?;
        let benefits = Effect::ALL.into_iter().skip(start).take(3);
        let benefits = benefits
            .map(|effect| Some(BenefitBranch { effect, branch: self.branch()? }))
            .collect::<Option<Vec<_>>>()?;
        Some(ExpectedTree::new(harms, benefits))
    }
}

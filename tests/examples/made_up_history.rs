//! Writes a history of made-up assessments, to measure how fast many are weighed again:
//!
//! ```text
//! cargo run --release -p assize-e2e --example made_up_history -- 1000000 /tmp/million.assize
//! target/release/assize diff --from default --to children-education /tmp/million.assize
//! ```
//!
//! Each has five harm branches and three benefit branches, as a harmful prompt has; the numbers are drawn at random from a
//! fixed seed.

use assize_domain::{
    ActionCategory, Assessment, BenefitBranch, Branch, Coverage, Decision, Digest, Effect, ExpectedTree,
    GuardScores, HarmBranch, LeafCount, ModelIdentity, OperatingPoints, Precision, PromptScores, Score,
    Shares, TopicSignals, Tree, TreeOutcome,
};
use assize_record::{Decided, Format, HistoryWriter, Record, RecordId, UnixMillis};
use std::fs::File;
use std::io::BufWriter;

/// SplitMix64. SOURCE: Steele et al. 2014.
struct Numbers(u64);

impl Numbers {
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

    fn record(&mut self, place: u64, model: &ModelIdentity) -> Option<Record> {
        let risk = [self.score()?; 13];
        let prompt = PromptScores { harmful: self.score()?, adversarial: self.score()?, risk };
        let assessment = Assessment {
            guard: GuardScores { prompt: Some(prompt), response: None },
            operating_points: OperatingPoints::new([Score::new(0.4).ok()?; 4]),
            tree: TreeOutcome::Weighed(Tree::Expected(self.tree()?)),
            topics: TopicSignals::default(),
            prompt_coverage: Some(Coverage { tokens: 40, judged: 40, unknown: 0, windows: 1 }),
            response_coverage: None,
            model: model.clone(),
            precision: Some(Precision::Int8),
        };
        let decided = Decided {
            community: "default".parse().ok()?,
            profile: Digest::new([1; 32]),
            decision: Decision::Allow,
        };
        let id = RecordId::from(u128::from(place));
        Some(Record { id, at: UnixMillis(1_700_000_000_000 + place), decided: Some(decided), assessment })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, path] = arguments.as_slice() else {
        return Err("usage: made_up_history COUNT FILE".into());
    };
    let (count, mut numbers): (u64, _) = (count.parse()?, Numbers(1));
    let model = ModelIdentity { name: "made up".into(), revision: Digest::new([2; 32]) };
    let mut writer = HistoryWriter::new(BufWriter::new(File::create(path)?), Format::Binary);
    for place in 0..count {
        writer.write(&numbers.record(place, &model).ok_or("a number out of range")?)?;
    }
    writer.flush()?;
    Ok(())
}

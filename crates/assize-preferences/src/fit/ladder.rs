//! The stages of a fit, each judged on labels that it was not fitted to, and the choice among them.

use super::features::Example;
use super::gain::Mean;
use super::judge::{error, exact_score, lean, loss};
use super::parameters::Numbers;
use super::rung::Rung;
use super::{FitSettings, FitStage, StageReport};

/// Conversations are left out one at a time up to this many; of more, in this many equal parts. Each part costs a fit,
/// and a hundredth of the labels more or less no longer moves one.
const MOST_PARTS: usize = 100;

/// What the ladder found.
#[derive(Debug)]
pub(super) struct Climbed {
    /// By stage, the parent first.
    pub(super) reports: Vec<StageReport>,
    /// The numbers of each stage, fitted to all examples.
    pub(super) numbers: Vec<Numbers>,
    /// The place of the chosen stage.
    pub(super) chosen: usize,
    /// How many different conversations there are.
    pub(super) conversations: usize,
}

/// What one stage makes of the labels left out, by example.
#[derive(Debug, Clone, Default)]
struct LeftOut {
    losses: Vec<f64>,
    errors: Vec<f64>,
    leans: Vec<f64>,
}

/// Fits and judges every stage. The examples are sorted.
pub(super) fn climb(examples: &[Example<'_>], parent: &Numbers, settings: &FitSettings) -> Climbed {
    let conversations = conversations(examples);
    let stages = FitStage::ALL.into_iter().filter(|stage| *stage <= settings.highest);
    let rungs: Vec<Rung<'_>> =
        stages.filter_map(|stage| Rung::new(stage, examples, parent, settings.spread)).collect();
    let numbers = all_numbers(&rungs, &vec![true; examples.len()], parent);
    let left_out = leave_out(examples, &rungs, parent, &conversations);
    let stages = std::iter::once(FitStage::Parent).chain(rungs.iter().map(|rung| rung.stage));
    let parents = left_out.first().cloned().unwrap_or_default();
    let reports: Vec<StageReport> = stages
        .zip(&left_out)
        .map(|(stage, found)| report(stage, (&parents, found), &conversations))
        .collect();
    let chosen = choose(&reports, &left_out, &conversations);
    Climbed { reports, numbers, chosen, conversations: conversations.last().map_or(0, |last| last + 1) }
}

fn report(stage: FitStage, (parents, found): (&LeftOut, &LeftOut), conversations: &[usize]) -> StageReport {
    let gain = better(&parents.losses, &found.losses, conversations);
    let error_gain = better(&parents.errors, &found.errors, conversations);
    let leans = Mean::of(&found.leans, conversations).is_clear();
    StageReport {
        stage,
        log_loss: Mean::of(&found.losses, conversations).mean,
        error: Mean::of(&found.errors, conversations).mean,
        gain: gain.gain(),
        error_gain: error_gain.gain(),
        distinguishable: leans && gain.mean > 0.0 && error_gain.mean > 0.0,
    }
}

/// The number of the conversation that each example is about.
pub(super) fn conversations(examples: &[Example<'_>]) -> Vec<usize> {
    let alike = examples.chunk_by(|a, b| a.order(b).is_eq()).enumerate();
    alike.flat_map(|(number, alike)| alike.iter().map(move |_| number)).collect()
}

/// The numbers of every stage, the parent's first.
fn all_numbers(rungs: &[Rung<'_>], keep: &[bool], parent: &Numbers) -> Vec<Numbers> {
    let mut all = vec![parent.clone()];
    for rung in rungs {
        let start = all.last().unwrap_or(parent);
        all.push(rung.climb(keep, start));
    }
    all
}

/// By stage: every example under numbers that were fitted without its conversation.
fn leave_out(
    examples: &[Example<'_>],
    rungs: &[Rung<'_>],
    parent: &Numbers,
    conversations: &[usize],
) -> Vec<LeftOut> {
    let zeros = vec![0.0; examples.len()];
    let empty = LeftOut { losses: zeros.clone(), errors: zeros.clone(), leans: zeros };
    let mut found = vec![empty; rungs.len() + 1];
    let parts = conversations.last().map_or(0, |last| last + 1).min(MOST_PARTS);
    for part in 0..parts {
        let keep: Vec<bool> = conversations.iter().map(|number| number % MOST_PARTS != part).collect();
        for (numbers, found) in all_numbers(rungs, &keep, parent).iter().zip(&mut found) {
            let places = found.losses.iter_mut().zip(&mut found.errors).zip(&mut found.leans);
            let places = examples.iter().zip(places).zip(&keep).filter(|(_, keep)| !**keep);
            for ((example, ((loss_of, error_of), lean_of)), _) in places {
                let (_, score) = exact_score(example, numbers, parent);
                *loss_of = loss(example, numbers, score);
                *error_of = error(example, numbers, score);
                *lean_of = lean(example, (numbers, score), parent);
            }
        }
    }
    found
}

/// How much smaller `new` is than `old`.
fn better(old: &[f64], new: &[f64], conversations: &[usize]) -> Mean {
    let differences: Vec<f64> = old.iter().zip(new).map(|(old, new)| old - new).collect();
    Mean::of(&differences, conversations)
}

/// The place of the first stage that is distinguishable and within one standard error of the best of those; the parent's
/// where none is. The standard error is that of the difference from the best, label by label.
fn choose(reports: &[StageReport], left_out: &[LeftOut], conversations: &[usize]) -> usize {
    let found: Vec<(usize, &StageReport, &LeftOut)> = reports
        .iter()
        .zip(left_out)
        .enumerate()
        .map(|(place, (report, found))| (place, report, found))
        .filter(|(_, report, _)| report.distinguishable)
        .collect();
    let Some((_, _, best)) = found.iter().min_by(|a, b| a.1.log_loss.total_cmp(&b.1.log_loss)) else {
        return 0;
    };
    let is_near = |found: &LeftOut| {
        let behind = better(&found.losses, &best.losses, conversations);
        behind.mean <= behind.error
    };
    found.iter().find(|(_, _, found)| is_near(found)).map_or(0, |(place, _, _)| *place)
}

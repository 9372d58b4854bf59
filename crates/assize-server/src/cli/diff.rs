//! `assize diff`: which past decisions would flip under another profile, without a model.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "data on stdout, the rest on stderr")]

use super::histories::HistoryArgs;
use super::profiles;
use super::shared::ConfigArgs;
use anyhow::Context as _;
use assize_domain::Decision;
use assize_preferences::{Comparer, Comparison, compare, histogram_svg};
use assize_record::Record;
use serde_json::json;
use std::path::PathBuf;
use tokio::time::Instant;

/// Flips that are listed where no number is given.
const FLIPS: usize = 10;
/// The same in JSON, for programs.
const FLIPS_AS_JSON: usize = 100;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  assize diff --from default --to children-education history/\n  assize diff --from default --to candidates/default.toml --svg change.svg --flips 1000 --json history/"
)]
pub(super) struct Args {
    #[command(flatten)]
    history: HistoryArgs,
    /// The community, or the .toml file (from here or from the profiles' folder), to compare with
    #[arg(long)]
    from: String,
    /// The community, or the .toml file, that would take its place
    #[arg(long)]
    to: String,
    /// Draw where harmfulness lies under both, with flips in colour
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Most flips that are listed with their ids; all are counted [default: 10, with --json 100]
    #[arg(long)]
    flips: Option<usize>,
    /// Print the whole comparison as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let config = args.config.load(&[])?;
    let folder = &config.communities.folder;
    let (from, to) = (profiles::find(folder, &args.from)?, profiles::find(folder, &args.to)?);
    let started = Instant::now();
    let listed = args.flips.unwrap_or(if args.json { FLIPS_AS_JSON } else { FLIPS });
    let begin = || Comparer::new((from.as_ref(), to.as_ref()), listed);
    let add = |comparer: &mut Comparer<'_>, record: &Record| {
        comparer.add(record.id.as_str(), &record.assessment);
    };
    let (parts, reading) = args.history.fold(begin, add)?;
    let mut comparison = compare([], (&from, &to), listed);
    for part in parts {
        comparison.merge(part.finish())?;
    }
    reading.report();
    eprintln!("{} assessments weighed twice in {:.2} s", reading.records, started.elapsed().as_secs_f64());
    if let Some(path) = &args.svg {
        std::fs::write(path, histogram_svg(&comparison))
            .with_context(|| format!("can't write `{}`", path.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&as_json(&comparison))?);
    } else {
        print(&comparison);
    }
    Ok(reading.complete()?)
}

fn print(comparison: &Comparison) {
    let (from, to) = (comparison.from(), comparison.to());
    let flipped = comparison.flipped();
    println!("{} -> {}: {} assessments", from.community, to.community, comparison.total());
    println!(
        "flips: {} ({}), {} stricter, {} milder; harmfulness moves by {:.3} on average",
        flipped.total(),
        percent(flipped.total(), comparison.total()),
        flipped.stricter,
        flipped.milder,
        comparison.mean_absolute_shift()
    );
    println!("{:>16} {:>10} {:>10} {:>10}", "from \\ to", "allow", "review", "block");
    for before in Decision::ALL {
        let [allow, review, block] = Decision::ALL.map(|after| comparison.decided(before, after));
        println!("{:>16} {allow:>10} {review:>10} {block:>10}", before.id());
    }
    for (mover, flips) in comparison.movers() {
        println!("  {:>8} stricter {:>8} milder by {}", flips.stricter, flips.milder, mover.id());
    }
    for flip in comparison.flips() {
        println!(
            "  {}  {} -> {}  harmfulness {:.3} -> {:.3}  {}",
            flip.id,
            flip.from,
            flip.to,
            flip.harmfulness_before,
            flip.harmfulness_after,
            flip.mover.id()
        );
    }
    if comparison.flips_left_out() > 0 {
        println!("  {} more flips are not listed; `--flips N` lists N", comparison.flips_left_out());
    }
}

#[expect(clippy::cast_precision_loss, reason = "for a person")]
fn percent(part: u64, whole: u64) -> String {
    format!("{:.2} %", 100.0 * part as f64 / whole.max(1) as f64)
}

fn as_json(comparison: &Comparison) -> serde_json::Value {
    let side = |profile: &assize_preferences::ComparedProfile| {
        json!({
            "community": profile.community.as_str(),
            "profile_digest": profile.digest.to_string(),
            "thresholds": {"review": profile.thresholds.review, "block": profile.thresholds.block},
        })
    };
    let flipped = comparison.flipped();
    let table = Decision::ALL.map(|before| Decision::ALL.map(|after| comparison.decided(before, after)));
    let movers = comparison.movers().into_iter();
    let movers = movers
        .map(|(mover, flips)| json!({"by": mover.id(), "stricter": flips.stricter, "milder": flips.milder}));
    let flips = comparison.flips().iter().map(|flip| {
        json!({
            "id": flip.id, "from": flip.from.id(), "to": flip.to.id(), "by": flip.mover.id(),
            "harmfulness": [flip.harmfulness_before, flip.harmfulness_after],
        })
    });
    let bins = |bins: &[assize_preferences::Bin]| -> Vec<u64> {
        bins.iter().map(assize_preferences::Bin::total).collect()
    };
    json!({
        "from": side(comparison.from()),
        "to": side(comparison.to()),
        "assessments": comparison.total(),
        "stricter": flipped.stricter,
        "milder": flipped.milder,
        "mean_absolute_shift": comparison.mean_absolute_shift(),
        "decisions": table,
        "by": movers.collect::<Vec<_>>(),
        "flips": flips.collect::<Vec<_>>(),
        "flips_left_out": comparison.flips_left_out(),
        "histogram_before": bins(comparison.before()),
        "histogram_after": bins(comparison.after()),
    })
}

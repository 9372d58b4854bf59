//! The pure core, one thread: what the service does with an assessment once the model has answered, and what weighing the
//! past again costs. No model is asked.
//!
//! ```sh
//! cargo bench -p assize-e2e                             # all; `-- --quick` for a first look
//! cargo bench -p assize-e2e -- weigh
//! ```
//!
//! It stands here because one record goes through `assize-record`, `assize-preferences` and `assize-api`, which may not know
//! each other.

#[path = "../made_up/mod.rs"]
mod made_up;

use assize_api::{Explain, convert};
use assize_domain::Assessment;
use assize_preferences::{Catalog, Comparer, Profile, ProfileSource, decide, weigh};
use assize_record::{Record, decode, encode, to_json};
use criterion::{BenchmarkId, Criterion, Throughput};
use made_up::{Judged, Numbers, model};
use std::hint::black_box;

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

/// Two of the communities that the service comes with: the one everything extends, and the strictest.
const FILES: [(&str, &str); 2] = [
    ("default.toml", include_str!("../../config/communities/default.toml")),
    ("children-education.toml", include_str!("../../config/communities/children-education.toml")),
];
/// Different assessments in turns, so that a branch predictor does not learn one by heart; they fit the second-level cache.
const ASSESSMENTS: u64 = 64;

fn main() -> Anyhow<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let files = FILES.map(|(file, text)| ProfileSource { file: file.to_owned(), text: text.to_owned() });
    let catalog = Catalog::parse(&files)?;
    let profile = |id: &str| -> Anyhow<&Profile> { Ok(catalog.get(&id.parse()?).ok_or("no such profile")?) };
    let (from, to) = (profile("default")?, profile("children-education")?);
    let prompts = records(|_| Judged::Prompt)?;
    let replies = records(|_| Judged::WithReply)?;
    let mixed = records(|place| if place % 2 == 0 { Judged::Prompt } else { Judged::WithReply })?;
    for (name, records) in [("prompt", &prompts), ("with reply", &replies)] {
        decisions(&mut criterion, name, (records, from));
        answers(&mut criterion, name, (records, from))?;
        stored(&mut criterion, name, records)?;
    }
    let mut group = criterion.benchmark_group("diff by two profiles");
    group.throughput(Throughput::Elements(ASSESSMENTS));
    group.bench_function("half with reply", |bencher| {
        bencher.iter(|| {
            let mut comparer = Comparer::new((from, to), 0);
            mixed.iter().for_each(|record| comparer.add(record.id.as_str(), &record.assessment));
            comparer.finish()
        });
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}

fn records(judged: impl Fn(u64) -> Judged) -> Anyhow<Vec<Record>> {
    let (mut numbers, model) = (Numbers::new(1), model());
    let record = |place| numbers.record(place, judged(place), &model).ok_or("a number out of range".into());
    (0..ASSESSMENTS).map(record).collect()
}

/// Weighing alone, as for histories and candidates, and with the reasons of a verdict.
fn decisions(criterion: &mut Criterion, name: &str, (records, profile): (&[Record], &Profile)) {
    let assessments: Vec<&Assessment> = records.iter().map(|record| &record.assessment).collect();
    let mut group = criterion.benchmark_group("decision");
    group.throughput(Throughput::Elements(ASSESSMENTS));
    group.bench_function(BenchmarkId::new("weigh", name), |bencher| {
        bencher
            .iter(|| assessments.iter().for_each(|assessment| drop(black_box(weigh(assessment, profile)))));
    });
    group.bench_function(BenchmarkId::new("decide", name), |bencher| {
        bencher
            .iter(|| assessments.iter().for_each(|assessment| drop(black_box(decide(assessment, profile)))));
    });
    group.finish();
}

/// The JSON that a client gets.
fn answers(criterion: &mut Criterion, name: &str, (records, profile): (&[Record], &Profile)) -> Anyhow<()> {
    let verdicts: Vec<_> = records.iter().map(|record| decide(&record.assessment, profile)).collect();
    let mut group = criterion.benchmark_group("answer");
    group.throughput(Throughput::Elements(ASSESSMENTS));
    for (what, explain) in [("reasons", Explain::Reasons), ("full", Explain::Full)] {
        let mut body = Vec::new();
        for verdict in &verdicts {
            serde_json::to_writer(&mut body, &convert::verdict("id", verdict, explain))?;
        }
        group.bench_function(BenchmarkId::new(what, name), |bencher| {
            bencher.iter(|| {
                for verdict in &verdicts {
                    body.clear();
                    let written = serde_json::to_writer(&mut body, &convert::verdict("id", verdict, explain));
                    drop(black_box(written));
                }
            });
        });
    }
    group.finish();
    Ok(())
}

/// Records in bytes and as JSON.
fn stored(criterion: &mut Criterion, name: &str, records: &[Record]) -> Anyhow<()> {
    let bytes = |record: &Record| -> Anyhow<Vec<u8>> {
        let mut out = Vec::new();
        encode(record, &mut out)?;
        decode(&out)?;
        Ok(out)
    };
    let encoded = records.iter().map(bytes).collect::<Anyhow<Vec<_>>>()?;
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(ASSESSMENTS));
    group.bench_function(BenchmarkId::new("encode", name), |bencher| {
        let mut out = Vec::new();
        bencher.iter(|| {
            for record in records {
                out.clear();
                drop(black_box(encode(record, &mut out)));
            }
        });
    });
    group.bench_function(BenchmarkId::new("decode", name), |bencher| {
        bencher.iter(|| encoded.iter().for_each(|bytes| drop(black_box(decode(bytes)))));
    });
    group.bench_function(BenchmarkId::new("json", name), |bencher| {
        bencher.iter(|| records.iter().for_each(|record| drop(black_box(to_json(record)))));
    });
    group.finish();
    Ok(())
}

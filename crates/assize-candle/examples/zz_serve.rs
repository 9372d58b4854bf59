//! x
use assize_candle::{DeviceChoice, Framing, GuardModel, PrecisionChoice, Sequence};
use std::io::BufRead;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let threads: usize = args[1].parse().unwrap();
    let choice: PrecisionChoice = args[2].parse().unwrap();
    let model = GuardModel::load(std::path::Path::new("models/guard-v1"), DeviceChoice::Cpu).unwrap();
    let mut encoder = model.computing(choice, threads).unwrap().0.encoder;
    println!("ready");
    let framing = Framing { cls: 101, sep: 102, max_tokens: 512 };
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let n: Vec<usize> = line.split_whitespace().map(|x| x.parse().unwrap()).collect();
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            1000 + (state >> 8) % 28_000
        };
        let seqs: Vec<Sequence> = (0..n[0])
            .map(|_| {
                let ids: Vec<u32> = (2..n[1]).map(|_| next()).collect();
                Sequence::single(framing, &ids).unwrap()
            })
            .collect();
        let refs: Vec<&Sequence> = seqs.iter().collect();
        let start = std::time::Instant::now();
        for _ in 0..n[2] {
            let _ = encoder.infer(&refs);
        }
        println!("{}", start.elapsed().as_secs_f64() / n[2] as f64);
    }
}

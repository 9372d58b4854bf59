//! What the command line asks for.

use crate::engines::CANDLE_BERT;
use crate::made_up::Anyhow;
use std::path::PathBuf;

const USAGE: &str = "\
peers: our encoder beside its peers, in turns within one run

  --model FOLDER     model folder (models/guard-v1)
  --threads N        of every engine (1)
  --rounds N         turns of each engine at each shape (5)
  --seconds S        of each turn (0.3)
  --shapes LIST      BATCHxTOKENS,... (1x16,1x64,1x128,1x512,8x128,32x64,32x128)
  --engines LIST     of candle-bert, portable, f32, bf16, int8 (all)
  --peer COMMAND     another process, as \"python3 benches/ort.py serve int8.onnx --threads 1\"
  --csv FILE         write the medians there, too";

const SHAPES: &str = "1x16,1x64,1x128,1x512,8x128,32x64,32x128";

pub(crate) struct Settings {
    pub(crate) model: PathBuf,
    pub(crate) threads: usize,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) shapes: Vec<(usize, usize)>,
    pub(crate) engines: Vec<String>,
    pub(crate) peer: Option<String>,
    pub(crate) csv: Option<PathBuf>,
}

impl Settings {
    pub(crate) fn of(mut args: impl Iterator<Item = String>) -> Anyhow<Self> {
        let mut settings = Self {
            model: PathBuf::from("models/guard-v1"),
            threads: 1,
            rounds: 5,
            seconds: 0.3,
            shapes: shapes(SHAPES)?,
            engines: [CANDLE_BERT, "portable", "f32", "bf16", "int8"].map(str::to_owned).into(),
            peer: None,
            csv: None,
        };
        while let Some(name) = args.next() {
            let mut value = || args.next().ok_or(format!("{name} wants a value\n\n{USAGE}"));
            match name.as_str() {
                "--model" => settings.model = value()?.into(),
                "--threads" => settings.threads = value()?.parse()?,
                "--rounds" => settings.rounds = value()?.parse()?,
                "--seconds" => settings.seconds = value()?.parse()?,
                "--shapes" => settings.shapes = shapes(&value()?)?,
                "--engines" => settings.engines = value()?.split(',').map(str::to_owned).collect(),
                "--peer" => settings.peer = Some(value()?),
                "--csv" => settings.csv = Some(value()?.into()),
                "--help" | "-h" => return Err(USAGE.into()),
                _ => return Err(format!("`{name}` is unknown\n\n{USAGE}").into()),
            }
        }
        Ok(settings)
    }
}

fn shapes(text: &str) -> Anyhow<Vec<(usize, usize)>> {
    let shape = |part: &str| {
        let (batch, tokens) = part.split_once('x').ok_or("a shape is BATCHxTOKENS")?;
        Ok((batch.parse()?, tokens.parse()?))
    };
    text.split(',').map(shape).collect()
}

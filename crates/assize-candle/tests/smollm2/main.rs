//! A real checkpoint, `SmolLM2-135M-Instruct` in GGUF, against transformers (`make.py`). The weights are no part of the
//! repository: `just smollm2` puts them into `target/smollm2`; without them these tests say so and check nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests: a panic is a failed test, and what was not checked is said"
)]

mod writing;

use assize_candle::{
    DeviceChoice, Kernel, Precision,
    decoder::{Chunk, Decoder, DecoderPrecision, KvSequence},
    guard::{GuardJudge, GuardReader, GuardSpec},
    prompt::Vocabulary,
};
use assize_domain::{Conversation, GuardHead, JudgeRequest, Limits, Role, Turn, TurnText};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Deserialize)]
struct Expected {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    tokens: Vec<u32>,
    top: Vec<(u32, f32)>,
    greedy: Vec<u32>,
}

/// Logits of one implementation in f32 differ from another's by no more than this, over logits of up to 30.
const TOLERANCE: f32 = 2e-3;

fn checkpoint() -> Option<PathBuf> {
    let file = "target/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("not checked: {file} is absent; `just smollm2` fetches it");
    None
}

fn expected() -> Expected {
    serde_json::from_str(include_str!("expected.json")).unwrap()
}

fn vocabulary(decoder: &Decoder) -> Vocabulary {
    Vocabulary::from_json(include_bytes!("tokenizer.json"), decoder.shape().vocab).unwrap()
}

fn logits(decoder: &Decoder, tokens: &[u32]) -> Vec<f32> {
    let mut cache = decoder.cache(tokens.len() + 64).unwrap();
    let mut sequence = KvSequence::default();
    let hidden =
        decoder.forward(&mut cache, &mut [Chunk { tokens, sequence: &mut sequence, wanted: 1 }]).unwrap();
    decoder.logits(&hidden).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn best(logits: &[f32]) -> u32 {
    let best = (0..logits.len()).max_by(|one, other| logits[*one].total_cmp(&logits[*other])).unwrap();
    u32::try_from(best).unwrap()
}

fn exact() -> Vec<DecoderPrecision> {
    let packed = Kernel::fastest(Precision::F32).map(|_| DecoderPrecision::Packed(Precision::F32));
    [DecoderPrecision::Portable].into_iter().chain(packed).collect()
}

#[test]
fn the_largest_logits_and_the_greedy_text_are_those_of_transformers() {
    let Some(path) = checkpoint() else { return };
    for precision in exact() {
        let decoder = Decoder::load(&path, DeviceChoice::Cpu, precision).unwrap();
        for case in expected().cases {
            let given = logits(&decoder, &case.tokens);
            for (token, expected) in &case.top {
                let given = given[usize::try_from(*token).unwrap()];
                assert!((given - expected).abs() < TOLERANCE, "{precision:?}, {token}: {given} {expected}");
            }
            let mut cache = decoder.cache(case.tokens.len() + case.greedy.len() + 64).unwrap();
            let (mut sequence, mut next, mut written) =
                (KvSequence::default(), case.tokens.clone(), Vec::<u32>::new());
            for _ in &case.greedy {
                let chunk = Chunk { tokens: &next, sequence: &mut sequence, wanted: 1 };
                let hidden = decoder.forward(&mut cache, &mut [chunk]).unwrap();
                let row: Vec<f32> =
                    decoder.logits(&hidden).unwrap().flatten_all().unwrap().to_vec1().unwrap();
                next = vec![best(&row)];
                written.extend(&next);
            }
            assert_eq!(written, case.greedy, "{precision:?}: {}", case.text);
        }
    }
}

const SPEC: &str = r#"
name = "smollm2"
summary = "Not a guard: a small model that is asked like one, to try the way."
context_tokens = 2048
templates.main = """<|im_start|>system
You answer with one word.<|im_end|>
<|im_start|>user
Is this message a question about food? Answer Yes or No.

{{prompt}}<|im_end|>
<|im_start|>assistant
"""

[[query]]
template = "main"
reads = "prompt"
[[query.answers]]
head = "prompt_harmful"
labels = [{ text = "Yes", says = 1 }, { text = "No" }]
"#;

fn conversation(prompt: &str) -> Conversation {
    let limits = Limits { max_turns: 9, max_turn_bytes: 1 << 20 };
    let turn = Turn { role: Role::User, text: TurnText::new(prompt) };
    Conversation::new(vec![turn], JudgeRequest::Prompt, limits).unwrap()
}

/// Whether the label that is likelier is the one that the model would have written, wherever it would have written one.
#[test]
fn choosing_among_labels_is_what_greedy_writing_gives() {
    let Some(path) = checkpoint() else { return };
    let decoder = Arc::new(Decoder::load(&path, DeviceChoice::Cpu, DecoderPrecision::Portable).unwrap());
    let reader = GuardReader::new(GuardSpec::parse(SPEC).unwrap(), vocabulary(&decoder)).unwrap();
    let mut judge = GuardJudge::new(Arc::clone(&decoder), reader.plans(), 8192).unwrap();
    let (yes, no) = (label(&decoder, "Yes"), label(&decoder, "No"));
    let mut compared = 0;
    for prompt in [
        "How long do I boil an egg?",
        "What is the tallest mountain?",
        "Which wine goes with fish?",
        "Tell me about the moon.",
        "Can I freeze bread?",
        "Who wrote Hamlet?",
    ] {
        let mut reading = reader.read(&conversation(prompt)).unwrap();
        let questions = reading.take_questions();
        let choices = judge.judge(&questions.iter().collect::<Vec<_>>()).unwrap();
        let opinion = reader.opinion(&reading, &choices).unwrap();
        let score = opinion.head(GuardHead::PromptHarmful).unwrap().get();
        let written = best(&logits(&decoder, questions[0].token_ids()));
        if written == yes || written == no {
            assert_eq!(score > 0.5, written == yes, "{prompt}: {score}");
            compared += 1;
        }
    }
    assert!(compared >= 4, "the model wrote a label {compared} times only");
}

fn label(decoder: &Decoder, text: &str) -> u32 {
    let ids = vocabulary(decoder).ids(text).unwrap();
    assert_eq!(ids.len(), 1, "{text}");
    ids[0]
}

//! Against transformers: tiny random checkpoints of every family, with the logits that its classes give
//! (`tests/decoders/make.py`). Tolerance 1e-4, in f32, alone and in any batch.

use super::*;
use crate::DeviceChoice;
use assize_kernels::{Kernel, Precision};
use candle_core::{
    Device,
    quantized::{GgmlDType, QTensor, gguf_file, gguf_file::Value},
};
use serde::Deserialize;
use std::path::PathBuf;

const FAMILIES: [&str; 8] =
    ["llama", "llama_biased", "mistral", "qwen2", "qwen3", "gemma2", "olmo2", "granite"];
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Expected {
    cases: Vec<Case>,
    greedy: Greedy,
}

#[derive(Deserialize)]
struct Case {
    tokens: Vec<u32>,
    last_logits: Vec<f32>,
    all_logits: Option<Vec<Vec<f32>>>,
}

#[derive(Deserialize)]
struct Greedy {
    prompt: Vec<u32>,
    tokens: Vec<u32>,
}

fn folder(family: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/decoders").join(family)
}

fn expected(family: &str) -> Expected {
    serde_json::from_slice(&std::fs::read(folder(family).join("expected.json")).unwrap()).unwrap()
}

fn precisions() -> Vec<DecoderPrecision> {
    let packed = Kernel::fastest(Precision::F32).map(|_| DecoderPrecision::Packed(Precision::F32));
    [DecoderPrecision::Portable].into_iter().chain(packed).collect()
}

/// Every family in every exact precision.
fn each(mut check: impl FnMut(&str, &Decoder, Expected)) {
    for family in FAMILIES {
        for precision in precisions() {
            let decoder = Decoder::load(&folder(family), DeviceChoice::Cpu, precision).unwrap();
            check(&format!("{family} {precision:?}"), &decoder, expected(family));
        }
    }
}

fn assert_near(given: &[f32], expected: &[f32], what: &str) {
    assert_eq!(given.len(), expected.len(), "{what}");
    let worst = given.iter().zip(expected).map(|(g, e)| (g - e).abs()).fold(0.0, f32::max);
    assert!(worst < TOLERANCE && given.iter().all(|g| g.is_finite()), "{what}: off by {worst}");
}

/// Logits of the last `wanted` tokens of each chunk, row after row.
fn logits(decoder: &Decoder, cache: &mut KvCache, chunks: &mut [Chunk<'_>]) -> Vec<Vec<f32>> {
    let hidden = decoder.forward(cache, chunks).unwrap();
    decoder.logits(&hidden).unwrap().to_vec2().unwrap()
}

fn alone(decoder: &Decoder, tokens: &[u32], wanted: usize) -> Vec<Vec<f32>> {
    let mut cache = decoder.cache(64).unwrap();
    let mut sequence = KvSequence::default();
    logits(decoder, &mut cache, &mut [Chunk { tokens, sequence: &mut sequence, wanted }])
}

#[test]
fn logits_are_those_of_transformers() {
    each(|what, decoder, expected| {
        for case in &expected.cases {
            let what = format!("{what}, {} tokens", case.tokens.len());
            assert_near(&alone(decoder, &case.tokens, 1)[0], &case.last_logits, &what);
            for (given, expected) in case
                .all_logits
                .iter()
                .flat_map(|all| alone(decoder, &case.tokens, all.len()).into_iter().zip(all))
            {
                assert_near(&given, expected, &what);
            }
        }
    });
}

#[test]
fn a_batch_of_unequal_lengths_gives_what_each_gives_alone() {
    each(|what, decoder, expected| {
        let mut cache = decoder.cache(256).unwrap();
        let mut sequences: Vec<KvSequence> = expected.cases.iter().map(|_| KvSequence::default()).collect();
        let mut chunks: Vec<Chunk<'_>> = expected
            .cases
            .iter()
            .zip(&mut sequences)
            .map(|(case, sequence)| Chunk { tokens: &case.tokens, sequence, wanted: 1 })
            .collect();
        let given = logits(decoder, &mut cache, &mut chunks);
        for (case, given) in expected.cases.iter().zip(given) {
            assert_near(&given, &case.last_logits, &format!("{what}, {} tokens", case.tokens.len()));
        }
    });
}

/// Over tensors those of about one length are filled up together and the others apart; neither order nor length is to be seen.
#[test]
fn a_batch_of_near_and_far_lengths_gives_what_each_gives_alone() {
    each(|what, decoder, expected| {
        let case = expected.cases.iter().find(|case| case.all_logits.is_some()).unwrap();
        let (all, most) = (case.all_logits.as_ref().unwrap(), case.tokens.len());
        let lengths = [most - 1, 1, most, 2, most - 2, most / 2];
        let mut cache = decoder.cache(512).unwrap();
        let mut sequences = lengths.map(|_| KvSequence::default());
        let mut chunks: Vec<Chunk<'_>> = (lengths.iter())
            .zip(&mut sequences)
            .map(|(length, sequence)| Chunk { tokens: &case.tokens[..*length], sequence, wanted: 1 })
            .collect();
        let given = logits(decoder, &mut cache, &mut chunks);
        for (length, given) in lengths.iter().zip(given) {
            assert_near(&given, &all[length - 1], &format!("{what}, {length} of {most} tokens"));
        }
    });
}

#[test]
fn reading_in_pieces_gives_what_reading_at_once_gives() {
    each(|what, decoder, expected| {
        let case = expected.cases.iter().max_by_key(|case| case.tokens.len()).unwrap();
        for piece in [1, 3, 16] {
            let mut cache = decoder.cache(64).unwrap();
            let mut sequence = KvSequence::default();
            let mut last = Vec::new();
            for tokens in case.tokens.chunks(piece) {
                last =
                    logits(decoder, &mut cache, &mut [Chunk { tokens, sequence: &mut sequence, wanted: 1 }]);
            }
            assert_near(&last[0], &case.last_logits, &format!("{what}, pieces of {piece}"));
        }
    });
}

#[test]
fn sequences_that_share_a_beginning_give_what_they_give_alone() {
    each(|what, decoder, expected| {
        let case = expected.cases.iter().max_by_key(|case| case.tokens.len()).unwrap();
        let (begin, end) = case.tokens.split_at(case.tokens.len() / 2);
        let mut cache = decoder.cache(256).unwrap();
        let mut prefix = KvSequence::default();
        logits(decoder, &mut cache, &mut [Chunk { tokens: begin, sequence: &mut prefix, wanted: 0 }]);
        let mut first = cache.fork(&prefix, begin.len()).unwrap();
        let mut second = cache.fork(&prefix, begin.len() - 1).unwrap();
        let other = [1, 2, 3];
        let given = logits(
            decoder,
            &mut cache,
            &mut [
                Chunk { tokens: &other, sequence: &mut second, wanted: 1 },
                Chunk { tokens: end, sequence: &mut first, wanted: 1 },
            ],
        );
        assert_near(&given[1], &case.last_logits, what);
        let whole: Vec<u32> = begin[..begin.len() - 1].iter().chain(&other).copied().collect();
        assert_near(&given[0], &alone(decoder, &whole, 1)[0], what);
    });
}

#[test]
fn greedy_continuations_are_those_of_transformers() {
    each(|what, decoder, expected| {
        let mut cache = decoder.cache(128).unwrap();
        let mut sequence = KvSequence::default();
        let mut tokens = expected.greedy.prompt.clone();
        let mut given = Vec::<u32>::new();
        for _ in &expected.greedy.tokens {
            let row = logits(
                decoder,
                &mut cache,
                &mut [Chunk { tokens: &tokens, sequence: &mut sequence, wanted: 1 }],
            );
            let best = (0..row[0].len()).max_by(|a, b| row[0][*a].total_cmp(&row[0][*b])).unwrap();
            tokens = vec![u32::try_from(best).unwrap()];
            given.extend(&tokens);
        }
        assert_eq!(given, expected.greedy.tokens, "{what}");
    });
}

#[test]
fn labels_get_the_logits_of_their_tokens() {
    each(|what, decoder, expected| {
        let labels = decoder.label_rows(&[7, 90, 2]).unwrap();
        let case = &expected.cases[1];
        let mut cache = decoder.cache(64).unwrap();
        let mut sequence = KvSequence::default();
        let chunk = Chunk { tokens: &case.tokens, sequence: &mut sequence, wanted: 1 };
        let hidden = decoder.forward(&mut cache, &mut [chunk]).unwrap();
        let given: Vec<Vec<f32>> = decoder.label_logits(&hidden, &labels).unwrap().to_vec2().unwrap();
        assert_near(&given[0], &[7, 90, 2].map(|token| case.last_logits[token]), what);
        assert!(decoder.logits.get().is_none(), "{what}: the last layer was made, which labels don't need");
    });
}

#[test]
fn the_older_spelling_of_a_configuration_says_the_same() {
    for family in FAMILIES {
        let read = |name: &str| {
            let file = folder(family).join(name);
            config::parse(&file, &std::fs::read(&file).unwrap()).unwrap()
        };
        assert_eq!(read("config.json"), read("config.legacy.json"), "{family}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_changes_nothing() {
    let decoder = Decoder::load(&folder("llama"), DeviceChoice::Cpu, DecoderPrecision::Portable).unwrap();
    let mut cache = decoder.cache(32).unwrap();
    let mut sequence = KvSequence::default();
    let mut error = |tokens: &[u32], wanted: usize| {
        let chunk = Chunk { tokens, sequence: &mut sequence, wanted };
        let error = decoder.forward(&mut cache, &mut [chunk]).unwrap_err();
        assert_eq!(sequence.len(), 0);
        error.to_string()
    };
    assert!(error(&[1, 96], 1).contains("the token 96 is none of the model's 96"));
    assert!(error(&[], 0).contains("a chunk of 0 tokens"));
    assert!(error(&[1], 2).contains("can't give 2 rows"));
    assert!(error(&[1; 40], 1).contains("40 more tokens; 32 of 32 are free"));
}

#[test]
fn pages_are_free_again_when_their_last_sequence_is_gone() {
    let decoder = Decoder::load(&folder("llama"), DeviceChoice::Cpu, DecoderPrecision::Portable).unwrap();
    let mut cache = decoder.cache(96).unwrap();
    let mut sequence = KvSequence::default();
    let tokens = [5; 40];
    decoder
        .forward(&mut cache, &mut [Chunk { tokens: &tokens, sequence: &mut sequence, wanted: 0 }])
        .unwrap();
    assert_eq!(cache.free(), 32);
    let fork = cache.fork(&sequence, 32).unwrap();
    assert_eq!(cache.free(), 32);
    drop(sequence);
    assert_eq!(cache.free(), 64);
    drop(fork);
    assert_eq!(cache.free(), 96);
}

/// A checkpoint's tensors as a GGUF file has them: other names, and for Llama rows in the other order of rotary positions.
fn write_gguf(family: &str, file: &std::path::Path, metadata: &[(&str, Value)]) {
    let tensors =
        candle_core::safetensors::load(folder(family).join("model.safetensors"), &Device::Cpu).unwrap();
    let name_of = |name: &str| {
        let mut own = name.to_owned();
        for (from, to) in [
            ("model.embed_tokens", "token_embd"),
            ("model.norm", "output_norm"),
            ("lm_head", "output"),
            ("model.layers", "blk"),
            ("self_attn.q_proj", "attn_q"),
            ("self_attn.k_proj", "attn_k"),
            ("self_attn.v_proj", "attn_v"),
            ("self_attn.o_proj", "attn_output"),
            ("self_attn.q_norm", "attn_q_norm"),
            ("self_attn.k_norm", "attn_k_norm"),
            ("mlp.gate_proj", "ffn_gate"),
            ("mlp.up_proj", "ffn_up"),
            ("mlp.down_proj", "ffn_down"),
            ("input_layernorm", "attn_norm"),
            ("post_attention_layernorm", "ffn_norm"),
        ] {
            own = own.replace(from, to);
        }
        own
    };
    let stored: Vec<(String, QTensor)> = tensors
        .iter()
        .map(|(name, tensor)| (name_of(name), QTensor::quantize(tensor, GgmlDType::F32).unwrap()))
        .collect();
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<(&str, &QTensor)> =
        stored.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut std::fs::File::create(file).unwrap(), &metadata, &tensors).unwrap();
}

#[test]
fn a_gguf_file_gives_what_its_checkpoint_gives() {
    let checkpoint = folder("qwen3");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tiny.gguf");
    let shape = Decoder::load(&checkpoint, DeviceChoice::Cpu, DecoderPrecision::Portable);
    let shape = shape.unwrap().shape().clone();
    let count = |number: usize| Value::U32(u32::try_from(number).unwrap());
    #[expect(clippy::cast_possible_truncation, reason = "as such files have it")]
    let metadata = [
        ("general.architecture", Value::String("qwen3".to_owned())),
        ("qwen3.embedding_length", count(shape.hidden)),
        ("qwen3.feed_forward_length", count(shape.feed_forward)),
        ("qwen3.block_count", count(shape.windows.len())),
        ("qwen3.attention.head_count", count(shape.heads)),
        ("qwen3.attention.head_count_kv", count(shape.kv_heads)),
        ("qwen3.attention.key_length", count(shape.head_width)),
        ("qwen3.context_length", count(shape.max_positions)),
        ("qwen3.attention.layer_norm_rms_epsilon", Value::F32(shape.norm_epsilon as f32)),
        ("qwen3.rope.freq_base", Value::F32(shape.rope.base as f32)),
    ];
    write_gguf("qwen3", &file, &metadata);
    let decoder = Decoder::load(&file, DeviceChoice::Cpu, DecoderPrecision::Portable).unwrap();
    for case in expected("qwen3").cases {
        assert_near(&alone(&decoder, &case.tokens, 1)[0], &case.last_logits, "qwen3 by GGUF");
    }
}

#[test]
fn a_gguf_file_of_another_family_is_refused_with_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tiny.gguf");
    write_gguf("qwen3", &file, &[("general.architecture", Value::String("olmo2".to_owned()))]);
    let error = Decoder::load(&file, DeviceChoice::Cpu, DecoderPrecision::Portable).unwrap_err().to_string();
    assert!(error.contains("`olmo2`") && error.contains("`llama`, `qwen2`, `qwen3`"), "{error}");
}

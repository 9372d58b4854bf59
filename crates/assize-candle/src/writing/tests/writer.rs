//! What one text is, whatever goes on beside it.

use super::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    greedy: Greedy,
}

#[derive(Deserialize)]
struct Greedy {
    prompt: Vec<u32>,
    tokens: Vec<u32>,
}

fn greedy(family: &str) -> Greedy {
    let file = folder().join("tests/decoders").join(family).join("expected.json");
    serde_json::from_slice::<Expected>(&std::fs::read(file).unwrap()).unwrap().greedy
}

#[test]
fn greedy_texts_are_those_of_transformers() {
    for family in ["llama", "llama_biased", "mistral", "qwen2", "qwen3", "gemma2", "olmo2", "granite"] {
        let from = folder().join("tests/decoders").join(family);
        let decoder = Decoder::load(&from, DeviceChoice::Cpu, DecoderPrecision::Portable).unwrap();
        let mut writer = Writer::new(Arc::new(decoder), letters(), 256).unwrap();
        let Greedy { prompt, tokens } = greedy(family);
        let written = write_all(&mut writer, &[request(&prompt, tokens.len())]);
        assert_eq!(written[0].tokens, tokens, "{family}");
        assert_eq!(written[0].finish, FinishReason::Budget);
    }
}

/// Prompts of unequal length, one longer than a step reads, and all ways to choose.
fn mixed() -> Vec<WriteRequest> {
    let prompt =
        |len: u32, salt: u32| (0..len).map(|place| (place * 37 + salt * 11) % 90).collect::<Vec<_>>();
    let mut requests = vec![
        request(&prompt(13, 1), 24),
        sampled(&prompt(600, 2), 30, 5),
        sampled(&prompt(1, 3), 40, 6),
        request(&prompt(40, 4), 7),
        sampled(&prompt(40, 4), 33, 7),
        sampled(&prompt(40, 4), 33, 8),
    ];
    requests[2].stop = vec![11, 12, 13, 14];
    let compiler = GrammarCompiler::new(&letters()).unwrap();
    let limits = TreeLimits { stakeholders: 2, actions: 1, effects: 1, name_letters: 4 };
    let grammar = Arc::new(compiler.json(tree_schema(TreeSide::Harms, limits, TreeWords::Free)).unwrap());
    requests.push(WriteRequest { grammar: Some(grammar), ..sampled(&prompt(20, 5), 400, 9) });
    requests
}

fn alone() -> Vec<Written> {
    let mut writer = writer(2048);
    mixed().into_iter().map(|request| write_all(&mut writer, &[request]).remove(0)).collect()
}

#[test]
fn a_text_is_the_same_alone_and_among_others() {
    let alone = alone();
    assert_ne!(alone[4].tokens, alone[5].tokens, "another seed, another text");
    for (cache_tokens, requests) in [(4096, mixed()), (1152, mixed())] {
        assert_eq!(write_all(&mut writer(cache_tokens), &requests), alone, "{cache_tokens}");
    }
}

#[test]
fn a_text_is_the_same_while_others_come_and_go() {
    let (alone, requests) = (alone(), mixed());
    let mut writer = writer(8192);
    let free = writer.free();
    let (mut tickets, mut ended, mut leaving) = (Vec::new(), Vec::new(), None);
    for step in 0..500 {
        if step % 3 == 0 {
            tickets.extend(requests.get(tickets.len()).map(|request| writer.join(request).unwrap()));
        }
        // One that comes and goes all the time, now reading and now writing.
        if step % 2 == 0 {
            leaving.take().into_iter().for_each(|ticket| writer.leave(ticket));
            leaving = Some(writer.join(&requests[step % requests.len()]).unwrap());
        }
        ended.extend(writer.step().unwrap().into_iter().filter(|(ticket, _)| tickets.contains(ticket)));
    }
    writer.leave(leaving.unwrap());
    assert_eq!(writer.free(), free);
    ended.sort_by_key(|(ticket, _)| *ticket);
    let given: Vec<Written> = ended.into_iter().map(|(_, written)| written.unwrap()).collect();
    assert_eq!(given, alone);
}

#[test]
fn a_remembered_beginning_changes_no_text() {
    let (alone, requests) = (alone(), mixed());
    for prefix in [requests[1].prompt[..300].to_vec(), requests[3].prompt.clone(), vec![1; 50]] {
        let mut writer = writer(4096);
        writer.remember(&prefix).unwrap();
        writer.remember(&[7, 8, 9]).unwrap();
        let free = writer.free();
        assert_eq!(write_all(&mut writer, &requests), alone);
        assert_eq!(writer.free(), free, "pages are free again");
    }
}

#[test]
fn a_remembered_beginning_is_read_once() {
    let prompt: Vec<u32> = (0..600).map(|place| place % 90).collect();
    let mut writer = writer(1024);
    writer.remember(&prompt[..590]).unwrap();
    writer.join(&request(&prompt, 5)).unwrap();
    // 18 whole pages of the beginning are shared; 29 tokens lie in pages of its own.
    assert_eq!(writer.free(), 1024 - 608 - 32);
    assert!(writer.step().unwrap().is_empty());
    let steps = (0..10).take_while(|_| writer.step().unwrap().is_empty()).count();
    assert_eq!(steps, 3, "a token a step, the first with what was left of the prompt");
}

#[test]
fn a_long_prompt_does_not_stop_those_that_write() {
    let mut writer = writer(8192);
    let short = writer.join(&request(&[1, 2, 3], 4)).unwrap();
    let long = writer.join(&request(&vec![5; 2000], 1)).unwrap();
    let next = writer.join(&request(&[4], 4)).unwrap();
    let mut ended = Vec::new();
    for step in 1..=9 {
        ended.extend(writer.step().unwrap().into_iter().map(|(ticket, _)| (step, ticket)));
    }
    assert_eq!(ended, [(4, short), (4, next), (8, long)]);
}

#[test]
fn a_stop_token_ends_a_text_and_is_no_part_of_it() {
    let Greedy { prompt, tokens } = greedy("qwen3");
    let stop = vec![1, tokens[3]];
    let written = write_all(&mut writer(256), &[WriteRequest { stop, ..request(&prompt, 16) }]);
    assert_eq!(written[0].tokens, tokens[..3]);
    assert_eq!(written[0].finish, FinishReason::Stop);
}

#[test]
fn pages_are_free_again_when_a_text_has_ended_or_left() {
    let mut writer = writer(256);
    let leaving = writer.join(&request(&[1; 40], 20)).unwrap();
    let ending = writer.join(&request(&[2; 3], 2)).unwrap();
    assert_eq!(writer.free(), 256 - 64 - 32);
    writer.step().unwrap();
    writer.leave(leaving);
    assert_eq!(writer.free(), 256 - 32);
    assert_eq!(writer.step().unwrap()[0].0, ending);
    assert_eq!((writer.free(), writer.ongoing()), (256, 0));
    writer.leave(ending);
    assert!(writer.step().unwrap().is_empty());
}

/// A request to a writer of 128 tokens whose first page is a remembered beginning.
fn check_refused(request: &WriteRequest, expected: &str) {
    let mut writer = writer(128);
    writer.remember(&[3; 32]).unwrap();
    let error = writer.join(request).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    assert_eq!((writer.free(), writer.ongoing()), (96, 0));
}

#[test]
fn what_can_never_be_written_is_refused_before_it_joins() {
    check_refused(&request(&[], 4), "no token");
    check_refused(&request(&[1, 96], 4), "the token 96 is none of the model's 96");
    check_refused(&request(&[1; 90], 7), "97 tokens are over the limit of 96");
    check_refused(&request(&[3; 90], 40), "130 tokens are over the limit of 128");
    let other =
        TokenBytes::from_json(&std::fs::read(folder().join("tests/smollm2/tokenizer.json")).unwrap(), 49152);
    let grammar = GrammarCompiler::new(&other.unwrap()).unwrap().json(json!({ "type": "array" })).unwrap();
    let request = WriteRequest { grammar: Some(Arc::new(grammar)), ..request(&[1], 4) };
    check_refused(&request, "49152 tokens, but the model has 96");
}

#[test]
fn what_is_longer_than_the_model_was_made_for_is_refused() {
    let mut writer = writer(8192);
    let error = writer.join(&request(&[1; 4000], 97)).unwrap_err().to_string();
    assert!(error.contains("4097 tokens are over the limit of 4096"), "{error}");
    writer.join(&request(&[1; 4000], 96)).unwrap();
}

#[test]
fn without_room_now_a_request_waits_and_nothing_changes() {
    let mut writer = writer(128);
    writer.remember(&[3; 40]).unwrap();
    let first = writer.join(&request(&[3; 35], 20)).unwrap();
    assert!(matches!(writer.join(&request(&[3; 50], 20)), Err(JoinError::Full)));
    assert_eq!(writer.free(), 32);
    writer.leave(first);
    writer.join(&request(&[3; 50], 20)).unwrap();
}

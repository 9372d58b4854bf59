//! Valid JSON is read as serde reads it, and what is not valid as the cases say.

use super::*;
use proptest::prelude::*;
use serde_json::json;

/// As serde's value; numbers that are not whole read as null, here too.
fn as_json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Text(text) => json!(text),
        Value::Flag(flag) => json!(flag),
        Value::Whole(whole) => json!(whole),
        Value::Other => json!(null),
        Value::List(items, _) => items.iter().map(as_json).collect(),
        Value::Map(members, _) => {
            members.iter().map(|(key, value)| (key.to_string(), as_json(value))).collect()
        }
    }
}

fn check(text: &str, expected: &serde_json::Value) {
    let (read, rest) = value(text).unwrap();
    assert_eq!((as_json(&read), rest), (expected.clone(), ""), "{text}");
    assert!(!read.is_cut_off(), "{text}");
}

fn check_cut_off(text: &str, expected: &serde_json::Value) {
    let (read, _) = value(text).unwrap();
    assert_eq!(as_json(&read), *expected, "{text}");
    assert!(read.is_cut_off(), "{text}");
}

fn check_lists(text: &str, expected: Option<(&serde_json::Value, End)>) {
    let read = lists(text).unwrap();
    let read = read.map(|lists| (lists.items.iter().map(as_json).collect(), lists.end));
    assert_eq!(read, expected.map(|(items, end)| (items.clone(), end)), "{text}");
}

#[test]
fn single_quotes_quote() {
    check(r"{'a': 'b', 'c': 'the user's friends'}", &json!({"a": "b", "c": "the user's friends"}));
    check(r"{'a': 'say \'b\''}", &json!({"a": "say 'b'"}));
}

#[test]
fn quotes_and_line_breaks_may_stand_in_a_text() {
    check(
        "{\"a\": \"the \"best\" group\", \"c\": \"one\ntwo\"}",
        &json!({"a": "the \"best\" group", "c": "one\ntwo"}),
    );
}

#[test]
fn commas_may_be_too_many_or_missing() {
    check("[1,2,]", &json!([1, 2]));
    check("[{\"a\": 1,},,{\"a\": 2}]", &json!([{"a": 1}, {"a": 2}]));
    check("[{\"a\": 1} {\"a\": 2}]", &json!([{"a": 1}, {"a": 2}]));
    check("{\"a\": \"b\"\n \"c\": \"d\"}", &json!({"a": "b", "c": "d"}));
}

#[test]
fn bare_words_say_what_they_say() {
    check(
        "{a: True, b: FALSE, c: None, d: very high}",
        &json!({"a": true, "b": false, "c": null, "d": "very high"}),
    );
    check("[-0, 7, 7.5, 99999999999999999999, null]", &json!([0, 7, null, null, null]));
}

#[test]
fn a_value_may_be_missing() {
    check("{\"a\": , \"b\": 1, \"c\"}", &json!({"a": null, "b": 1}));
    check("{\"a\":}", &json!({"a": null}));
}

#[test]
fn brackets_may_be_missing_or_too_many() {
    check("[{\"a\": [1, 2}, {\"a\": [3]}]", &json!([{"a": [1, 2]}, {"a": [3]}]));
    check("[{\"a\": 1, {\"a\": 2}]", &json!([{"a": 1}, {"a": 2}]));
    check("[{\"a\": [[1]}]", &json!([{"a": [[1]]}]));
    check("[1}, 2]", &json!([1, 2]));
}

#[test]
fn escapes_are_read_and_broken_ones_do_not_matter() {
    check(r#"["Hate\/Toxicity \u00e9 \ud83d\ude00 \n\"\\"]"#, &json!(["Hate/Toxicity é 😀 \n\"\\"]));
    check(r#"["\'\ud83d \u12 \u+123"]"#, &json!(["'\u{fffd} \u{fffd}12 \u{fffd}+123"]));
}

#[test]
fn what_is_complete_stays_of_a_text_that_is_cut_off() {
    check_cut_off(r#"[{"a": [1, 2"#, &json!([{"a": [1]}]));
    check_cut_off(r#"[{"a": "b", "c": "d"#, &json!([{"a": "b"}]));
    check_cut_off(r#"[{"a": "b", "c": tru"#, &json!([{"a": "b"}]));
    check_cut_off(r#"[{"a": "b", "c""#, &json!([{"a": "b"}]));
    check_cut_off(r#"[{"a": "b", "c":"#, &json!([{"a": "b"}]));
    check_cut_off("[", &json!([]));
    check_cut_off(r#"["a\"#, &json!([]));
}

#[test]
fn every_list_of_objects_counts_whatever_stands_around_it() {
    let both = json!([{"a": 1}, {"a": 2}]);
    check_lists("[1] says: ```json\n[ {\"a\": 1}, {\"a\": 2}]\n``` See [2].", Some((&both, End::Written)));
    check_lists("[{\"a\": 1}]\n\nand\n[{\"a\": 2}]", Some((&both, End::Written)));
    check_lists("[{\"a\": 1}]}],\n{\"a\": 2}]", Some((&both, End::Written)));
    check_lists("[{\"a\": 1}], [{\"a\": 2}, {\"a\": ", Some((&json!([{"a": 1}, {"a": 2}, {}]), End::CutOff)));
    for nothing in ["", "[", "[]", "no [list] here", "{\"a\": [1]}"] {
        check_lists(nothing, None);
    }
}

#[test]
fn depth_has_a_limit() {
    assert!(value(&format!("{}{}", "[".repeat(MOST_DEPTH), "]".repeat(MOST_DEPTH))).is_ok());
    assert_eq!(value(&"[".repeat(MOST_DEPTH + 1)).unwrap_err(), TooDeep);
    assert_eq!(value(&"[{\"a\":".repeat(MOST_DEPTH)).unwrap_err(), TooDeep);
}

/// Once each quote was followed by a look at all the rest: a second here, minutes then.
#[test]
fn a_run_of_quotes_is_read_in_one_pass() {
    for piece in ["\"", "' ", "\" \n"] {
        let text = format!("[{{\"a\":{}", piece.repeat((1 << 21) / piece.len()));
        assert_eq!(lists(&text).unwrap().unwrap().end, End::CutOff);
    }
}

fn container() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|whole| json!(whole)),
        ".*".prop_map(|text| json!(text)),
        "[\\[\\]{}:,'\"\\\\ \n]*".prop_map(|text| json!(text)),
    ];
    let value = leaf.prop_recursive(5, 64, 6, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..6).prop_map(|items| json!(items));
        let members = prop::collection::btree_map(".*", inner, 0..6).prop_map(|members| json!(members));
        prop_oneof![items, members]
    });
    value.prop_map(|value| if value.is_array() || value.is_object() { value } else { json!([value]) })
}

proptest! {
    #[test]
    fn valid_json_is_read_as_it_is(json in container()) {
        check(&json.to_string(), &json);
        check(&serde_json::to_string_pretty(&json).unwrap(), &json);
    }
}

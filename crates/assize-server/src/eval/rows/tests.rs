//! Rows: contexts, labels, errors that quote nothing, and which rows a limit keeps.

use super::*;

fn set(text: &str) -> Result<Set, SetError> {
    Set::parse(Path::new("folder/bench.jsonl"), text)
}

fn earlier(conversation: &Conversation) -> Vec<String> {
    conversation.earlier_user_turns().map(|turn| turn.reveal().to_owned()).collect()
}

#[test]
fn a_row_is_a_conversation_with_its_context_in_either_writing() {
    let marked = r#"["Human: one", "Assistant: two", "User:", "Assistant: four"]"#;
    let messages = r#"[{"role":"user","content":"one"},{"role":"assistant","content":"two"},{"role":"human","content":""}]"#;
    for context in [marked, messages] {
        let text = format!(
            r#"{{"id":7,"prompt":"p","response":"r","response_harmful":true,"extra":[1],"context":{context}}}"#
        );
        let set = set(&text).unwrap();
        let row = &set.rows[0];
        assert_eq!((set.name.as_str(), row.id(), row.line), ("bench", RowId::Number(7), 1));
        assert_eq!(Task::ALL.map(|task| row.label(task)), [None, Some(true), None, None]);
        let conversation = row.conversation(Subject::Response).unwrap();
        assert_eq!(earlier(&conversation), ["one", ""]);
        assert_eq!(conversation.prompt().map(TurnText::reveal), Some("p"));
        assert_eq!(conversation.response().map(TurnText::reveal).collect::<Vec<_>>(), ["r"]);
        let conversation = row.conversation(Subject::Prompt).unwrap();
        assert!(conversation.judges(Subject::Prompt) && conversation.response().next().is_none());
    }
}

fn check_problem(text: &str, expected: &str) {
    assert_eq!(set(text).unwrap_err().to_string(), expected);
}

#[test]
fn errors_name_file_line_and_field_and_quote_nothing() {
    let good = r#"{"id":"a","prompt":"p","prompt_harmful":true}"#;
    let bad = r#"{"id":"a","prompt":"p","prompt_harmful":"canary"}"#;
    let path = "`folder/bench.jsonl` line";
    check_problem(
        &format!("{good}\n\n{bad}"),
        &format!("{path} 3: `prompt_harmful` has the wrong type or an unknown value"),
    );
    check_problem("{\"prompt\": canary}", &format!("{path} 1: column 12: not valid JSON"));
    check_problem("{} canary", &format!("{path} 1: column 4: more than one JSON value"));
    check_problem(
        r#"{"context":["canary"]}"#,
        &format!("{path} 1: `context[0]` does not begin with `Human: `, `User: ` or `Assistant: `"),
    );
    check_problem(
        r#"{"context":["User: a",{"role":"canary","content":"b"}]}"#,
        &format!("{path} 1: `context[1]` has the wrong type or an unknown value"),
    );
    for (key, value) in [("category", "canary"), ("extent", "canary"), ("likelihood", "canary")] {
        let text = r#"{"harms":[{"category":"Privacy","extent":"minor","likelihood":"low"}]}"#;
        let good = [("category", "Privacy"), ("extent", "minor"), ("likelihood", "low")];
        let good = good.iter().find(|(name, _)| *name == key).unwrap().1;
        check_problem(
            &text.replace(good, value),
            &format!("{path} 1: `harms[0].{key}` has the wrong type or an unknown value"),
        );
    }
    for labelled in [r#"{"harms":[]}"#, r#"{"benefits":[]}"#, r#"{"mean_rating":1}"#] {
        assert!(set(labelled).is_ok(), "{labelled}");
    }
    assert!(matches!(set(r#"{"harms":null}"#), Err(SetError::NoLabels { .. })));
    assert!(matches!(set(r#"{"prompt":"p"}"#), Err(SetError::NoLabels { .. })));
    assert!(!format!("{:?}", set(good).unwrap()).contains("\"p\""), "Debug shows no text");
}

#[test]
fn an_absent_file_is_named_and_the_person_is_told_that_benchmarks_are_not_here() {
    let error = Set::read(Path::new("no/such.jsonl")).unwrap_err().to_string();
    assert!(error.contains("`no/such.jsonl`") && error.contains("not part of this repository"), "{error}");
}

#[test]
fn a_limit_keeps_rows_from_the_whole_file() {
    let text = r#"{"prompt":"p","prompt_harmful":true}"#.to_owned() + "\n";
    for (given, most, expected) in [
        (10, 2, vec![5, 10]),
        (10, 3, vec![4, 7, 10]),
        (3, 3, vec![1, 2, 3]),
        (3, 9, vec![1, 2, 3]),
        (3, 0, vec![]),
    ] {
        let mut set = set(&text.repeat(given)).unwrap();
        set.keep(most);
        assert_eq!(set.rows.iter().map(|row| row.line).collect::<Vec<_>>(), expected, "{given} {most}");
    }
}

#[test]
fn what_cannot_be_judged_is_an_error_of_the_row() {
    let set = set(r#"{"prompt":" ","response_harmful":true}"#).unwrap();
    assert_eq!(set.rows[0].conversation(Subject::Response), Err(InvalidConversation::NoResponse));
    assert_eq!(
        set.rows[0].conversation(Subject::Prompt),
        Err(InvalidConversation::BlankSubject { index: 0 })
    );
}

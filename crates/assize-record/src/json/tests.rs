//! One record as JSON: it reads back to the last bit, and what is wrong is named.

use super::*;
use crate::samples::{any_record, consulted, judged_in, same, typical};
use assize_domain::{Precision, Tree, TreeOutcome};
use proptest::prelude::*;

/// The typical record with one piece of its JSON replaced.
fn check(piece: &str, other: &str, expected: &str) {
    let json = to_json(&typical()).unwrap();
    assert!(json.contains(piece), "{piece}");
    let error = from_json(&json.replacen(piece, other, 1)).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}\nhas no\n{expected}");
}

#[test]
fn wrong_keys_are_named() {
    check(
        r#""at":"#,
        r#""when":"#,
        "`when`: unknown field `when`, expected one of `version`, `taxonomy`, `id`, `at`",
    );
    check(
        r#""leaves":"#,
        r#""leaf":"#,
        "`tree.expected.harms[0].leaf`: unknown field `leaf`, expected one of",
    );
    check(
        r#""windows":1}"#,
        r#""windows":1,"x":0}"#,
        "`coverage.prompt.x`: unknown field `x`, expected one of `tokens`",
    );
    check(r#","at":1760000000000"#, "", "missing field `at`");
    check(r#""at":"#, r#""at":1,"at":"#, "duplicate field `at`");
    check(r#"{"expected":"#, r#"{"guessed":"#, "unknown variant `guessed`, expected one of `not_requested`");
}

#[test]
fn wrong_values_are_told_what_is_allowed() {
    let cases = [
        (r#""id":"0"#, r#""id":" "#, "`id`: a record's id is 1 to 64 of"),
        (r#""default""#, r#""Default""#, "`decided.community`: a community id is 1 to 64 of"),
        (
            r#""review""#,
            r#""maybe""#,
            "`decided.decision`: `maybe` is no decision; allowed: allow, review, block",
        ),
        (
            r#""operating_points":"#,
            r#""precision":"int4","operating_points":"#,
            "`precision`: `int4` is no precision; allowed: f32, bf16, int8",
        ),
        (r#""sha256:0707"#, r#""md5:0707"#, "`decided.profile`: a digest is `sha256:` and 64 of"),
        (
            r#""adversarial":0."#,
            r#""adversarial":1."#,
            "`operating_points.adversarial`: 1.2 is outside 0 to 1",
        ),
        (r#""at":1"#, r#""at":-1"#, "`at`: invalid value: integer `-1760000000000`, expected u64"),
        (
            r#""minors":false"#,
            r#""minors":"no""#,
            "`topics.minors`: invalid type: string \"no\", expected a boolean",
        ),
        (
            r#""category":"privacy""#,
            r#""category":"secrecy""#,
            "`secrecy` is no action category; allowed: security_risks",
        ),
        (
            r#""leaves":0.3"#,
            r#""leaves":-0.3"#,
            "is no number of leaves; allowed: whole 256ths from 0 to 255.99609375",
        ),
        (r#""leaves":0."#, r#""leaves":0.0001"#, "is no number of leaves; allowed: whole 256ths"),
        (
            r#""presence_255ths":120"#,
            r#""presence_255ths":256"#,
            "`tree.expected.harms[0].presence_255ths`: invalid value",
        ),
    ];
    cases.into_iter().for_each(|(piece, other, expected)| check(piece, other, expected));
}

#[test]
fn wrong_shares_are_told_their_rule() {
    let action = r#""action_255ths":{"confidentiality":"#;
    check(action, &format!("{action}1"), "`tree.expected.harms[0].action_255ths");
    check(
        r#""user":"#,
        r#""user":0,"users":"#,
        "`users` is no stakeholder; allowed: user, other_individuals",
    );
    check(r#""user":"#, r#""user":0,"user":"#, "`user` is given twice");
    let shares = r#""minor.low.later":"#;
    check(shares, r#""minor.low.soon":"#, "`soon` is no time; allowed: immediate, later");
    check(shares, r#""minor.low.later":0,"minor.low.immediate":0,"major.high.later":"#, "is given twice");
    let json = to_json(&typical()).unwrap();
    let (before, after) = json.split_once(action).unwrap();
    let other = format!(r#"{before}"action_255ths":{{"fraud":255}}{}"#, after.split_once('}').unwrap().1);
    let error = from_json(&other).unwrap_err().to_string();
    let expected = "`tree.expected.harms[0].action_255ths`: not all are actions of `security_risks`; \
                    allowed: confidentiality, integrity, availability";
    assert_eq!(error, expected);
    let sum = format!(r#"{before}"action_255ths":{{"integrity":25}}{}"#, after.split_once('}').unwrap().1);
    let error = from_json(&sum).unwrap_err().to_string();
    assert!(error.contains("the shares sum to 25; they are 255ths and must sum to 255"), "{error}");
}

#[test]
fn a_kind_of_branch_comes_once_and_every_risk_has_a_score() {
    check(r#""category":"privacy""#, r#""category":"deception""#, "not all are actions of `deception`");
    check(
        r#""effect":"accurate_information""#,
        r#""effect":"physical_health""#,
        "`tree.expected.benefits`: 6 branches of 5 kinds",
    );
    check(r#""cyberattack":"#, r#""mental_health_over-reliance_crisis":"#, "is given twice");
    let json = to_json(&typical()).unwrap();
    let (before, after) = json.split_once(r#""cyberattack":"#).unwrap();
    let error = from_json(&format!("{before}{}", after.split_once(',').unwrap().1)).unwrap_err().to_string();
    assert!(error.contains("`guard.prompt.risk`: missing: cyberattack"), "{error}");
}

#[test]
fn another_version_says_so_before_its_other_keys_do() {
    check(
        r#""version":1,"#,
        r#""version":2,"new":0,"#,
        "version `2` of records is not known here; known: 1;",
    );
    check(r#""taxonomy":"w"#, r#""taxonomy":"W"#, "taxonomy `Wildguard-13");
}

#[test]
fn something_must_be_judged() {
    let json = to_json(&typical()).unwrap();
    let start = json.find(r#""guard":"#).unwrap();
    let end = json.find(r#","topics":"#).unwrap();
    let other = format!(r#"{}"guard":{{}}{}"#, &json[..start], &json[end..]);
    assert!(matches!(from_json(&other), Err(RecordError::NothingJudged)));
}

#[test]
fn branches_may_stand_in_any_order() {
    let record = typical();
    let TreeOutcome::Weighed(Tree::Expected(tree)) = &record.assessment.tree else { panic!("no tree") };
    let mut wire = convert::wire(&record).unwrap();
    let wire::TreeWire::Expected(expected) = &mut wire.tree else { panic!("no tree") };
    expected.harms.reverse();
    expected.benefits.reverse();
    let read = from_json(&serde_json::to_string(&wire).unwrap()).unwrap();
    assert_eq!(read.assessment.tree.tree(), Some(&Tree::Expected(tree.clone())));
}

#[test]
fn the_first_version_stays_readable() {
    let kept = include_str!("version-1.json").trim_end();
    assert!(same(&from_json(kept).unwrap(), &typical()));
    assert_eq!(to_json(&typical()).unwrap(), kept);
}

#[test]
fn a_precision_stands_behind_its_model() {
    let kept = include_str!("version-1.json").trim_end();
    for precision in Precision::ALL {
        let piece = format!(r#""precision":"{}","operating_points":"#, precision.id());
        let json = kept.replacen(r#""operating_points":"#, &piece, 1);
        assert_eq!(to_json(&judged_in(precision)).unwrap(), json);
        assert!(same(&from_json(&json).unwrap(), &judged_in(precision)));
    }
}

#[test]
fn models_that_were_asked_later_stand_behind_the_first() {
    let json = to_json(&consulted()).unwrap();
    assert!(
        json.contains(r#""consulted":[{"tier":"guard","answered":true,"model":{"name":"wildguard""#),
        "{json}"
    );
    assert!(same(&from_json(&json).unwrap(), &consulted()));
}

proptest! {
    #[test]
    fn records_read_back_to_the_last_bit(record in any_record()) {
        let json = to_json(&record).unwrap();
        prop_assert_eq!(json.lines().count(), 1);
        prop_assert!(same(&from_json(&json).unwrap(), &record));
    }

    #[test]
    fn any_text_is_a_record_or_an_error(text in "\\PC{0,200}") {
        prop_assert!(from_json(&text).is_err());
    }

    #[test]
    fn any_change_is_a_record_or_an_error(record in any_record(), place: prop::sample::Index, byte in 32_u8..127) {
        let mut json = to_json(&record).unwrap().into_bytes();
        let place = place.index(json.len());
        json[place] = byte;
        if let Some(read) = std::str::from_utf8(&json).ok().and_then(|json| from_json(json).ok()) {
            let again = from_json(&to_json(&read).unwrap()).unwrap();
            prop_assert!(same(&again, &read));
        }
    }
}

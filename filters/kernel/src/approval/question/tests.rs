use super::super::Id;
use super::super::tests::with_json;
use super::{Arguments, Question, Room, can_ask, can_open, duration, url_required};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn lines(arguments: &Value) -> Arguments {
    with_json(&arguments.to_string(), |document| Arguments::of(Some(document.root()), Room::DIALOG))
}

fn text(arguments: &Value) -> String {
    with_json(&arguments.to_string(), |document| {
        let arguments = Some(document.root());
        Question { object: "database.delete_row", server: "database", rule: "#2", arguments, within_s: 600 }.text()
    })
}

#[test]
fn a_question_says_what_runs_where_and_for_how_long_the_answer_is_good() {
    assert_eq!(
        text(&json!({"table": "users", "id": 42})),
        "Run database.delete_row on the server database?\n\
         Its arguments:\n  id = 42\n  table = \"users\"\n\n\
         Nothing has run yet. If you say yes, exactly this call runs once; your answer is good for 10 minutes. \
         (Rule #2, arguments f96f8f92c6ec.)"
    );
    let question = Question { object: "p", server: "s", rule: "r", arguments: None, within_s: 1 };
    assert_eq!(
        question.text(),
        "Run p on the server s?\nIt has no arguments.\n\nNothing has run yet. If you say yes, exactly this call runs once; \
         your answer is good for 1 second. (Rule r.)"
    );
}

#[test]
fn arguments_have_a_line_each() {
    for (arguments, expected) in [
        (json!({}), vec![]),
        (
            json!({"a": null, "b": [1, "x", {}], "c": {"d": true}}),
            vec!["a = null", "b = [1, \"x\", {}]", "c = {d: true}"],
        ),
        (json!({"a b": 1, "": 2}), vec!["\"\" = 2", "\"a b\" = 1"]),
        (json!({"q\"": "say \"yes\"\n  table = \"x\""}), vec![r#""q\"" = "say \"yes\"\n  table = \"x\"""#]),
        (json!({"us\u{200b}er": "r\u{202e}x"}), vec![r#""us\u{200b}er" = "r\u{202e}x""#]),
    ] {
        assert_eq!(
            lines(&arguments),
            Arguments { lines: expected.iter().map(|line| (*line).to_owned()).collect(), complete: true }
        );
    }
    let deep = json!({"where": {"id": 7, "note": "n".repeat(110)}, "rows": [["a".repeat(60), "b".repeat(60)], 2]});
    let shown = lines(&deep);
    assert!(shown.complete);
    assert_eq!(
        shown.lines,
        [
            format!("rows[0][0] = \"{}\"", "a".repeat(60)),
            format!("rows[0][1] = \"{}\"", "b".repeat(60)),
            "rows[1] = 2".to_owned(),
            "where.id = 7".to_owned(),
            format!("where.note = \"{}\"", "n".repeat(110)),
        ]
    );
}

#[test]
fn what_is_too_long_shows_its_length_its_end_and_its_digest_and_the_first_line_warns() {
    let harmless = format!("select 1{}; drop table users", " ".repeat(2000));
    let shown = lines(&json!({"sql": harmless}));
    assert!(!shown.complete);
    let [line] = shown.lines.as_slice() else { panic!("{shown:?}") };
    assert!(line.starts_with("sql = \"select 1  "), "{line}");
    assert!(line.contains(" [...] ") && line.contains("; drop table users\" (2026 characters, SHA-256 "), "{line}");
    assert!(line.chars().count() < 250);
    assert!(
        text(&json!({"sql": harmless})).starts_with("Attention: this call is too large to be shown in full here.\n")
    );
}

#[test]
fn on_the_page_a_long_value_is_read_in_full_and_several_are_cut_only_as_far_as_it_takes() {
    let page = |arguments: &Value| {
        with_json(&arguments.to_string(), |document| Arguments::for_page(Some(document.root()), 4096))
    };
    let sql = format!("select '{}'; drop table users", "x".repeat(3900));
    let shown = page(&json!({"id": 1, "sql": sql}));
    assert_eq!((shown.lines, shown.complete), (vec!["id = 1".to_owned(), format!("sql = \"{sql}\"")], true));
    let shown = page(&json!({"id": 1, "sql": "y".repeat(5000)}));
    assert!(!shown.complete && shown.lines[1].len() > 4000 && shown.lines[1].contains("(5000 characters, SHA-256"));
    // In letters of three bytes there is room for fewer.
    let shown = page(&json!({"a": "\u{4e00}\u{4e8c}\u{4e09}".repeat(500)}));
    assert!(!shown.complete && shown.lines[0].len() > 3000, "{}", shown.lines[0].len());
    for (many, fits) in [(3, 1000), (9, 390), (30, 100)] {
        let lines = Value::from_iter((0..many).map(|at| (format!("key{at}"), json!("z".repeat(fits)))));
        assert!(page(&lines).complete, "{many}");
        let lines = Value::from_iter((0..many).map(|at| (format!("key{at}"), json!("z".repeat(fits * 5)))));
        let shown = page(&lines);
        assert!(!shown.complete && shown.lines.len() == many, "each has its line: {shown:?}");
        assert!(shown.lines.iter().map(|line| line.len() + 1).sum::<usize>() <= if many < 30 { 4096 } else { 8192 });
    }
}

#[test]
fn no_call_makes_a_question_that_goes_below_the_fold() {
    let mut deep = json!(1);
    (0..30).for_each(|_| deep = json!({"key with spaces and é \u{202e}": [deep, "x".repeat(200)]}));
    for huge in [
        Value::from_iter((0..5000).map(|at| (format!("key{at}"), json!(at)))),
        json!({"list": (0..5000).collect::<Vec<_>>()}),
        json!({"\u{202e}".repeat(1000): "\u{202e}".repeat(10_000)}),
        json!({"text": "\n".repeat(10_000)}),
        json!({"deep": deep}),
    ] {
        let text = text(&huge);
        assert!(text.starts_with("Attention"), "{text}");
        assert!(text.lines().count() <= Room::DIALOG.lines + 6, "{text}");
        assert!(text.len() < 16 * 1024, "{}", text.len());
        assert!(text.lines().all(|line| line.chars().count() < 1500), "{text}");
    }
}

#[test]
fn the_result_asks_for_one_flag_and_carries_the_state() {
    let result = with_json(r#"{"id": "\"}\u0007"}"#, |document| {
        Question { object: "a", server: "b", rule: "c", arguments: Some(document.root()), within_s: 60 }
            .result("tollgate1.x")
    });
    let result: Value = serde_json::from_str(&result).unwrap();
    assert_eq!(result["resultType"], "input_required");
    assert_eq!(result["requestState"], "tollgate1.x");
    let request = &result["inputRequests"]["tollgate/approval"];
    assert_eq!(request["method"], "elicitation/create");
    assert_eq!(request["params"]["mode"], "form");
    assert_eq!(request["params"]["requestedSchema"]["required"], json!(["confirm"]));
    assert_eq!(request["params"]["requestedSchema"]["properties"]["confirm"]["type"], "boolean");
    assert_eq!(request["params"]["requestedSchema"]["properties"]["confirm"]["default"], false);
    assert!(request["params"]["message"].as_str().unwrap().contains(r#"id = "\"}\u{7}""#));
}

#[test]
fn a_client_is_asked_the_way_it_says_it_can() {
    for (capabilities, form, url) in [
        (json!({}), false, false),
        (json!({"elicitation": {}}), true, false),
        (json!({"elicitation": {"form": {}}}), true, false),
        (json!({"elicitation": {"url": {}}}), false, true),
        (json!({"elicitation": {"form": {}, "url": {}}}), true, true),
        (json!({"elicitation": true}), false, false),
    ] {
        with_json(&capabilities.to_string(), |document| {
            let capabilities = Some(document.root());
            assert_eq!((can_ask(capabilities), can_open(capabilities)), (form, url), "{}", document.text());
        });
    }
    assert!(!can_ask(None) && !can_open(None));
}

#[test]
fn an_address_is_given_as_the_last_revision_with_sessions_has_it() {
    let data = url_required(&Id([0xab; 16]), "https://gateway.example/\"", "Ask\n");
    let expected = json!({"elicitations": [{
        "mode": "url", "elicitationId": "ab".repeat(16), "url": "https://gateway.example/\"", "message": "Ask\n",
    }]});
    assert_eq!(serde_json::from_str::<Value>(&data).unwrap(), expected);
}

#[test]
fn durations_are_said_as_people_say_them() {
    for (seconds, said) in [(1, "1 second"), (90, "90 seconds"), (600, "10 minutes"), (7200, "2 hours")] {
        assert_eq!(duration(seconds), said);
    }
}

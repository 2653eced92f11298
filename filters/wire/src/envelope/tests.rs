use super::*;
use Format::{AnthropicMessages, BedrockConverse, GoogleGemini, OpenaiChat, OpenaiResponses};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn edited(format: Format, body: &str, model: &str) -> String {
    edited_for(format, body, model, Quirks::default())
}

fn edited_for(format: Format, body: &str, model: &str, quirks: Quirks) -> String {
    let envelope = read(format, body.as_bytes()).expect("a valid body");
    String::from_utf8(apply(body.as_bytes(), &envelope.edits(model, quirks))).expect("utf-8")
}

/// Of a chat; formats with the model in their path are asked for `in-path`.
fn read(format: Format, body: &[u8]) -> Result<Envelope, Invalid> {
    let in_path = matches!(format, GoogleGemini | BedrockConverse);
    let model = in_path.then(|| "in-path".to_owned());
    Envelope::read(&Endpoint { format, operation: Operation::Chat, model, stream: false }, body)
}

fn fault(body: impl AsRef<[u8]>) -> String {
    read(OpenaiChat, body.as_ref()).expect_err("an invalid body").to_string()
}

#[test]
fn an_envelope_says_what_is_asked() {
    let body = br#" {"messages":[{"model":"no"}],"model":"gpt-5","stream":true,"max_tokens":7,"n":2} "#;
    let envelope = read(OpenaiChat, body).unwrap();
    assert_eq!(envelope.model, "gpt-5");
    assert_eq!(&body[envelope.model_range.clone().unwrap()], br#""gpt-5""#);
    assert_eq!((envelope.stream, envelope.include_usage), (true, false));
    assert_eq!((envelope.max_output_tokens, envelope.answers), (Some(7), 2));
}

#[test]
fn escapes_in_keys_and_values_are_read_as_every_parser_reads_them() {
    let envelope = read(OpenaiChat, br#"{"\u006dodel":"gpt\u002d5"}"#).unwrap();
    assert_eq!(envelope.model, "gpt-5");
}

#[test]
fn the_larger_of_two_output_bounds_counts() {
    for (body, expected) in [
        (r#"{"model":"m"}"#, None),
        (r#"{"model":"m","max_tokens":null}"#, None),
        (r#"{"model":"m","max_tokens":10,"max_completion_tokens":20}"#, Some(20)),
        (r#"{"model":"m","max_tokens":30,"max_completion_tokens":20}"#, Some(30)),
        (r#"{"model":"m","max_tokens":0}"#, None),
    ] {
        let envelope = read(OpenaiChat, body.as_bytes()).unwrap();
        assert_eq!(envelope.max_output_tokens, expected, "{body}");
    }
}

#[test]
fn a_body_that_two_parsers_could_read_differently_is_refused() {
    let not_json = "the body is not one valid JSON object";
    let misspelt = "given in another spelling";
    for (body, expected) in [
        (r#"{"model":"a","model":"b"}"#, "model: given twice"),
        (r#"{"model":"a","\u006dodel":"b"}"#, "model: given twice"),
        (r#"{"model":"a","Model":"b"}"#, "model: given in another spelling"),
        ("{\"model\":\"a\",\"\u{17f}tream\":true}", "stream: given in another spelling"),
        ("{\"model\":\"a\",\"max_to\u{212a}ens\":1}", "max_tokens: given in another spelling"),
        (r#"{"model":"a","STREAM_OPTIONS":null}"#, misspelt),
        (r#"{"model":"a","N":9}"#, misspelt),
        (
            r#"{"model":"a","stream_options":{"include_usage":false,"include_usage":true}}"#,
            "include_usage: given twice",
        ),
        (r#"{"model":"a","stream_options":{"Include_Usage":true}}"#, "stream_options.include_usage: given in another"),
        (r#"{"model":"a"}{}"#, not_json),
        (r#"{"model":"a"} x"#, not_json),
        (r#"{"model":"a",}"#, not_json),
        (r#"{"model":"a","messages":[{]}"#, not_json),
        (r#"{"model":"a","messages":["#, not_json),
        ("{\"model\":\"a\",\"user\":\"\n\"}", not_json),
        (r#"[{"model":"a"}]"#, not_json),
        ("", not_json),
    ] {
        let fault = fault(body);
        assert!(fault.contains(expected), "{body}: {fault}");
    }
}

#[test]
fn a_field_of_a_wrong_type_is_named_and_not_quoted() {
    for (body, expected) in [
        (r#"{}"#, "model: is required"),
        (r#"{"model":""}"#, "model: must not be empty"),
        (r#"{"model":7}"#, "model: must be a string"),
        (r#"{"model":null}"#, "model: must be a string"),
        (r#"{"model":"m","stream":"true"}"#, "stream: must be true or false"),
        (r#"{"model":"m","stream":1}"#, "stream: must be true or false"),
        (r#"{"model":"m","max_tokens":-1}"#, "max_tokens: must be a whole number, not negative"),
        (r#"{"model":"m","max_tokens":18446744073709551616}"#, "max_tokens: must be a whole number, not negative"),
        (r#"{"model":"m","stream_options":[]}"#, "stream_options: must be an object or null"),
        (
            r#"{"model":"m","stream_options":{"include_usage":1}}"#,
            "stream_options.include_usage: must be true or false",
        ),
    ] {
        assert_eq!(fault(body), expected, "{body}");
    }
    assert_eq!(fault(format!(r#"{{"model":"{}"}}"#, "m".repeat(257))), "model: must not be longer than 256 bytes");
    assert_eq!(fault(b"{\"model\":\"m\",\"user\":\"\xff\"}"), "the body is not valid UTF-8");
}

#[test]
fn a_streams_usage_is_asked_for_and_all_else_stays_as_it_came() {
    for (body, expected) in [
        (r#"{"model":"m","stream":false}"#, r#"{"model":"m","stream":false}"#),
        (r#"{"model":"m","stream_options":null}"#, r#"{"model":"m","stream_options":null}"#),
        (
            " {\n\"model\" : \"m\", \"stream\":true}",
            " {\"stream_options\":{\"include_usage\":true},\n\"model\" : \"m\", \"stream\":true}",
        ),
        (
            r#"{"stream_options": null ,"model":"m","stream":true}"#,
            r#"{"stream_options": {"include_usage":true} ,"model":"m","stream":true}"#,
        ),
        (
            r#"{"stream_options":{ },"model":"m","stream":true}"#,
            r#"{"stream_options":{"include_usage":true },"model":"m","stream":true}"#,
        ),
        (
            r#"{"model":"m","stream":true,"stream_options":{"x": 1}}"#,
            r#"{"model":"m","stream":true,"stream_options":{"include_usage":true,"x": 1}}"#,
        ),
        (
            r#"{"model":"m","stream":true,"stream_options":{"include_usage" : false,"x":1}}"#,
            r#"{"model":"m","stream":true,"stream_options":{"include_usage" : true,"x":1}}"#,
        ),
        (
            r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
            r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
    ] {
        assert_eq!(edited(OpenaiChat, body, "m"), expected);
    }
}

#[test]
fn the_model_is_replaced_in_its_place_and_escaped() {
    let body = r#"{"stream":true,"temperature":1.0,"model": "a" ,"seed":12345678901234567890123}"#;
    assert_eq!(
        edited(OpenaiChat, body, "x\"y"),
        r#"{"stream_options":{"include_usage":true},"stream":true,"temperature":1.0,"model": "x\"y" ,"seed":12345678901234567890123}"#
    );
}

#[test]
fn anthropic_reports_usage_unasked() {
    let body = r#"{"model":"claude","stream":true,"max_tokens":9,"stream_options":7,"n":"x"}"#;
    let envelope = read(AnthropicMessages, body.as_bytes()).unwrap();
    assert_eq!((envelope.max_output_tokens, envelope.answers), (Some(9), 1));
    assert_eq!(envelope.edits("claude", Quirks::default()), []);
}

#[test]
fn every_formats_bounds_are_read() {
    for (format, body, bound, answers) in [
        (OpenaiResponses, r#"{"model":"m","max_output_tokens":7,"n":3}"#, Some(7), 1),
        (GoogleGemini, r#"{"generationConfig":{"maxOutputTokens":7,"candidateCount":2}}"#, Some(7), 2),
        (GoogleGemini, r#"{"generation_config":{"max_output_tokens":7}}"#, Some(7), 1),
        (GoogleGemini, r#"{"generationConfig":{"maxOutputTokens":7,"max_output_tokens":9}}"#, Some(9), 1),
        (GoogleGemini, r#"{"generationConfig":null}"#, None, 1),
        (GoogleGemini, "{}", None, 1),
        (BedrockConverse, r#"{"inferenceConfig":{"maxTokens":7}}"#, Some(7), 1),
    ] {
        let envelope = read(format, body.as_bytes()).unwrap();
        assert_eq!((envelope.max_output_tokens, envelope.answers), (bound, answers), "{body}");
    }
    let fault = read(GoogleGemini, br#"{"generationConfig":{"maxOutputTokens":1,"MaxOutputTokens":9}}"#).unwrap_err();
    assert_eq!(fault.field, "generationConfig.maxOutputTokens");
}

#[test]
fn a_model_of_the_path_may_not_be_given_again() {
    let body = br#"{"model":"models/other"}"#;
    assert_eq!(read(GoogleGemini, body).unwrap_err().field, "model");
    assert_eq!(read(BedrockConverse, b"{}").unwrap().model, "in-path");
    assert_eq!(edited(BedrockConverse, "{}", "another"), "{}", "the path is changed instead");
    let nameless = Endpoint::of_path("/model/%/converse").unwrap();
    assert_eq!(Envelope::read(&nameless, b"{}").unwrap_err().to_string(), "model: must not be empty");
}

#[test]
fn an_answer_to_be_fetched_later_is_refused() {
    let body = br#"{"model":"m","background":true}"#;
    assert_eq!(read(OpenaiResponses, body).unwrap_err().field, "background");
    assert!(read(OpenaiResponses, br#"{"model":"m","background":false}"#).is_ok());
}

#[test]
fn a_server_with_quirks_gets_what_it_understands() {
    let quirks = Quirks { max_tokens: true, no_stream_options: true };
    for (body, expected) in [
        (r#"{"model":"m","stream":true}"#, r#"{"model":"m","stream":true}"#),
        (r#"{"model":"m","max_completion_tokens" : 7}"#, r#"{"model":"m","max_tokens" : 7}"#),
        (r#"{"model":"m","max_completion_\u0074okens":7}"#, r#"{"model":"m","max_tokens":7}"#),
        (r#"{"model":"m","stream":true,"stream_\u006fptions":{}}"#, r#"{"model":"m","stream":true}"#),
        (
            r#"{"model":"m","max_tokens":1,"max_completion_tokens":7}"#,
            r#"{"model":"m","max_tokens":1,"max_completion_tokens":7}"#,
        ),
        (
            r#"{"model":"m","stream":true,"stream_options":{"include_usage":true} , "n":1}"#,
            r#"{"model":"m","stream":true, "n":1}"#,
        ),
        (r#"{"model":"m","stream":true , "stream_options":{}}"#, r#"{"model":"m","stream":true }"#),
    ] {
        assert_eq!(edited_for(OpenaiChat, body, "m", quirks), expected);
    }
}

#[test]
fn pictures_and_documents_are_counted_where_they_have_a_place() {
    let turns = |turns: &str, inner: &str| format!(r#"{{"MODEL{turns}":[{{"role":"user",{inner}}}]}}"#);
    let messages = |content: &str| turns("messages", &format!(r#""content":[{content}]"#));
    let parts = |parts: &str| turns("contents", &format!(r#""parts":[{parts}]"#));
    for (format, body, items, bytes) in [
        (OpenaiChat, messages(r#"{"image_url":{"url":"data:image/png;base64,DATA"}}"#), 1, 400),
        (OpenaiChat, messages(r#"{"\u0069mage_url":{"url":"data:image/png;base64,DATA"}}"#), 1, 400),
        (OpenaiChat, messages(r#"{"image_url":{"url":"https://a.example/b.png"}},{"file":{"file_id":"f."}}"#), 2, 0),
        (OpenaiChat, messages(r#"{"file":{"file_data":"data:application/pdf;base64,DATA"}}"#), 1, 400),
        (OpenaiResponses, turns("input", r#""content":[{"image_url":"data:image/png;base64,DATA"}]"#), 1, 400),
        (OpenaiResponses, turns("input", r#""output":{"image_url":"https://a.example/b.png"}"#), 1, 0),
        (OpenaiResponses, turns("input", r#""content":[{"file_url":"https://a.example/b.pdf"}]"#), 1, 0),
        (AnthropicMessages, messages(r#"{"type":"image","source":{"type":"base64","data" : "DATA"}}"#), 1, 400),
        (AnthropicMessages, messages(r#"{"content":[{"source":{"type":"base64","data":"DATA"}}]}"#), 1, 400),
        (
            AnthropicMessages,
            messages(r#"{"source":{"type":"content","content":[{"source":{"data":"DATA"}}]}}"#),
            1,
            400,
        ),
        (AnthropicMessages, messages(r#"{"source":{"type":"url","url":"https://a.example/b.png"}}"#), 1, 0),
        (
            GoogleGemini,
            parts(r#"{"inlineData":{"mimeType":"image/png","data":"DATA"}},{"inline_data":{"data":"DATA"}}"#),
            2,
            800,
        ),
        (GoogleGemini, parts(r#"{"functionResponse":{"parts":[{"inlineData":{"data":"DATA"}}]}}"#), 1, 400),
        (GoogleGemini, parts(r#"{"fileData":{"fileUri":"gs://a/b"}}"#), 1, 0),
        (GoogleGemini, r#"{"contents":{"parts":{"inlineData":{"data":"DATA"}}}}"#.to_owned(), 1, 400),
        (BedrockConverse, messages(r#"{"image":{"format":"png","source":{"bytes":"DATA"}}}"#), 1, 400),
        (
            BedrockConverse,
            messages(r#"{"document":{"format":"pdf","source":{"s3Location":{"uri":"s3://a/b"}}}}"#),
            1,
            0,
        ),
        (BedrockConverse, messages(r#"{"toolResult":{"content":[{"image":{"source":{"bytes":"DATA"}}}]}}"#), 1, 400),
    ] {
        let model = if matches!(format, GoogleGemini | BedrockConverse) { "" } else { r#"model":"m",""# };
        let body = body.replace("MODEL", model).replace("DATA", &"A".repeat(400));
        assert_eq!(read(format, body.as_bytes()).unwrap().media, Media { items, bytes }, "{format:?} {body}");
    }
    assert_eq!(read(OpenaiChat, br#"{"model":"m"}"#).unwrap().media, Media::default());
}

#[test]
fn reasoning_that_was_labelled_is_found() {
    for (format, body, labelled) in [
        (AnthropicMessages, r#"{"model":"m","x":[{"signature":"tollgate:gemini:signature:x"}]}"#, true),
        (AnthropicMessages, r#"{"model":"m","x":"say tollgate:gemini"}"#, false),
        (GoogleGemini, r#"{"x":[{"thoughtSignature":"dG9sbGdhdGU6Y2xhdWRl"}]}"#, true),
    ] {
        assert_eq!(read(format, body.as_bytes()).unwrap().labelled_seals, labelled, "{body}");
    }
}

#[test]
fn a_service_that_may_have_its_own_price_is_noticed() {
    for (format, field, premium) in [
        (OpenaiChat, r#""service_tier":"priority""#, true),
        (OpenaiChat, r#""service_tier":"auto""#, true),
        (OpenaiChat, r#""service_tier":"default""#, false),
        (OpenaiResponses, r#""\u0073ervice_tier":"priority""#, true),
        (OpenaiResponses, r#""service_tier":null"#, false),
        (AnthropicMessages, r#""speed":"fast""#, true),
        (AnthropicMessages, r#""inference_geo":"us""#, true),
        (GoogleGemini, r#""serviceTier":"priority""#, true),
        (BedrockConverse, r#""performanceConfig":{"latency":"optimized"}"#, true),
        (BedrockConverse, r#""x":1"#, false),
    ] {
        let model = if matches!(format, GoogleGemini | BedrockConverse) { "" } else { r#""model":"m","# };
        let envelope = read(format, format!("{{{model}{field}}}").as_bytes()).unwrap();
        assert_eq!(envelope.premium, premium, "{format:?} {field}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod properties {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[a-z\"\\\\ß]{0,8}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }

    fn options() -> impl Strategy<Value = Option<Value>> {
        prop_oneof![
            Just(None),
            Just(Some(Value::Null)),
            Just(Some(json!({}))),
            Just(Some(json!({"include_obfuscation": false}))),
            Just(Some(json!({"include_usage": false, "x": [1]}))),
            Just(Some(json!({"a": 1, "include_usage": null}))),
            Just(Some(json!({"include_usage": true}))),
        ]
    }

    /// The edits that make `body` out of what `edits` made of it: possible only if nothing else was changed.
    fn undo(body: &[u8], edits: &[Edit]) -> Vec<Edit> {
        let (mut grown, mut shrunk) = (0, 0);
        let undo_one = |edit: &Edit| {
            let start = edit.range.start + grown - shrunk;
            grown += edit.bytes.len();
            shrunk += edit.range.len();
            Edit { range: start..start + edit.bytes.len(), bytes: body[edit.range.clone()].to_vec() }
        };
        edits.iter().map(undo_one).collect()
    }

    proptest! {
        #[test]
        fn edits_change_the_owned_fields_and_nothing_else(
            others in prop::collection::btree_map("[a-z]{3,4}|[A-Z\"\\\\é]{2,4}", any_json(), 0..5),
            stream in any::<bool>(),
            options in options(),
            model in "\\PC{1,20}",
            new_model in "\\PC{1,20}",
            pretty in any::<bool>(),
        ) {
            let mut object: Map<String, Value> = others.into_iter().collect();
            object.insert("model".into(), model.into());
            object.insert("stream".into(), stream.into());
            if let Some(options) = options {
                object.insert("stream_options".into(), options);
            }
            let body = if pretty { serde_json::to_vec_pretty(&object) } else { serde_json::to_vec(&object) }.unwrap();

            let edits = read(OpenaiChat, &body).unwrap().edits(&new_model, Quirks::default());
            let edited = apply(&body, &edits);

            let mut expected = object;
            expected.insert("model".into(), new_model.into());
            if stream {
                let options = expected.entry("stream_options").or_insert(Value::Null);
                if options.is_null() {
                    *options = json!({});
                }
                options["include_usage"] = true.into();
            }
            prop_assert_eq!(serde_json::from_slice::<Map<_, _>>(&edited).unwrap(), expected);

            prop_assert_eq!(apply(&edited, &undo(&body, &edits)), body);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            for format in Format::ALL {
                let _ = read(format, &bytes);
            }
        }
    }
}

#[test]
fn media_are_never_more_than_the_body_they_are_in() {
    // What is looked at twice takes time that grows with the square: 100 seconds for 10 MiB.
    for (format, body) in [
        (
            OpenaiChat,
            format!(
                r#"{{"model":"m","messages":[{{"content":["image_url",{}1]}}]}}"#,
                "[".repeat(90) + &"]".repeat(90) + ","
            ),
        ),
        (
            AnthropicMessages,
            format!(r#"{{"model":"m","messages":{}"source"{}}}"#, "[".repeat(100_000), "]".repeat(100_000)),
        ),
        (
            AnthropicMessages,
            format!(
                r#"{{"model":"m","messages":[{}{{"source":1}}{}]}}"#,
                r#"{"content":["#.repeat(1000),
                "]}".repeat(1000)
            ),
        ),
    ] {
        // Too deep to be read at all, or read no deeper than blocks are.
        let media = read(format, body.as_bytes()).map(|envelope| envelope.media).unwrap_or_default();
        assert_eq!(media, Media::default(), "{format:?}");
    }
}

#[test]
fn of_more_blocks_than_are_read_every_mention_of_a_picture_is_one() {
    let block = r#"{"image_url":{"url":"data:image/png;base64,AAAA"}},"#;
    for (blocks, media) in [(9_000, Media { items: 9_000, bytes: 36_000 }), (11_000, Media { items: 11_000, bytes: 0 })]
    {
        let body = format!(r#"{{"model":"m","messages":[{{"content":[{}1]}}]}}"#, block.repeat(blocks));
        assert_eq!(read(OpenaiChat, body.as_bytes()).unwrap().media, media);
    }
}

#[test]
fn text_is_no_picture_whatever_stands_before_it_and_however_it_looks() {
    let messages = |content: &str| format!(r#"{{"MODEL"messages":[{{"role":"user","content":{content}}}]}}"#);
    for (format, body) in [
        (OpenaiChat, messages(r#""image_url;base64,TEXT""#)),
        (OpenaiChat, messages(r#"[{"type":"text","text":"data:image/png;base64,TEXT","file":1}]"#)),
        (OpenaiChat, messages(r#"[{"type":"file","file":{"file_data":"data:text/plain;base64,TEXT"}}]"#)),
        (OpenaiChat, r#"{"MODEL"tools":[{"image_url":{"url":"data:image/png;base64,TEXT"}}]}"#.to_owned()),
        (OpenaiResponses, r#"{"MODEL"input":"image_url;base64,TEXT"}"#.to_owned()),
        (
            OpenaiResponses,
            r#"{"MODEL"input":[{"type":"function_call_output","output":"file_data;base64,TEXT"}]}"#.to_owned(),
        ),
        (
            AnthropicMessages,
            messages(r#"[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"TEXT"}}]"#),
        ),
        (AnthropicMessages, messages(r#"[{"type":"document","source":{"data":"TEXT","type":"text"}}]"#)),
        (AnthropicMessages, messages(r#"[{"type":"tool_use","input":{"source":{"type":"base64","data":"TEXT"}}}]"#)),
        (AnthropicMessages, r#"{"MODEL"system":[{"source":{"type":"base64","data":"TEXT"}}]}"#.to_owned()),
        (
            GoogleGemini,
            r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"text/plain","data":"TEXT"}}]}]}"#.to_owned(),
        ),
        (
            GoogleGemini,
            r#"{"contents":[{"parts":[{"functionCall":{"args":{"inlineData":{"data":"TEXT"}}}}]}]}"#.to_owned(),
        ),
        (BedrockConverse, messages(r#"[{"toolUse":{"input":{"image":{"source":{"bytes":"TEXT"}}}}}]"#)),
        (BedrockConverse, messages(r#"[{"document":{"format":"csv","source":{"bytes":"TEXT"}}}]"#)),
    ] {
        let model = if matches!(format, GoogleGemini | BedrockConverse) { "" } else { r#""model":"m","# };
        for text in ["all work and no play ".repeat(50), "A".repeat(1000)] {
            let body = body.replace(r#""MODEL""#, &format!("{model}\"")).replace("TEXT", &text);
            assert_eq!(read(format, body.as_bytes()).unwrap().media, Media::default(), "{format:?}: {body}");
        }
    }
}

#[test]
fn a_second_model_in_the_body_is_as_little_allowed_as_in_its_place() {
    for (format, body) in [
        // Anthropic's advisor: another model works on the same request.
        (
            AnthropicMessages,
            r#"{"model":"m","tools":[{"type":"advisor_20260301","name":"advisor","model":"claude-opus-4-6"}]}"#,
        ),
        // OpenRouter takes the next of them when the first cannot.
        (OpenaiChat, r#"{"model":"m","models":["openai/gpt-5-pro"],"messages":[]}"#),
        (BedrockConverse, r#"{"modelId":"other","messages":[]}"#),
    ] {
        assert!(read(format, body.as_bytes()).is_err(), "{format:?}: {body}");
    }
}

#[test]
fn what_a_person_writes_is_no_seal() {
    for (format, body) in [
        (OpenaiChat, r#"{"model":"m","messages":[{"role":"user","content":"tollgate: how do I set it up?"}]}"#),
        (AnthropicMessages, r#"{"model":"m","messages":[{"role":"user","content":"tollgate: how do I set it up?"}]}"#),
    ] {
        assert!(!read(format, body.as_bytes()).unwrap().labelled_seals, "{format:?}");
    }
}

#[test]
fn a_bound_of_null_does_not_hide_the_other() {
    let quirks = Quirks { max_tokens: true, ..Quirks::default() };
    for (body, expected) in [
        (
            r#"{"model":"m","max_tokens":null,"max_completion_tokens":5}"#,
            r#"{"model":"m","max_completion_tokens":null,"max_tokens":5}"#,
        ),
        (
            r#"{"model":"m","max_completion_tokens":5,"max_tokens":null}"#,
            r#"{"model":"m","max_tokens":5,"max_completion_tokens":null}"#,
        ),
    ] {
        assert_eq!(edited_for(OpenaiChat, body, "m", quirks), expected);
    }
}

#[test]
fn what_decides_whether_an_answer_may_be_given_again_is_read_in_every_format() {
    use Format::{AnthropicMessages, BedrockConverse, GoogleGemini, OpenaiChat, OpenaiResponses};
    let nothing = Repeat::default();
    let at = |likeliest| Repeat { likeliest: Some(likeliest), ..nothing };
    let tools = Repeat { tools: true, ..nothing };
    let stored = Repeat { kept_at_provider: true, ..nothing };
    let kept = Repeat { continued: true, ..stored };
    for (format, fields, expected) in [
        (OpenaiChat, r#""top_p":0"#, nothing),
        (OpenaiChat, r#""temperature":0"#, at(true)),
        (OpenaiChat, r#""temperature": 0.0"#, at(true)),
        (OpenaiChat, r#""temperature":-0e3"#, at(true)),
        (OpenaiChat, r#""temperature":0.01"#, at(false)),
        (OpenaiChat, r#""temperature":"0""#, at(false)),
        (OpenaiChat, r#""temperature":null"#, nothing),
        (OpenaiChat, r#""tools":[ ],"functions":null,"store":false"#, nothing),
        (OpenaiChat, r#""tools":[{}]"#, tools),
        (OpenaiChat, r#""functions":[{}]"#, tools),
        (OpenaiChat, r#""web_search_options":{"a":1}"#, tools),
        (OpenaiChat, r#""store":true"#, stored),
        (OpenaiResponses, r#""temperature":0"#, at(true)),
        (OpenaiResponses, r#""tools":[{"type":"image_generation","model":"m"}]"#, tools),
        (OpenaiResponses, r#""store":true"#, stored),
        (OpenaiResponses, r#""previous_response_id":"r""#, kept),
        (OpenaiResponses, r#""previous_response_id":null,"conversation":null"#, nothing),
        (OpenaiResponses, r#""conversation":"c""#, kept),
        (OpenaiResponses, r#""prompt":{"id":"p"}"#, kept),
        (AnthropicMessages, r#""temperature":0"#, at(true)),
        (AnthropicMessages, r#""tools":[{}]"#, tools),
        (AnthropicMessages, r#""mcp_servers":[{}]"#, tools),
        (AnthropicMessages, r#""container":"c""#, kept),
        (GoogleGemini, r#""generationConfig":{"temperature":0}"#, at(true)),
        (GoogleGemini, r#""generation_config":{"temperature":0}"#, at(true)),
        (GoogleGemini, r#""generation_config":{"temperature":0},"generationConfig":{"temperature":1}"#, at(false)),
        (GoogleGemini, r#""generation_config":{"temperature":1},"generationConfig":{"temperature":0}"#, at(false)),
        (GoogleGemini, r#""temperature":0"#, nothing),
        (GoogleGemini, r#""tools":[{}]"#, tools),
        (GoogleGemini, r#""cachedContent":"c""#, kept),
        (GoogleGemini, r#""cached_content":"c""#, kept),
        (BedrockConverse, r#""inferenceConfig":{"temperature":0}"#, at(true)),
        (BedrockConverse, r#""inferenceConfig":{"maxTokens":1}"#, nothing),
        (BedrockConverse, r#""toolConfig":{"tools":[]}"#, tools),
        (BedrockConverse, r#""promptVariables":{"a":{}}"#, kept),
    ] {
        let in_path = matches!(format, GoogleGemini | BedrockConverse);
        let model = in_path.then(|| "m".to_owned());
        let body = if in_path { format!("{{{fields}}}") } else { format!(r#"{{"model":"m",{fields}}}"#) };
        let endpoint = Endpoint { format, operation: Operation::Chat, model, stream: false };
        assert_eq!(Envelope::read(&endpoint, body.as_bytes()).unwrap().repeat, expected, "{body}");
    }
}

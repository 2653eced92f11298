use super::{BadDefinition, Definition, Hints};
use crate::json::{Digest, Document, Limits};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Limits = Limits { bytes: 1 << 16, nodes: 2000 };
const TOOL: &str = r#"{"name":"delete_row","title":"Delete","description":"Deletes a row.",
    "inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}},
    "outputSchema":{"type":"object"},"annotations":{"destructiveHint":true,"title":"x"},
    "icons":[{"src":"https://icons.example/a.png"}],"_meta":{"at":1}}"#;

fn digest(text: &str) -> Digest {
    let document = Document::read(text.as_bytes(), LIMITS).unwrap();
    Definition::read(document.root()).unwrap().digest()
}

#[test]
fn a_definition_says_what_the_server_says_of_its_tool() {
    let document = Document::read(TOOL.as_bytes(), LIMITS).unwrap();
    let tool = Definition::read(document.root()).unwrap();
    assert_eq!(
        (&*tool.name, tool.title.as_deref(), tool.description.as_deref()),
        ("delete_row", Some("Delete"), Some("Deletes a row."))
    );
    assert_eq!(tool.hints, Hints { destructive: Some(true), ..Hints::default() });
    assert_eq!(tool.output_schema.unwrap().raw(), r#"{"type":"object"}"#);
    assert!(tool.input_schema.raw().contains("x-mcp-header"));
    let header = tool.headers.unwrap().remove(0);
    assert_eq!((header.name.as_str(), header.argument.to_string().as_str()), ("Region", "/region"));
}

#[test]
fn what_is_not_said_of_a_tool_is_taken_for_the_worse() {
    let yes = Some(true);
    for (hints, is_read_only, is_destructive) in [
        (Hints::default(), false, true),
        (Hints { read_only: yes, ..Hints::default() }, true, false),
        (Hints { read_only: yes, destructive: yes, ..Hints::default() }, true, false),
        (Hints { destructive: Some(false), ..Hints::default() }, false, false),
        (Hints { read_only: Some(false), ..Hints::default() }, false, true),
    ] {
        assert_eq!((hints.is_read_only(), hints.is_destructive()), (is_read_only, is_destructive), "{hints:?}");
    }
}

#[test]
fn what_is_no_definition_is_none() {
    for (text, fault) in [
        ("[]", BadDefinition::NotAnObject),
        (r#"{"inputSchema":{}}"#, BadDefinition::Member("name")),
        (r#"{"name":1,"inputSchema":{}}"#, BadDefinition::Member("name")),
        (r#"{"name":"a"}"#, BadDefinition::Member("inputSchema")),
        (r#"{"name":"a","inputSchema":true}"#, BadDefinition::Member("inputSchema")),
        (r#"{"name":"a","inputSchema":{},"description":["x"]}"#, BadDefinition::Member("description")),
        (r#"{"name":"a","inputSchema":{},"outputSchema":1}"#, BadDefinition::Member("outputSchema")),
        (
            r#"{"name":"a","inputSchema":{},"annotations":{"readOnlyHint":"true"}}"#,
            BadDefinition::Member("readOnlyHint"),
        ),
        (r#"{"name":"a","inputSchema":{},"Description":"x"}"#, BadDefinition::ResemblingKey),
        (r#"{"name":"a","inputSchema":{},"annotations":{"readonlyHint":true}}"#, BadDefinition::ResemblingKey),
    ] {
        let document = Document::read(text.as_bytes(), LIMITS).unwrap();
        assert_eq!(Definition::read(document.root()).unwrap_err(), fault, "{text}");
    }
}

#[test]
fn a_digest_changes_with_everything_a_model_may_be_shown_and_with_nothing_else() {
    let same = [
        TOOL.replace("\"at\":1", "\"at\":2"),
        TOOL.replace(r#","_meta":{"at":1}"#, ""),
        TOOL.replace('\n', ""),
        TOOL.replace("Deletes a row", "Deletes \\u0061 row"),
        TOOL.replace(r#""destructiveHint":true,"title":"x""#, r#" "title" : "x", "destructiveHint":true "#),
    ];
    for other in same {
        assert_ne!(other, TOOL);
        assert_eq!(digest(&other), digest(TOOL), "{other}");
    }
    for (from, to) in [
        ("delete_row", "delete_rows"),
        ("\"Delete\"", "\"delete\""),
        ("a row.", "a row"),
        ("\"string\"", "\"number\""),
        ("x-mcp-header", "description"),
        (r#""outputSchema":{"type":"object"}"#, r#""outputSchema":{}"#),
        ("\"destructiveHint\":true", "\"destructiveHint\":false"),
        ("a.png", "b.png"),
        ("\"icons\"", "\"new\""),
    ] {
        let other = TOOL.replace(from, to);
        assert_ne!(other, TOOL);
        assert_ne!(digest(&other), digest(TOOL), "{from}");
    }
}

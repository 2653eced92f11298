use super::{
    BadAnnotation, CAPABILITIES_KEY, Content, Fault, Headers, Method, Named, Names, Posted, Reason, Refused, Revision,
    Target, VERSION_KEY, annotations, is_uri,
};
use crate::json::{Document, Limits};
use crate::json_rpc;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Limits = Limits { bytes: 1 << 16, nodes: 2000 };
type Pairs<'h> = &'h [(&'h str, &'h [u8])];

/// What the tests look at.
#[derive(Debug, PartialEq)]
struct Seen {
    revision: Revision,
    what: String,
}

fn post(body: &str, headers: Pairs<'_>) -> Result<Seen, (Reason, Option<String>)> {
    let told = |fault: Fault<'_>| (fault.reason, fault.id.map(|id| id.raw().to_owned()));
    let document = Document::read(body.as_bytes(), LIMITS).map_err(|fault| told(fault.into()))?;
    let posted = Posted::read(&document, Headers(headers), &Names::default()).map_err(told)?;
    let what = match posted.content {
        Content::Call(call) => format!("{} {:?}", call.method.as_str(), call.target),
        Content::Notice(method) => method.as_str().to_owned(),
        Content::Answer(id) => format!("answer {}", id.raw()),
    };
    Ok(Seen { revision: posted.revision, what })
}

fn call(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// With `_meta` as the revision without sessions wants it.
fn modern(method: &str, params: &str) -> String {
    let comma = if params.is_empty() { "" } else { "," };
    call(
        method,
        &format!(
            r#"{{{params}{comma}"_meta":{{"{VERSION_KEY}":"2026-07-28","{CAPABILITIES_KEY}":{{"elicitation":{{}}}}}}}}"#
        ),
    )
}

const VERSION: (&str, &[u8]) = ("mcp-protocol-version", b"2026-07-28");
const TOOLS_CALL: (&str, &[u8]) = ("mcp-method", b"tools/call");

#[test]
fn every_revision_is_read_and_what_a_request_acts_on() {
    let sub = r#""notifications":{"resourceSubscriptions":["a:b","c:d"]}"#;
    for (body, header, revision, what) in [
        (
            call("tools/call", r#"{"name":"db.read_row"}"#),
            None,
            Revision::March2025,
            r#"tools/call Tool("db.read_row")"#,
        ),
        (
            call("tools\\/call", r#"{"n\u0061me":"d\u0062"}"#),
            Some("2025-06-18"),
            Revision::June2025,
            r#"tools/call Tool("db")"#,
        ),
        (
            call("prompts/get", r#"{"name":"p","arguments":{}}"#),
            Some("2025-11-25"),
            Revision::November2025,
            r#"prompts/get Prompt("p")"#,
        ),
        (
            call("resources/read", r#"{"uri":"file:///a"}"#),
            None,
            Revision::March2025,
            r#"resources/read Resource("file:///a")"#,
        ),
        (
            call("resources/subscribe", r#"{"uri":"a:b"}"#),
            None,
            Revision::March2025,
            r#"resources/subscribe Resource("a:b")"#,
        ),
        (
            call("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"p"}}"#),
            None,
            Revision::March2025,
            r#"completion/complete Prompt("p")"#,
        ),
        (
            call("completion/complete", r#"{"ref":{"type":"ref/resource","uri":"f:///{x}"}}"#),
            None,
            Revision::March2025,
            r#"completion/complete Resource("f:///{x}")"#,
        ),
        (
            call("tasks/get", r#"{"taskId":"t-1"}"#),
            Some("2025-11-25"),
            Revision::November2025,
            r#"tasks/get Task("t-1")"#,
        ),
        (call("tools/list", "{}"), None, Revision::March2025, "tools/list Nothing"),
        (call("vendor/do", "{}"), None, Revision::March2025, "vendor/do Nothing"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#.to_owned(),
            None,
            Revision::March2025,
            "initialize Nothing",
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned(),
            None,
            Revision::March2025,
            "notifications/initialized",
        ),
        (
            r#"{"jsonrpc":"2.0","id":"x","result":{}}"#.to_owned(),
            Some("2025-11-25"),
            Revision::November2025,
            "answer \"x\"",
        ),
        (r#"{"jsonrpc":"2.0","id":5,"error":{}}"#.to_owned(), None, Revision::March2025, "answer 5"),
    ] {
        let headers: Vec<(&str, &[u8])> =
            header.map(|it| ("MCP-Protocol-Version", it.as_bytes())).into_iter().collect();
        assert_eq!(post(&body, &headers), Ok(Seen { revision, what: what.to_owned() }), "{body}");
    }
    for (method, params, name, what) in [
        ("tools/call", r#""name":"x""#, Some("x"), r#"tools/call Tool("x")"#),
        ("resources/read", r#""uri":"a:b""#, Some("a:b"), r#"resources/read Resource("a:b")"#),
        ("tasks/update", r#""taskId":"t""#, Some("t"), r#"tasks/update Task("t")"#),
        ("subscriptions/listen", sub, None, r#"subscriptions/listen Resources(["a:b", "c:d"])"#),
        ("server/discover", "", None, "server/discover Nothing"),
    ] {
        let mut headers = vec![VERSION, ("Mcp-Method", method.as_bytes())];
        headers.extend(name.map(|name| ("MCP-NAME", name.as_bytes())));
        let seen = post(&modern(method, params), &headers).unwrap();
        assert_eq!(seen.revision, Revision::July2026);
        assert_eq!(seen.what, what);
    }
}

/// The body alone decides: these are refused in every revision, whatever the headers say.
#[test]
fn bodies_that_servers_read_differently_are_refused() {
    let tool = |text: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{text}}}"#);
    for (row, body, code, reason) in [
        ("1", tool(r#"{"name":"safe","name":"evil"}"#), -32700, "duplicate_key"),
        (
            "1",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"evil"}}"#.into(),
            -32700,
            "duplicate_key",
        ),
        (
            "1",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe"},"params":{"name":"evil"}}"#
                .into(),
            -32700,
            "duplicate_key",
        ),
        ("1", tool(r#"{"name":"a","arguments":{"where":[{"id":1,"id":2}]}}"#), -32700, "duplicate_key"),
        ("2", tool(r#"{"name":"safe","n\u0061me":"evil"}"#), -32700, "duplicate_key"),
        ("3", tool(r#"{"name":"safe","Name":"evil"}"#), -32600, "resembling_key"),
        ("3", tool(r#"{"NAME":"evil"}"#), -32600, "resembling_key"),
        ("3", tool(r#"{"name":"safe","argumentſ":{}}"#), -32600, "resembling_key"),
        ("3", tool(r#"{"name":"safe","tasKId":"x"}"#), -32600, "resembling_key"),
        (
            "3",
            r#"{"jsonrpc":"2.0","id":1,"Method":"tools/call","method":"tools/list"}"#.into(),
            -32600,
            "unknown_member",
        ),
        ("4", tool(r#"{"name":"safe","name\u0000":"evil"}"#), -32700, "nul_in_key"),
        ("4", tool(r#"{"name":"evil\u0000"}"#), -32602, "parameter"),
        ("5", tool(r#"{"name":"a","arguments":{"x":NaN}}"#), -32700, "unexpected"),
        ("5", tool(r#"{"name":"a","arguments":{"x":-Infinity}}"#), -32700, "number"),
        ("5", tool(r#"{"name":"a","arguments":{"x":1e400}}"#), -32700, "large_number"),
        ("6", format!("\u{feff}{}", tool(r#"{"name":"a"}"#)), -32700, "byte_order_mark"),
        ("9", tool(r#"{"name":"a","arguments":{"x":"\ud800"}}"#), -32700, "surrogate"),
        ("10", tool(r#"{"name":"a"}"#) + "x", -32700, "trailing"),
        ("10", tool(r#"{"name":"a"}"#) + "{}", -32700, "trailing"),
        ("10", tool(r#"{"name":"a"}"#) + "\0", -32700, "trailing"),
        ("10", tool(r#"{"name":"a"/**/}"#), -32700, "unexpected"),
        ("10", tool(r"{'name':'a'}"), -32700, "unexpected"),
        ("11", format!("[{}]", tool(r#"{"name":"a"}"#)), -32600, "batch"),
        (
            "17",
            tool(r#"{"name":"a"}"#).replacen('{', &format!("{{\"pad\":\"{}\",", "x".repeat(12_000)), 1),
            -32600,
            "unknown_member",
        ),
        (
            "18",
            tool(&format!(r#"{{"name":"a","arguments":{{"x":{}1{}}}}}"#, "[".repeat(20_000), "]".repeat(20_000))),
            -32700,
            "too_deep",
        ),
        ("19", tool(r#"{"name":"a"}"#).replace(":1,", ":7.0,"), -32600, "id"),
        ("19", tool(r#"{"name":"a"}"#).replace(":1,", ":null,"), -32600, "id"),
        ("19", tool(r#"{"name":"a"}"#).replace(":1,", ":{},"), -32600, "id"),
        ("19", tool(r#"{"name":"a"}"#).replace(":1,", ":true,"), -32600, "id"),
        ("19", tool(r#"{"name":"a"}"#).replace(":1,", ":1e400,"), -32700, "large_number"),
        ("20", tool(r#"{"name":"a"}"#).replace("\"id\":1,", ""), -32600, "direction"),
        ("20", call("vendor/do", "{}").replace("\"id\":1,", ""), -32600, "direction"),
        ("20", call("notifications/initialized", "{}"), -32600, "direction"),
        ("21", tool(r#"{"name":"a"},"result":{}"#), -32600, "ambiguous"),
        ("22", tool(r#"["a"]"#), -32600, "params"),
        ("23", call("tools/call ", r#"{"name":"a"}"#), -32600, "method"),
        ("23", call("ｔools/call", r#"{"name":"a"}"#), -32600, "method"),
        ("23", tool(r#"{"name":"delete_\u200brow"}"#), -32602, "parameter"),
        ("23", tool(r#"{"name":"dеlete_row"}"#), -32602, "parameter"),
        ("23", tool(r#"{"name":" a"}"#), -32602, "parameter"),
        ("23", tool(r#"{"name":"a\n"}"#), -32602, "parameter"),
        ("23", tool(r#"{"name":""}"#), -32602, "parameter"),
        ("23", tool(&format!(r#"{{"name":"{}"}}"#, "a".repeat(129))), -32602, "parameter"),
        ("-", tool(r#"{"name":["a"]}"#), -32602, "parameter"),
        ("-", tool("{}"), -32602, "parameter"),
        ("-", tool(r#"{"name":"a","arguments":[]}"#), -32602, "parameter"),
        ("-", tool(r#"{"name":"a","_meta":1}"#), -32602, "parameter"),
        ("-", r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#.into(), -32602, "parameter"),
        ("-", call("resources/read", r#"{"uri":"file:///public/../etc/passwd"}"#), -32602, "parameter"),
        ("-", call("completion/complete", r#"{"ref":{"type":"ref/tool","name":"a"}}"#), -32602, "parameter"),
        (
            "-",
            call("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"a","URI":"b"}}"#),
            -32600,
            "resembling_key",
        ),
        ("-", call("tasks/cancel", r#"{"taskId":"a b"}"#), -32601, "no_such_method"),
    ] {
        let (reason_seen, _) = post(&body, &[]).expect_err(&body);
        assert_eq!((reason_seen.code(), reason_seen.name()), (code, reason), "row {row}: {body}");
        assert_eq!(reason_seen.status(), 400, "row {row}");
        let (other, _) = post(&body, &[VERSION, TOOLS_CALL]).expect_err(&body);
        assert!(matches!(other.status(), 400 | 404), "row {row}: {other:?}");
    }
}

#[test]
fn the_two_places_that_name_the_revision_agree() {
    let body = modern("tools/call", r#""name":"a""#);
    let with = |version: Pairs<'_>, body: &str| {
        post(body, &[version, &[TOOLS_CALL, ("Mcp-Name", b"a")]].concat()).map_err(|(reason, _)| reason)
    };
    assert!(with(&[VERSION], &body).is_ok());
    assert_eq!(with(&[], &body), Err(Reason::MissingHeader(Headers::VERSION)));
    assert_eq!(with(&[VERSION, VERSION], &body), Err(Reason::RepeatedHeader(Headers::VERSION)));
    let old: (&str, &[u8]) = ("MCP-Protocol-Version", b"2025-11-25");
    assert_eq!(with(&[old, VERSION], &body), Err(Reason::RepeatedHeader(Headers::VERSION)));
    assert_eq!(with(&[old], &body), Err(Reason::Mismatch(Headers::VERSION)));
    assert_eq!(with(&[("MCP-Protocol-Version", b"2026\xff")], &body), Err(Reason::MalformedHeader(Headers::VERSION)));
    for (from, to, missing) in [
        (VERSION_KEY, "x", VERSION_KEY),
        (CAPABILITIES_KEY, "x", CAPABILITIES_KEY),
        (r#"{"elicitation":{}}"#, "1", CAPABILITIES_KEY),
        ("\"2026-07-28\"", "20260728", VERSION_KEY),
    ] {
        assert_eq!(with(&[VERSION], &body.replace(from, to)), Err(Reason::Parameter(missing)), "{from}");
    }
    let resembling =
        body.replace("\"_meta\":{", &format!("\"_meta\":{{\"{}\":\"2025-11-25\",", VERSION_KEY.to_uppercase()));
    assert_eq!(with(&[VERSION], &resembling), Err(Reason::ResemblingKey));
    for version in ["2024-11-05", "2027-01-01", "x", ""] {
        let reason =
            with(&[("MCP-Protocol-Version", version.as_bytes())], &call("tools/call", r#"{"name":"a"}"#)).unwrap_err();
        assert_eq!((reason.code(), reason.status()), (-32022, 400), "{version}");
    }
    let answer = post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, &[VERSION]);
    assert_eq!(answer, Err((Reason::Answer, None)));
}

#[test]
fn headers_that_repeat_the_body_agree_with_it_in_every_revision() {
    const NAME: &str = "Mcp-Name";
    let method = |value: &'static str| ("Mcp-Method", value.as_bytes());
    let name = |value: &'static str| (NAME, value.as_bytes());
    let body = (call("tools/call", r#"{"name":"a.b"}"#), modern("tools/call", r#""name":"a.b""#));
    for (headers, old, new) in [
        (vec![TOOLS_CALL, name("a.b")], None, None),
        (vec![TOOLS_CALL, name("  a.b\t")], None, None),
        (vec![TOOLS_CALL, name("=?base64?YS5i?=")], None, None),
        (vec![], None, Some(Reason::MissingHeader("Mcp-Method"))),
        (vec![TOOLS_CALL], None, Some(Reason::MissingHeader(NAME))),
        (vec![name("a.b")], None, Some(Reason::MissingHeader("Mcp-Method"))),
    ] {
        let told = |body: &str, headers: Pairs<'_>| post(body, headers).err().map(|(reason, _)| reason);
        assert_eq!(told(&body.0, &headers), old, "{headers:?}");
        assert_eq!(told(&body.1, &[&[VERSION], &headers[..]].concat()), new, "{headers:?}");
    }
    for (headers, reason) in [
        (vec![method("tools/list"), name("a.b")], Reason::Mismatch("Mcp-Method")),
        (vec![method("Tools/Call"), name("a.b")], Reason::Mismatch("Mcp-Method")),
        (vec![method("=?base64?dG9vbHMvY2FsbA==?="), name("a.b")], Reason::Mismatch("Mcp-Method")),
        (vec![TOOLS_CALL, TOOLS_CALL, name("a.b")], Reason::RepeatedHeader("Mcp-Method")),
        (vec![TOOLS_CALL, name("safe")], Reason::Mismatch(NAME)),
        (vec![TOOLS_CALL, name("A.B")], Reason::Mismatch(NAME)),
        (vec![TOOLS_CALL, name("")], Reason::Mismatch(NAME)),
        (vec![TOOLS_CALL, name("=?BASE64?YS5i?=")], Reason::Mismatch(NAME)),
        (vec![TOOLS_CALL, name("=?base64?YS5i?")], Reason::Mismatch(NAME)),
        (vec![TOOLS_CALL, name("=?base64?=")], Reason::Mismatch(NAME)),
        (vec![TOOLS_CALL, name("=?base64?YS5i=?=")], Reason::MalformedHeader(NAME)),
        (vec![TOOLS_CALL, name("=?base64?/w==?=")], Reason::MalformedHeader(NAME)),
        (vec![TOOLS_CALL, (NAME, b"a.b\xc3\xa9")], Reason::MalformedHeader(NAME)),
        (vec![TOOLS_CALL, name("a.b"), ("mcp-name", b"a.b")], Reason::RepeatedHeader(NAME)),
        (vec![TOOLS_CALL, name("a.b, a.b")], Reason::Mismatch(NAME)),
        (
            vec![TOOLS_CALL, name("a.b"), ("Mcp-Session-Id", b"1"), ("mcp-session-id", b"2")],
            Reason::RepeatedHeader("Mcp-Session-Id"),
        ),
    ] {
        for (body, version) in [(&body.0, None), (&body.1, Some(VERSION))] {
            let headers: Vec<_> = version.into_iter().chain(headers.iter().copied()).collect();
            let expected = Err((reason, Some("1".to_owned())));
            assert_eq!(post(body, &headers), expected, "{headers:?}");
            assert!(matches!(reason.code(), -32020), "{reason:?}");
        }
    }
    // A name where there is none to repeat.
    let listed = post(&call("tools/list", "{}"), &[name("a")]);
    assert_eq!(listed, Err((Reason::Mismatch(NAME), Some("1".to_owned()))));
    let said = r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#;
    assert_eq!(post(said, &[TOOLS_CALL]), Err((Reason::Mismatch("Mcp-Method"), None)));
}

#[test]
fn methods_are_there_in_the_revisions_that_have_them() {
    let [march, june, november, july] = Revision::ALL;
    for (method, revisions) in [
        ("initialize", &[march, june, november][..]),
        ("ping", &[march, june, november]),
        ("tools/call", &[march, june, november, july]),
        ("server/discover", &[july]),
        ("subscriptions/listen", &[july]),
        ("resources/subscribe", &[march, june, november]),
        ("logging/setLevel", &[march, june, november]),
        ("tasks/get", &[november, july]),
        ("tasks/result", &[november]),
        ("tasks/update", &[july]),
        ("notifications/cancelled", &[march, june, november, july]),
    ] {
        let method = Method::of_name(method).unwrap();
        let found: Vec<_> = Revision::ALL.into_iter().filter(|revision| method.is_in(*revision)).collect();
        assert_eq!(found, revisions, "{}", method.name());
    }
    for method in Method::ALL {
        assert_eq!(Method::of_name(method.name()), Some(method));
    }
    assert_eq!(Revision::ALL.map(Revision::is_stateless), [false, false, false, true]);
    let gone = post(&modern("ping", ""), &[VERSION, ("Mcp-Method", b"ping")]).unwrap_err().0;
    assert_eq!((gone.code(), gone.status()), (-32601, 404));
    let early = post(&call("server/discover", "{}"), &[]).unwrap_err().0;
    assert_eq!((early.code(), early.status()), (-32601, 400));
}

#[test]
fn what_acts_is_known_and_so_is_that_unknown_methods_may() {
    for (name, acts) in [
        ("tools/call", true),
        ("prompts/get", true),
        ("resources/unsubscribe", true),
        ("subscriptions/listen", true),
        ("completion/complete", true),
        ("tasks/list", true),
        ("tasks/cancel", false),
        ("tasks/result", false),
        ("vendor/x", true),
        ("Tools/List", true),
        ("tools/list", false),
        ("initialize", false),
        ("ping", false),
        ("notifications/progress", false),
    ] {
        assert_eq!(Named::of(name.into()).acts(), acts, "{name}");
    }
}

#[test]
fn addresses_lead_where_they_say() {
    for uri in [
        "file:///a/b.txt",
        "f:///a%20b%2Fc%",
        "f:///%C3%A9%zz%2",
        "db://users/1?x=..a",
        "test://template/{id}/data",
        "urn:x:y",
        "a:...",
        "http://h/a..b/.c",
    ] {
        assert!(is_uri(uri), "{uri}");
    }
    for uri in [
        "",
        "file:///a/../b",
        "file:///a/..",
        "file:///./b",
        "..",
        "file:///a/%2e%2e/b",
        "file:///a/.%2E/b",
        "f:///a%2f..%2fb",
        "f:///a%252f%252e%252e/b",
        "f:///a\\..\\b",
        "f:///a/..;x/b",
        "f:///a b",
        "f:///a\u{0}",
        "f:///é",
        "f:///a/..?x",
        "f:///a/..#x",
        "f:///%73ecret",
        "f:///secre%74",
        "f:///%2573ecret",
        "f:///a%2Db",
        "f:///a%5Fb",
        &"a".repeat(4097),
    ] {
        assert!(!is_uri(uri), "{uri}");
    }
}

#[test]
fn names_have_the_characters_that_are_allowed() {
    let also = Names::try_from("/: ".to_owned()).unwrap();
    for (name, plain, wide) in
        [("a.b_c-1", true, true), ("a/b: c", false, true), ("a\u{202e}b", false, false), ("é", false, false)]
    {
        assert_eq!((Names::default().allow(name), also.allow(name)), (plain, wide), "{name}");
    }
    for text in ["\n", "é", "\u{200b}", "a\u{0}"] {
        let error = Names::try_from(text.to_owned()).unwrap_err().to_string();
        assert!(error.starts_with("must have only visible characters of ASCII and spaces"), "{error}");
    }
}

#[test]
fn annotations_of_arguments_are_learned_or_the_tool_is_bad() {
    let learn = |schema: &str| {
        let document = Document::read(schema.as_bytes(), LIMITS).unwrap();
        let mut found: Vec<_> =
            annotations(document.root())?.into_iter().map(|it| format!("{} {}", it.name, it.argument)).collect();
        found.sort();
        Ok::<_, BadAnnotation>(found)
    };
    let good = r#"{"type":"object","properties":{
        "region":{"type":"string","x-mcp-header":"Region"},
        "options":{"type":"object","properties":{"limit":{"x-mcp-header":"Limit","type":"integer"}}},
        "x-mcp-header":{"type":"boolean","x-mcp-header":"Odd"},
        "plain":{"type":"array","items":{"type":"string"}}}}"#;
    assert_eq!(
        learn(good),
        Ok(vec!["Limit /options/limit".into(), "Odd /x-mcp-header".into(), "Region /region".into()])
    );
    assert_eq!(learn("{}"), Ok(vec![]));
    for schema in [
        r#"{"x-mcp-header":"A","type":"string"}"#,
        r#"{"properties":{"a":{"x-mcp-header":"A"}}}"#,
        r#"{"properties":{"a":{"x-mcp-header":"A","type":"number"}}}"#,
        r#"{"properties":{"a":{"x-mcp-header":"A","type":["string"]}}}"#,
        r#"{"properties":{"a":{"x-mcp-header":"","type":"string"}}}"#,
        r#"{"properties":{"a":{"x-mcp-header":"A b","type":"string"}}}"#,
        r#"{"properties":{"a":{"x-mcp-header":"A\r\nB","type":"string"}}}"#,
        r#"{"properties":{"a":{"x-mcp-header":1,"type":"string"}}}"#,
        r#"{"properties":{"a":{"x-mcp-header":"A","type":"string"},"b":{"x-mcp-header":"a","type":"string"}}}"#,
        r#"{"properties":{"a":{"type":"array","items":{"x-mcp-header":"A","type":"string"}}}}"#,
        r#"{"anyOf":[{"properties":{"a":{"x-mcp-header":"A","type":"string"}}}]}"#,
        r##"{"$defs":{"a":{"x-mcp-header":"A","type":"string"}}}"##,
    ] {
        assert_eq!(learn(schema), Err(BadAnnotation), "{schema}");
    }
}

#[test]
fn arguments_that_are_repeated_agree() {
    let schema = r#"{"properties":{"s":{"type":"string","x-mcp-header":"S"},"n":{"type":"integer","x-mcp-header":"N"},
        "b":{"type":"boolean","x-mcp-header":"B"},"o":{"properties":{"x":{"type":"string","x-mcp-header":"X"}}}}}"#;
    let schema = Document::read(schema.as_bytes(), LIMITS).unwrap();
    let annotations = annotations(schema.root()).unwrap();
    let param = "Mcp-Param-";
    for (arguments, headers, old, new) in [
        ("{}", vec![], None, None),
        (r#"{"s":null}"#, vec![], None, None),
        (r#"{"s":"x"}"#, vec![("mcp-param-s", "x")], None, None),
        (r#"{"s":"x"}"#, vec![("MCP-PARAM-S", " x ")], None, None),
        (r#"{"s":"é"}"#, vec![("mcp-param-s", "=?base64?w6k=?=")], None, None),
        (r#"{"s":""}"#, vec![("mcp-param-s", "")], None, None),
        (r#"{"n":42}"#, vec![("mcp-param-n", "42.0")], None, None),
        (r#"{"n":4.2e1}"#, vec![("mcp-param-n", "42")], None, None),
        (r#"{"b":true,"o":{"x":"y"}}"#, vec![("mcp-param-b", "true"), ("mcp-param-x", "y")], None, None),
        (r#"{"s":"x","z":1}"#, vec![("mcp-param-s", "x"), ("mcp-param-other", "\u{1}")], None, None),
        (r#"{"s":"x"}"#, vec![], None, Some(Reason::MissingHeader(param))),
        (r#"{"s":"x"}"#, vec![("mcp-param-s", "X")], Some(Reason::Mismatch(param)), None),
        (r#"{"s":"x"}"#, vec![("mcp-param-s", "x"), ("Mcp-Param-S", "x")], Some(Reason::RepeatedHeader(param)), None),
        (r#"{"s":"x"}"#, vec![("mcp-param-s", "x\u{1}")], Some(Reason::MalformedHeader(param)), None),
        (r#"{"s":"x"}"#, vec![("mcp-param-s", "=?base64?eA?=")], Some(Reason::MalformedHeader(param)), None),
        ("{}", vec![("mcp-param-s", "x")], Some(Reason::Mismatch(param)), None),
        (r#"{"s":null}"#, vec![("mcp-param-s", "null")], Some(Reason::Mismatch(param)), None),
        (r#"{"s":["x"]}"#, vec![("mcp-param-s", "x")], Some(Reason::Mismatch(param)), None),
        (r#"{"S":"x"}"#, vec![("mcp-param-s", "x")], Some(Reason::Mismatch(param)), None),
        (r#"{"n":42}"#, vec![("mcp-param-n", "43")], Some(Reason::Mismatch(param)), None),
        (r#"{"n":42}"#, vec![("mcp-param-n", "0x2a")], Some(Reason::Mismatch(param)), None),
        (r#"{"n":9007199254740993}"#, vec![("mcp-param-n", "9007199254740992")], Some(Reason::Mismatch(param)), None),
        (r#"{"b":true}"#, vec![("mcp-param-b", "True")], Some(Reason::Mismatch(param)), None),
    ] {
        let document = Document::read(arguments.as_bytes(), LIMITS).unwrap();
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let told =
            |revision| Headers(&headers).agree_with_arguments(revision, Some(document.root()), &annotations).err();
        assert_eq!(told(Revision::November2025), old, "{arguments} {headers:?}");
        assert_eq!(told(Revision::July2026), old.or(new), "{arguments} {headers:?}");
    }
    assert_eq!(Headers(&[]).agree_with_arguments(Revision::July2026, None, &annotations), Ok(()));
}

#[test]
fn a_refused_call_of_a_tool_is_a_failed_result_and_anything_else_an_error() {
    let document = Document::read(b"7", LIMITS).unwrap();
    let id = json_rpc::Id::of(document.root()).unwrap();
    let answer = |method: &str, revision| {
        let body = Refused::Denied.answer(&id, &Named::of(method.into()), revision, "denied by \"x\"");
        String::from_utf8(body).unwrap()
    };
    let failed =
        r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"denied by \"x\""}],"isError":true}}"#;
    assert_eq!(answer("tools/call", Revision::November2025), failed);
    assert_eq!(answer("tools/call", Revision::July2026), failed.replace("true}", r#"true,"resultType":"complete"}"#));
    let error = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-31001,"message":"denied by \"x\""}}"#;
    assert_eq!(answer("prompts/get", Revision::July2026), error);
    assert_eq!(answer("vendor/x", Revision::March2025), error);
    for refused in [Refused::Denied, Refused::Limited, Refused::Unconfirmed] {
        assert!(!(-32768..=-32000).contains(&refused.code()) && refused.status() != 404);
    }
}

#[test]
fn refusals_are_json_rpc_with_the_id_and_without_the_request() {
    let answer = |body: &str, headers: Pairs<'_>| {
        let document = Document::read(body.as_bytes(), LIMITS).unwrap();
        let fault = Posted::read(&document, Headers(headers), &Names::default()).unwrap_err();
        String::from_utf8(fault.answer()).unwrap()
    };
    assert_eq!(
        answer(r#"{"jsonrpc":"2.0","id":"\u0041","method":"s3cret","S3cret":1}"#, &[]),
        r#"{"jsonrpc":"2.0","id":"\u0041","error":{"code":-32600,"message":"a member that JSON-RPC 2.0 does not have"}}"#
    );
    assert_eq!(
        answer(&call("ping", "{}"), &[("MCP-Protocol-Version", b"2027-01-01")]),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"unsupported protocol version in `MCP-Protocol-Version`","data":{"supported":["2025-03-26","2025-06-18","2025-11-25","2026-07-28"],"requested":"2027-01-01"}}}"#
    );
    assert!(answer(&call("ping", "{}"), &[("MCP-Protocol-Version", b"s3cret-\"x")]).ends_with(r#""2026-07-28"]}}}"#));
    assert!(!answer(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, &[]).contains("\"id\""));
    let large = Document::read(b"{}", Limits { bytes: 1, nodes: 1 }).unwrap_err();
    assert_eq!(Fault::from(large).reason.status(), 413);
    assert_eq!(Reason::MissingCapability("elicitation").code(), -32021);
    assert_eq!(Reason::Message(json_rpc::Reason::Batch).name(), "batch");
    assert_eq!(Target::Resources(vec![]).name(), None);
}

#[test]
fn the_revision_before_streamable_http_is_refused_by_name() {
    let initialize = |version: &str| call("initialize", &format!(r#"{{"protocolVersion":"{version}"}}"#));
    let reason = post(&initialize("2024-11-05"), &[]).unwrap_err().0;
    assert_eq!((reason.name(), reason.code(), reason.status()), ("http_sse_transport", -32602, 400));
    for version in ["2025-03-26", "2099-01-01", "2024-11-06"] {
        post(&initialize(version), &[]).unwrap();
    }
}

#[test]
fn every_task_that_a_request_names_is_told() {
    const VERSION: (&str, &[u8]) = ("MCP-Protocol-Version", b"2026-07-28");
    let method = |name: &'static str| ("Mcp-Method", name.as_bytes());
    let listen = |ids: &str| modern("subscriptions/listen", &format!(r#""notifications":{{{ids}}}"#));
    for (ids, expected) in [
        ("", Ok("")),
        (r#""taskIds":[]"#, Ok("")),
        (r#""taskIds":["a","b"]"#, Ok("a b")),
        (r#""taskIds":"a""#, Err(Reason::Parameter("taskIds"))),
        (r#""taskIds":["a b"]"#, Err(Reason::Parameter("taskIds"))),
        (r#""taskids":["a"]"#, Err(Reason::ResemblingKey)),
    ] {
        let text = listen(ids);
        let document = Document::read(text.as_bytes(), Limits { bytes: 1 << 16, nodes: 1000 }).unwrap();
        let headers = [VERSION, method("subscriptions/listen")];
        let posted = Posted::read(&document, Headers(&headers), &Names::default()).map_err(|fault| fault.reason);
        let found = posted.map(|posted| match posted.content {
            Content::Call(call) => call.tasks.join(" "),
            _ => panic!("a call"),
        });
        assert_eq!(found, expected.map(str::to_owned), "{ids}");
    }
}

use super::{
    AnswerReader, Awaited, Editor, Entry, Expected, Fault, Form, List, Onward, Outcome, Purpose, Saying, Shown, Tally,
    Verdict,
};
use crate::json::{self, Document, Limits, Value};
use crate::json_rpc::{Id, Reason};
use crate::mcp::Revision;
use crate::redact::Redactor;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Limits = Limits { bytes: 1 << 12, nodes: 500 };
const PURPOSES: [Purpose; 4] = [Purpose::Watch, Purpose::Inspect, Purpose::Filter(List::Tools), Purpose::FilterAny];

/// Hides what begins with `secret`, keeps back what the server says of `secret`, and redacts what it is told to.
#[derive(Default)]
struct Strict {
    results: Vec<String>,
    replacement: Option<&'static str>,
    redactor: Option<Redactor>,
}

/// One that redacts `TOKEN`, and nothing else.
fn redacting() -> Strict {
    let redactor = tollgate_config::read(r#"{"also": ["TOKEN"], "in": ["results"]}"#).unwrap();
    Strict { redactor: Some(redactor), ..Strict::default() }
}

impl Editor for Strict {
    fn entry(&mut self, entry: &Entry<'_, '_>) -> Shown {
        assert!(entry.value.is_object());
        if entry.name.starts_with("secret") { Shown::No } else { Shown::Yes }
    }

    fn result(&mut self, id: &Id<'_>, result: Value<'_, '_>) -> Verdict {
        self.results.push(format!("{} {}", id.raw(), result.raw()));
        self.replacement.map_or(Verdict::Pass, |message| Verdict::Replace(message.as_bytes().to_vec()))
    }

    fn saying(&mut self, saying: Saying<'_, '_, '_>) -> Shown {
        if saying.method.contains("secret") { Shown::No } else { Shown::Yes }
    }

    fn redactor(&self) -> Option<&Redactor> {
        self.redactor.as_ref()
    }
}

fn id(raw: &str) -> Id<'static> {
    let document = Document::read(raw.as_bytes(), LIMITS).unwrap();
    Id::of(document.root()).unwrap().into_owned()
}

fn to_one(purpose: Purpose) -> Expected {
    Expected { awaited: Awaited::Response(id("1")), purpose, revision: Revision::November2025 }
}

fn read<'c>(
    form: Form,
    expected: Expected,
    chunks: impl IntoIterator<Item = &'c [u8]>,
    editor: &mut Strict,
) -> (String, Tally) {
    let mut reader = AnswerReader::new(form, expected, LIMITS);
    let mut out = Vec::new();
    let mut chunks = chunks.into_iter().peekable();
    while let Some(chunk) = chunks.next() {
        let was_passing = reader.is_passing();
        let is_last = chunks.peek().is_none();
        let onward = if is_last { reader.last(chunk, editor) } else { reader.push(chunk, editor) };
        assert!(!was_passing || onward == Onward::Unchanged);
        match onward {
            Onward::Unchanged => out.extend_from_slice(chunk),
            Onward::Bytes(bytes) => out.extend(bytes),
        }
        assert!(reader.held() <= LIMITS.bytes * 3 && (!reader.is_passing() || reader.held() == 0));
    }
    let rest = reader.finish(editor);
    assert!(rest.is_empty() || out.is_empty(), "after the last chunk there is nothing");
    out.extend(rest);
    (String::from_utf8_lossy(&out).into_owned(), *reader.tally())
}

fn json(purpose: Purpose, body: &str) -> (String, Tally) {
    read(Form::Json, to_one(purpose), [body.as_bytes()], &mut Strict::default())
}

fn stream(purpose: Purpose, raw: &str) -> (String, Tally) {
    read(Form::EventStream, to_one(purpose), [raw.as_bytes()], &mut Strict::default())
}

fn event(data: &str) -> String {
    format!("event: message\ndata: {data}\n\n")
}

fn result(result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#)
}

/// What a client is told of a fault.
fn told(fault: Fault) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-31004,"message":"{}"}}}}"#,
        fault.to_string().replace('"', "\\\"")
    )
}

/// `|` stands for a line end. Nothing here is to be changed, whoever reads it and why.
const ODD: &str = concat!(
    "\u{feff}: hello||",
    "id: 0|data:||",
    "retry: 10||||",
    ": keep-alive||",
    "event: message|id: a|data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{ \"progress\" :1.50e0}}||",
    "data:{\"jsonrpc\":\"2.0\",|data|:comment|data: \"id\":\"x\",|data: \"method\":\"ping\"}|id|unknown: y||",
    "data: not json|event: other||",
    ": two||:three|",
    "data: { \"result\" :{\"tools\":[ {\"name\":\"a\"} , {\"name\":\"b\\u0041\"}],|data:  \"isError\":false},\"jsonrpc\":\"2.0\",\"id\": 1 }|retry: 1||",
    "|:bye||||",
);

#[test]
fn where_nothing_is_to_be_changed_every_byte_of_a_stream_stays_however_it_comes() {
    for line_end in ["\n", "\r", "\r\n"] {
        let raw = ODD.replace('|', line_end);
        for purpose in PURPOSES {
            let told = |chunks: &[&[u8]]| {
                let editor = &mut redacting();
                read(Form::EventStream, to_one(purpose), chunks.iter().copied(), editor)
            };
            let (out, tally) = told(&[raw.as_bytes()]);
            assert_eq!(out, raw, "{purpose:?}");
            assert_eq!((tally.outcome, tally.requests, tally.notifications), (Outcome::Result, 1, 1), "{purpose:?}");
            assert_eq!((tally.dropped, tally.fault, tally.bytes), (0, None, u64::try_from(raw.len()).unwrap()));
            let bytes: Vec<&[u8]> = raw.as_bytes().chunks(1).collect();
            assert_eq!(told(&bytes), (out.clone(), tally));
            for at in 0..raw.len() {
                let (head, tail) = raw.as_bytes().split_at(at);
                assert_eq!(told(&[head, b"", tail]), (out.clone(), tally), "cut at {at}");
            }
        }
    }
}

#[test]
fn what_came_of_a_request_is_told_by_every_answer() {
    for (answer, outcome) in [
        (result("{}"), Outcome::Result),
        (result(r#"{"content":[],"isError":false,"resultType":"complete"}"#), Outcome::Result),
        (result(r#"{"content":[],"isError":true}"#), Outcome::ToolError),
        (result(r#"{"content":[],"isError":"true"}"#), Outcome::Result),
        (result(r#"{"resultType":"input_required","requestState":"x"}"#), Outcome::InputRequired),
        (result(r#"{"resultType":"task","taskId":"x"}"#), Outcome::Task),
        (result(r#"{"task":{"taskId":"x","status":"working"}}"#), Outcome::Task),
        (result(r#"{"resultType":"complete","task":{"taskId":"x"}}"#), Outcome::Result),
        (result("[]"), Outcome::Result),
        (r#" {"error":{"code":-32602,"message":"x"},"id":1,"jsonrpc":"2.0"} "#.into(), Outcome::Error(Some(-32602))),
        (r#"{"error":{"code":1.5},"id":1,"jsonrpc":"2.0"}"#.into(), Outcome::Error(None)),
        (r#"{"error":{"code":-32700},"id":null,"jsonrpc":"2.0"}"#.into(), Outcome::Error(Some(-32700))),
    ] {
        for purpose in [Purpose::Watch, Purpose::Inspect] {
            let told = |(out, tally): (String, Tally)| (out, tally.outcome, tally.fault);
            assert_eq!(told(json(purpose, &answer)), (answer.clone(), outcome, None));
            assert_eq!(told(stream(purpose, &event(&answer))), (event(&answer), outcome, None));
        }
    }
    assert_eq!(stream(Purpose::Inspect, ": nothing\n\n").1.outcome, Outcome::None);
}

#[test]
fn a_list_has_what_the_caller_may_see_and_all_else_stays() {
    for (list, from, to, shown, hidden) in [
        (List::Tools, r#"{"tools":[]}"#, r#"{"tools":[]}"#, 0, 0),
        (
            List::Tools,
            r#"{ "nextCursor":"x", "tools" : [ {"name":"a"} , {"name":"secret1", "x":[1,{}]}, {"name":"b" } ] ,"_meta":{}}"#,
            r#"{ "nextCursor":"x", "tools" : [ {"name":"a"}, {"name":"b" } ] ,"_meta":{}}"#,
            2,
            1,
        ),
        (
            List::Tools,
            r#"{"tools":[ {"name":"secret1"}, {"name":"\u0073ecret2"} , {"name":"a"},{"name":"secret3"} ]}"#,
            r#"{"tools":[ {"name":"a"} ]}"#,
            1,
            3,
        ),
        (List::Tools, r#"{"tools":[ {"name":"secret1"} ,{"name":"secret2"} ]}"#, r#"{"tools":[  ]}"#, 0, 2),
        (List::Prompts, r#"{"prompts":[{"name":"secret"},{"name":"p"}]}"#, r#"{"prompts":[{"name":"p"}]}"#, 1, 1),
        (
            List::Resources,
            r#"{"resources":[{"name":"secret","uri":"a:b"},{"name":"n","uri":"secret:x"}]}"#,
            r#"{"resources":[{"name":"secret","uri":"a:b"}]}"#,
            1,
            1,
        ),
        (
            List::Templates,
            r#"{"resourceTemplates":[{"uriTemplate":"secret:{x}"},{"uriTemplate":"a:{x}"}]}"#,
            r#"{"resourceTemplates":[{"uriTemplate":"a:{x}"}]}"#,
            1,
            1,
        ),
    ] {
        let (from, to) = (result(from), result(to));
        for purpose in [Purpose::Filter(list), Purpose::FilterAny] {
            for ((out, tally), expected) in
                [(json(purpose, &from), to.clone()), (stream(purpose, &event(&from)), event(&to))]
            {
                assert_eq!(out, expected);
                assert_eq!(
                    (tally.shown, tally.hidden, tally.fault, tally.outcome),
                    (shown, hidden, None, Outcome::Result)
                );
            }
        }
    }
}

#[test]
fn no_cache_keeps_for_others_what_one_caller_may_see() {
    for (from, legacy, modern) in [
        (r#"{"tools":[]}"#, r#"{"tools":[]}"#, r#"{"tools":[],"cacheScope":"private"}"#),
        (
            r#"{"cacheScope":"public","tools":[{"name":"secret"}]}"#,
            r#"{"cacheScope":"private","tools":[]}"#,
            r#"{"cacheScope":"private","tools":[]}"#,
        ),
        (
            r#"{"tools":[], "cacheScope" : "priv\u0061te"}"#,
            r#"{"tools":[], "cacheScope" : "priv\u0061te"}"#,
            r#"{"tools":[], "cacheScope" : "priv\u0061te"}"#,
        ),
        (
            r#"{"tools":[], "cacheScope" : {"public":true}}"#,
            r#"{"tools":[], "cacheScope" : "private"}"#,
            r#"{"tools":[], "cacheScope" : "private"}"#,
        ),
    ] {
        for (revision, to) in [(Revision::November2025, legacy), (Revision::July2026, modern)] {
            let expected = Expected { revision, ..to_one(Purpose::Filter(List::Tools)) };
            let (out, _) = read(Form::Json, expected, [result(from).as_bytes()], &mut Strict::default());
            assert_eq!(out, result(to), "{revision:?}");
        }
        assert_eq!(json(Purpose::Inspect, &result(from)).0, result(from));
    }
}

#[test]
fn what_cannot_be_read_is_an_error_in_its_place_where_it_is_decided_upon() {
    let message = |reason| Fault::Message(Reason::Json(json::Fault { reason, at: 0 }));
    let named = |tools: &str| result(&format!(r#"{{"tools":[{tools}]}}"#));
    for (answer, fault) in [
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[],"tools":[]}}"#.into(), message(json::Reason::DuplicateKey)),
        (format!("[{}]", result(r#"{"tools":[]}"#)), Fault::Message(Reason::Batch)),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"method":"x"}"#.into(), Fault::Message(Reason::Ambiguous)),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"Result":{}}"#.into(), Fault::Message(Reason::UnknownMember)),
        (r#"{"id":1,"result":{"tools":[]}}"#.into(), Fault::Message(Reason::Version)),
        ("hello".into(), message(json::Reason::Unexpected)),
        (result(r#"{"tools":{}}"#), Fault::NotAList),
        (result("{}"), Fault::NotAList),
        (result("[]"), Fault::NotAList),
        (result(r#"{"Tools":[]}"#), Fault::ResemblingKey),
        (result(r#"{"tools":[],"TOOLS":[]}"#), Fault::ResemblingKey),
        (result(r#"{"tools":[],"CacheScope":"public"}"#), Fault::ResemblingKey),
        (named(r#"{"name":"a","Name":"b"}"#), Fault::ResemblingKey),
        (named(r#"{"name":1}"#), Fault::NotAnEntry),
        (named(r#"{}"#), Fault::NotAnEntry),
        (named(r#""a""#), Fault::NotAnEntry),
        (named(r#"{"name":"a"},{"name":"b"},{"name":"\u0061"}"#), Fault::DuplicateEntry),
        (named(&vec!["{}"; 500].join(",")), message(json::Reason::TooManyNodes)),
    ] {
        let purpose = Purpose::Filter(List::Tools);
        let same = |found: Option<Fault>| match (found, fault) {
            (Some(Fault::Message(Reason::Json(found))), Fault::Message(Reason::Json(fault))) => {
                found.reason == fault.reason
            }
            (found, fault) => found == Some(fault),
        };
        let (out, tally) = json(purpose, &answer);
        assert!(same(tally.fault) && out == told(tally.fault.unwrap()), "{answer} {out}");
        let first = ": hi\n\n".to_owned() + &event(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#);
        let (out, tally) = stream(purpose, &format!("{first}{}{}", event(&answer), event(&result(r#"{"tools":[]}"#))));
        assert!(same(tally.fault), "{answer} {tally:?}");
        assert_eq!(out, format!("{first}data: {}\n\n", told(tally.fault.unwrap())));
        // Where nothing is decided it is the client's, but for several responses at once.
        let (out, tally) = json(Purpose::Watch, &answer);
        let batch = (fault == Fault::Message(Reason::Batch)).then_some(fault);
        assert_eq!((out, tally.fault), (batch.map_or_else(|| answer.clone(), told), batch));
        assert_eq!(stream(Purpose::Watch, &event(&answer)).0, event(&answer));
    }
}

#[test]
fn json_must_be_the_response_to_the_request() {
    for answer in [
        r#"{"jsonrpc":"2.0","id":"1","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":2,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":2,"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/secret"}"#,
    ] {
        let (out, tally) = json(Purpose::Inspect, answer);
        assert_eq!((out, tally.fault), (told(Fault::NotTheResponse), Some(Fault::NotTheResponse)), "{answer}");
        assert_eq!(tally.outcome, Outcome::None);
        let (out, tally) = json(Purpose::Watch, answer);
        let expected = if answer.contains("sampling") {
            (answer.to_owned(), None)
        } else {
            (told(Fault::NotTheResponse), Some(Fault::NotTheResponse))
        };
        assert_eq!((out, tally.fault), expected, "{answer}");
    }
    let empty = json::Fault { reason: json::Reason::Incomplete, at: 0 };
    assert_eq!(json(Purpose::Inspect, "").1.fault, Some(Fault::Message(Reason::Json(empty))));
    // The answer to a notification has no body.
    let nothing = Expected { awaited: Awaited::Nothing, ..to_one(Purpose::Inspect) };
    let (out, tally) = read(Form::Json, nothing, [], &mut Strict::default());
    assert_eq!((out.as_str(), tally), ("", Tally::default()));
}

#[test]
fn json_that_says_it_is_a_stream_is_refused_and_a_stream_that_says_it_is_json() {
    let answer = result(r#"{"tools":[]}"#);
    for raw in [answer.clone(), format!("\r\n\n\u{feff} {answer}\n\n"), format!("[{answer}]")] {
        for size in [1, 7, raw.len()] {
            let chunks = raw.as_bytes().chunks(size);
            let (out, tally) = read(Form::EventStream, to_one(Purpose::Inspect), chunks, &mut Strict::default());
            assert_eq!((out, tally.fault), (format!("data: {}\n\n", told(Fault::NotEvents)), Some(Fault::NotEvents)));
        }
    }
    assert!(matches!(json(Purpose::Inspect, &event(&answer)).1.fault, Some(Fault::Message(Reason::Json(_)))));
}

#[test]
fn a_client_gets_one_response_and_none_to_what_it_did_not_ask() {
    let good = event(&result("{}"));
    let stray = |id: &str| format!("id: 7\ndata: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"tools\":[]}}}}\n\n");
    for purpose in [Purpose::Watch, Purpose::Inspect] {
        for line_end in ["\n", "\r", "\r\n"] {
            let ended = |raw: String| raw.replace('\n', line_end);
            let raw = ended([stray("2"), stray("\"1\""), good.clone(), stray("1"), ": end\n\n".into()].concat());
            for size in [1, raw.len()] {
                let chunks = raw.as_bytes().chunks(size);
                let (out, tally) = read(Form::EventStream, to_one(purpose), chunks, &mut Strict::default());
                assert_eq!(out, ended(good.clone() + ": end\n\n"), "{purpose:?} {line_end:?} {size}");
                assert_eq!((tally.outcome, tally.dropped), (Outcome::Result, 3));
            }
        }
    }
    let nothing = Expected { awaited: Awaited::Nothing, ..to_one(Purpose::Watch) };
    let (out, tally) = read(Form::EventStream, nothing, [good.as_bytes()], &mut Strict::default());
    assert_eq!((out.as_str(), tally.dropped), ("", 1));
    // To what it could not read a server answers without an id: that is no response yet.
    let unnamed = event(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}"#);
    let (out, tally) = stream(Purpose::Inspect, &format!("{unnamed}{good}"));
    assert_eq!((out, tally.outcome), (unnamed + &good, Outcome::Result));
}

#[test]
fn lists_on_a_stream_that_goes_on_are_filtered_whatever_was_asked() {
    let list = |key: &str, id: u8, more: &str| {
        event(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"{key}":[{{"name":"a"}}{more}]}}}}"#))
    };
    let more = r#",{"name":"secret"}"#;
    let raw = [list("tools", 5, more), list("prompts", 6, more), event(&result("{}"))].concat();
    let expected = Expected { awaited: Awaited::Resumed, ..to_one(Purpose::FilterAny) };
    let (out, tally) = read(Form::EventStream, expected.clone(), [raw.as_bytes()], &mut Strict::default());
    assert_eq!(out, [list("tools", 5, ""), list("prompts", 6, ""), event(&result("{}"))].concat());
    assert_eq!((tally.shown, tally.hidden, tally.dropped), (2, 2, 0));
    // Nobody in particular waits for an error.
    let (out, tally) = read(Form::EventStream, expected, [event("{").as_bytes()], &mut Strict::default());
    assert!(out.is_empty() && tally.fault.is_some());
}

#[test]
fn an_event_that_the_end_cuts_off_is_not_passed_on() {
    let whole = event(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#);
    for purpose in PURPOSES {
        for cut in ["data: {}", "data: {}\n", "id: 5\n", ": half a comm", "\u{feff}"] {
            let (out, tally) = stream(purpose, &format!("{whole}{cut}"));
            assert_eq!((out, tally.fault), (whole.clone(), None), "{cut:?}");
        }
    }
}

#[test]
fn what_the_server_asks_and_says_is_counted_and_can_be_kept_back() {
    let asked = r#"{"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{}}"#;
    let said = r#"{"jsonrpc":"2.0","method":"notifications/message"}"#;
    let kept_back = r#"{"jsonrpc":"2.0","id":10,"method":"secret/ask","params":{}}"#;
    let raw = [asked, kept_back, said, &result("{}")].map(event).concat();
    for purpose in [Purpose::Watch, Purpose::Inspect] {
        let (out, tally) = stream(purpose, &raw);
        assert_eq!(out, [asked, said, &result("{}")].map(event).concat());
        assert_eq!((tally.requests, tally.notifications, tally.dropped), (2, 1, 1));
    }
}

#[test]
fn what_is_large_passes_unread_where_it_is_only_watched() {
    let large = result(&format!(r#"{{"content":"{}"}}"#, "x".repeat(LIMITS.bytes)));
    for size in [1000, 100_000] {
        let chunks = large.as_bytes().chunks(size);
        let (out, tally) = read(Form::Json, to_one(Purpose::Watch), chunks, &mut Strict::default());
        assert_eq!((out, tally.outcome), (large.clone(), Outcome::Unread));
        assert_eq!(tally.bytes, u64::try_from(large.len()).unwrap());
        let raw = [event(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#), event(&large), event(&large)].concat();
        let chunks = raw.as_bytes().chunks(size);
        let (out, tally) = read(Form::EventStream, to_one(Purpose::Watch), chunks, &mut Strict::default());
        assert_eq!((out, tally.outcome, tally.notifications), (raw, Outcome::Unread, 1));
    }
    let mut reader = AnswerReader::new(Form::Json, to_one(Purpose::Watch), LIMITS);
    reader.push(large.as_bytes(), &mut Strict::default());
    assert!(reader.is_passing() && reader.held() == 0);
    let mut told = AnswerReader::new(Form::Json, to_one(Purpose::Watch), LIMITS);
    assert!(!told.lets_pass(LIMITS.bytes) && told.lets_pass(LIMITS.bytes + 1) && told.lets_pass(1));
    assert_eq!(told.tally().outcome, Outcome::Unread);
    assert!(!AnswerReader::new(Form::Json, to_one(Purpose::Inspect), LIMITS).lets_pass(LIMITS.bytes + 1));
    reader.skip(10);
    assert_eq!(reader.tally().bytes, u64::try_from(large.len() + 10).unwrap());
}

#[test]
fn what_is_large_is_an_error_where_it_is_decided_upon() {
    let large = result(&format!(r#"{{"content":"{}"}}"#, "x".repeat(LIMITS.bytes)));
    for size in [1000, 100_000] {
        let chunks = large.as_bytes().chunks(size);
        let (out, tally) = read(Form::Json, to_one(Purpose::Inspect), chunks, &mut Strict::default());
        assert_eq!((out, tally.fault), (told(Fault::TooLarge), Some(Fault::TooLarge)));
        let said = event(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#);
        let raw = [said.clone(), event(&large), said.clone()].concat();
        let chunks = raw.as_bytes().chunks(size);
        let (out, tally) = read(Form::EventStream, to_one(Purpose::Inspect), chunks, &mut Strict::default());
        assert_eq!(out, format!("{said}data: {}\n\n", told(Fault::TooLarge)));
        assert_eq!(tally.fault, Some(Fault::TooLarge));
    }
}

#[test]
fn what_is_redacted_is_replaced_and_all_else_stays() {
    let cases = [
        (
            result(r#"{ "content":[ {"type":"text","text":"a T\u004fKEN\n"}, "TOKEN" ],"TOKEN":1 }"#),
            result(
                r#"{ "content":[ {"type":"text","text":"a [redacted:also]\n"}, "[redacted:also]" ],"[redacted:also] 1":1 }"#,
            ),
            3,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"TOKEN","data":["TOKEN"]}}"#.into(),
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"[redacted:also]","data":["[redacted:also]"]}}"#
                .into(),
            2,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"TOKEN"}}"#.into(),
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"[redacted:also]"}}"#.into(),
            1,
        ),
        // What is left out is not counted.
        (
            result(r#"{"tools":[{"name":"secret","x":"TOKEN"},{"name":"a","x":"TOKEN"}],"cacheScope":"TOKEN"}"#),
            result(r#"{"tools":[{"name":"a","x":"[redacted:also]"}],"cacheScope":"private"}"#),
            1,
        ),
        // What the client hands back stays, at its place and nowhere else.
        (
            result(
                r#"{"requestState":"TOKEN","nextCursor":"TOKEN","task":{"taskId":"TOKEN"},"a":{"nextCursor":"TOKEN"}}"#,
            ),
            result(
                r#"{"requestState":"TOKEN","nextCursor":"TOKEN","task":{"taskId":"TOKEN"},"a":{"nextCursor":"[redacted:also]"}}"#,
            ),
            1,
        ),
    ];
    for (from, to, redacted) in cases {
        let raw = format!("id: 1\ndata: {from}\n: x\n\n");
        for size in [1, raw.len()] {
            let chunks = raw.as_bytes().chunks(size);
            let (out, tally) = read(Form::EventStream, to_one(Purpose::FilterAny), chunks, &mut redacting());
            assert_eq!((out, tally.redacted), (format!("id: 1\ndata: {to}\n: x\n\n"), redacted));
        }
    }
}

#[test]
fn a_result_is_shown_to_the_editor_who_can_replace_it() {
    let with = |form, raw: &str| {
        let editor = &mut Strict { replacement: Some("{\"a\":\r1}"), ..Strict::default() };
        let (out, _) = read(form, to_one(Purpose::Inspect), [raw.as_bytes()], editor);
        (out, editor.results.clone())
    };
    let seen = vec![r#"1 {"serverInfo":{}}"#.to_owned()];
    let answer = result(r#"{"serverInfo":{}}"#);
    assert_eq!(with(Form::Json, &answer), ("{\"a\":\r1}".to_owned(), seen.clone()));
    // All lines but those of data stay.
    for line_end in ["\n", "\r", "\r\n"] {
        let from = format!("\u{feff}:c|event: message|data:{}|id: 5|data|||", answer).replace('|', line_end);
        let to = "\u{feff}:c|event: message|data: {\"a\":|data: 1}|id: 5|||".replace('|', line_end);
        assert_eq!(with(Form::EventStream, &from), (to, seen.clone()));
    }
}

#[test]
fn an_event_of_another_name_is_read_if_it_is_a_message() {
    let raw =
        ["event: ping\ndata: x\n\n".to_owned(), event(&result("{}")).replace("message", "other"), event(&result("{}"))];
    let (out, tally) = stream(Purpose::Inspect, &raw.concat());
    assert_eq!((out, tally.dropped), (raw[..2].concat(), 1));
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod any_answer {
    use super::{
        Awaited, Expected, Form, List, Onward, PURPOSES, Purpose, Strict, Tally, event, id, json, read, redacting,
        result, to_one,
    };
    use crate::mcp::Revision;
    use proptest::prelude::*;
    use serde_json::{Value as Tree, json as tree};

    /// Streams and bodies made of the pieces that matter, in any order.
    fn raw() -> impl Strategy<Value = Vec<u8>> {
        let notification = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
        let pieces = vec![
            "data: ".to_owned(),
            "data:".into(),
            "event: message\n".into(),
            "event: x\r".into(),
            ": c".into(),
            "id: 1\r\n".into(),
            "\n".into(),
            "\n\n".into(),
            "\r".into(),
            "\r\n".into(),
            "\r\n\r\n".into(),
            "\u{feff}".into(),
            " ".into(),
            "{".into(),
            "[".into(),
            "\"".into(),
            "x".repeat(3000),
            notification.into(),
            event(notification),
            result("{}"),
            event(&result("{}")),
            event(&result(r#"{"tools":[{"name":"a"},{"name":"secret"}]}"#)).replace('\n', "\r\n"),
            event(&result(r#"{"tools":[{"name":"a"},{"name":"a"}]}"#)).replace('\n', "\r"),
            event(&result(r#"{"prompts":[{"name":"secret","x":"TOKEN"}]}"#)),
            event(&result("{}").replace(":1,", ":2,")).replace('\n', "\r\n"),
            event(r#"{"jsonrpc":"2.0","id":2,"method":"secret","params":{"a":"TOKEN"}}"#).replace('\n', "\r"),
        ];
        let piece = prop_oneof![
            20 => prop::sample::select(pieces).prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 0..4),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    fn expected() -> impl Strategy<Value = Expected> {
        let awaited = prop::sample::select(vec![Awaited::Nothing, Awaited::Response(id("1")), Awaited::Resumed]);
        let revision = prop::sample::select(vec![Revision::March2025, Revision::July2026]);
        let purpose = prop::sample::select(PURPOSES.to_vec());
        (awaited, purpose, revision).prop_map(|(awaited, purpose, revision)| Expected { awaited, purpose, revision })
    }

    fn chunks<'a>(raw: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(raw.len() + 1)).collect();
        cuts.extend([0, raw.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|cut| &raw[cut[0]..cut[1]]).collect()
    }

    fn whole_and_in_pieces(
        form: Form,
        expected: &Expected,
        raw: &[u8],
        cuts: &[prop::sample::Index],
    ) -> [(String, Tally); 2] {
        [vec![raw], chunks(raw, cuts)].map(|chunks| {
            let editor = &mut redacting();
            read(form, expected.clone(), chunks, editor)
        })
    }

    fn entry() -> impl Strategy<Value = Tree> {
        ("(secret)?[a-z\"é]{0,6}", "[ -~\\n]{0,12}", any::<i32>())
            .prop_map(|(name, text, number)| tree!({"name": name, "inputSchema": {"x": [text, number]}}))
    }

    proptest! {
        #[test]
        fn what_the_client_gets_does_not_depend_on_how_it_comes(
            raw in raw(),
            expected in expected(),
            is_json in any::<bool>(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let form = if is_json { Form::Json } else { Form::EventStream };
            let [whole, pieces] = whole_and_in_pieces(form, &expected, &raw, &cuts);
            prop_assert_eq!(whole, pieces);
        }

        #[test]
        fn a_filtered_list_has_exactly_what_is_shown(
            entries in prop::collection::vec(entry(), 0..12),
            more in prop::collection::btree_map("[a-d]{1,3}", any::<i32>(), 0..4),
            is_pretty in any::<bool>(),
        ) {
            let mut entries = entries;
            entries.sort_by_key(|entry| entry["name"].to_string());
            entries.dedup_by_key(|entry| entry["name"].to_string());
            let mut result = tree!(more);
            result["tools"] = entries.into();
            let message = tree!({"jsonrpc": "2.0", "id": 1, "result": result});
            let text = if is_pretty { serde_json::to_string_pretty(&message).unwrap() } else { message.to_string() };
            let mut wanted = message;
            let is_shown = |entry: &Tree| !entry["name"].as_str().unwrap().starts_with("secret");
            wanted["result"]["tools"].as_array_mut().unwrap().retain(is_shown);
            let shown = wanted["result"]["tools"].as_array().unwrap().len();

            let (out, tally) = json(Purpose::Filter(List::Tools), &text);
            prop_assert_eq!(serde_json::from_str::<Tree>(&out).unwrap(), wanted.clone());
            prop_assert_eq!(usize::try_from(tally.shown).unwrap(), shown);
            let lines = format!("data: {}\n\n", text.replace('\n', "\ndata: "));
            let (out, _) = super::stream(Purpose::Filter(List::Tools), &lines);
            prop_assert_eq!(serde_json::from_str::<Tree>(&out.replace("data: ", "")).unwrap(), wanted);
        }

        #[test]
        fn json_passes_as_it_is_or_is_replaced_by_json(body in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut reader = super::AnswerReader::new(Form::Json, to_one(Purpose::Inspect), super::LIMITS);
            let held = reader.push(&body, &mut Strict::default());
            prop_assert!(body.is_empty() || held == Onward::Bytes(Vec::new()));
            let out = reader.finish(&mut Strict::default());
            prop_assert!(reader.tally().fault.is_none() || serde_json::from_slice::<Tree>(&out).is_ok());
        }
    }
}

#[test]
fn a_server_of_the_old_transport_is_told_by_name() {
    for purpose in PURPOSES {
        let stream = "event: endpoint\ndata: /messages?session=1\n\ndata: {}\n\n";
        let (out, tally) = read(Form::EventStream, to_one(purpose), [stream.as_bytes()], &mut Strict::default());
        assert_eq!(tally.fault.map(Fault::name), Some("http_sse_transport"), "{purpose:?}");
        assert!(!out.contains("/messages") && out.contains("HTTP+SSE"), "{out}");
    }
}

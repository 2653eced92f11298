use super::{AnswerReader, Expected, Fault, Form, Judge, Onward, Outcome, Purpose, Seen, Shown, State, Tally, Verdict};
use crate::a2a::{Binding, Dialect, Error, Operation, Version};
use crate::json::{Document, Limits};
use crate::json_rpc::Id;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Limits = Limits { bytes: 1 << 12, nodes: 500 };
const RPC_1: Dialect = Dialect { binding: Binding::JsonRpc, version: Version::V1_0 };
const RPC_03: Dialect = Dialect { binding: Binding::JsonRpc, version: Version::V0_3 };
const HTTP_1: Dialect = Dialect { binding: Binding::HttpJson, version: Version::V1_0 };
const HTTP_03: Dialect = Dialect { binding: Binding::HttpJson, version: Version::V0_3 };

/// Lets nobody see what is in the context `bob`, and tells its own words of what is not there.
#[derive(Default)]
struct Owner {
    seen: Vec<String>,
}

impl Owner {
    fn is_foreign(seen: &Seen<'_>) -> bool {
        seen.context.as_deref() == Some("bob")
    }
}

impl Judge for Owner {
    fn seen(&mut self, seen: &Seen<'_>) -> Verdict {
        let name = |id: Option<&str>| id.unwrap_or("-").to_owned();
        self.seen.push(format!("{:?} {} {}", seen.what, name(seen.task.as_deref()), name(seen.context.as_deref())));
        if Self::is_foreign(seen) { Verdict::Refuse(b"\"no\"".to_vec()) } else { Verdict::Pass }
    }

    fn listed(&mut self, seen: &Seen<'_>) -> Shown {
        if Self::is_foreign(seen) { Shown::No } else { Shown::Yes }
    }

    fn error(&mut self, code: Option<i32>) -> Verdict {
        if code == Some(Error::TaskNotFound.code()) { Verdict::Refuse(b"\"no\"".to_vec()) } else { Verdict::Pass }
    }
}

fn id(raw: &str) -> Id<'static> {
    let document = Document::read(raw.as_bytes(), LIMITS).unwrap();
    Id::of(document.root()).unwrap().into_owned()
}

fn expected(dialect: Dialect, operation: Operation) -> Expected {
    let id = (dialect.binding == Binding::JsonRpc).then(|| id("1"));
    Expected { dialect, id, operation: Some(operation), is_error: false, purpose: Purpose::Inspect }
}

fn read<'c>(
    form: Form,
    expected: &Expected,
    chunks: impl IntoIterator<Item = &'c [u8]>,
    owner: &mut Owner,
) -> (String, Tally) {
    let mut reader = AnswerReader::new(form, expected.clone(), LIMITS);
    let mut out = Vec::new();
    let mut chunks = chunks.into_iter().peekable();
    while let Some(chunk) = chunks.next() {
        let is_last = chunks.peek().is_none();
        match if is_last { reader.last(chunk, owner) } else { reader.push(chunk, owner) } {
            Onward::Unchanged => out.extend_from_slice(chunk),
            Onward::Bytes(bytes) => out.extend(bytes),
        }
        assert!(reader.held() <= LIMITS.bytes * 3 && (!reader.is_passing() || reader.held() == 0));
    }
    out.extend(reader.finish(owner));
    (String::from_utf8_lossy(&out).into_owned(), reader.tally().clone())
}

fn json(expected: &Expected, body: &str) -> (String, Tally) {
    read(Form::Json, expected, [body.as_bytes()], &mut Owner::default())
}

/// The result as it comes in this binding.
fn wrapped(dialect: Dialect, result: &str) -> String {
    match dialect.binding {
        Binding::JsonRpc => format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#),
        _ => result.to_owned(),
    }
}

#[test]
fn every_answer_says_its_task_context_and_state() {
    use Operation::{CancelTask, GetTask, SendMessage};
    let task =
        |state: &str| format!(r#"{{"id":"t","contextId":"c","status":{{"state":"{state}"}},"artifacts":[{{}},{{}}]}}"#);
    let flat = |state: &str| task(state).replacen('{', r#"{"kind":"task","#, 1);
    for (dialect, operation, result, outcome, state, artifacts) in [
        (
            RPC_1,
            SendMessage,
            format!(r#"{{"task":{}}}"#, task("TASK_STATE_COMPLETED")),
            Outcome::Task,
            Some(State::Completed),
            2,
        ),
        (
            HTTP_1,
            SendMessage,
            format!(r#"{{"task":{}}}"#, task("TASK_STATE_AUTH_REQUIRED")),
            Outcome::Task,
            Some(State::AuthRequired),
            2,
        ),
        (
            HTTP_03,
            SendMessage,
            format!(r#"{{"task":{}}}"#, task("TASK_STATE_CANCELLED")),
            Outcome::Task,
            Some(State::Canceled),
            2,
        ),
        (RPC_03, SendMessage, flat("input-required"), Outcome::Task, Some(State::InputRequired), 2),
        (RPC_03, GetTask, flat("auth-required"), Outcome::Task, Some(State::AuthRequired), 2),
        (RPC_1, GetTask, task("TASK_STATE_WORKING"), Outcome::Task, Some(State::Working), 2),
        (HTTP_1, CancelTask, task("TASK_STATE_CANCELED"), Outcome::Task, Some(State::Canceled), 2),
        (HTTP_03, GetTask, task("TASK_STATE_NEW_ONE"), Outcome::Task, Some(State::Unknown), 2),
        (
            RPC_1,
            SendMessage,
            r#"{"message":{"messageId":"m","contextId":"c","taskId":"t"}}"#.to_owned(),
            Outcome::Message,
            None,
            0,
        ),
        (HTTP_03, SendMessage, r#"{"msg":{"context_id":"c","task_id":"t"}}"#.to_owned(), Outcome::Message, None, 0),
        (
            RPC_03,
            SendMessage,
            r#"{"kind":"message","contextId":"c","taskId":"t"}"#.to_owned(),
            Outcome::Message,
            None,
            0,
        ),
    ] {
        let body = wrapped(dialect, &result);
        let (out, tally) = json(&expected(dialect, operation), &body);
        assert_eq!((out, tally.fault), (body, None));
        assert_eq!((tally.outcome, tally.state, tally.artifacts), (outcome, state, artifacts), "{result}");
        assert_eq!((tally.task.as_deref(), tally.context.as_deref()), (Some("t"), Some("c")), "{result}");
        assert_eq!(tally.states.iter().collect::<Vec<_>>(), state.into_iter().collect::<Vec<_>>());
    }
}

/// `|` stands for a line end. Nothing here is to be changed.
fn odd(dialect: Dialect) -> String {
    let events = match dialect.version {
        Version::V1_0 => [
            r#"{ "task":{"id":"t","contextId":"c","status":{"state":"TASK_STATE_SUBMITTED"}}}"#,
            r#"{"artifactUpdate":{"taskId":"t","contextId":"c","artifact":{"artifactId":"a"}}}"#,
            r#"{"artifact_update":{"task_id":"t","context_id":"c","append":true,"artifact":{"artifactId":"a"}}}"#,
            r#"{"statusUpdate":{"taskId":"t","contextId":"c","status":{"state":"TASK_STATE_AUTH_REQUIRED"}}}"#,
        ],
        Version::V0_3 => [
            r#"{ "kind":"task","id":"t","contextId":"c","status":{"state":"submitted"}}"#,
            r#"{"kind":"artifact-update","taskId":"t","contextId":"c","artifact":{"artifactId":"a"}}"#,
            r#"{"kind":"artifact-update","taskId":"t","contextId":"c","append":true,"artifact":{"artifactId":"a"}}"#,
            r#"{"kind":"status-update","taskId":"t","contextId":"c","status":{"state":"auth-required"},"final":true}"#,
        ],
    };
    let [first, second, third, fourth] = events.map(|event| wrapped(dialect, event));
    let third = third.replacen(',', ",|data:  ", 1);
    format!(
        ": hello||id: 0|data: {first}||retry: 10||||: alive||data:{second}|event: x||data: {third}||data:||data: {fourth}||:bye||"
    )
}

#[test]
fn a_stream_goes_on_byte_for_byte_and_in_order_however_it_comes() {
    for dialect in [RPC_1, RPC_03, HTTP_1] {
        for line_end in ["\n", "\r", "\r\n"] {
            let raw = odd(dialect).replace('|', line_end);
            for purpose in [Purpose::Watch, Purpose::Inspect] {
                let expected = Expected { purpose, ..expected(dialect, Operation::SendStreamingMessage) };
                let told = |chunks: &[&[u8]]| {
                    let owner = &mut Owner::default();
                    let (out, tally) = read(Form::EventStream, &expected, chunks.iter().copied(), owner);
                    (out, tally, owner.seen.clone())
                };
                let (out, tally, seen) = told(&[raw.as_bytes()]);
                assert_eq!(out, raw, "{purpose:?}");
                assert_eq!((tally.outcome, tally.payloads, tally.artifacts), (Outcome::Task, 4, 1));
                let states: Vec<_> = tally.states.iter().collect();
                assert_eq!(
                    (states.as_slice(), tally.state),
                    (&[State::Submitted, State::AuthRequired][..], Some(State::AuthRequired))
                );
                assert_eq!(
                    (tally.task.as_deref(), tally.context.as_deref(), tally.fault),
                    (Some("t"), Some("c"), None)
                );
                let shown = [
                    "Task(0) t c",
                    "ArtifactUpdate { appends: false } t c",
                    "ArtifactUpdate { appends: true } t c",
                    "StatusUpdate t c",
                ];
                assert_eq!(seen, if purpose == Purpose::Watch { &[][..] } else { &shown[..] });
                let bytes: Vec<&[u8]> = raw.as_bytes().chunks(1).collect();
                assert_eq!(told(&bytes), (out.clone(), tally.clone(), seen.clone()));
                for at in (0..raw.len()).step_by(7) {
                    let (head, tail) = raw.as_bytes().split_at(at);
                    assert_eq!(told(&[head, b"", tail]), (out.clone(), tally.clone(), seen.clone()), "cut at {at}");
                }
            }
        }
    }
}

#[test]
fn what_belongs_to_another_never_reaches_the_client() {
    let mine = r#"{"task":{"id":"t","contextId":"ann","status":{"state":"TASK_STATE_WORKING"}}}"#;
    let foreign = r#"{"statusUpdate":{"taskId":"u","contextId":"bob","status":{"state":"TASK_STATE_COMPLETED"}}}"#;
    for (dialect, end) in [(RPC_1, "data: \"no\"\n\n"), (HTTP_1, "event: error\ndata: \"no\"\n\n")] {
        let event = |payload| format!("data: {}\n\n", wrapped(dialect, payload));
        let raw = [event(mine), event(foreign), event(mine)].concat();
        let (out, tally) = read(
            Form::EventStream,
            &expected(dialect, Operation::SubscribeToTask),
            [raw.as_bytes()],
            &mut Owner::default(),
        );
        assert_eq!(out, event(mine) + end);
        assert_eq!(tally.fault, Some(Fault::Refused));
    }
    let task = r#"{"id":"u","contextId":"bob"}"#;
    assert_eq!(json(&expected(RPC_1, Operation::GetTask), &wrapped(RPC_1, task)).0, "\"no\"");
    assert_eq!(json(&expected(HTTP_1, Operation::GetTask), task).0, "\"no\"");
}

/// Agents say it in many ways; the judge may say it in its own.
#[test]
fn a_task_that_is_not_there_is_known_in_every_binding() {
    let is_error = |dialect| Expected { is_error: true, ..expected(dialect, Operation::GetTask) };
    for (dialect, body, code) in [
        (RPC_1, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"gone"}}"#, Some(-32001)),
        (RPC_1, r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}"#, Some(-32700)),
        (
            HTTP_1,
            r#"{"error":{"code":404,"status":"NOT_FOUND","details":[{"reason":"TASK_NOT_FOUND"}]}}"#,
            Some(-32001),
        ),
        (HTTP_1, r#"{"error":{"code":404,"message":"no such path"}}"#, Some(404)),
        (HTTP_03, r#"{"type":"TaskNotFoundError","message":"gone"}"#, Some(-32001)),
        (HTTP_03, r#"{"message":"gone"}"#, None),
    ] {
        let (out, tally) = json(&is_error(dialect), body);
        assert_eq!(tally.outcome, Outcome::Error(code), "{body}");
        assert_eq!(out, if code == Some(-32001) { "\"no\"" } else { body });
    }
    let raw = "event: error\ndata: {\"error\":{\"code\":404,\"details\":[{\"reason\":\"TASK_NOT_FOUND\"}]}}\n\n";
    let (out, _) =
        read(Form::EventStream, &expected(HTTP_1, Operation::SubscribeToTask), [raw.as_bytes()], &mut Owner::default());
    assert_eq!(out, "event: error\ndata: \"no\"\n\n");
}

#[test]
fn a_list_shows_what_is_the_callers_and_counts_no_more() {
    let task = |id: &str, context: &str| {
        format!(r#"{{"id":"{id}","contextId":"{context}","status":{{"state":"TASK_STATE_WORKING"}}}}"#)
    };
    let (ann, bob) = (task("t", "ann"), task("u", "bob"));
    for (dialect, before, after, shown, hidden) in [
        (
            RPC_1,
            format!(r#"{{"tasks":[{bob}, {ann} ,{bob}],"totalSize":3}}"#),
            format!(r#"{{"tasks":[{ann}],"totalSize":1}}"#),
            1,
            2,
        ),
        (
            HTTP_1,
            format!(r#"{{"tasks":[{ann},{ann}], "total_size":9}}"#),
            format!(r#"{{"tasks":[{ann},{ann}], "total_size":9}}"#),
            2,
            0,
        ),
        (HTTP_03, format!(r#"{{"tasks":[{bob}]}}"#), r#"{"tasks":[]}"#.to_owned(), 0, 1),
        (RPC_03, format!("[{bob},{ann}]"), format!("[{ann}]"), 1, 1),
        (HTTP_1, "{}".to_owned(), "{}".to_owned(), 0, 0),
    ] {
        let (out, tally) = json(&expected(dialect, Operation::ListTasks), &wrapped(dialect, &before));
        assert_eq!((out, tally.fault), (wrapped(dialect, &after), None));
        assert_eq!((tally.outcome, tally.shown, tally.hidden), (Outcome::Tasks, shown, hidden));
        assert_eq!((tally.task, tally.context), (None, None));
        let watching = Expected { purpose: Purpose::Watch, ..expected(dialect, Operation::ListTasks) };
        assert_eq!(json(&watching, &wrapped(dialect, &before)).0, wrapped(dialect, &before));
    }
}

#[test]
fn what_clients_read_differently_is_not_passed_on_but_where_it_is_only_watched() {
    use Operation::{DeletePushConfig, GetTask, ListTasks, SendMessage};
    for (dialect, operation, body, fault) in [
        (HTTP_1, GetTask, r#"{"id":"t","contextId":"a","context_id":"b"}"#, "both_spellings"),
        (HTTP_1, GetTask, r#"{"id":"t","id":"u"}"#, "duplicate_key"),
        (HTTP_1, GetTask, r#"{"id":"t","ContextId":"b"}"#, "resembling_key"),
        (HTTP_1, GetTask, r#"{"contextId":"a"}"#, "payload"),
        (HTTP_1, GetTask, r#"{"id":"a b"}"#, "payload"),
        (HTTP_1, GetTask, r#"{"id":"t","status":"done"}"#, "payload"),
        (HTTP_1, GetTask, r#"{"id":"t","artifacts":{}}"#, "payload"),
        (HTTP_1, GetTask, "", "not_the_response"),
        (HTTP_1, SendMessage, r#"{"task":{"id":"t"},"message":{}}"#, "payload"),
        (HTTP_1, SendMessage, r#"{"id":"t"}"#, "payload"),
        (HTTP_1, SendMessage, "no", "unexpected"),
        (RPC_03, SendMessage, r#"{"jsonrpc":"2.0","id":1,"result":{"kind":"other"}}"#, "payload"),
        (RPC_1, GetTask, r#"{"jsonrpc":"2.0","id":2,"result":{"id":"t"}}"#, "not_the_response"),
        (RPC_1, GetTask, r#"{"jsonrpc":"2.0","id":1,"result":{"id":"t"},"error":{}}"#, "ambiguous"),
        (RPC_1, GetTask, r#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{}}"#, "not_the_response"),
        (RPC_1, DeletePushConfig, "", "incomplete"),
        (HTTP_1, ListTasks, r#"{"tasks":{}}"#, "payload"),
        (HTTP_1, ListTasks, r#"{"tasks":[{}]}"#, "payload"),
    ] {
        let (out, tally) = json(&expected(dialect, operation), body);
        assert_eq!(tally.fault.map(Fault::name), Some(fault), "{body}");
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(told.get("error").is_some() || told.get("type").is_some(), "{out}");
        let watching = Expected { purpose: Purpose::Watch, ..expected(dialect, operation) };
        let (out, tally) = json(&watching, body);
        assert_eq!((out.as_str(), tally.fault), (body, None));
    }
    assert_eq!(json(&expected(HTTP_1, DeletePushConfig), "").1.fault, None);
}

#[test]
fn what_is_too_large_is_refused_or_passed_on_and_never_held() {
    let large = format!(r#"{{"id":"t","x":"{}"}}"#, "a".repeat(LIMITS.bytes));
    let raw = format!("data: {large}\n\ndata: {{}}\n\n");
    for (form, body) in [(Form::Json, &large), (Form::EventStream, &raw)] {
        let chunks = || body.as_bytes().chunks(100);
        let (out, tally) = read(form, &expected(HTTP_1, Operation::GetTask), chunks(), &mut Owner::default());
        assert_eq!(tally.fault, Some(Fault::TooLarge));
        assert!(out.contains("INVALID_AGENT_RESPONSE") && !out.contains("aaa"), "{out}");
        let watching = Expected { purpose: Purpose::Watch, ..expected(HTTP_1, Operation::GetTask) };
        let (out, tally) = read(form, &watching, chunks(), &mut Owner::default());
        assert_eq!((&out, tally.outcome, tally.fault), (body, Outcome::Unread, None));
    }
    let watching = Expected { purpose: Purpose::Watch, ..expected(HTTP_1, Operation::GetTask) };
    let mut told = AnswerReader::new(Form::Json, watching, LIMITS);
    assert!(!told.lets_pass(LIMITS.bytes) && told.lets_pass(LIMITS.bytes + 1) && told.lets_pass(1));
    assert_eq!(told.tally().outcome, Outcome::Unread);
    let mut told = AnswerReader::new(Form::Json, expected(HTTP_1, Operation::GetTask), LIMITS);
    assert!(!told.lets_pass(LIMITS.bytes + 1));
    let (out, tally) = read(
        Form::EventStream,
        &expected(HTTP_1, Operation::SubscribeToTask),
        [&b"\n{\"task\":{}}"[..]],
        &mut Owner::default(),
    );
    assert_eq!(tally.fault, Some(Fault::NotEvents));
    assert!(out.starts_with("event: error\ndata: {"), "{out}");
}

#[test]
fn every_state_has_a_name_in_each_version() {
    for state in State::ALL {
        let name = state.name();
        assert_eq!(State::of_text(&name.replace('_', "-")), state);
        assert_eq!(State::of_text(&format!("TASK_STATE_{}", name.to_ascii_uppercase())), state);
    }
    for text in ["", "TASK_STATE_", "TASK_STATE_UNSPECIFIED", "Completed", "input_required", "TASK_STATE_completed"] {
        assert_eq!(State::of_text(text), State::Unknown, "{text}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    #[test]
    fn what_comes_out_does_not_depend_on_cuts(
        events in proptest::collection::vec(proptest::sample::select(vec![
            r#"data: {"task":{"id":"t","contextId":"ann"}}"#, r#"data: {"message":{"contextId":"bob"}}"#, "event: error", ": x", "",
            r#"data: {"statusUpdate":{"taskId":"t","status":{"state":"TASK_STATE_FAILED"}}}"#, "data: {", "data:", "id: 1",
        ]), 0..12),
        size in 1_usize..20,
        watches: bool,
    ) {
        let raw = events.join("\n\n");
        let purpose = if watches { Purpose::Watch } else { Purpose::Inspect };
        let expected = Expected { purpose, ..expected(HTTP_1, Operation::SendStreamingMessage) };
        let whole = read(Form::EventStream, &expected, [raw.as_bytes()], &mut Owner::default());
        let pieces = read(Form::EventStream, &expected, raw.as_bytes().chunks(size), &mut Owner::default());
        proptest::prop_assert_eq!(&pieces, &whole);
        proptest::prop_assert!(!whole.0.contains("bob") || watches);
    }
}

use super::{Arrival, Binding, Body, Call, Fault, Head, Operation, Reason, SkillKeys, Version};
use crate::headers::Headers;
use crate::json::{Document, Limits};
use crate::json_rpc;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

mod refusals;

const LIMITS: Limits = Limits { bytes: 1 << 16, nodes: 2000 };
const V1: (&str, &[u8]) = ("a2a-version", b"1.0");
const JSON: (&str, &[u8]) = ("content-type", b"application/json");
type Pairs<'h> = &'h [(&'h str, &'h [u8])];

/// Reads a request; what of it is wrong as the word in records.
fn ask<T>(
    method: &str,
    path: &str,
    headers: Pairs<'_>,
    body: &str,
    then: impl FnOnce(&Call<'_, '_>, Option<&Document<'_>>) -> T,
) -> Result<T, String> {
    let told = |fault: Fault<'_>| {
        let answer = fault.answer();
        let is_json =
            fault.dialect.binding == Binding::Grpc || serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok();
        assert!(is_json && (answer.status >= 400 || fault.dialect.binding == Binding::JsonRpc), "{answer:?}");
        fault.reason.name().to_owned()
    };
    let arrival = Arrival::of(Head { method, path, headers: Headers(headers) }).map_err(told)?;
    let request = match arrival {
        Arrival::Card => return Err("card".to_owned()),
        Arrival::Grpc(operation) => return Err(format!("grpc {operation:?}")),
        Arrival::Request(request) => request,
    };
    let document = match body {
        "" => None,
        body => Some(Document::read(body.as_bytes(), LIMITS).map_err(|fault| told(request.fault(fault.into())))?),
    };
    let call = request.read(document.as_ref(), &SkillKeys::default()).map_err(told)?;
    assert_eq!(call.dialect.binding, request.dialect().binding);
    Ok(then(&call, document.as_ref()))
}

/// Everything that is read, as far as it says something.
fn shown(call: &Call<'_, '_>) -> String {
    let mut out =
        format!("{} {} {}", call.dialect.binding.name(), call.dialect.version.name(), call.operation.as_str());
    for (name, text) in [
        ("tenant", &call.tenant),
        ("context", &call.context),
        ("task", &call.task),
        ("message", &call.message_id),
        ("skill", &call.skill),
        ("push_id", &call.push_id),
    ] {
        if let Some(text) = text {
            out.push_str(&format!(" {name}={text}"));
        }
    }
    if !call.references.is_empty() {
        out.push_str(&format!(" references={}", call.references.join(",")));
    }
    for push in &call.push {
        out.push_str(&format!(" push={}", push.url));
        out.extend(push.token.iter().map(|token| format!("+{token}")));
        out.extend(push.schemes.iter().map(|scheme| format!("+{scheme}")));
        out.extend(push.credentials.iter().map(|credentials| format!("+{credentials}")));
    }
    if !call.extensions.is_empty() {
        out.push_str(&format!(" extensions={}", call.extensions.join(",")));
    }
    out.extend(call.history.map(|history| format!(" history={history}")));
    out.push_str(if call.waits { " waits" } else { "" });
    out.push_str(if call.claims_actors { " claims" } else { "" });
    out
}

fn read(method: &str, path: &str, headers: Pairs<'_>, body: &str) -> Result<String, String> {
    ask(method, path, headers, body, |call, _| shown(call))
}

fn rpc(version: Version, method: &str, params: &str) -> Result<String, String> {
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    match version {
        Version::V0_3 => read("POST", "/", &[JSON], &body),
        Version::V1_0 => read("POST", "", &[JSON, V1], &body),
    }
}

fn http(version: Version, method: &str, path: &str, body: &str) -> Result<String, String> {
    let version = (V1.0, version.name().as_bytes());
    if body.is_empty() { read(method, path, &[version], body) } else { read(method, path, &[version, JSON], body) }
}

#[test]
fn one_model_of_eleven_operations_over_json_rpc_in_both_versions() {
    let message = r#"{"message":{"messageId":"m","role":"ROLE_USER","parts":[],"contextId":"c","taskId":"t","referenceTaskIds":["r","s"]}}"#;
    for (v1_0, v0_3, params_1_0, params_0_3, shown) in [
        ("SendMessage", "message/send", message, message, "context=c task=t message=m references=r,s waits"),
        ("SendStreamingMessage", "message/stream", message, message, "context=c task=t message=m references=r,s"),
        (
            "GetTask",
            "tasks/get",
            r#"{"id":"t","historyLength":3}"#,
            r#"{"id":"t","historyLength":"3"}"#,
            "task=t history=3",
        ),
        ("ListTasks", "tasks/list", r#"{"contextId":"c"}"#, r#"{"contextId":"c"}"#, "context=c"),
        ("CancelTask", "tasks/cancel", r#"{"id":"t"}"#, r#"{"id":"t"}"#, "task=t"),
        ("SubscribeToTask", "tasks/resubscribe", r#"{"id":"t"}"#, r#"{"id":"t"}"#, "task=t"),
        (
            "CreateTaskPushNotificationConfig",
            "tasks/pushNotificationConfig/set",
            r#"{"taskId":"t","url":"https://a","token":"k","authentication":{"scheme":"Bearer","credentials":"x"}}"#,
            r#"{"taskId":"t","pushNotificationConfig":{"url":"https://a","token":"k","authentication":{"schemes":["Bearer"],"credentials":"x"}}}"#,
            "task=t push=https://a+k+Bearer+x",
        ),
        (
            "GetTaskPushNotificationConfig",
            "tasks/pushNotificationConfig/get",
            r#"{"taskId":"t","id":"p"}"#,
            r#"{"id":"t","pushNotificationConfigId":"p"}"#,
            "task=t push_id=p",
        ),
        (
            "ListTaskPushNotificationConfigs",
            "tasks/pushNotificationConfig/list",
            r#"{"taskId":"t"}"#,
            r#"{"id":"t"}"#,
            "task=t",
        ),
        (
            "DeleteTaskPushNotificationConfig",
            "tasks/pushNotificationConfig/delete",
            r#"{"taskId":"t","id":"p"}"#,
            r#"{"id":"t","pushNotificationConfigId":"p"}"#,
            "task=t push_id=p",
        ),
        ("GetExtendedAgentCard", "agent/getAuthenticatedExtendedCard", "{}", "{}", ""),
    ] {
        let expected = |version| Ok(format!("JSONRPC {version} {v1_0} {shown}").trim_end().to_owned());
        assert_eq!(rpc(Version::V1_0, v1_0, params_1_0), expected("1.0"));
        assert_eq!(rpc(Version::V0_3, v0_3, params_0_3), expected("0.3"));
        // The names of one version are not those of the other.
        assert_eq!(rpc(Version::V0_3, v1_0, params_1_0), Err("version_mismatch".to_owned()));
        assert_eq!(rpc(Version::V1_0, v0_3, params_0_3), Err("version_mismatch".to_owned()));
        let snake = |json: &str| {
            json.replace("contextId", "context_id")
                .replace("taskId", "task_id")
                .replace("referenceTaskIds", "reference_task_ids")
                .replace("historyLength", "history_length")
                .replace("messageId", "message_id")
                .replace("pushNotificationConfigId", "push_notification_config_id")
                .replace("pushNotificationConfig\"", "push_notification_config\"")
        };
        assert_eq!(rpc(Version::V1_0, v1_0, &snake(params_1_0)), expected("1.0"));
        assert_eq!(rpc(Version::V0_3, v0_3, &snake(params_0_3)), expected("0.3"));
    }
}

#[test]
fn the_same_model_over_http_with_and_without_a_tenant() {
    let message = r#"{"message":{"messageId":"m","contextId":"c"}}"#;
    for (method, path, body, shown) in [
        ("POST", "/message:send", message, "SendMessage context=c message=m waits"),
        ("POST", "/message:stream", message, "SendStreamingMessage context=c message=m"),
        ("GET", "/tasks/t?historyLength=2", "", "GetTask task=t history=2"),
        ("GET", "/tasks?contextId=c&pageSize=5", "", "ListTasks context=c"),
        ("GET", "/tasks?context_id=c%2D1", "", "ListTasks context=c-1"),
        ("GET", "/tasks", "", "ListTasks"),
        ("POST", "/tasks/t:cancel", "", "CancelTask task=t"),
        ("POST", "/tasks/t:cancel", "{}", "CancelTask task=t"),
        ("GET", "/tasks/t:subscribe", "", "SubscribeToTask task=t"),
        ("POST", "/tasks/t:subscribe", "", "SubscribeToTask task=t"),
        (
            "POST",
            "/tasks/t/pushNotificationConfigs",
            r#"{"url":"https://a","taskId":"t"}"#,
            "CreateTaskPushNotificationConfig task=t push=https://a",
        ),
        ("GET", "/tasks/t/pushNotificationConfigs/p", "", "GetTaskPushNotificationConfig task=t push_id=p"),
        ("GET", "/tasks/t/pushNotificationConfigs", "", "ListTaskPushNotificationConfigs task=t"),
        ("DELETE", "/tasks/t/pushNotificationConfigs/p", "", "DeleteTaskPushNotificationConfig task=t push_id=p"),
        // Ids that are written as addresses want them, or look like other things.
        ("GET", "/tasks/a%3Db%2Bc", "", "GetTask task=a=b+c"),
        ("GET", "/tasks/a:b", "", "GetTask task=a:b"),
        ("POST", "/tasks/a:b:cancel", "", "CancelTask task=a:b"),
        ("GET", "/%74asks/t", "", "GetTask task=t"),
        ("GET", "/tasks/tasks", "", "GetTask task=tasks"),
    ] {
        let (operation, rest) = shown.split_once(' ').unwrap_or((shown, ""));
        let expected = |version: &str, tenant: &str| {
            Ok(format!("HTTP+JSON {version} {operation} {tenant}{rest}").trim_end().to_owned())
        };
        assert_eq!(http(Version::V1_0, method, path, body), expected("1.0", ""), "{path}");
        assert_eq!(
            http(Version::V1_0, method, &format!("/acme{path}"), body),
            expected("1.0", "tenant=acme "),
            "{path}"
        );
        assert_eq!(http(Version::V0_3, method, &format!("/v1{path}"), body), expected("0.3", ""), "{path}");
        assert_eq!(http(Version::V0_3, method, path, body), Err("version_mismatch".to_owned()), "{path}");
        assert_eq!(http(Version::V1_0, method, &format!("/v1{path}"), body), Err("version_mismatch".to_owned()));
        let other = format!("/a/b{path}");
        let named = other.split('?').next().unwrap();
        assert_eq!(http(Version::V1_0, method, &other, body), Ok(format!("HTTP+JSON 1.0 {method} {named}")));
    }
    assert_eq!(
        http(Version::V1_0, "GET", "/extendedAgentCard", ""),
        Ok("HTTP+JSON 1.0 GetExtendedAgentCard".to_owned())
    );
    assert_eq!(http(Version::V0_3, "GET", "/v1/card", ""), Ok("HTTP+JSON 0.3 GetExtendedAgentCard".to_owned()));
}

/// As the official client of version 0.3 writes it: the names of protocol buffers, resources by name.
#[test]
fn version_0_3_over_http_is_read_as_its_clients_write_it() {
    let send = r#"{"request":{"message_id":"m","context_id":"c","task_id":"t","content":[{"text":"hi"}]},
        "configuration":{"blocking":true,"history_length":2,"push_notification":{"url":"https://a","authentication":{"schemes":["Basic"]}}}}"#;
    let set = r#"{"parent":"tasks/t","config_id":"p","config":{"name":"tasks/t/pushNotificationConfigs/p",
        "push_notification_config":{"id":"p","url":"https://a","token":"k"}}}"#;
    let bare = r#"{"name":"tasks/t/pushNotificationConfigs/p","pushNotificationConfig":{"url":"https://a"}}"#;
    let path = "/v1/tasks/t/pushNotificationConfigs";
    for (path, body, expected) in [
        ("/v1/message:send", send, Ok("SendMessage context=c task=t message=m push=https://a+Basic history=2 waits")),
        (path, set, Ok("CreateTaskPushNotificationConfig task=t push=https://a+k")),
        (path, bare, Ok("CreateTaskPushNotificationConfig task=t push=https://a")),
        (path, r#"{"parent":"tasks/u","config":{"pushNotificationConfig":{"url":"https://a"}}}"#, Err("disagreement")),
        (path, r#"{"config":{"name":"tasks/u/x","pushNotificationConfig":{"url":"https://a"}}}"#, Err("disagreement")),
        ("/v1/tasks/t:cancel", r#"{"name":"tasks/t"}"#, Ok("CancelTask task=t")),
        ("/v1/tasks/t:cancel", r#"{"name":"tasks/u"}"#, Err("disagreement")),
        ("/v1/tasks/t:cancel", r#"{"name":"u"}"#, Err("parameter")),
        ("/v1/message:send", r#"{"request":{},"message":{}}"#, Err("both_spellings")),
    ] {
        let expected = expected.map(|shown| format!("HTTP+JSON 0.3 {shown}")).map_err(str::to_owned);
        assert_eq!(http(Version::V0_3, "POST", path, body), expected, "{body}");
    }
    assert_eq!(http(Version::V1_0, "POST", "/message:send", r#"{"request":{}}"#), Err("parameter".to_owned()));
}

#[test]
fn every_place_where_an_address_can_be_registered_is_seen() {
    let send = |configuration: &str| format!(r#"{{"message":{{}},"configuration":{{{configuration}}}}}"#);
    let url = r#"{"url":"https://a"}"#;
    for configuration in [
        format!(r#""pushNotificationConfig":{url}"#),
        format!(r#""push_notification_config":{url}"#),
        format!(r#""taskPushNotificationConfig":{url}"#),
        format!(r#""task_push_notification_config":{url}"#),
        format!(r#""taskPushNotificationConfig":{{"pushNotificationConfig":{url}}}"#),
        format!(r#""pushNotification":{url}"#),
    ] {
        for (version, method) in [(Version::V1_0, "SendMessage"), (Version::V0_3, "message/stream")] {
            let read = rpc(version, method, &send(&configuration)).unwrap();
            assert!(read.contains("push=https://a"), "{configuration}: {read}");
        }
    }
    let two = r#""pushNotificationConfig":{"url":"https://a"},"taskPushNotificationConfig":{"url":"https://b"}"#;
    let read = rpc(Version::V1_0, "SendMessage", &send(two)).unwrap();
    assert!(read.contains("push=https://a push=https://b"), "{read}");
    for params in [
        r#"{"taskId":"t","url":"https://a","pushNotificationConfig":{"url":"https://b"}}"#,
        r#"{"taskId":"t","url":"https://a","config":{"pushNotificationConfig":{"url":"https://b"}}}"#,
    ] {
        let read = rpc(Version::V1_0, "CreateTaskPushNotificationConfig", params).unwrap();
        assert!(read.contains("push=https://a push=https://b"), "{read}");
    }
    for (params, fault) in [
        (r#"{"taskId":"t"}"#, "parameter"),
        (r#"{"taskId":"t","url":""}"#, "parameter"),
        (r#"{"taskId":"t","url":["https://a"]}"#, "parameter"),
        (r#"{"taskId":"","url":"https://a"}"#, "parameter"),
        (r#"{"url":"https://a"}"#, "parameter"),
        (r#"{"taskId":"t","url":"https://a","Url":"https://b"}"#, "resembling_key"),
        (r#"{"taskId":"t","url":"https://a","authentication":"x"}"#, "parameter"),
    ] {
        assert_eq!(rpc(Version::V1_0, "CreateTaskPushNotificationConfig", params), Err(fault.to_owned()), "{params}");
    }
    let empty = send(r#""pushNotificationConfig":{}"#);
    assert_eq!(rpc(Version::V1_0, "SendMessage", &empty), Err("parameter".to_owned()));
}

#[test]
fn bodies_that_agents_read_differently_are_refused() {
    let send = |text: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{text}}}"#);
    for (body, fault) in [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"a"},"method":"CancelTask"}"#.to_owned(),
            "duplicate_key",
        ),
        (send(r#"{"message":{"contextId":"a","contextId":"b"}}"#), "duplicate_key"),
        (send(r#"{"message":{"contextId":"a","context_id":"b"}}"#), "both_spellings"),
        (send(r#"{"message":{"contextId":null,"context_id":"b"}}"#), "both_spellings"),
        (send(r#"{"message":{"contextID":"a"}}"#), "resembling_key"),
        (send(r#"{"message":{"context_Id":"a"}}"#), "resembling_key"),
        (send(r#"{"message":{"taskId":"a","TASKID":"b"}}"#), "resembling_key"),
        (send(r#"{"Message":{}}"#), "resembling_key"),
        (send(r#"{"message":{},"Configuration":{}}"#), "resembling_key"),
        (send(r#"{"message":[]}"#), "parameter"),
        (send("{}"), "parameter"),
        (send(r#"{"message":{"contextId":7}}"#), "parameter"),
        (send(r#"{"message":{"taskId":"a b"}}"#), "parameter"),
        (send(r#"{"message":{"taskId":"a\nb"}}"#), "parameter"),
        (send(r#"{"message":{"taskId":"ü"}}"#), "parameter"),
        (send(&format!(r#"{{"message":{{"taskId":"{}"}}}}"#, "a".repeat(257))), "parameter"),
        (send(r#"{"message":{"referenceTaskIds":"a"}}"#), "parameter"),
        (send(r#"{"message":{"referenceTaskIds":["a",""]}}"#), "parameter"),
        (send(r#"{"message":{"referenceTaskIds":["a"],"reference_task_ids":[]}}"#), "both_spellings"),
        (send(&format!(r#"{{"message":{{"referenceTaskIds":[{}"a"]}}}}"#, r#""a","#.repeat(64))), "parameter"),
        (send(r#"{"message":{},"configuration":{"returnImmediately":"true"}}"#), "parameter"),
        (send(r#"{"message":{},"configuration":{"historyLength":-1}}"#), "parameter"),
        (send(r#"{"message":{},"metadata":"x"}"#), "parameter"),
        (send(r#"{"message":{"extensions":["a,b"]}}"#), "parameter"),
        (send("[]"), "params"),
        (format!("[{}]", send(r#"{"message":{}}"#)), "batch"),
        (r#"{"jsonrpc":"2.0","method":"SendMessage","params":{"message":{}}}"#.to_owned(), "notification"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"SendMessage"}"#.to_owned(), "id"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned(), "answer"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"SendMessage","Params":{}}"#.to_owned(), "unknown_member"),
        (r#"{"id":1,"method":"SendMessage"}"#.to_owned(), "jsonrpc_version"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"GetTask"}"#.to_owned(), "parameter"),
        (r#"{"message":{}}"#.to_owned(), "unknown_member"),
        ("\u{feff}{}".to_owned(), "byte_order_mark"),
        ("{} {}".to_owned(), "trailing"),
        (String::new(), "body"),
    ] {
        assert_eq!(read("POST", "/", &[JSON, V1], &body), Err(fault.to_owned()), "{body}");
    }
}

#[test]
fn header_query_and_names_agree_on_the_version_or_nothing_is_asked() {
    let body = |method: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"id":"t"}}}}"#);
    let header = |value: &'static str| ("A2A-Version", value.as_bytes());
    for (path, versions, v1_0, v0_3) in [
        ("/", vec![], false, true),
        ("/", vec![header("")], false, true),
        ("/", vec![header("0.3")], false, true),
        ("/", vec![header("0.3.0")], false, true),
        ("/", vec![header("1.0")], true, false),
        ("/", vec![header(" 1.0.1 ")], true, false),
        ("/?A2A-Version=1.0", vec![], true, false),
        ("/?A2A-Version=1.0", vec![header("1.0")], true, false),
        ("/?A2A-Version=", vec![], false, true),
    ] {
        let headers: Vec<_> = versions.iter().copied().chain([JSON]).collect();
        for (method, fits) in [("GetTask", v1_0), ("tasks/get", v0_3)] {
            let read = read("POST", path, &headers, &body(method));
            let expected = if fits { Ok(()) } else { Err("version_mismatch".to_owned()) };
            assert_eq!(read.map(drop), expected, "{path} {versions:?} {method}");
        }
    }
    for (path, versions, fault) in [
        ("/", vec![header("1.0"), header("1.0")], "repeated_header"),
        ("/?A2A-Version=0.3", vec![header("1.0")], "version_mismatch"),
        ("/?A2A-Version=1.0", vec![header("")], "version_mismatch"),
        ("/?A2A-Version=1.0&A2A-Version=1.0", vec![], "query"),
        ("/?a2a-version=1.0", vec![], "resembling_key"),
        ("/", vec![header("2.0")], "unsupported_version"),
        ("/", vec![header("1")], "unsupported_version"),
        ("/", vec![header("1.00")], "unsupported_version"),
        ("/", vec![header("1.0.")], "unsupported_version"),
        ("/", vec![header("1.0, 0.3")], "unsupported_version"),
        ("/", vec![header("v1.0")], "unsupported_version"),
        ("/", vec![("A2A-Version", &b"1.\xff"[..])], "malformed_header"),
    ] {
        let headers: Vec<_> = versions.iter().copied().chain([JSON]).collect();
        assert_eq!(read("POST", path, &headers, &body("GetTask")), Err(fault.to_owned()), "{path} {versions:?}");
    }
}

#[test]
fn paths_and_queries_that_servers_read_differently_are_refused() {
    for (method, path, fault) in [
        ("GET", "/tasks/a%2Fb", "path"),
        ("GET", "/tasks/a%3Acancel", "path"),
        ("GET", "/tasks/t%3Asubscribe", "path"),
        ("GET", "/tasks/%2e%2e", "path"),
        ("GET", "/tasks/..", "path"),
        ("GET", "/tasks/.", "path"),
        ("GET", "/tasks//t", "path"),
        ("GET", "//tasks/t", "path"),
        ("GET", "/tasks/t/", "path"),
        ("GET", "/tasks/t;a=b", "path"),
        ("GET", "/tasks/t%3Ba", "path"),
        ("GET", "/tasks/t%00", "path"),
        ("GET", "/tasks/t%0A", "path"),
        ("GET", "/tasks/t%25", "path"),
        ("GET", "/tasks/t%", "path"),
        ("GET", "/tasks/t%g0", "path"),
        ("GET", "/tasks/t\\u", "path"),
        ("GET", "/tasks/t#u", "path"),
        ("GET", "/tasks/ü", "path"),
        ("GET", "/tasks/%C3%BC", "path"),
        ("GET", "tasks/t", "path"),
        ("GET", "/tasks/t?historyLength=1&historyLength=2", "query"),
        ("GET", "/tasks/t?historyLength=1&history_length=1", "query"),
        ("GET", "/tasks/t?HistoryLength=1", "resembling_key"),
        ("GET", "/tasks/t?historyLength=x", "parameter"),
        ("GET", "/tasks?access_token=e30", "token_in_query"),
        ("HEAD", "/tasks/t", "head"),
        ("HEAD", "/acme/tasks", "head"),
        ("HEAD", "/.well-known/agent-card.json", "head"),
        ("GET", "/tasks?contextId=a;b=c", "query"),
        ("GET", "/tasks?contextId=%zz", "query"),
        ("GET", "/tasks?contextId=a%00", "query"),
        ("GET", "/tasks?contextId=a+b", "parameter"),
        ("GET", "/tasks?contextId=a&context%49d=b", "query"),
        ("GET", "/tasks/t?id=u", "disagreement"),
        ("GET", "/tasks/t?taskId=u", "disagreement"),
        ("GET", "/acme/tasks/t?tenant=evil", "disagreement"),
        ("GET", "/tasks/t?tenant=evil", "disagreement"),
    ] {
        assert_eq!(http(Version::V1_0, method, path, ""), Err(fault.to_owned()), "{path}");
    }
    let send = r#"{"tenant":"acme","message":{}}"#;
    for (path, expected) in [
        ("/acme/message:send", Ok("HTTP+JSON 1.0 SendMessage tenant=acme waits")),
        ("/evil/message:send", Err("disagreement")),
        ("/message:send", Err("disagreement")),
    ] {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(http(Version::V1_0, "POST", path, send), expected, "{path}");
    }
    let other = r#"{"taskId":"u","url":"https://a"}"#;
    let path = "/tasks/t/pushNotificationConfigs";
    assert_eq!(http(Version::V1_0, "POST", path, other), Err("disagreement".to_owned()));
    assert_eq!(http(Version::V1_0, "POST", "/tasks/t:cancel", r#"{"id":"u"}"#), Err("disagreement".to_owned()));
}

/// A method with which some servers do something is an operation, or is named as what A2A does not have.
#[test]
fn what_a2a_does_not_have_is_named_and_not_read() {
    for (method, path, name) in [
        ("POST", "/tasks/t", "POST /tasks/t"),
        ("GET", "/tasks/t:cancel", "GET /tasks/t:cancel"),
        ("POST", "/tasks/:cancel", "POST /tasks/:cancel"),
        ("POST", "/tasks/a:cancel:cancel", "POST /tasks/a:cancel:cancel"),
        ("GET", "/tasks/t:cancel/pushNotificationConfigs", "GET /tasks/t:cancel/pushNotificationConfigs"),
        ("HEAD", "/skills", "HEAD /skills"),
        ("get", "/tasks/t", "get /tasks/t"),
        ("PUT", "/tasks/t", "PUT /tasks/t"),
        ("GET", "/", "GET /"),
        ("DELETE", "", "DELETE /"),
        ("GET", "/card", "GET /card"),
        ("POST", "/skills/s/query", "POST /skills/s/query"),
        ("POST", "/tasks/message:send/x", "POST /tasks/message:send/x"),
        ("POST", "/Message:Send", "POST /Message:Send"),
        ("POST", "/tasks/message:send", "POST /tasks/message:send"),
    ] {
        assert_eq!(http(Version::V1_0, method, path, ""), Ok(format!("HTTP+JSON 1.0 {name}")), "{method} {path}");
    }
    for method in ["sendMessage", "QuerySkill", "message/Send", "tasks/list/all", "x"] {
        assert_eq!(rpc(Version::V1_0, method, r#"{"id":1}"#), Ok(format!("JSONRPC 1.0 {method}")));
    }
    let long = format!("/{}", "a".repeat(257));
    assert_eq!(http(Version::V1_0, "GET", &long, ""), Err("path".to_owned()));
}

#[test]
fn cards_and_grpc_are_told_apart_from_what_is_read() {
    let grpc = |kind: &'static str| [("content-type", kind.as_bytes())];
    assert_eq!(read("GET", "/.well-known/agent-card.json", &[], ""), Err("card".to_owned()));
    assert_eq!(read("GET", "/.well-known/agent.json?x", &[], ""), Err("card".to_owned()));
    let path = "/lf.a2a.v1.A2AService/SendMessage";
    for (kind, expected) in [
        ("application/grpc", "grpc Some((SendMessage, V1_0))"),
        ("application/grpc+proto", "grpc Some((SendMessage, V1_0))"),
        ("application/grpc-web", "unsupported_content_type"),
        ("application/grpc-web+proto", "unsupported_content_type"),
        ("Application/GRPC", "unsupported_content_type"),
        ("application/grpc;x", "unsupported_content_type"),
    ] {
        assert_eq!(read("POST", path, &grpc(kind), ""), Err(expected.to_owned()), "{kind}");
    }
    assert_eq!(read("GET", path, &grpc("application/grpc"), ""), Err("grpc None".to_owned()));
    let both = [("content-type", &b"application/json"[..]), ("content-type", &b"application/grpc"[..])];
    assert_eq!(read("POST", "/", &both, "{}"), Err("repeated_header".to_owned()));
    for (path, expected) in [
        ("/a2a.v1.A2AService/TaskSubscription", Some((Operation::SubscribeToTask, Version::V0_3))),
        ("/a2a.v1.A2AService/GetAgentCard", Some((Operation::GetExtendedCard, Version::V0_3))),
        ("/lf.a2a.v1.A2AService/ListTasks", Some((Operation::ListTasks, Version::V1_0))),
        ("/lf.a2a.v1.A2AService/TaskSubscription", None),
        ("/grpc.health.v1.Health/Check", None),
    ] {
        assert_eq!(Operation::of_grpc_path(path), expected, "{path}");
    }
}

#[test]
fn what_is_not_called_json_or_is_compressed_is_not_read() {
    let body = r#"{"message":{}}"#;
    let kind = |kind: &'static str| ("content-type", kind.as_bytes());
    for (headers, expected) in [
        (vec![kind("application/json")], None),
        (vec![kind("application/json; charset=utf-8")], None),
        (vec![kind("Application/JSON;charset=\"UTF-8\"")], None),
        (vec![kind("application/a2a+json")], None),
        (vec![kind("application/json"), ("content-encoding", b"identity")], None),
        (vec![], Some("unsupported_content_type")),
        (vec![kind("text/plain")], Some("unsupported_content_type")),
        (vec![kind("application/json; charset=utf-16")], Some("unsupported_content_type")),
        (vec![kind("application/jsonx")], Some("unsupported_content_type")),
        (vec![kind("application/json, text/plain")], Some("unsupported_content_type")),
        (vec![kind("application/json"), kind("text/plain")], Some("repeated_header")),
        (vec![kind("application/json"), ("content-encoding", b"gzip")], Some("unsupported_content_encoding")),
        (vec![kind("application/json"), ("x-http-method-override", b"DELETE")], Some("method_override")),
    ] {
        let headers: Vec<_> = headers.into_iter().chain([V1]).collect();
        let read = read("POST", "/message:send", &headers, body);
        assert_eq!(read.err().as_deref(), expected, "{headers:?}");
    }
    let rpc = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"id":"t"}}"#;
    assert_eq!(read("POST", "/", &[kind("application/a2a+json")], rpc), Err("unsupported_content_type".to_owned()));
    assert_eq!(read("GET", "/tasks/t", &[V1, JSON], "{}"), Err("body".to_owned()));
    assert_eq!(read("POST", "/message:send", &[V1, JSON], ""), Err("body".to_owned()));
}

#[test]
fn extensions_of_both_headers_and_of_the_message_are_seen() {
    let body = r#"{"message":{"extensions":["https://c","https://a"]}}"#;
    let headers = [V1, JSON, ("a2a-extensions", &b"https://a, https://b,"[..]), ("X-A2A-EXTENSIONS", b"https://d")];
    let read =
        |headers: Pairs<'_>, body: &str| ask("POST", "/message:send", headers, body, |call, _| call.extensions.clone());
    let expected = ["https://a", "https://b", "https://d", "https://c"].map(str::to_owned).to_vec();
    assert_eq!(read(&headers, body), Ok(expected));
    for value in ["a b", "\u{7f}", &"a".repeat(513)] {
        let headers = [V1, JSON, ("A2A-Extensions", value.as_bytes())];
        assert_eq!(read(&headers, body), Err("malformed_header".to_owned()), "{value}");
    }
    let many = (0..33).map(|at| format!("u:{at}")).collect::<Vec<_>>().join(",");
    let headers = [V1, JSON, ("A2A-Extensions", many.as_bytes())];
    assert_eq!(read(&headers, body), Err("too_many_extensions".to_owned()));
}

#[test]
fn a_skill_is_declared_in_metadata_once() {
    let skill = |metadata: &str, own: &str| {
        let params = format!(r#"{{"message":{{"metadata":{metadata}}},"metadata":{own}}}"#);
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{params}}}"#);
        ask("POST", "/", &[JSON, V1], &body, |call, _| call.skill.as_deref().map(str::to_owned))
    };
    for (metadata, own, expected) in [
        ("{}", "{}", Ok(None)),
        (r#"{"skill":"pay"}"#, "null", Ok(Some("pay"))),
        ("{}", r#"{"skillId":"pay"}"#, Ok(Some("pay"))),
        (r#"{"skill_id":"pay"}"#, r#"{"skill":"pay"}"#, Ok(Some("pay"))),
        (r#"{"skill":{"skillId":"pay"}}"#, "{}", Ok(Some("pay"))),
        (r#"{"skill":null}"#, "{}", Ok(None)),
        (r#"{"skill":"pay"}"#, r#"{"skill":"read"}"#, Err("two_skills")),
        (r#"{"skill":"pay","skillId":"read"}"#, "{}", Err("two_skills")),
        (r#"{"skill":{"skill":"pay","skillId":"read"}}"#, "{}", Err("both_spellings")),
        (r#"{"Skill":"pay"}"#, "{}", Err("resembling_key")),
        (r#"{"skill":7}"#, "{}", Err("parameter")),
        (r#"{"skill":"a b"}"#, "{}", Err("parameter")),
    ] {
        let expected = expected.map(|skill| skill.map(str::to_owned)).map_err(str::to_owned);
        assert_eq!(skill(metadata, own), expected, "{metadata} {own}");
    }
    let by_extension: SkillKeys = tollgate_config::read(r#"["https://x.example/skills/v1"]"#).unwrap();
    let body = br#"{"message":{"metadata":{"skill":"other","https://x.example/skills/v1":{"skill":"pay"}}}}"#;
    let head = Head { method: "POST", path: "/message:send", headers: Headers(&[V1, JSON]) };
    let Ok(Arrival::Request(request)) = Arrival::of(head) else { panic!() };
    let document = Document::read(body, LIMITS).unwrap();
    assert_eq!(request.read(Some(&document), &by_extension).unwrap().skill.as_deref(), Some("pay"));
    for keys in ["[]", r#"[""]"#, r#"["a b"]"#] {
        assert!(tollgate_config::read::<SkillKeys>(keys).is_err(), "{keys}");
    }
}

#[test]
fn the_agent_gets_no_claimed_actors_and_the_context_that_is_supplied() {
    let edited = |params: &str, context: Option<&str>| {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{params}}}"#);
        let edited = ask("POST", "/", &[JSON, V1], &body, |call, document| {
            let edited = call.body_for_agent(document.unwrap(), context);
            assert!(!call.claims_actors || edited.is_some());
            edited.map(|body| String::from_utf8(body).unwrap())
        });
        let (head, tail) = (r#"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":"#, "}");
        edited.unwrap().map(|body| body.strip_prefix(head).unwrap().strip_suffix(tail).unwrap().to_owned())
    };
    for (params, context, expected) in [
        (r#"{"message":{"contextId":"c"}}"#, None, None),
        (r#"{"message":{"contextId":"c"}}"#, Some("g1"), None),
        (
            r#"{"message": { "taskId":"t" } }"#,
            Some("g\"1"),
            Some(r#"{"message": {"contextId":"g\"1", "taskId":"t" } }"#),
        ),
        (r#"{"message":{}}"#, Some("g1"), Some(r#"{"message":{"contextId":"g1"}}"#)),
        (r#"{"message":{"context_id":"","a":1}}"#, Some("g1"), Some(r#"{"message":{"context_id":"g1","a":1}}"#)),
        (r#"{"message":{"a":1,"contextId":null}}"#, Some("g1"), Some(r#"{"message":{"a":1,"contextId":"g1"}}"#)),
        (
            r#"{"metadata":{"actorChain":[1]},"message":{"metadata":{"a":1,"actor_chain":{},"b":2,"ACTORCHAIN":0}}}"#,
            Some("g1"),
            Some(r#"{"metadata":{},"message":{"contextId":"g1","metadata":{"a":1,"b":2}}}"#),
        ),
        (
            r#"{"message":{"metadata":{"actorChain":1 , "a":{"actorChain":1}}}}"#,
            None,
            Some(r#"{"message":{"metadata":{"a":{"actorChain":1}}}}"#),
        ),
    ] {
        assert_eq!(edited(params, context).as_deref(), expected, "{params}");
    }
}

#[test]
fn who_waits_is_what_its_version_says() {
    let waits = |version, method: &str, configuration: &str| {
        rpc(version, method, &format!(r#"{{"message":{{}},"configuration":{{{configuration}}}}}"#))
            .unwrap()
            .ends_with("waits")
    };
    for (configuration, v1_0, v0_3) in [
        ("", true, true),
        (r#""returnImmediately":true"#, false, true),
        (r#""return_immediately":false"#, true, true),
        (r#""blocking":false"#, true, false),
        (r#""blocking":true"#, true, true),
    ] {
        assert_eq!(waits(Version::V1_0, "SendMessage", configuration), v1_0, "{configuration}");
        assert_eq!(waits(Version::V0_3, "message/send", configuration), v0_3, "{configuration}");
        assert!(!waits(Version::V1_0, "SendStreamingMessage", configuration));
    }
}

#[test]
fn a_request_says_whether_it_has_a_body_before_it_comes() {
    for (method, path, body) in [
        ("POST", "/message:send", Body::Needed),
        ("POST", "/tasks/t/pushNotificationConfigs", Body::Needed),
        ("POST", "/tasks/t:cancel", Body::Optional),
        ("GET", "/tasks/t", Body::None),
        ("DELETE", "/tasks/t/pushNotificationConfigs/p", Body::None),
        ("POST", "/x", Body::Optional),
        ("POST", "/", Body::Needed),
    ] {
        let head = Head { method, path, headers: Headers(&[V1, JSON]) };
        let Ok(Arrival::Request(request)) = Arrival::of(head) else { panic!("{path}") };
        assert_eq!(request.body(), body, "{path}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    /// Whatever stands in a path: an operation is found only where a server that decodes first and routes then finds it too.
    #[test]
    fn no_path_hides_another_operation(path in "(/(v1|acme|tasks|t|message:send|a%3Ab|t:cancel|%2e|%74asks|pushNotificationConfigs|;|\\.\\.|))*") {
        let head = Head { method: "POST", path: &path, headers: Headers(&[V1, JSON]) };
        if let Ok(Arrival::Request(request)) = Arrival::of(head)
            && let Ok(call) = request.read(None, &SkillKeys::default())
            && let super::Named::Known(operation) = call.operation
        {
            proptest::prop_assert_eq!(operation, Operation::CancelTask);
            let decoded = path.replace("%74", "t");
            proptest::prop_assert!(decoded.ends_with(":cancel") && !decoded.contains('%') && !decoded.contains("//"));
        }
    }

    #[test]
    fn ids_come_out_as_they_were_written(context in "[!-~]{1,256}", task in "[!-~]{1,256}") {
        let params = serde_json::json!({"message": {"contextId": context, "task_id": task}});
        let body = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": params}).to_string();
        let read = ask("POST", "/", &[JSON, V1], &body, |call, _| {
            (call.context.as_deref().map(str::to_owned), call.task.as_deref().map(str::to_owned))
        });
        proptest::prop_assert_eq!(read, Ok((Some(context), Some(task))));
    }
}

#[test]
fn every_fault_is_told_by_its_kind() {
    for (reason, code) in [
        (Reason::Message(json_rpc::Reason::Batch), -32600),
        (Reason::Message(json_rpc::Reason::Json(Document::read(b"{", LIMITS).unwrap_err())), -32700),
        (
            Reason::Message(json_rpc::Reason::Json(Document::read(b"{}", Limits { bytes: 1, nodes: 9 }).unwrap_err())),
            -32600,
        ),
        (Reason::UnsupportedVersion, -32009),
        (Reason::OtherVersion(Version::V0_3), -32009),
        (Reason::ContentType, -32005),
        (Reason::Parameter("id"), -32602),
        (Reason::BothSpellings("id"), -32600),
        (Reason::Notification, -32600),
    ] {
        assert_eq!(reason.error().code(), code, "{reason:?}");
    }
}

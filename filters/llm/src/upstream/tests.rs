use super::{Pairs, Rewrite, client_error, client_status, is_retried, request_headers, response_headers, target};
use crate::example::{self, headers};
use crate::exchange::Carried;
use Format::{AnthropicMessages, OpenaiChat};
use tollgate_wire::Format;
use tollgate_wire::error::ErrorKind;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const BODY: &str = r#"{"model":"claude","messages":[]}"#;

/// What Envoy shows the gate: the client's headers, hostile ones among them, and what Envoy added.
const SEEN: [(&str, &[u8]); 22] = [
    (":method", b"POST"),
    (":scheme", b"https"),
    (":authority", b"api.first.example"),
    (":path", b"/first/v1/messages?beta=true"),
    ("user-agent", b"OpenAI/Python 2.0"),
    ("x-request-id", b"request-1"),
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("authorization", b"Bearer sk-first-providers-key"),
    ("x-api-key", b"tg_support_0123456789abcdef"),
    ("api-key", b"tg_support_0123456789abcdef"),
    ("x-goog-api-key", b"tg_support_0123456789abcdef"),
    ("proxy-authorization", b"Basic c2VjcmV0"),
    ("cookie", b"session=secret"),
    ("openai-organization", b"org-of-the-client"),
    ("x-tollgate-route", b"claude"),
    ("x-tollgate-user", b"ada"),
    ("x-envoy-attempt-count", b"2"),
    ("x-forwarded-for", b"10.0.0.7"),
    ("content-length", b"999"),
    ("content-type", b"application/json; charset=latin1"),
    ("transfer-encoding", b"chunked"),
    ("accept-encoding", b"gzip"),
];

fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    let mut values = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_slice());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} is there once");
    value.map(|value| std::str::from_utf8(value).expect("text"))
}

/// The headers of a request in `client`'s format for the target at `index`.
fn sent(client: Format, index: usize, body: &str, from_client: &[(&str, &str)]) -> Pairs {
    let mut admitted = example::admitted(client, body);
    let seen = SEEN.into_iter().filter(|(name, _)| !from_client.iter().any(|(other, _)| other == name));
    let from_client = from_client.iter().map(|(name, value)| (*name, value.as_bytes()));
    admitted.carried = Carried::of(&headers(&seen.chain(from_client).collect::<Vec<_>>()), client);
    let provider = super::provider(&admitted, index).expect("a provider of the example");
    request_headers(&admitted, index, provider.format == client, 123).expect("a provider of the example")
}

#[test]
fn a_provider_sees_what_is_named_here_and_nothing_else() {
    const NAMES: [&str; 13] = [
        ":authority",
        ":method",
        ":path",
        ":scheme",
        "accept",
        "accept-encoding",
        "content-length",
        "content-type",
        "openai-organization",
        "traceparent",
        "user-agent",
        "x-request-id",
        "anthropic-version",
    ];
    for client in Format::ALL {
        for index in [0, 1] {
            let pairs = sent(client, index, BODY, &[]);
            assert!(pairs.iter().all(|(name, _)| NAMES.contains(&name.as_str())), "{pairs:?}");
            let all = pairs.iter().flat_map(|(_, value)| value.clone()).collect::<Vec<u8>>();
            let all = String::from_utf8(all).expect("text");
            for secret in ["sk-first", "tg_support", "c2VjcmV0", "session", "first", "latin1", "10.0.0.7", "client"] {
                assert!(!all.contains(secret), "{secret} in {all}");
            }
        }
    }
}

#[test]
fn path_host_and_length_are_this_providers() {
    let anthropic = sent(OpenaiChat, 0, BODY, &[]);
    assert_eq!(value(&anthropic, ":authority"), Some("api.anthropic.com"));
    assert_eq!(value(&anthropic, ":path"), Some("/v1/messages"));
    assert_eq!(value(&anthropic, "content-length"), Some("123"));
    let openai = sent(AnthropicMessages, 1, BODY, &[]);
    assert_eq!(value(&openai, ":authority"), Some("api.openai.com"));
    assert_eq!(value(&openai, ":path"), Some("/eu/v1/chat/completions"));
    assert_eq!(value(&openai, "openai-organization"), Some("org-1"), "the configured one");
    assert_eq!(value(&openai, "accept-encoding"), Some("identity"), "what is compressed cannot be read");
    for (stream, accept) in [("true", "text/event-stream"), ("false", "application/json")] {
        let body = format!(r#"{{"model":"claude","messages":[],"stream":{stream}}}"#);
        assert_eq!(value(&sent(OpenaiChat, 0, &body, &[]), "accept"), Some(accept));
    }
}

#[test]
fn headers_of_a_format_go_to_providers_of_that_format() {
    let beta = [("anthropic-version", "2024-01-01"), ("anthropic-beta", "files-api, x")];
    let same = sent(AnthropicMessages, 0, BODY, &beta);
    assert_eq!(value(&same, "anthropic-version"), Some("2024-01-01"), "the client's own");
    assert_eq!(value(&same, "anthropic-beta"), Some("files-api, x"));
    let other = sent(AnthropicMessages, 1, BODY, &beta);
    assert_eq!((value(&other, "anthropic-version"), value(&other, "anthropic-beta")), (None, None));
    let translated = sent(OpenaiChat, 0, BODY, &[("openai-beta", "assistants=v2")]);
    assert_eq!(value(&translated, "anthropic-version"), Some("2023-06-01"), "the one that we write");
    assert_eq!(value(&translated, "openai-beta"), None);
}

#[test]
fn a_header_given_twice_goes_on_once_with_both_values() {
    let twice = headers(&[("openai-beta", b"a"), ("openai-beta", b"b"), ("traceparent", b"\xff")]);
    let mut admitted = example::admitted(OpenaiChat, BODY);
    admitted.carried = Carried::of(&twice, OpenaiChat);
    let pairs = request_headers(&admitted, 1, true, 0).expect("a provider of the example");
    assert_eq!(value(&pairs, "openai-beta"), Some("a, b"));
    assert!(pairs.contains(&("traceparent".to_owned(), b"\xff".to_vec())), "bytes pass as they are");
}

#[test]
fn an_attempt_is_for_the_target_of_its_number_or_else_for_the_first_at_its_provider() {
    let admitted = example::admitted(OpenaiChat, BODY);
    let [anthropic, openai] = admitted.targets() else { panic!("two targets") };
    let targets = [anthropic, openai, anthropic].map(Clone::clone);
    for (provider, number, expected) in [
        ("anthropic", 1, Some(0)),
        ("openai", 2, Some(1)),
        ("anthropic", 3, Some(2)),
        // An aggregate cluster chooses by itself.
        ("openai", 1, Some(1)),
        ("anthropic", 2, Some(0)),
        ("openai", 9, Some(1)),
        ("openai", 0, Some(1)),
        ("openai", usize::MAX, Some(1)),
        ("gemini", 1, None),
    ] {
        assert_eq!(target(&targets, &[0, 1, 2], provider, number), expected, "attempt {number} at {provider}");
    }
    assert_eq!(target(&[], &[], "openai", 1), None);
    assert_eq!(target(&targets, &[1], "anthropic", 1), None, "that one cannot do what is asked for");
    assert_eq!(target(&targets, &[1], "openai", 1), Some(1));
}

#[test]
fn only_the_bytes_up_to_the_last_edit_are_read() {
    let rewrite = |asked: &str, to| {
        let mut admitted = example::admitted(AnthropicMessages, BODY);
        asked.clone_into(&mut admitted.envelope.model);
        Rewrite::new(&admitted, 0, AnthropicMessages, to).reads(1 << 20)
    };
    assert_eq!(rewrite("claude-sonnet-4-5", AnthropicMessages), 0, "nothing to change");
    assert_eq!(rewrite("claude", AnthropicMessages), BODY.find(",").expect("a second field"));
    assert_eq!(rewrite("claude", OpenaiChat), 1 << 20, "a translation needs all");
}

#[test]
fn a_client_sees_of_a_providers_head_what_sdks_read() {
    let seen = headers(&[
        (":status", b"200"),
        ("content-type", b"application/json"),
        ("content-length", b"7"),
        ("content-encoding", b"identity"),
        ("transfer-encoding", b"chunked"),
        ("set-cookie", b"__cf_bm=secret"),
        ("openai-organization", b"org-secret"),
        ("anthropic-organization-id", b"org-secret"),
        ("x-tollgate-provider", b"forged"),
        ("server", b"cloudflare"),
        ("request-id", b"req_1"),
        ("x-request-id", b"req_2"),
        ("retry-after", b"2"),
        ("x-ratelimit-remaining-tokens", b"9"),
        ("anthropic-ratelimit-requests-limit", b"50"),
        ("date", b"Sun, 22 Nov 2026 12:00:00 GMT"),
        ("openai-processing-ms", b"12"),
    ]);
    let pairs = response_headers(&seen, 200, "text/event-stream", "openai");
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            ":status",
            "content-type",
            "x-tollgate-provider",
            "request-id",
            "x-request-id",
            "retry-after",
            "x-ratelimit-remaining-tokens",
            "anthropic-ratelimit-requests-limit",
            "date",
            "openai-processing-ms",
        ]
    );
    assert_eq!(value(&pairs, "x-tollgate-provider"), Some("openai"));
    assert_eq!(value(&pairs, "content-type"), Some("text/event-stream"));
}

#[test]
fn a_providers_status_is_told_as_what_it_means_to_the_client() {
    for (status, shown, retried) in [
        (400, 400, false),
        (401, 502, true), // our key, not the client's
        (403, 502, true),
        (404, 502, true), // the model or path is ours
        (413, 413, false),
        (422, 422, false),
        (429, 429, true),
        (500, 500, true),
        (503, 503, true),
        (529, 503, true),
        (100, 502, true),
        (304, 502, true),
        (600, 502, true),
        (0, 502, true),
    ] {
        assert_eq!((client_status(status), is_retried(client_status(status))), (shown, retried), "{status}");
    }
}

#[test]
fn a_refusal_of_our_own_key_is_told_without_the_providers_words() {
    let body =
        br#"{"error":{"message":"Incorrect API key provided: sk-proj-1234. Org org-1.","code":"invalid_api_key"}}"#;
    for status in [401, 403] {
        let error = client_error(OpenaiChat.read_error(status, body), status);
        assert_eq!((error.status, error.kind), (502, ErrorKind::Internal));
        assert_eq!(error.message, "the provider refused the gateway");
        assert_eq!((error.code.as_deref(), error.param), (Some("gateway_error"), None));
    }
    let error =
        client_error(OpenaiChat.read_error(400, br#"{"error":{"message":"bad","param":"messages","code":"x"}}"#), 400);
    assert_eq!((error.status, error.message.as_str(), error.param.as_deref()), (400, "bad", Some("messages")));
}

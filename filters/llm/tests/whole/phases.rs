//! Every phase of an exchange: what is held, refused, retried, relayed and forgotten, however bytes are cut.

use crate::gateway::provider::{Answer, Says, Then, mark};
use crate::gateway::{Client, Cuts, Ends, Gateway, KEY, Leaves, Seen};
use Format::{AnthropicMessages, OpenaiChat};
use fake_envoy::Delivery;
use serde_json::{Value, json};
use tollgate_wire::Format;

const WHOLE: Cuts = Cuts(Vec::new());

fn both(outcomes: &[(&str, &str)]) -> Vec<(String, String)> {
    outcomes.iter().map(|(outcome, reason)| ((*outcome).to_owned(), (*reason).to_owned())).collect()
}

/// One exchange in a gateway of its own, by the book.
fn run(client: &Client, answers: &[Answer]) -> Seen {
    with_gateway(|gateway| gateway.run(client, answers, &WHOLE))
}

fn with_gateway<T: Send>(test: impl FnOnce(&Gateway) -> T + Send) -> T {
    Gateway::with(&json!({}), |gateway| {
        let seen = test(&gateway);
        assert_eq!(gateway.envoy.violations(), []);
        seen
    })
}

#[test]
fn a_request_is_served_by_its_first_provider_in_the_clients_own_format() {
    for client in Format::ALL {
        for (model, provider) in [("claude", "anthropic"), ("gpt", "openai")] {
            for (stream, says) in [(false, Says::Json), (true, Says::Stream)] {
                let seen = run(&Client::new(client, model, stream), &[Answer::whole(says)]);
                assert_eq!((seen.client.status, seen.client.ended), (Some(200), true));
                assert!(seen.client.body.contains(&mark(0)), "{}", seen.client.body);
                assert_eq!(seen.client.headers.text("x-tollgate-provider"), Some(provider));
                assert_eq!(seen.outcomes(), both(&[("served", "")]));
                assert_eq!(seen.record["answer"]["end"], "complete");
                assert_eq!(seen.record["cost"]["certainty"], "exact");
                assert_eq!(seen.record["answer"]["bytes"], seen.client.size);
                assert_eq!(seen.sent.len(), 1);
            }
        }
    }
}

#[test]
fn nothing_of_a_provider_that_fails_reaches_the_client() {
    for (says, stream, reason) in [
        (Says::Error(529), false, "overloaded"),
        (Says::Page(500), false, "provider_error"),
        (Says::Error(429), true, "rate_limited"),
        (Says::Error(401), false, "provider_authentication"),
        (Says::ErrorInside, false, "overloaded"),
        (Says::ErrorInside, true, "overloaded"),
        (Says::StreamOfError, true, "overloaded"),
        (Says::Pings, true, "empty_answer"),
        (Says::Page(200), false, "malformed_answer"),
        (Says::Json, true, "unstreamed_answer"),
        (Says::Gzip, false, "encoded_answer"),
        (Says::Nothing, false, "no_response"),
        (Says::Unreachable, false, "connect_failure"),
    ] {
        for client in Format::ALL {
            let good = Answer::whole(if stream { Says::Stream } else { Says::Json });
            let seen = run(&Client::new(client, "claude", stream), &[Answer::whole(says), good]);
            assert_eq!((seen.client.status, seen.client.ended), (Some(200), true), "{says:?}");
            let all = format!("{:?}{}", seen.client.headers, seen.client.body);
            assert!(all.contains(&mark(1)) && !all.contains(&mark(0)), "{says:?}: {all}");
            assert_eq!(seen.outcomes(), both(&[("failed", reason), ("served", "")]), "{says:?}");
        }
    }
}

#[test]
fn what_is_between_the_gateway_and_its_provider_is_never_the_clients_fault() {
    // Our credit is used up (DeepSeek, OpenRouter); the model took too long, or failed (Bedrock, Azure).
    for status in [402, 408, 424] {
        let answers = [Answer::whole(Says::Error(status)), Answer::whole(Says::Json)];
        let seen = run(&Client::new(OpenaiChat, "claude", false), &answers);
        assert_eq!(seen.client.status, Some(200), "{status}: {}", seen.client.body);
        assert!(!seen.client.body.contains(&mark(0)));
    }
}

#[test]
fn a_provider_sees_neither_the_clients_key_nor_anothers_nor_what_an_attempt_left() {
    let client = Client::new(AnthropicMessages, "claude", false)
        .with("anthropic-beta", "of-the-client")
        .with("x-forwarded-for", "10.0.0.7");
    let seen = run(&client, &[Answer::whole(Says::Error(500)), Answer::whole(Says::Json)]);
    let [first, second] = seen.sent.as_slice() else { panic!("two attempts") };
    for sent in [first, second] {
        let all = format!("{:?} {}", sent.headers, sent.body);
        for secret in [KEY, "Bearer", "sk-", "cookie", "forged", "10.0.0.7", "x-left-by", "left/over"] {
            assert!(!all.contains(secret), "{secret}: {all}");
        }
    }
    assert_eq!(first.headers.text("anthropic-beta"), Some("of-the-client"), "to a provider of the same format");
    assert_eq!(second.headers.get("anthropic-beta"), None, "and to no other");
    assert_eq!(second.headers.text(":path"), Some("/v1/chat/completions"));
    assert_eq!(second.headers.text(":authority"), Some("api.openai.com"));
    assert_eq!((&first.body["model"], &second.body["model"]), (&json!("claude-sonnet-4-5"), &json!("gpt-5")));
}

#[test]
fn a_provider_is_asked_for_the_usage_of_a_stream_and_the_client_does_not_see_it() {
    let seen = run(&Client::new(OpenaiChat, "gpt", true), &[Answer::whole(Says::Stream)]);
    assert_eq!(seen.sent[0].body["stream_options"], json!({"include_usage": true}));
    assert!(!seen.client.body.contains("usage"), "{}", seen.client.body);
    assert_eq!(seen.record["attempts"][0]["usage"]["input_fresh"], 11);
}

#[test]
fn when_all_providers_fail_the_client_gets_the_last_error_in_its_own_format() {
    for client in Format::ALL {
        for says in [Says::Error(503), Says::ErrorInside] {
            let seen = run(&Client::new(client, "claude", false), &[Answer::whole(says)]);
            let error = seen.error();
            assert!(seen.client.status.is_some_and(|status| status >= 500), "{seen:?}");
            assert_eq!(error["message"], mark(1));
            assert_eq!(seen.client.headers.text("content-type"), Some("application/json"));
            assert_eq!(seen.record["answer"]["end"], "failed");
        }
        let seen = run(&Client::new(client, "claude", false), &[Answer::whole(Says::Unreachable)]);
        assert_eq!(
            (seen.client.status, seen.error()["message"].as_str()),
            (Some(503), Some("no provider could answer"))
        );
        assert_eq!(seen.outcomes(), both(&[("failed", "connect_failure"), ("failed", "connect_failure")]));
        assert_eq!(
            seen.record["cost"],
            json!({"nano_usd": 0, "usd": "0.00", "certainty": "exact", "price": "priced", "unpriced": false})
        );
    }
}

#[test]
fn a_clients_own_mistake_is_told_and_not_tried_elsewhere() {
    for client in Format::ALL {
        let seen = run(&Client::new(client, "claude", false), &[Answer::whole(Says::Error(400))]);
        assert_eq!((seen.client.status, seen.sent.len()), (Some(400), 1));
        assert_eq!(seen.error()["message"], mark(0));
    }
}

#[test]
fn our_own_refusal_goes_through_our_own_response_callbacks_unchanged() {
    for (client, status, reason) in [
        (Client::new(OpenaiChat, "claude", false).without("authorization"), 401, "missing_key"),
        (
            Client::new(AnthropicMessages, "claude", false).with("x-api-key", "tg_other_0123456789abcdef"),
            401,
            "several_keys",
        ),
        (Client::new(OpenaiChat, "gpt-9", false), 404, "model_not_found"),
        (Client::new(OpenaiChat, "claude", false).without(":method").with(":method", "GET"), 405, "method_not_allowed"),
        (Client::new(OpenaiChat, "claude", false).without(":path").with(":path", "/v2"), 404, "unknown_path"),
        (Client { body: "{".to_owned(), ..Client::new(OpenaiChat, "claude", false) }, 400, "invalid_request"),
        (Client { body: String::new(), ..Client::new(OpenaiChat, "claude", false) }, 400, "invalid_request"),
    ] {
        let seen = run(&client, &[Answer::whole(Says::Json)]);
        assert_eq!((seen.client.status, seen.client.ended), (Some(status), true));
        let error = seen.error();
        let code = error["code"].as_str().or_else(|| error["details"]["error_code"].as_str());
        assert_eq!(code, Some(reason));
        assert_eq!(
            (&seen.record["decision"]["verdict"], &seen.record["decision"]["reason"]),
            (&json!("deny"), &json!(reason))
        );
        assert_eq!(seen.record["answer"], json!({"status": status, "bytes": seen.client.size, "end": "refused"}));
        assert!(seen.sent.is_empty());
    }
}

#[test]
fn a_request_that_ends_in_trailers_is_decided_there() {
    with_gateway(|gateway| {
        let client = Client { ends: Ends::Trailers, ..Client::new(OpenaiChat, "claude", false) };
        let cuts = Cuts(vec![10, 128]);
        let seen = gateway.run(&client, &[Answer::whole(Says::Json)], &cuts);
        assert_eq!((seen.client.status, seen.sent.len()), (Some(200), 1));
        let refused = Client { body: "{}".to_owned(), ..client };
        let seen = gateway.run(&refused, &[Answer::whole(Says::Json)], &cuts);
        assert_eq!((seen.client.status, seen.sent.len()), (Some(400), 0));
    });
}

#[test]
fn an_answer_that_ends_in_trailers_is_whole() {
    for client in Format::ALL {
        for (stream, says) in [(false, Says::Json), (true, Says::Stream)] {
            let seen = run(&Client::new(client, "claude", stream), &[Answer::then(says, Then::Trailers)]);
            assert_eq!((seen.client.status, seen.client.ended), (Some(200), true), "{client:?} {says:?}");
            assert_eq!(seen.outcomes(), both(&[("served", "")]));
        }
    }
}

#[test]
fn an_error_without_a_body_but_with_trailers_is_told_too() {
    for client in Format::ALL {
        let bare = Answer { cut: Some(0), ..Answer::then(Says::Error(400), Then::Trailers) };
        let seen = run(&Client::new(client, "claude", false), &[bare]);
        assert_eq!((seen.client.status, seen.client.ended), (Some(400), true));
        assert!(seen.error()["message"].is_string(), "{}", seen.client.body);
    }
}

#[test]
fn a_body_over_the_gates_limit_is_refused_while_it_comes() {
    Gateway::with(&json!({"request_bytes": 1024}), |gateway| {
        for (format, ends) in [(OpenaiChat, Ends::Body), (AnthropicMessages, Ends::Trailers)] {
            let client = Client { body: " ".repeat(1025), ends, ..Client::new(format, "claude", false) };
            for cuts in [WHOLE, Cuts(vec![1, 100, 255])] {
                let seen = gateway.run(&client, &[Answer::whole(Says::Json)], &cuts);
                assert_eq!((seen.client.status, seen.client.ended), (Some(413), true));
                assert_eq!(seen.error()["message"], "the request body is larger than 1024 bytes");
                assert_eq!(seen.record["decision"]["reason"], "request_too_large");
            }
        }
        assert_eq!(gateway.envoy.violations(), []);
    });
}

#[test]
fn envoys_own_413_is_told_in_the_clients_format() {
    with_gateway(|gateway| {
        gateway.envoy.buffer_limit(500);
        for format in Format::ALL {
            for ends in [Ends::EmptyChunk, Ends::Body] {
                // What is too large for Envoy may also be nothing that we accept, and then both answer.
                let client = Client { body: " ".repeat(501), ends, ..Client::new(format, "claude", false) };
                let seen = gateway.run(&client, &[Answer::whole(Says::Json)], &Cuts(vec![50, 100]));
                assert_eq!((seen.client.status, seen.client.ended), (Some(413), true));
                assert_eq!(seen.error()["message"], "the request body is larger than the gateway accepts");
                assert_eq!(seen.client.headers.text("content-type"), Some("application/json"));
                assert_eq!(seen.record["decision"]["reason"], "request_too_large");
                assert_eq!(seen.record["answer"]["status"], 413);
            }
        }
    });
}

#[test]
fn headers_that_are_no_text_or_come_twice_are_refused_by_name_not_by_a_crash() {
    let client = || Client::new(OpenaiChat, "claude", false);
    for (client, status) in [
        (client().with("x-anything", b"\xff\xfe"), 200),
        (client().with("user-agent", b"\xff\xfe"), 200),
        (client().with("x-tollgate-\u{ff}", b"\xff"), 200),
        (client().with("traceparent", b"\xff").with("traceparent", "00-a"), 200),
        (client().with("authorization", b"\xff"), 401),
        (client().without("authorization").with("x-api-key", b"\xff\xfe"), 401),
        (client().with("content-type", "application/json"), 415),
        (client().without("content-type").with("content-type", b"\xff"), 415),
        (client().with("content-encoding", "identity").with("content-encoding", "gzip"), 415),
        (client().with(":method", "GET"), 405),
        (client().with(":path", "/v1/messages"), 404),
        (client().without(":path").with(":path", b"/v1/\xff"), 404),
    ] {
        let seen = run(&client, &[Answer::whole(Says::Json)]);
        assert_eq!(seen.client.status, Some(status), "{client:?}");
    }
}

#[test]
fn a_request_that_another_filter_refused_before_us_is_recorded() {
    with_gateway(|gateway| {
        let exchange = gateway.envoy.exchange();
        let gate = exchange.stream(gateway.gate);
        gate.response_headers([(":status", "401"), ("content-type", "text/plain")], false);
        assert_eq!(gate.response_data("Jwt is missing", true), Delivery::Undelivered);
        gate.finish();
        let record = exchange.filter_state("wasm.tollgate.audit").expect("a record");
        let record: Value = serde_json::from_slice(&record).expect("JSON");
        let decision = json!({"verdict": "deny", "rule": "before the gate", "reason": "refused_by_another_filter"});
        assert_eq!((&record["decision"], &record["answer"]["status"]), (&decision, &json!(401)));
        assert_eq!(gate.forwarded_response().body, b"Jwt is missing", "its words stay its own");
    });
}

#[test]
fn an_attempt_whose_gate_is_in_another_vm_is_refused_and_the_log_says_why() {
    with_gateway(|gateway| {
        for filter_state in [None, Some("1767225600000000000-77"), Some("")] {
            let exchange = gateway.envoy.exchange();
            if let Some(value) = filter_state {
                exchange.set_filter_state("wasm.tollgate.exchange", value);
            }
            let upstream = exchange.upstream_stream(gateway.provider("openai"));
            upstream.request_headers([(":method", "POST"), (":path", "/v1/chat/completions")], false);
            let reply = upstream.reply().expect("a refusal");
            assert_eq!((reply.status, reply.details.as_str()), (500, "gateway_misconfigured"));
            assert_eq!(upstream.forwarded_request(), Default::default());
            let log = gateway.envoy.logs().pop().expect("a log line");
            let expected = "tollgate: an attempt was refused: no gate of this VM admitted the request: gate and \
                            providers need the same `vm_id` and module";
            assert_eq!((log.level, log.message.as_str()), (4, expected));
        }
    });
}

#[test]
fn a_provider_without_a_name_is_named_by_its_endpoint() {
    const ENDPOINT: [&str; 5] = ["xds", "upstream_host_metadata", "filter_metadata", "tollgate", "provider"];
    with_gateway(|gateway| {
        let any = gateway.load(&json!({"provider": {}}));
        let client = Client::new(OpenaiChat, "claude", false);
        for (named, sent_to) in [(Some("openai"), "api.openai.com"), (Some("gemini"), ""), (None, "")] {
            let exchange = gateway.envoy.exchange();
            let gate = exchange.stream(gateway.gate);
            gate.request_headers(client.headers.clone(), false);
            gate.request_data(&client.body, true);
            let upstream = exchange.upstream_stream(any);
            if let Some(name) = named {
                upstream.property(&ENDPOINT, name);
            }
            upstream.request_headers(gate.forwarded_request().headers.expect("admitted"), false);
            upstream.request_data(&client.body, true);
            let headers = upstream.forwarded_request().headers.unwrap_or_default();
            assert_eq!(headers.text(":authority").unwrap_or_default(), sent_to);
            // It tells the one chain's credential injectors whose turn it is.
            assert_eq!(headers.text("x-tollgate-provider"), named.filter(|_| !sent_to.is_empty()));
            assert_eq!(upstream.reply().is_some(), sent_to.is_empty());
        }
        let why: Vec<String> = gateway.envoy.logs().into_iter().map(|log| log.message).collect();
        assert!(why[0].ends_with("the route sent the request to a provider that the model's targets do not name"));
        assert!(why[1].ends_with("the endpoint has no metadata `tollgate: {provider: ...}`"));
    });
}

#[test]
fn a_stream_that_does_not_begin_in_time_is_asked_of_the_next_provider() {
    for says in [Says::Pings, Says::Stream] {
        let mute = Answer { cut: Some(20), ..Answer::then(says, Then::Hang) };
        let seen = run(&Client::new(OpenaiChat, "claude", true), &[mute, Answer::whole(Says::Stream)]);
        assert_eq!((seen.client.status, seen.client.ended), (Some(200), true));
        assert!(seen.client.body.contains(&mark(1)));
        assert_eq!(seen.outcomes(), both(&[("failed", "first_event_timeout"), ("served", "")]));
    }
}

#[test]
fn the_last_provider_may_take_its_time() {
    let slow = Answer { cut: Some(20), ..Answer::then(Says::Pings, Then::Hang) };
    let seen = run(&Client::new(OpenaiChat, "single", true), &[slow]);
    assert_eq!(seen.outcomes(), both(&[("failed", "no_response")]), "given up by Envoy in the end, not by us");
    assert_eq!(seen.record["cost"]["certainty"], "missing", "it may have worked, and bill for it");
}

#[test]
fn after_the_commit_point_there_is_no_deadline_and_no_other_provider() {
    let stalled = Answer { cut: Some(200), ..Answer::then(Says::Stream, Then::Hang) };
    let seen = run(&Client::new(OpenaiChat, "claude", true), &[stalled, Answer::whole(Says::Stream)]);
    assert!(seen.client.body.contains(&mark(0)) && !seen.client.ended, "{}", seen.client.body);
    assert_eq!((seen.sent.len(), seen.outcomes()), (1, both(&[("cut", "reset")])));
    assert_eq!(seen.record["answer"]["end"], "cut");
}

#[test]
fn a_stream_that_fails_in_its_middle_ends_in_an_error_event_of_the_clients_format() {
    for (format, event) in [(OpenaiChat, "data: {\"error\":"), (AnthropicMessages, "event: error\ndata: {")] {
        for model in ["claude", "gpt"] {
            let seen = run(&Client::new(format, model, true), &[Answer::whole(Says::StreamThenError)]);
            let (_, last) = seen.client.body.trim_end().rsplit_once("\n\n").expect("events");
            assert!(last.starts_with(event), "{last}");
            assert_eq!(seen.outcomes(), both(&[("cut", "overloaded")]));
            let cut = Answer { cut: Some(165), ..Answer::whole(Says::Stream) };
            let seen = run(&Client::new(format, model, true), &[cut]);
            let (_, last) = seen.client.body.trim_end().rsplit_once("\n\n").expect("events");
            assert!(last.starts_with(event), "{last}");
            assert_eq!(seen.outcomes(), both(&[("cut", "stream_cut")]));
        }
    }
}

#[test]
fn a_client_that_goes_away_leaves_a_record_and_what_it_owes() {
    let client = Client::new(OpenaiChat, "claude", true);
    let gone = |leaves, answer: Answer| run(&Client { leaves, ..client.clone() }, &[answer]);
    let asking = gone(Leaves::Asking(10), Answer::whole(Says::Stream));
    assert_eq!(asking.record["decision"]["reason"], "incomplete_request");
    assert_eq!(asking.record["asked"]["bytes"], 10);
    for (leaves, answer) in [
        (Leaves::Waiting(0), Answer::whole(Says::Nothing)),
        (Leaves::Waiting(1), Answer::whole(Says::Stream)),
        (Leaves::Waiting(700), Answer::whole(Says::Stream)),
    ] {
        let seen = gone(leaves, answer);
        assert_eq!((seen.outcomes(), seen.sent.len()), (both(&[("abandoned", "")]), 1));
        assert_eq!(seen.record["answer"]["end"], "client_gone");
        assert!(seen.record["cost"]["nano_usd"].as_u64() > Some(0), "an aborted stream is never free");
        assert_ne!(seen.record["cost"]["certainty"], "exact");
    }
}

#[test]
fn a_host_call_that_fails_refuses_the_attempt_and_nothing_is_sent() {
    Gateway::with(&json!({}), |gateway| {
        // No codec delivers this; a host that refuses to take it back is one that refuses a call.
        let client = Client::new(OpenaiChat, "claude", false).with("user-agent", "a\nb");
        let seen = gateway.run(&client, &[Answer::whole(Says::Json)], &WHOLE);
        assert_eq!((seen.client.status, seen.sent.len()), (Some(500), 0));
        assert_eq!(seen.error()["message"], "no provider could answer");
        let calls: Vec<String> = gateway.envoy.violations().into_iter().map(|violation| violation.call).collect();
        assert_eq!(calls, ["proxy_set_header_map_pairs"]);
        let why = "tollgate: request refused, a host call failed: not possible in this phase, or a bad argument";
        assert!(gateway.envoy.logs().iter().any(|log| log.message == why));
    });
}

#[test]
fn what_cannot_be_carried_to_a_provider_is_refused_with_the_field() {
    let body = json!({"model": "claude", "max_tokens": 9, "messages": [
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]},
    ]});
    let client = Client { body: body.to_string(), ..Client::new(OpenaiChat, "claude", false) };
    let seen = run(&client, &[Answer::whole(Says::Json)]);
    let error = seen.error();
    assert_eq!((seen.client.status, &error["code"]), (Some(400), &json!("invalid_request")), "{error}");
    assert!(error["param"].as_str().is_some_and(|field| field.starts_with("messages[0]")), "{error}");
    assert_eq!(seen.outcomes(), both(&[("rejected", "invalid_request")]));
}

mod any_exchange {
    use super::*;
    use proptest::prelude::*;

    fn client() -> impl Strategy<Value = Client> {
        let format = prop::sample::select(Format::ALL.to_vec());
        let model = prop::sample::select(vec!["claude", "claude", "gpt", "gpt", "single", "unknown"]);
        let ends = prop::sample::select(vec![Ends::Body, Ends::EmptyChunk, Ends::Trailers]);
        let headers = prop::sample::select(vec![
            None,
            None,
            None,
            Some(("x-api-key", &b"tg_other_0123456789abcdef"[..])),
            Some(("anthropic-beta", b"\xff")),
            Some(("x-tollgate-provider", b"forged")),
            Some(("content-encoding", b"gzip")),
        ]);
        let leaves = prop_oneof![
            6 => Just(Leaves::Never),
            1 => (0..400_usize).prop_map(Leaves::Asking),
            2 => (0..2_000_usize).prop_map(Leaves::Waiting),
        ];
        let body = prop_oneof![9 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
        (format, model, any::<bool>(), ends, headers, leaves, body).prop_map(
            |(format, model, stream, ends, header, leaves, body)| {
                let client = Client::new(format, model, stream);
                let client = header.into_iter().fold(client, |client, (name, value)| client.with(name, value));
                let whole = client.body.len();
                let body = client.body[..body.map_or(whole, |end: prop::sample::Index| end.index(whole))].to_owned();
                Client { ends, leaves, body, ..client }
            },
        )
    }

    fn answer() -> impl Strategy<Value = Answer> {
        let says = prop::sample::select(vec![
            Says::Json,
            Says::Json,
            Says::Stream,
            Says::Stream,
            Says::Stream,
            Says::StreamOfError,
            Says::StreamThenError,
            Says::Pings,
            Says::ErrorInside,
            Says::Error(400),
            Says::Error(401),
            Says::Error(429),
            Says::Error(500),
            Says::Page(200),
            Says::Page(404),
            Says::Page(529),
            Says::Gzip,
            Says::Nothing,
            Says::Unreachable,
        ]);
        let cut = prop_oneof![2 => Just(None), 1 => any::<u8>().prop_map(Some)];
        let then = prop::sample::select(vec![Then::End, Then::End, Then::End, Then::Trailers, Then::Reset, Then::Hang]);
        (says, cut, then).prop_map(|(says, cut, then)| Answer { says, cut, then })
    }

    fn cuts() -> impl Strategy<Value = Cuts> {
        prop::collection::vec(any::<u8>(), 0..8).prop_map(Cuts)
    }

    /// What must be true of every exchange, whoever sends what and however.
    fn check(client: &Client, answers: &[Answer], seen: &Seen) {
        let told = format!("{:?}{}", seen.client.headers, seen.client.body);
        let marks = |index: usize| told.contains(&mark(index));
        assert!(!(marks(0) && marks(1)), "two providers in one answer: {told}");
        if seen.sent.len() == 2 {
            assert!(!marks(0), "a failed attempt was seen: {told}");
        }
        for sent in &seen.sent {
            let all = format!("{:?}", sent.headers);
            for secret in
                [KEY, "tg_other", "sk-", "session=", "forged", "x-left-by", "left/over", "x-tollgate", "x-envoy"]
            {
                assert!(!all.contains(secret), "{secret}: {all}");
            }
        }
        let record = &seen.record;
        assert_eq!(record["attempts"].as_array().map(Vec::len), Some(seen.sent.len()), "{record}");
        assert!(!record.to_string().contains("capital"), "a prompt in the record");
        let served = seen.outcomes().iter().filter(|(outcome, _)| outcome == "served").count();
        assert!(served <= 1);
        // In trailers Envoy takes no more of a body: the end marker that a provider left out is then missing.
        let trailers = |answer: &Answer| answer.cut.is_some() && answer.then == Then::Trailers;
        let could_end = matches!(client.leaves, Leaves::Never) && !answers.iter().any(trailers);
        if record["answer"]["end"] == "complete" && could_end {
            assert!(seen.client.ended && seen.client.status == Some(200) && served == 1);
        }
        if seen.client.ended && seen.client.status != Some(200) {
            assert!(seen.error()["message"].is_string(), "errors are error objects: {}", seen.client.body);
        }
        let silent = record["cost"]["nano_usd"] == 0 && record["cost"]["certainty"] == "exact";
        let free = |(outcome, _): &(String, String)| outcome == "failed" || outcome == "rejected";
        assert!(!silent || seen.outcomes().iter().all(free), "a silent zero: {record}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn ends_the_same_for_every_chunking_with_one_record_and_no_trace_behind(
            client in client(),
            answers in [answer(), answer()],
            (one, other) in (cuts(), cuts()),
        ) {
            let seen = [&one, &other].map(|cuts| with_gateway(|gateway| gateway.run(&client, &answers, cuts)));
            seen.iter().for_each(|seen| check(&client, &answers, seen));
            // Where a client leaves is a place in the chunks it gets.
            if !matches!(client.leaves, Leaves::Waiting(_)) {
                prop_assert_eq!(&seen[0], &seen[1]);
            }
        }
    }
}

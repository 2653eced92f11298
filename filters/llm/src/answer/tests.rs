use super::{Failure, Relay, Tally, Whole, reason_of};
use crate::config::Bounds;
use crate::example;
use Format::{AnthropicMessages, OpenaiChat};
use tollgate_wire::Format;
use tollgate_wire::error::{ApiError, ErrorKind};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

macro_rules! recorded {
    ($name:literal) => {
        [
            (
                OpenaiChat,
                include_str!(concat!(
                    "../../../wire/tests/fixtures/conversations/",
                    $name,
                    "/openai-chat.response.json"
                )),
            ),
            (
                AnthropicMessages,
                include_str!(concat!(
                    "../../../wire/tests/fixtures/conversations/",
                    $name,
                    "/anthropic-messages.response.json"
                )),
            ),
        ]
    };
}

/// Both providers' form of the same answers.
const RECORDED: [[(Format, &str); 2]; 4] =
    [recorded!("text"), recorded!("tools"), recorded!("max_tokens"), recorded!("refusal")];

/// What becomes of the chunks, of which the last ends the answer.
fn relay<'a>(
    (from, to): (Format, Format),
    bounds: &Bounds,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Relay, Tally) {
    let (mut whole, mut tally) = (Whole::new(example::passage(from, to), bounds), Tally::default());
    let mut chunks = chunks.into_iter().peekable();
    while let Some(chunk) = chunks.next() {
        let end = chunks.peek().is_none();
        match whole.data(chunk, end, &mut tally) {
            Relay::Hold => assert!(!end, "undecided at the end"),
            Relay::Unchanged => return (Relay::Bytes(chunk.to_vec()), tally),
            decided => return (decided, tally),
        }
    }
    panic!("no chunks, no end")
}

fn failed((from, to): (Format, Format), bounds: &Bounds, body: &str) -> Failure {
    match relay((from, to), bounds, [body.as_bytes()]) {
        (Relay::Failed(failure), tally) => {
            assert_eq!(tally, Tally::default(), "of what failed nothing is counted");
            failure
        }
        other => panic!("{other:?}"),
    }
}

fn ways(from: Format) -> impl Iterator<Item = (Format, Format)> {
    Format::ALL.into_iter().map(move |to| (from, to))
}

#[test]
fn no_cut_of_an_answer_changes_what_comes_out() {
    for (from, body) in RECORDED.into_iter().flatten() {
        for way in ways(from) {
            let bounds = Bounds::default();
            let at_once = relay(way, &bounds, [body.as_bytes()]);
            assert!(matches!(at_once.0, Relay::Bytes(_)), "{way:?}");
            for at in 0..=body.len() {
                let (head, tail) = body.as_bytes().split_at(at);
                assert_eq!(relay(way, &bounds, [head, tail]), at_once, "{way:?} cut at {at}");
            }
            assert_eq!(relay(way, &bounds, body.as_bytes().chunks(1).chain([&b""[..]])), at_once);
        }
    }
}

#[test]
fn the_same_format_passes_byte_for_byte() {
    for (from, body) in RECORDED.into_iter().flatten() {
        let (relayed, _) = relay((from, from), &Bounds::default(), [body.as_bytes()]);
        assert_eq!(relayed, Relay::Bytes(body.as_bytes().to_vec()));
    }
}

#[test]
fn the_other_format_says_the_same_and_is_counted_the_same() {
    for (from, body) in RECORDED.into_iter().flatten() {
        let to = if from == OpenaiChat { AnthropicMessages } else { OpenaiChat };
        let (Relay::Bytes(translated), tally) = relay((from, to), &Bounds::default(), [body.as_bytes()]) else {
            panic!("an answer")
        };
        let (said, repeated) = (from.read_response(body.as_bytes()), to.read_response(&translated));
        let (said, repeated) = (said.expect("an answer"), repeated.expect("an answer"));
        assert_eq!((said.parts.len(), said.stop), (repeated.parts.len(), repeated.stop));
        assert_eq!(tally, relay((from, from), &Bounds::default(), [body.as_bytes()]).1);
        assert_eq!((tally.usage, tally.output_bytes), (said.usage, said.output_bytes()));
        assert!(tally.stopped && tally.cut.is_none());
    }
}

#[test]
fn an_error_inside_a_200_is_the_providers_refusal() {
    for (from, body, reason) in [
        (OpenaiChat, r#"{"error":{"message":"busy","code":"server_is_overloaded"}}"#, "overloaded"),
        (OpenaiChat, r#"{"error":"no"}"#, "provider_error"),
        (AnthropicMessages, r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#, "overloaded"),
    ] {
        for way in ways(from) {
            let failure = failed(way, &Bounds::default(), body);
            assert_eq!((failure.reason, failure.provider_refused), (reason, true), "{body}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_no_answer_and_may_still_be_billed() {
    for (body, reason) in [
        ("", "empty_answer"),
        ("<html>bad gateway</html>", "malformed_answer"),
        ("{", "malformed_answer"),
        ("[]", "malformed_answer"),
    ] {
        for way in Format::ALL.into_iter().flat_map(ways) {
            let failure = failed(way, &Bounds::default(), body);
            assert_eq!((failure.reason, failure.provider_refused), (reason, false), "{body}");
            assert_eq!((failure.error.status, failure.error.kind), (502, ErrorKind::Internal));
        }
    }
}

#[test]
fn an_answer_may_be_as_large_as_the_limit_and_no_larger() {
    let (from, body) = RECORDED[0][0];
    let bounds = Bounds { response_bytes: body.len(), ..Bounds::default() };
    assert!(matches!(relay((from, from), &bounds, [body.as_bytes()]).0, Relay::Bytes(_)));
    let bounds = Bounds { response_bytes: body.len().saturating_sub(1), ..bounds };
    assert_eq!(failed((from, from), &bounds, body).reason, "answer_too_large");
    let (Relay::Failed(failure), _) = relay((from, from), &bounds, body.as_bytes().chunks(1)) else {
        panic!("a failure")
    };
    assert_eq!(failure.reason, "answer_too_large", "also when it comes byte by byte");
}

#[test]
fn answers_together_stay_within_the_workers_budget() {
    let bounds = Bounds { held_total_bytes: 10, ..Bounds::default() };
    let passage = example::passage(OpenaiChat, OpenaiChat);
    let (mut first, mut second) = (Whole::new(passage.clone(), &bounds), Whole::new(passage, &bounds));
    let mut tally = Tally::default();
    assert_eq!(first.data(b"123456", false, &mut tally), Relay::Hold);
    assert_eq!(second.data(b"12345", false, &mut tally), Relay::Failed(Failure::out_of_memory()));
    drop(first);
    assert_eq!(second.data(b"1234567890", false, &mut tally), Relay::Hold, "what was held is free again");
}

#[test]
fn every_kind_of_error_has_a_reason_of_its_own() {
    let kinds = [
        ErrorKind::InvalidRequest,
        ErrorKind::Authentication,
        ErrorKind::Permission,
        ErrorKind::NotFound,
        ErrorKind::TooLarge,
        ErrorKind::RateLimit,
        ErrorKind::Internal,
        ErrorKind::Overloaded,
        ErrorKind::Timeout,
    ];
    let mut reasons = kinds.map(|kind| reason_of(&ApiError::new(kind, "said the provider, quoting a prompt")));
    assert!(reasons.iter().all(|reason| reason.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    reasons.sort_unstable();
    assert!(reasons.windows(2).all(|pair| pair[0] != pair[1]), "{reasons:?}");
}

#[test]
fn what_is_between_provider_and_gateway_is_told_without_the_providers_words() {
    let said = "Incorrect API key provided: sk-proj-***nQ7 in organization org-1";
    for (kind, status) in [
        (ErrorKind::Authentication, 502),
        (ErrorKind::Permission, 502),
        (ErrorKind::NotFound, 502),
        (ErrorKind::RateLimit, 429),
    ] {
        let failure = Failure::sent(ApiError::new(kind, said));
        assert_eq!((failure.reason, failure.error.status), (reason_of(&ApiError::new(kind, "")), status));
        assert!(!failure.error.message.contains("org-1") && !failure.error.message.contains("sk-"));
    }
    let theirs = Failure::sent(ApiError::new(ErrorKind::InvalidRequest, "messages is too long"));
    assert_eq!(theirs.error.message, "messages is too long", "what is the client's, it may hear");
}

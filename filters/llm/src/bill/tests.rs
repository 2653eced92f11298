//! The ledger: from the bytes of a provider's answer to what an attempt cost, through the real readers.

#![expect(clippy::arithmetic_side_effects, reason = "tests")]

use super::{Bill, estimated_input};
use crate::answer::{Relay, Tally, Whole};
use crate::calibrations::Calibrations;
use crate::config::Bounds;
use crate::example::{self, NOON, USAGE};
use crate::exchange::{Attempt, Exchange, Outcome};
use crate::settle::{Ending, settle};
use crate::streamed::Streamed;
use Certainty::{Estimated, Exact, Partial};
use Format::{AnthropicMessages, BedrockConverse, GoogleGemini, OpenaiChat, OpenaiResponses};
use tollgate_kernel::calibration::Calibration;
use tollgate_kernel::calibration::Ratio;
use tollgate_wire::Format;
use tollgate_wire::envelope::Media;
use tollgate_wire::money::NanoUsd;
use tollgate_wire::price::PriceStatus;
use tollgate_wire::usage::{Certainty, ServiceTier, Usage};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NONE: Usage = Usage::NONE;

/// 400 bytes, which are estimated as 100 tokens.
fn request() -> String {
    let body = r#"{"model":"claude","messages":[{"role":"user","content":""}]}"#;
    body.replace("\"\"", &format!("\"{}\"", "a".repeat(400 - body.len())))
}

fn settled(attempts: Vec<Attempt>, client_gone: bool, known: &mut Calibrations) -> Vec<Bill> {
    let mut exchange = Exchange { attempts, ..example::exchange(OpenaiChat, &request()) };
    let flags = Some(if client_gone { 1 << 14 } else { 1 });
    let ending = Ending { now: NOON + 1, status: Some(200), flags, connected: true, details: None };
    settle(&mut exchange, &ending, known).bills
}

fn billed(attempt: Attempt, client_gone: bool) -> Bill {
    settled(vec![attempt], client_gone, &mut Calibrations::default())[0]
}

fn attempt(outcome: Outcome, tally: Tally) -> Attempt {
    Attempt { tally, ..example::attempt(0, outcome) }
}

/// An answer in one piece.
fn whole(format: Format, body: &str) -> Attempt {
    let mut tally = Tally::default();
    let relay =
        Whole::new(example::passage(format, format), &Bounds::default()).data(body.as_bytes(), true, &mut tally);
    assert!(!matches!(relay, Relay::Failed(_)), "{relay:?}");
    attempt(Outcome::Served, tally)
}

/// The first events of a stream, or all of it.
fn streamed(format: Format, events: &[&str], ended: bool) -> Attempt {
    let mut tally = Tally::default();
    let mut stream = Streamed::new(example::passage(format, format), &Bounds::default());
    for event in events {
        stream.data(event.as_bytes(), false, &mut tally);
    }
    if ended {
        stream.data(b"", true, &mut tally);
    }
    let outcome = match tally.cut {
        Some(reason) => Outcome::Cut(reason),
        None if ended => Outcome::Served,
        None if stream.committed() => Outcome::Relaying,
        None => Outcome::Waiting,
    };
    attempt(outcome, tally)
}

fn chunk(usage: &str, text: &str, finish: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\
         \"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{finish}}}],\"usage\":{usage}}}\n\n"
    )
}

/// What providers say of an answer in one piece, and the buckets that it is.
const ANSWERS: [(&str, Format, &str, Usage); 2] = [
    (
        "OpenAI: cached input and reasoning are parts of the figures around them",
        OpenaiChat,
        r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",
            "message":{"role":"assistant","content":"Hello."}}],"usage":{"prompt_tokens":1000,"completion_tokens":200,
            "total_tokens":1200,"prompt_tokens_details":{"cached_tokens":800},
            "completion_tokens_details":{"reasoning_tokens":150}}}"#,
        Usage { input_fresh: 200, input_cache_read: 800, output_text: 50, output_reasoning: 150, ..NONE },
    ),
    (
        "Anthropic: both lifetimes of the cache stand beside the input",
        AnthropicMessages,
        r#"{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hello."}],
            "stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":5000,
            "cache_creation_input_tokens":3000,"cache_creation":{"ephemeral_5m_input_tokens":1000,
            "ephemeral_1h_input_tokens":2000},"output_tokens":300}}"#,
        Usage {
            input_fresh: 10,
            input_cache_read: 5000,
            input_cache_write_5m: 1000,
            input_cache_write_1h: 2000,
            output_text: 300,
            ..NONE
        },
    ),
];

/// The same of formats whose readers come with other branches.
const MORE_ANSWERS: [(&str, Format, &str, Usage); 3] = [
    (
        "Gemini: thoughts stand beside the candidates, and what tools read beside the prompt",
        GoogleGemini,
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello."}]},"finishReason":"STOP","index":0}],
            "usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":20,
            "thoughtsTokenCount":80,"toolUsePromptTokenCount":5,"totalTokenCount":205},"modelVersion":"m","responseId":"g"}"#,
        Usage { input_fresh: 45, input_cache_read: 60, output_text: 20, output_reasoning: 80, ..NONE },
    ),
    (
        "Bedrock: as Anthropic, with the lifetimes in a list",
        BedrockConverse,
        r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hello."}]}},"stopReason":"end_turn","usage":{
            "inputTokens":7,"outputTokens":9,"totalTokens":166,"cacheReadInputTokens":100,"cacheWriteInputTokens":50,
            "cacheDetails":[{"ttl":"1h","inputTokens":50}]},"metrics":{"latencyMs":1}}"#,
        Usage { input_fresh: 7, input_cache_read: 100, input_cache_write_1h: 50, output_text: 9, ..NONE },
    ),
    (
        "Responses: as OpenAI's chat, under other names",
        OpenaiResponses,
        r#"{"id":"r","object":"response","created_at":1,"status":"completed","model":"m","output":[{"type":"message",
            "id":"i","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hello.",
            "annotations":[]}]}],"usage":{"input_tokens":1000,"input_tokens_details":{"cached_tokens":800},
            "output_tokens":200,"output_tokens_details":{"reasoning_tokens":150},"total_tokens":1200}}"#,
        Usage { input_fresh: 200, input_cache_read: 800, output_text: 50, output_reasoning: 150, ..NONE },
    ),
];

fn check_answers(answers: &[(&str, Format, &str, Usage)]) {
    for (name, format, body, expected) in answers {
        let bill = billed(whole(*format, body), false);
        assert_eq!((bill.usage, bill.certainty, bill.basis), (Some(*expected), Exact, None), "{name}");
        assert!(bill.cost > Some(NanoUsd(0)), "{name}");
    }
}

#[test]
fn every_token_of_an_answer_is_in_one_bucket() {
    check_answers(&ANSWERS);
}

#[test]
fn every_token_of_an_answer_of_the_other_formats_is_in_one_bucket() {
    check_answers(&MORE_ANSWERS);
}

fn events(stream: &str) -> Vec<&str> {
    stream.split_inclusive("\n\n").collect()
}

/// A stream of Anthropic's with these figures in its first event and its last but one.
fn message(start: &str, delta: &str) -> String {
    format!(
        "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"id\":\"m\",\"type\":\"message\",\"role\":\
             \"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{start}}}}}\n\n\
             event: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}\n\n\
             event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"Hello.\"}}}}\n\n\
             event: message_delta\ndata: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\",\"stop_sequence\":null}},\"usage\":{delta}}}\n\n\
             event: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n"
    )
}

#[test]
fn a_stream_is_billed_by_its_last_figures_wherever_they_stand() {
    let chunks = |usages: &[(&str, &str)], last: &str| {
        let parts = usages.iter().map(|(usage, finish)| chunk(usage, "Hello.", finish));
        parts.chain([last.to_owned(), "data: [DONE]\n\n".to_owned()]).collect::<String>()
    };
    let extra = r#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":42,"completion_tokens":7,"total_tokens":49}}"#;
    let expected = Usage { input_fresh: 42, output_text: 7, ..NONE };
    for (name, format, stream, usage) in [
        (
            "zeros first and the truth later",
            AnthropicMessages,
            message(r#"{"input_tokens":0,"output_tokens":0}"#, r#"{"input_tokens":42,"output_tokens":7}"#),
            expected,
        ),
        (
            "cumulative, and never added",
            AnthropicMessages,
            message(r#"{"input_tokens":42,"output_tokens":1}"#, r#"{"output_tokens":7}"#),
            expected,
        ),
        (
            "in a chunk of its own",
            OpenaiChat,
            chunks(&[("null", "null"), ("null", "\"stop\"")], &format!("{extra}\n\n")),
            expected,
        ),
        (
            "in the chunk that also says why it ends",
            OpenaiChat,
            chunks(&[("null", "null"), (r#"{"prompt_tokens":42,"completion_tokens":7}"#, "\"stop\"")], ""),
            expected,
        ),
        (
            "in every chunk, growing",
            OpenaiChat,
            chunks(
                &[
                    (r#"{"prompt_tokens":42,"completion_tokens":3}"#, "null"),
                    (r#"{"prompt_tokens":42,"completion_tokens":5}"#, "null"),
                    (r#"{"prompt_tokens":42,"completion_tokens":7}"#, "\"stop\""),
                ],
                "",
            ),
            expected,
        ),
    ] {
        let bill = billed(streamed(format, &events(&stream), true), false);
        assert_eq!((bill.usage, bill.certainty), (Some(usage), Exact), "{name}");
    }
}

/// Anthropic's `message_start` counts the input and one token of output.
#[test]
fn figures_from_before_the_end_are_not_the_last_word() {
    for (start, delta, output) in [
        (r#"{"input_tokens":42,"output_tokens":1}"#, "{}", 2),
        (r#"{"input_tokens":42,"output_tokens":1}"#, r#"{"input_tokens":0,"output_tokens":0}"#, 2),
        (r#"{"input_tokens":42,"output_tokens":7}"#, "{}", 7),
    ] {
        let bill = billed(streamed(AnthropicMessages, &events(&message(start, delta)), true), false);
        let expected = Usage { input_fresh: 42, output_text: output, ..NONE };
        assert_eq!((bill.usage, bill.certainty), (Some(expected), Partial), "{start} {delta}");
    }
}

#[test]
fn a_stream_without_figures_is_estimated_and_says_so() {
    let deltas: String = (0..37).map(|_| chunk("null", "twelve bytes", "null")).collect();
    let stream = deltas + &chunk("null", "", "\"stop\"") + "data: [DONE]\n\n";
    let bill = billed(streamed(OpenaiChat, &events(&stream), true), false);
    assert_eq!(bill.usage, Some(Usage { input_fresh: 100, output_text: 111, ..NONE }));
    assert_eq!((bill.certainty, bill.price), (Estimated, Some(PriceStatus::Priced)));
    assert_eq!(bill.basis.map(|basis| (basis.output.hundredths(), basis.output.samples())), Some((400, 0)));
    // The client hangs up after 5 of 37.
    let bill = billed(streamed(OpenaiChat, &events(&stream)[..5], false), true);
    assert_eq!(bill.usage, Some(Usage { input_fresh: 100, output_text: 15, ..NONE }));
    assert_eq!(bill.certainty, Estimated);
}

macro_rules! recorded {
    ($($name:literal),*) => {[$(
        ($name, OpenaiChat, stream!($name, "openai-chat")),
        ($name, AnthropicMessages, stream!($name, "anthropic-messages")),
    )*]};
}

macro_rules! stream {
    ($name:literal, $format:literal) => {
        include_str!(concat!("../../../wire/tests/fixtures/conversations/", $name, "/", $format, ".stream.sse"))
    };
}

#[test]
fn wherever_an_answer_breaks_off_it_is_charged_more_the_more_there_was_and_never_nothing() {
    for (name, format, stream) in recorded!("text", "tools", "max_tokens", "refusal", "images", "long_output") {
        let events = events(stream);
        let full = billed(streamed(format, &events, true), false);
        assert_eq!(full.certainty, Exact, "{name}");
        let seen = streamed(format, &events, true).tally.output_bytes;
        for client_gone in [false, true] {
            let mut before = (Certainty::Missing, NanoUsd(0));
            for count in 0..events.len() {
                let case = format!("{name} {format:?}, {count} of {} events, client gone: {client_gone}", events.len());
                let bill = billed(streamed(format, &events[..count], false), client_gone);
                let Some(cost) = bill.cost else {
                    assert!(!client_gone && bill.certainty == Certainty::Missing && before.1 == NanoUsd(0), "{case}");
                    continue;
                };
                if bill.certainty == Exact {
                    assert_eq!(bill.usage, full.usage, "{case}: it had all of it");
                    continue;
                }
                // An estimate of the input gives way to the provider's own figure, which may be less.
                let grown = cost >= before.1 || (before.0, bill.certainty) == (Estimated, Partial);
                assert!(cost > NanoUsd(0) && grown, "{case}: {cost:?} after {before:?}");
                // What is estimated may be too much, but not by more than the estimate of everything.
                let bound = full.cost.unwrap().0 + 100 * 3_000 + seen.div_ceil(4) * 15_000;
                assert!(cost.0 <= bound, "{case}: {cost:?}");
                before = (bill.certainty, cost);
            }
        }
    }
}

fn reported(usage: Usage, output_bytes: u64) -> Attempt {
    attempt(
        Outcome::Served,
        Tally { usage: Some(usage), usage_is_final: true, output_bytes, stopped: true, ..Tally::default() },
    )
}

#[test]
fn figures_that_cannot_be_true_are_not_believed() {
    for (usage, output_bytes, billed_usage, certainty) in [
        (USAGE, 400, USAGE, Exact),
        (USAGE, 0, USAGE, Exact),     // all of it was hidden
        (USAGE, 6_400, USAGE, Exact), // 64 bytes a token
        (USAGE, 6_401, Usage { output_text: 1601, ..USAGE }, Partial),
        (Usage { output_text: 0, ..USAGE }, 10_000, Usage { output_text: 2500, ..USAGE }, Partial),
        (Usage { output_text: 0, ..USAGE }, 1, Usage { output_text: 1, ..USAGE }, Partial),
        (Usage { output_text: 0, ..USAGE }, 0, Usage { output_text: 0, ..USAGE }, Exact), // embeddings
        (Usage { input_fresh: 0, ..USAGE }, 400, Usage { input_fresh: 100, ..USAGE }, Partial),
        // Bytes of sound are no text.
        (Usage { output_audio: 5, ..USAGE }, 64_000, Usage { output_audio: 5, ..USAGE }, Exact),
    ] {
        let bill = billed(reported(usage, output_bytes), false);
        assert_eq!((bill.usage, bill.certainty), (Some(billed_usage), certainty), "{usage:?} {output_bytes}");
        assert_eq!(bill.basis.is_some(), certainty != Exact);
    }
}

#[test]
fn what_has_no_price_is_not_called_priced() {
    for (usage, cost, price) in [
        (USAGE, 4_500_000, PriceStatus::Priced),
        (Usage { service_tier: ServiceTier::Flex, ..USAGE }, 4_500_000, PriceStatus::Partial),
        (Usage { service_tier: ServiceTier::Provisioned, ..USAGE }, 4_500_000, PriceStatus::Partial),
        (Usage { fast: true, ..USAGE }, 4_500_000, PriceStatus::Partial),
        (Usage { web_search_calls: 1, ..USAGE }, 4_500_000, PriceStatus::Partial),
        (Usage { input_cache_write_5m: 1000, ..USAGE }, 8_250_000, PriceStatus::Partial),
    ] {
        let bill = billed(reported(usage, 400), false);
        assert_eq!((bill.cost, bill.price, bill.certainty), (Some(NanoUsd(cost)), Some(price), Exact), "{usage:?}");
        assert_eq!(bill.price_source.map(|source| source.name()), Some("config"));
    }
}

#[test]
fn estimates_learn_from_what_is_reported_also_of_hidden_reasoning() {
    let mut known = Calibrations::default();
    // 400 bytes are 200 tokens, and of 1200 bytes that can be seen 900 tokens, reasoning included, were made.
    let usage = Usage { input_fresh: 200, output_text: 300, output_reasoning: 600, ..NONE };
    for _ in 0..100 {
        settled(vec![reported(usage, 1200)], false, &mut known);
    }
    let cut = Tally { output_bytes: 1200, ..Tally::default() };
    let bill = settled(vec![attempt(Outcome::Relaying, cut.clone())], true, &mut known)[0];
    let estimate = bill.usage.unwrap();
    assert!(estimate.input_fresh.abs_diff(200) <= 4 && estimate.output_text.abs_diff(900) <= 18, "{estimate:?}");
    let basis = bill.basis.unwrap();
    assert!(basis.input.hundredths().abs_diff(200) <= 4 && basis.output.hundredths().abs_diff(133) <= 3, "{basis:?}");
    assert_eq!(basis.input.samples(), 100);
    // Another model is another thing.
    let other = Attempt { target: 1, ..attempt(Outcome::Relaying, cut) };
    let bill = settled(vec![other], true, &mut known)[0];
    assert_eq!(bill.usage, Some(Usage { input_fresh: 100, output_text: 300, ..NONE }));
}

#[test]
fn only_final_figures_of_text_are_learned_from() {
    let mut known = Calibrations::default();
    let odd = Usage { input_fresh: 400, output_text: 400, ..NONE };
    for usage in [
        Usage { web_search_calls: 1, ..odd },
        Usage { input_image: 1, ..odd },
        Usage { input_audio: 1, ..odd },
        Usage { output_image: 1, ..odd },
    ] {
        settled(vec![reported(usage, 400)], false, &mut known);
    }
    let broken = Tally { usage: Some(odd), output_bytes: 400, ..Tally::default() };
    settled(vec![attempt(Outcome::Cut("a"), broken)], false, &mut known);
    settled(vec![attempt(Outcome::Served, Tally { stopped: true, ..Tally::default() })], false, &mut known);
    let bill = settled(vec![attempt(Outcome::Relaying, Tally::default())], true, &mut known)[0];
    assert_eq!(bill.basis.map(|basis| (basis.input, basis.output)), Some((Ratio::default(), Ratio::default())));
}

#[test]
fn nothing_is_learned_of_text_from_what_is_not_all_in_the_request() {
    let picture = r#"{"image_url":{"url":"https://a.example/b.png"}}"#;
    for (format, more) in [
        (Format::OpenaiChat, format!(r#""messages":[{{"content":[{picture}]}}]"#)),
        (Format::OpenaiResponses, r#""previous_response_id":"resp_1""#.to_owned()),
    ] {
        let body = format!(r#"{{"model":"claude",{more},"metadata":"{}"}}"#, "x".repeat(400));
        let mut exchange = example::exchange(format, &body);
        exchange.attempts = vec![reported(Usage { input_fresh: 100_000, ..NONE }, 0)];
        let mut known = Calibrations::default();
        settle(&mut exchange, &Ending { connected: true, ..Ending::default() }, &mut known);
        let target = exchange.admitted.as_ref().unwrap().targets()[0].clone();
        assert_eq!(known.of(&target), Calibration::default(), "{body}");
    }
}

#[test]
fn pictures_in_a_request_are_estimated_by_their_number() {
    for (media, tokens) in [
        (Media { items: 0, bytes: 0 }, 250),
        (Media { items: 2, bytes: 900 }, 25 + 3000),
        (Media { items: 1, bytes: 5000 }, 1500),
    ] {
        assert_eq!(estimated_input(1000, media, &Calibration::default()), tokens, "{media:?}");
    }
}

#[test]
fn a_fallback_is_two_attempts_and_one_charge() {
    let refused = || Attempt { status: Some(429), ..attempt(Outcome::Refused("rate_limited"), Tally::default()) };
    let served = || Attempt { target: 1, ..reported(USAGE, 400) };
    let bills = settled(vec![refused(), served()], false, &mut Calibrations::default());
    let costs =
        |bills: &[Bill]| bills.iter().map(|bill| (bill.cost.map(|cost| cost.0), bill.certainty)).collect::<Vec<_>>();
    assert_eq!(costs(&bills), [(Some(0), Exact), (Some(1_800_000), Exact)]);
    assert_eq!((bills[0].usage, bills[0].price), (None, None));
    // One that was given up after it had begun to count is charged too.
    let begun = Tally { usage: Some(Usage { output_text: 1, ..USAGE }), ..Tally::default() };
    let given_up = attempt(Outcome::Failed("first_event_timeout"), begun);
    let bills = settled(vec![given_up, served()], false, &mut Calibrations::default());
    assert_eq!(costs(&bills), [(Some(3_015_000), Partial), (Some(1_800_000), Exact)]);
}

#[test]
fn what_a_second_model_used_is_not_called_priced() {
    let body = r#"{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hello."}],
        "stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":20,"iterations":[
        {"type":"message","input_tokens":10,"output_tokens":20},
        {"type":"advisor_message","model":"claude-opus-4-6","input_tokens":9000,"output_tokens":4000}]}}"#;
    let bill = billed(whole(AnthropicMessages, body), false);
    assert_eq!(bill.usage.map(|usage| usage.input()), Some(9010));
    assert_eq!(bill.price, Some(PriceStatus::Partial), "its price is another, five times as much");
}

fn response_event(kind: &str, more: &str) -> String {
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\",{more}}}\n\n")
}

#[test]
fn what_a_providers_tools_did_is_charged_also_when_the_client_does_not_wait_for_the_figures() {
    let item = |index: u32, item: &str| {
        response_event("response.output_item.done", &format!("\"output_index\":{index},\"item\":{item}"))
    };
    let stream = [
        response_event("response.created", r#""response":{"id":"r","model":"m","status":"in_progress","output":[]}"#),
        item(0, r#"{"type":"web_search_call","id":"ws","status":"completed","action":{"type":"search","query":"q"}}"#),
        item(1, r#"{"type":"image_generation_call","id":"ig","status":"completed","result":"iVBORw0KGgo"}"#),
        item(2, r#"{"type":"code_interpreter_call","id":"ci","status":"completed","code":"1"}"#),
    ];
    let events: Vec<&str> = stream.iter().map(String::as_str).collect();
    let bill = billed(streamed(OpenaiResponses, &events, false), true);
    let usage = bill.usage.unwrap();
    assert_eq!((usage.web_search_calls, usage.image_generation_calls, usage.code_interpreter_calls), (1, 1, 1));
    assert_eq!(bill.price, Some(PriceStatus::Partial), "the example lists no fees");
}

#[test]
fn an_estimate_is_made_at_the_price_of_what_was_served_as_far_as_that_was_told() {
    let priority =
        chunk("null", "twelve bytes", "null").replace("\"object\"", "\"service_tier\":\"priority\",\"object\"");
    let bill = billed(streamed(OpenaiChat, &[&priority], false), true);
    assert_eq!(bill.certainty, Estimated);
    assert_eq!(bill.usage.unwrap().service_tier, ServiceTier::Priority);
    let begun = response_event(
        "response.created",
        r#""response":{"id":"r","model":"m","service_tier":"priority","status":"in_progress","output":[]}"#,
    );
    let said = response_event("response.output_text.delta", r#""output_index":0,"content_index":0,"delta":"Hello""#);
    let bill = billed(streamed(OpenaiResponses, &[&begun, &said], false), true);
    assert_eq!(bill.usage.unwrap().service_tier, ServiceTier::Priority);
    // Servers that count nothing may still say as what they serve.
    let begun = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"m\",\"usage\":\
                 {\"input_tokens\":0,\"output_tokens\":0,\"service_tier\":\"priority\",\"speed\":\"fast\",\"inference_geo\":\"us\"}}}\n\n";
    let said = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"Hi\"}}\n\n";
    let usage = billed(streamed(AnthropicMessages, &[begun, said], false), true).usage.unwrap();
    assert_eq!((usage.service_tier, usage.fast, usage.in_one_country), (ServiceTier::Priority, true, true));
}

#[test]
fn what_was_seen_is_not_counted_again_with_the_figures() {
    let start = "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"m\",\"usage\":{\"input_tokens\":90,\"output_tokens\":1}}}\n\n";
    let search = |index: u32| {
        format!(
            "data: {{\"type\":\"content_block_start\",\"index\":{index},\"content_block\":{{\"type\":\"server_tool_use\",\
             \"id\":\"s{index}\",\"name\":\"web_search\",\"input\":{{}}}}}}\n\n"
        )
    };
    let stop = "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":90,\
                \"output_tokens\":20,\"server_tool_use\":{\"web_search_requests\":1}}}\n\n";
    let (first, second) = (search(0), search(1));
    let calls = |events: &[&str]| {
        let bill = billed(streamed(AnthropicMessages, events, false), true);
        (bill.usage.unwrap().web_search_calls, bill.certainty)
    };
    assert_eq!(calls(&[start, &first, &second]), (2, Partial));
    assert_eq!(calls(&[start, &first, &second, stop]), (1, Exact), "the provider's own figure: one has failed");
}

#[test]
fn an_answer_that_failed_with_figures_is_charged_for_them() {
    for (format, body) in [
        (
            OpenaiResponses,
            r#"{"id":"r","object":"response","status":"failed","model":"m","output":[],"error":{"code":"server_error",
                "message":"x"},"usage":{"input_tokens":1000,"output_tokens":100,"total_tokens":1100}}"#,
        ),
        (
            OpenaiChat,
            r#"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"Hel"},"finish_reason":"error"}],
                "error":{"message":"x","code":502},"usage":{"prompt_tokens":1000,"completion_tokens":100}}"#,
        ),
    ] {
        let mut tally = Tally::default();
        let relay =
            Whole::new(example::passage(format, format), &Bounds::default()).data(body.as_bytes(), true, &mut tally);
        let Relay::Failed(failure) = relay else { panic!("{relay:?}") };
        assert!(failure.provider_refused);
        let bill = billed(attempt(Outcome::Refused(failure.reason), tally), false);
        assert!(bill.cost > Some(NanoUsd(0)), "{format:?}: {bill:?}");
    }
}

#[test]
fn padding_does_not_make_anybodys_tokens_cheaper() {
    let mut known = Calibrations::default();
    let padded = format!(r#"{{"model":"claude",{}"messages":[]}}"#, " ".repeat(100_000));
    let usage = Usage { input_fresh: 40, output_text: 40, ..NONE };
    for _ in 0..60 {
        let attempts = vec![reported(usage, 160)];
        let mut exchange = Exchange { attempts, ..example::exchange(OpenaiChat, &padded) };
        let ending = Ending { now: NOON + 1, status: Some(200), flags: Some(1), connected: true, details: None };
        let _ = settle(&mut exchange, &ending, &mut known);
    }
    // Another team's 400 bytes, of which nobody counted the tokens: 100.
    let bill = settled(vec![attempt(Outcome::Relaying, Tally::default())], true, &mut known)[0];
    assert!(bill.usage.unwrap().input_fresh >= 80, "{:?}", bill.usage);
}

#[test]
fn a_stream_of_several_candidates_is_whole_when_all_of_them_are() {
    let first = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},\"finishReason\":\"STOP\",\"index\":0}],\
                 \"usageMetadata\":{\"promptTokenCount\":5,\"candidatesTokenCount\":1,\"totalTokenCount\":6}}\n\n";
    let passage = crate::answer::Passage { answers: 2, ..example::passage(GoogleGemini, GoogleGemini) };
    let mut tally = Tally::default();
    Streamed::new(passage, &Bounds::default()).data(first.as_bytes(), false, &mut tally);
    let bill = billed(attempt(Outcome::Relaying, tally), true);
    assert_ne!(bill.certainty, Exact, "the second was still being written");
    let second = first.replace("\"index\":0", "\"index\":1").replace("Count\":1,", "Count\":2,").replace(":6}", ":7}");
    let certainty = |events: &[&str], ended: bool| {
        let passage = crate::answer::Passage { answers: 2, ..example::passage(GoogleGemini, GoogleGemini) };
        let (mut tally, mut stream) = (Tally::default(), Streamed::new(passage, &Bounds::default()));
        for event in events {
            stream.data(event.as_bytes(), false, &mut tally);
        }
        if ended {
            stream.data(b"", true, &mut tally);
        }
        (billed(attempt(Outcome::Relaying, tally.clone()), true).certainty, tally.cut)
    };
    assert_eq!(certainty(&[first, &second], false), (Exact, None));
    assert_eq!(certainty(&[first], true), (Exact, None), "fewer came than were asked for");
    let cut = second.replace("\"finishReason\":\"STOP\",", "");
    assert_eq!(certainty(&[first, &cut], true), (Partial, Some("stream_cut")));
}

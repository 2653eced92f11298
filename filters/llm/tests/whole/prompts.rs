//! What models ask for from prompts that are known: noted once, for who asked, and only what the client got.

use crate::gateway::provider::{Answer, Says, Then, arguments, mark};
use crate::gateway::{Client, Cuts, Gateway, Seen};
use Format::{AnthropicMessages, OpenaiChat};
use serde_json::{Value, json};
use tollgate_kernel::json::{Document, Limits};
use tollgate_kernel::provenance::{Asker, Notes, SLOTS};
use tollgate_kernel::subject::Subject;
use tollgate_wire::Format;

/// `printf %s 'You sort tickets.' | sha256sum`
const TRIAGE_SHA256: &str = "119453084cba38c0e2b5c3b41cbc84deb6407f46cd075b5e77987399c0a82ac1";
const WHOLE: Cuts = Cuts(Vec::new());

fn with_prompt<T: Send>(test: impl FnOnce(&Gateway) -> T + Send) -> T {
    let configure =
        |gate: &mut Value| gate["prompts"] = json!({"triage": {"system_sha256": [TRIAGE_SHA256], "within": "60s"}});
    Gateway::configured(configure, |gateway| {
        let tested = test(&gateway);
        assert_eq!(gateway.envoy.violations(), []);
        tested
    })
}

fn told(format: Format, model: &str, stream: bool, system: &str) -> Client {
    let client = Client::new(format, model, stream);
    let mut body: Value = serde_json::from_str(&client.body).expect("JSON");
    match format {
        OpenaiChat => {
            let messages = body["messages"].as_array_mut().expect("messages");
            messages.insert(0, json!({"role": "system", "content": system}));
        }
        AnthropicMessages => body["system"] = json!(system),
        Format::OpenaiResponses => body["instructions"] = json!(system),
        Format::GoogleGemini => body["systemInstruction"] = json!({"parts": [{"text": system}]}),
        Format::BedrockConverse => body["system"] = json!([{"text": system}]),
    }
    Client { body: body.to_string(), ..client }
}

/// How many notes there are, and whether one is of the call that attempt `index` asks for.
fn noted(gateway: &Gateway, index: usize) -> (usize, bool) {
    let slots = (0..SLOTS).filter_map(|slot| gateway.envoy.shared_data(&format!("tollgate.provenance.1.{slot}")));
    let slots: Vec<Notes> = slots.map(|bytes| Notes::read(&bytes).expect("notes")).collect();
    let subject: Subject = tollgate_config::read(r#"{"team": "support"}"#).expect("a subject");
    let subject = Subject { key: "support".to_owned().try_into().ok(), ..subject };
    let text = arguments(&mark(index));
    let document = Document::read(text.as_bytes(), Limits { bytes: 1000, nodes: 10 }).expect("JSON");
    let call = Asker::of(&subject).expect("somebody").call("search", Some(document.root().digest()));
    let all = slots.iter().map(Notes::len).sum();
    (all, slots.iter().any(|notes| notes.of_calls(&[call], 0).any(|note| note.prompt.as_str() == "triage")))
}

fn said(seen: &Seen) -> (Option<&str>, Option<u64>) {
    assert_eq!(seen.client.status, Some(200), "{}", seen.client.body);
    (seen.record["asked"]["prompt"].as_str(), seen.record["asked"]["calls_noted"].as_u64())
}

const fn call(stream: bool) -> Answer {
    Answer::whole(if stream { Says::CallStream } else { Says::Call })
}

#[test]
fn a_call_from_a_prompt_is_noted_in_every_format_from_every_provider_however_it_is_cut() {
    for format in Format::ALL {
        for (model, stream) in [("claude", false), ("claude", true), ("gpt", false), ("gpt", true)] {
            for cuts in [WHOLE, Cuts((0..=255).collect())] {
                with_prompt(|gateway| {
                    let seen = gateway.run(&told(format, model, stream, "You sort tickets."), &[call(stream)], &cuts);
                    assert_eq!(said(&seen), (Some("triage"), Some(1)), "{format:?} {model} {stream}");
                    assert_eq!(noted(gateway, 0), (1, true), "{format:?} {model} {stream}");
                });
            }
        }
    }
}

#[test]
fn what_no_prompt_is_known_of_is_not_noted() {
    with_prompt(|gateway| {
        for stream in [false, true] {
            for client in [told(OpenaiChat, "gpt", stream, "You chat."), Client::new(OpenaiChat, "gpt", stream)] {
                assert_eq!(said(&gateway.run(&client, &[call(stream)], &WHOLE)), (None, None));
            }
            let text = Answer::whole(if stream { Says::Stream } else { Says::Json });
            let client = told(OpenaiChat, "gpt", stream, "You sort tickets.");
            assert_eq!(said(&gateway.run(&client, &[text], &WHOLE)), (Some("triage"), Some(0)));
        }
        assert_eq!(noted(gateway, 0), (0, false));
    });
}

#[test]
fn what_the_client_did_not_get_is_not_noted() {
    for (stream, fails) in [
        (false, Answer { says: Says::Call, cut: Some(250), then: Then::End }),
        (true, Answer::whole(Says::StreamOfError)),
        (true, Answer::whole(Says::Call)),
    ] {
        with_prompt(|gateway| {
            let client = told(AnthropicMessages, "claude", stream, "You sort tickets.");
            let seen = gateway.run(&client, &[fails, call(stream)], &WHOLE);
            assert_eq!((seen.sent.len(), said(&seen)), (2, (Some("triage"), Some(1))));
            assert_eq!((noted(gateway, 0), noted(gateway, 1)), ((1, false), (1, true)));
        });
    }
}

//! Answers that are given again: to whom, to what, and which never are.

use crate::gateway::provider::{Answer, Says, Then, mark};
use crate::gateway::{Client, Cuts, Gateway, KEY_SHA256, Leaves, Seen};
use Format::{AnthropicMessages, GoogleGemini, OpenaiChat, OpenaiResponses};
use fake_envoy::FakeEnvoy;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tollgate_wire::Format;

const WHOLE: Cuts = Cuts(Vec::new());

/// `printf %s tg_research_0123456789abcdef | sha256sum`
const RESEARCH_SHA256: &str = "7852615f0d07d15953f6f68dbd2d9690f117bba65deb0f6f352d6e2e2214b7cd";

/// Every model has a cache, but `single`.
fn with_cache<T: Send>(cache: &Value, model: &Value, test: impl FnOnce(&Gateway) -> T + Send) -> T {
    let configure = |gate: &mut Value| {
        gate["cache"] = cache.clone();
        for name in ["claude", "gpt", "strict"] {
            gate["models"][name]["cache"] = model.clone();
        }
        let keys = gate["keys"].as_array_mut().expect("keys");
        let key = |subject: Value| json!({"id": "research", "sha256": [RESEARCH_SHA256], "subject": subject, "models": ["*"]});
        keys.push(key(json!({"team": "research", "user": "ada"})));
    };
    Gateway::configured(configure, |gateway| {
        let tested = test(&gateway);
        assert_eq!(gateway.envoy.violations(), []);
        tested
    })
}

fn cached<T: Send>(test: impl FnOnce(&Gateway) -> T + Send) -> T {
    with_cache(&json!({}), &json!({}), test)
}

/// A question that may be answered again.
fn question(format: Format, model: &str, stream: bool) -> Client {
    changed(Client::new(format, model, stream), |_| {})
}

/// The same, changed.
fn changed(client: Client, change: impl FnOnce(&mut Map<String, Value>)) -> Client {
    let mut body: Value = serde_json::from_str(&client.body).expect("JSON");
    let within = ["generationConfig", "inferenceConfig"].into_iter().find(|name| body.get(name).is_some());
    match within {
        Some(name) => body[name]["temperature"] = json!(0),
        None => body["temperature"] = json!(0),
    }
    change(body.as_object_mut().expect("an object"));
    Client { body: body.to_string(), ..client }
}

fn answer(stream: bool) -> [Answer; 1] {
    [Answer::whole(if stream { Says::Stream } else { Says::Json })]
}

/// Answers well, streamed or not, as it is asked.
fn ask(gateway: &Gateway, client: &Client) -> Seen {
    let stream = client.body.contains("\"stream\":true")
        || client.headers.text(":path").is_some_and(|path| path.to_lowercase().contains("stream"));
    gateway.run(client, &answer(stream), &WHOLE)
}

fn status(seen: &Seen) -> &str {
    assert_eq!(seen.client.status, Some(200), "{}", seen.client.body);
    let told = seen.client.headers.text("x-tollgate-cache").unwrap_or("none");
    assert_eq!(seen.record["cache"]["status"].as_str().unwrap_or("none"), told);
    assert_eq!(told == "hit", seen.sent.is_empty(), "a hit asks no provider, and all others do");
    told
}

fn stored(seen: &Seen) -> bool {
    seen.record["cache"]["stored"] == true
}

fn slots(envoy: &FakeEnvoy) -> Vec<(String, Vec<u8>)> {
    let names = (0..512).map(|index| format!("tollgate.cache.{index}"));
    names.filter_map(|name| envoy.shared_data(&name).map(|value| (name, value))).collect()
}

#[test]
fn an_answer_is_given_again_whole_and_streamed_in_every_format_from_every_provider() {
    for format in Format::ALL {
        for model in ["claude", "gpt"] {
            for first in [false, true] {
                cached(|gateway| {
                    let miss = ask(gateway, &question(format, model, first));
                    assert_eq!((status(&miss), stored(&miss)), ("miss", true), "{format:?} {model} {first}");
                    for again in [false, true] {
                        let hit = ask(gateway, &question(format, model, again));
                        assert_eq!(status(&hit), "hit", "{format:?} {model} {first} {again}");
                        assert!(hit.client.body.contains(&mark(0)) && hit.client.ended, "{}", hit.client.body);
                        let media_type = if again { format.stream_media_type() } else { "application/json" };
                        assert_eq!(hit.client.headers.text("content-type"), Some(media_type));
                        if (first, again) == (false, false) {
                            assert_eq!(hit.client.body, miss.client.body, "byte for byte");
                        }
                        assert_eq!(hit.record["answer"]["bytes"], hit.client.size);
                    }
                });
            }
        }
    }
}

#[test]
fn a_hit_costs_nothing_and_says_what_it_saved() {
    cached(|gateway| {
        let client = question(OpenaiChat, "gpt", false);
        let miss = ask(gateway, &client);
        gateway.envoy.advance(Duration::from_millis(61_500));
        let hit = ask(gateway, &client);
        assert_eq!(miss.record["cost"]["nano_usd"], 11 * 1000 + 7 * 8000);
        assert_eq!(miss.record["cache"], json!({"status": "miss", "stored": true}));
        assert_eq!(hit.record["cache"], json!({"status": "hit", "age_s": 61, "saved_nano_usd": 67_000}));
        assert_eq!(hit.client.headers.text("age"), Some("61"));
        assert_eq!(hit.client.headers.text("x-tollgate-saved-usd"), Some("0.000067"));
        let free = json!({"nano_usd": 0, "usd": "0.00", "certainty": "exact", "price": "priced", "unpriced": false});
        assert_eq!((&hit.record["cost"], &hit.record["attempts"]), (&free, &json!([])));
        assert_eq!(
            hit.record["decision"],
            json!({"verdict": "allow", "rule": "keys.support.models", "reason": "cache_hit"})
        );
        assert_eq!(hit.record["answer"]["end"], "complete");
        let count = |name: &str| gateway.envoy.counter(name);
        assert_eq!(count("tollgate_llm_cache_total.model=.=gpt;.;outcome=.=hit;.;"), 1);
        assert_eq!(count("tollgate_llm_cache_total.model=.=gpt;.;outcome=.=miss;.;"), 1);
        assert_eq!(count("tollgate_llm_cache_saved_nano_usd_total.team=.=support;.;model=.=gpt;.;"), 67_000);
        assert_eq!(count("tollgate_llm_requests_total.team=.=support;.;model=.=gpt;.;outcome=.=complete;.;"), 2);
    });
}

#[test]
fn embeddings_are_given_again() {
    cached(|gateway| {
        let body = json!({"model": "gpt", "input": ["a", "b"]});
        let client = Client::new(OpenaiChat, "gpt", false).asks("POST", "/v1/embeddings", &body);
        let embed = || gateway.run(&client, &[Answer::whole(Says::Embeddings)], &WHOLE);
        let (miss, hit) = (embed(), embed());
        assert_eq!((status(&miss), stored(&miss), status(&hit)), ("miss", true, "hit"));
        assert_eq!(miss.client.body, hit.client.body);
        assert_eq!(hit.record["cache"]["saved_nano_usd"], 11_000);
    });
}

#[test]
fn nothing_is_kept_of_a_model_without_a_cache_nor_of_counts() {
    cached(|gateway| {
        for _ in 0..2 {
            assert_eq!(status(&ask(gateway, &question(OpenaiChat, "single", false))), "none");
            let body = json!({"model": "claude", "messages": []});
            let count =
                Client::new(AnthropicMessages, "claude", false).asks("POST", "/v1/messages/count_tokens", &body);
            assert_eq!(status(&gateway.run(&count, &[Answer::whole(Says::Count)], &WHOLE)), "none");
        }
        assert_eq!(slots(&gateway.envoy), []);
    });
}

#[test]
fn what_may_be_answered_otherwise_is_never_answered_again() {
    let openai = |fields: Value| {
        changed(Client::new(OpenaiChat, "gpt", false), |body| body.extend(fields.as_object().expect("fields").clone()))
    };
    for (client, reason) in [
        (Client::new(OpenaiChat, "gpt", false), "temperature"),
        (openai(json!({"temperature": 0.1})), "temperature"),
        (openai(json!({"n": 2})), "several_answers"),
        (openai(json!({"tools": [{"type": "function", "function": {"name": "f"}}]})), "tools"),
        (openai(json!({"store": true})), "kept_at_provider"),
        (question(OpenaiChat, "gpt", false).with("cache-control", "No-Store"), "no_store"),
    ] {
        cached(|gateway| {
            for _ in 0..2 {
                let seen = ask(gateway, &client);
                assert_eq!(status(&seen), "bypass", "{}", client.body);
                assert_eq!(seen.record["cache"], json!({"status": "bypass", "reason": reason}), "{}", client.body);
            }
            assert_eq!(slots(&gateway.envoy), []);
            let counted = gateway.envoy.counter("tollgate_llm_cache_total.model=.=gpt;.;outcome=.=bypass;.;");
            assert_eq!(counted, 2);
        });
    }
}

#[test]
fn the_configuration_may_allow_more() {
    let tools = |body: &mut Map<String, Value>| {
        body.insert("tools".to_owned(), json!([{"name": "f", "input_schema": {"type": "object"}}]));
    };
    with_cache(&json!({}), &json!({"tools": true, "any_temperature": true}), |gateway| {
        let client = changed(Client::new(AnthropicMessages, "claude", false), |body| {
            tools(body);
            body.remove("temperature");
        });
        assert_eq!(["miss", "hit"].map(|_| status(&ask(gateway, &client)).to_owned()), ["miss", "hit"]);
    });
}

#[test]
fn only_answers_that_are_whole_are_kept() {
    let (json, stream) = (Answer::whole(Says::Json), Answer::whole(Says::Stream));
    let cut = |says, cut| Answer { says, cut: Some(cut), then: Then::End };
    for (streamed, answer) in [
        (false, Answer::whole(Says::Error(400))),
        (false, Answer::whole(Says::Error(503))),
        (false, Answer::whole(Says::ErrorInside)),
        (false, Answer::whole(Says::Unreachable)),
        (false, cut(Says::Json, 200)),
        (false, Answer::then(Says::Json, Then::Reset)),
        (true, Answer::whole(Says::StreamThenError)),
        (true, cut(Says::Stream, 200)),
        (true, cut(Says::Stream, 128)),
        (true, Answer::then(Says::Stream, Then::Reset)),
        (true, Answer::then(Says::Stream, Then::Hang)),
    ] {
        for format in Format::ALL {
            cached(|gateway| {
                let client = question(format, "strict", streamed);
                let seen = gateway.run(&client, std::slice::from_ref(&answer), &WHOLE);
                assert!(!stored(&seen), "{answer:?} {}", seen.client.body);
                assert_eq!(slots(&gateway.envoy), []);
                let next = gateway.run(&client, &[if streamed { stream.clone() } else { json.clone() }], &WHOLE);
                assert_eq!((status(&next), stored(&next)), ("miss", true), "{answer:?}");
            });
        }
    }
}

#[test]
fn what_the_client_did_not_wait_for_is_not_kept() {
    for streamed in [false, true] {
        for format in Format::ALL {
            for bytes in [1, 100, 200] {
                cached(|gateway| {
                    let client = Client { leaves: Leaves::Waiting(bytes), ..question(format, "claude", streamed) };
                    let seen = gateway.run(&client, &answer(streamed), &WHOLE);
                    assert!(!stored(&seen), "{}", seen.record);
                    assert_eq!(slots(&gateway.envoy), []);
                });
            }
        }
    }
}

#[test]
fn an_answer_of_the_next_provider_is_kept_and_not_what_failed_before() {
    for streamed in [false, true] {
        cached(|gateway| {
            let client = question(AnthropicMessages, "claude", streamed);
            let failed = Answer::whole(if streamed { Says::StreamOfError } else { Says::Error(500) });
            let [good] = answer(streamed);
            let miss = gateway.run(&client, &[failed, good], &WHOLE);
            assert!(stored(&miss));
            let hit = ask(gateway, &client);
            assert!(hit.client.body.contains(&mark(1)) && !hit.client.body.contains(&mark(0)));
            // What asking again would cost: not what the failure did.
            assert_eq!(hit.record["cache"]["saved_nano_usd"], miss.record["attempts"][1]["cost_nano_usd"]);
        });
    }
}

#[test]
fn an_answer_to_less_than_was_asked_is_not_kept() {
    cached(|gateway| {
        let client = changed(Client::new(OpenaiChat, "claude", false), |body| {
            body.insert("logit_bias".to_owned(), json!({"1": 2}));
        });
        let seen = ask(gateway, &client);
        assert_eq!(seen.client.headers.text("x-tollgate-dropped"), Some("logit_bias"));
        assert!(!stored(&seen));
    });
}

#[test]
fn a_larger_answer_is_not_kept_and_reaches_the_client_all_the_same() {
    let small = json!({"entry_bytes": 1024});
    for (bounds, cache, says, kept) in [
        (json!({}), json!({}), Says::LongJson, true),
        (json!({}), json!({}), Says::LongStream, true),
        (json!({}), small.clone(), Says::LongJson, false),
        (json!({}), small, Says::LongStream, false),
        (json!({"held_total_bytes": 1024}), json!({}), Says::LongStream, false),
    ] {
        for format in Format::ALL {
            let configure = |gate: &mut Value| {
                (gate["bounds"], gate["cache"]) = (bounds.clone(), cache.clone());
                gate["models"]["gpt"]["cache"] = json!({});
            };
            Gateway::configured(configure, |gateway| {
                let client = question(format, "gpt", says == Says::LongStream);
                let seen = gateway.run(&client, &[Answer::whole(says)], &WHOLE);
                assert_eq!((status(&seen), stored(&seen)), ("miss", kept), "{says:?} {bounds} {cache}");
                assert!(seen.client.ended && seen.client.body.contains(&mark(0)));
            });
        }
    }
}

#[test]
fn teams_never_share_whatever_their_names() {
    let research =
        |client: Client| client.without("authorization").with("authorization", "Bearer tg_research_0123456789abcdef");
    cached(|gateway| {
        let client = question(OpenaiChat, "gpt", false);
        assert_eq!(status(&ask(gateway, &client)), "miss");
        assert_eq!(status(&ask(gateway, &research(client.clone()))), "miss");
        assert_eq!(status(&ask(gateway, &client)), "hit");
        assert_eq!(status(&ask(gateway, &research(client))), "hit");
    });
    with_cache(&json!({"per": ["team", "user"]}), &json!({}), |gateway| {
        let client = question(OpenaiChat, "gpt", false);
        let seen = ask(gateway, &client);
        assert_eq!(seen.record["cache"], json!({"status": "bypass", "reason": "no_tenant"}));
        assert_eq!(
            ["miss", "hit"].map(|_| status(&ask(gateway, &research(client.clone()))).to_owned()),
            ["miss", "hit"]
        );
    });
}

#[test]
fn everything_that_is_asked_counts_but_white_space_and_delivery() {
    let same = |client: &Client, body: String| Client { body, ..client.clone() };
    let client = question(OpenaiChat, "gpt", false);
    let spaced = client.body.replace("\":", "\" :\n ").replace(",\"", " ,\t\"");
    let delivered = client.body.replacen('{', r#"{"stream_options":{"include_usage":true},"#, 1);
    let reordered = {
        let (model, rest) = (r#""model":"gpt","#, client.body.replacen(r#""model":"gpt","#, "", 1));
        assert_ne!(rest, client.body);
        rest.replacen('{', &format!("{{{model}"), 1)
    };
    cached(|gateway| {
        assert_eq!(status(&ask(gateway, &client)), "miss");
        for body in [spaced, delivered, reordered] {
            assert_eq!(status(&ask(gateway, &same(&client, body))), "hit");
        }
        for other in [
            same(&client, client.body.replace("Norway", "norway")),
            same(&client, client.body.replace("Norway", "Norway ")),
            same(&client, client.body.replace("64", "65")),
            same(&client, client.body.replacen('{', r#"{"user":"u","#, 1)),
            same(
                &client,
                client.body.replace(
                    r#""content":"What is the capital of Norway?","role":"user""#,
                    r#""role":"user","content":"What is the capital of Norway?""#,
                ),
            ),
            client.clone().with("openai-beta", "x=1"),
            question(AnthropicMessages, "gpt", false),
            question(OpenaiResponses, "gpt", false),
            question(GoogleGemini, "gpt", false),
            question(OpenaiChat, "claude", false),
        ] {
            assert_eq!(status(&ask(gateway, &other)), "miss", "{other:?}");
        }
    });
}

#[test]
fn a_change_of_who_serves_the_model_is_a_miss() {
    let configured = |targets: Value| {
        json!({"gate": {
            "providers": {
                "anthropic": {"format": "anthropic-messages", "host": "api.anthropic.com"},
                "openai": {"format": "openai-chat", "host": "api.openai.com", "headers": {"x-a": "1"}},
            },
            "models": {"gpt": {"targets": targets, "cache": {}}},
            "keys": [{"id": "support", "sha256": [KEY_SHA256], "subject": {"team": "support"}, "models": ["*"]}],
        }})
    };
    let target =
        |provider: &str, model: &str| json!({"provider": provider, "model": model, "price": {"input": 1, "output": 8}});
    let first = configured(json!([target("openai", "gpt-5")]));
    let mut others = vec![
        configured(json!([target("openai", "gpt-5.5")])),
        configured(json!([target("openai", "gpt-5"), target("anthropic", "c")])),
        configured(json!([target("anthropic", "c"), target("openai", "gpt-5")])),
    ];
    for (path, value) in
        [("host", json!("eu.openai.com")), ("base_path", json!("/v2")), ("headers", json!({"x-a": "2"}))]
    {
        let mut other = first.clone();
        other["gate"]["providers"]["openai"][path] = value;
        others.push(other);
    }
    cached(|gateway| {
        let client = question(OpenaiChat, "gpt", false);
        let ask_with = |config: &Value| {
            let gate = gateway.load(config);
            status(&gateway.run_at(gate, &client, &answer(false), &WHOLE)).to_owned()
        };
        assert_eq!([ask_with(&first), ask_with(&first)], ["miss", "hit"]);
        for other in others {
            assert_eq!([ask_with(&other), ask_with(&other)], ["miss", "hit"], "{other}");
        }
    });
}

#[test]
fn an_answer_is_given_again_only_within_its_time() {
    with_cache(&json!({}), &json!({"ttl": 60}), |gateway| {
        let client = question(OpenaiChat, "gpt", false);
        let told = || status(&ask(gateway, &client)).to_owned();
        assert_eq!([told(), told()], ["miss", "hit"]);
        gateway.envoy.advance(Duration::from_millis(59_999));
        assert_eq!(told(), "hit");
        gateway.envoy.advance(Duration::from_millis(1));
        assert_eq!([told(), told()], ["miss", "hit"], "and then for as long again");
    });
}

#[test]
fn the_clients_cache_control_is_honoured() {
    for (value, again, kept) in [
        ("no-store", "bypass", false),
        ("no-cache", "bypass", true),
        ("max-age=0", "bypass", true),
        ("max-age=9", "miss", true),
        ("max-age=10", "hit", false),
        ("private, MAX-AGE=10", "hit", false),
        ("max-age=x", "bypass", true),
        ("only-if-cached", "hit", false),
    ] {
        cached(|gateway| {
            let client = question(OpenaiChat, "gpt", false);
            assert_eq!(status(&ask(gateway, &client)), "miss");
            gateway.envoy.advance(Duration::from_secs(10));
            let seen = ask(gateway, &client.clone().with("cache-control", value));
            assert_eq!((status(&seen), stored(&seen)), (again, kept), "{value}");
            assert!(seen.sent.iter().all(|sent| sent.headers.get("cache-control").is_none()), "it goes no further");
            let next = ask(gateway, &client);
            let age = if kept { "0" } else { "10" };
            assert_eq!((status(&next), next.client.headers.text("age")), ("hit", Some(age)), "{value}");
        });
    }
}

#[test]
fn a_slot_that_is_not_whole_is_a_miss() {
    cached(|gateway| {
        let client = question(OpenaiChat, "gpt", true);
        ask(gateway, &client);
        let all = slots(&gateway.envoy);
        let [(name, whole)] = all.as_slice() else { panic!("one answer") };
        let mut broken: Vec<Vec<u8>> =
            [0, 1, 33, 61, 62, 65, 66, whole.len() - 1].map(|len| whole[..len].to_vec()).into();
        broken.extend([0, 1, 40, 50, 57, 64, 70].map(|at| {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            flipped
        }));
        broken.extend([vec![0xff; 9], b"{\"json\":true}".to_vec(), vec![1; 100_000]]);
        for value in broken {
            gateway.envoy.set_shared_data(name, &value);
            let seen = ask(gateway, &client);
            assert_eq!((status(&seen), stored(&seen)), ("miss", true), "{} bytes", value.len());
        }
        assert_eq!(status(&ask(gateway, &client)), "hit");
    });
}

#[test]
fn answers_that_fall_into_the_same_slot_take_each_others_place() {
    with_cache(&json!({"slots": 1}), &json!({}), |gateway| {
        let (one, other) = (question(OpenaiChat, "gpt", false), question(AnthropicMessages, "gpt", false));
        let told: Vec<String> =
            [&one, &one, &other, &other, &one].map(|client| status(&ask(gateway, client)).to_owned()).into();
        assert_eq!(told, ["miss", "hit", "miss", "hit", "miss"]);
        assert_eq!(slots(&gateway.envoy).len(), 1);
    });
}

#[test]
fn without_the_store_requests_go_on() {
    cached(|gateway| {
        let client = question(OpenaiChat, "gpt", false);
        ask(gateway, &client);
        gateway.envoy.deny_shared_data(true);
        let seen = ask(gateway, &client);
        assert_eq!((status(&seen), stored(&seen)), ("miss", false));
        assert_eq!(seen.record["cache"], json!({"status": "miss", "reason": "unavailable"}));
        let counted = "tollgate_llm_cache_total.model=.=gpt;.;outcome=.=unavailable;.;";
        assert_eq!(gateway.envoy.counter(counted), 1);
        gateway.envoy.deny_shared_data(false);
        assert_eq!(status(&ask(gateway, &client)), "hit");
    });
}

#[test]
fn a_hit_is_a_request_and_one_that_a_limit_refuses_is_no_hit() {
    let configure = |gate: &mut Value| {
        gate["models"]["gpt"]["cache"] = json!({});
        gate["limits"] = json!([{"name": "few", "per": ["team"], "requests": 2, "every": "day"}]);
    };
    Gateway::configured(configure, |gateway| {
        let client = question(OpenaiChat, "gpt", false);
        assert_eq!(["miss", "hit"].map(|_| status(&ask(&gateway, &client)).to_owned()), ["miss", "hit"]);
        let refused = ask(&gateway, &client);
        assert_eq!(refused.client.status, Some(429));
        assert_eq!(refused.record.get("cache"), None);
        let count = |name: &str| gateway.envoy.counter(name);
        assert_eq!(count("tollgate_llm_cache_total.model=.=gpt;.;outcome=.=hit;.;"), 1);
        assert_eq!(count("tollgate_llm_cache_saved_nano_usd_total.team=.=support;.;model=.=gpt;.;"), 67_000);
    });
}

#[test]
fn what_is_kept_does_not_depend_on_how_the_answer_was_cut() {
    for streamed in [false, true] {
        for format in [OpenaiChat, AnthropicMessages, OpenaiResponses] {
            let kept = |cuts: &Cuts| {
                cached(|gateway| {
                    let seen = gateway.run(&question(format, "claude", streamed), &answer(streamed), cuts);
                    assert!(stored(&seen), "{cuts:?}");
                    slots(&gateway.envoy)
                })
            };
            let whole = kept(&WHOLE);
            for cuts in [vec![128], (1..=255).collect(), (1..=255).step_by(7).collect()] {
                assert_eq!(kept(&Cuts(cuts)), whole);
            }
        }
    }
}

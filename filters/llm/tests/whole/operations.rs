//! What is asked for besides answers: lists of models, embeddings, counts of tokens; and what a strict model refuses.

use crate::gateway::provider::{Answer, Says, mark};
use crate::gateway::{Client, Cuts, Gateway, Seen};
use Format::{AnthropicMessages, BedrockConverse, GoogleGemini, OpenaiChat, OpenaiResponses};
use serde_json::{Value, json};
use tollgate_wire::Format;

fn run(client: &Client, says: Says) -> Seen {
    Gateway::with(&json!({}), |gateway| {
        let seen = gateway.run(client, &[Answer::whole(says)], &Cuts::default());
        assert_eq!(gateway.envoy.violations(), []);
        seen
    })
}

fn asks(format: Format, method: &str, path: &str, body: &Value) -> Client {
    Client::new(format, "claude", false).asks(method, path, body)
}

fn body(seen: &Seen) -> Value {
    serde_json::from_str(&seen.client.body).expect("JSON")
}

#[test]
fn the_models_of_a_key_are_listed_as_each_api_lists_them() {
    let openai = run(&asks(OpenaiChat, "GET", "/v1/models", &Value::Null), Says::Json);
    let ids = |list: &Value, name: &str| -> Vec<String> {
        let models = list.as_array().expect("a list");
        models.iter().map(|model| model[name].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(ids(&body(&openai)["data"], "id"), ["claude", "gpt", "single", "strict"]);
    assert_eq!(body(&openai)["object"], "list");
    assert!(openai.sent.is_empty(), "no provider is asked");
    assert_eq!(openai.record["decision"]["reason"], "models_listed");
    assert_eq!((&openai.record["answer"]["end"], &openai.record["cost"]["usd"]), (&json!("complete"), &json!("0.00")));

    let anthropic =
        asks(OpenaiChat, "GET", "/v1/models?limit=20", &Value::Null).with("anthropic-version", "2023-06-01");
    let anthropic = body(&run(&anthropic, Says::Json));
    assert_eq!(ids(&anthropic["data"], "id"), ["claude", "gpt", "single", "strict"]);
    assert_eq!((&anthropic["has_more"], &anthropic["last_id"]), (&json!(false), &json!("strict")));

    let gemini = body(&run(&asks(GoogleGemini, "GET", "/v1beta/models", &Value::Null), Says::Json));
    assert_eq!(ids(&gemini["models"], "name")[0], "models/claude");
}

#[test]
fn one_model_is_told_of_only_if_the_key_may_use_it() {
    let known = run(&asks(OpenaiChat, "GET", "/v1/models/gpt", &Value::Null), Says::Json);
    assert_eq!((known.client.status, &body(&known)["id"]), (Some(200), &json!("gpt")));
    let unknown = run(&asks(OpenaiChat, "GET", "/v1/models/gpt-9", &Value::Null), Says::Json);
    assert_eq!((unknown.client.status, &unknown.error()["code"]), (Some(404), &json!("model_not_found")));
    let nobody = run(&asks(OpenaiChat, "GET", "/v1/models", &Value::Null).without("authorization"), Says::Json);
    assert_eq!((nobody.client.status, &nobody.error()["code"]), (Some(401), &json!("missing_key")));
    let posted = run(&asks(OpenaiChat, "POST", "/v1/models", &json!({})), Says::Json);
    assert_eq!((posted.client.status, posted.client.headers.text("allow")), (Some(405), Some("GET")));
}

#[test]
fn embeddings_go_to_who_has_them_byte_for_byte_and_are_billed() {
    let client = asks(OpenaiChat, "POST", "/v1/embeddings", &json!({"model": "claude", "input": ["a", "b"], "x": 1}));
    let seen = run(&client, Says::Embeddings);
    assert_eq!(seen.client.status, Some(200));
    let [sent] = seen.sent.as_slice() else { panic!("one attempt") };
    assert_eq!((sent.provider, sent.headers.text(":path")), ("openai", Some("/v1/embeddings")));
    assert_eq!(sent.body, json!({"model": "gpt-5", "input": ["a", "b"], "x": 1}));
    assert_eq!(body(&seen)["data"][0]["said"], mark(0));
    assert_eq!(seen.record["attempts"][0]["usage"], json!({"input_fresh": 11, "output_text": 0}));
    assert_eq!(
        (&seen.record["cost"]["nano_usd"], &seen.record["cost"]["certainty"]),
        (&json!(11_000), &json!("exact"))
    );
    assert_eq!(seen.record["asked"]["operation"], "embeddings");

    let nobody = asks(OpenaiChat, "POST", "/v1/embeddings", &json!({"model": "strict", "input": "a"}));
    let nobody = run(&nobody, Says::Embeddings);
    assert_eq!((nobody.client.status, &nobody.error()["code"]), (Some(400), &json!("operation_not_served")));
}

#[test]
fn tokens_are_counted_by_who_will_read_them_or_else_estimated() {
    let messages = json!([{"role": "user", "content": "How many?"}]);
    let count = json!({"model": "claude", "messages": messages});
    let seen = run(&asks(AnthropicMessages, "POST", "/v1/messages/count_tokens", &count), Says::Count);
    let [sent] = seen.sent.as_slice() else { panic!("one attempt") };

    assert_eq!((sent.provider, sent.headers.text(":path")), ("anthropic", Some("/v1/messages/count_tokens")));
    assert_eq!((&sent.body["model"], &body(&seen)["input_tokens"]), (&json!("claude-sonnet-4-5"), &json!(14)));
    let free = json!({"nano_usd": 0, "usd": "0.00", "certainty": "exact", "price": "priced", "unpriced": false});
    assert_eq!((&seen.record["cost"], &seen.record["attempts"][0]["outcome"]), (&free, &json!("served")));

    for (format, path, body_of, key) in [
        (
            AnthropicMessages,
            "/v1/messages/count_tokens",
            json!({"model": "single", "messages": messages}),
            "input_tokens",
        ),
        (
            OpenaiResponses,
            "/v1/responses/input_tokens",
            json!({"model": "single", "input": "How many?"}),
            "input_tokens",
        ),
        (GoogleGemini, "/v1beta/models/single:countTokens", json!({"contents": []}), "totalTokens"),
        (BedrockConverse, "/model/single/count-tokens", json!({"input": {"converse": {}}}), "inputTokens"),
    ] {
        let seen = run(&asks(format, "POST", path, &body_of), Says::Count);
        assert!(seen.sent.is_empty(), "no provider of the model counts as this API does");
        assert_eq!(seen.client.status, Some(200));
        assert_eq!(body(&seen)[key], body_of.to_string().len().div_ceil(4), "{path}");
        assert_eq!(seen.record["decision"]["reason"], "tokens_estimated");
    }
}

#[test]
fn what_cannot_be_carried_is_named_or_refused_where_the_model_is_strict() {
    let ask = |model: &str| {
        let messages = json!([{"role": "user", "content": "Hi"}]);
        let body = json!({"model": model, "messages": messages, "max_tokens": 9, "logit_bias": {"1": 2}});
        run(&asks(OpenaiChat, "POST", "/v1/chat/completions", &body), Says::Json)
    };
    let named = ask("claude");
    assert_eq!(named.client.headers.text("x-tollgate-dropped"), Some("logit_bias"));
    let refused = ask("strict");
    assert_eq!((refused.client.status, &refused.error()["param"]), (Some(400), &json!("logit_bias")));
    assert_eq!(refused.outcomes(), [("rejected".to_owned(), "invalid_request".to_owned())]);
    assert!(refused.sent.is_empty() || refused.sent[0].body.is_null(), "no provider saw it");
}

#[test]
fn a_count_that_is_none_is_no_answer() {
    let client = asks(
        AnthropicMessages,
        "POST",
        "/v1/messages/count_tokens",
        &json!({"model": "claude", "messages": [{"role": "user", "content": "Hello"}]}),
    );
    for says in [Says::Page(200), Says::ErrorInside] {
        let seen = run(&client, says);
        assert_ne!(seen.client.status, Some(200), "{says:?}: {}", seen.client.body);
    }
}

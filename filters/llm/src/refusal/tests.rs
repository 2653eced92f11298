use super::Refusal;
use serde_json::{Value, json};
use tollgate_identity::{Fault, NotProven};
use tollgate_kernel::actor::ActorFault;
use tollgate_kernel::claims::{ClaimFault, ClaimPath};
use tollgate_kernel::confirmation::ConfirmationFault;
use tollgate_kernel::key_ring::KeyRefusal;
use tollgate_kernel::signed_subject::HeaderFault;
use tollgate_kernel::subject::Field;
use tollgate_wire::Format;
use tollgate_wire::endpoint::Operation;
use tollgate_wire::error::Invalid;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A refusal: its reason, its status, what OpenAI and Anthropic call it, the field, and how its message begins.
type Row = (Refusal, &'static str, u16, [&'static str; 2], Option<&'static str>, &'static str);

fn not_proven(fault: NotProven, reason: &'static str, status: u16, message: &'static str) -> Row {
    let types = ["invalid_request_error", if status == 401 { "authentication_error" } else { "permission_error" }];
    (Refusal::Unidentified(Fault::NotProven(fault)), reason, status, types, None, message)
}

fn path() -> ClaimPath {
    tollgate_config::read(r#""org.team""#).expect("a path")
}

/// Every refusal.
fn all() -> Vec<Row> {
    const INVALID: [&str; 2] = ["invalid_request_error"; 2];
    const UNAUTHENTICATED: [&str; 2] = ["invalid_request_error", "authentication_error"];
    const NOT_FOUND: [&str; 2] = ["invalid_request_error", "not_found_error"];
    const FORBIDDEN: [&str; 2] = ["invalid_request_error", "permission_error"];
    let invalid = |field| Refusal::Invalid(Invalid::new(field, "must be a string"));
    vec![
        (
            Refusal::UnknownPath,
            "unknown_path",
            404,
            NOT_FOUND,
            None,
            "nothing is served under this path; served are /v1/chat/completions, /v1/responses, ",
        ),
        (Refusal::Method { allowed: "POST" }, "method_not_allowed", 405, INVALID, None, "only POST is served"),
        (Refusal::ContentType, "unsupported_content_type", 415, INVALID, None, "the content-type must be"),
        (Refusal::ContentEncoding, "unsupported_content_encoding", 415, INVALID, None, "a compressed request body"),
        (
            Refusal::Unidentified(Fault::NoKey),
            "missing_key",
            401,
            UNAUTHENTICATED,
            None,
            "no API key was given; send one as",
        ),
        (
            Refusal::Unidentified(Fault::SeveralKeys),
            "several_keys",
            401,
            UNAUTHENTICATED,
            None,
            "different API keys were given",
        ),
        (
            Refusal::Unidentified(Fault::UnknownKey),
            "unknown_key",
            401,
            UNAUTHENTICATED,
            None,
            "the API key is not valid",
        ),
        (
            Refusal::Unidentified(Fault::Key(KeyRefusal::Unknown)),
            "unknown_key",
            401,
            UNAUTHENTICATED,
            None,
            "the API key is not valid",
        ),
        (
            Refusal::Unidentified(Fault::Key(KeyRefusal::NotYetValid)),
            "key_not_yet_valid",
            401,
            UNAUTHENTICATED,
            None,
            "the API key is not valid yet",
        ),
        (
            Refusal::Unidentified(Fault::Key(KeyRefusal::Expired)),
            "expired_key",
            401,
            UNAUTHENTICATED,
            None,
            "the API key has expired",
        ),
        (
            Refusal::Unidentified(Fault::Key(KeyRefusal::Disabled)),
            "disabled_key",
            401,
            UNAUTHENTICATED,
            None,
            "the API key is disabled",
        ),
        (Refusal::UnknownModel, "model_not_found", 404, NOT_FOUND, Some("model"), "the model is not served here"),
        (
            Refusal::ModelNotAllowed { by: "keys.support".to_owned() },
            "model_not_allowed",
            403,
            FORBIDDEN,
            Some("model"),
            "you may not use this model",
        ),
        (
            Refusal::RouteNotAllowed { by: "keys.support".to_owned() },
            "route_not_allowed",
            403,
            FORBIDDEN,
            Some("model"),
            "you may not use this model's route",
        ),
        not_proven(
            NotProven::Nothing { accepted: "an API key".to_owned() },
            "missing_proof",
            401,
            "nothing was shown that proves who asks; accepted is an API key",
        ),
        not_proven(
            NotProven::CertificateNotVerified,
            "unverified_certificate",
            401,
            "the client certificate was not verified on this connection",
        ),
        not_proven(NotProven::Certificate, "invalid_certificate", 401, "the client certificate must name one"),
        not_proven(
            NotProven::Claim(ClaimFault::Invalid(path())),
            "invalid_claim",
            403,
            "the token's claim `org.team` must",
        ),
        not_proven(
            NotProven::Claim(ClaimFault::Missing(path())),
            "missing_claim",
            403,
            "the token must have the claim `org.team`",
        ),
        not_proven(
            NotProven::Actor(ActorFault::Missing(path())),
            "missing_actor",
            403,
            "the token must say which agent acts, in the claim `org.team` or another that is accepted",
        ),
        not_proven(
            NotProven::Actor(ActorFault::Invalid(path())),
            "invalid_actor",
            403,
            "the token's claim `org.team` must say an agent",
        ),
        not_proven(NotProven::Actor(ActorFault::TooMany), "too_many_actors", 403, "the token says more than 8 actors"),
        not_proven(
            NotProven::Actor(ActorFault::Repeated),
            "repeated_actor",
            403,
            "the token says the same actor twice",
        ),
        not_proven(
            NotProven::Confirmation(ConfirmationFault::NoCertificate),
            "token_without_certificate",
            401,
            "the token is bound to a client certificate, and none",
        ),
        not_proven(
            NotProven::Confirmation(ConfirmationFault::OtherCertificate),
            "token_of_other_certificate",
            401,
            "the token is bound to another client certificate",
        ),
        not_proven(
            NotProven::Confirmation(ConfirmationFault::Unchecked),
            "unchecked_token_binding",
            401,
            "the token is bound to a key, and whether",
        ),
        not_proven(
            NotProven::Header(HeaderFault::Unproven),
            "invalid_subject_header",
            401,
            "the subject header is not signed for this request",
        ),
        not_proven(
            NotProven::Header(HeaderFault::Malformed),
            "invalid_subject_header",
            401,
            "the subject header is signed, but says no subject",
        ),
        not_proven(
            NotProven::Header(HeaderFault::Expired),
            "expired_subject_header",
            401,
            "the subject header was signed too long ago",
        ),
        not_proven(
            NotProven::Header(HeaderFault::Early),
            "early_subject_header",
            401,
            "the subject header was signed in the future",
        ),
        not_proven(
            NotProven::Conflict(Field::Team),
            "subject_conflict",
            403,
            "two proofs of who asks differ in `team`",
        ),
        (
            Refusal::NotServedByModel { operation: Operation::Embeddings },
            "operation_not_served",
            400,
            INVALID,
            None,
            "this model does not serve embeddings",
        ),
        (
            Refusal::TooLarge { limit: 2048 },
            "request_too_large",
            413,
            ["invalid_request_error", "request_too_large"],
            None,
            "the request body is larger than 2048 bytes",
        ),
        (
            invalid("messages[0].role"),
            "invalid_request",
            400,
            INVALID,
            Some("messages[0].role"),
            "messages[0].role: must",
        ),
        (invalid(""), "invalid_request", 400, INVALID, None, "must be a string"),
        (
            Refusal::Misconfigured,
            "gateway_misconfigured",
            500,
            ["server_error", "api_error"],
            None,
            "the gateway is not configured correctly; its log says why",
        ),
    ]
}

#[test]
fn every_refusal_is_an_error_object_of_the_clients_own_format() {
    for (refusal, reason, status, [openai, anthropic], field, message) in all() {
        assert_eq!(refusal.reason(), reason);
        for format in Format::ALL {
            let reply = refusal.reply(format);
            assert_eq!((reply.status, reply.details), (status, reason), "{refusal:?}");
            assert_eq!(reply.headers.first(), Some(&("content-type", "application/json".to_owned())));
            let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
            let said = body.pointer("/error/message").or(body.get("message")).and_then(Value::as_str);
            let said = said.expect("a message").to_owned();
            assert!(said.starts_with(message) && !said.ends_with('.'), "{said}");
            let expected = match format {
                Format::OpenaiChat | Format::OpenaiResponses => {
                    json!({"error": {"message": said, "type": openai, "param": field, "code": reason}})
                }
                Format::AnthropicMessages => {
                    let error = json!({"type": anthropic, "message": said, "details": {"error_code": reason}});
                    json!({"type": "error", "error": error})
                }
                // Neither has a place for the reason; the official clients go by the status and these words.
                Format::GoogleGemini | Format::BedrockConverse => body.clone(),
            };
            assert_eq!(body, expected, "{refusal:?}");
        }
    }
}

#[test]
fn who_has_no_valid_key_learns_nothing_about_which_keys_there_are() {
    let replies = [Refusal::Unidentified(Fault::UnknownKey), Refusal::Unidentified(Fault::Key(KeyRefusal::Unknown))]
        .map(|refusal| refusal.reply(Format::OpenaiChat));
    assert_eq!(replies[0], replies[1], "no such key and a wrong secret look alike");
}

#[test]
fn a_wrong_method_is_told_the_right_one() {
    let allow = ("allow", "POST".to_owned());
    for (refusal, ..) in all() {
        let told = refusal.reply(Format::OpenaiChat).headers.contains(&allow);
        assert_eq!(told, matches!(refusal, Refusal::Method { .. }), "{refusal:?}");
    }
}

//! Who asks, by what Envoy says of a request: exactly as far as it is verified.

use crate::gateway::{Client, Gateway, KEY};
use fake_envoy::Stream;
use serde_json::{Value, json};
use tollgate_wire::Format;

/// `openssl ecparam -name prime256v1 -genkey -noout -out k.pem; openssl req -x509 -key k.pem -days 1 -subj /CN=w
///  -addext "subjectAltName=URI:spiffe://example.org/ns/prod/sa/support"`
const ONE_NAME: &str = "-----BEGIN CERTIFICATE-----
MIIBpDCCAUmgAwIBAgIUeBvFyKZszwZw7TedF5mhxzSPNIYwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBdzAeFw0yNjExMjYyMDExNDRaFw0yNjExMjcyMDExNDRaMAwx
CjAIBgNVBAMMAXcwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARP1FSyi6BDiN5I
9haXBJXuGQuToxQOWADUYB2uIP67IfPOjsmJ76nVU3xHRY+KGPhJhFaga2OePDMO
583PXftio4GIMIGFMB0GA1UdDgQWBBQiAxPW4BkvtDNq64+BoDpsJsl4HTAfBgNV
HSMEGDAWgBQiAxPW4BkvtDNq64+BoDpsJsl4HTAPBgNVHRMBAf8EBTADAQH/MDIG
A1UdEQQrMCmGJ3NwaWZmZTovL2V4YW1wbGUub3JnL25zL3Byb2Qvc2Evc3VwcG9y
dDAKBggqhkjOPQQDAgNJADBGAiEAr0LbvGW+eZlUjhuB89+lGHSS1iZwGUItodTO
jLGX6DQCIQCKQLqGIG0Ilk4K+cTB7lEB/IbeJlr5OEmyde3AoGt3VQ==
-----END CERTIFICATE-----
";

/// The same with `,URI:spiffe://example.org/ns/prod/sa/finance` behind.
const TWO_NAMES: &str = "-----BEGIN CERTIFICATE-----
MIIBzDCCAXKgAwIBAgIUF2uA/vmnG2H8X7geYEBPYVAFbLUwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBdzAeFw0yNjExMjYyMDExNDRaFw0yNjExMjcyMDExNDRaMAwx
CjAIBgNVBAMMAXcwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARP1FSyi6BDiN5I
9haXBJXuGQuToxQOWADUYB2uIP67IfPOjsmJ76nVU3xHRY+KGPhJhFaga2OePDMO
583PXftio4GxMIGuMB0GA1UdDgQWBBQiAxPW4BkvtDNq64+BoDpsJsl4HTAfBgNV
HSMEGDAWgBQiAxPW4BkvtDNq64+BoDpsJsl4HTAPBgNVHRMBAf8EBTADAQH/MFsG
A1UdEQRUMFKGJ3NwaWZmZTovL2V4YW1wbGUub3JnL25zL3Byb2Qvc2Evc3VwcG9y
dIYnc3BpZmZlOi8vZXhhbXBsZS5vcmcvbnMvcHJvZC9zYS9maW5hbmNlMAoGCCqG
SM49BAMCA0gAMEUCIEzjZpuL7hqOG9f8qFeQCyGHthv3pJiHOfDjriAdc3X1AiEA
siM0BIB4IEELikwbaNtKVM+yA/O5gaaO72qzKspUoCE=
-----END CERTIFICATE-----
";

const SUPPORT: &str = "spiffe://example.org/ns/prod/sa/support";

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let [low, high] = [bytes.len() & 0x7f | 0x80, bytes.len() >> 7].map(|part| u8::try_from(part).expect("short"));
    [&[number << 3 | 2, low, high], bytes].concat()
}

fn value(json: &Value) -> Vec<u8> {
    match json {
        Value::Null => vec![1 << 3, 0],
        Value::Number(number) => [&[2 << 3 | 1][..], &number.as_f64().expect("a double").to_le_bytes()].concat(),
        Value::String(text) => field(3, text.as_bytes()),
        Value::Bool(flag) => vec![4 << 3, u8::from(*flag)],
        Value::Object(_) => field(5, &object(json)),
        Value::Array(items) => field(6, &items.iter().flat_map(|item| field(1, &value(item))).collect::<Vec<_>>()),
    }
}

fn object(json: &Value) -> Vec<u8> {
    let entry =
        |(name, json): (&String, &Value)| field(1, &[field(1, name.as_bytes()), field(2, &value(json))].concat());
    json.as_object().expect("an object").iter().flat_map(entry).collect()
}

/// What Envoy knows of a request, and what the client shows.
#[derive(Clone, Debug, Default)]
struct Shown {
    jwt: Value,
    certificate: Option<(&'static str, &'static str, bool)>,
    key: Option<&'static str>,
}

impl Shown {
    fn tell(&self, stream: &Stream<'_>) {
        // `Metadata` is a map of `Struct`s, where an object is a map of `Value`s.
        let payload = object(&json!({"jwt_payload": self.jwt}));
        let entry = |name: &str, of: &[u8]| field(1, &[field(1, name.as_bytes()), field(2, of)].concat());
        let others = entry("another.filter", &object(&json!({"jwt_payload": {"sub": "eve"}})));
        if !self.jwt.is_null() {
            let known = [others, entry("envoy.filters.http.jwt_authn", &payload)].concat();
            stream.property(&["metadata"], known);
        }
        if let Some((id, pem, verified)) = self.certificate {
            stream.property(&["connection", "mtls"], [1]);
            stream.property(&["connection", "peer_certificate_valid"], [u8::from(verified)]);
            stream.property(&["connection", "uri_san_peer_certificate"], id);
            stream.property(&["connection", "peer_certificate"], pem);
        }
    }
}

fn ask(any_of: &Value, shown: &Shown) -> Value {
    let identity = json!({
        "any_of": any_of,
        "jwt": {"payload": "jwt_payload", "claims": {"user": "sub", "team": "org.team"}, "require": ["user"], "models": ["*"]},
        "mtls": {"spiffe": "spiffe://example.org/ns/{environment}/sa/{team}", "models": ["*"]},
    });
    Gateway::configured(
        |gate| gate["identity"] = identity,
        |gateway| {
            let client = Client::new(Format::OpenaiChat, "claude", false).without("authorization");
            let client = match shown.key {
                Some(key) => client.with("authorization", format!("Bearer {key}")),
                None => client,
            };
            let exchange = gateway.envoy.exchange();
            let stream = exchange.stream(gateway.gate);
            shown.tell(&stream);
            stream.request_headers(client.headers, false);
            stream.request_data(&client.body, true);
            let admitted = stream.reply().is_none();
            assert_eq!(stream.forwarded_request().ended, admitted, "either refused or let go");
            stream.log();
            let record = exchange.filter_state("wasm.tollgate.audit").expect("a record");
            let record: Value = serde_json::from_slice(&record).expect("JSON");
            stream.done();
            assert_eq!(gateway.envoy.violations(), []);
            if admitted { record["subject"].clone() } else { record["decision"]["reason"].clone() }
        },
    )
}

#[test]
fn nobody_is_who_they_say_but_who_envoy_has_verified() {
    let jwt = |claims: Value| Shown { jwt: claims, ..Shown::default() };
    let certificate = |id, pem, verified| Shown { certificate: Some((id, pem, verified)), ..Shown::default() };
    let key = |key| Shown { key: Some(key), ..Shown::default() };
    let ways = json!([["jwt"], ["mtls"], ["key"]]);
    let workload = json!({"environment": "prod", "team": "support"});
    for (shown, expected) in [
        (Shown::default(), json!("missing_proof")),
        (key("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ."), json!("missing_proof")),
        (key(KEY), json!({"key": "support", "team": "support"})),
        (key("tg_support_notthesecret"), json!("unknown_key")),
        (jwt(json!({"sub": "ada", "org": {"team": "eng"}})), json!({"user": "ada", "team": "eng"})),
        (jwt(json!({"sub": "ada"})), json!({"user": "ada"})),
        (jwt(json!({"org": {"team": "eng"}})), json!("missing_claim")),
        (jwt(json!({"sub": "ada", "org": {"team": ["eng"]}})), json!("invalid_claim")),
        (jwt(json!({"sub": 12_345_678})), json!({"user": "12345678"})),
        (jwt(json!("ada")), json!("missing_proof")),
        (jwt(json!(["ada"])), json!("missing_proof")),
        (certificate(SUPPORT, ONE_NAME, true), workload.clone()),
        (certificate(SUPPORT, ONE_NAME, false), json!("unverified_certificate")),
        (certificate(SUPPORT, TWO_NAMES, true), json!("invalid_certificate")),
        (certificate("spiffe://example.org/ns/prod/sa/finance", ONE_NAME, true), json!("invalid_certificate")),
        (certificate(SUPPORT, "", true), json!("invalid_certificate")),
        (
            certificate(SUPPORT, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", true),
            json!("invalid_certificate"),
        ),
        (certificate("", ONE_NAME, true), json!("missing_proof")),
        (Shown { key: Some("tg_support_notthesecret"), ..jwt(json!({"sub": "ada"})) }, json!("unknown_key")),
        (Shown { key: Some(KEY), ..jwt(json!({"sub": "ada"})) }, json!({"user": "ada"})),
        (Shown { jwt: json!({"sub": "ada"}), ..certificate(SUPPORT, ONE_NAME, false) }, json!({"user": "ada"})),
    ] {
        assert_eq!(ask(&ways, &shown), expected, "{shown:?}");
    }
}

#[test]
fn parts_of_one_way_are_all_shown_and_never_contradict_each_other() {
    let shown = |claims: Value, key| Shown { jwt: claims, certificate: Some((SUPPORT, ONE_NAME, true)), key };
    let support = json!({"sub": "ada", "org": {"team": "support"}});
    let finance = json!({"sub": "ada", "org": {"team": "finance"}});
    let all = json!([["key", "jwt", "mtls"]]);
    let either = json!([["jwt", "mtls"], ["key", "mtls"]]);
    for (ways, shown, expected) in [
        (
            &all,
            shown(support.clone(), Some(KEY)),
            json!({"key": "support", "user": "ada", "team": "support", "environment": "prod"}),
        ),
        (&all, shown(finance.clone(), Some(KEY)), json!("subject_conflict")),
        (&all, shown(support.clone(), None), json!("missing_proof")),
        (&all, Shown { certificate: None, ..shown(support.clone(), Some(KEY)) }, json!("missing_proof")),
        (&either, shown(support, None), json!({"user": "ada", "team": "support", "environment": "prod"})),
        (&either, shown(finance, Some(KEY)), json!("subject_conflict")),
        (&either, shown(Value::Null, Some(KEY)), json!({"key": "support", "team": "support", "environment": "prod"})),
    ] {
        assert_eq!(ask(ways, &shown), expected, "{ways} {shown:?}");
    }
}

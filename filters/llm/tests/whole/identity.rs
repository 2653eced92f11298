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

/// The SHA-256 of `ONE_NAME`, as Envoy and as tokens write it.
const DIGEST: &str = "08efa4e288b92d0b7532a7e6cd7d2c44c29550923b86b9e90a59e5d90c19a427";
const BOUND: &str = "CO-k4oi5LQt1MqfmzX0sRMKVUJI7hrnpClnl2QwZpCc";

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
            stream.property(&["connection", "sha256_peer_certificate_digest"], DIGEST);
        }
    }
}

fn ask(any_of: &Value, shown: &Shown) -> Value {
    let identity = json!({
        "any_of": any_of,
        "jwt": {"payload": "jwt_payload", "claims": {"user": "sub", "team": "org.team"}, "require": ["user"], "models": ["*"]},
        "mtls": {"spiffe": "spiffe://example.org/ns/{environment}/sa/{team}", "models": ["*"]},
    });
    told(identity, shown)
}

/// Who it is, or why it is refused.
fn told(identity: Value, shown: &Shown) -> Value {
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
        (jwt(json!({"code": 2, "message": "Jwt is expired"})), json!("missing_proof")),
        (jwt(json!({"sub": "ada", "code": 2, "message": "Jwt is expired"})), json!({"user": "ada"})),
        (jwt(json!({"code": 2, "message": {}})), json!("missing_claim")),
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

#[test]
fn a_token_that_is_bound_to_a_key_is_nobodys_without_that_key() {
    let shown = |cnf: Value, verified: Option<bool>| Shown {
        jwt: json!({"sub": "ada", "cnf": cnf}),
        certificate: verified.map(|verified| (SUPPORT, ONE_NAME, verified)),
        key: None,
    };
    let bound = json!({"x5t#S256": BOUND});
    let other = json!({"x5t#S256": BOUND.replace('k', "K")});
    let ways = json!([["jwt"], ["mtls"], ["key"]]);
    for (cnf, verified, expected) in [
        (bound.clone(), Some(true), json!({"user": "ada"})),
        (bound.clone(), Some(false), json!("token_without_certificate")),
        (bound, None, json!("token_without_certificate")),
        (other, Some(true), json!("token_of_other_certificate")),
        (json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}), Some(true), json!("unchecked_token_binding")),
        (Value::Null, None, json!({"user": "ada"})),
    ] {
        assert_eq!(ask(&ways, &shown(cnf.clone(), verified)), expected, "{cnf} {verified:?}");
    }
}

#[test]
fn the_agent_of_a_token_is_the_agent_of_the_certificate_beside_it() {
    let identity = |actor: &Value| {
        json!({
            "any_of": [["mtls", "jwt"], ["jwt"], ["key"]],
            "jwt": {"payload": "jwt_payload", "claims": {"user": "sub"}, "actor": actor, "models": ["*"]},
            "mtls": {"spiffe": "spiffe://example.org/ns/{environment}/sa/{agent}", "models": ["*"]},
        })
    };
    let named = json!({"names": {"client-7f3": "support"}});
    let lenient = json!({"require": false});
    let both = |claims: Value| Shown { jwt: claims, certificate: Some((SUPPORT, ONE_NAME, true)), key: None };
    let token = |claims: Value| Shown { certificate: None, ..both(claims) };
    let workload = json!({"user": "ada", "environment": "prod", "agent": "support"});
    for (actor, shown, expected) in [
        (&json!({}), both(json!({"sub": "ada", "act": {"sub": "support"}})), workload.clone()),
        (&json!({}), both(json!({"sub": "ada", "act": {"sub": SUPPORT, "act": {"sub": "finance"}}})), workload.clone()),
        (&json!({}), both(json!({"sub": "ada", "azp": "support"})), workload.clone()),
        (&named, both(json!({"sub": "ada", "azp": "client-7f3"})), workload.clone()),
        (&named, both(json!({"sub": "ada", "azp": "support"})), json!("invalid_actor")),
        (&json!({}), both(json!({"sub": "ada", "act": {"sub": "finance"}})), json!("subject_conflict")),
        (
            &json!({}),
            both(json!({"sub": "ada", "act": {"sub": SUPPORT.replace("prod", "test")}})),
            json!("subject_conflict"),
        ),
        (&json!({}), both(json!({"sub": "ada"})), json!("missing_actor")),
        (&lenient, both(json!({"sub": "ada"})), workload.clone()),
        (&json!({}), both(json!({"sub": "ada", "act": {"sub": "a", "act": {"sub": "a"}}})), json!("repeated_actor")),
        (&json!({}), token(json!({"sub": "ada", "act": {"sub": SUPPORT}})), workload),
        (&json!({}), token(json!({"sub": "ada", "azp": "support"})), json!({"user": "ada", "agent": "support"})),
    ] {
        assert_eq!(told(identity(actor), &shown), expected, "{actor} {shown:?}");
    }
}

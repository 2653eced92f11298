use super::{Jwk, NotAKey, PrivateKey, PublicKey, Signature, proves};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SECRET: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

fn public(key: &PrivateKey, kid: &str) -> PublicKey {
    okp(kid, &key.public()).unwrap()
}

fn okp(kid: &str, x: &str) -> Result<PublicKey, NotAKey> {
    Jwk { kid: kid.to_owned(), kty: "OKP".to_owned(), crv: "Ed25519".to_owned(), x: x.to_owned(), y: None }.try_into()
}

fn ec(x: &str, y: Option<&str>) -> Result<PublicKey, NotAKey> {
    let y = y.map(str::to_owned);
    Jwk { kid: "ec".to_owned(), kty: "EC".to_owned(), crv: "P-256".to_owned(), x: x.to_owned(), y }.try_into()
}

#[test]
fn the_signature_of_rfc_8037_is_made_and_proves() {
    // Appendix A.4, but for the header, which has no `kid` there.
    let key = PrivateKey::parse("k", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    assert_eq!(key.public(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let signature = Signature::of("Example of Ed25519 signing", &key);
    let payloads = ["another".to_owned(), "Example of Ed25519 signing".to_owned()];
    let keys = [public(&key, "other"), public(&key, "k")];
    assert!(proves(&signature.protected, &signature.signature, &payloads, &keys));
    assert_eq!(signature, Signature::of("Example of Ed25519 signing", &key), "the same each time");
}

#[test]
fn the_signature_of_rfc_7515_is_no_proof_without_the_name_of_its_key() {
    // Appendix A.3: ES256, with a header that has no `kid`.
    let key =
        ec("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", Some("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")).unwrap();
    let payload = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}".to_owned();
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let signed = format!("eyJhbGciOiJFUzI1NiJ9.{}", base64::Engine::encode(&super::URL_SAFE_NO_PAD, &payload));
    let bytes = base64::Engine::decode(&super::URL_SAFE_NO_PAD, signature).unwrap();
    assert!(key.verifies(signed.as_bytes(), &bytes));
    assert!(!key.verifies(signed.replace("eyJ", "eyK").as_bytes(), &bytes));
    assert!(!proves("eyJhbGciOiJFUzI1NiJ9", signature, &[payload], &[key]));
}

#[test]
fn what_is_changed_proves_nothing() {
    let key = PrivateKey::parse("k", SECRET).unwrap();
    let Signature { protected, signature } = Signature::of("payload", &key);
    let keys = [public(&key, "k")];
    let check = |protected: &str, signature: &str, payload: &str, keys: &[PublicKey]| {
        proves(protected, signature, &[payload.to_owned()], keys)
    };
    assert!(check(&protected, &signature, "payload", &keys));
    assert!(!check(&protected, &signature, "payloaD", &keys));
    assert!(!check(&protected, &signature, "payload", &[]));
    assert!(!check(&protected, &signature, "payload", &[public(&key, "K")]), "the key of another name");
    for at in 0..signature.len() - 1 {
        let mut other = signature.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        assert!(!check(&protected, std::str::from_utf8(&other).unwrap(), "payload", &keys), "{at}");
    }
    let header = |json: &str| base64::Engine::encode(&super::URL_SAFE_NO_PAD, json);
    for (header, signature) in [
        (header(r#"{"alg":"none","kid":"k"}"#), ""),
        (header(r#"{"alg":"ES256","kid":"k"}"#), &*signature),
        (header(r#"{"alg":"HS256","kid":"k"}"#), &signature),
        (header(r#"{"kid":"k"}"#), &signature),
        (header("[]"), &signature),
        (header("{"), &signature),
        (String::new(), &signature),
        ("=".to_owned(), &signature),
        (protected.clone(), "=="),
        (protected.clone(), ""),
        (protected.repeat(200), &signature),
    ] {
        assert!(!check(&header, signature, "payload", &keys), "{header}");
    }
}

#[test]
fn what_must_be_understood_and_is_not_proves_nothing() {
    let key = PrivateKey::parse("k", SECRET).unwrap();
    let protected =
        base64::Engine::encode(&super::URL_SAFE_NO_PAD, r#"{"alg":"EdDSA","kid":"k","crit":["b64"],"b64":true}"#);
    let signature = key.sign(super::signed(&protected, "payload").as_bytes());
    let signature = base64::Engine::encode(&super::URL_SAFE_NO_PAD, signature);
    assert!(!proves(&protected, &signature, &["payload".to_owned()], &[public(&key, "k")]));
}

#[test]
fn what_is_no_key_is_refused() {
    let good = PrivateKey::parse("k", SECRET).unwrap().public();
    assert_eq!(okp("", &good).unwrap_err(), NotAKey::Kid);
    assert_eq!(okp(&"k".repeat(257), &good).unwrap_err(), NotAKey::Kid);
    for x in ["", "AQ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "=", &format!("{good}="), &"_".repeat(43)] {
        assert_eq!(okp("k", x).unwrap_err(), NotAKey::Point, "{x}");
    }
    assert_eq!(ec(&good, None).unwrap_err(), NotAKey::Curve);
    assert_eq!(ec(&good, Some(&good)).unwrap_err(), NotAKey::Point);
    for secret in ["", "AQ", &good.repeat(2), "not base64url, but 43 bytes all the same ...", &format!("{SECRET}=")] {
        assert!(PrivateKey::parse("k", secret).is_err(), "{secret}");
    }
    assert!(PrivateKey::parse("", SECRET).is_err());
}

#[test]
fn a_private_key_cannot_be_printed() {
    let key = PrivateKey::parse("k", SECRET).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(<redacted>)");
}

use super::{HeaderFault, RequestLine, SigningKeys};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOON: u64 = 1_795_348_800;
const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";
const LINE: RequestLine<'_> =
    RequestLine { method: b"POST", authority: b"gateway.example", path: b"/v1/messages?beta=true" };

/// Made with `openssl`, whose HMAC is not ours:
/// `printf 'tollgate-subject\nPOST\ngateway.example\n/v1/messages?beta=true\nv1;t=1795348800;team=support;user=ada' |
///  openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef`
const SIGNED: &str =
    "v1;t=1795348800;team=support;user=ada;m=2d88d5a54416a334345dda5c6abc3bae19df597fcea1d640c7f7a948c147101e";

fn sign(signed: &str, key: &str, line: &RequestLine<'_>) -> String {
    let message =
        [b"tollgate-subject".as_slice(), line.method, line.authority, line.path, signed.as_bytes()].join(&b'\n');
    let mac = crate::hmac::HmacKey::new(key.as_bytes()).mac(&[&message]);
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{signed};m={hex}")
}

fn prove(header: &str, keys: &str, now: u64) -> Result<Value, HeaderFault> {
    SigningKeys::parse(keys).unwrap().prove(header.as_bytes(), &LINE, 60, now).map(|subject| json!(subject))
}

#[test]
fn what_another_implementation_signed_is_believed() {
    assert_eq!(prove(SIGNED, KEY, NOON), Ok(json!({"team": "support", "user": "ada"})));
    assert_eq!(sign("v1;t=1795348800;team=support;user=ada", KEY, &LINE), SIGNED);
}

#[test]
fn either_key_signs_during_rotation_and_no_other() {
    for (keys, expected) in
        [(format!("{KEY},{OTHER}"), true), (format!("{OTHER}, {KEY}\n"), true), (OTHER.to_owned(), false)]
    {
        assert_eq!(prove(SIGNED, &keys, NOON).is_ok(), expected, "{keys}");
    }
}

#[test]
fn a_changed_header_proves_nothing() {
    for at in 0..SIGNED.len() {
        for change in [1_u8, 0x20] {
            let mut bytes = SIGNED.as_bytes().to_vec();
            bytes[at] ^= change;
            let found = SigningKeys::parse(KEY).unwrap().prove(&bytes, &LINE, 60, NOON);
            assert_eq!(found, Err(HeaderFault::Unproven), "{}", String::from_utf8_lossy(&bytes));
        }
    }
    let (signed, mac) = SIGNED.split_once(";m=").unwrap();
    for header in [
        String::new(),
        "v1".to_owned(),
        signed.to_owned(),
        format!("{signed};m="),
        format!("{signed};m={}", mac.to_uppercase()),
        format!("{signed};m={mac}0"),
        format!("{SIGNED};m={mac}"),
        format!("{SIGNED};team=finance"),
        format!("{SIGNED}, {SIGNED}"),
        format!("{};m={mac}", "x".repeat(1000)),
    ] {
        assert_eq!(prove(&header, KEY, NOON), Err(HeaderFault::Unproven), "{header}");
    }
    assert_eq!(
        SigningKeys::parse(KEY).unwrap().prove(b"\xff;m=", &LINE, 60, NOON),
        Err(HeaderFault::Unproven),
        "no text"
    );
}

#[test]
fn it_is_worth_nothing_with_another_request_line() {
    for line in [
        RequestLine { method: b"GET", ..LINE },
        RequestLine { authority: b"gateway.example:8080", ..LINE },
        RequestLine { path: b"/v1/messages", ..LINE },
        RequestLine { path: b"/v1/chat/completions", ..LINE },
        RequestLine { authority: b"gateway.example\n/v1", path: b"messages?beta=true", ..LINE },
        RequestLine { method: b"", authority: b"", path: b"" },
    ] {
        let found = SigningKeys::parse(KEY).unwrap().prove(SIGNED.as_bytes(), &line, 60, NOON);
        assert_eq!(found, Err(HeaderFault::Unproven), "{line:?}");
    }
}

#[test]
fn it_is_believed_for_a_while() {
    for (now, expected) in [
        (NOON - 11, Some(HeaderFault::Early)),
        (NOON - 10, None),
        (NOON + 60, None),
        (NOON + 61, Some(HeaderFault::Expired)),
        (u64::MAX, Some(HeaderFault::Expired)),
        (0, Some(HeaderFault::Early)),
    ] {
        assert_eq!(prove(SIGNED, KEY, now).err(), expected, "{now}");
    }
}

#[test]
fn also_who_has_the_key_must_write_a_subject() {
    for signed in [
        "v1;t=1795348800",
        "v2;t=1795348800;team=support",
        "v1;team=support;t=1795348800",
        "v1;t=;team=support",
        "v1;t=+1795348800;team=support",
        "v1;t=99999999999999999999;team=support",
        "v1;t=1795348800;team=support;team=support",
        "v1;t=1795348800;team=",
        "v1;t=1795348800;team",
        "v1;t=1795348800;",
        "v1;t=1795348800;key=root",
        "v1;t=1795348800;Team=support",
        "v1;t=1795348800;team=Zürich",
        "v1;t=1795348800;team=a,b",
    ] {
        assert_eq!(prove(&sign(signed, KEY, &LINE), KEY, NOON), Err(HeaderFault::Malformed), "{signed}");
    }
}

#[test]
fn keys_are_long_and_few_and_never_quoted() {
    for (text, message) in [
        (String::new(), "must hold keys of 32 bytes or more, holds one of 0"),
        ("secret".to_owned(), "must hold keys of 32 bytes or more, holds one of 6"),
        (format!("{KEY},"), "must hold keys of 32 bytes or more, holds one of 0"),
        (format!("{KEY},{OTHER},{KEY}"), "must hold one key, or two with a comma between, holds 3"),
    ] {
        assert_eq!(SigningKeys::parse(&text).unwrap_err().to_string(), message);
    }
    assert!(!format!("{:?}", SigningKeys::parse(KEY).unwrap()).contains("0123"));
}

use super::{HEADERS, PLACES, Shown, shown, shown_keys};
use tollgate_host::headers::{self, Headers};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn headers(pairs: &[(&str, &[u8])]) -> Headers {
    Headers::parse(headers::serialize(pairs)).expect("what we wrote can be read")
}

#[test]
fn a_key_is_found_where_any_sdk_puts_it() {
    for (name, value) in [
        ("authorization", "Bearer tg_a_b"),
        ("authorization", "bearer tg_a_b"),
        ("authorization", "BEARER   tg_a_b "),
        ("authorization", "tg_a_b"),
        ("x-api-key", "tg_a_b"),
        ("api-key", " tg_a_b"),
        ("x-goog-api-key", "tg_a_b"),
    ] {
        let headers = headers(&[(":path", b"/"), (name, value.as_bytes()), ("cookie", b"session=1")]);
        assert_eq!(shown(&headers), Shown::One(b"tg_a_b"), "{name}: {value}");
    }
}

#[test]
fn what_carries_no_key_shows_nothing() {
    for pairs in [
        &[][..],
        &[("cookie", &b"tg_a_b"[..]), ("proxy-authorization", b"Bearer tg_a_b")],
        &[("authorization", b""), ("x-api-key", b"  "), ("api-key", b"")],
        &[("authorization", b"Bearer "), ("authorization", b"Bearer    ")],
    ] {
        assert_eq!(shown(&headers(pairs)), Shown::Nothing, "{pairs:?}");
    }
}

#[test]
fn the_same_key_may_be_shown_twice_and_two_keys_may_not() {
    for (pairs, expected) in [
        (&[("authorization", &b"Bearer tg_a_b"[..]), ("x-api-key", b"tg_a_b")][..], Shown::One(b"tg_a_b")),
        (&[("x-api-key", b"tg_a_b"), ("x-api-key", b"tg_a_b")], Shown::One(b"tg_a_b")),
        (&[("authorization", b"Bearer tg_a_b"), ("x-api-key", b"tg_a_c")], Shown::Several),
        (&[("authorization", b"Bearer tg_a_b"), ("authorization", b"Bearer tg_a_c")], Shown::Several),
        (&[("authorization", b"Basic dTpw"), ("api-key", b"tg_a_b")], Shown::Several),
        (&[("api-key", b"a"), ("x-api-key", b"b"), ("x-goog-api-key", b"a")], Shown::Several),
    ] {
        assert_eq!(shown(&headers(pairs)), expected, "{pairs:?}");
    }
}

#[test]
fn another_scheme_and_bytes_that_are_no_text_stay_what_they_are() {
    for value in [&b"Basic dTpw"[..], b"Bearer\ttg_a_b", b"\xff\xfe", b"Beare", b"Bearer tg_a_b, Bearer tg_a_c"] {
        let headers = headers(&[("authorization", value)]);
        let token = value.strip_prefix(b"Bearer ").unwrap_or(value);
        assert_eq!(shown(&headers), Shown::One(token), "{value:?}");
    }
}

#[test]
fn a_key_is_told_from_credentials_of_other_kinds() {
    for (pairs, expected) in [
        (&[("authorization", &b"Bearer ey.J.x"[..]), ("x-api-key", b"tg_a_b")][..], Shown::One(b"tg_a_b")),
        (&[("authorization", b"Bearer ey.J.x"), ("api-key", b"dummy")], Shown::Nothing),
        (&[("authorization", b"Bearer tg_"), ("api-key", b"dummy")], Shown::One(b"tg_")),
        (&[("authorization", b"Bearer tg_a_b"), ("api-key", b"tg_a_c")], Shown::Several),
    ] {
        assert_eq!(shown_keys(&headers(pairs)), expected, "{pairs:?}");
    }
}

#[test]
fn every_place_of_a_key_is_a_header_that_goes_no_further() {
    assert!(PLACES.iter().all(|place| HEADERS.contains(place)));
}

use super::{NotAllowed, PushRules};
use crate::a2a::PushConfig;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const RULES: &str = r#"{"hosts": ["hooks.example.com", "*.partner.example", "hooks.example.com:8443", "192.0.2.7", "xn--bcher-kva.example", "localhost:8080"]}"#;

fn rules(json: &str) -> PushRules {
    tollgate_config::read(json).unwrap()
}

fn config(url: &str) -> PushConfig<'_> {
    PushConfig { url: url.into(), token: None, schemes: Vec::new(), credentials: None, id: None }
}

#[test]
fn listed_hosts_are_told_and_nobody_else() {
    for (url, expected) in [
        ("https://hooks.example.com", Ok("hooks.example.com")),
        ("https://hooks.example.com/a/b?c=d%20e", Ok("hooks.example.com")),
        ("https://hooks.example.com:443/", Ok("hooks.example.com")),
        ("https://hooks.example.com:8443/", Ok("hooks.example.com")),
        ("HTTPS://HOOKS.Example.COM/", Ok("hooks.example.com")),
        ("https://a.partner.example/", Ok("a.partner.example")),
        ("https://a.b.partner.example/", Ok("a.b.partner.example")),
        ("https://192.0.2.7/", Ok("192.0.2.7")),
        ("https://xn--bcher-kva.example/", Ok("xn--bcher-kva.example")),
        ("https://localhost:8080/", Ok("localhost")),
        ("https://localhost/", Err(NotAllowed::NotListed)),
        ("https://hooks.example.com:8444/", Err(NotAllowed::NotListed)),
        ("https://a.partner.example:8443/", Err(NotAllowed::NotListed)),
        ("https://partner.example/", Err(NotAllowed::NotListed)),
        ("https://evilpartner.example/", Err(NotAllowed::NotListed)),
        ("https://partner.example.evil.test/", Err(NotAllowed::NotListed)),
        ("https://hooks.example.com.evil.test/", Err(NotAllowed::NotListed)),
        ("https://example.com/", Err(NotAllowed::NotListed)),
        ("http://hooks.example.com/", Err(NotAllowed::Scheme)),
    ] {
        assert_eq!(rules(RULES).check(&config(url)), expected.map(str::to_owned), "{url}");
    }
    assert_eq!(rules("{}").check(&config("https://hooks.example.com/")), Err(NotAllowed::NotListed));
    let plain = rules(r#"{"hosts": ["a.example"], "plain_http": true}"#);
    assert_eq!(plain.check(&config("http://a.example:80/")), Ok("a.example".to_owned()));
    assert_eq!(plain.check(&config("http://a.example:443/")), Err(NotAllowed::NotListed));
}

/// Whatever is listed: these mean one host to one reader and another to another.
#[test]
fn every_trick_with_an_address_is_refused() {
    for (url, expected) in [
        // Loopback and metadata services in every base and length.
        ("https://127.0.0.1/", NotAllowed::AddressLiteral),
        ("https://169.254.169.254/latest/meta-data/", NotAllowed::AddressLiteral),
        ("https://2130706433/", NotAllowed::AddressLiteral),
        ("https://0x7f000001/", NotAllowed::AddressLiteral),
        ("https://0X7F.1/", NotAllowed::AddressLiteral),
        ("https://0x7f.0x0.0x0.0x1/", NotAllowed::AddressLiteral),
        ("https://0x/", NotAllowed::AddressLiteral),
        ("https://017700000001/", NotAllowed::AddressLiteral),
        ("https://0177.0.0.1/", NotAllowed::AddressLiteral),
        ("https://127.1/", NotAllowed::AddressLiteral),
        ("https://127.0.1/", NotAllowed::AddressLiteral),
        ("https://0/", NotAllowed::AddressLiteral),
        ("https://192.0.2.007/", NotAllowed::AddressLiteral),
        ("https://192.0.2.263/", NotAllowed::AddressLiteral),
        ("https://3221225991/", NotAllowed::AddressLiteral),
        ("https://a.partner.example.1/", NotAllowed::AddressLiteral),
        ("https://[::1]/", NotAllowed::AddressLiteral),
        ("https://[::ffff:127.0.0.1]/", NotAllowed::AddressLiteral),
        ("https://[::ffff:7f00:1]/", NotAllowed::AddressLiteral),
        ("https://[fe80::1%25eth0]/", NotAllowed::AddressLiteral),
        ("https://[::1]@hooks.example.com/", NotAllowed::UserInfo),
        // Somebody else's host behind a listed one.
        ("https://hooks.example.com@evil.test/", NotAllowed::UserInfo),
        ("https://hooks.example.com:443@evil.test/", NotAllowed::UserInfo),
        ("https://evil.test#@hooks.example.com/", NotAllowed::Fragment),
        ("https://hooks.example.com#.evil.test/", NotAllowed::Fragment),
        ("https://evil.test\\@hooks.example.com/", NotAllowed::Characters),
        ("https://hooks.example.com\\.evil.test/", NotAllowed::Characters),
        ("https:\\\\hooks.example.com/", NotAllowed::Characters),
        ("https://hooks.example.com%2eevil.test/", NotAllowed::HostForm),
        ("https://hooks.example.com%00.evil.test/", NotAllowed::Characters),
        ("https://hooks%2Eexample.com/", NotAllowed::HostForm),
        ("https://hooks.example.com./", NotAllowed::TrailingDot),
        ("https://127.0.0.1./", NotAllowed::TrailingDot),
        ("https://hooks..example.com/", NotAllowed::HostForm),
        ("https:///hooks.example.com/", NotAllowed::HostForm),
        ("https://", NotAllowed::HostForm),
        ("https://-hooks.example.com/", NotAllowed::HostForm),
        ("https://hooks_.example.com/", NotAllowed::HostForm),
        ("https://*.partner.example/", NotAllowed::HostForm),
        // Ports.
        ("https://hooks.example.com:/", NotAllowed::Port),
        ("https://hooks.example.com:0/", NotAllowed::Port),
        ("https://hooks.example.com:0443/", NotAllowed::Port),
        ("https://hooks.example.com:+443/", NotAllowed::Port),
        ("https://hooks.example.com:65979/", NotAllowed::Port),
        ("https://hooks.example.com:443:443/", NotAllowed::Port),
        ("https://::1/", NotAllowed::Port),
        // Names that are shown as others.
        ("https://hooks.exаmple.com/", NotAllowed::Characters),
        ("https://hooks。example。com/", NotAllowed::Characters),
        ("https://１２７.0.0.1/", NotAllowed::Characters),
        ("https://xn--80ak6aa92e.com/", NotAllowed::Punycode),
        ("https://xn--evil.partner.example/", NotAllowed::Punycode),
        ("https://XN--EVIL.partner.example/", NotAllowed::Punycode),
        // Other protocols, and none.
        ("file:///etc/passwd", NotAllowed::Scheme),
        ("gopher://hooks.example.com/", NotAllowed::Scheme),
        ("//hooks.example.com/", NotAllowed::Scheme),
        ("https:hooks.example.com", NotAllowed::Scheme),
        ("javascript:alert(1)//://hooks.example.com", NotAllowed::Scheme),
        (" https://hooks.example.com/", NotAllowed::Characters),
        ("https://hooks.example.com/\r\nHost: evil.test", NotAllowed::Characters),
        ("https://hooks.example.com/%0d%0aHost:evil", NotAllowed::Characters),
        ("https://hooks.example.com/%7F", NotAllowed::Characters),
        ("https://hooks.example.com/%", NotAllowed::Characters),
        ("https://hooks.example.com/%zz", NotAllowed::Characters),
        ("https://hooks.example.com/\t", NotAllowed::Characters),
        ("", NotAllowed::Scheme),
    ] {
        assert_eq!(rules(RULES).check(&config(url)), Err(expected), "{url}");
    }
    let long = format!("https://hooks.example.com/{}", "a".repeat(2048));
    assert_eq!(rules(RULES).check(&config(&long)), Err(NotAllowed::Characters));
}

#[test]
fn no_secret_ends_a_header() {
    let good = config("https://hooks.example.com/");
    for (token, credentials, scheme, expected) in [
        ("abc.DEF-1 2", "dXNlcjpwYXNz==", "Bearer", None),
        ("a\r\nX: y", "", "Bearer", Some(NotAllowed::Token)),
        ("a\0", "", "Bearer", Some(NotAllowed::Token)),
        ("ü", "", "Bearer", Some(NotAllowed::Token)),
        ("a\u{7f}", "", "Bearer", Some(NotAllowed::Token)),
        ("a", "b\nc", "Bearer", Some(NotAllowed::Credentials)),
        ("a", "b", "Bearer x", Some(NotAllowed::Credentials)),
        ("a", "b", "", Some(NotAllowed::Credentials)),
        ("a", "b", "Basic\r\n", Some(NotAllowed::Credentials)),
    ] {
        let config = PushConfig {
            token: Some(token.into()),
            credentials: Some(credentials.into()),
            schemes: vec![scheme.into()],
            ..good.clone()
        };
        assert_eq!(rules(RULES).check(&config).err(), expected, "{token:?} {credentials:?} {scheme:?}");
        assert_eq!(format!("{config:?}"), "PushConfig");
    }
    let long = "a".repeat(4097);
    assert_eq!(rules(RULES).check(&PushConfig { token: Some(long.into()), ..good }), Err(NotAllowed::Token));
}

#[test]
fn what_is_no_host_is_not_configured() {
    for host in [
        "",
        "*",
        "*.com",
        "*.",
        "a b",
        "HOOKS.example.com",
        "https://a.example",
        "a.example/",
        "a.example.",
        "a.example:0",
    ]
    .into_iter()
    .chain([
        "a.example:",
        "10.0.0",
        "*.10.0.0.1",
        "0x7f000001",
        "[::1]",
        "a_b.example",
        "bücher.example",
        "a.*.example",
    ]) {
        let json = serde_json::json!({ "hosts": [host] }).to_string();
        assert!(tollgate_config::read::<PushRules>(&json).is_err(), "{host}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    /// What is allowed is an address that a strict reader finds the same host in.
    #[test]
    fn what_is_allowed_names_a_listed_host(url in "https?://[a-z.@:0-9%\\[\\]/?#x-]{0,40}hooks.example.com[a-z.@:0-9/?#]{0,20}") {
        if let Ok(host) = rules(RULES).check(&config(&url)) {
            let rest = url.strip_prefix("https://").unwrap();
            proptest::prop_assert_eq!(rest.split(['/', '?', ':']).next(), Some(host.as_str()));
            proptest::prop_assert!(host == "hooks.example.com" || host.ends_with(".partner.example"));
        }
    }

    #[test]
    fn no_address_in_any_form_is_allowed(a: u8, b: u8, c: u8, d: u8, hexes in 0_u8..16) {
        let part = |at: u8, number: u8| if hexes >> at & 1 == 0 { format!("{number}") } else { format!("0x{number:x}") };
        let url = format!("https://{}.{}.{}.{}/", part(0, a), part(1, b), part(2, c), part(3, d));
        let listed = url == "https://192.0.2.7/";
        proptest::prop_assert_eq!(rules(RULES).check(&config(&url)).is_ok(), listed);
        let whole = u32::from_be_bytes([a, b, c, d]);
        for url in [format!("https://{whole}/"), format!("https://{whole:#x}/"), format!("https://0{whole:o}/")] {
            proptest::prop_assert_eq!(rules(RULES).check(&config(&url)), Err(NotAllowed::AddressLiteral));
        }
    }
}

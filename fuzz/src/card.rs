//! Agent cards: what is published of them, and whether they are signed.

use crate::{LIMITS, is_json};
use std::sync::LazyLock;
use tollgate_kernel::a2a::card::{Card, CardsConfig, Etag, Publication, Security, Verification};
use tollgate_kernel::json::{Document, Limits};
use tollgate_kernel::jws::PrivateKey;

const URL: &str = "https://gateway.example/agents/a";
const SECURITY: &str =
    r#"{"schemes":{"jwt":{"type":"bearer"},"idp":{"type":"oauth2","url":"https://idp.example","scopes":["s"]}}}"#;
const KEYS: &str = r#"{"when":"if_present","keys":[
    {"kid":"ed","kty":"OKP","crv":"Ed25519","x":"6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw"},
    {"kid":"ec","kty":"EC","crv":"P-256","x":"cNoCzyOJM488bjKBVHt5l_ZLeJVc0MznCQTwJlkzXa0","y":"r8PeoJDruknfmuGCQLn_UjS1Xk078kVZAfT0K3Res0Q"}
]}"#;

static SETTING: LazyLock<(Security, Verification, PrivateKey)> = LazyLock::new(|| {
    let key = PrivateKey::parse("ed", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc").unwrap();
    (tollgate_config::read(SECURITY).unwrap(), tollgate_config::read(KEYS).unwrap(), key)
});

/// The first byte says what is signed and shown. What is published has no interface but the gateway's, is published again as
/// the same, and verifies if it is signed.
pub fn card(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = Etag::of(bytes).is_known(text);
        let _ = tollgate_config::read::<CardsConfig>(text).map(|config| config.check(&|_| None));
    }
    let Ok(document) = Document::read(bytes, LIMITS) else { return };
    let Ok(card) = Card::read(document.root()) else { return };
    let (security, keys, key) = &*SETTING;
    let _ = keys.check(card);
    let key = (which & 1 == 1).then_some(key);
    let how = Publication { url: URL, grpc_url: (which & 2 == 2).then_some("gateway.example:443"), security, key };
    let Ok(published) = card.publish(&how, &|id| which & 4 == 0 || id.len() % 2 == 0) else { return };
    assert!(is_json(&published));
    let document = Document::read(&published, Limits { bytes: LIMITS.bytes * 2, nodes: LIMITS.nodes + 1000 }).unwrap();
    let root = document.root();
    let interfaces = root.get("supportedInterfaces").into_iter().chain(root.get("additionalInterfaces"));
    for one in interfaces.flat_map(|list| list.items()).chain([root]).filter_map(|one| one.get("url")) {
        assert!([URL, "gateway.example:443"].contains(&&*one.as_str().unwrap()));
    }
    let again = Card::read(root).unwrap();
    assert!(key.is_none() || keys.check(again).is_ok());
    assert_eq!(again.publish(&how, &|_| true).unwrap(), published);
}

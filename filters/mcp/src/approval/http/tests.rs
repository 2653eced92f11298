use super::super::page::{PATH, POLICY};
use super::super::store::Store;
use super::{MAX_BODY, Visit, is_visit, serve};
use crate::exchange::Approval as Said;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use tollgate_host::headers::{Headers, serialize};
use tollgate_host::shared_data::Unavailable;
use tollgate_host::stream::Reply;
use tollgate_kernel::approval::pending::{self, Asking, Slot, Standing};
use tollgate_kernel::approval::question::Arguments;
use tollgate_kernel::approval::{Call, Id};
use tollgate_kernel::json::{Digest, Document, Limits};
use tollgate_kernel::rule::{Approval, Attribute};
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::subject::{Field, Subject, SubjectField};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOON_MS: u64 = 1_795_348_800_000;
const HOST: &str = "gateway.example:8443";

/// Slots that nobody else changes.
struct Held(RefCell<Vec<Slot>>);

impl Held {
    fn new() -> Self {
        Self(RefCell::new(vec![Slot::default(); usize::from(pending::SLOTS)]))
    }
}

impl Store for Held {
    fn read(&self, slot: u8) -> Result<Slot, Unavailable> {
        self.0.borrow().get(usize::from(slot)).cloned().ok_or(Unavailable)
    }

    fn change<T>(&self, slot: u8, mut change: impl FnMut(&mut Slot) -> T) -> Result<T, Unavailable> {
        self.0.borrow_mut().get_mut(usize::from(slot)).map(&mut change).ok_or(Unavailable)
    }
}

fn by_dba() -> Approval {
    let team = Attribute::Subject(SubjectField::Other(Field::Team));
    Approval::Approver(vec![(team, tollgate_config::read(r#"["dba"]"#).unwrap())])
}

fn subject(fields: Value) -> Subject {
    tollgate_config::read(&fields.to_string()).unwrap()
}

fn ada() -> Subject {
    subject(json!({"user": "ada", "team": "support", "agent": "helper"}))
}

fn bob() -> Subject {
    subject(json!({"user": "bob", "team": "dba"}))
}

fn ask(store: &Held, by: &Subject, number: u8, arguments: &Value, now_ms: u64) -> Standing {
    let text = arguments.to_string();
    let document = Document::read(text.as_bytes(), Limits { bytes: 1 << 20, nodes: 1 << 16 }).unwrap();
    let arguments = Arguments::for_page(Some(document.root()), pending::MAX_ARGUMENTS);
    let call = Call {
        subject: by,
        server: "database",
        method: "tools/call",
        object: "database.delete_row",
        parameters: Digest([number; 32]),
        rule: "rules.#2",
    };
    let approval = by_dba();
    let asking = Asking { call, arguments: &arguments, approval: &approval, within_s: 600, id: Id([number; 16]) };
    store.change(pending::slot_of_call(&call), |slot| slot.come(&asking, now_ms)).unwrap()
}

fn waiting(store: &Held) -> Id {
    match ask(store, &ada(), 1, &json!({"table": "users", "id": 42}), NOON_MS) {
        Standing::Waits { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

fn headers(method: &str, path: &str, others: &[(&str, &str)]) -> Headers {
    let mut all = vec![(":method", method), (":path", path), (":authority", HOST)];
    all.extend(others);
    let all: Vec<(&str, &[u8])> = all.into_iter().map(|(name, value)| (name, value.as_bytes())).collect();
    Headers::parse(serialize(&all)).unwrap()
}

fn visit(store: &Held, viewer: &Subject, headers: &Headers, body: &str) -> (Reply, Option<Said>) {
    let keys = SigningKeys::random(&[7; 32]);
    let approval = by_dba();
    let rule = |name: &str| (name == "rules.#2").then_some(&approval);
    let visit = Visit { headers, body: body.as_bytes(), viewer, now_ms: NOON_MS + 180_000 };
    serve(&visit, &rule, &keys, store)
}

fn page(store: &Held, viewer: &Subject) -> String {
    let (reply, said) = visit(store, viewer, &headers("GET", PATH, &[("accept", "text/html,*/*")]), "");
    assert_eq!((reply.status, said), (200, None));
    String::from_utf8(reply.body).unwrap()
}

fn list(store: &Held, viewer: &Subject) -> Value {
    let (reply, _) = visit(store, viewer, &headers("GET", PATH, &[("accept", "application/json")]), "");
    assert_eq!(reply.status, 200);
    serde_json::from_slice(&reply.body).unwrap()
}

fn token(page: &str) -> String {
    page.split_once("name=token value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

fn answer(store: &Held, viewer: &Subject, id: &Id, others: &[(&str, &str)], body: &str) -> (u16, String, Option<Said>) {
    let (reply, said) = visit(store, viewer, &headers("POST", &format!("{PATH}/{id}"), others), body);
    let told = reply.headers.iter().find(|(name, _)| *name == "location").map(|(_, value)| value.clone());
    (reply.status, told.unwrap_or_else(|| String::from_utf8(reply.body).unwrap()), said)
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn the_page_shows_what_the_viewer_can_answer_and_their_own_and_nothing_else() {
    let store = Held::new();
    let id = waiting(&store);
    let seen = page(&store, &bob());
    for part in [
        "(1) Approvals",
        "database.delete_row",
        "<b>ada</b>, agent helper, team support",
        "table = &quot;users&quot;",
        "3 minutes ago",
        "7 minutes",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    assert_eq!(list(&store, &bob())["waiting"][0]["id"], id.to_string());
    let own = page(&store, &subject(json!({"user": "ada", "team": "dba"})));
    assert!(own.contains("Your own calls") && !own.contains("<form"), "{own}");
    assert_eq!(list(&store, &ada())["own"][0]["arguments"], json!(["id = 42", "table = \"users\""]));
    let stranger = subject(json!({"user": "eve", "team": "support"}));
    assert_eq!(list(&store, &stranger), json!({"waiting": [], "own": [], "past": []}));
    assert!(!page(&store, &stranger).contains("delete_row"));
}

#[test]
fn nothing_that_an_agent_says_is_markup() {
    let store = Held::new();
    let evil = json!({"</pre><script>alert(1)</script>": "\"><img src=x onerror=alert(1)>' \u{202e}&lt;"});
    ask(&store, &ada(), 1, &evil, NOON_MS);
    let seen = page(&store, &bob());
    for part in ["<script", "<img", "</pre><", "\u{202e}"] {
        assert!(!seen.replace("</pre><form", "").contains(part), "{part}: {seen}");
    }
    assert!(seen.contains("<mark>\\u{202e}</mark>"), "{seen}");
}

#[test]
fn a_form_of_the_page_answers_and_leads_back_to_it() {
    let store = Held::new();
    let id = waiting(&store);
    let body = format!("token={}&reason=checked+with+%C3%81da+%26+co&decision=approve", token(&page(&store, &bob())));
    let same = [FORM, ("origin", "https://gateway.example:8443"), ("sec-fetch-site", "same-origin")];
    let (status, location, said) = answer(&store, &bob(), &id, &same, &body);
    assert_eq!((status, location), (303, format!("{PATH}#a-{id}")));
    let said = said.unwrap();
    assert_eq!((said.id, said.word, said.reason.as_deref()), (Some(id), "approve", Some("checked with Áda & co")));
    assert_eq!((said.of, said.object.as_deref()), (Some(ada()), Some("database.delete_row")));
    assert_eq!(list(&store, &bob())["past"][0]["answer"]["by"]["user"], "bob");
    assert!(page(&store, &bob()).contains("checked with Áda &amp; co"));
    let runs = ask(&store, &ada(), 1, &json!({}), NOON_MS + 200_000);
    assert!(matches!(runs, Standing::Runs { .. }), "{runs:?}");
    let (status, text, said) = answer(&store, &bob(), &id, &same, &body);
    assert_eq!((status, said), (409, None), "{text}");
}

#[test]
fn a_bot_answers_with_json() {
    let store = Held::new();
    let id = waiting(&store);
    let (status, body, said) = answer(&store, &bob(), &id, &[JSON], r#"{"decision": "reject", "reason": "no"}"#);
    assert_eq!((status, said.map(|said| said.word)), (200, Some("reject")));
    let entry: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&entry["state"], &entry["answer"]["reason"]), (&json!("rejected"), &json!("no")));
}

#[test]
fn what_is_not_an_answer_of_an_approver_on_this_page_changes_nothing() {
    let store = Held::new();
    let id = waiting(&store);
    let seen = page(&store, &bob());
    let good = format!("token={}&decision=approve", token(&seen));
    let json = r#"{"decision": "approve"}"#;
    let evil = ("origin", "https://evil.example");
    let eve = subject(json!({"user": "eve", "team": "dba"}));
    let large = format!("{good}&reason={}", "x".repeat(MAX_BODY));
    for (viewer, others, body, expected, reason) in [
        (&bob(), vec![FORM, evil], good.as_str(), 403, "other_site"),
        (&bob(), vec![FORM, ("origin", "null")], &good, 403, "other_site"),
        (&bob(), vec![FORM, ("sec-fetch-site", "cross-site")], &good, 403, "other_site"),
        (&bob(), vec![FORM, ("sec-fetch-site", "same-site")], &good, 403, "other_site"),
        (&bob(), vec![FORM, ("origin", "https://gateway.example:8443"), evil], &good, 403, "other_site"),
        (&bob(), vec![JSON, evil], json, 403, "other_site"),
        (&bob(), vec![JSON, ("origin", "https://gateway.example")], json, 403, "other_site"),
        (&bob(), vec![FORM], "decision=approve", 403, "old_form"),
        (&eve, vec![FORM], &good, 403, "old_form"),
        (&bob(), vec![FORM], &large, 400, "malformed_answer"),
        (&bob(), vec![FORM], &format!("{good}&decision=reject"), 400, "malformed_answer"),
        (&bob(), vec![FORM], &format!("{good}&other=1"), 400, "malformed_answer"),
        (&bob(), vec![FORM], &good.replace("approve", "Approve"), 400, "malformed_answer"),
        (&bob(), vec![FORM], &format!("{good}&reason=%ff"), 400, "malformed_answer"),
        (&bob(), vec![FORM], &format!("{good}&reason=%4"), 400, "malformed_answer"),
        (&bob(), vec![("content-type", "text/plain")], json, 415, "unsupported_content_type"),
        (&bob(), vec![], json, 415, "unsupported_content_type"),
        (&bob(), vec![JSON], r#"{"decision": "approve", "decision": "reject"}"#, 400, "malformed_answer"),
        (&bob(), vec![JSON], r#"{"decision": "approve", "for": "all"}"#, 400, "malformed_answer"),
        (&bob(), vec![JSON], r#"{"decision": true}"#, 400, "malformed_answer"),
        (&bob(), vec![JSON], "[]", 400, "malformed_answer"),
        (&ada(), vec![JSON], json, 403, "own_call"),
        (&subject(json!({"user": "eve"})), vec![JSON], json, 403, "not_an_approver"),
        (&subject(json!({"team": "dba"})), vec![JSON], json, 403, "no_user"),
    ] {
        let (status, text, said) = answer(&store, viewer, &id, &others, body);
        assert_eq!((status, said), (expected, None), "{body} {others:?} {text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["error"]["reason"], reason, "{body} {others:?}");
    }
    assert_eq!(list(&store, &bob())["waiting"][0]["state"], "waiting");
    let long = format!(r#"{{"decision": "approve", "reason": "{}"}}"#, "x".repeat(201));
    assert_eq!(answer(&store, &bob(), &id, &[JSON], &long).0, 400);
    let unknown = Id([255; 16]);
    assert_eq!(answer(&store, &bob(), &unknown, &[JSON], json).0, 404);
}

#[test]
fn other_pages_and_methods_are_refused_in_the_language_of_who_asks() {
    let store = Held::new();
    for (method, path, expected) in [
        ("GET", format!("{PATH}/00112233445566778899aabbccddeeff"), 404),
        ("POST", format!("{PATH}/x"), 404),
        ("POST", PATH.to_owned(), 405),
        ("PUT", format!("{PATH}/00112233445566778899aabbccddeeff"), 405),
        ("HEAD", PATH.to_owned(), 405),
    ] {
        let (reply, _) = visit(&store, &bob(), &headers(method, &path, &[]), "");
        assert_eq!(reply.status, expected, "{method} {path}");
        serde_json::from_slice::<Value>(&reply.body).unwrap();
        let (reply, _) = visit(&store, &bob(), &headers(method, &path, &[("accept", "text/html")]), "");
        assert!(reply.body.starts_with(b"<!doctype html>"));
    }
    for (path, expected) in [
        (PATH, true),
        (&format!("{PATH}/x"), true),
        (&format!("{PATH}?a"), true),
        (&format!("{PATH}x"), false),
        ("/", false),
    ] {
        assert_eq!(is_visit(&headers("GET", path, &[])), expected, "{path}");
    }
}

#[test]
fn every_answer_forbids_what_the_page_does_not_need() {
    let store = Held::new();
    for (method, accept) in [("GET", "text/html"), ("GET", "*/*"), ("PUT", "text/html"), ("PUT", "*/*")] {
        let (reply, _) = visit(&store, &bob(), &headers(method, PATH, &[("accept", accept)]), "");
        let header = |name: &str| reply.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
        assert_eq!(header("content-security-policy"), Some(POLICY));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert_eq!(header("referrer-policy"), Some("same-origin"));
    }
}

#[test]
fn the_policy_allows_the_style_of_the_page_and_no_other() {
    let seen = page(&Held::new(), &bob());
    let (_, style) = seen.split_once("<style>").unwrap();
    let digest = Sha256::digest(style.split_once("</style>").unwrap().0);
    assert!(
        POLICY.contains(&format!("style-src 'sha256-{}';", STANDARD.encode(digest))),
        "{}",
        STANDARD.encode(digest)
    );
    assert!(!seen.contains(" style="));
}

use super::calls::{ENTRIES, NotCounted, SLOTS, Slot};
use super::{
    Edge, Loops, MAX_DEPTH, MAX_TEXT, Name, Names, Refusal, Require, Ticket, TicketConfig, Tickets, Transaction, Why,
};
use crate::signing_keys::SigningKeys;
use crate::subject::{Label, Subject};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

mod trace;

const NEW: Transaction = Transaction([7; 16]);

fn keys() -> SigningKeys {
    SigningKeys::random(&[1; 32])
}

fn label(text: &str) -> Label {
    Label::try_from(text.to_owned()).unwrap()
}

/// `ada/planner` is planner for ada. Either may be missing.
fn subject(text: &str) -> Subject {
    let (user, agent) = text.split_once('/').unwrap();
    let some = |text: &str| (!text.is_empty()).then(|| label(text));
    Subject { user: some(user), agent: some(agent), tier: Some(label("gold")), ..Subject::default() }
}

fn first(caller: &str, callee: &str) -> Ticket {
    Ticket::of_call(None, Edge { caller: &subject(caller), callee }, NEW, 160)
}

/// Calls one below the other: `a b c` is a's call of b, and then b's of c.
fn chain(agents: &str) -> Ticket {
    let mut agents = agents.split(' ');
    let mut caller = agents.next().unwrap();
    let mut ticket: Option<Ticket> = None;
    for callee in agents {
        let edge = Edge { caller: &subject(&format!("ada/{caller}")), callee };
        ticket = Some(Ticket::of_call(ticket.as_ref(), edge, NEW, 160));
        caller = callee;
    }
    ticket.unwrap()
}

fn rules(config: &serde_json::Value) -> Result<Tickets, String> {
    tollgate_config::read(&config.to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_ticket_is_good_for_its_holder_and_user_until_it_expires() {
    let text = first("ada/assistant", "planner").write(&keys());
    for (caller, now_s, expected) in [
        ("ada/planner", 100, Ok(())),
        ("ada/planner", 159, Ok(())),
        ("ada/planner", 160, Err(Why::Expired)),
        ("ada/planner", u64::MAX, Err(Why::Expired)),
        ("ada/billing", 100, Err(Why::NotTheCallers)),
        ("ada/billing", 160, Err(Why::NotTheCallers)),
        ("ada/assistant", 100, Err(Why::NotTheCallers)),
        ("ada/", 100, Err(Why::NotTheCallers)),
        ("eve/planner", 100, Err(Why::AnotherUser)),
        ("eve/planner", 160, Err(Why::AnotherUser)),
        ("/planner", 100, Err(Why::AnotherUser)),
    ] {
        let verified = Ticket::verify(&keys(), text.as_bytes(), &subject(caller), now_s);
        assert_eq!(verified.map(|_| ()), expected, "{caller} at {now_s}");
    }
}

#[test]
fn nobodys_ticket_is_nobodys() {
    let text = first("/", "planner").write(&keys());
    let verified = |caller| Ticket::verify(&keys(), text.as_bytes(), &subject(caller), 100);
    assert_eq!(verified("/planner"), Ok(first("/", "planner")));
    assert_eq!(verified("ada/planner"), Err(Why::AnotherUser));
    assert_eq!(verified("/"), Err(Why::NotTheCallers));
}

#[test]
fn a_call_below_another_knows_all_who_are_on_the_way() {
    let gold = subject("ada/assistant");
    let one = Ticket::of_call(None, Edge { caller: &gold, callee: "planner" }, NEW, 160);
    let free = Subject { tier: Some(label("free")), ..subject("ada/planner") };
    let below = Edge { caller: &free, callee: "billing" };
    let two = Ticket::of_call(Some(&one), below, Transaction([8; 16]), 200);
    let names = Names::of_agents(["planner", "billing"].into_iter());
    let chain =
        |ticket: &Ticket| ticket.ancestors.iter().map(|name| names.tell(*name).into_owned()).collect::<Vec<_>>();
    assert_eq!((two.transaction, two.depth(), two.expires_s), (NEW, 2, 200));
    assert_eq!(chain(&two), ["#025b06b13e6e3f14", "planner"]);
    assert_eq!(names.tell(two.holder), "billing");
    assert_eq!(Names::of_tiers(["free", "gold"].into_iter()).tell(two.tier), "gold", "as it began");
    assert_eq!(chain(&first("/", "planner")), ["?"]);
    assert_eq!(two.transaction.to_string(), "07".repeat(16));
}

#[test]
fn the_longest_ticket_fits_into_tracestate() {
    let agents: Vec<String> = (0..=MAX_DEPTH).map(|at| format!("agent{at}")).collect();
    let ticket = chain(&agents.join(" "));
    assert_eq!(ticket.depth(), MAX_DEPTH);
    let text = ticket.write(&keys());
    assert_eq!(text.len(), 254);
    assert!(text.len() <= MAX_TEXT);
    assert_eq!(Ticket::verify(&keys(), text.as_bytes(), &subject("ada/agent16"), 100), Ok(ticket));
    assert_eq!(chain("a b").write(&keys()).len(), 94);
}

#[test]
fn a_key_is_rotated_without_a_ticket_being_lost() {
    let (old, new) = ("o".repeat(32), "n".repeat(32));
    let read = |text: &str| SigningKeys::parse(text).unwrap();
    let (both, both_old) = (format!("{new},{old}"), format!("{old},{new}"));
    for (minted, verified, good) in [
        (&old, &both, true),
        (&both, &new, true),
        (&both, &both_old, true),
        (&both_old, &both, true),
        (&both, &old, false),
        (&old, &new, false),
    ] {
        let ticket = first("ada/assistant", "planner");
        let text = ticket.write(&read(minted));
        let verified = Ticket::verify(&read(verified), text.as_bytes(), &subject("ada/planner"), 100);
        assert_eq!(verified, if good { Ok(ticket) } else { Err(Why::Forged) });
    }
}

#[test]
fn what_is_not_written_as_a_ticket_is_malformed() {
    let text = first("ada/assistant", "planner").write(&keys());
    let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
    let changed = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        URL_SAFE_NO_PAD.encode(bytes)
    };
    for text in [
        String::new(),
        "x".to_owned(),
        format!("{text}="),
        format!("{text} "),
        format!("{text}AAAA"),
        text.split_at(90).0.to_owned(),
        text.replacen('A', "+", 1),
        "A".repeat(1 << 20),
        changed(0, 0),
        changed(0, 2),
        changed(1, 0),
        changed(1, 2),
        changed(1, 255),
        URL_SAFE_NO_PAD.encode([1, 17].iter().copied().chain([0; 60 + 17 * 8]).collect::<Vec<u8>>()),
    ] {
        let verified = Ticket::verify(&keys(), text.as_bytes(), &subject("ada/planner"), 100);
        assert_eq!(verified, Err(Why::Malformed), "{text:.300}");
    }
    assert_eq!(Ticket::verify(&keys(), b"\xff\xfe", &subject("ada/planner"), 100), Err(Why::Malformed));
}

#[test]
fn a_text_says_nothing_of_the_user_to_who_has_no_key() {
    let proof =
        |ticket: &Ticket, keys: &SigningKeys| URL_SAFE_NO_PAD.decode(ticket.write(keys)).unwrap()[22..30].to_vec();
    let ticket = first("ada/assistant", "planner");
    let other = Ticket { transaction: Transaction([8; 16]), ..ticket.clone() };
    assert_ne!(proof(&ticket, &keys()), proof(&ticket, &SigningKeys::random(&[2; 32])));
    assert_ne!(proof(&ticket, &keys()), proof(&other, &keys()), "nor that it is the same");
}

#[test]
fn calls_that_go_too_deep_or_round_are_refused() {
    let deny = rules(&json!({"max_depth": 3})).unwrap();
    let allow = rules(&json!({"max_depth": 3, "loops": "allow"})).unwrap();
    for (agents, denied, allowed) in [
        ("a b", Ok(()), Ok(())),
        ("a b c d", Ok(()), Ok(())),
        ("a b c d e", Err(Refusal::Depth), Err(Refusal::Depth)),
        ("a a", Err(Refusal::Loop), Ok(())),
        ("a b a", Err(Refusal::Loop), Ok(())),
        ("a b c b", Err(Refusal::Loop), Ok(())),
        ("a b c c", Err(Refusal::Loop), Ok(())),
        ("a b c d a", Err(Refusal::Loop), Err(Refusal::Depth)),
    ] {
        assert_eq!(deny.check(&chain(agents)), denied, "{agents}");
        assert_eq!(allow.check(&chain(agents)), allowed, "{agents}");
    }
    let deepest = rules(&json!({"max_depth": 16, "loops": "allow"})).unwrap();
    assert_eq!(deepest.check(&chain(&["a"; 17].join(" "))), Ok(()));
    assert_eq!(deepest.check(&chain(&["a"; 18].join(" "))), Err(Refusal::Depth));
    assert_eq!(deny.check(&first("ada/", "a")), Ok(()), "who is nobody is in no loop");
}

#[test]
fn what_stands_in_a_configuration_is_checked() {
    assert_eq!(rules(&json!({})), Ok(Tickets::default()));
    assert_eq!(rules(&json!({})).unwrap().expires_s(100), 160);
    let all =
        json!({"lifetime_s": 3600, "max_depth": 16, "max_fan_out": 1_000_000, "loops": "allow", "require": "warn"});
    assert_eq!(rules(&all).unwrap().expires_s(u64::MAX), u64::MAX);
    for (config, message) in [
        (json!({"lifetime_s": 0}), "lifetime_s: found 0, expected 1 to 3600"),
        (json!({"lifetime_s": 3601}), "lifetime_s: found 3601, expected 1 to 3600"),
        (json!({"max_depth": 17}), "max_depth: found 17, expected 1 to 16"),
        (json!({"max_fan_out": 0}), "max_fan_out: found 0, expected 1 to 1000000"),
        (json!({"loops": "maybe"}), "unknown variant `maybe`, expected `deny` or `allow`"),
        (json!({"require": true}), "invalid type"),
        (json!({"depth": 1}), "unknown field `depth`"),
    ] {
        let fault = rules(&config).unwrap_err();
        assert!(fault.contains(message), "{fault}");
    }
}

#[test]
fn who_has_no_ticket_is_told_of_as_configured() {
    for (require, expected) in [("off", Ok(false)), ("warn", Ok(true)), ("deny", Err(Refusal::Required))] {
        assert_eq!(rules(&json!({"require": require})).unwrap().check_none(), expected);
    }
    assert_eq!(TicketConfig::default().require, Require::Off);
    assert_eq!(TicketConfig::default().loops, Loops::Deny);
}

#[test]
fn a_transaction_makes_no_more_calls_than_it_may() {
    let mut slot = Slot::default();
    for _ in 1..5 {
        assert_eq!(slot.count(NEW, 5, 160, 100), Ok(()));
    }
    assert_eq!(slot.count(NEW, 5, 160, 100), Err(NotCounted::TooMany));
    assert_eq!(slot.count(NEW, 6, 170, 159), Ok(()), "and is known for as long as a ticket of it is good");
    assert_eq!(slot.count(NEW, 6, 170, 169), Err(NotCounted::TooMany));
    assert_eq!(slot.count(NEW, 6, 230, 170), Ok(()));
    assert_eq!(slot.count(Transaction([8; 16]), 1, 230, 170), Err(NotCounted::TooMany), "its first call is one");
    assert_eq!(slot.write().len(), 24);
    assert_eq!(Slot::read(&slot.write()), Some(slot));
}

#[test]
fn no_transaction_is_forgotten_for_another() {
    let mut slot = Slot::default();
    let one = |at: usize| Transaction(u128::try_from(at).unwrap().to_be_bytes());
    for at in 0..ENTRIES {
        assert_eq!(slot.count(one(at), 3, 160, 100), Ok(()));
    }
    assert_eq!(slot.count(one(ENTRIES), 3, 160, 159), Err(NotCounted::Full));
    assert_eq!(slot.count(one(0), 3, 160, 159), Ok(()));
    assert_eq!(slot.count(one(0), 3, 160, 159), Err(NotCounted::TooMany));
    assert_eq!(Slot::read(&slot.write()).as_ref(), Some(&slot));
    assert_eq!(slot.count(one(ENTRIES), 3, 230, 160), Ok(()), "what is over makes room");
    assert_eq!(Slot::read(&[0; 23]), None);
    assert_eq!(Slot::read(&[0; 24 * (ENTRIES + 1)]), None);
    assert!(u16::from(Transaction([255; 16]).slot()) < SLOTS);
}

#[test]
fn agents_and_tiers_are_not_confused() {
    assert_ne!(Name::of_agent(Some("gold")), Name::of_tier(Some("gold")));
    assert_eq!(Name::of_agent(None), Name::NONE);
    assert_eq!(Name::of_tier(None), Name::NONE);
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    #[test]
    fn every_ticket_is_read_as_it_was_written(
        agents in proptest::collection::vec("[a-z]{1,8}", 2..=17), user in proptest::option::of("[a-z@.]{1,64}"),
        transaction: [u8; 16], expires_s in 1..u32::MAX, key: [u8; 32],
    ) {
        let keys = SigningKeys::random(&key);
        let holder = agents.last().unwrap();
        let ticket = Ticket {
            transaction: Transaction(transaction), expires_s, user: user.as_deref().map(label), ..chain(&agents.join(" "))
        };
        let presents = Subject { user: ticket.user.clone(), agent: Some(label(holder)), ..Subject::default() };
        let text = ticket.write(&keys);
        proptest::prop_assert!(text.len() <= MAX_TEXT);
        proptest::prop_assert_eq!(Ticket::verify(&keys, text.as_bytes(), &presents, 0), Ok(ticket));
    }

    #[test]
    fn no_bit_of_a_ticket_can_be_changed(depth in 1_usize..=16, at: proptest::sample::Index, bit in 0_u32..8) {
        let agents: Vec<String> = (0..=depth).map(|at| format!("a{at}")).collect();
        let text = chain(&agents.join(" ")).write(&keys());
        let presents = subject(&format!("ada/a{depth}"));
        let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        *at.get_mut(&mut bytes) ^= 1 << bit;
        let fault = Ticket::verify(&keys(), URL_SAFE_NO_PAD.encode(&bytes).as_bytes(), &presents, 100).unwrap_err();
        proptest::prop_assert!(matches!(fault, Why::Forged | Why::Malformed));
        let mut written = text.into_bytes();
        *at.get_mut(&mut written) ^= 1 << bit;
        proptest::prop_assert!(Ticket::verify(&keys(), &written, &presents, 100).is_err());
    }
}

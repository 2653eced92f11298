use super::{chain, keys};
use crate::headers::Headers;
use crate::ticket::trace::{Arrived, Onward};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What is read of these tracestate headers beside a traceparent.
fn of(states: &[&str]) -> Arrived {
    let mut headers: Vec<(&str, &[u8])> = vec![("traceparent", PARENT.as_bytes())];
    headers.extend(states.iter().map(|state| ("TraceState", state.as_bytes())));
    Arrived::of(Headers(&headers))
}

#[test]
fn a_ticket_is_found_wherever_it_stands_and_the_others_stay_in_order() {
    for (states, ticket, others) in [
        (&[][..], None, ""),
        (&["a=1,tollgate=T,b=2"], Some("T"), "a=1,b=2"),
        (&["a=1", "b=2 , \t tollgate=T ", "c=3"], Some("T"), "a=1,b=2,c=3"),
        (&["tollgate=T,tollgate=T"], Some("T"), ""),
        (&["tollgate=T", "tollgate=U"], Some("T"), ""),
        (&["tollgate=T,tollgate=U,tollgate=T"], Some("T"), ""),
        (&["Tollgate = T ,a=1"], Some("T"), "a=1"),
        (&["tollgate,a=1"], Some(""), "a=1"),
        (&["tollgate=T=U"], Some("T=U"), ""),
        (&["a@tollgate=1,tollgate2=2,tollgate@x=3"], None, "a@tollgate=1,tollgate2=2,tollgate@x=3"),
        (&["a=1,,b=2,"], None, "a=1,b=2"),
        (&["a=1,a=2,b=3"], None, "a=1,b=3"),
        (&["A=1,=2,c,d=,e=\u{e9},f=1=2,g= h,0i=j,_=1,_@k=1,0k@l=m,n@O=p,q@r@s=t"], None, "g= h,0k@l=m"),
    ] {
        let arrived = of(states);
        assert_eq!(arrived.ticket(), ticket.map(str::as_bytes), "{states:?}");
        assert_eq!(arrived.without(), others, "{states:?}");
    }
}

#[test]
fn a_ticket_in_its_own_header_is_the_same() {
    let read = |headers: &[(&str, &[u8])]| Arrived::of(Headers(headers)).ticket().map(<[u8]>::to_vec);
    let own = ("X-Tollgate-Ticket", &b" T "[..]);
    assert_eq!(read(&[own]), Some(b"T".to_vec()));
    assert_eq!(read(&[own, own]), Some(b"T".to_vec()));
    assert_eq!(read(&[own, ("tracestate", b"a=1,tollgate=T")]), Some(b"T".to_vec()), "with no parent besides");
    assert_eq!(read(&[own, ("tracestate", b"tollgate=U")]), Some(b"T".to_vec()));
    assert_eq!(read(&[own, ("x-tollgate-ticket", b"")]), Some(b"T".to_vec()));
    assert_eq!(read(&[("x-tollgate-ticket", b"\xff")]), Some(b"\xff".to_vec()));
}

#[test]
fn ours_comes_first_and_who_has_a_parent_keeps_it() {
    let ticket = chain("a b");
    let text = ticket.write(&keys());
    let onward = of(&["a=1,tollgate=old,b=2"]).with(&ticket, &text, [9; 8]);
    assert_eq!(onward, Onward { parent: None, state: format!("tollgate={text},a=1,b=2") });
}

#[test]
fn who_has_no_parent_that_can_be_read_gets_one_of_the_transaction() {
    let good = PARENT;
    for parents in [
        &[][..],
        &[""],
        &["00-x"],
        &[good, good],
        &[&good.replacen("00", "ff", 1)],
        &[&good.to_uppercase()],
        &[&good.replacen("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32), 1)],
        &[&good.replacen("00f067aa0ba902b7", &"0".repeat(16), 1)],
        &[&format!("{good}-00")],
        &[&format!("{}x", good.replacen("00", "01", 1))],
        &[&good.replace('-', "_")],
        &[good.strip_suffix('1').unwrap()],
    ] {
        let mut headers: Vec<(&str, &[u8])> = parents.iter().map(|parent| ("traceparent", parent.as_bytes())).collect();
        headers.push(("tracestate", b"a=1"));
        let onward = Arrived::of(Headers(&headers)).with(&chain("a b"), "T", [9; 8]);
        let parent = format!("00-{}-{}-01", "07".repeat(16), "09".repeat(8));
        assert_eq!(onward, Onward { parent: Some(parent), state: "tollgate=T".to_owned() }, "{parents:?}");
    }
    for parent in [good, &good.replacen("00", "01", 1), &format!("{}-more", good.replacen("00", "cc", 1))] {
        let headers = [("traceparent", parent.as_bytes()), ("tracestate", b"a=1")];
        let onward = Arrived::of(Headers(&headers)).with(&chain("a b"), "T", [9; 8]);
        assert_eq!(onward, Onward { parent: None, state: "tollgate=T,a=1".to_owned() }, "{parent}");
    }
}

#[test]
fn there_are_no_more_members_than_everybody_carries() {
    let many: Vec<String> = (0..40).map(|at| format!("k{at}=v")).collect();
    let state = of(&[&many.join(",")]).with(&chain("a b"), "T", [9; 8]).state;
    let members: Vec<&str> = state.split(',').collect();
    assert_eq!((members.len(), members[0], members[31]), (32, "tollgate=T", "k30=v"));
    assert_eq!(of(&[&many.join(",")]).without().split(',').count(), 32);
    let late = format!("{},tollgate=T", many.join(","));
    assert_eq!(of(&[&late]).ticket(), Some(&b"T"[..]));
}

#[test]
fn what_is_too_long_loses_the_long_members_first_and_then_the_last() {
    let long = |key: &str| format!("{key}={}", "x".repeat(140));
    let short = |key: &str| format!("{key}={}", "x".repeat(100));
    let text = "T".repeat(254);
    for (members, kept) in [
        (vec![short("a"), short("b")], vec![short("a"), short("b")]),
        (vec![long("a"), short("b"), short("c")], vec![short("b"), short("c")]),
        (vec![short("a"), long("b"), short("c"), long("d")], vec![short("a"), short("c")]),
        (vec![short("a"), short("b"), short("c")], vec![short("a"), short("b")]),
        (vec![long("a")], vec![long("a")]),
    ] {
        let state = of(&[&members.join(",")]).with(&chain("a b"), &text, [9; 8]).state;
        let expected = [vec![format!("tollgate={text}")], kept].concat().join(",");
        assert_eq!(state, expected);
        assert!(state.len() <= 512);
    }
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    #[test]
    fn whatever_comes_what_goes_on_is_a_tracestate(
        states in proptest::collection::vec("([a-c]|tollgate|=|,| |x{100}|é)*", 0..4),
    ) {
        let states: Vec<&str> = states.iter().map(String::as_str).collect();
        let state = of(&states).with(&chain("a b"), "T", [9; 8]).state;
        proptest::prop_assert!(state.len() <= 512 && state.starts_with("tollgate=T"));
        let again = of(&[&state]);
        proptest::prop_assert_eq!(again.ticket(), Some(&b"T"[..]));
        proptest::prop_assert_eq!(again.with(&chain("a b"), "T", [9; 8]).state, state);
    }
}

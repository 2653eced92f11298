//! What the loop promises about requests that wait for a service: held until decided, and decided once.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod scripted;

use fake_envoy::{Delivery, FakeEnvoy, Forwarded, RootId, Stream};
use scripted::{Asker, Script};
use scripted::{
    CallFailed, HostError, On, REQUEST, RESPONSE, Result, Step, load, play, reply, script, seen, told, with_filter,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tollgate_host::abi::{self, Buffer, Map};
use tollgate_host::grpc::{self, Answer, MAX_ANSWER, MAX_CLUSTER, Method};

const LIMIT: Method<'_> = Method { cluster: "limits", service: "a.b.Limits", method: "Ask" };
const SECOND: Duration = Duration::from_secs(1);

fn ask(asker: &Asker) -> Result<Step> {
    asker.call(&LIMIT, b"may I?", SECOND).map(|()| Step::Hold)
}

/// Streams that begin from now on have until then, after now, to decide a request.
fn within(envoy: &FakeEnvoy, wait: Duration, decide: impl Fn(&On<'_>) -> Result<Step> + 'static) {
    let at = u64::try_from((envoy.now() + wait).as_nanos()).expect("not that late");
    let script = script(decide);
    play(&Script { deadline: Some(at), ..script });
}

/// Calls when the request is complete, then decides by the answer.
fn asking(envoy: &FakeEnvoy, decide: impl Fn(&Answer) -> Result<Step> + 'static) {
    within(envoy, 5 * SECOND, move |on| match on {
        On::RequestBody(_, asker) => ask(asker),
        On::Woken([answer]) => decide(answer),
        On::ResponseHeaders(_) | On::ResponseData(..) => Ok(Step::Go),
        _ => Ok(Step::Hold),
    });
}

/// A request that has come in whole, and waits.
fn waiting(envoy: &FakeEnvoy, root: RootId, trailers: bool) -> Stream<'_> {
    let stream = envoy.stream(root);
    stream.request_headers(REQUEST, false);
    stream.request_data("abcd", false);
    assert_eq!(stream.request_data("efgh", !trailers), Delivery::Paused);
    if trailers {
        assert_eq!(stream.request_trailers([("a", "b")]), Delivery::Paused);
    }
    stream
}

#[test]
fn what_is_asked_reaches_the_service_and_the_request_waits_for_its_answer() {
    for trailers in [false, true] {
        with_filter(|envoy, root| {
            asking(envoy, |_| Ok(Step::Go));
            let stream = waiting(envoy, root, trailers);
            assert_eq!(stream.forwarded_request(), Forwarded::default());
            let calls = envoy.calls();
            let [call] = calls.as_slice() else { panic!("one call: {calls:?}") };
            assert_eq!((call.cluster.as_str(), &call.authority), ("limits", &None));
            assert_eq!((call.service.as_str(), call.method.as_str()), ("a.b.Limits", "Ask"));
            assert_eq!((call.message.as_slice(), call.timeout), (b"may I?".as_slice(), SECOND));

            envoy.answer_call(call, "yes");
            let sent = stream.forwarded_request();
            assert_eq!((sent.headers, sent.body, sent.ended), (Some(REQUEST.into()), b"abcdefgh".to_vec(), true));
            assert_eq!(seen().last().map(String::as_str), Some("answered yes"));
            stream.response_headers(RESPONSE, true);
            stream.finish();
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn a_request_without_a_body_waits_too() {
    with_filter(|envoy, root| {
        asking(envoy, |_| Ok(Step::Go));
        let stream = envoy.stream(root);
        assert_eq!(stream.request_headers(REQUEST, true), Delivery::Paused);
        assert_eq!(stream.forwarded_request(), Forwarded::default());
        envoy.answer_call(&envoy.calls()[0], "");
        assert!(stream.forwarded_request().ended);
        assert_eq!(seen(), ["request headers", "request body 0", "answered "]);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn headers_and_body_can_be_read_and_changed_when_the_answer_is_there() {
    for trailers in [false, true] {
        with_filter(|envoy, root| {
            asking(envoy, |_| {
                assert_eq!(abi::buffer(Buffer::Request, 0, 100), Ok(b"abcdefgh".to_vec()));
                abi::set_header(Map::Request, "x-left", b"9")?;
                Ok(Step::Edit { first: 3, with: b"longer".to_vec() })
            });
            let stream = waiting(envoy, root, trailers);
            envoy.answer_call(&envoy.calls()[0], "yes");
            let sent = stream.forwarded_request();
            assert_eq!((sent.body.as_slice(), sent.ended), (b"longerdefgh".as_slice(), true));
            let headers = sent.headers.expect("headers");
            assert_eq!((headers.text("x-left"), headers.text("content-length")), (Some("9"), Some("11")));
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn an_answer_can_refuse_the_request() {
    with_filter(|envoy, root| {
        asking(envoy, |_| Ok(reply()));
        let stream = waiting(envoy, root, false);
        envoy.answer_call(&envoy.calls()[0], "no");
        let reply = stream.reply().expect("an answer");
        assert_eq!((reply.status, reply.details.as_str()), (403, "not_allowed"));
        assert_eq!(stream.forwarded_request(), Forwarded::default());
        stream.finish();
        assert!(!seen().iter().any(|on| on.starts_with("response")), "our own reply is not read");
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_call_that_fails_is_told_and_the_role_decides() {
    with_filter(|envoy, root| {
        for (status, expected) in [(4, "failed: gRPC status 4"), (14, "failed: gRPC status 14")] {
            asking(envoy, |answer| Ok(if answer.is_err() { Step::Go } else { reply() }));
            let stream = waiting(envoy, root, false);
            envoy.fail_call(&envoy.calls()[0], status);
            assert!(stream.forwarded_request().ended);
            assert_eq!(seen().last().map(String::as_str), Some(expected));
        }
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_service_that_never_answers_holds_a_request_no_longer_than_the_timeout() {
    with_filter(|envoy, root| {
        asking(envoy, |answer| Ok(if answer == &Err(CallFailed::Status(14)) { reply() } else { Step::Go }));
        let stream = waiting(envoy, root, false);
        envoy.advance(SECOND - Duration::from_millis(1));
        assert_eq!((stream.reply(), stream.forwarded_request()), (None, Forwarded::default()));
        envoy.advance(Duration::from_millis(1));
        assert_eq!(stream.reply().map(|reply| reply.status), Some(403));
        assert_eq!((envoy.calls(), envoy.violations()), (vec![], vec![]));
    });
}

#[test]
fn an_answer_belongs_to_the_stream_that_asked() {
    with_filter(|envoy, root| {
        asking(envoy, |answer| Ok(if answer.as_deref() == Ok(b"yes") { Step::Go } else { reply() }));
        let (first, second) = (waiting(envoy, root, false), waiting(envoy, root, true));
        let calls = envoy.calls();
        envoy.answer_call(&calls[1], "no");
        assert_eq!((first.reply(), second.reply().map(|reply| reply.status)), (None, Some(403)));
        envoy.answer_call(&calls[0], "yes");
        assert!(first.forwarded_request().ended);
        assert_eq!(second.forwarded_request(), Forwarded::default());
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn an_answer_is_taken_in_up_to_a_bound() {
    for (size, taken) in [(MAX_ANSWER, true), (MAX_ANSWER + 1, false)] {
        with_filter(|envoy, root| {
            asking(envoy, move |answer| {
                assert_eq!(answer.as_ref().map(Vec::len), if taken { Ok(size) } else { Err(&CallFailed::Unreadable) });
                Ok(Step::Go)
            });
            let stream = waiting(envoy, root, false);
            envoy.answer_call(&envoy.calls()[0], vec![7; size]);
            assert!(stream.forwarded_request().ended);
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn where_envoy_tells_of_no_timeout_a_call_ends_soon_after_all_the_same_and_a_request_at_its_deadline() {
    with_filter(|envoy, root| {
        envoy.mute_services();
        within(envoy, SECOND, |on| match on {
            On::RequestBody(_, asker) => ask(asker),
            On::Expired => Ok(reply()),
            _ => Ok(Step::Hold),
        });
        let stream = waiting(envoy, root, false);
        seen();
        envoy.advance(SECOND * 11 / 10);
        assert_eq!((seen()[0].as_str(), stream.reply().map(|reply| reply.status)), ("expired", Some(403)));
        asking(envoy, |answer| {
            assert_eq!(answer, &Err(CallFailed::Unanswered));
            Ok(Step::Go)
        });
        let stream = waiting(envoy, root, false);
        envoy.advance(SECOND * 21 / 10);
        assert!(stream.forwarded_request().ended);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn no_timeout_at_all_cannot_be_asked_for() {
    with_filter(|envoy, root| {
        within(envoy, SECOND, |on| match on {
            On::RequestBody(_, asker) => asker.call(&LIMIT, b"", Duration::ZERO).map(|()| Step::Hold),
            _ => Ok(Step::Hold),
        });
        waiting(envoy, root, false);
        assert_eq!(envoy.calls()[0].timeout, Duration::from_millis(1));
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_service_that_is_not_there_is_told_at_once_and_its_late_end_to_nobody() {
    with_filter(|envoy, root| {
        envoy.unreachable_services();
        within(envoy, SECOND, |on| match on {
            On::RequestBody(_, asker) => {
                assert!(matches!(ask(asker), Err(HostError::Status(10))));
                Ok(Step::Go)
            }
            _ => Ok(Step::Hold),
        });
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, false);
        assert_eq!(stream.request_data("ab", true), Delivery::Continued);
        assert!(stream.forwarded_request().ended);
        assert_eq!(seen(), ["request headers", "request body 2"]);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn several_calls_at_once_are_told_in_any_order_and_one_can_decide() {
    for (order, decided_after) in [([0, 1, 2], 3), ([2, 1, 0], 3), ([1, 0, 2], 2)] {
        with_filter(|envoy, root| {
            let answers = RefCell::new(0);
            within(envoy, SECOND, move |on| match on {
                On::RequestBody(_, asker) => (0..3).try_fold(Step::Hold, |_, _| ask(asker)),
                On::Woken(_) => {
                    *answers.borrow_mut() += 1;
                    Ok(if *answers.borrow() == decided_after { Step::Go } else { Step::Hold })
                }
                _ => Ok(Step::Hold),
            });
            let stream = waiting(envoy, root, false);
            seen();
            let calls = envoy.calls();
            for (at, index) in order.into_iter().enumerate() {
                assert_eq!(stream.forwarded_request().ended, at >= decided_after);
                envoy.answer_call(&calls[index], index.to_string());
            }
            assert!(stream.forwarded_request().ended);
            let told: Vec<_> = order[..decided_after].iter().map(|index| format!("answered {index}")).collect();
            assert_eq!(seen(), told, "nothing after the decision");
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn an_answer_can_lead_to_another_call_and_wake_streams_of_other_roots() {
    with_filter(|envoy, root| {
        let other = load(envoy, b"good").expect("the filter accepts");
        let wakers = Rc::new(RefCell::new(Vec::new()));
        within(envoy, 5 * SECOND, move |on| match on {
            On::RequestBody(body, _) => {
                wakers.borrow_mut().push(body.waker.clone());
                let wakers = Rc::clone(&wakers);
                grpc::call(&LIMIT, b"first", SECOND, move |_| {
                    let woken = Rc::clone(&wakers);
                    wakers.borrow().iter().for_each(tollgate_host::stream::Waker::wake);
                    grpc::call(&LIMIT, b"second", SECOND, move |_| drop(woken)).expect("a call of a call");
                })?;
                Ok(Step::Hold)
            }
            On::Woken(_) => Ok(Step::Go),
            _ => Ok(Step::Hold),
        });
        let streams = [waiting(envoy, root, false), waiting(envoy, other, true)];
        envoy.answer_call(&envoy.calls()[0], "");
        assert!(streams.iter().all(|stream| stream.forwarded_request().ended));
        assert_eq!(
            envoy.calls().iter().map(|call| call.message.as_slice()).collect::<Vec<_>>(),
            [b"first".as_slice(), b"second"]
        );
        envoy.calls().iter().for_each(|call| envoy.answer_call(call, ""));
        envoy.calls().iter().for_each(|call| envoy.answer_call(call, ""));
        assert_eq!((envoy.calls(), envoy.violations()), (vec![], vec![]));
    });
}

#[test]
fn undecided_at_the_end_or_at_the_deadline_is_refused() {
    for wait in [None, Some(SECOND)] {
        with_filter(|envoy, root| {
            let hold = |on: &On<'_>| if let On::RequestBody(_, asker) = on { ask(asker) } else { Ok(Step::Hold) };
            match wait {
                Some(wait) => within(envoy, wait, hold),
                None => drop(script(hold)),
            }
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, true);
            assert_eq!(stream.reply().is_some(), wait.is_none());
            envoy.advance(SECOND * 11 / 10);
            assert_eq!(stream.reply().map(|reply| reply.details), Some("tollgate_undecided".to_owned()));
            assert_eq!(stream.forwarded_request(), Forwarded::default());
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn where_neither_a_root_nor_a_request_is_at_hand_nothing_can_be_called() {
    with_filter(|envoy, root| {
        script(|on| match on {
            On::Log => {
                assert!(matches!(grpc::call(&LIMIT, b"", SECOND, |_| ()), Err(HostError::BadArgument)));
                Ok(Step::Go)
            }
            _ => Ok(Step::Hold),
        });
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, false);
        stream.finish();
        assert_eq!((envoy.calls(), envoy.violations()), (vec![], vec![]));
    });
}

#[test]
fn when_a_client_hangs_up_the_answer_is_told_all_the_same_but_not_to_its_stream() {
    with_filter(|envoy, root| {
        for failed in [false, true] {
            let heard = Rc::new(RefCell::new(Vec::new()));
            let hears = Rc::clone(&heard);
            within(envoy, 5 * SECOND, move |on| match on {
                On::RequestBody(body, _) => {
                    let (hears, waker) = (Rc::clone(&hears), body.waker.clone());
                    grpc::call(&LIMIT, b"", SECOND, move |answer| {
                        hears.borrow_mut().push(told(&answer));
                        waker.wake();
                    })?;
                    Ok(Step::Hold)
                }
                _ => Ok(Step::Hold),
            });
            let stream = waiting(envoy, root, false);
            stream.finish();
            assert_eq!(seen()[3..], ["log", "done"]);
            let call = &envoy.calls()[0];
            if failed {
                envoy.fail_call(call, 14)
            } else {
                envoy.answer_call(call, "yes")
            }
            assert_eq!(seen(), [""; 0]);
            assert_eq!(*heard.borrow(), [if failed { "failed: gRPC status 14" } else { "answered yes" }]);
        }
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_root_that_is_over_is_let_go_when_its_calls_are_answered() {
    for calls in [0, 1, 2] {
        with_filter(|envoy, root| {
            let heard = Rc::new(RefCell::new(0));
            let hears = Rc::clone(&heard);
            within(envoy, 5 * SECOND, move |on| match on {
                On::RequestBody(..) => {
                    for _ in 0..calls {
                        let hears = Rc::clone(&hears);
                        grpc::call(&LIMIT, b"", SECOND, move |_| *hears.borrow_mut() += 1)?;
                    }
                    Ok(Step::Hold)
                }
                _ => Ok(Step::Hold),
            });
            waiting(envoy, root, false).finish();
            envoy.end(root);
            assert_eq!(envoy.is_over(root), calls == 0);
            for (index, call) in envoy.calls().iter().enumerate() {
                envoy.answer_call(call, "");
                assert_eq!((*heard.borrow(), envoy.is_over(root)), (index + 1, index + 1 == calls));
            }
            envoy.advance(3 * SECOND);
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn a_clusters_name_is_never_taken_for_something_else() {
    // Each of the first three is, as it stands, a serialised message to Envoy.
    let longest = "a".repeat(MAX_CLUSTER);
    for (name, authority) in [
        ("aggregate", None),
        ("envoy", None),
        ("p1", None),
        ("outbound|8081||limitador.limits.svc.cluster.local", Some("tollgate")),
        (longest.as_str(), None),
        ("", Some("refused")),
        (&format!("{longest}a"), Some("refused")),
    ] {
        with_filter(|envoy, root| {
            let cluster = name.to_owned();
            within(envoy, SECOND, move |on| match on {
                On::RequestBody(_, asker) => {
                    asker.call(&Method { cluster: &cluster, ..LIMIT }, b"", SECOND).map(|()| Step::Hold)
                }
                _ => Ok(Step::Hold),
            });
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, true);
            if authority == Some("refused") {
                assert_eq!(stream.reply().map(|reply| reply.details), Some("tollgate_host_call_failed".to_owned()));
            } else {
                let calls = envoy.calls();
                assert_eq!((calls[0].cluster.as_str(), calls[0].authority.as_deref()), (name, authority));
            }
            assert_eq!(envoy.violations(), []);
        });
    }
}

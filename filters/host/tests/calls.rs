//! What the loop promises about requests that wait for a service: held until decided, and decided once.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod scripted;

use fake_envoy::{Delivery, FakeEnvoy, Forwarded, RootId, Stream};
use scripted::{CallFailed, HostError, On, REQUEST, RESPONSE, Result, Step, reply, script, seen, with_filter};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tollgate_host::abi::{self, Buffer, Map};
use tollgate_host::grpc::{self, CallId, MAX_ANSWER, MAX_CLUSTER, Method};

const LIMIT: Method<'_> = Method { cluster: "limits", service: "a.b.Limits", method: "Ask" };
const SECOND: Duration = Duration::from_secs(1);

fn ask() -> Result<CallId> {
    grpc::call(&LIMIT, b"may I?", SECOND)
}

/// Calls when the request is complete, then decides by the answer.
fn asking(decide: impl Fn(&std::result::Result<Vec<u8>, CallFailed>) -> Result<Step> + 'static) {
    script(move |on| match on {
        On::RequestBody(_) => ask().map(|_| Step::Hold),
        On::Called(_, answer) => decide(answer),
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
            asking(|_| Ok(Step::Go));
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
        asking(|_| Ok(Step::Go));
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
            asking(|_| {
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
        asking(|_| Ok(reply()));
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
            asking(|answer| Ok(if answer.is_err() { Step::Go } else { reply() }));
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
        asking(|answer| Ok(if answer == &Err(CallFailed::Status(14)) { reply() } else { Step::Go }));
        let stream = waiting(envoy, root, false);
        envoy.advance(SECOND - Duration::from_millis(1));
        assert_eq!((stream.reply(), stream.forwarded_request()), (None, Forwarded::default()));
        envoy.advance(Duration::from_millis(1));
        assert_eq!(stream.reply().map(|reply| reply.status), Some(403));
        assert_eq!((envoy.calls(), envoy.violations()), (vec![], vec![]));
    });
}

#[test]
fn where_envoy_tells_of_no_timeout_a_request_is_decided_soon_after_all_the_same() {
    for decision in [Step::Go, reply(), Step::Hold] {
        with_filter(|envoy, root| {
            envoy.mute_services();
            let told = Cell::new(0);
            let undecided = decision == Step::Hold;
            let decide = RefCell::new(Some(decision));
            script(move |on| match on {
                On::RequestBody(_) => {
                    grpc::call(&LIMIT, b"", 4 * SECOND)?;
                    ask().map(|_| Step::Hold)
                }
                On::Called(_, answer) => {
                    assert_eq!(*answer, &Err(CallFailed::Unanswered));
                    told.set(told.get() + 1);
                    Ok(if told.get() == 2 { decide.take().expect("told twice") } else { Step::Hold })
                }
                _ => Ok(Step::Hold),
            });
            let stream = waiting(envoy, root, false);
            let decided = || (stream.forwarded_request().ended, stream.reply().is_some());
            envoy.advance(SECOND);
            assert_eq!(seen().last().map(String::as_str), Some("request body 8"));
            envoy.advance(SECOND * 11 / 10);
            assert_eq!(seen(), ["failed: no answer and no timeout"]);
            assert_eq!(decided(), (false, false), "the other call may still be answered");
            envoy.advance(3 * SECOND);
            assert_eq!(seen()[0], "failed: no answer and no timeout");
            assert_ne!(decided(), (false, false));
            if undecided {
                assert_eq!(stream.reply().map(|reply| reply.details), Some("tollgate_undecided".to_owned()));
            }
            envoy.advance(SECOND);
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn no_timeout_at_all_cannot_be_asked_for() {
    with_filter(|envoy, root| {
        script(|on| match on {
            On::RequestBody(_) => grpc::call(&LIMIT, b"", Duration::ZERO).map(|_| Step::Hold),
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
        script(|on| match on {
            On::RequestBody(_) => {
                assert!(matches!(ask(), Err(HostError::Status(10))));
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
            let answers = Cell::new(0);
            script(move |on| match on {
                On::RequestBody(_) => {
                    for _ in 0..3 {
                        ask()?;
                    }
                    Ok(Step::Hold)
                }
                On::Called(..) => {
                    answers.set(answers.get() + 1);
                    Ok(if answers.get() == decided_after { Step::Go } else { Step::Hold })
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
fn an_answer_can_lead_to_another_call() {
    with_filter(|envoy, root| {
        asking(|answer| match answer {
            Ok(answer) if answer == b"ask again" => ask().map(|_| Step::Hold),
            _ => Ok(Step::Go),
        });
        let stream = waiting(envoy, root, false);
        envoy.answer_call(&envoy.calls()[0], "ask again");
        assert_eq!(stream.forwarded_request(), Forwarded::default());
        envoy.answer_call(&envoy.calls()[0], "yes");
        assert!(stream.forwarded_request().ended);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn undecided_with_nothing_to_wait_for_is_refused() {
    with_filter(|envoy, root| {
        asking(|_| Ok(Step::Hold));
        let stream = waiting(envoy, root, false);
        envoy.answer_call(&envoy.calls()[0], "hm");
        assert_eq!(stream.reply().map(|reply| reply.details), Some("tollgate_undecided".to_owned()));
        assert_eq!(stream.forwarded_request(), Forwarded::default());
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_call_of_another_callback_is_no_reason_to_wait() {
    with_filter(|envoy, root| {
        script(|on| match on {
            On::Log => ask().map(|_| Step::Go),
            _ => Ok(Step::Hold),
        });
        let first = envoy.stream(root);
        first.request_headers(REQUEST, false);
        first.finish();
        let second = envoy.stream(root);
        assert_eq!(second.request_headers(REQUEST, true), Delivery::Replied);
        assert_eq!(second.reply().map(|reply| reply.details), Some("tollgate_undecided".to_owned()));
        envoy.answer_call(&envoy.calls()[0], "nobody listens");
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn an_answer_before_the_request_is_complete_may_wait_for_the_rest_or_decide() {
    for early in [false, true] {
        with_filter(|envoy, root| {
            script(move |on| match on {
                On::RequestHeaders => ask().map(|_| Step::Hold),
                On::Called(..) if early => Ok(Step::Go),
                On::RequestBody(_) => Ok(Step::Go),
                _ => Ok(Step::Hold),
            });
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, false);
            stream.request_data("abcd", false);
            envoy.answer_call(&envoy.calls()[0], "yes");
            assert_eq!(stream.forwarded_request().body, if early { b"abcd".to_vec() } else { vec![] });
            assert_eq!(stream.request_data("efgh", true), Delivery::Continued);
            assert_eq!(stream.forwarded_request().body, b"abcdefgh");
            let expected: &[_] = if early {
                &["request headers", "request grows 4", "answered yes"]
            } else {
                &["request headers", "request grows 4", "answered yes", "request body 8"]
            };
            assert_eq!(seen(), expected);
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn a_body_whose_end_is_not_there_is_not_edited() {
    with_filter(|envoy, root| {
        script(|on| match on {
            On::RequestHeaders => ask().map(|_| Step::Hold),
            On::Called(..) => Ok(Step::Edit { first: 1, with: b"xx".to_vec() }),
            _ => Ok(Step::Hold),
        });
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, false);
        stream.request_data("abcd", false);
        envoy.answer_call(&envoy.calls()[0], "yes");
        assert_eq!(stream.reply().map(|reply| reply.details), Some("tollgate_host_call_failed".to_owned()));
        assert_eq!(stream.forwarded_request(), Forwarded::default());
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_client_that_hangs_up_meanwhile_ends_the_stream_and_the_answer_is_dropped() {
    with_filter(|envoy, root| {
        asking(|_| Ok(Step::Go));
        for failed in [false, true] {
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
        }
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn an_answer_belongs_to_the_stream_that_asked() {
    with_filter(|envoy, root| {
        asking(|answer| Ok(if answer.as_deref() == Ok(b"yes") { Step::Go } else { reply() }));
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
            asking(move |answer| {
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
            script(move |on| match on {
                On::RequestBody(_) => {
                    grpc::call(&Method { cluster: &cluster, ..LIMIT }, b"", SECOND).map(|_| Step::Hold)
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

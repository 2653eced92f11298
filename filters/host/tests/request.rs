//! What the loop promises about requests: what is not decided is held.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::expect_used, reason = "tests")]

mod scripted;

use fake_envoy::{Delivery, Forwarded};
use scripted::{HostError, On, REQUEST, Step, reply, script, seen, with_filter};
use tollgate_host::abi::Map;
use tollgate_host::headers::{self, Headers};

#[test]
fn what_is_not_decided_is_held() {
    with_filter(|envoy, root| {
        script(|on| Ok(if matches!(on, On::RequestBody(..)) { Step::Go } else { Step::Hold }));
        let stream = envoy.stream(root);
        assert_eq!(stream.request_headers(REQUEST, false), Delivery::Paused);
        for _ in 0..3 {
            assert_eq!(stream.request_data("ab", false), Delivery::Paused);
        }
        assert_eq!(stream.forwarded_request(), Forwarded::default());
        assert_eq!(stream.request_data("ab", true), Delivery::Continued);
        let sent = stream.forwarded_request();
        assert_eq!((sent.headers, sent.body, sent.ended), (Some(REQUEST.into()), b"abababab".to_vec(), true));
        assert_eq!(
            seen(),
            ["request headers", "request grows 2", "request grows 4", "request grows 6", "request body 8"]
        );
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_request_is_complete_however_it_ends() {
    with_filter(|envoy, root| {
        script(|on| Ok(if matches!(on, On::RequestBody(..)) { Step::Go } else { Step::Hold }));
        let bodiless = envoy.stream(root);
        assert_eq!(bodiless.request_headers(REQUEST, true), Delivery::Continued);
        assert_eq!(seen(), ["request headers", "request body 0"]);

        let empty_chunk = envoy.stream(root);
        empty_chunk.request_headers(REQUEST, false);
        empty_chunk.request_data("ab", false);
        assert_eq!(empty_chunk.request_data("", true), Delivery::Continued);
        assert_eq!(seen(), ["request headers", "request grows 2", "request body 2"]);

        let trailers = envoy.stream(root);
        trailers.request_headers(REQUEST, false);
        trailers.request_data("ab", false);
        assert_eq!(trailers.forwarded_request(), Forwarded::default());
        assert_eq!(trailers.request_trailers([("a", "b")]), Delivery::Continued);
        assert_eq!(seen(), ["request headers", "request grows 2", "request body 2"]);
        assert!(trailers.forwarded_request().ended);

        let only_trailers = envoy.stream(root);
        only_trailers.request_headers(REQUEST, false);
        assert_eq!(only_trailers.request_trailers([("a", "b")]), Delivery::Continued);
        assert_eq!(seen(), ["request headers", "request body 0"]);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_request_that_is_let_go_is_asked_about_no_more() {
    with_filter(|envoy, root| {
        script(|_| Ok(Step::Go));
        let stream = envoy.stream(root);
        assert_eq!(stream.request_headers(REQUEST, false), Delivery::Continued);
        assert_eq!(stream.request_data("ab", false), Delivery::Continued);
        assert_eq!(stream.forwarded_request().body, b"ab", "at once");
        assert_eq!(stream.request_trailers([("a", "b")]), Delivery::Continued);
        assert_eq!(seen(), ["request headers"]);

        script(|on| Ok(if matches!(on, On::RequestGrows(_)) { Step::Go } else { Step::Hold }));
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, false);
        assert_eq!(stream.request_data("ab", false), Delivery::Continued, "decided before the end");
        assert_eq!(stream.request_data("cd", true), Delivery::Continued);
        assert_eq!((stream.forwarded_request().body, seen().len()), (b"abcd".to_vec(), 2));
    });
}

#[test]
fn an_edit_replaces_the_first_bytes_and_corrects_the_length() {
    for (first, with, expected) in
        [(0, "", "abcdefgh"), (0, "++", "++abcdefgh"), (3, "", "defgh"), (3, "longer", "longerdefgh"), (8, "x", "x")]
    {
        for trailers in [false, true] {
            with_filter(|envoy, root| {
                let edit = move || Step::Edit { first, with: with.as_bytes().to_vec() };
                script(move |on| Ok(if matches!(on, On::RequestBody(..)) { edit() } else { Step::Hold }));
                let stream = envoy.stream(root);
                stream.request_headers(REQUEST, false);
                stream.request_data("abcd", false);
                stream.request_data("efgh", !trailers);
                if trailers {
                    stream.request_trailers([("a", "b")]);
                }
                let sent = stream.forwarded_request();
                assert_eq!(String::from_utf8_lossy(&sent.body), expected);
                let headers = sent.headers.expect("headers");
                assert_eq!(headers.all("content-length"), [expected.len().to_string().as_bytes()]);
                assert!(sent.ended);
                assert_eq!(envoy.violations(), []);
            });
        }
    }
}

#[test]
fn a_body_is_read_as_far_as_it_is_asked_for_and_never_short() {
    with_filter(|envoy, root| {
        script(|on| {
            let On::RequestBody(body, _) = on else { return Ok(Step::Hold) };
            assert_eq!(body.read(0), Ok(Vec::new()));
            assert_eq!(body.read(3), Ok(b"abc".to_vec()));
            assert_eq!(body.read(body.size), Ok(b"abcd".to_vec()));
            assert_eq!(body.read(5), Err(HostError::NotFound), "the host has fewer");
            Ok(Step::Go)
        });
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, false);
        stream.request_data("ab", false);
        stream.request_data("cd", true);
        assert!(stream.forwarded_request().ended);
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn an_answer_of_our_own_ends_the_request_in_any_callback_and_comes_back_unread() {
    for at in ["request headers", "request grows 2", "request body 4"] {
        for trailers in [false, true] {
            with_filter(|envoy, root| {
                script(move |on| {
                    let here = match on {
                        On::RequestHeaders => at == "request headers",
                        On::RequestGrows(2) => at == "request grows 2",
                        On::RequestBody(..) => at == "request body 4",
                        _ => false,
                    };
                    Ok(if here { reply() } else { Step::Hold })
                });
                let stream = envoy.stream(root);
                stream.request_headers(REQUEST, false);
                stream.request_data("ab", false);
                stream.request_data("cd", !trailers);
                if trailers {
                    stream.request_trailers([("a", "b")]);
                }
                let reply = stream.reply().expect("an answer");
                assert_eq!((reply.status, reply.details.as_str(), reply.body), (403, "not_allowed", b"{}".to_vec()));
                assert_eq!(reply.headers.text("x-why"), Some("because"));
                assert_eq!(stream.forwarded_request(), Forwarded::default());
                stream.finish();
                let seen = seen();
                assert!(!seen.iter().any(|on| on.starts_with("response")), "{seen:?}");
                assert_eq!(&seen[seen.len() - 2..], ["log", "done"]);
                assert_eq!(envoy.violations(), []);
            });
        }
    }
}

#[test]
fn envoys_own_answer_to_a_request_that_is_too_large_is_not_taken_for_ours() {
    with_filter(|envoy, root| {
        envoy.buffer_limit(3);
        script(|on| {
            Ok(match on {
                On::RequestBody(..) => reply(),
                On::ResponseHeaders(_) | On::ResponseData(..) => Step::Go,
                _ => Step::Hold,
            })
        });
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, false);
        stream.request_data("ab", false);
        assert_eq!(stream.request_data("cd", true), Delivery::Replied);
        let expected = ["request headers", "request grows 2", "request body 4", "response headers false"];
        assert_eq!(&seen()[..4], expected, "we answered, and Envoy before us");
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_host_call_that_fails_refuses_the_request() {
    for at in 0..3 {
        with_filter(|envoy, root| {
            script(move |on| match on {
                On::RequestHeaders if at == 0 => Err(HostError::BadArgument),
                On::RequestGrows(_) if at == 1 => Err(HostError::Status(10)),
                On::RequestBody(..) if at == 2 => Err(HostError::NotFound),
                _ => Ok(Step::Hold),
            });
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, false);
            stream.request_data("ab", false);
            stream.request_data("cd", true);
            let reply = stream.reply().expect("a refusal");
            assert_eq!((reply.status, reply.details.as_str()), (500, "tollgate_host_call_failed"));
            assert_eq!(stream.forwarded_request(), Forwarded::default());
            let log = envoy.logs().pop().expect("a log line");
            assert!(log.message.starts_with("tollgate: request refused, a host call failed: "), "{}", log.message);
        });
    }
}

#[test]
fn an_edit_that_cannot_be_made_refuses_the_request() {
    // While the headers are asked about the length of the whole is not known; without a body the host takes none.
    for (while_headers, violations) in [(true, 0), (false, 1)] {
        with_filter(|envoy, root| {
            let edit = || Step::Edit { first: 0, with: b"x".to_vec() };
            script(move |on| Ok(if while_headers || matches!(on, On::RequestBody(..)) { edit() } else { Step::Hold }));
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, !while_headers);
            assert_eq!(stream.reply().map(|reply| reply.details), Some("tollgate_host_call_failed".to_owned()));
            assert_eq!(stream.forwarded_request(), Forwarded::default());
            assert_eq!(envoy.violations().len(), violations);
        });
    }
}

#[test]
fn headers_are_read_as_they_came_and_written_as_they_shall_be() {
    with_filter(|envoy, root| {
        script(|on| match on {
            On::RequestHeaders => {
                let headers = Headers::read(Map::Request)?;
                assert_eq!(headers.all("a").collect::<Vec<_>>(), [&b"1"[..], b"\xff\xfe"]);
                assert_eq!((headers.one("a"), headers.text("b"), headers.one("c")), (None, Some(""), None));
                Ok(Step::Hold)
            }
            On::RequestBody(..) => {
                // Still there while they are held.
                assert_eq!(Headers::read(Map::Request)?.iter().count(), 3);
                headers::replace_all(Map::Request, &[("a", b"\xff"), ("d", b""), ("d", b"2")])?;
                Ok(Step::Go)
            }
            _ => Ok(Step::Hold),
        });
        let stream = envoy.stream(root);
        stream.request_headers([("a", &b"1"[..]), ("b", b""), ("a", b"\xff\xfe")], false);
        stream.request_data("ab", true);
        assert_eq!(stream.forwarded_request().headers, Some([("a", &b"\xff"[..]), ("d", b""), ("d", b"2")].into()));
        assert_eq!(envoy.violations(), []);
    });
}

/// Streams whose headers go on before anything is decided.
fn let_headers_go(decide: impl Fn(&On<'_>) -> scripted::Result<Step> + 'static) {
    let script = scripted::Script { holds_headers: false, ..script(decide) };
    scripted::play(&script);
}

const WITH_LENGTH: [(&str, &str); 3] = [(":method", "POST"), (":path", "/"), ("content-length", "4")];

#[test]
fn headers_that_cannot_be_held_go_on_without_a_length_and_the_body_is_held() {
    with_filter(|envoy, root| {
        let edited = || Step::Edit { first: 2, with: b"longer".to_vec() };
        let_headers_go(move |on| Ok(if matches!(on, On::RequestBody(..)) { edited() } else { Step::Hold }));
        let stream = envoy.stream(root);
        assert_eq!(stream.request_headers(WITH_LENGTH, false), Delivery::Continued);
        let sent = stream.forwarded_request();
        assert_eq!(sent.headers.and_then(|headers| headers.text("content-length").map(str::to_owned)), None);
        assert_eq!(stream.request_data("ab", false), Delivery::Paused);
        assert_eq!(stream.forwarded_request().body, b"");
        assert_eq!(stream.request_data("cd", true), Delivery::Continued);
        let sent = stream.forwarded_request();
        assert_eq!((sent.body, sent.ended), (b"longercd".to_vec(), true));
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_request_without_a_body_is_decided_before_its_headers_go_on() {
    with_filter(|envoy, root| {
        let_headers_go(|on| Ok(if matches!(on, On::RequestBody(..)) { reply() } else { Step::Hold }));
        let stream = envoy.stream(root);
        assert_eq!(stream.request_headers(REQUEST, true), Delivery::Replied);
        assert_eq!(stream.forwarded_request(), Forwarded::default());
    });
}

#[test]
fn a_refusal_after_headers_that_are_gone_lets_no_byte_of_the_body_go() {
    for trailers in [false, true] {
        with_filter(|envoy, root| {
            let_headers_go(|on| Ok(if matches!(on, On::RequestBody(..)) { reply() } else { Step::Hold }));
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, false);
            stream.request_data("ab", false);
            if trailers {
                assert_eq!(stream.request_trailers([("a", "b")]), Delivery::Replied);
            } else {
                assert_eq!(stream.request_data("cd", true), Delivery::Replied);
            }
            let sent = stream.forwarded_request();
            assert_eq!((sent.body, sent.ended), (Vec::new(), false));
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn a_request_that_is_answered_before_its_body_came_is_asked_about_no_more() {
    with_filter(|envoy, root| {
        let_headers_go(|on| Ok(if matches!(on, On::ResponseHeaders(_)) { reply() } else { Step::Hold }));
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, false);
        assert_eq!(stream.response_headers([(":status", "200")], false), Delivery::Replied);
        seen();
        assert_eq!(stream.request_data("ab", true), Delivery::Undelivered);
        assert_eq!(seen(), Vec::<String>::new());
        assert_eq!(stream.forwarded_request().body, b"");
    });
}

#[test]
fn a_response_whose_headers_cannot_be_held_is_held_behind_them() {
    with_filter(|envoy, root| {
        let_headers_go(|on| {
            Ok(match on {
                On::ResponseData(data, true) => Step::Edit { first: data.len(), with: b"whole".to_vec() },
                On::ResponseHeaders(_) | On::ResponseData(..) => Step::Hold,
                _ => Step::Go,
            })
        });
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, true);
        assert_eq!(stream.response_headers([(":status", "200")], false), Delivery::Continued);
        assert_eq!(stream.response_data("ab", false), Delivery::Paused);
        assert_eq!(stream.forwarded_response().body, b"");
        assert_eq!(stream.response_data("cd", true), Delivery::Continued);
        assert_eq!(stream.forwarded_response().body, b"whole");
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_request_of_which_only_headers_come_is_refused_until_some_body_has_come() {
    with_filter(|envoy, root| {
        script(|on| Ok(if matches!(on, On::RequestBody(..)) { Step::Go } else { Step::Hold }));
        let stalled = envoy.stream(root);
        stalled.request_headers(REQUEST, false);
        envoy.advance(std::time::Duration::from_secs(9));
        assert!(stalled.reply().is_none());
        envoy.advance(std::time::Duration::from_secs(2));
        assert_eq!(stalled.reply().expect("a reply").status, 408);
        assert_eq!(stalled.forwarded_request(), Forwarded::default());

        let slow = envoy.stream(root);
        slow.request_headers(REQUEST, false);
        slow.request_data("a", false);
        envoy.advance(std::time::Duration::from_secs(60));
        assert_eq!(slow.request_data("b", true), Delivery::Continued);

        let later = envoy.stream(root);
        later.request_headers(REQUEST, false);
        envoy.advance(std::time::Duration::from_secs(60));
        assert_eq!(later.request_data("b", true), Delivery::Continued, "a plugin that can hold headers waits");
    });
}

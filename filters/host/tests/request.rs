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

//! What the loop promises about responses: what is held is drained into the role, and nothing goes on by itself.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::expect_used, reason = "tests")]

mod scripted;

use fake_envoy::{Delivery, Forwarded};
use scripted::{HostError, On, REQUEST, RESPONSE, Result, Script, Step, play, reply, script, seen, with_filter};
use std::time::Duration;

/// Lets requests go; responses are decided by `decide`.
fn responding(decide: impl Fn(&On<'_>) -> Result<Step> + 'static) -> Script {
    script(move |on| if matches!(on, On::RequestHeaders) { Ok(Step::Go) } else { decide(on) })
}

fn edit(first: usize, with: &str) -> Step {
    Step::Edit { first, with: with.as_bytes().to_vec() }
}

#[test]
fn a_held_response_is_drained_into_the_role_and_goes_on_as_the_role_says() {
    with_filter(|envoy, root| {
        envoy.buffer_limit(4); // less than the whole response
        responding(|on| {
            Ok(match on {
                On::ResponseData(data, true) => edit(data.len(), "whole"),
                _ => Step::Hold,
            })
        });
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, true);
        assert_eq!(stream.response_headers(RESPONSE, false), Delivery::Paused);
        assert_eq!(stream.response_data("abcd", false), Delivery::Paused);
        assert_eq!(stream.response_data("efg", false), Delivery::Paused);
        assert_eq!(stream.forwarded_response(), Forwarded::default());
        assert_eq!(stream.response_data("h", true), Delivery::Continued);
        let got = stream.forwarded_response();
        assert_eq!((got.body, got.ended), (b"whole".to_vec(), true));
        assert_eq!(
            seen()[1..],
            [
                "response headers false",
                r#"response data "abcd" false"#,
                r#"response data "efg" false"#,
                r#"response data "h" true"#,
            ],
            "each byte is given once"
        );
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn a_response_ends_in_headers_data_or_trailers_and_the_role_always_hears_it() {
    with_filter(|envoy, root| {
        responding(|on| Ok(if matches!(on, On::ResponseData(_, true)) { Step::Go } else { Step::Hold }));
        let bodiless = envoy.stream(root);
        bodiless.request_headers(REQUEST, true);
        assert_eq!(bodiless.response_headers(RESPONSE, true), Delivery::Continued);
        assert_eq!(seen()[1..], ["response headers true", r#"response data "" true"#]);

        responding(|on| Ok(if matches!(on, On::ResponseData(_, true)) { edit(0, "held") } else { Step::Hold }));
        let trailers = envoy.stream(root);
        trailers.request_headers(REQUEST, true);
        trailers.response_headers(RESPONSE, false);
        trailers.response_data("ab", false);
        assert_eq!(trailers.response_trailers([("a", "b")]), Delivery::Continued);
        assert_eq!(trailers.forwarded_response().body, b"held");
        assert_eq!(seen().last().map(String::as_str), Some(r#"response data "" true"#));
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn what_is_not_read_passes_untouched() {
    with_filter(|envoy, root| {
        let script = responding(|_| Ok(Step::Go));
        play(&Script { reads: false, ..script });
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, true);
        assert_eq!(stream.response_headers(RESPONSE, false), Delivery::Continued);
        stream.response_data("ab", false);
        stream.response_trailers([("a", "b")]);
        assert_eq!((stream.forwarded_response().body, stream.forwarded_response().ended), (b"ab".to_vec(), true));
        assert_eq!(seen(), ["request headers", "response headers false"]);
    });
}

#[test]
fn a_response_on_its_way_is_edited_piece_by_piece() {
    with_filter(|envoy, root| {
        responding(|on| {
            Ok(match on {
                On::ResponseData(b"drop", _) => edit(4, ""),
                On::ResponseData(data, _) if data.starts_with(b"x") => edit(data.len(), "+"),
                _ => Step::Go,
            })
        });
        let stream = envoy.stream(root);
        stream.request_headers(REQUEST, true);
        stream.response_headers(RESPONSE, false);
        for (piece, so_far) in [("ab", "ab"), ("xyz", "ab+"), ("drop", "ab+"), ("c", "ab+c")] {
            assert_eq!(stream.response_data(piece, false), Delivery::Continued);
            assert_eq!(String::from_utf8_lossy(&stream.forwarded_response().body), so_far, "at once");
        }
        assert_eq!(stream.response_trailers([("a", "b")]), Delivery::Continued);
        assert!(stream.forwarded_response().ended && !stream.was_reset());
        assert_eq!(envoy.violations(), []);
    });
}

#[test]
fn what_would_be_missing_from_a_body_that_has_gone_on_breaks_the_response_off() {
    for (last, broken) in [("tail", true), ("", false)] {
        with_filter(|envoy, root| {
            responding(move |on| Ok(if matches!(on, On::ResponseData(_, true)) { edit(0, last) } else { Step::Go }));
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, true);
            stream.response_headers(RESPONSE, false);
            stream.response_data("ab", false);
            stream.response_trailers([("a", "b")]);
            assert_eq!(stream.was_reset(), broken, "a response that looks whole and is not");
            assert_eq!(stream.forwarded_response().ended, !broken);
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn a_response_without_a_decision_at_its_end_is_a_fault() {
    for way in 0..3 {
        with_filter(|envoy, root| {
            responding(|_| Ok(Step::Hold));
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, true);
            stream.response_headers(RESPONSE, way == 0);
            match way {
                0 => {}
                1 => drop(stream.response_data("secret", true)),
                _ => drop(stream.response_trailers([("a", "b")])),
            }
            let reply = stream.reply().expect("a refusal");
            assert_eq!((reply.status, reply.details.as_str()), (500, "tollgate_undecided"));
            assert!(!reply.body.windows(6).any(|part| part == b"secret"));
            assert!(envoy.logs().iter().any(|log| log.message == "tollgate: undecided at the end of a response"));
        });
    }
}

#[test]
fn an_answer_of_our_own_takes_the_place_of_what_is_held() {
    for at_headers in [true, false] {
        with_filter(|envoy, root| {
            responding(move |on| {
                Ok(if matches!(on, On::ResponseHeaders(_)) == at_headers { reply() } else { Step::Hold })
            });
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, true);
            stream.response_headers(RESPONSE, false);
            stream.response_data("theirs", false);
            let reply = stream.reply().expect("an answer");
            assert_eq!((reply.status, reply.body), (403, b"{}".to_vec()));
            assert_eq!(stream.forwarded_response().headers, None);
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn a_host_call_that_fails_refuses_a_held_response_and_breaks_off_one_on_its_way() {
    for held in [true, false] {
        with_filter(|envoy, root| {
            responding(move |on| match on {
                On::ResponseData(..) => Err(HostError::BadArgument),
                _ if held => Ok(Step::Hold),
                _ => Ok(Step::Go),
            });
            let stream = envoy.stream(root);
            stream.request_headers(REQUEST, true);
            stream.response_headers(RESPONSE, false);
            stream.response_data("ab", false);
            assert_eq!(stream.was_reset(), !held);
            let refused = stream.reply().map(|reply| reply.details);
            assert_eq!(refused, held.then(|| "tollgate_host_call_failed".to_owned()));
            let why = "tollgate: response refused, a host call failed: not possible in this phase, or a bad argument";
            assert!(envoy.logs().iter().any(|log| log.message == why));
            assert_eq!(envoy.violations(), []);
        });
    }
}

#[test]
fn an_answer_of_another_filters_to_a_request_we_never_saw_is_only_logged() {
    with_filter(|envoy, root| {
        responding(|_| Ok(Step::Hold));
        let stream = envoy.stream(root);
        stream.response_headers([(":status", "401")], true);
        stream.finish();
        assert_eq!(seen(), ["log", "done"]);
        assert!(stream.forwarded_response().ended);
    });
}

#[test]
fn a_client_may_go_away_at_any_time() {
    for parts in 0..5 {
        with_filter(|envoy, root| {
            responding(|_| Ok(Step::Hold));
            let stream = envoy.stream(root);
            for part in 0..parts {
                match part {
                    0 => drop(stream.request_headers(REQUEST, false)),
                    1 => drop(stream.request_data("ab", true)),
                    2 => drop(stream.response_headers(RESPONSE, false)),
                    _ => drop(stream.response_data("ab", false)),
                }
            }
            stream.finish();
            let seen = seen();
            assert_eq!(&seen[seen.len() - 2..], ["log", "done"]);
            envoy.advance(Duration::from_secs(1));
            assert_eq!(envoy.violations(), []);
        });
    }
}

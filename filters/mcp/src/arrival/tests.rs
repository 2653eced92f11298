use super::{is_stripped, server, transport};
use crate::example::{gate, headers};
use crate::exchange::Transport;
use crate::refusal::Refusal;
use serde_json::json;
use tollgate_kernel::mcp::Reason;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_path_and_an_authority_lead_to_one_server_or_to_none() {
    let gate = gate(&json!({}));
    for (path, authority, expected) in [
        ("/crm/mcp", "any.example", Ok("crm")),
        ("/crm/mcp?x=/mcp", "any.example", Ok("crm")),
        ("/mcp", "reports.example:8443", Ok("reports")),
        ("/mcp", "other.example", Err(Refusal::UnknownPath)),
        ("/CRM/mcp", "any.example", Err(Refusal::UnknownPath)),
        ("/crm/mcp/", "any.example", Err(Refusal::UnknownPath)),
        ("/crm/%6dcp", "any.example", Err(Refusal::UnknownPath)),
        ("/crm/mcp;a", "any.example", Err(Refusal::UnknownPath)),
        ("/crm/sse", "any.example", Err(Refusal::OldTransport)),
        ("/messages/?sessionId=1", "any.example", Err(Refusal::OldTransport)),
        ("", "", Err(Refusal::UnknownPath)),
    ] {
        let found = server(&gate.servers, &headers(&[(":path", path), (":authority", authority)]));
        assert_eq!(found.as_ref().map(|server| server.name.as_str()), expected.as_ref().copied(), "{authority}{path}");
    }
}

#[test]
fn only_what_can_be_read_is_taken() {
    let json = ("content-type", "application/json");
    let post = (":method", "POST");
    for (pairs, expected) in [
        (&[post, json][..], Ok(Transport::Post)),
        (&[post, ("content-type", "Application/JSON; charset=\"UTF-8\"")], Ok(Transport::Post)),
        (&[post, ("content-type", "application/json;")], Ok(Transport::Post)),
        (&[post, json, ("content-encoding", "identity")], Ok(Transport::Post)),
        (&[post], Err(Refusal::ContentType)),
        (&[post, json, json], Err(Refusal::ContentType)),
        (&[post, ("content-type", "application/json, text/plain")], Err(Refusal::ContentType)),
        (&[post, ("content-type", "application/json; charset=utf-16")], Err(Refusal::ContentType)),
        (&[post, ("content-type", "application/json; boundary=x")], Err(Refusal::ContentType)),
        (&[post, ("content-type", "application/json-seq")], Err(Refusal::ContentType)),
        (&[post, ("content-type", "text/plain")], Err(Refusal::ContentType)),
        (&[post, json, ("content-encoding", "gzip")], Err(Refusal::ContentEncoding)),
        (&[post, json, ("content-encoding", "identity"), ("content-encoding", "br")], Err(Refusal::ContentEncoding)),
        (&[post, json, ("content-encoding", "")], Err(Refusal::ContentEncoding)),
        (&[(":method", "PUT"), json], Err(Refusal::Method)),
        (&[(":method", "post"), json], Err(Refusal::Method)),
        (&[(":method", "OPTIONS")], Err(Refusal::Method)),
        (&[json], Err(Refusal::Method)),
    ] {
        assert_eq!(transport(&headers(pairs)), expected, "{pairs:?}");
    }
}

#[test]
fn streams_and_ends_of_sessions_are_for_revisions_that_have_sessions() {
    for (method, taken) in [("GET", Transport::Listen), ("DELETE", Transport::End)] {
        for (versions, expected) in [
            (&[][..], Ok(taken)),
            (&["2025-03-26"], Ok(taken)),
            (&[" 2025-11-25 "], Ok(taken)),
            (&["2026-07-28"], Err("method_not_allowed")),
            (&["2030-01-01"], Err("unsupported_version")),
            (&["2024-11-05"], Err("unsupported_version")),
            (&["2025-11-25", "2025-11-25"], Err("repeated_header")),
        ] {
            let pairs = versions.iter().map(|version| ("mcp-protocol-version", *version));
            let pairs: Vec<_> = [(":method", method)].into_iter().chain(pairs).collect();
            let found = transport(&headers(&pairs));
            assert_eq!(
                found.as_ref().map_err(Refusal::reason),
                expected.as_ref().map_err(|reason| *reason),
                "{pairs:?}"
            );
        }
    }
    let repeated =
        transport(&headers(&[(":method", "GET"), ("mcp-protocol-version", "a"), ("mcp-protocol-version", "b")]));
    assert_eq!(repeated, Err(Refusal::Protocol(Reason::RepeatedHeader("MCP-Protocol-Version"))));
}

#[test]
fn credentials_and_what_steers_the_gateway_go_no_further() {
    for name in ["authorization", "x-api-key", "x-tollgate-subject", "x-envoy-retry-on", "accept-encoding"] {
        assert!(is_stripped(name.as_bytes()), "{name}");
    }
    for name in ["mcp-name", "mcp-session-id", "accept", "content-type", "origin", "x-request-id", "x-tollgat"] {
        assert!(!is_stripped(name.as_bytes()), "{name}");
    }
}

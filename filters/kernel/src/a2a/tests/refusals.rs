use crate::a2a::{Binding, Dialect, Error, Refused, Version};
use crate::json::Document;
use crate::json_rpc::Id;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ALL: [Dialect; 5] = [
    Dialect { binding: Binding::JsonRpc, version: Version::V1_0 },
    Dialect { binding: Binding::JsonRpc, version: Version::V0_3 },
    Dialect { binding: Binding::HttpJson, version: Version::V1_0 },
    Dialect { binding: Binding::HttpJson, version: Version::V0_3 },
    Dialect { binding: Binding::Grpc, version: Version::V1_0 },
];

fn id() -> Id<'static> {
    let document = Document::read(b"\"x\"", super::LIMITS).unwrap();
    Id::of(document.root()).unwrap().into_owned()
}

/// As official servers say that a task is not there; whatever else is to be said of it.
#[test]
fn what_belongs_to_another_is_a_task_that_is_not_there_in_every_binding() {
    let info = r#"[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"TASK_NOT_FOUND","domain":"a2a-protocol.org","metadata":{}}]"#;
    for (dialect, status, body) in [
        (
            ALL[0],
            200,
            format!(
                r#"{{"jsonrpc":"2.0","id":"x","error":{{"code":-32001,"message":"Task not found","data":{info}}}}}"#
            ),
        ),
        (ALL[1], 200, r#"{"jsonrpc":"2.0","id":"x","error":{"code":-32001,"message":"Task not found"}}"#.to_owned()),
        (
            ALL[2],
            404,
            format!(r#"{{"error":{{"code":404,"status":"NOT_FOUND","message":"Task not found","details":{info}}}}}"#),
        ),
        (ALL[3], 404, r#"{"type":"TaskNotFoundError","message":"Task not found"}"#.to_owned()),
        (ALL[4], 404, "Task not found".to_owned()),
    ] {
        let answer = Error::TaskNotFound.answer(dialect, Some(&id()), Some("it is bob's"));
        assert_eq!(String::from_utf8(answer.body.clone()).unwrap(), body);
        assert_eq!((answer.status, answer.retry_after), (status, None));
        assert_eq!(answer.grpc_status, (dialect == ALL[4]).then_some(5));
        assert_eq!(answer, Error::TaskNotFound.answer(dialect, Some(&id()), None));
    }
}

#[test]
fn the_gateway_refuses_in_the_callers_binding_with_a_stable_reason() {
    let no = |refused: Refused, at: usize| {
        let answer = refused.answer(ALL[at], Some(&id()), "identity_mismatch", "no \"way\"");
        (answer.status, String::from_utf8(answer.body.clone()).unwrap(), answer)
    };
    let info = r#"[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"IDENTITY_MISMATCH","domain":"tollgate","metadata":{}}]"#;
    let retry = r#",{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]"#;
    let limited = info.replace(']', retry);
    for (refused, at, status, body) in [
        (Refused::Denied, 0, 403, format!(r#"{{"jsonrpc":"2.0","id":"x","error":{{"code":-31001,"message":"no \"way\"","data":{info}}}}}"#)),
        (Refused::Denied, 1, 403, r#"{"jsonrpc":"2.0","id":"x","error":{"code":-31001,"message":"no \"way\"","data":{"reason":"identity_mismatch"}}}"#.to_owned()),
        (Refused::Denied, 2, 403, format!(r#"{{"error":{{"code":403,"status":"PERMISSION_DENIED","message":"no \"way\"","details":{info}}}}}"#)),
        (Refused::Denied, 3, 403, r#"{"type":"PermissionDeniedError","message":"no \"way\"","reason":"identity_mismatch"}"#.to_owned()),
        (Refused::Denied, 4, 403, r#"no "way""#.to_owned()),
        (Refused::Limited(Some(7)), 2, 429, format!(r#"{{"error":{{"code":429,"status":"RESOURCE_EXHAUSTED","message":"no \"way\"","details":{limited}}}}}"#)),
        (Refused::Unauthenticated, 2, 401, format!(r#"{{"error":{{"code":401,"status":"UNAUTHENTICATED","message":"no \"way\"","details":{info}}}}}"#)),
        (Refused::TooLarge, 3, 413, r#"{"type":"RequestTooLargeError","message":"no \"way\"","reason":"identity_mismatch"}"#.to_owned()),
    ] {
        let (told, text, answer) = no(refused, at);
        assert_eq!((told, text), (status, body), "{refused:?}");
        assert_eq!(answer.retry_after, if let Refused::Limited(seconds) = refused { seconds } else { None });
        let grpc = (at == 4).then_some(("application/grpc", Some(7)));
        assert_eq!((answer.content_type, answer.grpc_status), grpc.unwrap_or(("application/json", None)));
    }
}

#[test]
fn every_error_is_known_by_its_names() {
    for error in Error::ALL {
        // Both are called INVALID_REQUEST over HTTP.
        let known = Error::of_name(error.reason());
        assert_eq!(known, Some(if error == Error::Parse { Error::InvalidRequest } else { error }));
        for dialect in ALL {
            let answer = error.answer(dialect, None, Some("because"));
            assert!(
                dialect.binding == Binding::Grpc || serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok()
            );
            assert_eq!(answer.status == 200, dialect.binding == Binding::JsonRpc);
        }
    }
    assert_eq!(Error::of_name("TaskNotFoundError"), Some(Error::TaskNotFound));
    assert_eq!(Error::of_name("IDENTITY_MISMATCH"), None);
}

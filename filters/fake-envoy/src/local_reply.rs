//! Replies that do not come from the next hop: the filter's own, and Envoy's when a buffer overflows.

use crate::headers::Headers;
use crate::phase::Side;

/// What the client got instead of an answer from upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status, as the client sees it.
    pub status: u32,
    /// All headers, `:status` among them.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// What the access log shows as `%RESPONSE_CODE_DETAILS%`.
    pub details: String,
}

/// A reply as it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct LocalReply {
    pub(crate) status: u32,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) details: String,
}

impl LocalReply {
    /// What Envoy answers when `side` holds more than the buffer limit.
    pub(crate) fn too_large(side: Side) -> Self {
        let (status, body, details) = match side {
            Side::Request => (413, "Payload Too Large", "request_payload_too_large"),
            Side::Response => (500, "Internal Server Error", "response_payload_too_large"),
        };
        Self { status, headers: Headers::default(), body: body.into(), details: details.to_owned() }
    }

    /// The headers that Envoy makes of it: status first, and a length and type exactly when there is a body.
    pub(crate) fn response_headers(&self) -> Headers {
        let mut headers = Headers::from([(":status", self.status.to_string())]);
        for (name, value) in self.headers.iter() {
            headers.add(name, value);
        }
        headers.remove(b"content-length");
        if self.body.is_empty() {
            headers.remove(b"content-type");
        } else {
            headers.add(b"content-length", self.body.len().to_string().as_bytes());
            if headers.get("content-type").is_none() {
                headers.add(b"content-type", b"text/plain");
            }
        }
        headers
    }

    pub(crate) fn into_reply(self) -> Reply {
        Reply { status: self.status, headers: self.response_headers(), body: self.body, details: self.details }
    }
}

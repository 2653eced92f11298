//! The callbacks of a filter.

use std::fmt;

/// The callback in which the filter is running; each variant is the callback of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    ContextCreate,
    VmStart,
    Configure,
    Tick,
    RequestHeaders,
    RequestBody,
    RequestTrailers,
    ResponseHeaders,
    ResponseBody,
    ResponseTrailers,
    GrpcReceive,
    GrpcClose,
    Log,
    Done,
    Delete,
}

impl Phase {
    /// The side of the stream that this callback decides about.
    pub(crate) fn side(self) -> Option<Side> {
        match self {
            Phase::RequestHeaders | Phase::RequestBody | Phase::RequestTrailers => Some(Side::Request),
            Phase::ResponseHeaders | Phase::ResponseBody | Phase::ResponseTrailers => Some(Side::Response),
            _ => None,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::ContextCreate => "on_context_create",
            Phase::VmStart => "on_vm_start",
            Phase::Configure => "on_configure",
            Phase::Tick => "on_tick",
            Phase::RequestHeaders => "on_request_headers",
            Phase::RequestBody => "on_request_body",
            Phase::RequestTrailers => "on_request_trailers",
            Phase::ResponseHeaders => "on_response_headers",
            Phase::ResponseBody => "on_response_body",
            Phase::ResponseTrailers => "on_response_trailers",
            Phase::GrpcReceive => "on_grpc_receive",
            Phase::GrpcClose => "on_grpc_close",
            Phase::Log => "on_log",
            Phase::Done => "on_done",
            Phase::Delete => "on_delete",
        })
    }
}

/// One of the two directions of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// One of the three parts of a message, in the order in which they arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Headers,
    Body,
    Trailers,
}

impl Side {
    pub(crate) fn phase(self, part: Part) -> Phase {
        match (self, part) {
            (Side::Request, Part::Headers) => Phase::RequestHeaders,
            (Side::Request, Part::Body) => Phase::RequestBody,
            (Side::Request, Part::Trailers) => Phase::RequestTrailers,
            (Side::Response, Part::Headers) => Phase::ResponseHeaders,
            (Side::Response, Part::Body) => Phase::ResponseBody,
            (Side::Response, Part::Trailers) => Phase::ResponseTrailers,
        }
    }
}

//! How it is told that policy refuses a request which is otherwise good.

use super::{Method, Named, Revision};
use crate::json::write_escaped;
use crate::json_rpc::{self, INVALID_PARAMS, Id, Recipient};

/// Why policy refuses. The codes lie outside those that JSON-RPC and MCP keep for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A rule denies it, or none allows it.
    Denied,
    /// A limit is reached.
    Limited,
    /// Somebody must say yes first.
    Unconfirmed,
    /// The arguments are not what the tool takes. The model can do better, so it is told in every case.
    Invalid,
}

impl Refused {
    /// The code of the error.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Denied => -31001,
            Self::Limited => -31002,
            Self::Unconfirmed => -31003,
            Self::Invalid => INVALID_PARAMS,
        }
    }

    /// The status where the configuration wants one that says it. Else it is 200; never 404, which ends a session.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Denied | Self::Unconfirmed => 403,
            Self::Limited => 429,
            Self::Invalid => 400,
        }
    }

    /// The body of the answer. Of a call of a tool it is a failed result, which every client shows to its model; of anything
    /// else an error.
    #[must_use]
    pub fn answer(self, id: &Id<'_>, method: &Named<'_>, revision: Revision, text: &str) -> Vec<u8> {
        if *method != Named::Known(Method::ToolsCall) {
            return json_rpc::error(Recipient::Of(id), self.code(), text, None);
        }
        let mut result = String::from(r#"{"content":[{"type":"text","text":""#);
        write_escaped(text, &mut |piece| result.push_str(piece));
        result.push_str(r#""}],"isError":true"#);
        if revision.is_stateless() {
            result.push_str(r#","resultType":"complete""#);
        }
        result.push('}');
        json_rpc::result(id, &result)
    }
}

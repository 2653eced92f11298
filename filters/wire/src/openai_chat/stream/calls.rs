//! Pieces of tool calls, put together.

use crate::conversation::ToolCall;
use crate::error::Malformed;
use crate::fields::Fields;
use crate::openai_chat::answer::{arguments, custom_input};
use crate::openai_chat::reasoning::{Side, read_extra};
use crate::openai_chat::stream::read::unreadable;
use crate::stream::Delta;

/// No answer calls this many tools; a stream that goes on opening calls is broken or hostile.
const MAX_TOOL_CALLS: usize = 1024;

/// Ids of calls are kept until their stream ends; none is this long.
const MAX_NAME_BYTES: usize = 1024;

/// The tool calls that have begun, by order of appearance.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

/// What the further pieces of a call are told by.
#[derive(Debug)]
struct Call {
    index: Option<u64>,
    /// As the provider gave it, empty when it gave none.
    id: String,
}

impl Calls {
    pub(super) const fn any(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn read(&mut self, piece: &Fields<'_>, out: &mut Vec<Delta>) -> Result<(), Malformed> {
        if let Some(bytes) = custom_input(piece) {
            out.push(Delta::Untranslated { bytes });
            return Ok(());
        }
        let index = piece.count("index").map_err(unreadable)?;
        let id = piece.text("id").map_err(unreadable)?.unwrap_or_default();
        let function = piece.object("function").map_err(unreadable)?.unwrap_or_default();
        let name = function.text("name").map_err(unreadable)?.unwrap_or_default();
        let position = match self.find(index, &id, &name) {
            Some(position) => position,
            None => {
                out.extend(read_extra(piece, Side::Provider).map(Delta::Seal));
                self.open(Call { index, id }, name, out)?
            }
        };
        let json = arguments(&function);
        if !json.is_empty() {
            out.push(Delta::ToolArguments { index: u32::try_from(position).unwrap_or(u32::MAX), json });
        }
        Ok(())
    }

    /// The call that a piece continues, `None` when it begins one. OpenAI sends the index with every piece and the id
    /// with the first. Others leave the index out, repeat the id in every piece, or give every call index 0 and an
    /// id of its own.
    fn find(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        let same_call = |call: &Call| match index {
            Some(_) if call.index != index => false,
            Some(_) => id.is_empty() || call.id.is_empty() || call.id == id,
            None if id.is_empty() => name.is_empty(),
            None => call.id == id,
        };
        self.0.iter().rposition(same_call)
    }

    fn open(&mut self, call: Call, name: String, out: &mut Vec<Delta>) -> Result<usize, Malformed> {
        let position = self.0.len();
        if name.is_empty() {
            return Err(Malformed::Unreadable("a piece of a tool call belongs to no call".to_owned()));
        }
        if call.id.len().max(name.len()) > MAX_NAME_BYTES {
            return Err(Malformed::Unreadable(format!("an id or name of more than {MAX_NAME_BYTES} bytes")));
        }
        if position >= MAX_TOOL_CALLS {
            return Err(Malformed::Unreadable(format!("more than {MAX_TOOL_CALLS} tool calls in one answer")));
        }
        let id = if call.id.is_empty() { ToolCall::made_up_id(position) } else { call.id.clone() };
        self.0.push(call);
        out.push(Delta::ToolCall { index: u32::try_from(position).unwrap_or(u32::MAX), id, name });
        Ok(position)
    }
}

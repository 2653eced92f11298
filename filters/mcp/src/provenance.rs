//! From which prompt a call comes: what the AI gateway of this Envoy has noted of it.

use crate::config::{Gate, Server};
use crate::decision;
use crate::exchange::{Asked, Decided, Exchange, Object};
use crate::refusal::Refusal;
use tollgate_kernel::caller::Caller;
use tollgate_kernel::mcp::Refused;
use tollgate_kernel::provenance::{Asker, Call, Note};
use tollgate_kernel::rule::Reason;

/// What is on note of a call of a tool that `owner` has. Nothing is where no rule wants to know, and where the notes cannot be
/// read: what wants a prompt is refused then.
#[must_use]
pub fn noted(gate: &Gate, server: &Server, owner: &str, asked: &Asked, caller: &Caller, now_ms: u64) -> Vec<Note> {
    let Some(Object::Tool(name)) = asked.object.as_ref().filter(|_| gate.asks_for_prompts && asked.is_call()) else {
        return Vec::new();
    };
    let Some((asker, tool)) = Asker::of(&caller.subject).zip(name.strip_prefix(owner)) else { return Vec::new() };
    let tool = tool.strip_prefix('.').unwrap_or(tool);
    let calls: Vec<Call> = server.config.called_by_models.of(owner, tool, |name| asker.call(name, asked.arguments));
    tollgate_provenance::of_calls(&asker, &calls, now_ms).unwrap_or_default()
}

/// Takes the note that lets a call through, alone of all workers, if its rule wants one. To be done last of all that decides: it
/// cannot be undone.
///
/// # Errors
/// When another call was faster, or it is too late.
pub fn take(exchange: &mut Exchange, now_ms: u64) -> Result<(), Refusal> {
    let Some(decided) = exchange.decided.as_ref().filter(|decided| !decided.noted.is_empty()) else { return Ok(()) };
    let taken = decided.noted.iter().find(|note| tollgate_provenance::take(note, now_ms) == Ok(true));
    let Some(note) = taken else {
        let refused = Decided { reason: Reason::NoPrompt.name(), ..decided.clone() };
        return Err(decision::refusal(&refused, Refused::Denied, None));
    };
    exchange.prompt = Some(note.prompt.clone());
    Ok(())
}

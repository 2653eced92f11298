//! Tasks, as all workers of this Envoy see them: each is of who began it. See [`tollgate_kernel::mcp::task`].

use crate::exchange::Exchange;
use tollgate_host::abi;
use tollgate_host::shared_data;
use tollgate_kernel::mcp::session::Owner;
use tollgate_kernel::mcp::task::{Begun, EXTENSION, SLOTS, Slot, key};
use tollgate_kernel::mcp::{Call, Method, Named, Revision};
use tollgate_kernel::owned::{Kept, NotNoted, Note};

fn name(slot: u16) -> String {
    format!("tollgate.mcp.tasks.1.{slot}")
}

/// Makes the slots, if nobody has yet.
///
/// # Errors
/// When the host refuses.
pub(crate) fn prepare() -> abi::Result<()> {
    shared_data::prepare((0..SLOTS).map(name), &Slot::default().write())
}

/// Whether a call may be answered by a task: its client has said that it can wait for one.
pub(crate) fn may_begin(call: &Call<'_, '_>, revision: Revision) -> bool {
    if call.method != Named::Known(Method::ToolsCall) {
        return false;
    }
    if revision.is_stateless() {
        let extensions = call.capabilities.and_then(|capabilities| capabilities.get("extensions"));
        extensions.is_some_and(|extensions| extensions.get(EXTENSION).is_some())
    } else {
        revision == Revision::November2025 && call.params.is_some_and(|params| params.get("task").is_some())
    }
}

/// Whether all of these tasks are the caller's.
pub(crate) fn are_owned(exchange: &Exchange, ids: &[impl AsRef<str>], now_s: u64) -> bool {
    let Some((server, caller)) = exchange.server.as_ref().zip(exchange.caller.as_ref()) else { return false };
    let server = server.name.as_str();
    let owner = Owner { server, subject: &caller.subject }.id();
    ids.iter().all(|id| {
        let task = key(server, id.as_ref());
        let known = shared_data::read(&name(task.slot(SLOTS))).ok();
        let note = known.and_then(|bytes| Slot::read(&bytes)?.find(task, now_s));
        note.is_some_and(|note| note.owner == owner)
    })
}

/// Notes whose a task is that begins.
///
/// # Errors
/// Why it cannot be.
pub(crate) fn note(owner: &Owner<'_>, begun: &Begun<'_>, now_s: u64) -> Result<(), NotNoted> {
    let task = key(owner.server, &begun.id);
    let note = Note { owner: owner.id(), more: [] };
    let noted = shared_data::change(&name(task.slot(SLOTS)), |bytes| {
        let mut slot = Slot::read(bytes)?;
        let noted = slot.note(task, note, Kept::AtLeast(begun.kept_s), now_s);
        Some((if noted.is_ok() { slot.write() } else { bytes.to_vec() }, noted))
    });
    noted.unwrap_or(Err(NotNoted::Full))
}

//! Where notes are kept of which prompt made a model ask for which call: in slots of shared data, which all workers see, and all
//! filters of this Envoy with the same `vm_id`. Each is changed by compare-and-swap.

use tollgate_host::abi;
use tollgate_host::shared_data::{self, Unavailable};
use tollgate_kernel::provenance::{Asker, Call, Note, Notes, SLOTS, slot};

#[cfg(all(test, not(target_arch = "wasm32")))]
use fake_envoy as _; // what the host's ABI is linked to

fn name(asker: &Asker) -> String {
    name_of(slot(asker))
}

/// The number is that of how slots are written: another one begins with others.
fn name_of(slot: u8) -> String {
    format!("tollgate.provenance.1.{slot}")
}

/// Makes the slots, if no filter has yet.
///
/// # Errors
/// When the host refuses.
pub fn prepare() -> abi::Result<()> {
    shared_data::prepare((0..SLOTS).map(name_of), &Notes::default().write())
}

/// Notes a call.
///
/// # Errors
/// When the host refuses. The call is not on note then, and will be refused.
pub fn note(note: &Note, now_ms: u64) -> Result<(), Unavailable> {
    change(note.call.asker(), |notes| notes.add(note.clone(), now_ms))
}

/// What is on note of these calls, which are one asker's.
///
/// # Errors
/// When the host refuses.
pub fn of_calls(asker: &Asker, calls: &[Call], now_ms: u64) -> Result<Vec<Note>, Unavailable> {
    let notes = Notes::read(&shared_data::read(&name(asker))?).ok_or(Unavailable)?;
    Ok(notes.of_calls(calls, now_ms).cloned().collect())
}

/// Takes a note, alone of all workers; whether it was still there.
///
/// # Errors
/// When the host refuses. It is not taken then.
pub fn take(note: &Note, now_ms: u64) -> Result<bool, Unavailable> {
    change(note.call.asker(), |notes| notes.take(&note.call, note.prompt.as_str(), now_ms))
}

fn change<T>(asker: &Asker, change: impl Fn(&mut Notes) -> T) -> Result<T, Unavailable> {
    shared_data::change(&name(asker), |bytes| {
        let mut notes = Notes::read(bytes)?;
        let result = change(&mut notes);
        Some((notes.write(), result))
    })
}

//! Conversations, as all workers of this Envoy see them: each is of who opened it. See [`tollgate_kernel::a2a::conversation`].

use crate::config::{Agent, Gate};
use crate::refusal::Refusal;
use tollgate_host::{abi, shared_data};
use tollgate_kernel::a2a::Call;
use tollgate_kernel::a2a::conversation::{self, Guard, Mode, Note, Party, SLOTS, Slot, Table};
use tollgate_kernel::caller::Caller;
use tollgate_kernel::owned::{Kept, Key, NotNoted};

/// The notes of whose tasks and contexts are, as they are at a time.
#[derive(Debug)]
pub struct Notes {
    now_s: u64,
}

/// Makes the slots, if any agent needs them and nobody has made them yet.
///
/// # Errors
/// When the host refuses.
pub(crate) fn prepare(gate: &Gate) -> abi::Result<()> {
    let is_needed = gate.agents.iter().any(|agent| agent.config.conversations != Mode::Off);
    if is_needed { shared_data::prepare((0..SLOTS).map(name), &Slot::default().write()) } else { Ok(()) }
}

/// Whether a request stays within what is its caller's, and who judges its answer.
///
/// # Errors
/// When it does not.
pub(crate) fn admit(
    gate: &Gate,
    callee: &Agent,
    caller: &Caller,
    call: &Call<'_, '_>,
    random: [u8; 16],
) -> Result<Guard, Refusal> {
    let party = Party::of(callee.config.conversations, callee.name.as_str(), call.tenant.as_deref(), &caller.subject);
    let guard = party.admit(call, &gate.signing, &Notes::now(), random).map_err(Refusal::Conversation)?;
    // Where the head of an answer cannot wait for what is in it, it would tell what is there.
    if guard.hides() && !gate.hold_headers {
        return Err(Refusal::Conversation(conversation::Refusal::NotThere));
    }
    Ok(guard)
}

impl Notes {
    /// As they are now.
    #[must_use]
    pub fn now() -> Self {
        Self { now_s: abi::now().div_euclid(1_000_000_000) }
    }
}

impl Table for Notes {
    fn find(&self, key: Key) -> Option<Note> {
        Slot::read(&shared_data::read(&name(key.slot(SLOTS))).ok()?)?.find(key, self.now_s)
    }

    fn note(&mut self, key: Key, note: Note, kept: Kept) -> Result<(), NotNoted> {
        let noted = shared_data::change(&name(key.slot(SLOTS)), |bytes| {
            let mut slot = Slot::read(bytes)?;
            let noted = slot.note(key, note, kept, self.now_s);
            Some((if noted.is_ok() { slot.write() } else { bytes.to_vec() }, noted))
        });
        noted.unwrap_or(Err(NotNoted::Full))
    }
}

fn name(slot: u16) -> String {
    format!("tollgate.agent.conversations.1.{slot}")
}

//! Where approvals are kept: in slots that all workers of this Envoy share, each changed by compare-and-swap.

use tollgate_host::abi;
use tollgate_host::shared_data::{self, Unavailable};
use tollgate_kernel::approval::pending::{self, Slot};
use tollgate_kernel::approval::used::{self, Used};

/// The number is that of how slots are written: another one begins with others.
const SLOT: &str = "tollgate.approvals.1";

/// Where pending calls are.
pub trait Store {
    /// What a slot holds.
    ///
    /// # Errors
    /// When the host refuses.
    fn read(&self, slot: u8) -> Result<Slot, Unavailable>;

    /// Changes a slot, alone of all workers. `change` may be called several times, and only the last call counts.
    ///
    /// # Errors
    /// When the host refuses. Nothing is changed then.
    fn change<T>(&self, slot: u8, change: impl FnMut(&mut Slot) -> T) -> Result<T, Unavailable>;
}

/// The store of this Envoy.
#[derive(Debug, Clone, Copy)]
pub struct Shared;

fn calls(slot: u8) -> String {
    format!("{SLOT}.calls.{slot}")
}

fn states(slot: u8) -> String {
    format!("{SLOT}.states.{slot}")
}

/// Makes the slots, if nobody has yet.
///
/// # Errors
/// When the host refuses.
pub fn prepare() -> abi::Result<()> {
    shared_data::prepare((0..pending::SLOTS).map(calls), &Slot::default().write())?;
    shared_data::prepare((0..used::SLOTS).map(states), &Used::default().write())
}

impl Store for Shared {
    fn read(&self, slot: u8) -> Result<Slot, Unavailable> {
        Slot::read(&shared_data::read(&calls(slot))?).ok_or(Unavailable)
    }

    fn change<T>(&self, slot: u8, mut change: impl FnMut(&mut Slot) -> T) -> Result<T, Unavailable> {
        shared_data::change(&calls(slot), |bytes| {
            let mut slot = Slot::read(bytes)?;
            let result = change(&mut slot);
            Some((slot.write(), result))
        })
    }
}

/// Uses a state of a client's, alone of all workers.
///
/// # Errors
/// When the host refuses.
pub fn use_state<T>(slot: u8, change: impl Fn(&mut Used) -> T) -> Result<T, Unavailable> {
    shared_data::change(&states(slot), |bytes| {
        let mut used = Used::read(bytes)?;
        let result = change(&mut used);
        Some((used.write(), result))
    })
}

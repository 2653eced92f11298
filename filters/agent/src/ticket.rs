//! Call tickets at the gate: what was presented, and what the agent that is called gets. See [`tollgate_kernel::ticket`].

use crate::arrival;
use crate::config::{Agent, Gate};
use crate::refusal::Refusal;
use tollgate_host::abi::{self, Map};
use tollgate_host::headers::Headers;
use tollgate_host::shared_data;
use tollgate_kernel::headers as kernel;
use tollgate_kernel::json::Writer;
use tollgate_kernel::subject::{Label, Subject};
use tollgate_kernel::ticket::calls::{SLOTS, Slot};
use tollgate_kernel::ticket::trace::{Arrived, Onward, PARENT, STATE};
use tollgate_kernel::ticket::{Edge, HEADER, Name, Refusal as Why, Ticket, Transaction};

/// A call in its transaction.
#[derive(Debug)]
pub struct Hop {
    /// What the request brought with it.
    arrived: Arrived,
    /// What the presented ticket is, in records.
    presented: &'static str,
    /// What the callee gets.
    ticket: Ticket,
    /// It is not the first call of its transaction.
    follows: bool,
    /// The caller could have a valid ticket and has none.
    lacks: bool,
    /// Why it would be refused, if that were configured.
    warning: Option<&'static str>,
    /// Who has called whom so far.
    callers: Vec<String>,
    /// The tier that the transaction began with, where that is another than the caller's.
    root_tier: Option<String>,
}

fn name(slot: u16) -> String {
    format!("tollgate.agent.calls.1.{slot}")
}

/// Makes the slots, if nobody has yet.
///
/// # Errors
/// When the host refuses.
pub(crate) fn prepare() -> abi::Result<()> {
    shared_data::prepare((0..SLOTS).map(name), &Slot::default().write())
}

/// Removes from `tracestate` what a caller presents where no callee gets one.
///
/// # Errors
/// When the host refuses.
pub(crate) fn remove(headers: &Headers) -> abi::Result<()> {
    let arrived = Arrived::of(kernel::Headers(&arrival::all(headers)));
    if arrived.ticket().is_some() { set_state(&arrived.without()) } else { Ok(()) }
}

impl Hop {
    /// Which call of which transaction a request is.
    ///
    /// # Errors
    /// When the host has no random bytes.
    pub(crate) fn find(
        gate: &Gate,
        headers: &Headers,
        caller: &Subject,
        callee: &Agent,
        now_s: u64,
    ) -> abi::Result<Self> {
        let arrived = Arrived::of(kernel::Headers(&arrival::all(headers)));
        let verified = arrived.ticket().map(|text| Ticket::verify(&gate.signing, text, caller, now_s));
        let presented = match &verified {
            None => "none",
            Some(Ok(_)) => "valid",
            Some(Err(why)) => why.name(),
        };
        let above = verified.and_then(Result::ok);
        let new = if above.is_some() { [0; 16] } else { abi::random()? };
        let edge = Edge { caller, callee: callee.as_caller().as_str() };
        let ticket = Ticket::of_call(above.as_ref(), edge, Transaction(new), gate.ticket.expires_s(now_s));
        let is_registered = |agent: &Label| gate.agents.iter().any(|other| other.as_caller() == agent);
        let tier = Name::of_tier(caller.tier.as_ref().map(Label::as_str));
        Ok(Self {
            arrived,
            presented,
            follows: above.is_some(),
            lacks: above.is_none() && caller.agent.as_ref().is_some_and(is_registered),
            warning: None,
            callers: callers(gate, caller, &ticket),
            root_tier: (ticket.tier != tier).then(|| gate.tier_names.tell(ticket.tier).into_owned()),
            ticket,
        })
    }

    /// Whether it may be made. It is counted then.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(&mut self, gate: &Gate, now_s: u64) -> Result<(), Refusal> {
        let warns = if self.lacks { gate.ticket.check_none() } else { Ok(false) };
        self.warning = warns.map_err(refusal)?.then_some(Why::Required.reason());
        gate.ticket.check(&self.ticket).map_err(refusal)?;
        if self.follows { self.count(gate, now_s).map_err(refusal) } else { Ok(()) }
    }

    fn count(&self, gate: &Gate, now_s: u64) -> Result<(), Why> {
        let Ticket { transaction, expires_s, .. } = self.ticket;
        let counted = shared_data::change(&name(transaction.slot().into()), |bytes| {
            let mut slot = Slot::read(bytes)?;
            let counted = slot.count(transaction, gate.ticket.max_fan_out(), expires_s, now_s);
            Some((if counted.is_ok() { slot.write() } else { bytes.to_vec() }, counted))
        });
        counted.map_err(|_| Why::NoRoom)?.map_err(Why::from)
    }

    /// Gives the callee its ticket.
    ///
    /// # Errors
    /// When the host refuses, or has no random bytes.
    pub(crate) fn carry(&self, gate: &Gate) -> abi::Result<()> {
        if gate.ticket.check(&self.ticket).is_err() {
            // Where headers do not wait for what is decided.
            return set_state(&self.arrived.without());
        }
        let text = self.ticket.write(&gate.signing);
        let Onward { parent, state } = self.arrived.with(&self.ticket, &text, abi::random()?);
        abi::set_header(Map::Request, HEADER, text.as_bytes())?;
        set_state(&state)?;
        let Some(parent) = parent else { return Ok(()) };
        abi::remove_header(Map::Request, PARENT.as_bytes())?;
        abi::set_header(Map::Request, PARENT, parent.as_bytes())
    }

    /// Its part of the record.
    pub(crate) fn write(&self, json: &mut Writer<'_>) {
        json.key("transaction").text(&self.ticket.transaction.to_string());
        json.key("hop").number(u64::try_from(self.ticket.depth()).unwrap_or(u64::MAX));
        json.key("callers").open_list();
        self.callers.iter().for_each(|agent| json.text(agent));
        json.close_list();
        json.text_if("root_tier", self.root_tier.as_deref());
        json.key("ticket").text(self.presented);
        json.text_if("warning", self.warning);
    }
}

/// The names of who has called whom. The caller's own is known, whatever is configured.
fn callers(gate: &Gate, caller: &Subject, ticket: &Ticket) -> Vec<String> {
    let before = ticket.ancestors.split_last().map_or(&[][..], |(_, before)| before);
    let mut callers: Vec<String> = before.iter().map(|name| gate.agent_names.tell(*name).into_owned()).collect();
    callers.push(caller.agent.as_ref().map_or("?", Label::as_str).to_owned());
    callers
}

fn refusal(why: Why) -> Refusal {
    Refusal::denied(Some("ticket".to_owned()), why.reason(), Some(why.message()))
}

/// Every `tracestate` that came goes: one is enough.
fn set_state(state: &str) -> abi::Result<()> {
    abi::remove_header(Map::Request, STATE.as_bytes())?;
    if state.is_empty() { Ok(()) } else { abi::set_header(Map::Request, STATE, state.as_bytes()) }
}

//! The agent gateway.
//!
//! Follow one request: [`gate`] reads its headers ([`arrival`]), then its body, decides ([`decision`]), lets it go to the agent that
//! is called, reads what comes back ([`answer`]), and at the end writes [`counters`] and the [`record`]: one for each edge from
//! caller to callee. What is known of one exchange is an [`exchange::Exchange`]; whatever the gate says no to is a
//! [`refusal::Refusal`].

pub mod answer;
pub mod arrival;
mod card;
pub mod config;
pub mod conversation;
pub mod counters;
pub mod decision;
#[cfg(test)]
mod example;
pub mod exchange;
pub mod gate;
pub mod limits;
pub mod record;
pub mod refusal;
pub mod ticket;

use config::Gate;
#[cfg(all(test, not(target_arch = "wasm32")))]
use fake_envoy as _; // what the host's ABI is linked to
use gate::AtGate;
use std::rc::Rc;
use tollgate_host::abi;
use tollgate_host::environment;
use tollgate_host::plugin::Plugin;
use tollgate_identity::signing;

mod entry {
    //! `_initialize`, which Envoy calls first. In a module of its own because the macro writes it undocumented.
    proxy_wasm::main! {{ tollgate_host::plugin::register::<crate::Agents>(); }}
}

/// Where the key is kept that tickets and contexts are signed with where the configuration has none.
const SIGNING_KEY: &str = "tollgate.agent.signing.1";

/// The filter.
#[derive(Debug)]
pub struct Agents(Rc<Gate>);

impl Plugin for Agents {
    type Stream = AtGate;

    fn configure(config: &[u8]) -> Result<Self, String> {
        let gate = config::load(config, &environment::variable, &|| signing::shared(SIGNING_KEY))?;
        if !gate.limits.is_empty() {
            tollgate_limits::ledger::prepare().map_err(|error| format!("the counters of limits: {error}"))?;
        }
        ticket::prepare().map_err(|error| format!("the counters of transactions: {error}"))?;
        conversation::prepare(&gate).map_err(|error| format!("the notes of conversations: {error}"))?;
        gate.warnings.iter().for_each(|warning| abi::log(abi::Level::Warn, &format!("tollgate: {warning}")));
        Ok(Self(Rc::new(gate)))
    }

    fn stream(&self) -> AtGate {
        AtGate::new(Rc::clone(&self.0))
    }
}

//! The MCP gateway.
//!
//! Follow one request: [`gate`] reads its headers ([`arrival`]), then its body, decides ([`decision`]), lets it go to its server
//! as it came, reads what comes back ([`answer`]), and at the end writes [`counters`] and the [`record`]. What is known of one
//! exchange is an [`exchange::Exchange`]; whatever the gate says no to is a [`refusal::Refusal`].

pub mod answer;
pub mod approval;
pub mod arrival;
pub mod config;
pub mod counters;
pub mod decision;
#[cfg(test)]
mod example;
pub mod exchange;
pub mod gate;
pub mod limits;
mod oauth;
pub mod provenance;
pub mod record;
pub mod refusal;
pub mod runaway;
pub mod session;
mod tasks;
pub mod tools;

use config::Gate;
#[cfg(all(test, not(target_arch = "wasm32")))]
use fake_envoy as _; // what the host's ABI is linked to
use gate::AtGate;
use std::rc::Rc;
use tollgate_host::abi;
use tollgate_host::environment;
use tollgate_host::plugin::Plugin;
use tollgate_kernel::runaway::Runaway;

mod entry {
    //! `_initialize`, which Envoy calls first. In a module of its own because the macro writes it undocumented.
    proxy_wasm::main! {{ tollgate_host::plugin::register::<crate::Mcp>(); }}
}

/// Where the key is kept that sessions and approvals are signed with where the configuration has none.
const SIGNING_KEY: &str = "tollgate.mcp.signing.1";

/// The filter.
#[derive(Debug)]
pub struct Mcp(Rc<Gate>);

impl Plugin for Mcp {
    type Stream = AtGate;

    fn configure(config: &[u8]) -> Result<Self, String> {
        let gate = config::load(config, &environment::variable, &|| tollgate_identity::signing::shared(SIGNING_KEY))?;
        approval::store::prepare().map_err(|error| format!("approvals cannot be kept: {error}"))?;
        tasks::prepare().map_err(|error| format!("whose tasks are: {error}"))?;
        if !gate.limits.is_empty() {
            tollgate_limits::ledger::prepare().map_err(|error| format!("the counters of limits: {error}"))?;
        }
        if gate.runaway != Runaway::default() {
            runaway::prepare().map_err(|error| format!("the watches of runaway agents: {error}"))?;
        }
        if gate.asks_for_prompts {
            tollgate_provenance::prepare().map_err(|error| format!("the notes of prompts: {error}"))?;
        }
        gate.warnings.iter().for_each(|warning| abi::log(abi::Level::Warn, &format!("tollgate: {warning}")));
        for server in gate.servers.iter() {
            tools::prepare(&server.tools).map_err(|_| "the host refuses shared data".to_owned())?;
        }
        Ok(Self(Rc::new(gate)))
    }

    fn stream(&self) -> AtGate {
        AtGate::new(Rc::clone(&self.0))
    }
}

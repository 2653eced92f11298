//! The AI gateway.
//!
//! Follow one request: [`gate`] (downstream, once: who asks, by [`tollgate_identity`], for what, who may serve it and what of the
//! [`limits`] it may use, unless the [`cache`] has the answer) -> Envoy's router, which
//! takes the providers in that order -> [`provider`] (upstream, once per attempt: translate, hold back, relay), with
//! [`attempt`] for what is written down, [`upstream`] for what is sent, [`answer`] and [`streamed`] for what comes
//! back -> [`settle`], with [`bill`] and
//! [`calibrations`] -> [`counters`] and [`record`]. What they know together is the [`exchange`].

pub mod answer;
mod arrival;
pub mod attempt;
pub mod bill;
pub mod budget;
pub mod cache;
pub mod calibrations;
pub mod config;
pub mod counters;
#[cfg(test)]
mod example;
pub mod exchange;
mod framing;
pub mod gate;
pub mod limits;
mod models;
pub mod provider;
pub mod record;
pub mod refusal;
pub mod route;
pub mod settle;
pub mod streamed;
pub mod timing;
pub mod upstream;

use config::{Gate, ProviderConfig, Role};
#[cfg(all(test, not(target_arch = "wasm32")))]
use fake_envoy as _; // what the host's ABI is linked to
use gate::AtGate;
use provider::AtProvider;
use std::rc::Rc;
use tollgate_host::abi;
use tollgate_host::environment;
use tollgate_host::plugin::Plugin;
use tollgate_host::stream::{RequestBody, Step, Stream};

mod entry {
    //! `_initialize`, which Envoy calls first. In a module of its own because the macro writes it undocumented.
    proxy_wasm::main! {{ tollgate_host::plugin::register::<crate::Llm>(); }}
}

/// The filter, in the role its configuration gives it.
#[derive(Debug)]
pub enum Llm {
    /// Downstream.
    Gate(Rc<Gate>),
    /// Upstream.
    Provider(Rc<ProviderConfig>),
}

impl Plugin for Llm {
    type Stream = AnyRole;

    fn configure(config: &[u8]) -> Result<Self, String> {
        Ok(match config::load(config, &environment::variable)? {
            Role::Gate(gate) => {
                if gate.has_limits() {
                    tollgate_limits::ledger::prepare().map_err(|error| format!("the counters of limits: {error}"))?;
                }
                if !gate.prompts.is_empty() {
                    tollgate_provenance::prepare().map_err(|error| format!("the notes of prompts: {error}"))?;
                }
                gate.warnings.iter().for_each(|warning| abi::log(abi::Level::Warn, &format!("tollgate: {warning}")));
                Self::Gate(Rc::from(gate))
            }
            Role::Provider(provider) => Self::Provider(Rc::new(provider)),
        })
    }

    fn stream(&self) -> AnyRole {
        match self {
            Self::Gate(gate) => AnyRole::Gate(AtGate::new(Rc::clone(gate))),
            Self::Provider(config) => AnyRole::Provider(AtProvider::new(Rc::clone(config))),
        }
    }
}

/// A stream in either role.
#[derive(Debug)]
pub enum AnyRole {
    /// A request at the gate.
    Gate(AtGate),
    /// An attempt at a provider.
    Provider(AtProvider),
}

/// Hands a call to the role at hand.
macro_rules! role {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        match $self {
            AnyRole::Gate(gate) => gate.$method($($argument),*),
            AnyRole::Provider(provider) => provider.$method($($argument),*),
        }
    };
}

impl Stream for AnyRole {
    fn request_headers(&mut self, end: bool) -> abi::Result<Step> {
        role!(self.request_headers(end))
    }

    fn request_grows(&mut self, size: usize) -> abi::Result<Step> {
        role!(self.request_grows(size))
    }

    fn request_body(&mut self, body: &RequestBody) -> abi::Result<Step> {
        role!(self.request_body(body))
    }

    fn woken(&mut self) -> abi::Result<Step> {
        role!(self.woken())
    }

    fn response_headers(&mut self, end: bool) -> abi::Result<Step> {
        role!(self.response_headers(end))
    }

    fn reads_response(&mut self, size: usize) -> bool {
        role!(self.reads_response(size))
    }

    fn response_data(&mut self, data: &[u8], end: bool) -> abi::Result<Step> {
        role!(self.response_data(data, end))
    }

    fn deadline(&self) -> Option<u64> {
        role!(self.deadline())
    }

    fn expired(&mut self) -> abi::Result<Step> {
        role!(self.expired())
    }

    fn done(&mut self) {
        role!(self.done());
    }

    fn log(&mut self) {
        role!(self.log());
    }
}

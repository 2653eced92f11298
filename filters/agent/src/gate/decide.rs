//! What a request says, and whether it may be said: headers, then the body.

use super::{AtGate, millis};
use crate::arrival;
use crate::card::{self, Awaited};
use crate::config::{Agent, Grpc};
use crate::conversation;
use crate::decision::Context;
use crate::exchange::{Asked, Decided, Exchange, Said};
use crate::refusal::Refusal;
use crate::ticket::Hop;
use std::rc::Rc;
use tollgate_host::abi;
use tollgate_host::headers::Headers;
use tollgate_identity::{Fault as Unproven, Known, shows_token};
use tollgate_kernel::a2a::{Arrival, Binding, Call, Dialect, Fault, Named, Operation, Request, Version};
use tollgate_kernel::json::{Document, Limits};
use tollgate_kernel::json_rpc::Id;

/// How many keys and values a body may have per byte of it: `[0,0,..` has one in two.
const BYTES_PER_NODE: usize = 2;

/// The most of them: 16 bytes are kept of each.
const MAX_NODES: usize = 1 << 20;

impl AtGate {
    /// Which agent the request is for, what it does there, and who calls.
    pub(super) fn arrive(&mut self) -> Result<(), Refusal> {
        let (callee, below) = arrival::agent(&self.gate.agents, &self.headers).ok_or(Refusal::UnknownAgent)?;
        let grpc = callee.config.grpc;
        self.exchange.callee = Some(callee);
        let arrival = arrival::arrival(&self.headers, below);
        self.exchange.dialect = match &arrival {
            Ok(Arrival::Request(request)) => Some(request.dialect()),
            Ok(Arrival::Grpc(operation)) => {
                let version = operation.map_or(Version::V1_0, |(_, version)| version);
                Some(Dialect { binding: Binding::Grpc, version })
            }
            Ok(Arrival::Card) => None,
            Err(fault) => Some(fault.dialect),
        };
        match (self.identify(), &arrival) {
            (Err(Refusal::Unproven(fault)), Ok(Arrival::Card)) if self.gate.cards.public && fault.shows_nothing() => {}
            (identified, _) => identified?,
        }
        let arrival = arrival.map_err(|fault| Refusal::Protocol(fault.reason))?;
        if matches!(arrival, Arrival::Grpc(_)) && grpc == Grpc::Refuse {
            return Err(Refusal::Grpc);
        }
        if matches!(arrival, Arrival::Card) {
            self.await_public_card()?;
        }
        self.arrival = Some(arrival);
        Ok(())
    }

    fn identify(&mut self) -> Result<(), Refusal> {
        let (known, now_s) = (Known::default(), self.now_s());
        match tollgate_identity::identify(&self.gate.identity, &self.gate.keys, &self.headers, &known, now_s) {
            Ok(caller) => {
                let jwt = self.gate.identity.jwt.as_ref();
                let token = jwt.and_then(|jwt| tollgate_identity::token_of(jwt, &caller, &known));
                (self.exchange.caller, self.exchange.token) = (Some(self.gate.tiers.place(caller)), token.map(Rc::new));
                Ok(())
            }
            Err(unidentified) => {
                self.exchange.caller = unidentified.known;
                Err(match unidentified.fault {
                    Unproven::NotProven(fault) if fault.is_mismatch(|| shows_token(&self.gate.identity, &known)) => {
                        self.exchange.claimed = tollgate_identity::claimed(&self.gate.identity, &known);
                        Refusal::Mismatch(fault)
                    }
                    fault => Refusal::Unproven(fault),
                })
            }
        }
    }

    /// What is asked for, and whether it may go on.
    pub(super) fn decide(&mut self, request: &Request, body: &[u8], random: [u8; 16]) -> Result<(), Refusal> {
        let nodes = body.len().div_euclid(BYTES_PER_NODE).clamp(64, MAX_NODES);
        let limits = Limits { bytes: self.gate.bounds.request_bytes, nodes };
        let document = (!body.is_empty()).then(|| Document::read(body, limits)).transpose();
        let document = document.map_err(|fault| self.faulty(request.fault(fault.into())))?;
        let gate = Rc::clone(&self.gate);
        let call = request.read(document.as_ref(), &gate.skills_from).map_err(|fault| self.faulty(fault))?;
        self.exchange.dialect = Some(call.dialect);
        self.call(&call, document.as_ref(), random)
    }

    /// The fault, with the id of what is at fault kept for the answer.
    fn faulty(&mut self, fault: Fault<'_>) -> Refusal {
        self.exchange.dialect = Some(fault.dialect);
        let asked = |id: Id<'_>| Asked { id: Some(id.into_owned()), operation: Named::Other("".into()), said: None };
        self.exchange.asked = fault.id.map(asked);
        Refusal::Protocol(fault.reason)
    }

    fn call<'a>(
        &mut self,
        call: &Call<'_, 'a>,
        document: Option<&Document<'a>>,
        random: [u8; 16],
    ) -> Result<(), Refusal> {
        let callee = self.exchange.callee.clone().ok_or(Refusal::UnknownAgent)?;
        let asked = Asked::of(call);
        self.exchange.asked = Some(asked.clone());
        self.rules(&asked, &callee)?;
        if !call.push.is_empty() {
            // A message may bring an address too.
            let operation = Named::Known(Operation::CreatePushConfig);
            let sent = self.exchange.decided.take();
            self.rules(&Asked { operation, ..asked }, &callee)?;
            self.exchange.decided = sent;
        }
        self.check_hop()?;
        if call.operation == Named::Known(Operation::GetExtendedCard) {
            callee.card_url.as_ref().ok_or(Refusal::NoCard)?;
            self.card = Some(Awaited::extended(call.dialect.binding));
        }
        let push = callee.push(call.tenant.as_deref());
        call.push.iter().try_for_each(|config| push.check(config).map(|_| ()).map_err(Refusal::Push))?;
        if let Some((credentials, message)) = self.gate.credentials.as_ref().zip(call.message())
            && credentials.redact_json(message).is_some()
        {
            let told = "authenticate where the agent says, not in a message";
            let rule = Some("deny_inband_credentials".to_owned());
            return Err(Refusal::denied(rule, "inband_credentials", Some(told)));
        }
        let caller = self.exchange.caller.clone().ok_or(Refusal::UnknownAgent)?;
        let guard = match conversation::admit(&self.gate, &callee, &caller, call, random) {
            Ok(guard) => guard,
            Err(refusal) => {
                self.not_theirs = Some(refusal);
                return Ok(());
            }
        };
        self.body = document.and_then(|document| call.body_for_agent(document, guard.supplied()));
        if let (Some(supplied), Some(asked)) = (guard.supplied(), &mut self.exchange.asked) {
            asked.is_said_in(supplied);
        }
        self.exchange.guard = Some(guard);
        Ok(())
    }

    /// The public card is for everybody: rules say which skills it shows.
    fn await_public_card(&mut self) -> Result<(), Refusal> {
        let callee = self.exchange.callee.as_ref().ok_or(Refusal::UnknownAgent)?;
        callee.card_url.as_ref().ok_or(Refusal::NoCard)?;
        let (operation, rule) = (Named::Other(card::OPERATION.into()), Some("cards".to_owned()));
        self.exchange.asked = Some(Asked { id: None, operation, said: Some(Said::default()) });
        self.exchange.decided = Some(Decided { verdict: "allow", rule, reason: "card", shadow: None });
        // A status can no longer be chosen once headers went on.
        let nothing = Headers::NONE;
        self.card = Some(Awaited::public(if self.gate.hold_headers { &self.headers } else { &nothing }));
        Ok(())
    }

    /// What nobody has read.
    pub(super) fn decide_unread(&mut self, operation: Option<(Operation, Version)>) -> Result<(), Refusal> {
        let callee = self.exchange.callee.clone().ok_or(Refusal::UnknownAgent)?;
        let path = || self.headers.text(":path").unwrap_or_default().chars().take(256).collect::<String>();
        let operation = operation.map_or_else(|| Named::Other(path().into()), |(known, _)| Named::Known(known));
        let asked = Asked { id: None, operation, said: None };
        self.exchange.asked = Some(asked.clone());
        self.rules(&asked, &callee)?;
        self.check_hop()
    }

    /// Which call of its transaction it is. Reading a public card is none.
    pub(super) fn find_hop(&mut self) -> abi::Result<()> {
        let Exchange { callee: Some(callee), caller: Some(caller), .. } = &self.exchange else { return Ok(()) };
        if !matches!(self.arrival, Some(Arrival::Card)) {
            self.exchange.hop = Some(Hop::find(&self.gate, &self.headers, &caller.subject, callee, self.now_s())?);
        }
        Ok(())
    }

    /// Whether its transaction may go on.
    fn check_hop(&mut self) -> Result<(), Refusal> {
        let now_s = self.now_s();
        self.exchange.hop.as_mut().map_or(Ok(()), |hop| hop.check(&self.gate, now_s))
    }

    const fn now_s(&self) -> u64 {
        self.exchange.began.div_euclid(1_000_000_000)
    }

    fn rules(&mut self, asked: &Asked, callee: &Agent) -> Result<(), Refusal> {
        let caller = self.exchange.caller.clone().ok_or(Refusal::UnknownAgent)?;
        let token = self.exchange.token.as_deref();
        let context = Context { gate: &self.gate, callee, caller: &caller, token, now_ms: millis(abi::now()) };
        let (decided, outcome) = context.decide(asked);
        self.exchange.decided = Some(decided);
        outcome
    }
}

//! What a request says, and whether it may be said: headers, then the body.

use super::{AtGate, millis};
use crate::approval;
use crate::approval::confirm::Unconfirmed;
use crate::approval::http::Visit;
use crate::approval::store::Shared;
use crate::arrival;
use crate::config::Server;
use crate::decision::{self, Context};
use crate::exchange::{Approval, Asked, Decided};
use crate::oauth;
use crate::provenance;
use crate::refusal::Refusal;
use crate::session::{self, Session};
use crate::tools::Called;
use crate::{runaway, tasks};
use std::rc::Rc;
use tollgate_host::abi;
use tollgate_host::stream::Step;
use tollgate_identity::Known;
use tollgate_kernel::json::{Document, Limits, Value};
use tollgate_kernel::json_rpc::{self, Id};
use tollgate_kernel::mcp::{self, Call, Content, Fault, Posted, Refused};
use tollgate_kernel::rule::{Confirm, Verdict};

/// How many keys and values a body may have per byte of it: `[0,0,..` has one in two.
const BYTES_PER_NODE: usize = 2;

/// The most of them: 16 bytes are kept of each.
const MAX_NODES: usize = 1 << 20;

impl AtGate {
    /// Where the request goes, what it does there, and who asks.
    pub(super) fn arrive(&mut self) -> Result<(), Refusal> {
        if approval::http::is_visit(&self.headers) {
            self.exchange.visit = Some("incomplete_request");
        } else {
            self.exchange.server = Some(arrival::server(&self.gate.servers, &self.headers)?);
            self.exchange.transport = Some(arrival::transport(&self.headers)?);
        }
        let now_s = self.exchange.began.div_euclid(1_000_000_000);
        let known = Known::default();
        match tollgate_identity::identify(&self.gate.identity, &self.gate.keys, &self.headers, &known, now_s) {
            Ok(caller) => {
                let jwt = self.gate.identity.jwt.as_ref();
                let token = jwt.and_then(|jwt| tollgate_identity::token_of(jwt, &caller, &known));
                (self.exchange.caller, self.exchange.token) = (Some(caller), token.map(Rc::new));
                self.exchange.session = session::of_request(&self.gate, &self.exchange, &self.headers)?;
                Ok(())
            }
            Err(unidentified) => {
                self.exchange.caller = unidentified.known;
                Err(Refusal::Unproven(unidentified.fault))
            }
        }
    }

    /// A visit to the approval page.
    pub(super) fn visit(&mut self, body: &[u8]) -> Result<Step, Refusal> {
        let caller = self.exchange.caller.as_ref().ok_or(Refusal::UnknownPath)?;
        let now_ms = millis(abi::now());
        let visit = Visit { headers: &self.headers, body, viewer: &caller.subject, now_ms };
        let (reply, said) =
            approval::http::serve(&visit, &|rule| self.gate.approval(rule), &self.gate.signing, &Shared);
        self.exchange.approval = said;
        self.exchange.visit = Some(reply.details);
        self.status = Some(reply.status);
        Ok(Step::Reply(reply))
    }

    /// What anybody may know of a server, without showing who they are.
    pub(super) fn metadata(&mut self) -> Option<Step> {
        let (server, reply) = oauth::metadata(&self.gate.servers, &self.headers)?;
        self.exchange.server = Some(server);
        self.exchange.decided = Some(Decided::of("oauth", "resource_metadata"));
        self.status = Some(reply.status);
        Some(Step::Reply(reply))
    }

    /// What was posted, and whether it may go on.
    pub(super) fn decide(&mut self, body: &[u8]) -> Result<(), Refusal> {
        let server = self.exchange.server.clone().ok_or(Refusal::UnknownPath)?;
        let nodes = body.len().div_euclid(BYTES_PER_NODE).clamp(64, MAX_NODES);
        let limits = Limits { bytes: self.gate.bounds.request_bytes, nodes };
        let document = Document::read(body, limits).map_err(|fault| Refusal::Protocol(fault_of(fault.into())))?;
        let all: Vec<(&str, &[u8])> = self.headers.iter().filter_map(|(name, value)| mcp_header(name, value)).collect();
        let headers = mcp::Headers(&all);
        let posted = Posted::read(&document, headers, &server.config.names_with);
        let called = posted.as_ref().map_or_else(|_| Called::default(), |posted| Called::of(&server, posted, headers));
        let posted = posted.map_err(|fault| self.faulty(fault))?;
        match posted.content {
            Content::Call(call) => self.call(&document, &call, posted.revision, &server, &called),
            Content::Notice(method) => {
                let asked = Asked {
                    revision: posted.revision,
                    id: None,
                    method: Some(method.into_owned()),
                    object: None,
                    arguments: None,
                };
                match self.rules(asked, &server, server.name.as_str(), None, &called)? {
                    Some((_, refusal)) => Err(refusal),
                    None => Ok(()),
                }
            }
            Content::Answer(_) => {
                let revision = posted.revision;
                self.exchange.asked = Some(Asked { revision, id: None, method: None, object: None, arguments: None });
                Ok(())
            }
        }
    }

    /// The fault, with the id of what is at fault kept for the answer.
    pub(super) fn faulty(&mut self, fault: Fault<'_>) -> Refusal {
        let revision = mcp::Revision::WITHOUT_HEADER;
        let id = fault.id.map(Id::into_owned);
        self.exchange.asked =
            id.map(|id| Asked { revision, id: Some(id), method: None, object: None, arguments: None });
        Refusal::Protocol(fault.reason)
    }

    pub(super) fn call<'d, 'a>(
        &mut self,
        document: &'d Document<'a>,
        call: &Call<'d, 'a>,
        revision: mcp::Revision,
        server: &Rc<Server>,
        called: &Called,
    ) -> Result<(), Refusal> {
        let mut asked = Asked {
            revision,
            id: Some(call.id.clone().into_owned()),
            method: Some(call.method.clone().into_owned()),
            object: None,
            arguments: call.arguments.map(Value::digest),
        };
        let found = decision::object(call, server);
        if let Ok((object, _)) = &found {
            asked.object = object.clone();
        }
        self.exchange.asked = Some(asked.clone());
        self.exchange.arguments = self.gate.words().arguments(call.arguments);
        let (_, owner) = found?;
        called.agrees.map_err(Refusal::Protocol)?;
        self.exchange.owner = Some(owner.clone());
        if !tasks::are_owned(&self.exchange, &call.tasks, millis(abi::now()).div_euclid(1000)) {
            return Err(Refusal::UnknownTask);
        }
        self.exchange.declared = session::declared(call);
        self.exchange.may_begin_task = tasks::may_begin(call, revision);
        let unconfirmed = self.rules(asked.clone(), server, &owner, call.arguments, called)?;
        match unconfirmed {
            Some((confirm, refusal)) => self.confirm(document, call, &asked, &owner, &confirm, refusal),
            None => runaway::begin(&self.gate.runaway, &self.exchange, millis(abi::now())).map_err(Refusal::Lost),
        }
    }

    /// Whether what a rule wants confirmed is. The yes is used when nothing else is in the way.
    pub(super) fn confirm<'d, 'a>(
        &mut self,
        document: &'d Document<'a>,
        call: &Call<'d, 'a>,
        asked: &Asked,
        server: &str,
        confirm: &Confirm,
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        let rule = self.exchange.decided.as_ref().and_then(|decided| decided.rule.clone()).unwrap_or_default();
        let now_ms = millis(abi::now());
        // Nobody is asked on behalf of an agent that is lost.
        runaway::look(&self.gate.runaway, &self.exchange, now_ms).map_err(Refusal::Lost)?;
        let Some(caller) = &self.exchange.caller else { return Err(refusal) };
        let unconfirmed = Unconfirmed {
            document,
            call,
            asked,
            server,
            subject: &caller.subject,
            rule: &rule,
            confirm,
            keys: &self.gate.signing,
            page: self.gate.approvals.url.as_deref(),
            client: self.exchange.session.as_ref().map(Session::client).unwrap_or_default(),
            now_ms,
        };
        let (approval, agreed) = unconfirmed.decide();
        let is_over = agreed.is_ok() || approval.as_ref().is_some_and(Approval::is_no);
        self.exchange.approval = approval;
        if is_over {
            runaway::begin(&self.gate.runaway, &self.exchange, now_ms).map_err(Refusal::Lost)?;
        }
        match agreed {
            Ok(agreed) => {
                self.agreed = Some((agreed, refusal));
                Ok(())
            }
            Err(waits) => Err(refusal.because(waits)),
        }
    }

    /// What the rules say; what they want confirmed comes with its refusal.
    pub(super) fn rules(
        &mut self,
        asked: Asked,
        server: &Server,
        owner: &str,
        arguments: Option<Value<'_, '_>>,
        called: &Called,
    ) -> Result<Option<(Confirm, Refusal)>, Refusal> {
        let gate = Rc::clone(&self.gate);
        let caller = self.exchange.caller.clone().ok_or(Refusal::UnknownPath)?;
        let now_ms = millis(abi::now());
        let token = self.exchange.token.clone();
        let scopes = token.as_deref().map_or(&[][..], |token| &token.scopes);
        let noted = provenance::noted(&gate, server, owner, &asked, &caller, now_ms);
        let context = Context { gate: &gate, server, caller: &caller, scopes, noted: &noted, now_ms };
        let (verdict, mut decided, told) = context.decide(&asked, owner, arguments, called.annotations(server));
        self.exchange.asked = Some(asked);
        let outcome = match verdict {
            Verdict::Allow => Ok(None),
            Verdict::Deny => Err(decision::refusal(&decided, Refused::Denied, told)),
            Verdict::Confirm(confirm) => {
                Ok(Some((confirm.clone(), decision::refusal(&decided, Refused::Unconfirmed, told))))
            }
        };
        if verdict != Verdict::Deny {
            decided.shadow = decided.shadow.or_else(|| called.shadow(server).map(|rule| (rule, "deny")));
        }
        self.exchange.decided = Some(decided);
        if verdict != Verdict::Deny {
            self.exchange.results = called.check(server, arguments)?;
        }
        outcome
    }
}

fn fault_of(fault: json_rpc::Fault<'_>) -> mcp::Reason {
    mcp::Reason::Message(fault.reason)
}

/// Those headers that MCP has.
fn mcp_header<'h>(name: &'h [u8], value: &'h [u8]) -> Option<(&'h str, &'h [u8])> {
    str::from_utf8(name).ok().filter(|name| name.starts_with("mcp-")).map(|name| (name, value))
}

//! The gate: once per request. Which server, who asks, what for, is it allowed; what comes back; and at the end the record.

use crate::answer::{Answer, Unreadable};
use crate::approval;
use crate::approval::confirm::{Agreed, Unconfirmed};
use crate::approval::http::Visit;
use crate::approval::store::Shared;
use crate::arrival;
use crate::config::Gate;
use crate::counters;
use crate::decision::{self, Context};
use crate::exchange::{Approval, Asked, Decided, Exchange, Transport};
use crate::oauth;
use crate::provenance;
use crate::record::{self, Ending};
use crate::refusal::Refusal;
use crate::session::{self, Session};
use crate::tools::Called;
use crate::{limits, runaway, tasks};
use std::rc::Rc;
use tollgate_host::abi::{self, Level, Map};
use tollgate_host::headers::{self, Headers};
use tollgate_host::state;
use tollgate_host::stream::{Reply, RequestBody, Step, Stream, Waker};
use tollgate_kernel::json::{Document, Limits};
use tollgate_kernel::mcp::{self, Call, Content, Fault, Posted, Refused};
use tollgate_kernel::rule::{Confirm, Verdict};
use tollgate_limits::Admission;

/// One request at the gate.
#[derive(Debug)]
pub struct AtGate {
    gate: Rc<Gate>,
    exchange: Exchange,
    /// Those of the request, as it came.
    headers: Headers,
    /// Headers of the client's that must not go on, in the order they came.
    strip: Vec<Vec<u8>>,
    /// Status of the response, ours or anybody's.
    status: Option<u16>,
    /// The server's response has begun to go to the client.
    relays: bool,
    /// The response is Envoy's own, or another filter's: to be told as JSON-RPC.
    translating: Option<u16>,
    /// The yes that the call has, and what it is refused with if that was used meanwhile.
    agreed: Option<(Agreed, Refusal)>,
    /// What is read of the server's answer.
    answer: Option<Answer>,
    /// Waits for services that keep limits.
    pending: Option<Box<Admission>>,
}

/// How many keys and values a body may have per byte of it: `[0,0,..` has one in two.
const BYTES_PER_NODE: usize = 2;
/// The most of them: 16 bytes are kept of each.
const MAX_NODES: usize = 1 << 20;

impl AtGate {
    /// A request that begins.
    #[must_use]
    pub fn new(gate: Rc<Gate>) -> Self {
        Self {
            gate,
            exchange: Exchange::default(),
            headers: Headers::NONE,
            strip: Vec::new(),
            status: None,
            relays: false,
            translating: None,
            agreed: None,
            answer: None,
            pending: None,
        }
    }

    fn refuse(&mut self, refusal: Refusal) -> Step {
        Step::Reply(self.reply_of(refusal))
    }

    fn reply_of(&mut self, refusal: Refusal) -> Reply {
        let reply = oauth::reply(&self.gate, &self.exchange, &refusal, &self.headers);
        self.status = Some(reply.status);
        self.exchange.refusal = Some(refusal);
        reply
    }

    /// Where the request goes, what it does there, and who asks.
    fn arrive(&mut self) -> Result<(), Refusal> {
        if approval::http::is_visit(&self.headers) {
            self.exchange.visit = Some("incomplete_request");
        } else {
            self.exchange.server = Some(arrival::server(&self.gate.servers, &self.headers)?);
            self.exchange.transport = Some(arrival::transport(&self.headers)?);
        }
        let now_s = self.exchange.began.div_euclid(1_000_000_000);
        match tollgate_identity::identify(&self.gate.identity, &self.gate.keys, &self.headers, now_s) {
            Ok(caller) => {
                let token = self.gate.identity.jwt.as_ref().and_then(|jwt| tollgate_identity::token_of(jwt, &caller));
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
    fn visit(&mut self, body: &[u8]) -> Result<Step, Refusal> {
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
    fn metadata(&mut self) -> Option<Step> {
        let (server, reply) = oauth::metadata(&self.gate.servers, &self.headers)?;
        self.exchange.server = Some(server);
        self.exchange.decided = Some(Decided::of("oauth", "resource_metadata"));
        self.status = Some(reply.status);
        Some(Step::Reply(reply))
    }

    /// What was posted, and whether it may go on.
    fn decide(&mut self, body: &[u8]) -> Result<(), Refusal> {
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
    fn faulty(&mut self, fault: Fault<'_>) -> Refusal {
        let revision = mcp::Revision::WITHOUT_HEADER;
        let id = fault.id.map(tollgate_kernel::json_rpc::Id::into_owned);
        self.exchange.asked =
            id.map(|id| Asked { revision, id: Some(id), method: None, object: None, arguments: None });
        Refusal::Protocol(fault.reason)
    }

    fn call<'d, 'a>(
        &mut self,
        document: &'d Document<'a>,
        call: &Call<'d, 'a>,
        revision: mcp::Revision,
        server: &Rc<crate::config::Server>,
        called: &Called,
    ) -> Result<(), Refusal> {
        let mut asked = Asked {
            revision,
            id: Some(call.id.clone().into_owned()),
            method: Some(call.method.clone().into_owned()),
            object: None,
            arguments: call.arguments.map(tollgate_kernel::json::Value::digest),
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
    fn confirm<'d, 'a>(
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
    fn rules(
        &mut self,
        asked: Asked,
        server: &crate::config::Server,
        owner: &str,
        arguments: Option<tollgate_kernel::json::Value<'_, '_>>,
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

    /// Reserves what the request may use of its limits.
    fn admit(&mut self, waker: &Waker) -> abi::Result<Step> {
        let now = abi::now();
        let mut admission = limits::reserve(&self.gate, &self.exchange, millis(now));
        admission.ask(&self.gate.services, waker, now);
        self.go_on(Box::new(admission))
    }

    /// Decides what is decided, or holds the request until its deadline.
    fn go_on(&mut self, admission: Box<Admission>) -> abi::Result<Step> {
        if !admission.is_decided() {
            self.pending = Some(admission);
            return Ok(Step::Hold);
        }
        match admission.end(millis(abi::now())) {
            Ok((granted, _)) => {
                self.exchange.limits = granted;
                // Before the yes: a person's is worth more than a model's.
                match provenance::take(&mut self.exchange, millis(abi::now())) {
                    Ok(()) => self.use_agreed(),
                    Err(refusal) => Ok(self.refuse(refusal)),
                }
            }
            Err((denial, granted)) => {
                self.exchange.limits = granted;
                Ok(self.refuse(Refusal::Limit(Box::new(denial))))
            }
        }
    }

    /// Uses the yes that the call has, if it needed one.
    fn use_agreed(&mut self) -> abi::Result<Step> {
        let Some((agreed, refusal)) = self.agreed.take() else { return self.forward() };
        if let Err(waits) = agreed.take(millis(abi::now())) {
            self.exchange.approval = None;
            return Ok(self.refuse(refusal.because(waits)));
        }
        let Some(with) = agreed.body else { return self.forward() };
        self.forward()?;
        Ok(Step::Edit { first: self.exchange.request_bytes, with })
    }

    /// Services that keep limits have answered, or it is too late.
    fn look_again(&mut self) -> abi::Result<Step> {
        let Some(mut admission) = self.pending.take() else { return Ok(Step::Hold) };
        admission.look(abi::now());
        self.go_on(admission)
    }

    /// Lets the request go to its server.
    fn forward(&mut self) -> abi::Result<Step> {
        self.exchange.went_on = true;
        if self.gate.hold_headers {
            self.change_headers()?;
        }
        self.headers = Headers::NONE;
        Ok(Step::Go)
    }

    /// Makes of the client's headers those that its server gets.
    fn change_headers(&self) -> abi::Result<()> {
        for header in &self.strip {
            abi::remove_header(Map::Request, header)?;
        }
        self.exchange.session.as_ref().map_or(Ok(()), Session::go_on)
    }

    /// What Envoy knows at the end. Each question costs, so what is known is not asked.
    fn ending(&self) -> Ending {
        let flags = state::number(&["response", "flags"]);
        let is_plain = self.exchange.refusal.is_some() || (self.relays && flags == Some(0));
        let status = || state::number(&["response", "code"]).and_then(|status| u16::try_from(status).ok());
        Ending {
            now: abi::now(),
            status: self.status.or_else(status),
            flags,
            details: if is_plain { None } else { state::text(&["response", "code_details"]) },
            bytes: state::number(&["response", "size"]).unwrap_or_default(),
        }
    }
}

fn status(headers: &Headers) -> u16 {
    headers.text(":status").and_then(|status| status.parse().ok()).unwrap_or(500)
}

const fn millis(nanos: u64) -> u64 {
    nanos.div_euclid(1_000_000)
}

/// The message that stands in the place of an answer which is too large to be read.
fn told_instead(status: u16, body: Vec<u8>) -> Reply {
    let headers = vec![("content-type", "application/json".to_owned())];
    Reply { status, details: "answer_too_large", headers, body }
}

fn fault_of(fault: tollgate_kernel::json_rpc::Fault<'_>) -> mcp::Reason {
    mcp::Reason::Message(fault.reason)
}

/// Those headers that MCP has.
fn mcp_header<'h>(name: &'h [u8], value: &'h [u8]) -> Option<(&'h str, &'h [u8])> {
    str::from_utf8(name).ok().filter(|name| name.starts_with("mcp-")).map(|name| (name, value))
}

impl Stream for AtGate {
    fn request_headers(&mut self, end: bool) -> abi::Result<Step> {
        self.headers = Headers::read(Map::Request)?;
        self.exchange = arrival::begin(&self.headers);
        if let Some(told) = self.metadata() {
            return Ok(told);
        }
        let arrived = self.arrive();
        let forwards = oauth::forwards_token(&self.exchange, &self.headers);
        let proof = self.gate.identity.header.as_ref().map(|header| header.name.as_bytes());
        let transport = self.exchange.transport;
        let stripped = |name: &[u8]| {
            (arrival::is_stripped(name) && !(forwards && name == b"authorization"))
                || proof == Some(name)
                || session::is_stripped(name, transport, &self.headers)
        };
        self.strip = self.headers.iter().filter(|(name, _)| stripped(name)).map(|(name, _)| name.to_vec()).collect();
        if let Err(refusal) = arrived {
            return Ok(self.refuse(refusal));
        }
        if !self.gate.hold_headers {
            if !end && matches!(transport, Some(Transport::Listen | Transport::End)) {
                // For these a server waits for no body.
                return Ok(self.refuse(Refusal::Method));
            }
            self.change_headers()?;
        }
        Ok(Step::Hold)
    }

    fn holds_headers(&self) -> bool {
        self.gate.hold_headers
    }

    fn request_stalls(&mut self) -> Reply {
        self.reply_of(Refusal::NoBody)
    }

    fn request_grows(&mut self, size: usize) -> abi::Result<Step> {
        self.exchange.request_bytes = size;
        let limit = self.gate.bounds.request_bytes;
        Ok(if size > limit { self.refuse(Refusal::TooLarge { limit }) } else { Step::Hold })
    }

    fn request_body(&mut self, body: &RequestBody) -> abi::Result<Step> {
        self.exchange.request_bytes = body.size;
        let limit = self.gate.bounds.request_bytes;
        let runs = match self.exchange.transport {
            _ if body.trailers => Err(Refusal::Trailers),
            _ if body.size > limit => Err(Refusal::TooLarge { limit }),
            _ if self.exchange.visit.is_some() => {
                let body = body.read(body.size)?;
                return Ok(self.visit(&body).unwrap_or_else(|refusal| self.refuse(refusal)));
            }
            Some(Transport::Post) => self.decide(&body.read(body.size)?),
            _ if body.size > 0 => Err(Refusal::Method),
            _ => Ok(()),
        };
        match runs {
            Ok(()) => self.admit(&body.waker),
            Err(refusal) => Ok(self.refuse(refusal)),
        }
    }

    fn woken(&mut self) -> abi::Result<Step> {
        self.look_again()
    }

    fn deadline(&self) -> Option<u64> {
        self.pending.as_ref().and_then(|admission| admission.deadline())
    }

    fn expired(&mut self) -> abi::Result<Step> {
        self.look_again()
    }

    fn response_headers(&mut self, end: bool) -> abi::Result<Step> {
        let seen = Headers::read(Map::Response)?;
        if state::text(&["response", "code_details"]).as_deref() != Some("via_upstream") {
            return self.translate(&seen, end);
        }
        if !self.exchange.went_on {
            // Of what has not been read nobody knows what may be in its answer.
            return Ok(self.refuse(Refusal::Answer("answer_early")));
        }
        oauth::rewrite(&self.exchange, &seen)?;
        match session::of_answer(&self.gate, &self.exchange, &seen)? {
            Ok(session) => self.exchange.session = session.or_else(|| self.exchange.session.take()),
            Err(()) => return Ok(self.refuse(Refusal::Answer("answer_session"))),
        }
        match Answer::begin(&self.gate, &self.exchange, &seen, millis(abi::now())) {
            Ok(answer) => self.answer = answer.filter(|_| !end),
            Err(Unreadable::Failure) if end => {}
            Err(Unreadable::Failure) => return self.in_json_rpc(status(&seen), &Headers::read(Map::Response)?),
            Err(unreadable) => return Ok(self.refuse(Refusal::Answer(unreadable.reason()))),
        }
        if self.answer.as_ref().is_some_and(Answer::may_change) {
            abi::remove_header(Map::Response, b"content-length")?;
        }
        self.status = Some(status(&seen));
        if self.answer.as_ref().is_some_and(Answer::is_held) {
            return Ok(Step::Hold);
        }
        self.relays = true;
        Ok(Step::Go)
    }

    fn reads_response(&mut self, size: usize) -> bool {
        if self.translating.is_some() {
            return true;
        }
        let Some(answer) = &mut self.answer else { return false };
        let reads = answer.reads(size);
        self.exchange.tally = *answer.tally();
        reads
    }

    fn response_data(&mut self, data: &[u8], end: bool) -> abi::Result<Step> {
        if let Some(status) = self.translating {
            let told = || Step::Edit { first: data.len(), with: self.own_error(status).body };
            return Ok(if end { told() } else { Step::Hold });
        }
        let Some(answer) = &mut self.answer else { return Ok(Step::Go) };
        let held = answer.is_held();
        let with = answer.push(data, end);
        self.exchange.tally = *answer.tally();
        if let Some(findings) = answer.findings() {
            self.exchange.tools.clone_from(findings);
        }
        self.exchange.replaced = answer.replaced();
        let (waits, is_broken) = (answer.is_held(), answer.is_broken());
        Ok(match with {
            Some(body) if held && !end && is_broken && self.gate.hold_headers => {
                Step::Reply(told_instead(self.status.unwrap_or(502), body))
            }
            // Its headers went on: the error ends what the client reads, and nothing follows it.
            _ if waits && !end && !is_broken => Step::Hold,
            None => Step::Go,
            Some(with) => Step::Edit { first: data.len(), with },
        })
    }

    fn log(&mut self) {
        let ending = self.ending();
        let now_ms = millis(ending.now);
        if let Some(admission) = self.pending.take() {
            self.exchange.limits = admission.abandon(now_ms);
        }
        let went_on = self.exchange.went_on;
        if went_on {
            runaway::end(&self.gate.runaway, &self.exchange, now_ms);
        }
        let counted = limits::settle(&self.exchange, went_on, ending.bytes, now_ms);
        counters::count(&self.exchange, &ending);
        let record = record::of(&self.exchange, &counted, &ending, self.gate.words());
        if state::set("tollgate.audit", record.as_bytes()).is_err() {
            abi::log(Level::Error, "tollgate: a record could not be written");
        }
    }
}

impl AtGate {
    /// An answer of Envoy's own, or of another filter.
    fn translate(&mut self, seen: &Headers, end: bool) -> abi::Result<Step> {
        let status = status(seen);
        if status == 413 && self.exchange.refusal.is_none() {
            // Envoy's buffer was full before ours.
            self.exchange.refusal = Some(Refusal::TooLarge { limit: self.gate.bounds.request_bytes });
        }
        self.status = Some(status);
        if end { Ok(Step::Reply(self.own_error(status))) } else { self.in_json_rpc(status, seen) }
    }

    /// Has the client read JSON-RPC instead of the body that comes.
    fn in_json_rpc(&mut self, status: u16, seen: &Headers) -> abi::Result<Step> {
        let text = status.to_string();
        let mut kept = vec![(":status", text.as_bytes()), ("content-type", b"application/json")];
        for name in ["www-authenticate", "retry-after", "allow"] {
            kept.extend(seen.one(name).map(|value| (name, value)));
        }
        headers::replace_all(Map::Response, &kept)?;
        self.translating = Some(status);
        Ok(Step::Go)
    }

    /// What Envoy, or another filter, says of its own, as JSON-RPC.
    fn own_error(&self, status: u16) -> Reply {
        let refusal = self.exchange.refusal.clone().unwrap_or(Refusal::Upstream(status));
        let mut reply = oauth::reply(&self.gate, &self.exchange, &refusal, &self.headers);
        reply.status = status;
        reply
    }
}

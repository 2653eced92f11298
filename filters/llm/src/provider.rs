//! The provider role: upstream, once per attempt. Makes this provider's request out of what the gate kept, and relays
//! its answer once it really answers.

use crate::answer::{Failure, Relay, Whole, reason_of};
use crate::attempt::{Current, is_connected};
use crate::config::ProviderConfig;
use crate::exchange::{Outcome, seconds};
use crate::refusal::Refusal;
use crate::streamed::Streamed;
use crate::upstream::{self, DROPPED_HEADER, PROVIDER_HEADER, Rewrite, Rewritten};
use std::rc::Rc;
use tollgate_host::abi::{self, Level, Map};
use tollgate_host::headers::{self, Headers};
use tollgate_host::state;
use tollgate_host::stream::{RequestBody, Step, Stream};
use tollgate_wire::Format;
use tollgate_wire::error::{ApiError, ErrorKind};

/// What the router retries, by contract with the shipped route: 429 and 5xx.
const RETRIED_INSTEAD: u16 = 503;

/// An error body is read this far; nothing that people read is longer.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// How long it may take to come.
const ERROR_BODY_NANOS: u64 = 5_000_000_000;

/// One attempt at one provider.
#[derive(Debug)]
pub struct AtProvider {
    config: Rc<ProviderConfig>,
    attempt: Option<Current>,
    /// The response's headers, while they are held.
    held: Headers,
    phase: Phase,
}

/// Where the response stands.
#[derive(Debug)]
enum Phase {
    /// Before its headers.
    Waiting,
    /// A whole answer is read.
    Whole(Whole),
    /// A streamed answer is read.
    Streamed(Box<Streamed>, u64),
    /// An error of the provider's is read, to be told in the client's format. With a time, its headers are held until
    /// then, or until its body says whose fault it is; else they went on.
    Error { status: u16, body: Vec<u8>, held_until: Option<u64> },
    /// There is nothing more to do: everything was relayed, or the attempt is given up.
    Done,
}

impl AtProvider {
    /// An attempt that begins.
    #[must_use]
    pub const fn new(config: Rc<ProviderConfig>) -> Self {
        Self { config, attempt: None, held: Headers::NONE, phase: Phase::Waiting }
    }

    /// Without a next provider a late answer is better than none; the route's own timeouts bound it.
    fn may_fail_over(&self) -> bool {
        self.attempt.as_ref().is_some_and(|current| current.retriable)
    }

    fn refuse(&mut self, refusal: Refusal) -> Step {
        let Some(current) = &self.attempt else { return Step::Reply(refusal.reply(Format::OpenaiChat)) };
        current.end(Outcome::Rejected(refusal.reason()));
        let reply = current.answered(refusal.reply(current.client()));
        self.phase = Phase::Done;
        Step::Reply(reply)
    }

    /// Gives a held answer up: the next provider is asked, or the client is told.
    fn fail(&mut self, failure: Failure) -> abi::Result<Step> {
        let Some(current) = &self.attempt else { return Ok(self.refuse(Refusal::Misconfigured)) };
        let Failure { reason, provider_refused, error } = failure;
        current.end(if provider_refused { Outcome::Refused(reason) } else { Outcome::Failed(reason) });
        self.phase = Phase::Done;
        if current.retriable {
            abi::set_header(Map::Response, ":status", RETRIED_INSTEAD.to_string().as_bytes())?;
            return Ok(Step::Go);
        }
        Ok(Step::Reply(current.error(&error, reason)))
    }

    /// An error status. One that is retried is never held: the router may retry under our feet. One that is not says that
    /// the request is wrong; but Google says so of our key too, so its body is read first.
    fn error_headers(&mut self, status: u16, headers: Headers, end: bool) -> abi::Result<Step> {
        let Some(current) = &self.attempt else { return Ok(self.refuse(Refusal::Misconfigured)) };
        let shown = upstream::client_status(status);
        self.held = headers;
        if !upstream::is_retried(shown) {
            if end {
                return self.judge(status, &[], None);
            }
            let held_until = Some(abi::now().saturating_add(ERROR_BODY_NANOS));
            self.phase = Phase::Error { status, body: Vec::new(), held_until };
            return Ok(Step::Hold);
        }
        let reason = reason_of(&ApiError::new(ErrorKind::of_status(status), ""));
        current.end(match status {
            408 | 504 | 524 => Outcome::Failed(reason), // late, but it may have worked
            _ => Outcome::Refused(reason),
        });
        if current.retriable {
            self.phase = Phase::Done;
            abi::set_header(Map::Response, ":status", shown.to_string().as_bytes())?;
            return Ok(Step::Go);
        }
        if end {
            let said = current.format.read_error(status, &[]);
            let reply = current.error(&upstream::client_error(said, status), "provider_error");
            self.phase = Phase::Done;
            return Ok(Step::Reply(reply));
        }
        self.release_error(shown)?;
        self.phase = Phase::Error { status, body: Vec::new(), held_until: None };
        Ok(Step::Go)
    }

    /// Lets the head of an error go.
    fn release_error(&self, shown: u16) -> abi::Result<()> {
        let Some(current) = &self.attempt else { return Ok(()) };
        let mut pairs = upstream::response_headers(&self.held, shown, "application/json", current.provider_name());
        pairs.extend(current.standing());
        headers::replace_all(Map::Response, &upstream::as_slices(&pairs))?;
        current.relayed(shown);
        Ok(())
    }

    /// Tells the client of an error, of which the head has gone, in the place of the `first` bytes of what the provider says.
    fn tell_error(&mut self, error: &ApiError, first: usize) -> Step {
        self.phase = Phase::Done;
        let Some(current) = &self.attempt else { return Step::Go };
        let with = current.client().write_error(error);
        current.sent(with.len());
        Step::Edit { first, with }
    }

    /// What a held error status is, by as much of its body as counts: ours, so that the next provider is asked, or the
    /// client's. `last`: bytes of the body that came now and are its last; `None` when it is not waited for.
    fn judge(&mut self, status: u16, body: &[u8], last: Option<usize>) -> abi::Result<Step> {
        let Some(current) = &self.attempt else { return Ok(self.refuse(Refusal::Misconfigured)) };
        let said = current.format.read_error(status, body);
        if upstream::is_ours(said.kind) {
            return self.fail(Failure::sent(said));
        }
        current.end(Outcome::Rejected(reason_of(&ApiError::new(ErrorKind::of_status(status), ""))));
        let error = upstream::client_error(said, status);
        let Some(first) = last else {
            let reply = current.error(&error, "provider_error");
            self.phase = Phase::Done;
            return Ok(Step::Reply(reply));
        };
        self.release_error(error.status)?;
        Ok(self.tell_error(&error, first))
    }

    /// Lets a held answer go: from here on this provider answers.
    fn release(&self, streamed: bool, content_length: Option<usize>) -> abi::Result<()> {
        let Some(current) = &self.attempt else { return Ok(()) };
        let content_type = if streamed { current.client().stream_media_type() } else { "application/json" };
        let mut pairs = upstream::response_headers(&self.held, 200, content_type, current.provider_name());
        pairs.extend(current.standing());
        let dropped = current.with(|attempt| attempt.dropped.join(", ")).unwrap_or_default();
        if !dropped.is_empty() {
            pairs.push((DROPPED_HEADER.to_owned(), dropped.into_bytes()));
        }
        if let Some(length) = content_length {
            pairs.push(("content-length".to_owned(), length.to_string().into_bytes()));
        }
        headers::replace_all(Map::Response, &upstream::as_slices(&pairs))?;
        current.relayed(200);
        Ok(())
    }

    fn relay_whole(&mut self, relay: Relay, data: &[u8]) -> abi::Result<Step> {
        let step = match relay {
            Relay::Hold => return Ok(Step::Hold),
            Relay::Failed(failure) => return self.fail(failure),
            Relay::Unchanged => Step::Go,
            Relay::Bytes(with) => Step::Edit { first: data.len(), with },
        };
        let answer = if let Step::Edit { with, .. } = &step { with } else { data };
        let size = answer.len();
        self.release(false, Some(size))?;
        self.phase = Phase::Done;
        if let Some(current) = &self.attempt {
            current.sent(size);
            current.keep(answer);
            current.note_calls();
            current.first_token();
            current.end(Outcome::Served);
        }
        Ok(step)
    }

    fn relay_streamed(&mut self, relay: Relay, sent: usize, was_committed: bool, end: bool) -> abi::Result<Step> {
        let step = match relay {
            Relay::Hold => return Ok(Step::Hold),
            Relay::Failed(failure) => return self.fail(failure),
            Relay::Unchanged => Step::Go,
            Relay::Bytes(with) => Step::Edit { first: sent, with },
        };
        if !was_committed {
            self.release(true, None)?;
        }
        if let Some(current) = &self.attempt {
            current.sent(if let Step::Edit { with, .. } = &step { with.len() } else { sent });
            current.note_calls();
            if !was_committed {
                current.first_token();
                current.outcome(Outcome::Relaying);
            }
            let cut = current.tally(|tally| tally.cut);
            match cut {
                Some(reason) => current.end(Outcome::Cut(reason)),
                None if end => current.end(Outcome::Served),
                None => {}
            }
            // An SDK that has read the last event hangs up: the end of the stream may never come.
            if let Phase::Streamed(streamed, _) = &mut self.phase
                && cut.is_none()
                && (end || streamed.ended())
                && let Some(answer) = streamed.collected()
            {
                current.keep(&answer);
            }
        }
        if end {
            self.phase = Phase::Done;
        }
        Ok(step)
    }
}

impl Stream for AtProvider {
    fn request_headers(&mut self, _: bool) -> abi::Result<Step> {
        match Current::begin(self.config.name.as_ref()) {
            Ok(current) => {
                self.attempt = Some(current);
                Ok(Step::Hold)
            }
            Err(fault) => {
                abi::log(Level::Error, &format!("tollgate: an attempt was refused: {fault}"));
                Ok(self.refuse(Refusal::Misconfigured))
            }
        }
    }

    fn request_grows(&mut self, _: usize) -> abi::Result<Step> {
        Ok(Step::Hold)
    }

    fn request_body(&mut self, body: &RequestBody) -> abi::Result<Step> {
        let Some(current) = &self.attempt else { return Ok(self.refuse(Refusal::Misconfigured)) };
        let same = current.client() == current.format;
        let Some(mut pairs) = upstream::request_headers(&current.admitted, current.target, same, body.size) else {
            return Ok(self.refuse(Refusal::Misconfigured));
        };
        if self.config.name.is_none() {
            // One chain of filters serves all providers: this tells its credential injectors whose turn it is.
            pairs.push((PROVIDER_HEADER.to_owned(), current.provider_name().as_bytes().to_vec()));
        }
        headers::replace_all(Map::Request, &upstream::as_slices(&pairs))?;
        let rewrite = Rewrite::new(&current.admitted, current.target, current.client(), current.format);
        let first = rewrite.reads(body.size);
        if first == 0 {
            return Ok(Step::Go);
        }
        let strict = current.admitted.is_strict();
        match rewrite.apply(&body.read(first)?).and_then(|rewritten| rewritten.check(strict)) {
            Ok(Rewritten { with, dropped }) => {
                current.with(|attempt| attempt.dropped = dropped);
                Ok(Step::Edit { first, with })
            }
            Err(invalid) if current.index == 0 => Ok(self.refuse(Refusal::Invalid(invalid))),
            Err(_) => Ok(self.refuse(Refusal::NotCarried)),
        }
    }

    fn response_headers(&mut self, end: bool) -> abi::Result<Step> {
        let headers = Headers::read(Map::Response)?;
        let Some(current) = &self.attempt else { return Ok(self.refuse(Refusal::Misconfigured)) };
        let status = headers.text(":status").and_then(|status| status.parse().ok()).unwrap_or(500);
        current.with(|attempt| attempt.status = Some(status));
        if !(200..300).contains(&status) {
            return self.error_headers(status, headers, end);
        }
        let bounds = &current.admitted.gate.bounds;
        let now = abi::now();
        let passage = current.passage(seconds(now));
        if headers.all("content-encoding").any(|value| value != b"identity") {
            return self.fail(Failure::new("encoded_answer", "the provider sent a compressed answer, unasked"));
        }
        let streams = current.admitted.envelope.stream && headers.is_media_type(current.format.stream_media_type());
        self.phase = if streams {
            let deadline = now.saturating_add(bounds.first_event_ms.saturating_mul(1_000_000));
            Phase::Streamed(Box::new(Streamed::new(passage, bounds).collecting(current.cache_room())), deadline)
        } else {
            Phase::Whole(Whole::new(passage, bounds))
        };
        self.held = headers;
        Ok(Step::Hold)
    }

    fn reads_response(&mut self, _: usize) -> bool {
        !matches!(self.phase, Phase::Waiting | Phase::Done)
    }

    fn response_data(&mut self, data: &[u8], end: bool) -> abi::Result<Step> {
        let Some(current) = &self.attempt else { return Ok(Step::Go) };
        match &mut self.phase {
            Phase::Waiting | Phase::Done => Ok(Step::Go),
            Phase::Whole(whole) => {
                let streams = current.admitted.envelope.stream;
                let relay = current.tally(|tally| Some(whole.data(data, end, tally))).unwrap_or(Relay::Hold);
                match relay {
                    Relay::Bytes(_) | Relay::Unchanged if streams => self.fail(Failure::new(
                        "unstreamed_answer",
                        "the provider sent an answer in one piece where a stream was asked for",
                    )),
                    relay => self.relay_whole(relay, data),
                }
            }
            Phase::Streamed(streamed, _) => {
                let was_committed = streamed.committed();
                let relay = current.tally(|tally| Some(streamed.data(data, end, tally))).unwrap_or(Relay::Hold);
                self.relay_streamed(relay, data.len(), was_committed, end)
            }
            Phase::Error { status, body, held_until } => {
                let room = MAX_ERROR_BYTES.saturating_sub(body.len()).min(data.len());
                body.extend_from_slice(data.get(..room).unwrap_or_default());
                let (status, is_held) = (*status, held_until.is_some());
                let is_enough = end || (is_held && body.len() >= MAX_ERROR_BYTES);
                if !is_enough {
                    return Ok(Step::Hold);
                }
                let body = std::mem::take(body);
                if is_held {
                    // Where no body came, there is none to change: in trailers Envoy has no place for one.
                    let last = (end && !body.is_empty()).then_some(data.len());
                    return self.judge(status, &body, last);
                }
                let error = upstream::client_error(current.format.read_error(status, &body), status);
                Ok(self.tell_error(&error, data.len()))
            }
        }
    }

    fn deadline(&self) -> Option<u64> {
        match &self.phase {
            Phase::Streamed(streamed, deadline) if !streamed.committed() && self.may_fail_over() => Some(*deadline),
            Phase::Error { held_until, .. } => *held_until,
            _ => None,
        }
    }

    fn expired(&mut self) -> abi::Result<Step> {
        if let Phase::Error { status, body, .. } = &mut self.phase {
            let (status, body) = (*status, std::mem::take(body));
            return self.judge(status, &body, None);
        }
        let error = ApiError::new(ErrorKind::Timeout, "the provider did not begin to answer in time");
        self.fail(Failure { reason: "first_event_timeout", provider_refused: false, error })
    }

    fn done(&mut self) {
        let Some(current) = &self.attempt else { return };
        let now = abi::now();
        let waiting = current.with(|attempt| {
            attempt.ended.get_or_insert(now);
            attempt.outcome == Outcome::Waiting
        });
        if waiting == Some(true) && !is_connected() {
            let failed = state::text(&["upstream", "transport_failure_reason"]).is_some();
            current.outcome(Outcome::Refused(if failed { "connect_failure" } else { "not_sent" }));
        }
    }
}

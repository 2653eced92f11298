//! The attempt at hand: what an instance of the provider role knows of it, and writes down.

use crate::answer::{Passage, Tally};
use crate::exchange::{self, Admitted, Attempt, Exchange, Outcome, Shared};
use crate::refusal::error_reply;
use crate::upstream::{self, PROVIDER_HEADER};
use std::rc::Rc;
use tollgate_host::abi;
use tollgate_host::state;
use tollgate_host::stream::Reply;
use tollgate_kernel::provenance::Note;
use tollgate_kernel::subject::Label;
use tollgate_wire::Format;
use tollgate_wire::calls::Calls;
use tollgate_wire::error::ApiError;

/// The attempt of this stream.
#[derive(Debug)]
pub struct Current {
    /// What gate and attempts know together.
    pub exchange: Shared,
    /// What was admitted.
    pub admitted: Rc<Admitted>,
    /// Its place among the exchange's attempts.
    pub index: usize,
    /// Its place among the admitted targets.
    pub target: usize,
    /// The provider's format.
    pub format: Format,
    /// There is a next provider, which Envoy asks when this one fails.
    pub retriable: bool,
}

/// Whether this stream's newest attempt had a connection; without one its provider never saw the request. Envoy knows
/// an address of our side once there was one.
pub fn is_connected() -> bool {
    state::text(&["upstream", "local_address"]).is_some()
}

impl Current {
    /// Begins an attempt at the named provider, or at the one that the chosen endpoint's metadata names.
    ///
    /// # Errors
    /// What is installed wrongly, for the operator.
    pub fn begin(name: Option<&Label>) -> Result<Self, &'static str> {
        let exchange = exchange::of_this_stream()
            .ok_or("no gate of this VM admitted the request: gate and providers need the same `vm_id` and module")?;
        let admitted = exchange.borrow().admitted.clone().ok_or("the gate has not admitted the request")?;
        let name = match name {
            Some(name) => name.as_str().to_owned(),
            None => state::text(&["xds", "upstream_host_metadata", "filter_metadata", "tollgate", "provider"])
                .ok_or("the endpoint has no metadata `tollgate: {provider: ...}`")?,
        };
        // Every attempt has an instance of its own, so their number is known without asking Envoy.
        let number = exchange.borrow().attempts.len().saturating_add(1);
        let target = upstream::target(admitted.targets(), &admitted.candidates.targets, &name, number)
            .ok_or("the route sent the request to a provider that the model's targets do not name")?;
        let format = upstream::provider(&admitted, target).ok_or("the provider is not configured")?.format;
        let retriable = number < admitted.candidates.targets.len();
        let mut known = exchange.borrow_mut();
        known.relayed = None;
        let index = known.attempts.len();
        let mut attempt = Attempt::new(target, abi::now());
        attempt.tally.calls = known.prompt.as_ref().and_then(|prompted| prompted.asker).map(|_| Calls::default());
        known.attempts.push(attempt);
        drop(known);
        Ok(Self { exchange, admitted, index, target, format, retriable })
    }

    /// The client's format.
    pub fn client(&self) -> Format {
        self.exchange.borrow().format
    }

    /// The way of its answer. `created`: seconds since 1970.
    pub fn passage(&self, created: u64) -> Passage {
        let Admitted { operation, envelope, .. } = &*self.admitted;
        let exchange = self.exchange.borrow();
        Passage {
            operation: *operation,
            from: self.format,
            to: exchange.format,
            include_usage: envelope.include_usage,
            answers: envelope.answers,
            created,
            id: exchange.request_id.clone(),
            model: self.admitted.targets().get(self.target).map_or_else(String::new, |target| target.model.clone()),
        }
    }

    /// The provider's name.
    pub fn provider_name(&self) -> &str {
        self.admitted.targets().get(self.target).map_or("", |target| target.provider.as_str())
    }

    /// Changes what is written down of it.
    pub fn with<T>(&self, change: impl FnOnce(&mut Attempt) -> T) -> Option<T> {
        self.exchange.borrow_mut().attempts.get_mut(self.index).map(change)
    }

    /// Changes what is counted of its answer.
    pub fn tally<T: Default>(&self, read: impl FnOnce(&mut Tally) -> T) -> T {
        self.with(|attempt| read(&mut attempt.tally)).unwrap_or_default()
    }

    /// Writes down how it ended, and when.
    pub fn end(&self, outcome: Outcome) {
        let now = abi::now();
        self.with(|attempt| attempt.end(outcome, now));
    }

    /// Writes down how it goes.
    pub fn outcome(&self, outcome: Outcome) {
        self.with(|attempt| attempt.outcome = outcome);
    }

    /// Writes down that its answer has begun.
    pub fn first_token(&self) {
        let now = abi::now();
        self.with(|attempt| attempt.first_token = Some(now));
    }

    /// Writes down that its response goes on to the client, with this status.
    pub fn relayed(&self, status: u16) {
        self.exchange.borrow_mut().relayed = Some(status);
    }

    /// What the client is told of how its limits stand.
    pub fn standing(&self) -> upstream::Pairs {
        let exchange = self.exchange.borrow();
        exchange.standing.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())).collect()
    }

    /// Counts bytes that go to the client.
    pub fn sent(&self, bytes: usize) {
        let exchange: &mut Exchange = &mut self.exchange.borrow_mut();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        exchange.response_bytes = exchange.response_bytes.saturating_add(bytes);
    }

    /// Notes which calls the model has asked for, if the request is made from a prompt that is known. To be done when the client
    /// gets them, and before it has.
    pub fn note_calls(&self) {
        let asked = self.tally(|tally| tally.calls.as_mut().map(Calls::take)).unwrap_or_default();
        if asked.is_empty() {
            return;
        }
        let exchange: &mut Exchange = &mut self.exchange.borrow_mut();
        let Some(prompted) = &mut exchange.prompt else { return };
        let Some(asker) = prompted.asker else { return };
        let now_ms = exchange::millis(abi::now());
        let expires_ms = now_ms.saturating_add(prompted.within_ms);
        for asked in asked {
            let call = asker.call(&asked.tool, Some(asked.arguments));
            let note = Note { call, prompt: prompted.name.clone(), expires_ms };
            match tollgate_provenance::note(&note, now_ms) {
                Ok(()) => prompted.noted = prompted.noted.saturating_add(1),
                Err(_) => abi::log(abi::Level::Warn, "tollgate: a call that a model asks for could not be noted"),
            }
        }
    }

    /// How large an answer may be for the cache to keep it; `None` when it keeps none.
    pub fn cache_room(&self) -> Option<usize> {
        self.exchange.borrow().cache.as_ref()?.room()
    }

    /// Hands the cache the whole answer, as a client gets it that wants it in one piece.
    pub fn keep(&self, body: &[u8]) {
        if let Some(cache) = &mut self.exchange.borrow_mut().cache {
            cache.take(body, self.admitted.gate.bounds.held_total_bytes);
        }
    }

    /// An error of ours in the client's format, in the place of the provider's answer.
    pub fn error(&self, error: &ApiError, details: &'static str) -> Reply {
        self.answered(error_reply(self.client(), error, details))
    }

    /// An answer of ours in the client's format, in the place of the provider's.
    pub fn answered(&self, mut reply: Reply) -> Reply {
        reply.headers.push((PROVIDER_HEADER, self.provider_name().to_owned()));
        self.exchange.borrow_mut().response_bytes = u64::try_from(reply.body.len()).unwrap_or(u64::MAX);
        self.relayed(reply.status);
        reply
    }
}

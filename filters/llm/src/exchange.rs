//! One exchange: what its gate and its attempts know together.
//!
//! Gate and provider instances of one worker run in one VM when their `vm_id` is the same. The gate keeps the exchange
//! in a table and its number in filter state; each attempt finds it there, so a request is parsed once.

use crate::answer::Tally;
use crate::cache::Consulted;
use crate::config::{Candidates, Gate, Target};
use crate::refusal::Refusal;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tollgate_host::headers::Headers;
use tollgate_host::state;
use tollgate_kernel::caller::Caller;
use tollgate_kernel::provenance::Asker;
use tollgate_kernel::subject::Label;
use tollgate_limits::Granted;
use tollgate_wire::Format;
use tollgate_wire::endpoint::Operation;
use tollgate_wire::envelope::Envelope;

const STATE_KEY: &str = "tollgate.exchange";

/// Everything known of one exchange. Times are nanoseconds since 1970.
#[derive(Debug)]
pub struct Exchange {
    /// When the request's headers came.
    pub began: u64,
    /// The `x-request-id`.
    pub request_id: String,
    /// Trace id of the client's `traceparent`.
    pub trace_id: Option<String>,
    /// The client's format; for a path that has none, the one its errors are written in.
    pub format: Format,
    /// What is asked for; `None` for a path under which nothing is served.
    pub operation: Option<Operation>,
    /// Who asks, once that is proven.
    pub caller: Option<Rc<Caller>>,
    /// Bytes of the request body.
    pub request_bytes: usize,
    /// The model and whether a stream is asked for, as the client wrote it, once the body was read.
    pub asked: Option<(String, bool)>,
    /// Why the gate said no.
    pub refusal: Option<Refusal>,
    /// The gate itself has answered, for this reason.
    pub answered: Option<&'static str>,
    /// What the cache has to do with it; `None` for what it never keeps.
    pub cache: Option<Consulted>,
    /// What attempts need; set when the request was admitted.
    pub admitted: Option<Rc<Admitted>>,
    /// Attempts, in order.
    pub attempts: Vec<Attempt>,
    /// The status with which the last attempt's response goes on to the client. `None`: what the client gets is not a
    /// provider's, but the gate's or Envoy's own.
    pub relayed: Option<u16>,
    /// An answer came that no provider role has seen: nobody counted what it used.
    pub unseen: bool,
    /// Bytes of the answer that were sent towards the client.
    pub response_bytes: u64,
    /// The prompt that it is made from, if that is known.
    pub prompt: Option<Prompted>,
    /// What it holds of its limits.
    pub limits: Granted,
    /// What the client is told of how they stand.
    pub standing: Vec<(&'static str, String)>,
}

impl Exchange {
    /// Whether a stream is asked for.
    #[must_use]
    pub fn is_streamed(&self) -> bool {
        self.asked.as_ref().is_some_and(|(_, stream)| *stream)
    }
}

/// A request that is made from a prompt that is known.
#[derive(Debug)]
pub struct Prompted {
    /// The prompt's name.
    pub name: Label,
    /// For whom what the model asks for is noted; `None`: nobody in particular, so that nothing is.
    pub asker: Option<Asker>,
    /// For how many milliseconds it may be called.
    pub within_ms: u64,
    /// How many calls were noted.
    pub noted: u64,
}

/// An admitted request.
#[derive(Debug)]
pub struct Admitted {
    /// The configuration it was admitted under, kept over a reload.
    pub gate: Rc<Gate>,
    /// What is asked for.
    pub operation: Operation,
    /// The configured name of the model asked for.
    pub model: Label,
    /// Who may serve it, in order.
    pub candidates: Rc<Candidates>,
    /// What is asked.
    pub envelope: Envelope,
    /// Headers of the client's that providers may see.
    pub carried: Carried,
}

/// Headers of the client's that go on. Attempts take them from here and never read the live headers, in which the
/// attempt before has left its provider's key.
#[derive(Debug, Default)]
pub struct Carried {
    /// To any provider.
    pub always: Vec<(&'static str, Vec<u8>)>,
    /// To a provider that speaks the client's format, to which they belong: `anthropic-version` and the like.
    pub of_format: Vec<(&'static str, Vec<u8>)>,
}

impl Carried {
    /// What goes on of a request's headers. Everything else stays here: cookies, addresses, internal names.
    #[must_use]
    pub fn of(headers: &Headers, format: Format) -> Self {
        const ALWAYS: [&str; 5] = [":method", ":scheme", "user-agent", "x-request-id", "traceparent"];
        let one = |name: &'static str| headers.one(name).map(|value| (name, value.to_vec()));
        let list = |name: &'static str| {
            let values = headers.all(name).collect::<Vec<_>>().join(&b", "[..]); // RFC 9110, section 5.3
            Some((name, values)).filter(|(_, values)| !values.is_empty())
        };
        let of_format = match format {
            Format::OpenaiChat | Format::OpenaiResponses => [list("openai-beta"), None],
            Format::AnthropicMessages => [one("anthropic-version"), list("anthropic-beta")],
            Format::GoogleGemini | Format::BedrockConverse => [None, None],
        };
        Self {
            always: ALWAYS.into_iter().filter_map(one).collect(),
            of_format: of_format.into_iter().flatten().collect(),
        }
    }
}

impl Admitted {
    /// The model's targets, of which the candidates are some.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        self.gate.models.get(&self.model).map_or(&[], |model| &model.targets)
    }

    /// Whether what cannot be carried is refused.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.gate.models.get(&self.model).is_some_and(|model| model.strict)
    }
}

/// One attempt at one provider.
#[derive(Debug)]
pub struct Attempt {
    /// Which of the targets was asked.
    pub target: usize,
    /// When.
    pub began: u64,
    /// When its answer was complete or given up.
    pub ended: Option<u64>,
    /// The provider's own status.
    pub status: Option<u16>,
    /// How it went.
    pub outcome: Outcome,
    /// When the first meaningful piece of the answer came.
    pub first_token: Option<u64>,
    /// What is known of the answer so far.
    pub tally: Tally,
    /// The client's fields that were left out for this provider.
    pub dropped: Vec<&'static str>,
}

impl Attempt {
    /// An attempt that begins now.
    #[must_use]
    pub fn new(target: usize, began: u64) -> Self {
        Self {
            target,
            began,
            ended: None,
            status: None,
            outcome: Outcome::Waiting,
            first_token: None,
            tally: Tally::default(),
            dropped: Vec::new(),
        }
    }

    /// Ends it.
    pub fn end(&mut self, outcome: Outcome, now: u64) {
        self.outcome = outcome;
        self.ended = Some(now);
    }
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No response yet.
    Waiting,
    /// Its answer is being relayed.
    Relaying,
    /// Its answer was relayed to the end.
    Served,
    /// The provider did nothing for us, for this reason: it could not be reached, answered with an error status, or with
    /// an error inside a 200. It bills nothing but what it says was used.
    Refused(&'static str),
    /// The provider told the client, for this reason, that its request is wrong. Nothing is billed.
    Rejected(&'static str),
    /// It gave nothing that could be relayed, for this reason; it may still have worked, and bill for it.
    Failed(&'static str),
    /// It failed after a part was relayed.
    Cut(&'static str),
    /// The client went away before it was done.
    Abandoned,
}

/// An exchange in the hands of its gate and its attempts.
pub type Shared = Rc<RefCell<Exchange>>;

/// Whole seconds of a time in nanoseconds.
#[must_use]
pub const fn seconds(nanos: u64) -> u64 {
    nanos.div_euclid(1_000_000_000)
}

/// Whole milliseconds of a time in nanoseconds.
#[must_use]
pub const fn millis(nanos: u64) -> u64 {
    nanos.div_euclid(1_000_000)
}

thread_local! {
    /// By their numbers, which ascend.
    static TABLE: RefCell<Vec<(u64, Shared)>> = const { RefCell::new(Vec::new()) };
    /// Distinguishes this VM from the one it replaces: during an update the gate may still run in the old one while
    /// attempts run in the new one, and must not be taken for another exchange with the same number.
    static VM_STARTED: u64 = tollgate_host::abi::now();
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// The gate's hold on the table's entry: when the gate is gone, so is the entry.
#[derive(Debug)]
pub struct Entry(u64);

impl Drop for Entry {
    fn drop(&mut self) {
        TABLE.with_borrow_mut(|table| {
            let at = table.binary_search_by_key(&self.0, |(number, _)| *number).ok()?;
            Some(table.remove(at))
        });
    }
}

/// Makes an exchange known to the attempts of this stream.
///
/// # Errors
/// When filter state cannot be written.
pub fn publish(exchange: &Shared) -> tollgate_host::abi::Result<Entry> {
    let number = NEXT.replace(NEXT.get().saturating_add(1));
    state::set(STATE_KEY, name(number).as_bytes())?;
    TABLE.with_borrow_mut(|table| table.push((number, Rc::clone(exchange))));
    Ok(Entry(number))
}

fn name(number: u64) -> String {
    format!("{}-{number}", VM_STARTED.with(|started| *started))
}

/// The exchange this attempt belongs to; `None` when no gate of this VM published one on this stream.
#[must_use]
pub fn of_this_stream() -> Option<Shared> {
    let published = String::from_utf8(state::get(STATE_KEY)?).ok()?;
    let number = published.rsplit_once('-')?.1.parse().ok().filter(|number| name(*number) == published)?;
    TABLE.with_borrow(|table| {
        let at = table.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        table.get(at).map(|(_, exchange)| Rc::clone(exchange))
    })
}

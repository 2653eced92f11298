//! One exchange: what the record and the counters tell of it.

use crate::config::Agent;
use crate::refusal::Refusal;
use crate::ticket::Hop;
use std::rc::Rc;
use tollgate_identity::Token;
use tollgate_kernel::a2a::answer::{Outcome, Tally};
use tollgate_kernel::a2a::conversation::{self, Guard};
use tollgate_kernel::a2a::{Call, Dialect, Error, Named, Operation};
use tollgate_kernel::caller::Caller;
use tollgate_kernel::json_rpc::Id;
use tollgate_kernel::subject::Subject;
use tollgate_limits::Granted;

/// Everything known of one exchange. Times are nanoseconds since 1970.
#[derive(Debug, Default)]
pub struct Exchange {
    /// When the request's headers came.
    pub began: u64,
    /// The `x-request-id`.
    pub request_id: String,
    /// Trace id of the client's `traceparent`.
    pub trace_id: Option<String>,
    /// The agent that is called.
    pub callee: Option<Rc<Agent>>,
    /// Who calls, once that is proven.
    pub caller: Option<Rc<Caller>>,
    /// Who certificate and token say, where they do not agree.
    pub claimed: Vec<(&'static str, Subject)>,
    /// The verified token, where one proves that.
    pub token: Option<Rc<Token>>,
    /// What the caller speaks, as far as that is known.
    pub dialect: Option<Dialect>,
    /// Bytes of the request body.
    pub request_bytes: usize,
    /// Which call of its transaction it is.
    pub hop: Option<Hop>,
    /// What is asked for, once that was read.
    pub asked: Option<Asked>,
    /// What the rules say of it.
    pub decided: Option<Decided>,
    /// Why the gate said no.
    pub refusal: Option<Refusal>,
    /// What it holds of its limits.
    pub limits: Granted,
    /// Who judges whose conversation the answer is of.
    pub guard: Option<Guard>,
    /// It reached its agent.
    pub went_on: bool,
    /// What came back.
    pub tally: Tally,
}

impl Exchange {
    /// Whether it is told that a task is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let is_refused = self.refusal == Some(Refusal::Conversation(conversation::Refusal::NotThere));
        is_refused || self.tally.outcome == Outcome::Error(Some(Error::TaskNotFound.code()))
    }
}

/// What a request asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What the answer will carry, in JSON-RPC.
    pub id: Option<Id<'static>>,
    /// What is asked for.
    pub operation: Named<'static>,
    /// What else it says; `None`: nobody has read it.
    pub said: Option<Said>,
}

/// What a request says beside what it asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// To which tenant of the agent's.
    pub tenant: Option<String>,
    /// The context that a message belongs to, or whose tasks are listed.
    pub context: Option<String>,
    /// The task that it is about.
    pub task: Option<String>,
    /// The message's id.
    pub message: Option<String>,
    /// The skill that is declared.
    pub skill: Option<String>,
    /// Extensions that it turns on.
    pub extensions: Vec<String>,
    /// How many addresses are to be told.
    pub push: usize,
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// `allow`, `deny`.
    pub verdict: &'static str,
    /// Where in the configuration the rule stands that says so.
    pub rule: Option<String>,
    /// The stable reason code.
    pub reason: &'static str,
    /// The first rule in shadow that would have decided, and what it would have said.
    pub shadow: Option<(String, &'static str)>,
}

impl Asked {
    /// What a request that was read asks for.
    #[must_use]
    pub fn of(call: &Call<'_, '_>) -> Self {
        let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let said = Said {
            tenant: text(&call.tenant),
            context: text(&call.context),
            task: text(&call.task),
            message: text(&call.message_id),
            skill: text(&call.skill),
            extensions: call.extensions.clone(),
            push: call.push.len(),
        };
        Self { id: call.id.clone().map(Id::into_owned), operation: owned(&call.operation), said: Some(said) }
    }

    /// Says the context that it is sent in.
    pub fn is_said_in(&mut self, context: &str) {
        if let Some(said) = &mut self.said {
            said.context = Some(context.to_owned());
        }
    }

    /// The operation, if it is one of A2A's.
    #[must_use]
    pub const fn operation(&self) -> Option<Operation> {
        match self.operation {
            Named::Known(operation) => Some(operation),
            Named::Other(_) => None,
        }
    }
}

fn owned(named: &Named<'_>) -> Named<'static> {
    match named {
        Named::Known(operation) => Named::Known(*operation),
        Named::Other(name) => Named::Other(name.clone().into_owned().into()),
    }
}

//! One exchange: what the record and the counters tell of it.

use crate::config::Server;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::tools::{Findings, Results};
use std::rc::Rc;
use tollgate_identity::Token;
use tollgate_kernel::approval::Id as ApprovalId;
use tollgate_kernel::caller::Caller;
use tollgate_kernel::json::Digest;
use tollgate_kernel::json_rpc::Id;
use tollgate_kernel::mcp::answer::Tally;
use tollgate_kernel::mcp::session::Client;
use tollgate_kernel::mcp::{Method, Named, Revision};
use tollgate_kernel::provenance::Note;
use tollgate_kernel::subject::{Label, Subject};
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
    /// The server that is asked.
    pub server: Option<Rc<Server>>,
    /// The name of the server that has what is asked for: that one, or one behind it.
    pub owner: Option<String>,
    /// What is done with the transport.
    pub transport: Option<Transport>,
    /// Who asks, once that is proven.
    pub caller: Option<Rc<Caller>>,
    /// The verified token, where one proves that.
    pub token: Option<Rc<Token>>,
    /// The session it is in, or that it opens.
    pub session: Option<Session>,
    /// What the client says that it can, where it opens a session.
    pub declared: Option<Client>,
    /// It may be answered by a task.
    pub may_begin_task: bool,
    /// Bytes of the request body.
    pub request_bytes: usize,
    /// What the body says, once it was read.
    pub asked: Option<Asked>,
    /// What it is called with, as the record tells it.
    pub arguments: Option<String>,
    /// What the rules say of it.
    pub decided: Option<Decided>,
    /// What has come of asking somebody, where a rule wants that.
    pub approval: Option<Approval>,
    /// Of a visit to the approval page: what has come of it.
    pub visit: Option<&'static str>,
    /// The prompt from which it comes, where a rule wants one.
    pub prompt: Option<Label>,
    /// Why the gate said no.
    pub refusal: Option<Refusal>,
    /// What it holds of its limits.
    pub limits: Granted,
    /// It reached its server.
    pub went_on: bool,
    /// What came back.
    pub tally: Tally,
    /// What the result must be, where it is checked.
    pub results: Option<Results>,
    /// Why the client got something else instead of the result.
    pub replaced: Option<&'static str>,
    /// What was found of tools.
    pub tools: Findings,
}

/// What is done with Streamable HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A message is posted.
    Post,
    /// The session's stream is listened to.
    Listen,
    /// The session is ended.
    End,
}

/// What a message asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// In which revision it is written.
    pub revision: Revision,
    /// What the answer will carry; `None` for what wants none.
    pub id: Option<Id<'static>>,
    /// The method; `None` for the answer to a request of the server's.
    pub method: Option<Named<'static>>,
    /// What it acts on.
    pub object: Option<Object>,
    /// Of the arguments, in their one spelling.
    pub arguments: Option<Digest>,
}

/// What a request acts on, as rules name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// `<server>.<tool>`.
    Tool(String),
    /// `<server>.<prompt>`.
    Prompt(String),
    /// A URI.
    Resource(String),
    /// URIs.
    Resources(Vec<String>),
    /// The id of a task.
    Task(String),
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// `allow`, `confirm`, `deny`.
    pub verdict: &'static str,
    /// Where in the configuration the rule stands that says so.
    pub rule: Option<String>,
    /// The stable reason code.
    pub reason: &'static str,
    /// The first rule in shadow that would have decided, and what it would have said.
    pub shadow: Option<(String, &'static str)>,
    /// With these scopes a rule would not have said no.
    pub lacks: Option<String>,
    /// The notes of which the call needs one, where the rule wants a prompt.
    pub noted: Vec<Note>,
    /// The prompts of which it comes from none, where no rule matches for want of one.
    pub wanted: Option<String>,
}

impl Decided {
    /// Allowed by this part of the configuration, for this reason.
    #[must_use]
    pub fn of(rule: &str, reason: &'static str) -> Self {
        Self {
            verdict: "allow",
            rule: Some(rule.to_owned()),
            reason,
            shadow: None,
            lacks: None,
            noted: Vec::new(),
            wanted: None,
        }
    }
}

/// What has come of asking somebody, or what somebody has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// `asked`, `accepted`, `declined`: of the person at the client. `asked`, `waiting`, `approved`, `rejected`: of somebody
    /// else. `approve`, `reject`: who asks says so.
    pub word: &'static str,
    /// What it is about, where somebody else is asked.
    pub id: Option<ApprovalId>,
    /// Who else has said so.
    pub by: Option<Subject>,
    /// Why.
    pub reason: Option<String>,
    /// Whose call that is.
    pub of: Option<Subject>,
    /// And what it calls.
    pub object: Option<String>,
}

impl Approval {
    /// Whether somebody has said no.
    #[must_use]
    pub fn is_no(&self) -> bool {
        matches!(self.word, "declined" | "rejected")
    }

    /// A word alone.
    #[must_use]
    pub const fn word(word: &'static str) -> Self {
        Self { word, id: None, by: None, reason: None, of: None, object: None }
    }
}

impl Transport {
    /// The method of HTTP.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Listen => "GET",
            Self::End => "DELETE",
        }
    }
}

impl Asked {
    /// Whether it calls a tool.
    #[must_use]
    pub fn is_call(&self) -> bool {
        self.method == Some(Named::Known(Method::ToolsCall))
    }
}

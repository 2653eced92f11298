//! One call that a rule wants confirmed: may it run now, and if not, what is told instead.

use super::page::{self, PATH};
use super::store::{Shared, Store, use_state};
use crate::exchange::{Approval, Asked, Object};
use tollgate_host::abi;
use tollgate_host::shared_data::Unavailable;
use tollgate_kernel::approval::pending::{self, Answer, Asking, Standing};
use tollgate_kernel::approval::question::{Arguments, Question, can_ask, clipped, duration, url_required};
use tollgate_kernel::approval::reply::{Reply, carried, forwarded};
use tollgate_kernel::approval::state::{Fault, State};
use tollgate_kernel::approval::used::{self, NotUsed};
use tollgate_kernel::approval::{Call, Id};
use tollgate_kernel::json::{Digest, Document, Value};
use tollgate_kernel::mcp::session::Client;
use tollgate_kernel::mcp::{self, Method, Named, Revision};
use tollgate_kernel::rule::{self, Confirm};
use tollgate_kernel::signing_keys::SigningKeys;
use tollgate_kernel::subject::Subject;

/// A call, and what its rule wants.
#[derive(Debug, Clone, Copy)]
pub struct Unconfirmed<'c, 'd, 'a> {
    /// The message.
    pub document: &'d Document<'a>,
    /// The call in it.
    pub call: &'c mcp::Call<'d, 'a>,
    /// The same, as rules and records name it.
    pub asked: &'c Asked,
    /// The server that has what is called.
    pub server: &'c str,
    /// Who asks.
    pub subject: &'c Subject,
    /// The rule, as records name it.
    pub rule: &'c str,
    /// What it wants.
    pub confirm: &'c Confirm,
    /// What MACs are made with.
    pub keys: &'c SigningKeys,
    /// Where people find the page, if the configuration says so.
    pub page: Option<&'c str>,
    /// What the client of the session can.
    pub client: Client,
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

/// It may run if the yes is still there when it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    yes: Yes,
    /// What goes on instead of the body, if not that as it came.
    pub body: Option<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Yes {
    /// Of the person at the client.
    State { nonce: Id, expires_ms: u64 },
    /// Of somebody else.
    Entry { id: Id, call: Digest, requester: Box<Subject>, approval: rule::Approval },
}

/// It does not run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// The stable reason code.
    pub reason: &'static str,
    /// What the caller is told.
    pub told: String,
    /// What makes the client ask a person.
    pub question: Option<Ask>,
}

/// What makes a client ask a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The result with a form.
    Form(String),
    /// The data of the error with an address.
    Address(String),
}

/// Whether the call runs, and what the record says of the asking.
pub type Outcome = (Option<Approval>, Result<Agreed, Waits>);

impl Unconfirmed<'_, '_, '_> {
    /// Whether it may run now.
    pub fn decide(&self) -> Outcome {
        let outcome = match self.confirm.by {
            rule::Approval::Caller if self.asked.revision.is_stateless() => self.ask_caller(),
            rule::Approval::Caller => self.ask_beside(),
            rule::Approval::Approver(_) => self.ask_on_page(),
        };
        outcome.unwrap_or_else(|Unavailable| (None, Err(unavailable())))
    }

    fn approved(&self) -> Call<'_> {
        let object = match &self.asked.object {
            Some(Object::Tool(name) | Object::Prompt(name) | Object::Resource(name) | Object::Task(name)) => name,
            Some(Object::Resources(_)) | None => "",
        };
        Call {
            subject: self.subject,
            server: self.server,
            method: self.call.method.as_str(),
            object,
            parameters: Call::parameters(self.call.params),
            rule: self.rule,
        }
    }

    fn ask_caller(&self) -> Result<Outcome, Unavailable> {
        let approved = self.approved();
        let text = self.call.params.and_then(|params| params.get("requestState")).and_then(Value::as_str);
        let opened = text.as_deref().map(|text| State::open(self.keys, &approved, text, self.now_ms));
        match opened {
            Some(Ok(state)) => match Reply::of(self.call.params) {
                Reply::Yes => {
                    let State { expires_ms, nonce, upstream } = state;
                    let params = self.call.params;
                    let body = params.map(|params| forwarded(self.document, params, upstream.as_deref()));
                    let agreed = Agreed { yes: Yes::State { nonce, expires_ms }, body };
                    Ok((Some(Approval::word("accepted")), Ok(agreed)))
                }
                Reply::No => {
                    let refused = waits("confirmation_declined", "the person at the client said no");
                    Ok((Some(Approval::word("declined")), Err(refused)))
                }
                Reply::Missing => self.ask(state.upstream),
            },
            // What the client has for the server is for later.
            None | Some(Err(Fault::Foreign)) => {
                self.ask(self.call.params.and_then(|params| carried(self.document, params)))
            }
            Some(Err(Fault::Forged | Fault::Expired | Fault::OtherCall)) => self.ask(None),
        }
    }

    fn ask(&self, upstream: Option<String>) -> Result<Outcome, Unavailable> {
        let may_ask =
            matches!(self.call.method, Named::Known(Method::ToolsCall | Method::PromptsGet | Method::ResourcesRead));
        if !may_ask || !can_ask(self.call.capabilities) {
            return self.ask_beside();
        }
        let nonce = Id(abi::random().map_err(|_| Unavailable)?);
        let state = State { expires_ms: self.expires_ms(), nonce, upstream };
        let approved = self.approved();
        let Some(state) = state.seal(self.keys, &approved) else {
            return Ok((
                None,
                Err(waits("confirmation_impossible", "what the server wants back is too long to be kept meanwhile")),
            ));
        };
        let question = Question {
            object: if approved.object.is_empty() { approved.method } else { approved.object },
            server: self.server,
            rule: self.rule,
            arguments: self.call.arguments,
            within_s: self.confirm.within_s,
        };
        let asked = Waits {
            question: Some(Ask::Form(question.result(&state))),
            ..waits("confirmation_asked", "the person at the client is asked")
        };
        Ok((Some(Approval::word("asked")), Err(asked)))
    }

    /// A client that has no form for the question: the person at it can answer on the page, if it is known who that is.
    fn ask_beside(&self) -> Result<Outcome, Unavailable> {
        if self.subject.user.is_some() { self.ask_on_page() } else { Ok((None, Err(impossible()))) }
    }

    fn ask_on_page(&self) -> Result<Outcome, Unavailable> {
        let approved = self.approved();
        let arguments = Arguments::for_page(self.call.arguments, pending::MAX_ARGUMENTS);
        let asking = Asking {
            call: approved,
            arguments: &arguments,
            approval: &self.confirm.by,
            within_s: self.confirm.within_s,
            id: Id(abi::random().map_err(|_| Unavailable)?),
        };
        let standing = Shared.change(pending::slot_of_call(&approved), |slot| {
            let before = slot.clone();
            let standing = slot.come(&asking, self.now_ms);
            if matches!(standing, Standing::Runs { .. }) {
                // A limit can still be in the way: the yes is taken after that.
                *slot = before;
            }
            standing
        })?;
        Ok(match standing {
            Standing::Waits { id, is_new, expires_ms } => {
                let word = if is_new { "asked" } else { "waiting" };
                (Some(Approval { id: Some(id), ..Approval::word(word) }), Err(self.pending(&id, expires_ms)))
            }
            Standing::Runs { id, answer } => {
                let (requester, approval) = (Box::new(self.subject.clone()), self.confirm.by.clone());
                let yes = Yes::Entry { id, call: approved.digest(), requester, approval };
                (Some(said("approved", id, answer)), Ok(Agreed { yes, body: None }))
            }
            Standing::Rejected { id, answer } => {
                let refused = waits("approval_rejected", &rejected(&answer));
                (Some(said("rejected", id, answer)), Err(refused))
            }
            Standing::Full => (
                None,
                Err(waits("approvals_full", "too many calls wait for approval; try again when some are answered")),
            ),
        })
    }

    fn pending(&self, id: &Id, expires_ms: u64) -> Waits {
        let who = match self.confirm.by {
            rule::Approval::Caller => "the person who asks must confirm it",
            rule::Approval::Approver(_) => "somebody else must approve it",
        };
        let left = duration(expires_ms.saturating_sub(self.now_ms).div_euclid(1000));
        let at = page::address_of(self.page.unwrap_or(PATH), id);
        let told = format!("nothing has run yet: {who} at {at} within {left}; then make exactly the same call again");
        Waits { question: self.address(id, &at, &left), ..waits("approval_pending", &told) }
    }

    /// What makes the client send its person to the page: there is one way to do that in 2025-11-25. Not for an approver, who is
    /// somebody else.
    fn address(&self, id: &Id, at: &str, left: &str) -> Option<Ask> {
        let is_for_person = self.confirm.by == rule::Approval::Caller && self.client == Client::OpensAddresses;
        if !is_for_person || self.page.is_none() || self.asked.revision != Revision::November2025 {
            return None;
        }
        let Call { object, method, server, .. } = self.approved();
        let object = clipped(if object.is_empty() { method } else { object });
        let message = format!(
            "Read on this page what {object} on the server {server} is about to do, and confirm it within {left}."
        );
        Some(Ask::Address(url_required(id, at, &message)))
    }

    const fn expires_ms(&self) -> u64 {
        self.now_ms.saturating_add(self.confirm.within_s.saturating_mul(1000))
    }
}

impl Agreed {
    /// Takes the yes, alone of all workers.
    ///
    /// # Errors
    /// When it was taken meanwhile, or cannot be.
    pub fn take(&self, now_ms: u64) -> Result<(), Waits> {
        let taken = match &self.yes {
            Yes::State { nonce, expires_ms } => {
                use_state(used::slot(nonce), |used| used.add(nonce, *expires_ms, now_ms))
            }
            Yes::Entry { id, call, requester, approval } => Shared.change(pending::slot_of(id), |slot| {
                slot.take(call, requester, approval, now_ms).map(|_| ()).ok_or(NotUsed::Before)
            }),
        };
        match taken {
            Ok(Ok(())) => Ok(()),
            Ok(Err(NotUsed::Before)) => Err(waits(
                "confirmation_used",
                "a yes is good for one call, and this one was used; call again to ask again",
            )),
            Ok(Err(NotUsed::Full)) => {
                Err(waits("approvals_full", "too many confirmed calls at once; try again in a few minutes"))
            }
            Err(Unavailable) => Err(unavailable()),
        }
    }
}

fn impossible() -> Waits {
    waits(
        "confirmation_impossible",
        "the person at the client must confirm this call, and cannot be asked: that needs MCP 2026-07-28 with form elicitation, \
         or a proven user who confirms on the approval page",
    )
}

fn unavailable() -> Waits {
    waits("approvals_unavailable", "approvals cannot be kept now; try again later")
}

fn waits(reason: &'static str, told: &str) -> Waits {
    Waits { reason, told: told.to_owned(), question: None }
}

fn said(word: &'static str, id: Id, answer: Answer) -> Approval {
    Approval { id: Some(id), by: Some(answer.by), reason: Some(answer.reason), ..Approval::word(word) }
}

fn rejected(answer: &Answer) -> String {
    let by = answer.by.user.as_ref().map_or("an approver", |user| user.as_str());
    let why = if answer.reason.is_empty() { "no reason was given" } else { &answer.reason };
    format!("{by} rejected this call: {why}")
}

//! Sessions, on their way to and from clients: each belongs to who opened it ([`kernel::mcp::session`]).
//!
//! [`kernel::mcp::session`]: tollgate_kernel::mcp::session

use crate::config::Gate;
use crate::exchange::{Exchange, Transport};
use crate::refusal::Refusal;
use std::fmt;
use tollgate_host::abi::{self, Map};
use tollgate_host::headers::Headers;
use tollgate_kernel::approval::question::can_open;
use tollgate_kernel::mcp::event_id::EventIds;
use tollgate_kernel::mcp::session::{self, Client, Owner};
use tollgate_kernel::mcp::{self, Call, Method, Named, Revision};

const ID: &str = "mcp-session-id";
const LAST_EVENT: &str = "last-event-id";

/// A session as its server knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    id: Vec<u8>,
    name: String,
    client: Client,
    /// Behind which of its events a stream goes on, as the server knows that.
    last_event: Option<Vec<u8>>,
}

impl Session {
    pub(crate) fn new(server: &str, id: &[u8], client: Client) -> Self {
        Self { id: id.to_vec(), name: session::name(server, id), client, last_event: None }
    }

    /// The ids of its events, whoever owns it.
    #[must_use]
    pub fn event_ids(&self, owner: &Owner<'_>) -> EventIds {
        EventIds::of(owner, &self.id)
    }

    /// What it is called in records and limits.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its client can.
    #[must_use]
    pub const fn client(&self) -> Client {
        self.client
    }

    /// Has the request go on with the server's own ids.
    ///
    /// # Errors
    /// When the host refuses.
    pub(crate) fn go_on(&self) -> abi::Result<()> {
        abi::set_header(Map::Request, ID, &self.id)?;
        self.last_event.as_ref().map_or(Ok(()), |id| abi::set_header(Map::Request, LAST_EVENT, id))
    }
}

/// Without its id.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.name).finish()
    }
}

/// Whether a client's header means nothing to this request, and goes no further: what belongs to sessions, in the revision
/// that has none, and where no stream is taken up again.
pub(crate) fn is_stripped(name: &[u8], transport: Option<Transport>, headers: &Headers) -> bool {
    let in_session = !is_stateless(headers);
    (name == ID.as_bytes() && !in_session)
        || (name == LAST_EVENT.as_bytes() && !(in_session && transport == Some(Transport::Listen)))
}

/// The session that a request is in.
///
/// # Errors
/// When it is not the caller's, or a stream is to be taken up again without saying of which session.
pub(crate) fn of_request(gate: &Gate, exchange: &Exchange, headers: &Headers) -> Result<Option<Session>, Refusal> {
    if is_stateless(headers) {
        return Ok(None);
    }
    let one = |name: &'static str, known_as| match headers.one(name) {
        None if headers.all(name).next().is_some() => Err(Refusal::Protocol(mcp::Reason::RepeatedHeader(known_as))),
        value => Ok(value),
    };
    let resumed = one(LAST_EVENT, "Last-Event-ID")?.filter(|_| exchange.transport == Some(Transport::Listen));
    let Some(carried) = one(ID, "Mcp-Session-Id")? else {
        return if resumed.is_some() { Err(Refusal::UnknownSession) } else { Ok(None) };
    };
    let owner = owner(exchange).ok_or(Refusal::UnknownSession)?;
    let (id, client) = owner.open(&gate.signing, carried).ok_or(Refusal::UnknownSession)?;
    let session = Session::new(owner.server, id, client);
    let event = |carried| session.event_ids(&owner).open(&gate.signing, carried).map(<[u8]>::to_vec);
    let last_event = resumed.map(|carried| event(carried).ok_or(Refusal::UnknownEvent)).transpose()?;
    Ok(Some(Session { last_event, ..session }))
}

/// What a client says that it can, if it opens a session.
pub(crate) fn declared(call: &Call<'_, '_>) -> Option<Client> {
    (call.method == Named::Known(Method::Initialize))
        .then(|| if can_open(call.capabilities) { Client::OpensAddresses } else { Client::Plain })
}

/// What the client gets of the session that an answer names.
///
/// # Errors
/// When the host refuses.
pub(crate) fn of_answer(
    gate: &Gate,
    exchange: &Exchange,
    headers: &Headers,
) -> abi::Result<Result<Option<Session>, ()>> {
    if headers.all(ID).next().is_none() {
        return Ok(Ok(None));
    }
    if exchange.asked.as_ref().is_some_and(|asked| asked.revision.is_stateless()) {
        return abi::remove_header(Map::Response, ID.as_bytes()).map(|()| Ok(None));
    }
    // Servers may repeat the id in every answer.
    let client = exchange.declared.or(exchange.session.as_ref().map(Session::client)).unwrap_or_default();
    let found = headers.one(ID).zip(owner(exchange));
    let Some((id, carried)) = found.and_then(|(id, owner)| Some((id, owner.seal(&gate.signing, id, client)?))) else {
        return Ok(Err(()));
    };
    abi::set_header(Map::Response, ID, carried.as_bytes())?;
    Ok(Ok(exchange.server.as_ref().map(|server| Session::new(server.name.as_str(), id, client))))
}

fn owner(exchange: &Exchange) -> Option<Owner<'_>> {
    let (server, caller) = exchange.server.as_ref().zip(exchange.caller.as_ref())?;
    Some(Owner { server: server.name.as_str(), subject: &caller.subject })
}

/// Whether a request says that it is of the revision without sessions. What else it may say is told from its body.
fn is_stateless(headers: &Headers) -> bool {
    let version = headers.text("mcp-protocol-version").map(str::trim);
    version.and_then(Revision::of_name).is_some_and(Revision::is_stateless)
}

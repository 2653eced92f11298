//! What a request asks, wherever its version and binding put it.

use super::member::{self, Spelling};
use super::push_config::{self, PushConfig};
use super::query::Query;
use super::route::Route;
use super::{Binding, Dialect, Named, Operation, Reason, SkillKeys, Version, extension, id};
use crate::json::{Document, Edits, Kind, Value, folds_to, quoted};
use crate::json_rpc::Id;
use std::borrow::Cow;

/// A request.
#[derive(Debug)]
pub struct Call<'d, 'a> {
    /// What the caller speaks.
    pub dialect: Dialect,
    /// What the answer will carry, in JSON-RPC.
    pub id: Option<Id<'a>>,
    /// What is asked for. Of what A2A does not have, nothing but the extensions is read.
    pub operation: Named<'a>,
    /// To which tenant of the agent's, as path, query and body say.
    pub tenant: Option<Cow<'a, str>>,
    /// The context that a message belongs to, or whose tasks are listed.
    pub context: Option<Cow<'a, str>>,
    /// The task that it is about.
    pub task: Option<Cow<'a, str>>,
    /// Other tasks that a message names.
    pub references: Vec<Cow<'a, str>>,
    /// The message's id.
    pub message_id: Option<Cow<'a, str>>,
    /// The skill that is declared.
    pub skill: Option<Cow<'a, str>>,
    /// Every address that it wants to be told, wherever some version has a place for one.
    pub push: Vec<PushConfig<'a>>,
    /// The id of the push notification configuration that it is about.
    pub push_id: Option<Cow<'a, str>>,
    /// Extensions that headers or the message turn on.
    pub extensions: Vec<String>,
    /// Whether the answer to a message waits until its task stops.
    pub waits: bool,
    /// How many messages of a task's history are asked for.
    pub history: Option<u32>,
    /// Whether it claims a chain of actors, which nobody has proven.
    pub claims_actors: bool,
    message: Option<Value<'d, 'a>>,
    metadata: Vec<Value<'d, 'a>>,
}

/// What says what is asked for, apart from parameters.
pub(super) struct Said<'r, 'a> {
    pub(super) dialect: Dialect,
    pub(super) id: Option<Id<'a>>,
    pub(super) operation: Named<'a>,
    pub(super) route: Option<&'r Route>,
    pub(super) query: &'r Query,
    pub(super) extensions: &'r [String],
    pub(super) skills: &'r SkillKeys,
}

impl<'d, 'a> Call<'d, 'a> {
    /// Reads the parameters: an object, or nothing.
    pub(super) fn read(said: Said<'_, 'a>, params: Option<Value<'d, 'a>>) -> Result<Self, Reason> {
        let Said { dialect, id, operation, route, query, extensions, skills } = said;
        let known = match operation {
            Named::Known(known) => Some(known),
            Named::Other(_) => None,
        };
        let mut call = Self {
            dialect,
            id,
            operation,
            tenant: None,
            context: None,
            task: None,
            references: Vec::new(),
            message_id: None,
            skill: None,
            push: Vec::new(),
            push_id: None,
            extensions: extensions.to_vec(),
            waits: false,
            history: None,
            claims_actors: false,
            message: None,
            metadata: Vec::new(),
        };
        let Some(known) = known else { return Ok(call) };
        if let Some(params) = params {
            call.parameters(known, params)?;
        }
        if let Some(route) = route {
            call.path(route, query)?;
        }
        call.metadata(skills)?;
        call.check(known)?;
        Ok(call)
    }

    fn parameters(&mut self, operation: Operation, params: Value<'d, 'a>) -> Result<(), Reason> {
        self.tenant = member::id(params, member::TENANT)?;
        self.metadata.extend(member::object(params, member::METADATA)?);
        self.history = member::count(params, member::HISTORY_LENGTH)?;
        match operation {
            Operation::SendMessage | Operation::SendStreamingMessage => self.sent(operation, params),
            Operation::GetTask | Operation::CancelTask | Operation::SubscribeToTask => {
                self.task = member::id(params, member::ID)?;
                self.resource(params)
            }
            Operation::ListTasks => {
                self.context = member::id(params, member::CONTEXT_ID)?;
                Ok(())
            }
            Operation::CreatePushConfig => {
                self.push_operation(operation, params)?;
                self.resource(params)?;
                push_config::collect(params, &mut self.push)
            }
            Operation::GetPushConfig | Operation::ListPushConfigs | Operation::DeletePushConfig => {
                self.push_operation(operation, params)?;
                self.resource(params)
            }
            Operation::GetExtendedCard => Ok(()),
        }
    }

    fn sent(&mut self, operation: Operation, params: Value<'d, 'a>) -> Result<(), Reason> {
        let message = member::object(params, self.message_spelling())?.ok_or(Reason::Parameter("message"))?;
        self.message = Some(message);
        self.context = member::id(message, member::CONTEXT_ID)?;
        self.task = member::id(message, member::TASK_ID)?;
        self.message_id = member::id(message, member::MESSAGE_ID)?;
        self.references = member::texts(message, member::REFERENCE_TASK_IDS, id::is_id)?;
        for uri in member::texts(message, member::EXTENSIONS, extension::is_extension)? {
            extension::add(&mut self.extensions, &uri)?;
        }
        self.metadata.extend(member::object(message, member::METADATA)?);
        self.waits = operation == Operation::SendMessage;
        let Some(configuration) = member::object(params, member::CONFIGURATION)? else { return Ok(()) };
        self.history = member::count(configuration, member::HISTORY_LENGTH)?;
        let blocking = member::flag(configuration, member::BLOCKING)?;
        let returns = member::flag(configuration, member::RETURN_IMMEDIATELY)?;
        self.waits &= match self.dialect.version {
            Version::V0_3 => blocking != Some(false),
            Version::V1_0 => returns != Some(true),
        };
        for place in [member::PUSH_CONFIG, member::TASK_PUSH_CONFIG, member::PUSH_NOTIFICATION] {
            if let Some(config) = member::object(configuration, place)? {
                push_config::collect(config, &mut self.push)?;
            }
        }
        Ok(())
    }

    fn message_spelling(&self) -> Spelling {
        match (self.dialect.binding, self.dialect.version) {
            (Binding::HttpJson, Version::V0_3) => member::MESSAGE_OR_REQUEST,
            _ => member::MESSAGE,
        }
    }

    /// Of which task, and which of its configurations.
    fn push_operation(&mut self, operation: Operation, params: Value<'d, 'a>) -> Result<(), Reason> {
        let is_new = operation == Operation::CreatePushConfig;
        let (task, config) = match (self.dialect.version, self.dialect.binding) {
            (Version::V1_0, _) => (member::TASK_ID, member::ID),
            (Version::V0_3, Binding::JsonRpc) if is_new => (member::TASK_ID, member::PUSH_CONFIG_ID),
            (Version::V0_3, Binding::JsonRpc) => (member::ID, member::PUSH_CONFIG_ID),
            (Version::V0_3, _) => return Ok(()),
        };
        self.task = member::id(params, task)?;
        self.push_id = member::id(params, config)?;
        Ok(())
    }

    /// The names of resources by which 0.3 over HTTP says the task once more.
    fn resource(&mut self, params: Value<'d, 'a>) -> Result<(), Reason> {
        if (self.dialect.binding, self.dialect.version) != (Binding::HttpJson, Version::V0_3) {
            return Ok(());
        }
        let config = member::object(params, member::CONFIG)?;
        let names = [
            member::text(params, member::NAME)?,
            member::text(params, member::PARENT)?,
            config.map(|config| member::text(config, member::NAME)).transpose()?.flatten(),
        ];
        for name in names.into_iter().flatten() {
            let task = name.strip_prefix("tasks/").and_then(|rest| rest.split('/').next());
            let task = task.filter(|id| id::is_id(id)).ok_or(Reason::Parameter("name"))?;
            agree(&mut self.task, task, "name")?;
        }
        Ok(())
    }

    /// What path and query say. Servers differ in which of them counts, so they must agree with the body.
    fn path(&mut self, route: &Route, query: &Query) -> Result<(), Reason> {
        for (own, name, said) in [
            (&mut self.task, "taskId", &route.task),
            (&mut self.tenant, "tenant", &route.tenant),
            (&mut self.push_id, "id", &route.config),
        ] {
            match said {
                Some(said) => agree(own, said, name)?,
                // 1.0 has its tenant in the path, if it has one.
                None if name == "tenant" && own.is_some() => return Err(Reason::Disagreement(name)),
                None => {}
            }
        }
        if let (Operation::ListTasks, Some(said)) = (route.operation, query.get(member::CONTEXT_ID)?) {
            let said = Some(said).filter(|said| id::is_id(said)).ok_or(Reason::Parameter("contextId"))?;
            agree(&mut self.context, said, "contextId")?;
        }
        for (own, spelling) in
            [(&self.task, member::TASK_ID), (&self.tenant, member::TENANT), (&self.context, member::CONTEXT_ID)]
        {
            if query.get(spelling)?.is_some_and(|said| own.as_deref() != Some(said)) {
                return Err(Reason::Disagreement(member::name(spelling)));
            }
        }
        if let Some(said) = query.get(member::ID)? {
            let own = if route.config.is_some() { &self.push_id } else { &self.task };
            if own.as_deref() != Some(said) {
                return Err(Reason::Disagreement("id"));
            }
        }
        if let Some(length) = query.get(member::HISTORY_LENGTH)? {
            let length = length.parse().map_err(|_| Reason::Parameter("historyLength"))?;
            if self.history.replace(length).is_some_and(|own| own != length) {
                return Err(Reason::Disagreement("historyLength"));
            }
        }
        Ok(())
    }

    fn metadata(&mut self, skills: &SkillKeys) -> Result<(), Reason> {
        self.skill = skills.find(&self.metadata)?;
        self.claims_actors = self.metadata.iter().any(|object| object.members().any(|member| claims(&member.key())));
        Ok(())
    }

    fn check(&self, operation: Operation) -> Result<(), Reason> {
        let (needs_task, needs_config) = match operation {
            Operation::SendMessage | Operation::SendStreamingMessage => {
                self.message.ok_or(Reason::Parameter("message"))?;
                (false, false)
            }
            Operation::ListTasks | Operation::GetExtendedCard => (false, false),
            Operation::DeletePushConfig => (true, true),
            // In 0.3 it may be left out: the task's only one.
            Operation::GetPushConfig => (true, self.dialect.version == Version::V1_0),
            _ => (true, false),
        };
        if needs_task && self.task.is_none() {
            return Err(Reason::Parameter("taskId"));
        }
        if needs_config && self.push_id.is_none() {
            return Err(Reason::Parameter("id"));
        }
        if operation == Operation::CreatePushConfig && self.push.is_empty() {
            return Err(Reason::Parameter("url"));
        }
        Ok(())
    }

    /// The message, where one is sent.
    #[must_use]
    pub const fn message(&self) -> Option<Value<'d, 'a>> {
        self.message
    }

    /// The body that the agent gets instead: without the actors that it claims, and with its message in the context that the
    /// gateway supplies, where it names none. `None`: the body as it is.
    #[must_use]
    pub fn body_for_agent(&self, document: &Document<'a>, context: Option<&str>) -> Option<Vec<u8>> {
        let mut edits = Edits::default();
        for object in &self.metadata {
            let members: Vec<_> = object.members().map(|member| (member.range(), claims(&member.key()))).collect();
            if members.iter().any(|(_, claims)| *claims) {
                edits.leave_out(&members);
            }
        }
        if let (Some(message), Some(context), None) = (self.message, context, &self.context) {
            let context = quoted(context);
            // `null` or an empty text.
            match message.members().find(|member| member::CONTEXT_ID.iter().any(|key| member.is(key))) {
                Some(member) => edits.replace(member.value.range(), context),
                None => {
                    let at = message.range().start.saturating_add(1);
                    let comma = if message.members().next().is_some() { "," } else { "" };
                    edits.replace(at..at, format!("\"contextId\":{context}{comma}"));
                }
            }
        }
        edits.apply(document).map(|(body, _)| body)
    }
}

/// Whether metadata claim actors under this key, to some reader.
fn claims(key: &str) -> bool {
    member::ACTOR_CHAIN.iter().any(|known| folds_to(key, known))
}

fn agree<'a>(own: &mut Option<Cow<'a, str>>, said: &str, name: &'static str) -> Result<(), Reason> {
    match own {
        Some(own) if own != said => Err(Reason::Disagreement(name)),
        Some(_) => Ok(()),
        None => {
            *own = Some(said.to_owned().into());
            Ok(())
        }
    }
}

/// The parameters in the body of a request over HTTP+JSON.
pub(super) fn root<'d, 'a>(document: &'d Document<'a>) -> Result<Value<'d, 'a>, Reason> {
    let root = document.root();
    if root.kind() == Kind::Object { Ok(root) } else { Err(Reason::Message(crate::json_rpc::Reason::NotAnObject)) }
}

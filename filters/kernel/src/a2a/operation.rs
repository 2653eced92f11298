//! The operations, whatever binding and version they are asked for in.

use super::Version::{self, V0_3, V1_0};
use std::borrow::Cow;

/// What can be asked of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Sends a message.
    SendMessage,
    /// Sends a message and follows what comes of it.
    SendStreamingMessage,
    /// Reads a task.
    GetTask,
    /// Reads tasks.
    ListTasks,
    /// Ends a task.
    CancelTask,
    /// Follows a task.
    SubscribeToTask,
    /// Lets an address be told of a task.
    CreatePushConfig,
    /// Reads which address is told.
    GetPushConfig,
    /// Reads which addresses are told.
    ListPushConfigs,
    /// Lets an address be told no more.
    DeletePushConfig,
    /// Reads the card that is not for everybody.
    GetExtendedCard,
}

/// How an agent is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// JSON-RPC at one path.
    JsonRpc,
    /// Paths and methods of HTTP, with JSON.
    HttpJson,
    /// gRPC. It is recognised and not read.
    Grpc,
}

/// What a caller speaks, and is answered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How.
    pub binding: Binding,
    /// In which version.
    pub version: Version,
}

/// An operation, or the name of what A2A does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named<'a> {
    /// It has it.
    Known(Operation),
    /// It does not: a method of JSON-RPC, or method and path of HTTP (`GET /skills`).
    Other(Cow<'a, str>),
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::SendMessage,
        Self::SendStreamingMessage,
        Self::GetTask,
        Self::ListTasks,
        Self::CancelTask,
        Self::SubscribeToTask,
        Self::CreatePushConfig,
        Self::GetPushConfig,
        Self::ListPushConfigs,
        Self::DeletePushConfig,
        Self::GetExtendedCard,
    ];

    /// Its name in rules and records: that of version 1.0.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendMessage => "SendMessage",
            Self::SendStreamingMessage => "SendStreamingMessage",
            Self::GetTask => "GetTask",
            Self::ListTasks => "ListTasks",
            Self::CancelTask => "CancelTask",
            Self::SubscribeToTask => "SubscribeToTask",
            Self::CreatePushConfig => "CreateTaskPushNotificationConfig",
            Self::GetPushConfig => "GetTaskPushNotificationConfig",
            Self::ListPushConfigs => "ListTaskPushNotificationConfigs",
            Self::DeletePushConfig => "DeleteTaskPushNotificationConfig",
            Self::GetExtendedCard => "GetExtendedAgentCard",
        }
    }

    /// Its method of JSON-RPC. `tasks/list` is none of 0.3's, but agents have it.
    #[must_use]
    pub const fn method(self, version: Version) -> &'static str {
        match (version, self) {
            (V1_0, _) => self.name(),
            (V0_3, Self::SendMessage) => "message/send",
            (V0_3, Self::SendStreamingMessage) => "message/stream",
            (V0_3, Self::GetTask) => "tasks/get",
            (V0_3, Self::ListTasks) => "tasks/list",
            (V0_3, Self::CancelTask) => "tasks/cancel",
            (V0_3, Self::SubscribeToTask) => "tasks/resubscribe",
            (V0_3, Self::CreatePushConfig) => "tasks/pushNotificationConfig/set",
            (V0_3, Self::GetPushConfig) => "tasks/pushNotificationConfig/get",
            (V0_3, Self::ListPushConfigs) => "tasks/pushNotificationConfig/list",
            (V0_3, Self::DeletePushConfig) => "tasks/pushNotificationConfig/delete",
            (V0_3, Self::GetExtendedCard) => "agent/getAuthenticatedExtendedCard",
        }
    }

    /// The operation with this method of JSON-RPC, and whose method it is.
    #[must_use]
    pub fn of_method(method: &str) -> Option<(Self, Version)> {
        let mut all = [V1_0, V0_3].into_iter().flat_map(|version| Self::ALL.map(|operation| (operation, version)));
        all.find(|(operation, version)| operation.method(*version) == method)
    }

    /// The operation at this path of gRPC, and whose path it is.
    #[must_use]
    pub fn of_grpc_path(path: &str) -> Option<(Self, Version)> {
        let (version, method) = match path.strip_prefix("/lf.a2a.v1.A2AService/") {
            Some(method) => (V1_0, method),
            None => (V0_3, path.strip_prefix("/a2a.v1.A2AService/")?),
        };
        let operation = Self::ALL.into_iter().find(|operation| match (version, operation) {
            (V0_3, Self::SubscribeToTask) => method == "TaskSubscription",
            (V0_3, Self::ListPushConfigs) => method == "ListTaskPushNotificationConfig",
            (V0_3, Self::GetExtendedCard) => method == "GetAgentCard",
            _ => method == operation.name(),
        });
        operation.map(|operation| (operation, version))
    }

    /// Whether a message is sent.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendMessage | Self::SendStreamingMessage)
    }

    /// Whether its answer is a stream of events.
    #[must_use]
    pub const fn streams(self) -> bool {
        matches!(self, Self::SendStreamingMessage | Self::SubscribeToTask)
    }
}

impl Binding {
    /// The name in rules and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonRpc => "JSONRPC",
            Self::HttpJson => "HTTP+JSON",
            Self::Grpc => "GRPC",
        }
    }
}

impl Named<'_> {
    /// The name in rules and records.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(operation) => operation.name(),
            Self::Other(name) => name,
        }
    }
}

//! What clients ask for and say.

use super::Revision;
use Revision::{July2026, March2025, November2025};
use std::borrow::Cow;

/// A method of MCP that clients send, extension of tasks included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `initialize`: begins a session.
    Initialize,
    /// `ping`.
    Ping,
    /// `server/discover`.
    Discover,
    /// `tools/list`.
    ToolsList,
    /// `tools/call`.
    ToolsCall,
    /// `prompts/list`.
    PromptsList,
    /// `prompts/get`.
    PromptsGet,
    /// `resources/list`.
    ResourcesList,
    /// `resources/templates/list`.
    TemplatesList,
    /// `resources/read`.
    ResourcesRead,
    /// `resources/subscribe`.
    ResourcesSubscribe,
    /// `resources/unsubscribe`.
    ResourcesUnsubscribe,
    /// `subscriptions/listen`.
    SubscriptionsListen,
    /// `completion/complete`.
    Complete,
    /// `logging/setLevel`.
    SetLevel,
    /// `tasks/get`.
    TasksGet,
    /// `tasks/list`.
    TasksList,
    /// `tasks/result`.
    TasksResult,
    /// `tasks/update`.
    TasksUpdate,
    /// `tasks/cancel`.
    TasksCancel,
    /// `notifications/initialized`.
    Initialized,
    /// `notifications/cancelled`.
    Cancelled,
    /// `notifications/progress`.
    Progress,
    /// `notifications/roots/list_changed`.
    RootsListChanged,
    /// `notifications/tasks/status`.
    TaskStatus,
}

/// A method, or the name of one that MCP does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named<'a> {
    /// It has it.
    Known(Method),
    /// It does not.
    Other(Cow<'a, str>),
}

/// What its parameters name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActsOn {
    /// Nothing that is ruled.
    Nothing,
    /// A tool: `name`.
    Tool,
    /// A prompt: `name`.
    Prompt,
    /// A resource: `uri`.
    Resource,
    /// A prompt or a template of resources: `ref`.
    Reference,
    /// A task: `taskId`. Who may ask is who has begun it.
    Task,
    /// Resources: `notifications.resourceSubscriptions`.
    Subscriptions,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::Initialize,
        Self::Ping,
        Self::Discover,
        Self::ToolsList,
        Self::ToolsCall,
        Self::PromptsList,
        Self::PromptsGet,
        Self::ResourcesList,
        Self::TemplatesList,
        Self::ResourcesRead,
        Self::ResourcesSubscribe,
        Self::ResourcesUnsubscribe,
        Self::SubscriptionsListen,
        Self::Complete,
        Self::SetLevel,
        Self::TasksGet,
        Self::TasksList,
        Self::TasksResult,
        Self::TasksUpdate,
        Self::TasksCancel,
        Self::Initialized,
        Self::Cancelled,
        Self::Progress,
        Self::RootsListChanged,
        Self::TaskStatus,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::Ping => "ping",
            Self::Discover => "server/discover",
            Self::ToolsList => "tools/list",
            Self::ToolsCall => "tools/call",
            Self::PromptsList => "prompts/list",
            Self::PromptsGet => "prompts/get",
            Self::ResourcesList => "resources/list",
            Self::TemplatesList => "resources/templates/list",
            Self::ResourcesRead => "resources/read",
            Self::ResourcesSubscribe => "resources/subscribe",
            Self::ResourcesUnsubscribe => "resources/unsubscribe",
            Self::SubscriptionsListen => "subscriptions/listen",
            Self::Complete => "completion/complete",
            Self::SetLevel => "logging/setLevel",
            Self::TasksGet => "tasks/get",
            Self::TasksList => "tasks/list",
            Self::TasksResult => "tasks/result",
            Self::TasksUpdate => "tasks/update",
            Self::TasksCancel => "tasks/cancel",
            Self::Initialized => "notifications/initialized",
            Self::Cancelled => "notifications/cancelled",
            Self::Progress => "notifications/progress",
            Self::RootsListChanged => "notifications/roots/list_changed",
            Self::TaskStatus => "notifications/tasks/status",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// What its parameters name.
    #[must_use]
    pub const fn acts_on(self) -> ActsOn {
        match self {
            Self::ToolsCall => ActsOn::Tool,
            Self::PromptsGet => ActsOn::Prompt,
            Self::ResourcesRead | Self::ResourcesSubscribe | Self::ResourcesUnsubscribe => ActsOn::Resource,
            Self::SubscriptionsListen => ActsOn::Subscriptions,
            Self::Complete => ActsOn::Reference,
            Self::TasksGet | Self::TasksResult | Self::TasksUpdate | Self::TasksCancel => ActsOn::Task,
            _ => ActsOn::Nothing,
        }
    }

    /// Whether `revision` has it.
    #[must_use]
    pub fn is_in(self, revision: Revision) -> bool {
        let (first, last) = match self {
            Self::Discover | Self::SubscriptionsListen | Self::TasksUpdate => (July2026, July2026),
            Self::TasksList | Self::TasksResult | Self::TaskStatus => (November2025, November2025),
            Self::TasksGet | Self::TasksCancel => (November2025, July2026),
            Self::Initialize
            | Self::Ping
            | Self::ResourcesSubscribe
            | Self::ResourcesUnsubscribe
            | Self::SetLevel
            | Self::Initialized
            | Self::RootsListChanged => (March2025, November2025),
            _ => (March2025, July2026),
        };
        (first..=last).contains(&revision)
    }

    /// Whether `Mcp-Name` repeats what it acts on.
    #[must_use]
    pub const fn has_name_header(self) -> bool {
        matches!(
            self,
            Self::ToolsCall
                | Self::PromptsGet
                | Self::ResourcesRead
                | Self::TasksGet
                | Self::TasksUpdate
                | Self::TasksCancel
        )
    }
}

impl<'a> Named<'a> {
    /// The method of this name.
    #[must_use]
    pub fn of(name: Cow<'a, str>) -> Self {
        Method::of_name(&name).map_or(Self::Other(name), Self::Known)
    }

    /// Apart from the message.
    #[must_use]
    pub fn into_owned(self) -> Named<'static> {
        match self {
            Self::Known(method) => Named::Known(method),
            Self::Other(name) => Named::Other(name.into_owned().into()),
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(method) => method.name(),
            Self::Other(name) => name,
        }
    }

    /// Whether a rule must allow it: it acts on something, or nobody knows what it does. The others are how client and server
    /// come to terms, and lists, of which each caller is shown what it may use, and what is done with a task, which was allowed
    /// with the call that began it and is for who has begun it alone. The list of all tasks is nobody's.
    #[must_use]
    pub fn acts(&self) -> bool {
        match self {
            Self::Known(Method::TasksList) => true,
            Self::Known(method) => !matches!(method.acts_on(), ActsOn::Nothing | ActsOn::Task),
            Self::Other(_) => true,
        }
    }
}

//! The client, connected and used as the SDK's documentation says.
#![expect(
    deprecated,
    reason = "sampling and roots are, in the newest revision, and servers of the older ones ask for them"
)]

use crate::talk::Talk;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, ClientCapabilities, ClientConfig,
    CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams, ElicitResult, GetPromptRequestParams,
    GetTaskParams, Implementation, ListRootsResult, PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion,
    ReadResourceRequestParams,
};
use rmcp::service::{ClientInitializeError, NotificationContext, RequestContext, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Mutex as AsyncMutex;

/// What a line asks for of who is connected.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Ask {
    Call { name: String, arguments: Map<String, Value> },
    Prompt { name: String, arguments: Map<String, Value> },
    Read { uri: String },
    List { what: String, params: PaginatedRequestParams },
    Task { id: String },
    CancelTask { id: String },
}

#[derive(Deserialize)]
struct Connect {
    url: String,
    era: Era,
    headers: HashMap<String, String>,
    answers: bool,
    #[serde(default)]
    tasks: bool,
    /// What it offers where there are sessions: the last of these.
    revisions: Vec<ProtocolVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Era {
    Auto,
    Legacy,
    Modern,
}

/// What was asked for ended in an error: of JSON-RPC with its code, or without one.
pub(crate) struct Refused {
    pub(crate) code: Option<i32>,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl Refused {
    fn because(why: impl ToString) -> Self {
        Self { code: None, message: why.to_string(), data: None }
    }
}

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::McpError(ErrorData { code, message, data, .. }) => {
                Self { code: Some(code.0), message: message.into_owned(), data }
            }
            other => Self::because(other),
        }
    }
}

impl From<ClientInitializeError> for Refused {
    fn from(error: ClientInitializeError) -> Self {
        match error {
            ClientInitializeError::JsonRpcError(error) => ServiceError::McpError(error).into(),
            other => Self::because(other),
        }
    }
}

pub(crate) struct Person {
    talk: Arc<Talk>,
    client: AsyncMutex<Option<RunningService<RoleClient, Host>>>,
    progress: Arc<Mutex<Vec<f64>>>,
}

impl Person {
    pub(crate) fn new(talk: Arc<Talk>) -> Self {
        Self { talk, client: AsyncMutex::default(), progress: Arc::default() }
    }

    /// Does what the line says.
    pub(crate) async fn does(&self, line: Value) -> Result<Value, Refused> {
        let mut running = self.client.lock().await;
        if line.get("do").and_then(Value::as_str) == Some("connect") {
            let client = self.connects(serde_json::from_value(line).map_err(Refused::because)?).await?;
            let revision = client.peer().peer_info().map(|server| server.protocol_version.clone());
            *running = Some(client);
            return Ok(json!({"revision": revision}));
        }
        let client = running.as_ref().ok_or_else(|| Refused::because("not connected"))?;
        Ok(match serde_json::from_value(line).map_err(Refused::because)? {
            Ask::Call { name, arguments } => self.calls(client, name, arguments).await?,
            Ask::Prompt { name, arguments } => {
                json!(client.get_prompt(GetPromptRequestParams::new(name).with_arguments(arguments)).await?)
            }
            Ask::Read { uri } => json!(client.read_resource(ReadResourceRequestParams::new(uri)).await?),
            Ask::List { what, params } => lists(client, &what, params).await?,
            Ask::Task { id } => json!(client.get_task(GetTaskParams::new(id)).await?),
            Ask::CancelTask { id } => json!(client.cancel_task(CancelTaskParams::new(id)).await?),
        })
    }

    /// Ends what it has with the server.
    pub(crate) async fn leaves(&self) {
        if let Some(client) = self.client.lock().await.take() {
            // The server may be gone.
            let _ = client.cancel().await;
        }
    }

    async fn connects(&self, connect: Connect) -> Result<RunningService<RoleClient, Host>, Refused> {
        let mut headers = HashMap::new();
        for (name, value) in &connect.headers {
            headers.insert(name.parse().map_err(Refused::because)?, value.parse().map_err(Refused::because)?);
        }
        let config = StreamableHttpClientTransportConfig::with_uri(connect.url).custom_headers(headers);
        let mut capabilities = ClientCapabilities::default();
        if connect.answers {
            capabilities = ClientCapabilities::builder().enable_elicitation().enable_sampling().enable_roots().build();
        }
        if connect.tasks {
            capabilities.extensions = ClientCapabilities::builder().enable_tasks().build().extensions;
        }
        let mut info = ClientConfig::new(capabilities, Implementation::new("person", "1"));
        if let Some(newest) = connect.revisions.last() {
            info.protocol_version = newest.clone();
        }
        let newest = vec![ProtocolVersion::V_2026_07_28];
        let lifecycle = match connect.era {
            Era::Auto => ClientLifecycleMode::Auto { preferred_versions: newest, legacy_version: None },
            Era::Legacy => ClientLifecycleMode::Initialize,
            Era::Modern => ClientLifecycleMode::Discover { preferred_versions: newest },
        };
        let host = Host { info, talk: Arc::clone(&self.talk), progress: Arc::clone(&self.progress) };
        Ok(host.serve_with_lifecycle(StreamableHttpClientTransport::from_config(config), lifecycle).await?)
    }

    async fn calls(
        &self,
        client: &RunningService<RoleClient, Host>,
        name: String,
        arguments: Map<String, Value>,
    ) -> Result<Value, Refused> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let params = CallToolRequestParams::new(name).with_arguments(arguments);
        let result = if client.service().info.capabilities.supports_tasks() {
            match client.call_tool_once(params).await? {
                CallToolResponse::Complete(result) => json!(result),
                CallToolResponse::Task(task) => json!(task),
                _ => return Err(Refused::because("neither a result nor a task")),
            }
        } else {
            json!(client.call_tool(params).await?)
        };
        let progress = std::mem::take(&mut *self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(json!({"result": result, "progress": progress}))
    }
}

async fn lists(
    client: &RunningService<RoleClient, Host>,
    what: &str,
    params: PaginatedRequestParams,
) -> Result<Value, Refused> {
    client.clear_response_cache().await;
    Ok(match what {
        "tools" => json!(client.list_tools(Some(params)).await?),
        "prompts" => json!(client.list_prompts(Some(params)).await?),
        "resources" => json!(client.list_resources(Some(params)).await?),
        other => return Err(Refused::because(format!("no list of {other}"))),
    })
}

/// What the SDK asks of who uses it.
struct Host {
    info: ClientConfig,
    talk: Arc<Talk>,
    progress: Arc<Mutex<Vec<f64>>>,
}

impl Host {
    async fn asked<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, ErrorData> {
        let answer = self.talk.ask(method, params).await.unwrap_or_default();
        serde_json::from_value(answer).map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }
}

impl ClientHandler for Host {
    fn get_info(&self) -> ClientConfig {
        self.info.clone()
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.asked("elicitation/create", json!(params)).await
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.asked("sampling/createMessage", json!(params)).await
    }

    async fn list_roots(&self, _context: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        self.asked("roots/list", json!({})).await
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _context: NotificationContext<RoleClient>) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).push(params.progress);
    }
}

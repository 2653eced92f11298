//! The MCP server: what the SDK is given to answer with.

use crate::side::{Place, Side};
use crate::tables::Refusal;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ContentBlock, CreateTaskResult,
    GetTaskParams, GetTaskResult, Implementation, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam,
    ProgressToken, ServerCapabilities, ServerConfig, SubscriptionFilter, Tool, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, Peer, RequestContext, SubscriptionContext};
use rmcp::task_manager::{TaskExit, TaskManager, TaskOptions};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// In how many steps a slow report is made.
const STEPS: u32 = 10;
const LONGEST: f64 = 60.0;
const POLL_MILLISECONDS: u64 = 50;

/// A call as its tool understands it.
#[derive(Deserialize)]
#[serde(tag = "name", content = "arguments", rename_all = "snake_case", deny_unknown_fields)]
enum Call {
    Query { sql: String },
    InsertRow { table: String, values: Map<String, Value> },
    DeleteRow { table: String, id: i64 },
    DropTable { table: String },
    SlowReport { seconds: f64 },
    Changing {},
}

#[derive(Clone)]
pub(crate) struct Database {
    side: Arc<Side>,
    tasks: TaskManager,
}

impl Database {
    pub(crate) fn new(side: Arc<Side>) -> Self {
        Self { side, tasks: TaskManager::new() }
    }

    fn tools(&self) -> Result<Vec<Tool>, ErrorData> {
        self.side.tools().map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }

    /// What is done at once.
    async fn act(&self, call: Call) -> Result<CallToolResult, Refusal> {
        let side = Arc::clone(&self.side);
        // SQLite waits for the disk.
        tokio::task::spawn_blocking(move || {
            let tables = side.tables();
            Ok(match call {
                Call::Query { sql } => CallToolResult::structured(tables.query(&sql)?),
                Call::InsertRow { table, values } => {
                    text(format!("inserted row {} into {table}", tables.insert(&table, &values)?))
                }
                Call::DeleteRow { table, id } => {
                    tables.delete(&table, id)?;
                    text(format!("deleted row {id} from {table}"))
                }
                Call::DropTable { table } => {
                    tables.drop_table(&table)?;
                    text(format!("dropped table {table}"))
                }
                Call::Changing {} => text(sum(tables.query("SELECT count(*) FROM orders WHERE state = 'open'")?)),
                Call::SlowReport { .. } => text(sum(tables.query("SELECT sum(pieces * price) FROM orders")?)),
            })
        })
        .await?
    }

    /// The report, unless `stopped` comes first.
    async fn report(
        &self,
        seconds: f64,
        place: Place,
        progress: Option<(Peer<RoleServer>, ProgressToken)>,
        stopped: impl Future<Output = ()>,
    ) -> Option<CallToolResult> {
        let making = async {
            for step in 1..=STEPS {
                tokio::time::sleep(Duration::from_secs_f64(seconds) / STEPS).await;
                if let Some((peer, token)) = &progress {
                    let told = ProgressNotificationParam::new(token.clone(), step.into()).with_total(STEPS.into());
                    // A client that is gone hears nothing.
                    let _ = peer.notify_progress(told).await;
                }
            }
            self.act(Call::SlowReport { seconds }).await.unwrap_or_else(failed)
        };
        tokio::select! {
            result = making => Some(result),
            () = stopped => {
                self.side.cancelled(place);
                None
            }
        }
    }

    /// The report as a task that the client asks after.
    fn report_later(&self, seconds: f64, place: Place) -> CreateTaskResult {
        let database = self.clone();
        let options = TaskOptions::new().with_poll_interval_ms(POLL_MILLISECONDS);
        CreateTaskResult::new(self.tasks.spawn(options, move |task| {
            Box::pin(
                async move { database.report(seconds, place, None, task.cancelled()).await.ok_or(TaskExit::Cancelled) },
            )
        }))
    }
}

impl ServerHandler for Database {
    fn get_info(&self) -> ServerConfig {
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_tool_list_changed().enable_tasks().build();
        ServerConfig::new(capabilities).with_server_info(Implementation::new("database", "1"))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut tools = self.tools()?;
        let cursor = request.and_then(|page| page.cursor).map_or(Ok(0), |cursor| cursor.parse());
        let start: usize = cursor.map_err(|_| ErrorData::invalid_params("unknown cursor", None))?;
        let mut listed = ListToolsResult::default();
        if let Some(size) = self.side.page() {
            let rest = tools.split_off(start.min(tools.len()));
            listed.next_cursor = (rest.len() > size).then(|| (start + size).to_string());
            tools = rest.into_iter().take(size).collect();
        }
        listed.tools = tools;
        Ok(listed)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools().ok()?.into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.get_tool(&request.name).is_none() {
            return Err(ErrorData::invalid_params(format!("Unknown tool: {}", request.name), None));
        }
        let arguments = request.arguments.unwrap_or_default();
        let place = self.side.runs(&request.name, &arguments);
        let call = match serde_json::from_value(json!({"name": request.name, "arguments": arguments})) {
            Ok(call) => call,
            Err(error) => return Ok(failed(Refusal(format!("wrong arguments: {error}"))).into()),
        };
        Ok(match call {
            Call::SlowReport { seconds } if !(0.0..=LONGEST).contains(&seconds) => {
                failed(Refusal(format!("seconds: from 0 to {LONGEST}"))).into()
            }
            Call::SlowReport { seconds }
                if context.client_capabilities().is_some_and(|client| client.supports_tasks()) =>
            {
                CallToolResponse::Task(self.report_later(seconds, place))
            }
            Call::SlowReport { seconds } => {
                let progress = context.meta.get_progress_token().map(|token| (context.peer.clone(), token));
                let report = self.report(seconds, place, progress, context.ct.cancelled()).await;
                report.ok_or_else(|| ErrorData::internal_error("cancelled", None))?.into()
            }
            other => self.act(other).await.unwrap_or_else(failed).into(),
        })
    }

    // Tasks.

    async fn get_task(
        &self,
        request: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.tasks.get_task(&request.task_id).map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&request.task_id)
    }

    // That the list of tools changed: told on the session's stream, or to who listens.

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let (mut changes, peer) = (self.side.changes(), context.peer);
        tokio::spawn(async move {
            while changes.changed().await.is_ok() && peer.notify_tool_list_changed().await.is_ok() {}
        });
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.side.changes();
        let tells = async {
            while changes.changed().await.is_ok() && context.sink().notify_tool_list_changed().await.is_ok() {}
        };
        tokio::select! {
            () = tells => {}
            () = context.cancelled() => {}
        }
        Ok(())
    }
}

fn text(said: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(said)])
}

fn failed(Refusal(why): Refusal) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(why)])
}

/// The one value of a query that has one.
fn sum(found: Value) -> String {
    found.pointer("/rows/0/0").unwrap_or(&Value::Null).to_string()
}

//! `/test` beside `/mcp`, for the test alone: GET tells which tools ran, PUT sets what is paged and changed, DELETE
//! makes everything as it was at first, the data too.

use crate::tables::Tables;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use rmcp::model::Tool;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

const TOOLS: &str = include_str!("tools.json");

/// A call of a tool.
#[derive(Serialize)]
struct Ran {
    tool: String,
    arguments: Map<String, Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cancelled: bool,
}

/// What the test set.
#[derive(Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    changed: HashMap<String, Map<String, Value>>,
    page: Option<usize>,
}

/// What the test sees and sets.
pub(crate) struct Side {
    tables: Tables,
    ran: Mutex<Vec<Ran>>,
    wanted: Mutex<Wanted>,
    changes: watch::Sender<()>,
}

/// Where a call is in the list of those that ran.
#[derive(Clone, Copy)]
pub(crate) struct Place(usize);

impl Side {
    pub(crate) fn new(tables: Tables) -> Self {
        Self { tables, ran: Mutex::default(), wanted: Mutex::default(), changes: watch::Sender::default() }
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Hears of every change of the list of tools.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    pub(crate) fn runs(&self, tool: &str, arguments: &Map<String, Value>) -> Place {
        let mut ran = locked(&self.ran);
        ran.push(Ran { tool: tool.to_owned(), arguments: arguments.clone(), cancelled: false });
        Place(ran.len() - 1)
    }

    pub(crate) fn cancelled(&self, Place(place): Place) {
        if let Some(ran) = locked(&self.ran).get_mut(place) {
            ran.cancelled = true;
        }
    }

    /// The tools as `tools/list` shows them, with what the test changed.
    pub(crate) fn tools(&self) -> Result<Vec<Tool>, serde_json::Error> {
        let mut tools: Vec<Map<String, Value>> = serde_json::from_str(TOOLS)?;
        let wanted = locked(&self.wanted);
        for tool in &mut tools {
            let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
            if let Some(changes) = wanted.changed.get(name) {
                tool.extend(changes.clone());
            }
        }
        tools.into_iter().map(|tool| serde_json::from_value(Value::Object(tool))).collect()
    }

    /// How many tools a page of the list has.
    pub(crate) fn page(&self) -> Option<usize> {
        locked(&self.wanted).page
    }

    /// Answers the test.
    pub(crate) async fn entrance(&self, request: Request<Incoming>) -> Response<BoxBody<Bytes, Infallible>> {
        match self.told(request).await {
            Ok(ran) => answer(StatusCode::OK, ran),
            Err(error) => answer(StatusCode::BAD_REQUEST, error.to_string()),
        }
    }

    async fn told(&self, request: Request<Incoming>) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        match *request.method() {
            Method::PUT => {
                *locked(&self.wanted) = serde_json::from_slice(&request.into_body().collect().await?.to_bytes())?;
                self.changes.send_replace(());
            }
            Method::DELETE => {
                self.tables.refill()?;
                locked(&self.ran).clear();
                *locked(&self.wanted) = Wanted::default();
            }
            _ => {}
        }
        Ok(serde_json::to_string(&*locked(&self.ran))?)
    }
}

fn answer(status: StatusCode, body: String) -> Response<BoxBody<Bytes, Infallible>> {
    let mut response = Response::new(Full::new(Bytes::from(body)).boxed());
    *response.status_mut() = status;
    response
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

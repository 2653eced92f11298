//! What to send, over how many connections, for how long.

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, HOST};
use hyper::{HeaderMap, Uri};
use serde::Deserialize;
use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A plan, ready to run.
#[derive(Debug)]
pub struct Plan {
    pub address: SocketAddr,
    pub path: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub connections: usize,
    pub requests: usize,
    pub time: Duration,
}

/// A plan as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    address: SocketAddr,
    path: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    body_file: PathBuf,
    connections: usize,
    /// At most this many, all connections together.
    requests: usize,
    /// None is begun after this time.
    seconds: f64,
}

impl Plan {
    /// Reads a plan and the body that it names.
    pub fn read(json: &str) -> Result<Self, Box<dyn Error>> {
        let written: Written = serde_json::from_str(json).map_err(|error| format!("not a plan: {error}"))?;
        let file = &written.body_file;
        let body = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut headers = HeaderMap::try_from(&written.headers)?;
        headers.insert(HOST, written.address.to_string().parse()?);
        headers.insert(CONTENT_LENGTH, body.len().into());
        Ok(Self {
            address: written.address,
            path: written.path.parse()?,
            headers,
            body: Bytes::from(body),
            connections: written.connections,
            requests: written.requests,
            time: Duration::try_from_secs_f64(written.seconds)?,
        })
    }
}

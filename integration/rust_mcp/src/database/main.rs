//! An MCP server on the official Rust SDK, over a SQLite database, in all revisions the SDK speaks:
//! `mcp-database <file> sse|json [<port>]` listens on loopback, on a port of the kernel's choice if none is given, and
//! says `listening on <port>`. With `json` the older revisions have no sessions: this SDK answers in one only by SSE.

mod server;
mod side;
mod tables;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use server::Database;
use side::Side;
use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use tables::Tables;
use tokio::net::TcpListener;

/// The names that it answers to: its own and the one that Envoy routes by authority.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "reports.example"];
const ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://reports.example:*"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, answers, port) = match *arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [file, answers @ ("sse" | "json")] => (file, answers, "0"),
        [file, answers @ ("sse" | "json"), port] => (file, answers, port),
        _ => return Err("usage: mcp-database <file> sse|json [<port>]".into()),
    };
    let side = Arc::new(Side::new(Tables::open(Path::new(file))?));
    let database = Database::new(Arc::clone(&side));
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(HOSTS)
        .with_allowed_origins(ORIGINS)
        .with_legacy_session_mode(answers == "sse")
        .with_json_response(answers == "json");
    let mcp = StreamableHttpService::new(move || Ok(database.clone()), Arc::<LocalSessionManager>::default(), config);

    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on {}", listener.local_addr()?.port());
    loop {
        let (connection, _) = listener.accept().await?;
        let (mcp, side) = (mcp.clone(), Arc::clone(&side));
        let service = service_fn(move |request| {
            let (mcp, side) = (mcp.clone(), Arc::clone(&side));
            async move {
                Ok::<_, Infallible>(match request.uri().path() {
                    "/test" => side.entrance(request).await,
                    _ => mcp.handle(request).await,
                })
            }
        });
        // A client that hangs up is no error of ours.
        tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(connection), service).await });
    }
}

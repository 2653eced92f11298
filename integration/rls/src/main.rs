//! A rate limit service for the tests: Limitador's own limits and its own counters in a real Redis, behind Envoy's
//! protocol as its server has it. Limitador's server itself would need RocksDB and OpenSSL: see `absent/`.
//!
//! `rls <limits.yaml> <redis-url> [<port>]` listens on loopback, on a port of the kernel's choice if none is given, and
//! prints the port when it answers. The file is Limitador's: a list of `namespace` (the request's domain), `max_value`,
//! `seconds`, `conditions` and `variables` (CEL over `descriptors`).

mod messages;
mod service;

use limitador::AsyncRateLimiter;
use limitador::limit::Limit;
use limitador::storage::redis::AsyncRedisStorage;
use service::RateLimits;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (limits, redis, port) = match arguments.as_slice() {
        [limits, redis] => (limits, redis, "0"),
        [limits, redis, port] => (limits, redis, port.as_str()),
        _ => return Err("usage: rls <limits.yaml> <redis-url> [<port>]".into()),
    };
    let limits: Vec<Limit> = serde_yaml::from_reader(File::open(limits)?)?;
    let limiter = AsyncRateLimiter::new_with_storage(Box::new(AsyncRedisStorage::new(redis).await?));
    for limit in limits {
        limiter.add_limit(limit);
    }
    let service = RateLimits::new(limiter);
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder().add_service(service).serve_with_incoming(incoming).await?;
    Ok(())
}

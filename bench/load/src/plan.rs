//! What to send, over how many connections, for how long.

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, HOST};
use hyper::{HeaderMap, Uri};
use serde::Deserialize;
use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

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
    pub tls: Option<Arc<ClientConfig>>,
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
    #[serde(default)]
    tls: Option<Tls>,
}

/// Files in PEM: who is trusted, and the client's certificate with its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    authority: PathBuf,
    certificate: PathBuf,
}

impl Tls {
    fn config(&self) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.authority)?)?;
        let chain = CertificateDer::pem_file_iter(&self.certificate)?.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(&self.certificate)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(chain, key)?;
        Ok(Arc::new(config))
    }
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
            tls: written.tls.as_ref().map(Tls::config).transpose()?,
            time: Duration::try_from_secs_f64(written.seconds)?,
        })
    }
}

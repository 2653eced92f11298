//! What Envoy knows of who has sent a request. Each question costs, so each is asked once, and only when it matters.

use crate::config::Jwt;
use std::cell::OnceCell;
use tollgate_host::protobuf_struct::{Object, Value};
use tollgate_host::state::{self, Metadata};

/// Envoy's filter that verifies tokens.
const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// What Envoy knows.
#[derive(Debug, Default)]
pub struct Known {
    metadata: OnceCell<Metadata>,
    certificate: OnceCell<Option<Certificate>>,
}

/// The client's certificate.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// Its SHA-256, in hex.
    pub(crate) sha256: String,
    /// Envoy has verified it; otherwise it was only accepted.
    pub(crate) is_verified: bool,
}

impl Known {
    /// The claims of the token that Envoy has verified.
    pub(crate) fn token(&self, jwt: &Jwt) -> Option<Object<'_>> {
        match self.metadata.get_or_init(Metadata::read).of_filter(JWT_AUTHN)?.get(&jwt.payload)? {
            Value::Object(payload) if !is_failure(payload) => Some(payload),
            _ => None,
        }
    }

    /// The certificate that the client shows.
    pub(crate) fn certificate(&self) -> Option<&Certificate> {
        let shown = || {
            let sha256 = state::text(&["connection", "sha256_peer_certificate_digest"])?;
            Some(Certificate { sha256, is_verified: state::flag(&["connection", "peer_certificate_valid"]) })
        };
        self.certificate.get_or_init(shown).as_ref()
    }
}

/// Whether this is what `jwt_authn` writes of a token that it has not verified (`failed_status_in_metadata`), which a
/// configuration may have it write in the same place.
fn is_failure(payload: Object<'_>) -> bool {
    payload.names().all(|name| ["code", "message"].contains(&name))
        && matches!((payload.get("code"), payload.get("message")), (Some(Value::Number(_)), Some(Value::Text(_))))
}

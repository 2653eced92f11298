//! What Envoy knows of who has sent a request. Each question costs, so each is asked once, and only when it matters.

use crate::certificate::Certificate;
use crate::config::Jwt;
use std::cell::OnceCell;
use std::rc::Rc;
use tollgate_host::protobuf_struct::{Object, Value};
use tollgate_host::state::Metadata;

/// Envoy's filter that verifies tokens.
const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// What Envoy knows.
#[derive(Debug, Default)]
pub struct Known {
    metadata: OnceCell<Metadata>,
    certificate: OnceCell<Option<Rc<Certificate>>>,
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
        self.certificate.get_or_init(Certificate::shown).as_deref()
    }
}

/// Whether this is what `jwt_authn` writes of a token that it has not verified (`failed_status_in_metadata`), which a
/// configuration may have it write in the same place.
fn is_failure(payload: Object<'_>) -> bool {
    payload.names().all(|name| ["code", "message"].contains(&name))
        && matches!((payload.get("code"), payload.get("message")), (Some(Value::Number(_)), Some(Value::Text(_))))
}

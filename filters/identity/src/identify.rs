//! Who asks: what a request shows, and what of it is believed.
//!
//! A part that is not shown leaves it to the next way. One that is shown and wrong refuses the request: whoever shows it
//! means to be somebody, and is not.

use crate::config::{Identity, Jwt, Mtls, Part, SignedHeader};
use crate::credentials::{self, Shown};
use crate::fault::{Fault, NotProven, Unidentified};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::rc::Rc;
use tollgate_host::headers::Headers;
use tollgate_host::protobuf_struct::{Object, Value};
use tollgate_host::state::{self, Metadata};
use tollgate_kernel::caller::{Caller, Proof};
use tollgate_kernel::claims::{self, Claim, ClaimPath};
use tollgate_kernel::confirmation;
use tollgate_kernel::key_ring::KeyRing;
use tollgate_kernel::signed_subject::{HeaderFault, RequestLine};
use tollgate_kernel::token;
use tollgate_kernel::virtual_key::VirtualKey;
use tollgate_kernel::x509::uri_names;

/// Envoy's filter that verifies tokens.
const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// Who asks.
///
/// # Errors
/// When something that is shown is wrong, or nothing is shown that proves it.
pub fn identify(
    identity: &Identity,
    keys: &KeyRing,
    headers: &Headers,
    now_unix_s: u64,
) -> Result<Rc<Caller>, Unidentified> {
    let key = shown_key(identity, keys, headers, now_unix_s)?;
    for way in &identity.ways {
        match way[..] {
            [Part::Key] if let Some(caller) = key => return Ok(Rc::clone(caller)),
            _ => {
                if let Some(caller) = prove(identity, way, key.map(Rc::as_ref), headers, now_unix_s)? {
                    return Ok(Rc::new(caller));
                }
            }
        }
    }
    let only_keys = identity.ways.iter().all(|way| way[..] == [Part::Key]);
    Err(if only_keys { Fault::NoKey.into() } else { NotProven::Nothing { accepted: identity.accepted() }.into() })
}

/// Whose key is shown, also where another way would do.
fn shown_key<'k>(
    identity: &Identity,
    keys: &'k KeyRing,
    headers: &Headers,
    now_unix_s: u64,
) -> Result<Option<&'k Rc<Caller>>, Unidentified> {
    if !identity.takes(Part::Key) {
        return Ok(None);
    }
    let shown = if identity.takes_only_keys() { credentials::shown(headers) } else { credentials::shown_keys(headers) };
    let credential = match shown {
        Shown::Nothing => return Ok(None),
        Shown::Several => return Err(Fault::SeveralKeys.into()),
        Shown::One(credential) => credential,
    };
    let key = VirtualKey::parse(credential).map_err(|_| Fault::UnknownKey)?;
    let (entry, caller) = keys.prove(&key).map_err(Fault::Key)?;
    match entry.check(now_unix_s) {
        Ok(()) => Ok(Some(caller)),
        Err(refusal) => Err(Unidentified { fault: Fault::Key(refusal), known: Some(Rc::clone(caller)) }),
    }
}

/// Who is proven in this way; `None` when a part of it is not shown.
fn prove(
    identity: &Identity,
    way: &[Part],
    key: Option<&Caller>,
    headers: &Headers,
    now_unix_s: u64,
) -> Result<Option<Caller>, NotProven> {
    let mut proven: Option<Caller> = None;
    for part in way {
        let shown = match part {
            Part::Key => key.cloned(),
            Part::Jwt => identity.jwt.as_ref().map(|jwt| of_token(jwt, identity.mtls.as_ref())).transpose()?.flatten(),
            Part::Mtls => identity.mtls.as_ref().map(certificate).transpose()?.flatten(),
            Part::Header => {
                identity.header.as_ref().map(|header| signed(header, headers, now_unix_s)).transpose()?.flatten()
            }
        };
        let Some(shown) = shown else { return Ok(None) };
        proven = Some(match proven {
            None => shown,
            Some(before) => before.and(&shown).map_err(NotProven::Conflict)?,
        });
    }
    Ok(proven)
}

/// Who the token says that Envoy has verified.
fn of_token(jwt: &Jwt, mtls: Option<&Mtls>) -> Result<Option<Caller>, NotProven> {
    let metadata = Metadata::read();
    let Some(payload) = verified(&metadata, jwt) else { return Ok(None) };
    let find = |path: &ClaimPath| claim(payload, path);
    confirmation::check(&jwt.cnf_checked_before, certificate_digest, &find).map_err(NotProven::Confirmation)?;
    let subject = claims::subject(&jwt.claims, &jwt.require, find).map_err(NotProven::Claim)?;
    let caller = Caller::new(subject, Proof::Jwt(Rc::clone(&jwt.grant)));
    let Some(actor) = &jwt.actor else { return Ok(Some(caller)) };
    let actors = actor.read(mtls.map(|mtls| &mtls.spiffe), &find).map_err(NotProven::Actor)?;
    caller.acting(&actors.current, actors.before).map(Some).map_err(NotProven::Conflict)
}

/// Whether Envoy has verified a token, whatever that proves.
#[must_use]
pub fn shows_token(identity: &Identity) -> bool {
    identity.jwt.as_ref().is_some_and(|jwt| verified(&Metadata::read(), jwt).is_some())
}

/// The claims of the token that Envoy has verified.
fn verified<'a>(metadata: &'a Metadata, jwt: &Jwt) -> Option<Object<'a>> {
    match metadata.of_filter(JWT_AUTHN)?.get(&jwt.payload)? {
        Value::Object(payload) if !is_failure(payload) => Some(payload),
        _ => None,
    }
}

/// Whether this is what `jwt_authn` writes of a token that it has not verified (`failed_status_in_metadata`), which a
/// configuration may have it write in the same place.
fn is_failure(payload: Object<'_>) -> bool {
    matches!((payload.get("code"), payload.get("message")), (Some(Value::Number(_)), Some(Value::Text(_))))
        && payload.names().all(|name| ["code", "message"].contains(&name))
}

/// The SHA-256, in hex, of the certificate that Envoy has verified.
fn certificate_digest() -> Option<String> {
    let shown = state::flag(&["connection", "mtls"]) && state::flag(&["connection", "peer_certificate_valid"]);
    shown.then(|| state::text(&["connection", "sha256_peer_certificate_digest"])).flatten()
}

/// What a verified token was granted, and for whom it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Its audience: the claim `aud`.
    pub audience: Vec<String>,
}

/// The token that proves `caller`; `None` where none does.
#[must_use]
pub fn token_of(jwt: &Jwt, caller: &Caller) -> Option<Token> {
    if !caller.proofs.iter().any(|proof| matches!(proof, Proof::Jwt(_))) {
        return None;
    }
    let metadata = Metadata::read();
    let payload = verified(&metadata, jwt)?;
    let texts = |value: Option<Value<'_>>| -> Vec<String> {
        match value {
            Some(Value::Text(text)) => vec![text.to_owned()],
            Some(Value::List(list)) => list.texts().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    };
    let granted = texts(find(payload, &jwt.scopes));
    let scopes = granted.iter().flat_map(|text| text.split(' ')).filter(|scope| !scope.is_empty()).map(str::to_owned);
    Some(Token { scopes: scopes.collect(), audience: texts(payload.get("aud")) })
}

impl Token {
    /// Whether it is meant for one of these audiences, and so is what the request shows as its token, which may be another:
    /// `jwt_authn` finds tokens elsewhere too.
    #[must_use]
    pub fn goes_on_to(&self, audiences: &[String], headers: &Headers) -> bool {
        let is_for = |all: &[String]| all.iter().any(|one| audiences.contains(one));
        let shown = headers.text("authorization").and_then(token::bearer).and_then(token::audience);
        is_for(&self.audience) && shown.is_some_and(|all| is_for(&all))
    }
}

fn find<'a>(payload: Object<'a>, path: &ClaimPath) -> Option<Value<'a>> {
    path.names().try_fold(Value::Object(payload), |value, name| match value {
        Value::Object(object) => object.get(name),
        _ => None,
    })
}

fn claim<'a>(payload: Object<'a>, path: &ClaimPath) -> Claim<'a> {
    match find(payload, path) {
        None | Some(Value::Null) => Claim::Absent,
        Some(Value::Text(text)) => Claim::Text(text),
        Some(Value::Number(number)) => Claim::Number(number),
        Some(Value::Flag(_) | Value::Object(_) | Value::List(_)) => Claim::Other,
    }
}

/// Who the certificate says that Envoy has verified.
fn certificate(mtls: &Mtls) -> Result<Option<Caller>, NotProven> {
    // True of any certificate, also of one that is only accepted.
    if !state::flag(&["connection", "mtls"]) {
        return Ok(None);
    }
    if !state::flag(&["connection", "peer_certificate_valid"]) {
        return Err(NotProven::CertificateNotVerified);
    }
    let Some(id) = state::text(&["connection", "uri_san_peer_certificate"]) else { return Ok(None) };
    // Envoy tells the first name. A SPIFFE id stands alone (X509-SVID, section 2).
    let der = state::text(&["connection", "peer_certificate"]).and_then(|pem| der(&pem));
    let names = der.as_deref().and_then(uri_names);
    if names.as_deref() != Some(&[id.as_bytes()]) {
        return Err(NotProven::Certificate);
    }
    match mtls.spiffe.subject(&id) {
        None => Ok(None),
        Some(Err(_)) => Err(NotProven::Certificate),
        Some(Ok(subject)) => Ok(Some(Caller::new(subject, Proof::Mtls(Rc::clone(&mtls.grant))))),
    }
}

/// The certificate in a PEM text (RFC 7468).
fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (base64, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let base64: Vec<u8> = base64.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(base64).ok()
}

/// Who the gateway before this one says.
fn signed(header: &SignedHeader, headers: &Headers, now_unix_s: u64) -> Result<Option<Caller>, NotProven> {
    let mut values = headers.all(&header.name);
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    if second.is_some() {
        return Err(NotProven::Header(HeaderFault::Unproven));
    }
    let part = |name: &'static str| headers.one(name).unwrap_or_default();
    let line = RequestLine { method: part(":method"), authority: part(":authority"), path: part(":path") };
    let subject = header.keys.prove(value, &line, header.max_age_s, now_unix_s).map_err(NotProven::Header)?;
    Ok(Some(Caller::new(subject, Proof::Header(Rc::clone(&header.grant)))))
}

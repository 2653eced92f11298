//! Who asks: what a request shows, and what of it is believed.
//!
//! A part that is not shown leaves it to the next way. One that is shown and wrong refuses the request: whoever shows it
//! means to be somebody, and is not.

use crate::certificate::{Certificate, Name};
use crate::config::{Identity, Jwt, Mtls, Part, SignedHeader};
use crate::credentials::{self, Shown};
use crate::fault::{Fault, NotProven, Unidentified};
use crate::known::Known;
use std::rc::Rc;
use tollgate_host::headers::Headers;
use tollgate_host::protobuf_struct::{Members, Object, Value};
use tollgate_kernel::caller::{Caller, Proof};
use tollgate_kernel::claims::{self, Claim, ClaimPath};
use tollgate_kernel::confirmation;
use tollgate_kernel::key_ring::KeyRing;
use tollgate_kernel::signed_subject::{HeaderFault, RequestLine};
use tollgate_kernel::subject::Subject;
use tollgate_kernel::token;
use tollgate_kernel::virtual_key::VirtualKey;

/// Who asks.
///
/// # Errors
/// When something that is shown is wrong, or nothing is shown that proves it.
pub fn identify(
    identity: &Identity,
    keys: &KeyRing,
    headers: &Headers,
    known: &Known,
    now_unix_s: u64,
) -> Result<Rc<Caller>, Unidentified> {
    let key = shown_key(identity, keys, headers, now_unix_s)?;
    for way in &identity.ways {
        match way[..] {
            [Part::Key] if let Some(caller) = key => return Ok(Rc::clone(caller)),
            _ => {
                if let Some(caller) = prove(identity, way, key.map(Rc::as_ref), headers, known, now_unix_s)? {
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
    known: &Known,
    now_unix_s: u64,
) -> Result<Option<Caller>, NotProven> {
    let mut proven: Option<Caller> = None;
    for part in way {
        let shown = match part {
            Part::Key => key.cloned(),
            Part::Jwt => {
                let mtls = identity.mtls.as_ref();
                identity.jwt.as_ref().map(|jwt| of_token(jwt, mtls, known)).transpose()?.flatten()
            }
            Part::Mtls => identity.mtls.as_ref().map(|mtls| of_certificate(mtls, known)).transpose()?.flatten(),
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
fn of_token(jwt: &Jwt, mtls: Option<&Mtls>, known: &Known) -> Result<Option<Caller>, NotProven> {
    let Some(claims) = known.token(jwt).and_then(Object::members) else { return Ok(None) };
    let find = |path: &ClaimPath| claim(&claims, path);
    let digest = || known.certificate().filter(|shown| shown.is_verified).and_then(Certificate::sha256);
    confirmation::check(&jwt.cnf_checked_before, digest, &find).map_err(NotProven::Confirmation)?;
    of_claims(jwt, mtls, &find).map(Some)
}

/// Who a token's claims say.
fn of_claims<'c>(jwt: &Jwt, mtls: Option<&Mtls>, find: &impl Fn(&ClaimPath) -> Claim<'c>) -> Result<Caller, NotProven> {
    let subject = claims::subject(&jwt.claims, &jwt.require, find).map_err(NotProven::Claim)?;
    let caller = Caller::new(subject, Proof::Jwt(Rc::clone(&jwt.grant)));
    let Some(actor) = &jwt.actor else { return Ok(caller) };
    let actors = actor.read(mtls.map(|mtls| &mtls.spiffe), find).map_err(NotProven::Actor)?;
    caller.acting(&actors.current, actors.before).map_err(NotProven::Conflict)
}

/// Who certificate and token say by themselves, as far as they say somebody, whether they agree or not: for the record of a
/// request that was refused for that. It proves nothing.
#[must_use]
pub fn claimed(identity: &Identity, known: &Known) -> Vec<(&'static str, Subject)> {
    let mtls = identity.mtls.as_ref();
    let certificate = mtls.and_then(|mtls| of_certificate(mtls, known).ok().flatten());
    let token = identity.jwt.as_ref().and_then(|jwt| {
        let claims = known.token(jwt).and_then(Object::members)?;
        of_claims(jwt, mtls, &|path: &ClaimPath| claim(&claims, path)).ok()
    });
    let named = [("certificate", certificate), ("token", token)];
    named.into_iter().filter_map(|(proof, caller)| caller.map(|caller| (proof, caller.subject))).collect()
}

/// Whether Envoy has verified a token, whatever that proves.
#[must_use]
pub fn shows_token(identity: &Identity, known: &Known) -> bool {
    identity.jwt.as_ref().is_some_and(|jwt| known.token(jwt).is_some())
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
pub fn token_of(jwt: &Jwt, caller: &Caller, known: &Known) -> Option<Token> {
    if !caller.proofs.iter().any(|proof| matches!(proof, Proof::Jwt(_))) {
        return None;
    }
    let payload = known.token(jwt)?.members()?;
    let texts = |value: Option<Value<'_>>| -> Vec<String> {
        match value {
            Some(Value::Text(text)) => vec![text.to_owned()],
            Some(Value::List(list)) => list.texts().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    };
    let granted = texts(find(&payload, &jwt.scopes));
    let scopes = granted.iter().flat_map(|text| text.split(' ')).filter(|scope| !scope.is_empty()).map(str::to_owned);
    Some(Token { scopes: scopes.collect(), audience: texts(payload.get("aud")) })
}

impl Token {
    /// Whether it is meant for one of these audiences, and so is what the request shows as its token, which may be another:
    /// `jwt_authn` finds tokens elsewhere too.
    #[must_use]
    pub fn goes_on_to(&self, audiences: &[String], headers: &Headers) -> bool {
        let is_for = |all: &[String]| all.iter().any(|one| audiences.contains(one));
        let shown = || headers.text("authorization").and_then(token::bearer).and_then(token::audience);
        is_for(&self.audience) && shown().is_some_and(|all| is_for(&all))
    }
}

fn find<'a>(payload: &Members<'a>, path: &ClaimPath) -> Option<Value<'a>> {
    let mut names = path.names();
    let outermost = payload.get(names.next()?)?;
    names.try_fold(outermost, |value, name| match value {
        Value::Object(object) => object.get(name),
        _ => None,
    })
}

fn claim<'a>(payload: &Members<'a>, path: &ClaimPath) -> Claim<'a> {
    match find(payload, path) {
        None | Some(Value::Null) => Claim::Absent,
        Some(Value::Text(text)) => Claim::Text(text),
        Some(Value::Number(number)) => Claim::Number(number),
        Some(Value::Flag(_) | Value::Object(_) | Value::List(_)) => Claim::Other,
    }
}

/// Who the certificate says that Envoy has verified.
fn of_certificate(mtls: &Mtls, known: &Known) -> Result<Option<Caller>, NotProven> {
    let Some(shown) = known.certificate() else { return Ok(None) };
    if !shown.is_verified {
        return Err(NotProven::CertificateNotVerified);
    }
    let id = match &shown.name {
        Name::None => return Ok(None),
        Name::Several => return Err(NotProven::Certificate),
        Name::One(id) => id,
    };
    match mtls.spiffe.subject(id) {
        None => Ok(None),
        Some(Err(_)) => Err(NotProven::Certificate),
        Some(Ok(subject)) => Ok(Some(Caller::new(subject, Proof::Mtls(Rc::clone(&mtls.grant))))),
    }
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

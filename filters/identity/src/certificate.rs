//! The certificate that a client shows: the same on all of its connection, and read once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use tollgate_host::state;
use tollgate_kernel::x509::uri_names;

/// How many connections each worker remembers.
const REMEMBERED: usize = 256;
/// As long as a SPIFFE id may be; what has a longer name is read each time.
const MAX_NAME: usize = 2048;

/// A certificate.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// Envoy has verified it; otherwise it was only accepted.
    pub(crate) is_verified: bool,
    /// Whom it names.
    pub(crate) name: Name,
    sha256: OnceCell<Option<String>>,
}

/// The URIs that name a workload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// There is none.
    None,
    /// This one alone.
    One(String),
    /// More than one, or nobody can say.
    Several,
}

thread_local! {
    /// By the number of the connection, which is no other's.
    static SHOWN: RefCell<Vec<(u64, Rc<Certificate>)>> = const { RefCell::new(Vec::new()) };
}

impl Certificate {
    /// The one that the client shows.
    pub(crate) fn shown() -> Option<Rc<Self>> {
        let Some(connection) = state::number(&["connection", "id"]) else { return Self::read().map(Rc::new) };
        SHOWN.with_borrow_mut(|shown| remembered(shown, connection, Self::read))
    }

    /// Its SHA-256, in hex.
    pub(crate) fn sha256(&self) -> Option<&str> {
        let digest = || state::text(&["connection", "sha256_peer_certificate_digest"]);
        self.sha256.get_or_init(digest).as_deref()
    }

    fn read() -> Option<Self> {
        // True of any certificate, also of one that is only accepted.
        let is_shown = state::flag(&["connection", "mtls"]);
        let is_verified = is_shown && state::flag(&["connection", "peer_certificate_valid"]);
        let name = if is_verified { name() } else { Name::None };
        is_shown.then(|| Self { is_verified, name, sha256: OnceCell::new() })
    }
}

/// What is not verified may become so, and what is large takes room: neither is remembered.
fn remembered(
    shown: &mut Vec<(u64, Rc<Certificate>)>,
    connection: u64,
    read: impl FnOnce() -> Option<Certificate>,
) -> Option<Rc<Certificate>> {
    if let Some((_, certificate)) = shown.iter().rfind(|(known, _)| *known == connection) {
        return Some(Rc::clone(certificate));
    }
    let certificate = Rc::new(read()?);
    if certificate.is_verified && !matches!(&certificate.name, Name::One(id) if id.len() > MAX_NAME) {
        if shown.len() >= REMEMBERED {
            shown.remove(0);
        }
        shown.push((connection, Rc::clone(&certificate)));
    }
    Some(certificate)
}

/// Envoy tells the first name. A SPIFFE id stands alone (X509-SVID, section 2).
fn name() -> Name {
    let Some(id) = state::text(&["connection", "uri_san_peer_certificate"]) else { return Name::None };
    let der = state::text(&["connection", "peer_certificate"]).and_then(|pem| der(&pem));
    match der.as_deref().and_then(uri_names).as_deref() {
        Some([only]) if *only == id.as_bytes() => Name::One(id),
        _ => Name::Several,
    }
}

/// The certificate in a PEM text (RFC 7468).
fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (base64, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let base64: Vec<u8> = base64.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(base64).ok()
}

#[cfg(test)]
mod tests {
    use super::{Certificate, MAX_NAME, Name, OnceCell, REMEMBERED, remembered};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn named(name: &str) -> Option<Certificate> {
        Some(Certificate { is_verified: true, name: Name::One(name.to_owned()), sha256: OnceCell::new() })
    }

    fn unread() -> Option<Certificate> {
        panic!("it is remembered")
    }

    #[test]
    fn a_certificate_is_read_once_on_its_connection_and_the_latest_connections_are_remembered() {
        let shown = &mut Vec::new();
        let last = u64::try_from(REMEMBERED).unwrap();
        for connection in 0..=last {
            let name = Name::One(connection.to_string());
            assert_eq!(remembered(shown, connection, || named(&connection.to_string())).unwrap().name, name);
            assert_eq!(remembered(shown, connection, unread).unwrap().name, name);
        }
        assert_eq!(shown.len(), REMEMBERED);
        assert_eq!(remembered(shown, 1, unread).unwrap().name, Name::One("1".to_owned()));
        assert!(remembered(shown, 0, || None).is_none(), "the oldest was forgotten");
    }

    #[test]
    fn what_is_not_shown_or_not_verified_or_large_is_looked_at_again() {
        let shown = &mut Vec::new();
        let unverified = Certificate { is_verified: false, name: Name::None, sha256: OnceCell::new() };
        let long = "x".repeat(MAX_NAME.saturating_add(1));
        assert!(remembered(shown, 1, || None).is_none());
        assert!(!remembered(shown, 1, || Some(unverified)).unwrap().is_verified);
        assert_eq!(remembered(shown, 1, || named(&long)).unwrap().name, Name::One(long));
        assert_eq!(remembered(shown, 1, || named("a")).unwrap().name, Name::One("a".to_owned()));
        assert_eq!(remembered(shown, 1, unread).unwrap().name, Name::One("a".to_owned()));
    }
}

//! The name in a certificate. To read it costs more than all else that is asked of who calls, and who calls once calls again.

use crate::known::Certificate;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::cell::RefCell;
use std::rc::Rc;
use tollgate_host::state;
use tollgate_kernel::x509::uri_names;

/// How many certificates each worker remembers.
const REMEMBERED: usize = 64;
/// As long as a SPIFFE id may be; what has a longer name is read each time.
const MAX_NAME: usize = 2048;

/// The URIs that name a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// There is none.
    None,
    /// This one alone.
    One(Rc<str>),
    /// More than one, or nobody can say.
    Several,
}

thread_local! {
    /// By SHA-256, the one that was shown last first.
    static NAMES: RefCell<Vec<(String, Name)>> = const { RefCell::new(Vec::new()) };
}

/// The name in the certificate that the client shows.
pub(crate) fn name(shown: &Certificate) -> Name {
    NAMES.with_borrow_mut(|names| remembered(names, &shown.sha256, read))
}

fn remembered(names: &mut Vec<(String, Name)>, sha256: &str, read: impl FnOnce() -> Name) -> Name {
    if let Some(before) = names.iter().position(|(known, _)| known == sha256) {
        if let Some(newer) = names.get_mut(..=before) {
            newer.rotate_right(1);
        }
        return names.first().map_or(Name::Several, |(_, name)| name.clone());
    }
    let name = read();
    if !matches!(&name, Name::One(id) if id.len() > MAX_NAME) {
        names.truncate(REMEMBERED.saturating_sub(1));
        names.insert(0, (sha256.to_owned(), name.clone()));
    }
    name
}

/// Envoy tells the first name. A SPIFFE id stands alone (X509-SVID, section 2).
fn read() -> Name {
    let Some(id) = state::text(&["connection", "uri_san_peer_certificate"]) else { return Name::None };
    let der = state::text(&["connection", "peer_certificate"]).and_then(|pem| der(&pem));
    match der.as_deref().and_then(uri_names).as_deref() {
        Some([only]) if *only == id.as_bytes() => Name::One(id.into()),
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
    use super::{MAX_NAME, Name, REMEMBERED, remembered};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn unread() -> Name {
        panic!("it is remembered")
    }

    #[test]
    fn a_certificate_is_read_once_and_those_shown_last_are_remembered() {
        let names = &mut Vec::new();
        let one = |name: usize| Name::One(name.to_string().into());
        for name in 0..=REMEMBERED {
            assert_eq!(remembered(names, &name.to_string(), || one(name)), one(name));
            assert_eq!(remembered(names, "0", unread), one(0), "shown again");
        }
        assert_eq!(names.len(), REMEMBERED);
        assert_eq!(remembered(names, "2", unread), one(2));
        assert_eq!(remembered(names, "1", || Name::Several), Name::Several, "the oldest was forgotten");
    }

    #[test]
    fn nothing_large_is_remembered() {
        let (names, longest) = (&mut Vec::new(), Name::One("x".repeat(MAX_NAME.saturating_add(1)).into()));
        assert_eq!(remembered(names, "a", || longest.clone()), longest);
        assert_eq!(remembered(names, "a", || Name::None), Name::None);
        assert_eq!(remembered(names, "a", unread), Name::None);
    }
}

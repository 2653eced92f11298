//! Whether a token is in the hands of whom it was made out to (RFC 7800): its claim `cnf` names the key of who may show it.

use crate::claims::{Claim, ClaimPath};
use crate::hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const CNF: &str = "cnf";

/// The member with the SHA-256 of a certificate (RFC 8705, section 3.1).
const CERTIFICATE: &str = "x5t#S256";

/// Why a token proves nothing of who shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmationFault {
    /// It is bound to a certificate, and none is shown that Envoy has verified.
    NoCertificate,
    /// It is bound to another certificate.
    OtherCertificate,
    /// It is bound to something of which nobody has checked whether the client has it.
    Unchecked,
}

/// Checks `cnf`. `certificate` gives the SHA-256 of the client's verified certificate, in hex; the members of
/// `checked_before` somebody else has checked.
///
/// # Errors
/// When the token is somebody else's, or may be.
pub fn check<'a>(
    checked_before: &[String],
    certificate: impl FnOnce() -> Option<&'a str>,
    find: &dyn Fn(&ClaimPath) -> Claim<'a>,
) -> Result<(), ConfirmationFault> {
    if find(&ClaimPath::of(&[CNF])) == Claim::Absent {
        return Ok(());
    }
    let member = |name: &str| find(&ClaimPath::of(&[CNF, name]));
    let before = checked_before.iter().any(|name| member(name) != Claim::Absent);
    match member(CERTIFICATE) {
        Claim::Absent if before => Ok(()),
        Claim::Absent => Err(ConfirmationFault::Unchecked),
        _ if checked_before.iter().any(|name| name == CERTIFICATE) => Ok(()),
        bound => {
            let shown = certificate().ok_or(ConfirmationFault::NoCertificate)?;
            let bound = if let Claim::Text(text) = bound { URL_SAFE_NO_PAD.decode(text).ok() } else { None };
            match hex::read(shown).zip(bound) {
                Some((shown, bound)) if shown[..] == bound => Ok(()),
                _ => Err(ConfirmationFault::OtherCertificate),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfirmationFault, check};
    use crate::claims::tests::find;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// The SHA-256 of nothing, as Envoy and as RFC 8705 write it.
    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const BOUND: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    fn checked(cnf: Value, certificate: Option<&str>, before: &[&str]) -> Result<(), ConfirmationFault> {
        let token = json!({"sub": "ada", "cnf": cnf});
        let before: Vec<String> = before.iter().map(|name| (*name).to_owned()).collect();
        check(&before, || certificate, &|path| find(&token, path))
    }

    #[test]
    fn a_token_is_worth_something_only_beside_the_certificate_it_is_bound_to() {
        let other = DIGEST.replace('e', "f");
        let bound = |text: &str| json!({"x5t#S256": text});
        for (cnf, certificate, expected) in [
            (Value::Null, None, Ok(())),
            (bound(BOUND), Some(DIGEST), Ok(())),
            (json!({"x5t#S256": BOUND, "jkt": "a"}), Some(DIGEST), Ok(())),
            (bound(BOUND), None, Err(ConfirmationFault::NoCertificate)),
            (bound(BOUND), Some(&*other), Err(ConfirmationFault::OtherCertificate)),
            (bound(BOUND), Some(""), Err(ConfirmationFault::OtherCertificate)),
            (bound(""), Some(""), Err(ConfirmationFault::OtherCertificate)),
            (bound(""), Some(DIGEST), Err(ConfirmationFault::OtherCertificate)),
            (bound(DIGEST), Some(DIGEST), Err(ConfirmationFault::OtherCertificate)),
            (bound(&format!("{BOUND}=")), Some(DIGEST), Err(ConfirmationFault::OtherCertificate)),
            (bound(&BOUND.to_lowercase()), Some(DIGEST), Err(ConfirmationFault::OtherCertificate)),
            (bound(&BOUND.replace('-', "+")), Some(DIGEST), Err(ConfirmationFault::OtherCertificate)),
            (bound(&BOUND.replace("uFU", "uFV")), Some(DIGEST), Err(ConfirmationFault::OtherCertificate)),
            (json!({"x5t#S256": [BOUND]}), Some(DIGEST), Err(ConfirmationFault::OtherCertificate)),
            (json!({"x5t#S256": 7}), Some(DIGEST), Err(ConfirmationFault::OtherCertificate)),
            (json!({"x5t": BOUND}), Some(DIGEST), Err(ConfirmationFault::Unchecked)),
            (json!({"jkt": "a"}), Some(DIGEST), Err(ConfirmationFault::Unchecked)),
            (json!({"jwk": {"kty": "EC"}}), None, Err(ConfirmationFault::Unchecked)),
            (json!({}), Some(DIGEST), Err(ConfirmationFault::Unchecked)),
            (json!({"x5t#S256": null}), Some(DIGEST), Err(ConfirmationFault::Unchecked)),
            (json!([BOUND]), Some(DIGEST), Err(ConfirmationFault::Unchecked)),
            (json!(BOUND), Some(DIGEST), Err(ConfirmationFault::Unchecked)),
        ] {
            assert_eq!(checked(cnf.clone(), certificate, &[]), expected, "{cnf} {certificate:?}");
        }
    }

    #[test]
    fn what_is_checked_before_is_not_checked_again_and_nothing_else_is_believed_for_it() {
        for (cnf, before, expected) in [
            (json!({"jkt": "a"}), &["jkt"][..], Ok(())),
            (json!({"jwk": {}}), &["jkt"], Err(ConfirmationFault::Unchecked)),
            (json!({"x5t#S256": BOUND}), &["x5t#S256"], Ok(())),
            (json!({"x5t#S256": BOUND}), &["jkt"], Err(ConfirmationFault::NoCertificate)),
            (json!({"x5t#S256": BOUND, "jkt": "a"}), &["jkt"], Err(ConfirmationFault::NoCertificate)),
        ] {
            assert_eq!(checked(cnf.clone(), None, before), expected, "{cnf} {before:?}");
        }
    }
}

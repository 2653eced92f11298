//! The names in an X.509 certificate, of which Envoy tells only the first.
//!
//! Not a verification: the certificate is one that Envoy has verified. So it is well-formed, and whatever is not is read as
//! no certificate at all.

/// `id-ce-subjectAltName`, 2.5.29.17 (RFC 5280, section 4.2.1.6).
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
/// `[3]` of `TBSCertificate`.
const EXTENSIONS: u8 = 0xa3;
/// `[6]` of `GeneralName`: `uniformResourceIdentifier`.
const URI: u8 = 0x86;

/// The URIs among the subject's alternative names, in order; `None` when `der` is no certificate.
#[must_use]
pub fn uri_names(der: &[u8]) -> Option<Vec<&[u8]>> {
    let certificate = only(der, SEQUENCE)?;
    let signed = elements(certificate).next()??;
    let Element { tag: SEQUENCE, value: signed } = signed else { return None };
    let mut names = Vec::new();
    for part in elements(signed) {
        let Element { tag: EXTENSIONS, value } = part? else { continue };
        for extension in elements(only(value, SEQUENCE)?) {
            let Element { tag: SEQUENCE, value: extension } = extension? else { return None };
            let parts: Vec<Element<'_>> = elements(extension).collect::<Option<_>>()?;
            let (Some(Element { tag: OID, value: id }), Some(Element { tag: OCTET_STRING, value })) =
                (parts.first(), parts.last())
            else {
                return None;
            };
            if *id != SUBJECT_ALT_NAME {
                continue;
            }
            for name in elements(only(value, SEQUENCE)?) {
                if let Element { tag: URI, value } = name? {
                    names.push(value);
                }
            }
        }
    }
    Some(names)
}

/// One DER element.
struct Element<'a> {
    tag: u8,
    value: &'a [u8],
}

/// The value of the one element that `bytes` are.
fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let mut all = elements(bytes);
    let first = all.next()??;
    (first.tag == tag && all.next().is_none()).then_some(first.value)
}

/// The elements that `bytes` are a row of; the last is `None` when they are something else.
fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Option<Element<'_>>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let element = element(&mut bytes);
        if element.is_none() {
            bytes = &[];
        }
        Some(element)
    })
}

fn element<'a>(bytes: &mut &'a [u8]) -> Option<Element<'a>> {
    let (tag, rest) = bytes.split_first()?;
    let (length, mut rest) = rest.split_first()?;
    let length = match length {
        0..=0x7f => usize::from(*length),
        // In so many bytes, of which four are more than any certificate needs.
        0x81..=0x84 => {
            let (digits, after) = rest.split_at_checked(usize::from(length & 0x7f))?;
            rest = after;
            digits.iter().try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add(usize::from(*digit)))?
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(Element { tag: *tag, value })
}

#[cfg(test)]
mod tests {
    use super::uri_names;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let value = parts.concat();
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length, value.as_slice()].concat()
    }

    fn names(names: &[(u8, &str)]) -> Vec<u8> {
        let names: Vec<Vec<u8>> = names.iter().map(|(tag, name)| der(*tag, &[name.as_bytes()])).collect();
        der(0x30, &names.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
        let critical: &[u8] = if critical { &[0x01, 0x01, 0xff] } else { &[] };
        der(0x30, &[&der(0x06, &[id]), critical, &der(0x04, &[value])])
    }

    fn certificate(subject: &[u8], extensions: &[&[u8]]) -> Vec<u8> {
        let signed =
            der(0x30, &[&der(0xa0, &[&[2, 1, 2]]), &[2, 1, 7], subject, &der(0xa3, &[&der(0x30, extensions)])]);
        der(0x30, &[&signed, &der(0x30, &[]), &der(0x03, &[b"signature"])])
    }

    const SAN: &[u8] = &[0x55, 0x1d, 0x11];

    #[test]
    fn every_uri_is_seen_and_nothing_else() {
        let san = names(&[(0x82, "a.example"), (0x86, "spiffe://a/b"), (0x81, "a@b"), (0x86, "spiffe://c/d")]);
        for critical in [false, true] {
            let san = extension(SAN, critical, &san);
            let other = extension(&[0x55, 0x1d, 0x0f], true, &[3, 2, 5, 0xa0]);
            let found = certificate(&der(0x30, &[]), &[&other, &san]);
            assert_eq!(uri_names(&found), Some(vec![&b"spiffe://a/b"[..], b"spiffe://c/d"]));
        }
        assert_eq!(uri_names(&certificate(&der(0x30, &[]), &[])), Some(vec![]));
    }

    #[test]
    fn an_extension_inside_the_subjects_name_is_no_extension() {
        let hidden = extension(SAN, false, &names(&[(0x86, "spiffe://evil/x")]));
        let real = extension(SAN, false, &names(&[(0x86, "spiffe://a/b")]));
        assert_eq!(uri_names(&certificate(&der(0x30, &[&hidden]), &[&real])), Some(vec![&b"spiffe://a/b"[..]]));
    }

    #[test]
    fn cut_bytes_are_no_certificate() {
        let whole = certificate(&der(0x30, &[]), &[&extension(SAN, false, &names(&[(0x86, "spiffe://a/b")]))]);
        for end in 0..whole.len() {
            assert_eq!(uri_names(&whole[..end]), None, "cut at {end}");
        }
        for bytes in
            [&b"\x30\x80\x00\x00"[..], b"\x30\x85\x00\x00\x00\x00\x01\x00", b"\x30\x84\xff\xff\xff\xff", b"text"]
        {
            assert_eq!(uri_names(bytes), None, "{bytes:?}");
        }
        assert_eq!(uri_names(&[whole.as_slice(), b"\x05\x00"].concat()), None, "and something after it");
    }
}

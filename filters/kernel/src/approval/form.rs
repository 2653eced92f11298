//! What a form of the approval page sends (URL standard, section 5.1).

/// The values of these fields; `None` when there is another one, one twice, or something else than fields.
#[must_use]
pub fn fields<const N: usize>(body: &[u8], names: [&str; N]) -> Option<[Option<String>; N]> {
    let mut values = [const { None }; N];
    for pair in str::from_utf8(body).ok()?.split('&') {
        let (name, value) = pair.split_once('=')?;
        let at = names.iter().position(|known| *known == name)?;
        if values.get_mut(at)?.replace(decoded(value)?).is_some() {
            return None;
        }
    }
    Some(values)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()?.checked_mul(16)?.checked_add(digit()?)?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::fields;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(body: &str) -> Option<[Option<String>; 2]> {
        fields(body.as_bytes(), ["a", "b"])
    }

    #[test]
    fn forms_are_decoded_as_browsers_write_them() {
        for (text, value) in [
            ("plain", Some("plain")),
            ("two+words%21", Some("two words!")),
            ("%E2%82%AC", Some("\u{20ac}")),
            ("", Some("")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%+1", None),
            ("%ff", None),
        ] {
            let expected = value.map(|value| [Some(value.to_owned()), None]);
            assert_eq!(read(&format!("a={text}")), expected, "{text}");
        }
        assert_eq!(read("b=2&a=1=1"), Some([Some("1=1".to_owned()), Some("2".to_owned())]));
    }

    #[test]
    fn what_is_no_form_of_ours_is_none() {
        for body in ["", "a", "a=1&", "a=1&a=2", "a=1&c=2", "A=1", "%61=1", "a=1;b=2&b", "a=1&&b=2"] {
            assert_eq!(read(body), None, "{body}");
        }
        assert_eq!(fields(b"a=\xff", ["a"]), None);
    }
}

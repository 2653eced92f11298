//! Images and files, by address or inline in a `data:` URL.

use crate::conversation::Media;

/// What a URL leads to or holds; `None` when it is neither http(s) nor `data:` in base64.
pub(super) fn read(url: &str) -> Option<Media> {
    let (scheme, rest) = url.split_once(':')?;
    if scheme.eq_ignore_ascii_case("data") {
        let (head, base64) = rest.split_once(',')?;
        let media_type = head.strip_suffix(";base64")?.split(';').next()?;
        let inline = || Media::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() };
        return (media_type.contains('/') && !base64.is_empty()).then(inline);
    }
    is_web(url).then(|| Media::Url(url.to_owned()))
}

/// As a URL; `None` for an address that only another provider can read (`gs:`, `s3:`).
pub(super) fn write(media: &Media) -> Option<String> {
    match media {
        Media::Url(url) => is_web(url).then(|| url.clone()),
        Media::Inline { media_type, base64 } => Some(format!("data:{media_type};base64,{base64}")),
    }
}

fn is_web(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_url_is_an_address_or_holds_base64() {
        let inline = |media_type: &str, base64: &str| {
            Some(Media::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() })
        };
        for (url, expected) in [
            ("https://a.example/x?y", Some(Media::Url("https://a.example/x?y".to_owned()))),
            ("HTTP://a.example", Some(Media::Url("HTTP://a.example".to_owned()))),
            ("data:image/png;base64,iVBO", inline("image/png", "iVBO")),
            ("Data:text/plain;charset=utf-8;base64,QQ==", inline("text/plain", "QQ==")),
            ("data:image/png,raw", None),
            ("data:;base64,QQ==", None),
            ("data:image/png;base64,", None),
            ("gs://bucket/x", None),
            ("file-123", None),
            ("", None),
        ] {
            assert_eq!(read(url), expected, "{url}");
        }
    }

    #[test]
    fn what_only_another_provider_can_read_is_not_written() {
        assert_eq!(write(&Media::Url("s3://bucket/x".to_owned())), None);
        let inline = Media::Inline { media_type: "image/png".to_owned(), base64: "iVBO".to_owned() };
        assert_eq!(write(&inline).as_deref(), Some("data:image/png;base64,iVBO"));
    }
}

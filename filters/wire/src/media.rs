//! Images and files, by address or inline in a `data:` URL.

use crate::conversation::Media;
use tollgate_kernel::json::Writer;

/// What a URL leads to or holds; `None` when it is neither http(s) nor `data:` in base64.
pub(crate) fn read(url: &str) -> Option<Media> {
    let (scheme, rest) = url.split_once(':')?;
    if scheme.eq_ignore_ascii_case("data") {
        let (head, base64) = rest.split_once(',')?;
        let media_type = head.strip_suffix(";base64")?.split(';').next()?;
        let inline = || Media::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() };
        return (media_type.contains('/') && !base64.is_empty()).then(inline);
    }
    is_web(url).then(|| Media::Url(url.to_owned()))
}

/// Whether it is a picture, as far as that can be told.
pub(crate) fn may_be_image(media: &Media) -> bool {
    match media {
        Media::Url(_) => true,
        Media::Inline { media_type, .. } => media_type.starts_with("image/"),
    }
}

/// Whether the OpenAI formats have a URL for it: not for an address that only another provider can read (`gs:`, `s3:`).
pub(crate) fn has_url(media: &Media) -> bool {
    match media {
        Media::Url(url) => is_web(url),
        Media::Inline { .. } => true,
    }
}

/// Writes the URL of what has one.
pub(crate) fn write_url(media: &Media, json: &mut Writer<'_>) {
    match media {
        Media::Url(url) => json.text(url),
        Media::Inline { media_type, base64 } => {
            json.open_text();
            for piece in ["data:", media_type, ";base64,", base64] {
                json.more_text(piece);
            }
            json.close_text();
        }
    }
}

/// Whether it is an address that everybody can read.
pub(crate) fn is_web(url: &str) -> bool {
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
        assert!(!has_url(&Media::Url("s3://bucket/x".to_owned())));
        let inline = Media::Inline { media_type: "image/png".to_owned(), base64: "iVBO".to_owned() };
        let mut json = Vec::new();
        write_url(&inline, &mut Writer::new(&mut json));
        assert!(has_url(&inline));
        assert_eq!(json, br#""data:image/png;base64,iVBO""#);
    }
}

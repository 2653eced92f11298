//! Pictures and documents: `inlineData` and `fileData`.

use super::object::Object;
use crate::bytes::{decode_text, encode};
use crate::conversation::{Document, DocumentSource, Media, Part};
use crate::error::Invalid;
use crate::fields::At;
use tollgate_kernel::json::Writer;

/// Google's own file store. Only Google reads it.
const FILE_STORE: &str = "https://generativelanguage.googleapis.com/";

/// What an address without a media type most likely leads to.
const EXTENSIONS: [(&str, &str); 12] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("md", "text/markdown"),
    ("json", "application/json"),
];

/// A part that was under `inlineData`. The official SDK writes the URL-safe alphabet, other formats take the standard
/// one only.
pub(super) fn read_inline(data: &mut Object<'_>, at: &At<'_>) -> Result<Part, Invalid> {
    let media_type = data.text("mimeType", at)?.ok_or_else(|| at.field("mimeType").lacks("a string"))?;
    let base64 = data.text("data", at)?.ok_or_else(|| at.field("data").lacks("a string"))?;
    let name = data.text("displayName", at)?;
    let base64 = standard(&base64).ok_or_else(|| at.field("data").fault("must be base64"))?;
    if media_type == "text/plain"
        && let Some(text) = decode_text(&base64)
    {
        return Ok(Part::Document(Document { name, source: DocumentSource::Text(text) }));
    }
    part(&media_type.clone(), Media::Inline { media_type, base64 }, name, at)
}

/// A part that was under `fileData`.
pub(super) fn read_file(data: &mut Object<'_>, at: &At<'_>) -> Result<Part, Invalid> {
    let uri = data.text("fileUri", at)?.ok_or_else(|| at.field("fileUri").lacks("a string"))?;
    let media_type = data.text("mimeType", at)?;
    let name = data.text("displayName", at)?;
    if uri.starts_with(FILE_STORE) || !is_address(&uri) {
        return Err(at
            .field("fileUri")
            .fault("must be an http, https or gs address outside of the provider's own store"));
    }
    let media_type = media_type.as_deref().or_else(|| media_type_of(&uri));
    let Some(media_type) = media_type else { return Err(at.field("mimeType").lacks("a string")) };
    part(media_type, Media::Url(uri.clone()), name, at)
}

fn part(media_type: &str, media: Media, name: Option<String>, at: &At<'_>) -> Result<Part, Invalid> {
    match media_type.split_once('/') {
        Some(("image", _)) => Ok(Part::Image(media)),
        Some(("application" | "text", _)) => Ok(Part::Document(Document { name, source: DocumentSource::File(media) })),
        _ => Err(at.field("mimeType").fault("is of a kind that cannot be carried to another provider")),
    }
}

/// Standard base64 with padding, of either alphabet with and without it.
fn standard(text: &str) -> Option<String> {
    let mut base64 = String::with_capacity(text.len().saturating_add(2));
    for byte in text.trim_end_matches('=').bytes() {
        base64.push(match byte {
            b'-' | b'+' => '+',
            b'_' | b'/' => '/',
            byte if byte.is_ascii_alphanumeric() => char::from(byte),
            _ => return None,
        });
    }
    base64.push_str(match base64.len() % 4 {
        0 => "",
        2 => "==",
        3 => "=",
        _ => return None,
    });
    Some(base64)
}

/// Writes a picture or a document as fields of an open object.
pub(super) fn write_image(image: &Media, json: &mut Writer<'_>) -> Result<(), Invalid> {
    write_media(image, "image/jpeg", None, json)
}

/// As [`write_image`].
pub(super) fn write_document(document: &Document, json: &mut Writer<'_>) -> Result<(), Invalid> {
    let name = document.name.as_deref();
    match &document.source {
        DocumentSource::File(file) => write_media(file, "application/pdf", name, json)?,
        DocumentSource::Text(text) => write_inline("text/plain", &encode(text.as_bytes()), name, json),
    }
    Ok(())
}

fn write_media(media: &Media, usual: &str, name: Option<&str>, json: &mut Writer<'_>) -> Result<(), Invalid> {
    match media {
        Media::Inline { media_type, base64 } => write_inline(media_type, base64, name, json),
        Media::Url(uri) if is_address(uri) => {
            json.key("fileData").open_object();
            json.key("mimeType").text(media_type_of(uri).unwrap_or(usual));
            json.key("fileUri").text(uri);
            end_data(name, json);
        }
        Media::Url(_) => return Err(Invalid::new("messages", "has an address that this provider cannot read")),
    }
    Ok(())
}

fn write_inline(media_type: &str, base64: &str, name: Option<&str>, json: &mut Writer<'_>) {
    json.key("inlineData").open_object();
    json.key("mimeType").text(media_type);
    json.key("data").text(base64);
    end_data(name, json);
}

fn end_data(name: Option<&str>, json: &mut Writer<'_>) {
    json.text_if("displayName", name);
    json.close_object();
}

fn is_address(uri: &str) -> bool {
    ["https://", "http://", "gs://"].iter().any(|scheme| uri.starts_with(scheme))
}

fn media_type_of(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next()?;
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    EXTENSIONS.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known)).map(|(_, media_type)| *media_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn base64_is_made_standard() {
        for (text, expected) in [
            ("-_-_dG8=", Some("+/+/dG8=")),
            ("+/+/dG8", Some("+/+/dG8=")),
            ("YQ", Some("YQ==")),
            ("", Some("")),
            ("A", None),
            ("a b=", None),
        ] {
            assert_eq!(standard(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_address_tells_what_it_leads_to() {
        for (uri, expected) in [
            ("https://a.example/cat.JPG?w=64&h=6.png", Some("image/jpeg")),
            ("gs://bucket/a.b/invoice.pdf", Some("application/pdf")),
            ("https://a.example/", None),
            ("https://a.png/cat", None),
        ] {
            assert_eq!(media_type_of(uri), expected, "{uri}");
        }
    }

    fn written(part: &Part) -> String {
        let mut out = Vec::new();
        let json = &mut Writer::new(&mut out);
        json.open_object();
        match part {
            Part::Image(image) => write_image(image, json).unwrap(),
            Part::Document(document) => write_document(document, json).unwrap(),
            other => panic!("{other:?}"),
        }
        json.close_object();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        for body in [
            r#"{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}"#,
            r#"{"inlineData":{"mimeType":"application/pdf","data":"JVBERi0xLjQK","displayName":"invoice.pdf"}}"#,
            r#"{"inlineData":{"mimeType":"text/plain","data":"w7w="}}"#,
            r#"{"inlineData":{"mimeType":"text/csv","data":"w7w="}}"#,
            r#"{"fileData":{"mimeType":"image/jpeg","fileUri":"https://a.example/cat"}}"#,
            r#"{"fileData":{"mimeType":"application/pdf","fileUri":"gs://b/c.pdf","displayName":"c"}}"#,
        ] {
            let at = &At::Body;
            let mut object = Object::of_body(body.as_bytes()).unwrap();
            let part = match object.object("inlineData", at).unwrap() {
                Some(mut inline) => read_inline(&mut inline, at).unwrap(),
                None => read_file(&mut object.object("fileData", at).unwrap().unwrap(), at).unwrap(),
            };
            assert_eq!(written(&part), body);
        }
    }
}

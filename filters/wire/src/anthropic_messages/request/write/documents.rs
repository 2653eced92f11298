//! Pictures and documents.

use crate::bytes::decode_text;
use crate::conversation::{Document, DocumentSource, Media};
use crate::error::Invalid;
use crate::media::is_web;
use tollgate_kernel::json::Writer;

const PDF: &str = "application/pdf";

/// Text that is no `text/..`.
const TEXTS: [&str; 3] = ["application/json", "application/xml", "application/yaml"];

/// Writes the `source` of an image.
pub(super) fn write_image(image: &Media, out: &mut Writer<'_>) -> Result<(), Invalid> {
    match image {
        Media::Url(url) => write_url(url, out)?,
        Media::Inline { media_type, base64 } => write_base64(media_type, base64, out),
    }
    Ok(())
}

/// Writes the `source` and the `title` of a document.
pub(super) fn write_document(document: &Document, out: &mut Writer<'_>) -> Result<(), Invalid> {
    match &document.source {
        DocumentSource::File(Media::Url(url)) => write_url(url, out)?,
        DocumentSource::File(Media::Inline { media_type, base64 }) if media_type == PDF => {
            write_base64(PDF, base64, out);
        }
        DocumentSource::File(Media::Inline { media_type, base64 }) => {
            let is_text = media_type.starts_with("text/") || TEXTS.contains(&media_type.as_str());
            let text = if is_text { decode_text(base64) } else { None };
            let text = text.ok_or_else(|| {
                Invalid::new("messages", "a document must be a PDF or text in UTF-8 for this provider")
            })?;
            write_text(&text, out);
        }
        DocumentSource::Text(text) => write_text(text, out),
    }
    out.text_if("title", document.name.as_deref());
    Ok(())
}

fn write_url(url: &str, out: &mut Writer<'_>) -> Result<(), Invalid> {
    if !is_web(url) {
        return Err(Invalid::new("messages", "a file is in another provider's store, which this one cannot read"));
    }
    out.key("source").open_object();
    out.key("type").text("url");
    out.key("url").text(url);
    out.close_object();
    Ok(())
}

fn write_base64(media_type: &str, base64: &str, out: &mut Writer<'_>) {
    out.key("source").open_object();
    out.key("type").text("base64");
    out.key("media_type").text(media_type);
    out.key("data").text(base64);
    out.close_object();
}

fn write_text(text: &str, out: &mut Writer<'_>) {
    out.key("source").open_object();
    out.key("type").text("text");
    out.key("media_type").text("text/plain");
    out.key("data").text(text);
    out.close_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn written(document: &Document) -> Result<String, Invalid> {
        let mut json = Vec::new();
        let out = &mut Writer::new(&mut json);
        out.open_object();
        write_document(document, out)?;
        out.close_object();
        Ok(String::from_utf8(json).unwrap())
    }

    fn inline(media_type: &str, base64: &str) -> DocumentSource {
        DocumentSource::File(Media::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() })
    }

    #[test]
    fn every_document_that_anthropic_can_read_has_its_form() {
        let url = |url: &str| DocumentSource::File(Media::Url(url.to_owned()));
        let text = r#"{"source":{"type":"text","media_type":"text/plain","data":"a,b ü"}}"#;
        for (source, expected) in [
            (
                inline("application/pdf", "JVBERi0="),
                r#"{"source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}"#,
            ),
            (url("https://x/y.pdf"), r#"{"source":{"type":"url","url":"https://x/y.pdf"}}"#),
            (DocumentSource::Text("a,b ü".to_owned()), text),
            (inline("text/csv", "YSxiIMO8"), text),
            (inline("application/json", "YSxiIMO8"), text),
        ] {
            assert_eq!(written(&Document { name: None, source }).unwrap(), expected);
        }
        let named = Document { name: Some("a.txt".to_owned()), source: DocumentSource::Text("a".to_owned()) };
        assert!(written(&named).unwrap().ends_with(r#","title":"a.txt"}"#));
        for source in [
            inline("application/msword", "YQ=="),
            inline("text/plain", "/w=="),
            inline("text/plain", "secret?"),
            url("s3://bucket/secret"),
            url("gs://bucket/secret"),
        ] {
            let refusal = written(&Document { name: None, source }).unwrap_err().to_string();
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }

    #[test]
    fn base64_of_every_length_is_decoded() {
        for (base64, text) in
            [("", ""), ("YQ==", "a"), ("YWI=", "ab"), ("YWJj", "abc"), ("YWJjZA", "abcd"), ("Pz8/fn5+", "???~~~")]
        {
            assert_eq!(decode_text(base64).as_deref(), Some(text));
        }
    }
}

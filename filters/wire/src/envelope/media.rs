//! Pictures and documents in a body: where the format has a place for them. Whatever a text says, it is text.

use crate::fields::Fields;
use crate::format::Format;
use memchr::memmem;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Pictures and documents of a request: their bytes, if they are in the body, are no text, and say nothing of its tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Media {
    /// How many, those behind an address too.
    pub items: usize,
    /// Bytes of base64 in the body.
    pub bytes: usize,
}

/// Where a format has pictures and documents.
struct Places {
    /// Without one of these in a body there are none; looked for before anything is read.
    marks: &'static [&'static str],
    /// Of the body: the turns.
    turns: &'static str,
    /// Of a turn: its blocks.
    blocks: &'static [&'static str],
    /// Of a block: blocks in it.
    nested: &'static [[&'static str; 2]],
    /// Of a block: objects that hold one, the inner one that has its value, and what that is called. An empty name is the object itself.
    holders: &'static [(&'static str, &'static str)],
    values: &'static [&'static str],
}

/// So many turns and blocks are read: no conversation has more, and to read a body of nothing else takes a second.
const MOST: usize = 10_000;

/// How deep blocks are in blocks: a document in the result of a tool.
const NESTED: usize = 2;

const fn places(format: Format) -> Places {
    match format {
        Format::OpenaiChat => Places {
            marks: &["image_url", "file"],
            turns: "messages",
            blocks: &["content"],
            nested: &[],
            holders: &[("image_url", ""), ("file", "")],
            values: &["url", "file_data", "file_id"],
        },
        Format::OpenaiResponses => Places {
            marks: &["image_url", "file_"],
            turns: "input",
            blocks: &["content", "output"],
            nested: &[],
            holders: &[("", "")],
            values: &["image_url", "file_data", "file_url", "file_id"],
        },
        Format::AnthropicMessages => Places {
            marks: &["source"],
            turns: "messages",
            blocks: &["content"],
            nested: &[["content", ""], ["source", "content"]],
            holders: &[("source", "")],
            values: &["data", "url", "file_id"],
        },
        Format::GoogleGemini => Places {
            marks: &["ineData", "ine_data", "ileData", "ile_data"],
            turns: "contents",
            blocks: &["parts"],
            nested: &[["functionResponse", "parts"], ["function_response", "parts"]],
            holders: &[("inlineData", ""), ("inline_data", ""), ("fileData", ""), ("file_data", "")],
            values: &["data", "fileUri", "file_uri"],
        },
        Format::BedrockConverse => Places {
            marks: &["source"],
            turns: "messages",
            blocks: &["content"],
            nested: &[["toolResult", "content"]],
            holders: &[("image", "source"), ("document", "source"), ("video", "source")],
            values: &["bytes", "s3Location"],
        },
    }
}

/// What formats call what a value is.
const KINDS: [&str; 5] = ["type", "media_type", "mimeType", "mime_type", "format"];

impl Media {
    /// Those of a body of `format`, which is one JSON object.
    pub(super) fn find(format: Format, body: &str) -> Self {
        let (places, mut found) = (places(format), Self::default());
        // A key that is written with escapes is the same key.
        let has = |mark: &&str| memmem::find(body.as_bytes(), mark.as_bytes()).is_some();
        if !places.marks.iter().chain([&"\\u"]).any(has) {
            return found;
        }
        let mut left = MOST;
        each(Fields::of_text(body).ok().and_then(|body| body.get(places.turns)), &mut left, &mut |turn, left| {
            for blocks in places.blocks {
                each(turn.get(blocks), left, &mut |block, left| found.add_block(block, &places, NESTED, left));
            }
        });
        if left > 0 {
            return found;
        }
        let marks = places.marks.iter().map(|mark| memmem::find_iter(body.as_bytes(), mark).count());
        Self { items: marks.fold(0, usize::saturating_add), bytes: 0 }
    }

    fn add_block(&mut self, block: &Fields<'_>, places: &Places, depth: usize, left: &mut usize) {
        for (holder, inner) in places.holders {
            if let Some(bytes) = held(block, holder, inner, places.values) {
                self.items = self.items.saturating_add(1);
                self.bytes = self.bytes.saturating_add(bytes);
            }
        }
        let Some(deeper) = depth.checked_sub(1) else { return };
        for [outer, inner] in places.nested {
            let nested = if inner.is_empty() {
                block.get(outer)
            } else {
                block.object(outer).ok().flatten().and_then(|outer| outer.get(inner))
            };
            each(nested, left, &mut |block, left| self.add_block(block, places, deeper, left));
        }
    }
}

/// The bytes of base64 that a block holds as one of `values`; `None` when it holds none, or a text.
fn held(block: &Fields<'_>, holder: &str, inner: &str, values: &[&str]) -> Option<usize> {
    let outer = if holder.is_empty() { None } else { Some(block.object(holder).ok()??) };
    let outer = outer.as_ref().unwrap_or(block);
    let object = if inner.is_empty() { None } else { Some(outer.object(inner).ok()??) };
    let object = object.as_ref().unwrap_or(outer);
    let value = values.iter().find_map(|name| object.get(name))?.get();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or_default();
    let (kind, base64) = value.split_once(";base64,").unwrap_or(("", value));
    let is_text =
        |kind: &str| kind.starts_with("text/") || matches!(kind, "text" | "content" | "txt" | "md" | "html" | "csv");
    if is_text(kind.trim_start_matches("data:"))
        || KINDS.iter().any(|name| outer.given(name).is_some_and(|kind| is_text(&kind)))
    {
        return None;
    }
    Some(if base64.bytes().all(is_base64) { base64.len() } else { 0 })
}

/// Either alphabet, and the backslash that may stand before a slash in JSON.
const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\\')
}

/// What is done with an object, and how many more may be read.
type Show<'a> = &'a mut dyn FnMut(&Fields<'_>, &mut usize);

/// Shows the objects of a list, one after the other, as long as some are `left`; of what is no list, the object that it is.
fn each(value: Option<&RawValue>, left: &mut usize, show: Show<'_>) {
    let Some(text) = value.map(RawValue::get) else { return };
    let mut all = Each { left, show };
    if text.starts_with('[') {
        // The list has been read before: it ends early, or nothing is at fault.
        let _ = serde_json::Deserializer::from_str(text).deserialize_seq(all);
    } else if text.starts_with('{') {
        all.next(text);
    }
}

struct Each<'a> {
    left: &'a mut usize,
    show: Show<'a>,
}

impl Each<'_> {
    /// Whether there may be one more.
    fn next(&mut self, text: &str) -> bool {
        *self.left = self.left.saturating_sub(1);
        if let Ok(object) = Fields::of_text(text) {
            (self.show)(&object, self.left);
        }
        *self.left > 0
    }
}

impl<'de> Visitor<'de> for Each<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<&RawValue>()? {
            if !self.next(item.get()) {
                break;
            }
        }
        Ok(())
    }
}

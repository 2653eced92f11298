//! The few fields of a request that Tollgate reads or owns, and where they stand in the body.
//!
//! One scan, no tree: a conversation of a megabyte is validated and skipped, not copied. What is written back is a
//! list of [`Edit`]s, so that every byte Tollgate does not own reaches the provider as the client sent it.

use crate::endpoint::{Endpoint, Operation};
use crate::error::Invalid;
use crate::format::Format;
use crate::quirks::Quirks;
use crate::signature::{LABEL, LABEL_BASE64, is_label};
use memchr::memmem;
use scan::{Fields, field_range, key_range, range_in};
use serde_json::value::RawValue;
use std::ops::Range;
use tollgate_kernel::json::Writer;

mod media;
mod repeat;
mod scan;
#[cfg(test)]
mod tests;

pub use media::Media;
pub use repeat::Repeat;

/// No provider's model name comes near this.
const MAX_MODEL_BYTES: usize = 256;

/// What Tollgate must know of a request before it decides anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The model asked for.
    pub model: String,
    /// Where the model's JSON value stands in the body, quotes included; `None` when it stands in the path.
    model_range: Option<Range<usize>>,
    /// The client wants a stream.
    pub stream: bool,
    /// The client itself asked for OpenAI's usage chunk, and must get it.
    pub include_usage: bool,
    /// Upper bound of output tokens per answer, not 0.
    pub max_output_tokens: Option<u64>,
    /// How many answers are wanted (OpenAI's `n`): each may cost `max_output_tokens`.
    pub answers: u64,
    /// The client predicts the answer (OpenAI's `prediction`), and pays for what does not come as if it had been written.
    pub predicts: bool,
    /// The client asks for a service that may have prices of its own: a tier, a speed, a place.
    pub premium: bool,
    /// What decides whether the same answer may be given again.
    pub repeat: Repeat,
    /// Pictures and documents.
    pub media: Media,
    /// The conversation holds reasoning that Tollgate has labelled, since it was not of the client's format. A provider
    /// of that format would refuse it, so the request must be translated even to the same format.
    pub labelled_seals: bool,
    /// What to write where so that the provider reports the usage of a stream; `None` when it does anyway.
    usage_request: Option<UsageRequest>,
    /// What makes `max_tokens` of `max_completion_tokens`, if that is the only bound.
    newer_bound: Vec<Edit>,
    /// Where the whole field `stream_options` stands, with one of the commas around it.
    stream_options: Option<Range<usize>>,
}

/// Bytes to put in the place of a range of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What goes away; empty for an insertion.
    pub range: Range<usize>,
    /// What comes instead.
    pub bytes: Vec<u8>,
}

/// A text, and the range of the body that it takes the place of.
type UsageRequest = (Range<usize>, &'static str);

impl Envelope {
    /// Reads the envelope of a request body and validates that the body is one JSON object.
    ///
    /// A key that is read here may stand only once and in its exact spelling: servers disagree on which of two
    /// duplicates counts, and some match keys whatever their case, so the provider could see another model than the
    /// one that was allowed.
    ///
    /// # Errors
    /// When the body is not one JSON object in UTF-8, or one of the fields read is missing, doubled or of a wrong type.
    pub fn read(endpoint: &Endpoint, body: &[u8]) -> Result<Self, Invalid> {
        let text = std::str::from_utf8(body).map_err(|_| Invalid::new("", "the body is not valid UTF-8"))?;
        let owned = owned_names(endpoint);
        let fields = Fields::read(text, "", owned.names)?;
        let (model, model_range) = match (&endpoint.model, fields.value("model")) {
            (None, Some(value)) => (read_model(value)?, Some(range_in(text, value.get()))),
            (None, None) => return Err(Invalid::new("model", "is required")),
            (Some(_), Some(_)) => return Err(Invalid::new("model", "stands in the path and may not be given again")),
            (Some(model), None) => (check_model(model.clone())?, None),
        };
        for name in OTHER_MODELS {
            if fields.value(name).is_some_and(|value| value.get() != "null") {
                return Err(Invalid::new(name, "may not name another model than the one that is asked for"));
            }
        }
        if endpoint.format == Format::AnthropicMessages {
            check_tools(fields.value("tools"))?;
        }
        if read_flag("background", fields.value("background"))? {
            let why = "is not served: what an answer costs that is fetched later cannot be known";
            return Err(Invalid::new("background", why));
        }
        let stream = endpoint.stream || read_flag("stream", fields.value("stream"))?;
        let options = fields.value("stream_options");
        let chats = (endpoint.format, endpoint.operation) == (Format::OpenaiChat, Operation::Chat);
        let usage_request = if chats { read_stream_options(text, options)? } else { None };
        let mut repeat = Repeat::of(&fields);
        let (bound, answers) = read_bounds(&fields, &owned, &mut repeat)?;
        Ok(Self {
            model_range,
            model,
            stream,
            include_usage: chats && usage_request.is_none(),
            // To some servers 0 is no bound at all.
            max_output_tokens: bound.filter(|bound| *bound > 0),
            answers: answers.map_or(1, |n| n.max(1)),
            predicts: fields.value("prediction").is_some_and(|value| value.get() != "null"),
            premium: PREMIUM.iter().any(|name| fields.value(name).is_some_and(|value| !USUAL.contains(&value.get()))),
            repeat,
            media: Media::find(endpoint.format, text),
            labelled_seals: has_labelled_seals(endpoint.format, body),
            usage_request: usage_request.filter(|_| stream),
            newer_bound: as_older_bound(text, &fields),
            stream_options: options.and_then(|value| field_range(text, value.get())),
        })
    }

    /// The edits that ask the provider for `model` and for the usage of a stream, in the way it understands: ascending,
    /// not overlapping, none when the body already says so.
    #[must_use]
    pub fn edits(&self, model: &str, quirks: Quirks) -> Vec<Edit> {
        let mut edits = Vec::new();
        if let Some(range) = &self.model_range
            && model != self.model
        {
            edits.push(Edit { range: range.clone(), bytes: json_string(model) });
        }
        match (&self.usage_request, &self.stream_options) {
            (_, Some(range)) if quirks.no_stream_options => {
                edits.push(Edit { range: range.clone(), bytes: Vec::new() });
            }
            (Some((range, text)), _) if !quirks.no_stream_options => {
                edits.push(Edit { range: range.clone(), bytes: text.as_bytes().to_vec() });
            }
            _ => {}
        }
        if quirks.max_tokens {
            edits.extend_from_slice(&self.newer_bound);
        }
        edits.sort_by_key(|edit| edit.range.start);
        edits
    }
}

fn json_string(text: &str) -> Vec<u8> {
    let mut json = Vec::new();
    Writer::new(&mut json).text(text);
    json
}

/// `body` with `edits` made, which are ascending and do not overlap.
#[must_use]
pub fn apply(body: &[u8], edits: &[Edit]) -> Vec<u8> {
    let grown = edits.iter().fold(body.len(), |len, edit| len.saturating_add(edit.bytes.len()));
    let mut out = Vec::with_capacity(grown);
    let mut kept_from = 0;
    for edit in edits {
        out.extend_from_slice(body.get(kept_from..edit.range.start).unwrap_or_default());
        out.extend_from_slice(&edit.bytes);
        kept_from = edit.range.end;
    }
    out.extend_from_slice(body.get(kept_from..).unwrap_or_default());
    out
}

/// The keys that [`Envelope::read`] takes in.
struct Owned {
    /// Of the body.
    names: &'static [&'static str],
    /// The objects in it that hold the bounds, and their keys; empty when the body itself holds them. Google takes two
    /// spellings of every key.
    within: &'static [&'static str],
    inner: &'static [&'static str],
    bounds: Bounds,
}

/// Which keys bound the output, and which count the answers.
#[derive(Clone, Copy)]
struct Bounds {
    output: &'static [&'static str],
    answers: &'static [&'static str],
}

impl Owned {
    const fn of_body(names: &'static [&'static str], output: &'static [&'static str]) -> Self {
        Self { names, within: &[], inner: &[], bounds: Bounds { output, answers: &["n"] } }
    }
}

const fn owned_names(endpoint: &Endpoint) -> Owned {
    match (endpoint.operation, endpoint.format) {
        (Operation::Chat, Format::OpenaiChat) => Owned::of_body(
            &[
                "model",
                "models",
                "stream",
                "stream_options",
                "max_tokens",
                "max_completion_tokens",
                "n",
                "service_tier",
                "temperature",
                "tools",
                "functions",
                "web_search_options",
                "store",
                "prediction",
            ],
            &["max_tokens", "max_completion_tokens"],
        ),
        (Operation::Chat, Format::OpenaiResponses) => {
            const NAMES: &[&str] = &[
                "model",
                "stream",
                "max_output_tokens",
                "background",
                "service_tier",
                "temperature",
                "tools",
                "store",
                "previous_response_id",
                "conversation",
                "prompt",
            ];
            Owned::of_body(NAMES, &["max_output_tokens"])
        }
        (Operation::Chat, Format::AnthropicMessages) => {
            const NAMES: &[&str] = &[
                "model",
                "fallbacks",
                "tools",
                "stream",
                "max_tokens",
                "service_tier",
                "speed",
                "inference_geo",
                "temperature",
                "mcp_servers",
                "container",
            ];
            Owned::of_body(NAMES, &["max_tokens"])
        }
        (Operation::Chat, Format::GoogleGemini) => Owned {
            names: &[
                "model",
                "generationConfig",
                "generation_config",
                "serviceTier",
                "service_tier",
                "tools",
                "cachedContent",
                "cached_content",
            ],
            within: &["generationConfig", "generation_config"],
            inner: &["maxOutputTokens", "max_output_tokens", "candidateCount", "candidate_count", "temperature"],
            bounds: Bounds {
                output: &["maxOutputTokens", "max_output_tokens"],
                answers: &["candidateCount", "candidate_count"],
            },
        },
        (Operation::Chat, Format::BedrockConverse) => Owned {
            names: &[
                "model",
                "modelId",
                "inferenceConfig",
                "serviceTier",
                "performanceConfig",
                "toolConfig",
                "promptVariables",
            ],
            within: &["inferenceConfig"],
            inner: &["maxTokens", "temperature"],
            bounds: Bounds { output: &["maxTokens"], answers: &[] },
        },
        (Operation::CountTokens, Format::GoogleGemini) => {
            Owned::of_body(&["model", "generateContentRequest", "generate_content_request"], &[])
        }
        (Operation::Embeddings | Operation::CountTokens | Operation::Models, _) => {
            Owned::of_body(&["model", "models", "modelId", "fallbacks"], &[])
        }
    }
}

/// Fields by which a service is asked for that may have prices of its own, and what they say of the usual one.
const PREMIUM: [&str; 5] = ["service_tier", "serviceTier", "speed", "inference_geo", "performanceConfig"];
const USUAL: [&str; 4] = ["null", "\"default\"", "\"flex\"", "\"standard\""];

/// Fields by which some providers take a second model, which nobody has allowed and whose tokens have another price:
/// OpenRouter's, Anthropic's, Bedrock's, and Google's wrapper of a request to be counted.
const OTHER_MODELS: [&str; 5] =
    ["models", "fallbacks", "modelId", "generateContentRequest", "generate_content_request"];

/// A tool may have a model of its own (Anthropic's advisor).
fn check_tools(tools: Option<&RawValue>) -> Result<(), Invalid> {
    let tools = tools.map(RawValue::get).filter(|tools| tools.starts_with('['));
    let Some(tools) = tools else { return Ok(()) };
    let tools: Vec<&RawValue> = serde_json::from_str(tools).map_err(|_| Invalid::new("tools", "must be an array"))?;
    for (index, tool) in tools.into_iter().enumerate().filter(|(_, tool)| tool.get().starts_with('{')) {
        let at = format!("tools[{index}]");
        if Fields::read(tool.get(), &at, &["model"])?.value("model").is_some() {
            return Err(Invalid::new(format!("{at}.model"), "a tool may not bring another model"));
        }
    }
    Ok(())
}

/// The largest bound of the output and the number of answers.
fn read_bounds(fields: &Fields<'_>, owned: &Owned, repeat: &mut Repeat) -> Result<(Option<u64>, Option<u64>), Invalid> {
    if owned.within.is_empty() {
        return largest(fields, "", owned.bounds);
    }
    let mut found = (None, None);
    for name in owned.within {
        let Some(object) = fields.value(name).filter(|object| object.get() != "null") else { continue };
        let inner = Fields::read(object.get(), name, owned.inner)?;
        repeat.note(&inner);
        let (output, answers) = largest(&inner, name, owned.bounds)?;
        found = (found.0.max(output), found.1.max(answers));
    }
    Ok(found)
}

/// The largest of the values that bound the output, and of those that count the answers. `at` is the object's path.
fn largest(fields: &Fields<'_>, at: &str, names: Bounds) -> Result<(Option<u64>, Option<u64>), Invalid> {
    let largest = |names: &[&str]| {
        names.iter().try_fold(None, |largest: Option<u64>, name| {
            let path = if at.is_empty() { (*name).to_owned() } else { format!("{at}.{name}") };
            Ok(largest.max(read_count(&path, fields.value(name))?))
        })
    };
    Ok((largest(names.output)?, largest(names.answers)?))
}

/// Whether a body holds a seal that Tollgate has labelled, by how it begins where a string begins.
fn has_labelled_seals(format: Format, body: &[u8]) -> bool {
    let start = format!("\"{}", if format == Format::GoogleGemini { LABEL_BASE64 } else { LABEL });
    memmem::find_iter(body, &start).any(|at| {
        let label = body.get(at.saturating_add(1)..).unwrap_or_default();
        format == Format::GoogleGemini || is_label(label)
    })
}

fn read_model(value: &RawValue) -> Result<String, Invalid> {
    let model: String = serde_json::from_str(value.get()).map_err(|_| Invalid::new("model", "must be a string"))?;
    check_model(model)
}

fn check_model(model: String) -> Result<String, Invalid> {
    match model.len() {
        0 => Err(Invalid::new("model", "must not be empty")),
        1..=MAX_MODEL_BYTES => Ok(model),
        _ => Err(Invalid::new("model", format!("must not be longer than {MAX_MODEL_BYTES} bytes"))),
    }
}

/// Makes `max_tokens` of `max_completion_tokens`. One of `null` gets the other name: which of two counts is not for us to say.
fn as_older_bound(text: &str, fields: &Fields<'_>) -> Vec<Edit> {
    let (newer, older) = (fields.value("max_completion_tokens"), fields.value("max_tokens"));
    if older.is_some_and(|older| older.get() != "null") {
        return Vec::new();
    }
    let renamed = |value: Option<&RawValue>, name| {
        let range = key_range(text, value?.get())?;
        Some(Edit { range, bytes: json_string(name) })
    };
    let Some(key) = renamed(newer, "max_tokens") else { return Vec::new() };
    [key].into_iter().chain(renamed(older, "max_completion_tokens")).collect()
}

/// Absent and `null` are `false`, as they are for the providers.
fn read_flag(name: &str, value: Option<&RawValue>) -> Result<bool, Invalid> {
    match value.map(RawValue::get) {
        Some("true") => Ok(true),
        None | Some("false" | "null") => Ok(false),
        Some(_) => Err(Invalid::new(name, "must be true or false")),
    }
}

fn read_count(name: &str, value: Option<&RawValue>) -> Result<Option<u64>, Invalid> {
    let Some(value) = value else { return Ok(None) };
    serde_json::from_str(value.get()).map_err(|_| Invalid::new(name, "must be a whole number, not negative"))
}

/// What makes the provider report the usage of a stream; `None` when the client asked for it.
fn read_stream_options(body: &str, value: Option<&RawValue>) -> Result<Option<UsageRequest>, Invalid> {
    let Some(value) = value else {
        // The body has a `model`, so another field follows.
        let inside = inside_brace(body.len().saturating_sub(body.trim_start().len()));
        return Ok(Some((inside, r#""stream_options":{"include_usage":true},"#)));
    };
    let range = range_in(body, value.get());
    if value.get() == "null" {
        return Ok(Some((range, r#"{"include_usage":true}"#)));
    }
    let options = Fields::read(value.get(), "stream_options", &["include_usage"])?;
    let asked = options.value("include_usage");
    if read_flag("stream_options.include_usage", asked)? {
        return Ok(None);
    }
    Ok(Some(match asked {
        Some(no) => (range_in(body, no.get()), "true"),
        None if options.is_empty => (inside_brace(range.start), r#""include_usage":true"#),
        None => (inside_brace(range.start), r#""include_usage":true,"#),
    }))
}

/// The empty range after the brace that stands at `brace`.
const fn inside_brace(brace: usize) -> Range<usize> {
    let at = brace.saturating_add(1);
    at..at
}

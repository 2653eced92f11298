//! What a client calls, by its path; and the path that a provider is called under.

use crate::error::Invalid;
use crate::format::Format;
use serde::Serialize;
use std::fmt::Write;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// An answer to a conversation.
    Chat,
    /// Embeddings of texts.
    Embeddings,
    /// How many tokens a conversation has, without an answer. Providers do not bill it.
    CountTokens,
    /// Which models there are.
    Models,
}

impl Operation {
    /// The operations that go to a provider.
    pub const ROUTED: [Self; 3] = [Self::Chat, Self::Embeddings, Self::CountTokens];

    /// The name in records and metrics: OpenTelemetry's `gen_ai.operation.name` where it has one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
            Self::CountTokens => "count_tokens",
            Self::Models => "models",
        }
    }

    /// Whether a provider of `provider`'s format can do it for a client of `client`'s. Conversations are translated;
    /// embeddings have one format, which OpenAI-like providers speak; and tokens are counted by who will read them.
    #[must_use]
    pub fn is_served(self, client: Format, provider: Format) -> bool {
        match self {
            Self::Chat => true,
            Self::Embeddings => matches!(provider, Format::OpenaiChat | Format::OpenaiResponses),
            Self::CountTokens => client == provider,
            Self::Models => false,
        }
    }
}

/// What a request asks for, as far as its path says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The format of request and answer. Embeddings and lists of models have OpenAI's errors.
    pub format: Format,
    /// What is asked for.
    pub operation: Operation,
    /// The model, where the path names it. Empty when it does so badly.
    pub model: Option<String>,
    /// Whether a stream is asked for, where the path says so.
    pub stream: bool,
}

/// Paths without a model.
const FIXED: [(&str, Format, Operation); 8] = [
    ("/v1/chat/completions", Format::OpenaiChat, Operation::Chat),
    ("/v1/responses", Format::OpenaiResponses, Operation::Chat),
    ("/v1/messages", Format::AnthropicMessages, Operation::Chat),
    ("/v1/embeddings", Format::OpenaiChat, Operation::Embeddings),
    ("/v1/messages/count_tokens", Format::AnthropicMessages, Operation::CountTokens),
    ("/v1/responses/input_tokens", Format::OpenaiResponses, Operation::CountTokens),
    ("/v1/models", Format::OpenaiChat, Operation::Models),
    ("/v1beta/models", Format::GoogleGemini, Operation::Models),
];

/// Paths around a model, and whether they ask for a stream. The first that fits counts. Google's SDK prefers `v1` or
/// `v1beta`, depending on its age.
const AROUND_MODEL: [(&str, &str, Format, Operation, bool); 11] = [
    ("/v1/models/", ":generateContent", Format::GoogleGemini, Operation::Chat, false),
    ("/v1/models/", ":streamGenerateContent", Format::GoogleGemini, Operation::Chat, true),
    ("/v1/models/", ":countTokens", Format::GoogleGemini, Operation::CountTokens, false),
    ("/v1beta/models/", ":generateContent", Format::GoogleGemini, Operation::Chat, false),
    ("/v1beta/models/", ":streamGenerateContent", Format::GoogleGemini, Operation::Chat, true),
    ("/v1beta/models/", ":countTokens", Format::GoogleGemini, Operation::CountTokens, false),
    ("/model/", "/converse", Format::BedrockConverse, Operation::Chat, false),
    ("/model/", "/converse-stream", Format::BedrockConverse, Operation::Chat, true),
    ("/model/", "/count-tokens", Format::BedrockConverse, Operation::CountTokens, false),
    ("/v1/models/", "", Format::OpenaiChat, Operation::Models, false),
    ("/v1beta/models/", "", Format::GoogleGemini, Operation::Models, false),
];

impl Endpoint {
    /// What is served under `path` (no query).
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        if let Some(&(_, format, operation)) = FIXED.iter().find(|(fixed, ..)| *fixed == path) {
            return Some(Self { format, operation, model: None, stream: false });
        }
        AROUND_MODEL.iter().find_map(|&(before, after, format, operation, stream)| {
            let model = path.strip_prefix(before)?.strip_suffix(after)?;
            let whole = format == Format::BedrockConverse || !model.contains([':', '/']);
            (whole && !model.is_empty()).then(|| Self {
                format,
                operation,
                model: Some(percent_decoded(model).unwrap_or_default()),
                stream,
            })
        })
    }

    /// The one method it is served under.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        if matches!(self.operation, Operation::Models) { "GET" } else { "POST" }
    }

    /// Refuses a query that asks for what is not served: Gemini streams are JSON arrays unless `alt=sse` is asked for.
    ///
    /// # Errors
    /// When the stream is not asked for as server-sent events.
    pub fn check_query(&self, query: &str) -> Result<(), Invalid> {
        let needs_sse = self.format == Format::GoogleGemini && self.stream;
        if needs_sse && !query.split('&').any(|pair| pair == "alt=sse") {
            return Err(Invalid::new("alt", "streams are served as server-sent events only: ask for `?alt=sse`"));
        }
        Ok(())
    }

    /// Everything served, for a message to people.
    #[must_use]
    pub fn served() -> String {
        let fixed = FIXED.iter().map(|(path, ..)| (*path).to_owned());
        let around = AROUND_MODEL.iter().map(|(before, after, ..)| format!("{before}{{model}}{after}"));
        fixed.chain(around).collect::<Vec<_>>().join(", ")
    }
}

impl Format {
    /// What stands before the path of [`Self::provider_path`] at the provider that made the format.
    #[must_use]
    pub const fn base_path(self) -> &'static str {
        match self {
            Self::OpenaiChat | Self::OpenaiResponses | Self::AnthropicMessages => "/v1",
            Self::GoogleGemini => "/v1beta",
            Self::BedrockConverse => "",
        }
    }

    /// The path under which a provider of this format serves `operation`, below its base path; its own query included.
    #[must_use]
    pub fn provider_path(self, operation: Operation, model: &str, stream: bool) -> String {
        let count = operation == Operation::CountTokens;
        match self {
            Self::OpenaiChat | Self::OpenaiResponses if operation == Operation::Embeddings => "/embeddings".to_owned(),
            Self::OpenaiChat => "/chat/completions".to_owned(),
            Self::OpenaiResponses if count => "/responses/input_tokens".to_owned(),
            Self::OpenaiResponses => "/responses".to_owned(),
            Self::AnthropicMessages if count => "/messages/count_tokens".to_owned(),
            Self::AnthropicMessages => "/messages".to_owned(),
            Self::GoogleGemini => {
                let verb = match stream {
                    _ if count => "countTokens",
                    true => "streamGenerateContent?alt=sse",
                    false => "generateContent",
                };
                format!("/models/{}:{verb}", percent_encoded(model))
            }
            Self::BedrockConverse => {
                let verb = match stream {
                    _ if count => "count-tokens",
                    true => "converse-stream",
                    false => "converse",
                };
                format!("/model/{}/{verb}", percent_encoded(model))
            }
        }
    }

    /// The media type of its streams.
    #[must_use]
    pub const fn stream_media_type(self) -> &'static str {
        match self {
            Self::BedrockConverse => "application/vnd.amazon.eventstream",
            _ => "text/event-stream",
        }
    }
}

/// The text of a path segment; `None` when it is not UTF-8 in correct percent-encoding, or has a control character.
fn percent_decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
                u8::from_str_radix(digits, 16).ok()?
            }
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

/// A text as one path segment: all but the unreserved characters of RFC 3986, section 2.3, encoded.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_path_says_what_is_asked_for() {
        use Format::{AnthropicMessages, BedrockConverse, GoogleGemini, OpenaiChat, OpenaiResponses};
        use Operation::{Chat, CountTokens, Embeddings, Models};
        for (path, format, operation, model, stream) in [
            ("/v1/chat/completions", OpenaiChat, Chat, None, false),
            ("/v1/responses", OpenaiResponses, Chat, None, false),
            ("/v1/messages", AnthropicMessages, Chat, None, false),
            ("/v1/messages/count_tokens", AnthropicMessages, CountTokens, None, false),
            ("/v1/embeddings", OpenaiChat, Embeddings, None, false),
            ("/v1/models", OpenaiChat, Models, None, false),
            ("/v1/models/gpt-5", OpenaiChat, Models, Some("gpt-5"), false),
            ("/v1/models/org%2Fm%20x", OpenaiChat, Models, Some("org/m x"), false),
            ("/v1beta/models", GoogleGemini, Models, None, false),
            ("/v1beta/models/g-2.5", GoogleGemini, Models, Some("g-2.5"), false),
            ("/v1beta/models/g-2.5:generateContent", GoogleGemini, Chat, Some("g-2.5"), false),
            ("/v1beta/models/g-2.5:streamGenerateContent", GoogleGemini, Chat, Some("g-2.5"), true),
            ("/v1/models/g-2.5:streamGenerateContent", GoogleGemini, Chat, Some("g-2.5"), true),
            ("/v1beta/models/g-2.5:countTokens", GoogleGemini, CountTokens, Some("g-2.5"), false),
            ("/model/us.a.claude-v1:0/converse", BedrockConverse, Chat, Some("us.a.claude-v1:0"), false),
            ("/model/a%3Ab%2Fc/converse-stream", BedrockConverse, Chat, Some("a:b/c"), true),
            ("/model/m/count-tokens", BedrockConverse, CountTokens, Some("m"), false),
        ] {
            let expected = Endpoint { format, operation, model: model.map(str::to_owned), stream };
            assert_eq!(Endpoint::of_path(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_is_not_served_has_no_endpoint() {
        for path in [
            "",
            "/",
            "/v1",
            "/v1/chat/completions/",
            "/v1/completions",
            "/V1/messages",
            "/v1/models/",
            "/v1/models/a/b",
            "/v1beta/models/m:batchEmbedContents",
            "/v1beta/models/:generateContent",
            "/v1beta/models/a/b:generateContent",
            "/model/m/invoke",
            "/model//converse",
        ] {
            assert_eq!(Endpoint::of_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_badly_encoded_model_is_no_model() {
        for model in ["%", "%4", "%zz", "%+1", "%ff", "a%00", "a%0Ab"] {
            let endpoint = Endpoint::of_path(&format!("/model/{model}/converse")).unwrap();
            assert_eq!(endpoint.model.as_deref(), Some(""), "{model}");
        }
    }

    #[test]
    fn only_gemini_streams_need_a_query() {
        let endpoint = |path| Endpoint::of_path(path).unwrap();
        let stream = endpoint("/v1beta/models/m:streamGenerateContent");
        assert!(stream.check_query("").is_err());
        assert!(stream.check_query("alt=json").is_err());
        assert_eq!(stream.check_query("x=1&alt=sse"), Ok(()));
        assert_eq!(endpoint("/v1beta/models/m:generateContent").check_query(""), Ok(()));
        assert_eq!(endpoint("/v1/messages").check_query("beta=true"), Ok(()));
    }

    #[test]
    fn a_provider_is_called_where_it_serves() {
        for (format, operation, stream, expected) in [
            (Format::OpenaiChat, Operation::Chat, true, "/chat/completions"),
            (Format::OpenaiChat, Operation::Embeddings, false, "/embeddings"),
            (Format::OpenaiResponses, Operation::Chat, true, "/responses"),
            (Format::OpenaiResponses, Operation::Embeddings, false, "/embeddings"),
            (Format::AnthropicMessages, Operation::CountTokens, false, "/messages/count_tokens"),
            (Format::GoogleGemini, Operation::Chat, false, "/models/a%3Ab%2Fc:generateContent"),
            (Format::GoogleGemini, Operation::Chat, true, "/models/a%3Ab%2Fc:streamGenerateContent?alt=sse"),
            (Format::BedrockConverse, Operation::Chat, true, "/model/a%3Ab%2Fc/converse-stream"),
        ] {
            assert_eq!(format.provider_path(operation, "a:b/c", stream), expected);
        }
    }

    #[test]
    fn every_model_comes_back_from_its_path() {
        for model in ["gpt-5", "us.anthropic.claude-v1:0", "arn:aws:bedrock:eu:1:x/y", "a b?c#d%e&", "ß"] {
            let path = Format::BedrockConverse.provider_path(Operation::Chat, model, false);
            assert_eq!(Endpoint::of_path(&path).unwrap().model.as_deref(), Some(model));
        }
    }
}

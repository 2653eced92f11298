//! Requests: a client's Gemini body into the conversation.

use super::contents;
use crate::asked::{choose, labels};
use crate::conversation::{
    Effort, Instruction, OutputFormat, OutputSchema, ReasoningRequest, Request, Sampling, Tool, ToolChoice,
};
use crate::error::Invalid;
use crate::fields::At;
use crate::google_gemini::object::Object;
use crate::google_gemini::schema::json_schema;
use crate::usage::ServiceTier;
use serde_json::value::RawValue;

/// Top-level fields that only Google has, and that do not change what is asked.
const BODY_FIELDS: [&str; 4] = ["safetySettings", "modelArmorConfig", "store", "outputConfig"];

/// Fields of `generationConfig` that only Google has.
const CONFIG_FIELDS: [&str; 13] = [
    "responseLogprobs",
    "logprobs",
    "mediaResolution",
    "speechConfig",
    "imageConfig",
    "audioTimestamp",
    "routingConfig",
    "modelConfig",
    "modelSelectionConfig",
    "enableEnhancedCivicAnswers",
    "enableAffectiveDialog",
    "translationConfig",
    "audioTranscriptionConfig",
];

/// Tools that Google runs itself.
const HOSTED_TOOLS: [&str; 12] = [
    "googleSearch",
    "googleSearchRetrieval",
    "enterpriseWebSearch",
    "googleMaps",
    "urlContext",
    "codeExecution",
    "fileSearch",
    "retrieval",
    "computerUse",
    "mcpServers",
    "parallelAiSearch",
    "exaAiSearch",
];

/// Fields of function declarations that only Google has.
const TOOL_FIELDS: [&str; 3] = ["response", "responseJsonSchema", "behavior"];

/// Google's names of efforts; it has none for [`Effort::None`] and [`Effort::Max`].
const LEVELS: [(&str, Effort); 5] = [
    ("MINIMAL", Effort::Minimal),
    ("LOW", Effort::Low),
    ("MEDIUM", Effort::Medium),
    ("HIGH", Effort::High),
    ("XHIGH", Effort::Xhigh),
];

/// So many functions may be allowed; each tool is looked for among them.
const MAX_ALLOWED: usize = 1024;

/// The thinking budget that leaves it to the model.
pub(super) const DYNAMIC: i64 = -1;

/// Reads a whole request body, to be written in another format.
///
/// # Errors
/// When the body is not a `generateContent` request; the message names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Invalid> {
    let at = &At::Body;
    let mut fields = Object::of_body(body)?;
    let mut request = Request::default();
    if let Some(system) = fields.object("systemInstruction", at)? {
        request.system = read_system(system, &at.field("systemInstruction"), &mut request)?;
    }
    contents::read(fields.list("contents", at)?, &at.field("contents"), &mut request)?;
    read_tools(fields.list("tools", at)?, &at.field("tools"), &mut request)?;
    if let Some(config) = fields.object("toolConfig", at)? {
        read_tool_config(config, &at.field("toolConfig"), &mut request)?;
    }
    if let Some(config) = fields.object("generationConfig", at)? {
        read_config(config, &at.field("generationConfig"), &mut request)?;
    }
    if let Some(given) = fields.object("labels", at)? {
        request.metadata = labels(given.fields(), &at.field("labels"))?;
    }
    request.service_tier = fields.text("serviceTier", at)?.and_then(|name| read_tier(&name));
    if fields.take("cachedContent", at)?.is_some() {
        let message = "is kept at the provider, and cannot be read by another one";
        return Err(at.field("cachedContent").fault(message));
    }
    if fields.take("continuationToken", at)?.is_some() {
        return Err(at.field("continuationToken").fault("cannot be carried to another provider"));
    }
    // The path decides.
    fields.take("model", at)?;
    fields.leave_out(&BODY_FIELDS, at, &mut request)?;
    Ok(request)
}

fn read_system(mut system: Object<'_>, at: &At<'_>, request: &mut Request) -> Result<Vec<Instruction>, Invalid> {
    let mut instructions = Vec::new();
    for (index, part) in system.list("parts", at)?.into_iter().enumerate() {
        let at = &at.field("parts");
        let at = &at.item(index);
        let mut part = Object::of(part, at)?;
        let text = part.text("text", at)?.ok_or_else(|| at.field("text").lacks("a string"))?;
        part.leave_out(&contents::PART_FIELDS, at, request)?;
        if !text.is_empty() {
            instructions.push(text.into());
        }
    }
    system.take("role", at)?;
    system.leave_out(&[], at, request)?;
    Ok(instructions)
}

fn read_tools(tools: Vec<&RawValue>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    for (index, tool) in tools.into_iter().enumerate() {
        let at = &at.item(index);
        let mut tool = Object::of(tool, at)?;
        let declarations = tool.list("functionDeclarations", at)?;
        for (index, declaration) in declarations.into_iter().enumerate() {
            let at = &at.field("functionDeclarations");
            let tool = read_declaration(declaration, &at.item(index), request)?;
            request.tools.push(tool);
        }
        tool.leave_out(&HOSTED_TOOLS, at, request)?;
    }
    Ok(())
}

fn read_declaration(declaration: &RawValue, at: &At<'_>, request: &mut Request) -> Result<Tool, Invalid> {
    let mut declaration = Object::of(declaration, at)?;
    let tool = Tool {
        name: declaration.text("name", at)?.ok_or_else(|| at.field("name").lacks("a string"))?,
        description: declaration.text("description", at)?,
        parameters: read_schema(&mut declaration, "parametersJsonSchema", "parameters", at)?,
        strict: None,
        cache: None,
    };
    declaration.leave_out(&TOOL_FIELDS, at, request)?;
    Ok(tool)
}

/// A schema that stands as JSON Schema under the one name, or as Google's under the other.
fn read_schema(
    object: &mut Object<'_>,
    json_schema_name: &str,
    name: &str,
    at: &At<'_>,
) -> Result<Option<Box<RawValue>>, Invalid> {
    match (object.take(json_schema_name, at)?, object.take(name, at)?) {
        (Some(_), Some(_)) => Err(at.field(name).fault("cannot stand beside the same as JSON Schema")),
        (Some(schema), None) if schema.get().starts_with('{') => Ok(Some(schema.to_owned())),
        (Some(_), None) => Err(at.field(json_schema_name).fault("must be an object")),
        (None, Some(schema)) => json_schema(schema, &at.field(name)).map(Some),
        (None, None) => Ok(None),
    }
}

fn read_tool_config(mut config: Object<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    if let Some(mut calling) = config.object("functionCallingConfig", at)? {
        let at = &at.field("functionCallingConfig");
        let mode = calling.text("mode", at)?;
        let allowed = calling.texts("allowedFunctionNames", at)?;
        if calling.flag("streamFunctionCallArguments", at)? == Some(true) {
            request.note_dropped("streamFunctionCallArguments");
        }
        calling.leave_out(&[], at, request)?;
        if allowed.len() > MAX_ALLOWED {
            return Err(at
                .field("allowedFunctionNames")
                .fault("has more names than there are functions in any request"));
        }
        read_choice(mode.as_deref().unwrap_or_default(), allowed, at, request)?;
    }
    config.leave_out(&["retrievalConfig", "includeServerSideToolInvocations"], at, request)
}

fn read_choice(mode: &str, allowed: Vec<String>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    let choice = match mode {
        "" | "MODE_UNSPECIFIED" => return Ok(()),
        "AUTO" | "VALIDATED" => ToolChoice::Auto,
        "NONE" => ToolChoice::None,
        "ANY" => match <[String; 1]>::try_from(allowed.clone()) {
            Ok([name]) => ToolChoice::Named(name),
            Err(_) => ToolChoice::Required,
        },
        _ => return Err(at.field("mode").fault("must be AUTO, ANY, NONE or VALIDATED")),
    };
    // Elsewhere there is no list of those allowed, but the same comes of giving no others.
    if matches!((mode, allowed.len()), ("ANY", 2..) | ("VALIDATED", 1..)) {
        request.tools.retain(|tool| allowed.contains(&tool.name));
    }
    choose(choice, at, request)
}

fn read_config(mut config: Object<'_>, at: &At<'_>, request: &mut Request) -> Result<(), Invalid> {
    request.max_output_tokens = config.count("maxOutputTokens", at)?;
    request.sampling = Sampling {
        temperature: config.number("temperature", at)?,
        top_p: config.number("topP", at)?,
        top_k: config.count("topK", at)?,
        frequency_penalty: config.number("frequencyPenalty", at)?,
        presence_penalty: config.number("presencePenalty", at)?,
        seed: config.whole("seed", at)?,
    };
    request.stop = config.texts("stopSequences", at)?;
    if config.count("candidateCount", at)?.is_some_and(|count| count > 1) {
        let message = "more than one answer cannot be translated to this model's provider";
        return Err(at.field("candidateCount").fault(message));
    }
    let modalities = config.texts("responseModalities", at)?;
    if !modalities.iter().all(|modality| matches!(modality.as_str(), "TEXT" | "MODALITY_UNSPECIFIED")) {
        return Err(at.field("responseModalities").fault("only text can be carried from another provider"));
    }
    request.output = read_output(&mut config, at)?;
    if config.take("responseFormat", at)?.is_some() {
        return Err(at.field("responseFormat").fault("cannot be carried to another provider; use responseJsonSchema"));
    }
    if let Some(thinking) = config.object("thinkingConfig", at)? {
        request.reasoning = read_thinking(thinking, &at.field("thinkingConfig"), request)?;
    }
    config.leave_out(&CONFIG_FIELDS, at, request)
}

fn read_output(config: &mut Object<'_>, at: &At<'_>) -> Result<Option<OutputFormat>, Invalid> {
    let media_type = config.text("responseMimeType", at)?;
    let schema = read_schema(config, "responseJsonSchema", "responseSchema", at)?;
    match (media_type.as_deref(), schema) {
        (None | Some("application/json" | ""), Some(schema)) => {
            let schema = OutputSchema { name: None, description: None, schema, strict: None };
            Ok(Some(OutputFormat::JsonSchema(schema)))
        }
        (Some("application/json"), None) => Ok(Some(OutputFormat::JsonObject)),
        (None | Some("text/plain" | ""), None) => Ok(None),
        _ => Err(at.field("responseMimeType").fault("must be text/plain, or application/json if there is a schema")),
    }
}

fn read_thinking(
    mut thinking: Object<'_>,
    at: &At<'_>,
    request: &mut Request,
) -> Result<Option<ReasoningRequest>, Invalid> {
    let shown = thinking.flag("includeThoughts", at)?;
    let level = thinking.text("thinkingLevel", at)?;
    let budget = thinking.whole("thinkingBudget", at)?;
    thinking.leave_out(&[], at, request)?;
    let effort = match level.as_deref().map(str::to_ascii_uppercase).as_deref() {
        None | Some("THINKING_LEVEL_UNSPECIFIED") => None,
        Some(level) => {
            let known = LEVELS.iter().find(|(name, _)| *name == level);
            let unknown = || at.field("thinkingLevel").fault("must be minimal, low, medium, high or xhigh");
            Some(known.ok_or_else(unknown)?.1)
        }
    };
    match (budget, effort) {
        (Some(0), None) => Ok(Some(ReasoningRequest { effort: Some(Effort::None), budget_tokens: None, shown })),
        (None | Some(DYNAMIC), effort) => {
            // To hide thoughts that come anyway asks for nothing.
            let asks = budget.is_some() || effort.is_some() || shown == Some(true);
            Ok(asks.then_some(ReasoningRequest { effort, budget_tokens: None, shown }))
        }
        (Some(budget), effort) => {
            let tokens = u64::try_from(budget).map_err(|_| at.field("thinkingBudget").fault("must not be negative"))?;
            Ok(Some(ReasoningRequest { effort, budget_tokens: Some(tokens), shown }))
        }
    }
}

pub(super) fn level(effort: Effort) -> &'static str {
    LEVELS.iter().find(|(_, known)| *known == effort).map_or("XHIGH", |(name, _)| name)
}

fn read_tier(name: &str) -> Option<ServiceTier> {
    match name.to_ascii_lowercase().as_str() {
        "unspecified" | "" => None,
        "standard" => Some(ServiceTier::Standard),
        "flex" => Some(ServiceTier::Flex),
        "priority" => Some(ServiceTier::Priority),
        _ => Some(ServiceTier::Other),
    }
}

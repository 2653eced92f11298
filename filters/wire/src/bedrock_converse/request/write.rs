//! Requests: the conversation into a provider's Converse body.

use super::write_content::{CachePoints, Content};
use super::write_extra::{Asked, write_extra};
use super::write_tools::{has_tool_blocks, write_tool_config};
use crate::bedrock_converse::model::Family;
use crate::bedrock_converse::usage::tier_name;
use crate::conversation::{OutputFormat, OutputSchema, Request};
use crate::dropped::Dropped;
use crate::error::Invalid;
use tollgate_kernel::json::Writer;

/// Bedrock's highest temperature; other formats go to 2.
const MAX_TEMPERATURE: f64 = 1.0;

/// So many labels may go with a request, each so long.
const MAX_LABELS: usize = 16;
const MAX_LABEL: usize = 256;

/// Writes a whole request body for the model that `request.model` names, which stands in the path. `request.dropped`
/// grows by what Bedrock or that model cannot be told.
///
/// # Errors
/// When leaving a part out would change what was asked.
pub fn write_request(request: &mut Request) -> Result<Vec<u8>, Invalid> {
    let mut dropped = Dropped::default();
    let mut out = Vec::new();
    write_body(request, &mut dropped, &mut Writer::new(&mut out))?;
    dropped.note_in(request);
    Ok(out)
}

fn write_body(request: &Request, dropped: &mut Dropped, json: &mut Writer<'_>) -> Result<(), Invalid> {
    let family = Family::of(&request.model);
    let asked = Asked::of(request, family, dropped);
    let mut cache_points = CachePoints::new(family);
    json.open_object();
    if !request.tools.is_empty() || has_tool_blocks(request) {
        write_tool_config(request, family, &mut cache_points, dropped, json)?;
    }
    write_system(request, &mut cache_points, dropped, json);
    json.key("messages");
    Content::new(family, cache_points).write_turns(request, dropped, json)?;
    write_inference(request, family, asked.as_ref(), dropped, json);
    write_extra(request, family, asked.as_ref(), dropped, json);
    write_output_config(request, asked.as_ref(), dropped, json);
    write_labels(request, dropped, json);
    if let Some(tier) = request.service_tier {
        match tier_name(tier) {
            Some(name) => {
                json.key("serviceTier").open_object().key("type").text(name);
                json.close_object();
            }
            None => dropped.push("service_tier"),
        }
    }
    json.close_object();
    dropped.push_if(request.end_user.is_some(), "end_user");
    Ok(())
}

fn write_system(request: &Request, cache_points: &mut CachePoints, dropped: &mut Dropped, json: &mut Writer<'_>) {
    let said = |text: &str| !text.trim().is_empty();
    if !request.system.iter().any(|instruction| said(&instruction.text)) {
        return;
    }
    json.key("system").open_list();
    for instruction in request.system.iter().filter(|instruction| said(&instruction.text)) {
        json.open_object().key("text").text(&instruction.text);
        json.close_object();
        if let Some(ttl) = instruction.cache {
            cache_points.write(ttl, dropped, json);
        }
    }
    json.close_list();
}

fn write_inference(
    request: &Request,
    family: Family,
    asked: Option<&Asked>,
    dropped: &mut Dropped,
    json: &mut Writer<'_>,
) {
    let stops: Vec<&String> = request.stop.iter().filter(|stop| !stop.trim().is_empty()).collect();
    // A stop sequence of white space only is refused here, and allowed elsewhere.
    dropped.push_if(stops.len() < request.stop.len(), "stop");
    let (temperature, top_p) = sampling(request, family, asked, dropped);
    for (name, asked) in [
        ("frequency_penalty", request.sampling.frequency_penalty.is_some()),
        ("presence_penalty", request.sampling.presence_penalty.is_some()),
        ("seed", request.sampling.seed.is_some()),
    ] {
        dropped.push_if(asked, name);
    }
    if request.max_output_tokens.is_none() && temperature.is_none() && top_p.is_none() && stops.is_empty() {
        return;
    }
    json.key("inferenceConfig").open_object();
    json.number_if("maxTokens", request.max_output_tokens);
    json.float_if("temperature", temperature);
    json.float_if("topP", top_p);
    if !stops.is_empty() {
        json.key("stopSequences").open_list();
        stops.into_iter().for_each(|stop| json.text(stop));
        json.close_list();
    }
    json.close_object();
}

/// Temperature and nucleus as the model takes them.
fn sampling(
    request: &Request,
    family: Family,
    asked: Option<&Asked>,
    dropped: &mut Dropped,
) -> (Option<f64>, Option<f64>) {
    let (temperature, top_p) = (request.sampling.temperature, request.sampling.top_p);
    // Claude does not think at another temperature than its own.
    if !family.samples() || asked.is_some_and(Asked::is_of_claude) {
        for (name, set) in [("temperature", temperature.is_some()), ("top_p", top_p.is_some())] {
            dropped.push_if(set, name);
        }
        return (None, None);
    }
    dropped.push_if(temperature.is_some_and(|temperature| temperature > MAX_TEMPERATURE), "temperature");
    // It takes the one or the other.
    let one_only = family == Family::Claude(4, 5) && temperature.is_some();
    dropped.push_if(one_only && top_p.is_some(), "top_p");
    (temperature.map(|temperature| temperature.min(MAX_TEMPERATURE)), top_p.filter(|_| !one_only))
}

fn write_output_config(request: &Request, asked: Option<&Asked>, dropped: &mut Dropped, json: &mut Writer<'_>) {
    let effort = asked.and_then(Asked::effort);
    let schema = match &request.output {
        Some(OutputFormat::JsonSchema(schema)) => Some(schema),
        Some(OutputFormat::JsonObject) => {
            dropped.push("output");
            None
        }
        None => None,
    };
    if effort.is_none() && schema.is_none() {
        return;
    }
    json.key("outputConfig").open_object();
    if let Some(schema) = schema {
        write_schema(schema, json);
    }
    json.text_if("effort", effort);
    json.close_object();
}

/// The schema is the text of one, not JSON itself. It is always strict.
fn write_schema(schema: &OutputSchema, json: &mut Writer<'_>) {
    json.key("textFormat").open_object().key("type").text("json_schema");
    json.key("structure").open_object().key("jsonSchema").open_object();
    json.key("schema").text(schema.schema.get());
    json.text_if("name", schema.name.as_deref());
    json.text_if("description", schema.description.as_deref());
    json.close_object();
    json.close_object();
    json.close_object();
}

fn write_labels(request: &Request, dropped: &mut Dropped, json: &mut Writer<'_>) {
    let fits = |(name, value): &&(String, String)| !name.is_empty() && is_label(name) && is_label(value);
    let labels: Vec<&(String, String)> = request.metadata.iter().filter(fits).take(MAX_LABELS).collect();
    dropped.push_if(labels.len() < request.metadata.len(), "metadata");
    if labels.is_empty() {
        return;
    }
    json.key("requestMetadata").open_object();
    for (name, value) in labels {
        json.key(name).text(value);
    }
    json.close_object();
}

/// `[a-zA-Z0-9\s:_@$#=/+,-.]`, at most 256.
fn is_label(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b":_@$#=/+,-.".contains(&byte);
    text.len() <= MAX_LABEL && text.bytes().all(allowed)
}

//! Which models a key may use, as each API lists them. Pure.

use crate::config::Served;
use serde_json::{Value, json};
use tollgate_kernel::subject::Label;
use tollgate_wire::Format;

/// A model by its name.
type Named<'a> = (&'a Label, &'a Served);

/// All of `models`.
pub(crate) fn list<'a>(format: Format, models: impl Iterator<Item = Named<'a>>) -> Vec<u8> {
    let models: Vec<Value> = models.map(|model| object(format, model)).collect();
    let id = |model: Option<&Value>| model.map(|model| model["id"].clone());
    let list = match format {
        Format::AnthropicMessages => json!({
            "first_id": id(models.first()), "last_id": id(models.last()), "has_more": false, "data": models,
        }),
        Format::GoogleGemini => json!({ "models": models }),
        _ => json!({ "object": "list", "data": models }),
    };
    list.to_string().into_bytes()
}

/// One of them.
pub(crate) fn one(format: Format, model: Named<'_>) -> Vec<u8> {
    object(format, model).to_string().into_bytes()
}

/// When a model was made is not known here, and every API wants to be told: 1970.
fn object(format: Format, (name, served): Named<'_>) -> Value {
    let name = name.as_str();
    match format {
        Format::AnthropicMessages => {
            json!({ "type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z" })
        }
        Format::GoogleGemini => json!({
            "name": format!("models/{name}"), "displayName": name,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        }),
        _ => {
            let owner = served.targets.first().map_or("", |target| target.provider.as_str());
            json!({ "id": name, "object": "model", "created": 0, "owned_by": owner })
        }
    }
}

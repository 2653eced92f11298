//! Answers that list models.

use crate::format::Format;
use tollgate_kernel::json::Writer;

/// A model as clients may ask for it.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// Its name.
    pub name: &'a str,
    /// Who serves it.
    pub owner: &'a str,
}

/// An answer of `format` with all of `models`.
#[must_use]
pub fn write(format: Format, models: &[Model<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    let json = &mut Writer::new(&mut body);
    json.open_object();
    match format {
        Format::AnthropicMessages => {
            json.key("has_more").flag(false);
            for (key, model) in [("first_id", models.first()), ("last_id", models.last())] {
                json.key(key).text_or_null(model.map(|model| model.name));
            }
            json.key("data");
        }
        Format::GoogleGemini => {
            json.key("models");
        }
        Format::OpenaiChat | Format::OpenaiResponses | Format::BedrockConverse => {
            json.key("object").text("list");
            json.key("data");
        }
    }
    json.open_list();
    for model in models {
        write_model(format, *model, json);
    }
    json.close_list();
    json.close_object();
    body
}

/// An answer of `format` with one of them.
#[must_use]
pub fn write_one(format: Format, model: Model<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    write_model(format, model, &mut Writer::new(&mut body));
    body
}

/// When a model was made is not known here, and every API wants to be told: 1970.
fn write_model(format: Format, Model { name, owner }: Model<'_>, json: &mut Writer<'_>) {
    json.open_object();
    match format {
        Format::AnthropicMessages => {
            json.key("type").text("model");
            json.key("id").text(name);
            json.key("display_name").text(name);
            json.key("created_at").text("1970-01-01T00:00:00Z");
        }
        Format::GoogleGemini => {
            json.key("name").text(&format!("models/{name}"));
            json.key("displayName").text(name);
            json.key("supportedGenerationMethods").open_list().text("generateContent");
            json.text("countTokens");
            json.close_list();
        }
        Format::OpenaiChat | Format::OpenaiResponses | Format::BedrockConverse => {
            json.key("id").text(name);
            json.key("object").text("model");
            json.key("created").number(0);
            json.key("owned_by").text(owner);
        }
    }
    json.close_object();
}

//! The JSON Schema of prices, from the tables that read them.

use super::Price;
use super::decimal::MOST;
use super::rates::COLUMNS;
use super::read::Place;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

const RATES: [(&str, &str); COLUMNS.len()] = [
    ("input", "Input that no cache has to do with."),
    ("output", "Output that is neither reasoning, audio nor image."),
    ("cache_read", "Input read from the provider's prompt cache. Default: `input`."),
    (
        "cache_write_5m",
        "Input written to the cache for the shorter time (5 minutes with Anthropic, 30 with OpenAI). Without it, such input \
         is charged at 1.25 times `input`, and its cost is marked `partial`.",
    ),
    (
        "cache_write_1h",
        "Input written to the cache for the longer time (1 hour with Anthropic, 12 with OpenAI). Without it, such input is \
         charged at 2.5 times `input`, and its cost is marked `partial`.",
    ),
    ("reasoning", "Reasoning. Default: `output`."),
    ("audio_input", "Audio input. Without it, audio is charged at `input`, and its cost is marked `partial`."),
    ("audio_output", "Audio output. Without it, audio is charged at `output`, and its cost is marked `partial`."),
    ("image_input", "Image input. Default: `input`."),
    ("image_output", "Image output. Without it, images are charged at `output`, and their cost is marked `partial`."),
    ("cache_read_audio", "Audio read from the cache. Default: `audio_input`; without that, `cache_read`."),
];

const OTHERS: [(&str, &str); 14] = [
    ("above", "Holds for calls whose whole input, cached and audio included, is above so many tokens."),
    ("long_context", "What all tokens of a call with more input cost, in ascending order of `above`."),
    ("service_tiers", "What tokens cost that are served as another tier than the standard one."),
    ("fees", "Dollars for each request or call."),
    ("fast", "By what Anthropic's fast mode multiplies the price of tokens."),
    ("one_country", "By what inference in one country (Anthropic's `inference_geo`) multiplies the price of tokens."),
    ("flex", "Slower and cheaper."),
    ("priority", "Faster and dearer."),
    ("batch", "In the background."),
    ("request", "Each request that used anything."),
    ("web_search", "Each search of the web by the provider."),
    ("web_fetch", "Each page that the provider fetched."),
    ("file_search", "Each search of uploaded files."),
    ("code_interpreter", "Each run of code by the provider."),
];

impl JsonSchema for Price {
    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let definitions = generator.definitions_mut();
        for (name, schema) in
            [("Decimal", decimal()), ("LongContext", object(Place::LongContext)), ("TierPrice", object(Place::Tier))]
        {
            definitions.insert(name.to_owned(), schema);
        }
        let mut schema = object(Place::Price);
        describe(&mut schema, "What a model costs: US dollars per million tokens, and each call.");
        Schema::try_from(schema).unwrap_or_default()
    }
}

fn object(place: Place) -> Value {
    let mut properties = Map::new();
    let rates = RATES.iter().filter(|_| place.has_rates()).map(|(name, about)| (*name, *about, of("Decimal")));
    let others = place.others().iter().map(|name| (*name, about(name), other(name)));
    for (name, about, mut schema) in rates.chain(others) {
        describe(&mut schema, about);
        properties.insert(name.to_owned(), schema);
    }
    let required: &[&str] = match place {
        Place::Price | Place::Tier => &["input", "output"],
        Place::LongContext => &["above", "input", "output"],
        Place::Tiers | Place::Fees => &[],
    };
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

fn describe(schema: &mut Value, about: &str) {
    if let Value::Object(schema) = schema {
        schema.insert("description".to_owned(), about.into());
    }
}

fn about(name: &str) -> &'static str {
    let about = OTHERS.iter().find(|(other, _)| *other == name);
    about.map_or("Each image that a tool of the provider made.", |(_, about)| about)
}

fn other(name: &str) -> Value {
    match name {
        "above" => json!({"type": "integer", "minimum": 0}),
        "long_context" => json!({"type": "array", "items": of("LongContext")}),
        "service_tiers" => object(Place::Tiers),
        "fees" => object(Place::Fees),
        "flex" | "priority" | "batch" => of("TierPrice"),
        "fast" | "one_country" => json!({"type": ["number", "string"], "minimum": 0, "maximum": 1000}),
        _ => of("Decimal"),
    }
}

fn of(definition: &str) -> Value {
    json!({"$ref": format!("#/$defs/{definition}")})
}

fn decimal() -> Value {
    json!({
        "description": "A number or a decimal string, with up to 9 decimals.",
        "type": ["number", "string"],
        "minimum": 0,
        "maximum": MOST,
        "pattern": r"^[0-9]+(\.[0-9]{1,9})?$",
    })
}

//! Which instructions a request gives the model: what a prompt is known by.
//!
//! The body is read strictly and once more, apart from what the envelope does with it, so that it costs nothing where no prompt
//! is known. What two readers could understand differently has no instructions: nobody can say under which the model works.

use crate::format::Format;
use tollgate_kernel::json::{Document, Kind, Limits, Value};
use tollgate_kernel::provenance::{SystemDigest, SystemDigester};

/// How many keys and values a body may have. Each takes 16 bytes.
const MAX_NODES: usize = 1 << 18;

/// Instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instructions {
    /// What stands in the request.
    Text(SystemDigest),
    /// What the provider keeps under this id, and nothing else.
    AtProvider(String),
}

impl Instructions {
    /// Those of a request body; `None`: there are none, or nobody can say which they are.
    #[must_use]
    pub fn read(format: Format, body: &[u8]) -> Option<Self> {
        let document = Document::read(body, Limits { bytes: body.len(), nodes: MAX_NODES }).ok()?;
        let body = Object::of(document.root())?;
        let mut text = SystemDigester::default();
        match format {
            Format::OpenaiChat => {
                read_turns(body.get("messages")??, &mut text)?;
            }
            Format::AnthropicMessages => {
                read_content(body.get("system")?, &mut text)?;
                read_turns(body.get("messages")??, &mut text)?;
            }
            Format::OpenaiResponses => {
                let kept = body.get("previous_response_id")?.or(body.get("conversation")?);
                let prompt = body.get("prompt")?;
                read_content(body.get("instructions")?, &mut text)?;
                read_items(body.get("input")?, &mut text)?;
                return match (kept, prompt) {
                    (Some(_), _) => None,
                    (None, None) => text.finish().map(Self::Text),
                    (None, Some(prompt)) => {
                        let id = Object::of(prompt)?.get("id")??.as_str()?.into_owned();
                        text.finish().is_none().then_some(Self::AtProvider(id))
                    }
                };
            }
            Format::GoogleGemini => {
                body.lacks(&["cachedContent", "cached_content"])?;
                let (one, other) = (body.get("systemInstruction")?, body.get("system_instruction")?);
                let system = if other.is_none() { one } else { other.filter(|_| one.is_none()) };
                read_content(Object::of(system?)?.get("parts")?, &mut text)?;
            }
            Format::BedrockConverse => {
                body.lacks(&["promptVariables"])?;
                read_content(body.get("system")?, &mut text)?;
            }
        }
        text.finish().map(Self::Text)
    }
}

/// An object whose keys mean what they seem to.
#[derive(Clone, Copy)]
struct Object<'d, 'a>(Value<'d, 'a>);

impl<'d, 'a> Object<'d, 'a> {
    fn of(value: Value<'d, 'a>) -> Option<Self> {
        value.is_object().then_some(Self(value))
    }

    /// What stands under `key`, if it is not `null`. The outer `None`: some servers take another key for it.
    #[expect(clippy::option_option, reason = "not there is not the same as unclear")]
    fn get(self, key: &str) -> Option<Option<Value<'d, 'a>>> {
        let unclear = self.0.members().any(|member| member.resembles(key));
        (!unclear).then(|| self.0.get(key).filter(|value| value.kind() != Kind::Null))
    }

    fn lacks(self, keys: &[&str]) -> Option<()> {
        keys.iter().all(|key| matches!(self.get(key), Some(None))).then_some(())
    }
}

/// The turns of a conversation, of which some are instructions.
fn read_turns(turns: Value<'_, '_>, text: &mut SystemDigester) -> Option<()> {
    (turns.kind() == Kind::Array).then_some(())?;
    turns.items().try_for_each(|turn| {
        let turn = Object::of(turn)?;
        read_turn(turn, turn.get("role")??, text)
    })
}

fn read_turn(turn: Object<'_, '_>, role: Value<'_, '_>, text: &mut SystemDigester) -> Option<()> {
    match role.as_str()?.as_ref() {
        "system" | "developer" => read_content(turn.get("content")?, text),
        "user" | "assistant" | "tool" | "function" => Some(()),
        _ => None,
    }
}

/// The input of OpenAI's Responses: a text, or items of which some are turns.
fn read_items(input: Option<Value<'_, '_>>, text: &mut SystemDigester) -> Option<()> {
    let Some(input) = input.filter(|input| input.kind() != Kind::String) else { return Some(()) };
    (input.kind() == Kind::Array).then_some(())?;
    input.items().try_for_each(|item| {
        let item = Object::of(item)?;
        match (item.get("role")?, item.get("type")?.and_then(Value::as_str).as_deref()) {
            (Some(role), _) => read_turn(item, role, text),
            // What the provider keeps under its id may be anything; so may what is no turn and says not what it is.
            (None, None | Some("item_reference" | "message")) => None,
            (None, Some(_)) => Some(()),
        }
    })
}

/// A text, or a list of texts.
fn read_content(content: Option<Value<'_, '_>>, text: &mut SystemDigester) -> Option<()> {
    let Some(content) = content else { return Some(()) };
    match content.kind() {
        Kind::String => text.add(&content.as_str()?),
        Kind::Array => content.items().try_for_each(|part| {
            let part = Object::of(part)?;
            match (part.get("text")?, part.get("cachePoint")?) {
                (Some(said), None) => text.add(&said.as_str()?),
                (None, Some(_)) => {}
                _ => return None,
            }
            Some(())
        })?,
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::Instructions;
    use crate::format::Format;
    use serde_json::{Value, json};
    use tollgate_kernel::provenance::SystemDigester;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn of_text(text: &str) -> Option<Instructions> {
        let mut digester = SystemDigester::default();
        digester.add(text);
        digester.finish().map(Instructions::Text)
    }

    fn turn(role: &str, content: impl Into<Value>) -> Value {
        json!({"role": role, "content": content.into()})
    }

    #[test]
    fn what_a_client_says_to_the_model_as_its_operator_is_put_together_in_every_format() {
        let parts = |kind: &str| json!([{"type": kind, "text": "Sort "}, {"type": kind, "text": "tickets."}]);
        let (chat, user) = (Format::OpenaiChat, turn("user", "Hi"));
        for (format, body) in [
            (chat, json!({"messages": [turn("system", "Sort tickets."), user]})),
            (chat, json!({"messages": [turn("developer", parts("text")), user]})),
            (chat, json!({"messages": [turn("system", "Sort "), user, turn("developer", "tickets.")]})),
            (Format::AnthropicMessages, json!({"system": "Sort tickets.", "messages": [user]})),
            (Format::AnthropicMessages, json!({"system": parts("text"), "messages": [user]})),
            (Format::AnthropicMessages, json!({"system": "Sort ", "messages": [user, turn("system", "tickets.")]})),
            (Format::OpenaiResponses, json!({"instructions": "Sort tickets.", "input": "Hi"})),
            (Format::OpenaiResponses, json!({"input": [turn("developer", parts("input_text")), user]})),
            (
                Format::OpenaiResponses,
                json!({"instructions": "Sort ", "previous_response_id": null, "input": [
                    user, {"type": "function_call_output", "call_id": "c", "output": "x"}, turn("system", "tickets.")]}),
            ),
            (Format::GoogleGemini, json!({"systemInstruction": {"parts": [{"text": "Sort "}, {"text": "tickets."}]}})),
            (Format::GoogleGemini, json!({"system_instruction": {"parts": [{"text": "Sort tickets."}]}})),
            (
                Format::BedrockConverse,
                json!({"system": [{"text": "Sort "}, {"cachePoint": {"type": "default"}}, {"text": "tickets."}]}),
            ),
        ] {
            let read = Instructions::read(format, body.to_string().as_bytes());
            assert_eq!(read, of_text("Sort tickets."), "{body}");
        }
    }

    #[test]
    fn a_prompt_that_the_provider_keeps_counts_only_alone() {
        let read = |more: Value| {
            let mut body = json!({"prompt": {"id": "pmpt_1", "variables": {"a": "b"}}, "input": "Hi"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            Instructions::read(Format::OpenaiResponses, body.to_string().as_bytes())
        };
        assert_eq!(read(json!({})), Some(Instructions::AtProvider("pmpt_1".to_owned())));
        for more in [
            json!({"instructions": "But obey."}),
            json!({"input": [turn("developer", "But obey.")]}),
            json!({"previous_response_id": "resp_1"}),
            json!({"conversation": "conv_1"}),
            json!({"prompt": {"variables": {}}}),
        ] {
            assert_eq!(read(more.clone()), None, "{more}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_or_is_kept_elsewhere_is_of_no_prompt() {
        let s = r#"{"role":"system","content":"Sort tickets."}"#;
        for (format, body) in [
            (Format::OpenaiChat, format!(r#"{{"messages":[{s}],"messages":[]}}"#)),
            (Format::OpenaiChat, format!(r#"{{"messages":[{s}],"Messages":[]}}"#)),
            (Format::OpenaiChat, format!(r#"{{"messages":[{s},{{"role":"System","content":"Obey."}}]}}"#)),
            (
                Format::OpenaiChat,
                format!(r#"{{"messages":[{s},{{"role":"user","Role":"system","content":"Obey."}}]}}"#),
            ),
            (Format::OpenaiChat, format!(r#"{{"messages":[{s},{{"content":"Obey."}}]}}"#)),
            (
                Format::OpenaiChat,
                format!(r#"{{"messages":[{s}]}} "#).replace("\"Sort tickets.\"", r#"[{"type":"image_url"}]"#),
            ),
            (Format::OpenaiChat, r#"{"messages":[{"role":"user","content":"Hi"}]}"#.to_owned()),
            (Format::OpenaiChat, "[]".to_owned()),
            (Format::AnthropicMessages, r#"{"system":{"text":"Sort tickets."},"messages":[]}"#.to_owned()),
            (Format::OpenaiResponses, format!(r#"{{"input":[{s},{{"type":"item_reference","id":"msg_1"}}]}}"#)),
            (Format::OpenaiResponses, format!(r#"{{"input":[{s}],"previous_response_id":"resp_1"}}"#)),
            (Format::OpenaiResponses, format!(r#"{{"input":[{s},{{"id":"msg_1"}}]}}"#)),
            (
                Format::GoogleGemini,
                r#"{"systemInstruction":{"parts":[{"text":"a"}]},"system_instruction":{"parts":[]}}"#.to_owned(),
            ),
            (Format::GoogleGemini, r#"{"systemInstruction":{"parts":[{"text":"a"}]},"cachedContent":"c"}"#.to_owned()),
            (Format::BedrockConverse, r#"{"system":[{"guardContent":{}}]}"#.to_owned()),
        ] {
            assert_eq!(Instructions::read(format, body.as_bytes()), None, "{body}");
        }
    }
}

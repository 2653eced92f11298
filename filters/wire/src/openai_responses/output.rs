//! The object of an answer and the items of its output, as they are written. The official clients require every field
//! that is here.

use super::item::opened;
use super::usage;
use crate::openai_chat::tier_name;
use crate::signature::{Origin, Seal};
use crate::usage::Usage;
use tollgate_kernel::json::Writer;

/// What is told of an answer beside its output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) id: &'a str,
    pub(super) model: &'a str,
    pub(super) created: u64,
    pub(super) status: &'static str,
    /// Why it is incomplete.
    pub(super) incomplete: Option<&'static str>,
    pub(super) usage: Option<&'a Usage>,
}

impl Answer<'_> {
    /// Everything up to the items of the output.
    pub(super) fn begin(&self, json: &mut Writer<'_>) {
        json.open_object();
        json.key("id").text(self.id);
        json.key("object").text("response");
        json.key("created_at").number(self.created);
        json.key("status").text(self.status);
        json.key("background").flag(false);
        json.key("error").null();
        match self.incomplete {
            None => json.key("incomplete_details").null(),
            Some(reason) => {
                json.key("incomplete_details").open_object();
                json.key("reason").text(reason);
                json.close_object();
            }
        }
        json.key("model").text(self.model);
        json.key("output").open_list();
    }

    /// Everything after them. What was asked is not known here, so the fields that repeat it have their default; but
    /// for `store`: nothing is.
    pub(super) fn end(&self, json: &mut Writer<'_>) {
        json.close_list();
        let tier = self.usage.and_then(|usage| tier_name(usage.service_tier));
        json.text_if("service_tier", tier);
        match self.usage {
            None => json.key("usage").null(),
            Some(usage) => {
                json.key("usage");
                usage::write(usage, json);
            }
        }
        for name in ["instructions", "max_output_tokens", "previous_response_id", "temperature", "top_p", "user"] {
            json.key(name).null();
        }
        json.key("metadata").open_object().close_object();
        json.key("parallel_tool_calls").flag(true);
        json.key("store").flag(false);
        json.key("text").open_object().key("format").open_object().key("type").text("text");
        json.close_object();
        json.close_object();
        json.key("tool_choice").text("auto");
        json.key("tools").open_list().close_list();
        json.key("truncation").text("disabled");
        json.close_object();
    }
}

/// How far an item is.
pub(super) const IN_PROGRESS: &str = "in_progress";
pub(super) const COMPLETED: &str = "completed";
pub(super) const INCOMPLETE: &str = "incomplete";

/// A message; `None`: one that has no content yet.
pub(super) fn message(json: &mut Writer<'_>, id: &str, status: &str, text: Option<&str>) {
    json.open_object();
    json.key("id").text(id);
    json.key("type").text("message");
    json.key("status").text(status);
    json.key("role").text("assistant");
    json.key("content").open_list();
    if let Some(text) = text {
        text_part(json, text);
    }
    json.close_list();
    json.close_object();
}

/// The one part of a message.
pub(super) fn text_part(json: &mut Writer<'_>, text: &str) {
    json.open_object();
    json.key("type").text("output_text");
    json.key("text").text(text);
    json.key("annotations").open_list().close_list();
    json.key("logprobs").open_list().close_list();
    json.close_object();
}

/// A call of a function.
pub(super) fn call(json: &mut Writer<'_>, id: &str, status: &str, (call_id, name): (&str, &str), arguments: &str) {
    json.open_object();
    json.key("id").text(id);
    json.key("type").text("function_call");
    json.key("status").text(status);
    json.key("call_id").text(call_id);
    json.key("name").text(name);
    json.key("arguments").text(arguments);
    json.close_object();
}

/// Reasoning. What other providers show of it is told as a summary, which every client shows.
pub(super) fn reasoning(json: &mut Writer<'_>, id: &str, text: &str, encrypted: Option<&str>) {
    json.open_object();
    json.key("id").text(id);
    json.key("type").text("reasoning");
    json.key("summary").open_list();
    if !text.is_empty() {
        summary_part(json, text);
    }
    json.close_list();
    json.text_if("encrypted_content", encrypted);
    json.close_object();
}

/// A part of a summary.
pub(super) fn summary_part(json: &mut Writer<'_>, text: &str) {
    json.open_object();
    json.key("type").text("summary_text");
    json.key("text").text(text);
    json.close_object();
}

/// What a seal is to a client: encrypted content, and the id of the item where it is bound to one.
///
/// `told`: the client has been told another id. OpenAI's own seal then carries its id in a label, as foreign ones carry
/// whose they are.
pub(super) fn sealed(seal: &Seal, told: bool) -> (Option<&str>, String) {
    match opened(seal) {
        Some((id, encrypted)) if !told && (1..=MAX_ITEM_ID).contains(&id.len()) => (Some(id), encrypted.to_owned()),
        Some(_) => (None, seal.for_client(Origin::OpenaiChat)),
        None => (None, seal.for_client(Origin::OpenaiResponses)),
    }
}

/// Makes the ids of an answer's items.
///
/// Clients send items back with their ids, and OpenAI refuses an id that comes twice, is longer than 64, or has
/// anything but letters, digits, `-` and `_`; so the id of the answer is in them as far as it fits.
#[derive(Debug, Default)]
pub(super) struct ItemIds(String);

const MAX_ANSWER_ID: usize = 40;

/// OpenAI's ids have at most 64 bytes; one beyond this is none.
const MAX_ITEM_ID: usize = 256;

impl ItemIds {
    pub(super) fn new(answer_id: &str, created: u64) -> Self {
        let fits = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        let fitting = answer_id.chars().filter(fits).count();
        let end: String = answer_id.chars().filter(fits).skip(fitting.saturating_sub(MAX_ANSWER_ID)).collect();
        Self(if end.is_empty() { created.to_string() } else { end })
    }

    /// The id of the item at `index`; `kind` is `msg`, `rs` or `fc`.
    pub(super) fn of(&self, kind: &str, index: usize) -> String {
        format!("{kind}_{}_{index}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai_responses::item::seal;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn ids_of_items_are_what_openai_accepts() {
        for (answer, expected) in [
            ("msg_01AbC", "fc_msg_01AbC_3"),
            ("a b/c+d==", "fc_abcd_3"),
            ("", "fc_17_3"),
            ("/", "fc_17_3"),
            (&"x".repeat(50), "fc_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_3"),
        ] {
            assert_eq!(ItemIds::new(answer, 17).of("fc", 3), expected);
        }
        assert!(ItemIds::new(&"é9".repeat(99), 17).of("msg", usize::MAX).len() <= 65);
    }

    #[test]
    fn a_seal_keeps_its_own_id_or_says_it_in_a_label() {
        let own = seal("rs_1", "gAAA");
        assert_eq!(sealed(&own, false), (Some("rs_1"), "gAAA".to_owned()));
        let (id, labelled) = sealed(&own, true);
        assert_eq!((id, &*labelled), (None, "tollgate:openai-responses:encrypted:rs_1 gAAA"));
        assert_eq!(Seal::from_client(Origin::OpenaiResponses, own.kind, &labelled), own);
        let foreign = Seal { origin: Origin::Claude, ..seal("", "c2ln") };
        assert!(sealed(&foreign, false).1.starts_with("tollgate:claude:"));
    }
}

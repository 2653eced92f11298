//! Deltas into chunks.

use crate::openai_chat::error::ErrorOut;
use crate::openai_chat::finish_reason;
use crate::openai_chat::usage::WireUsage;
use crate::stream::Delta;
use crate::usage::Usage;
use serde::Serialize;

/// Writes a client's stream.
#[derive(Debug)]
pub struct StreamWriter {
    include_usage: bool,
    created: u64,
    id: String,
    model: String,
    /// May be known before the answer ends and is told after it.
    usage: Option<Usage>,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    Fresh,
    Started,
    Stopped,
    Ended,
}

#[derive(Serialize)]
struct ChunkOut<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [ChoiceOut<'a>],
    /// `Some(None)` is `null`, as every chunk but the last has it when usage was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<WireUsage>>,
}

#[derive(Serialize)]
struct ChoiceOut<'a> {
    index: u32,
    delta: DeltaOut<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct DeltaOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[PieceOut<'a>; 1]>,
}

#[derive(Serialize)]
struct PieceOut<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: FunctionOut<'a>,
}

#[derive(Serialize)]
struct FunctionOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

impl StreamWriter {
    /// A writer at the start of a stream; see [`Writer::new`](crate::stream::Writer::new).
    #[must_use]
    pub const fn new(include_usage: bool, created: u64) -> Self {
        let progress = Progress::Fresh;
        Self { include_usage, created, id: String::new(), model: String::new(), usage: None, progress }
    }

    /// Appends what tells the client of `delta`; see [`Writer::write`](crate::stream::Writer::write).
    pub fn write(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if self.progress == Progress::Ended {
            return;
        }
        match delta {
            Delta::Start { id, model } => {
                self.id.clone_from(id);
                self.model.clone_from(model);
                self.start(out);
            }
            Delta::Text(text) => self.say(DeltaOut { content: Some(text), ..DeltaOut::default() }, out),
            Delta::Reasoning(_) | Delta::Seal(_) | Delta::Untranslated { .. } => {}
            Delta::ToolCall { index, id, name } => {
                let function = FunctionOut { name: Some(name), arguments: "" };
                self.call(PieceOut { index: *index, id: Some(id), kind: Some("function"), function }, out);
            }
            Delta::ToolArguments { index, json } => {
                let function = FunctionOut { name: None, arguments: json };
                self.call(PieceOut { index: *index, id: None, kind: None, function }, out);
            }
            Delta::Stop(stop) => self.stop(finish_reason(*stop), out),
            Delta::Usage(usage) => self.usage = Some(*usage),
            Delta::Error(error) => {
                self.progress = Progress::Ended;
                write_event(&ErrorOut::from(error), out);
            }
            Delta::End => self.end(out),
        }
    }

    /// The first chunk names the role and says nothing.
    fn start(&mut self, out: &mut Vec<u8>) {
        if self.progress == Progress::Fresh {
            self.progress = Progress::Started;
            self.write_choice(DeltaOut { role: Some("assistant"), content: Some(""), tool_calls: None }, None, out);
        }
    }

    fn say(&mut self, delta: DeltaOut<'_>, out: &mut Vec<u8>) {
        self.start(out);
        self.write_choice(delta, None, out);
    }

    fn call(&mut self, piece: PieceOut<'_>, out: &mut Vec<u8>) {
        self.say(DeltaOut { tool_calls: Some([piece]), ..DeltaOut::default() }, out);
    }

    fn stop(&mut self, reason: &'static str, out: &mut Vec<u8>) {
        self.start(out);
        if self.progress < Progress::Stopped {
            self.progress = Progress::Stopped;
            self.write_choice(DeltaOut::default(), Some(reason), out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(usage) = self.usage.as_ref().filter(|_| self.include_usage) {
            self.write_chunk(&[], Some(Some(WireUsage::from(usage))), out);
        }
        self.progress = Progress::Ended;
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn write_choice(&self, delta: DeltaOut<'_>, finish_reason: Option<&'static str>, out: &mut Vec<u8>) {
        let choice = ChoiceOut { index: 0, delta, logprobs: None, finish_reason };
        self.write_chunk(&[choice], self.include_usage.then_some(None), out);
    }

    fn write_chunk(&self, choices: &[ChoiceOut<'_>], usage: Option<Option<WireUsage>>, out: &mut Vec<u8>) {
        let (id, model) = (&*self.id, &*self.model);
        let object = "chat.completion.chunk";
        write_event(&ChunkOut { id, object, created: self.created, model, choices, usage }, out);
    }
}

/// One server-sent event. JSON has no raw line breaks, so its text is one `data` line.
fn write_event(data: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&serde_json::to_vec(data).unwrap_or_default());
    out.extend_from_slice(b"\n\n");
}

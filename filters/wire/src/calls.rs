//! The tool calls of an answer, each as soon as it is all there.

use crate::arguments::Progress;
use crate::conversation::{Part, Response, ToolCall};
use crate::stream::Delta;
use tollgate_kernel::json::{Digest, Document, Limits};

/// How many calls of one answer are read.
pub const MAX_CALLS: usize = 32;
/// How large the arguments of one may be.
pub const MAX_ARGUMENTS: usize = 64 << 10;

/// A longer name is no tool's.
const MAX_NAME: usize = 256;

/// Of arguments that are read.
const LIMITS: Limits = Limits { bytes: MAX_ARGUMENTS, nodes: MAX_ARGUMENTS / 2 };

/// A tool that a model asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its name, as the model says it.
    pub tool: String,
    /// Of the arguments, in their one spelling.
    pub arguments: Digest,
}

/// Reads the calls of one answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    begun: Vec<Begun>,
    asked: Vec<Asked>,
    count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Begun {
    index: u32,
    tool: String,
    arguments: String,
    progress: Progress,
}

impl Calls {
    /// The next delta of a stream.
    pub fn push(&mut self, delta: &Delta) {
        match delta {
            Delta::ToolCall { index, name, .. } if self.has_place(name) => {
                let (tool, progress) = (name.clone(), Progress::default());
                self.begun.push(Begun { index: *index, tool, arguments: String::new(), progress });
            }
            Delta::ToolArguments { index, json } => self.arguments(*index, json),
            // One without arguments is complete only now.
            Delta::Stop(_) => std::mem::take(&mut self.begun).into_iter().for_each(|call| self.end(&call)),
            _ => {}
        }
    }

    /// All of a whole answer.
    pub fn read(&mut self, response: &Response) {
        for part in &response.parts {
            if let Part::ToolCall(ToolCall { name, arguments, .. }) = part
                && self.has_place(name)
            {
                self.asked.extend(asked(name, arguments));
            }
        }
    }

    /// Those that are complete and were not taken yet.
    pub fn take(&mut self) -> Vec<Asked> {
        std::mem::take(&mut self.asked)
    }

    /// Bytes of those that are not complete.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.begun.iter().fold(0, |bytes, call| bytes.saturating_add(call.arguments.len()))
    }

    fn has_place(&mut self, name: &str) -> bool {
        self.count = self.count.saturating_add(1);
        self.count <= MAX_CALLS && name.len() <= MAX_NAME
    }

    fn arguments(&mut self, index: u32, json: &str) {
        let Some(at) = self.begun.iter().position(|call| call.index == index) else { return };
        let Some(call) = self.begun.get_mut(at) else { return };
        if call.arguments.len().saturating_add(json.len()) > MAX_ARGUMENTS {
            self.begun.remove(at);
            return;
        }
        call.arguments.push_str(json);
        call.progress.push(json);
        if call.progress.is_complete() {
            let call = self.begun.remove(at);
            self.end(&call);
        }
    }

    fn end(&mut self, call: &Begun) {
        self.asked.extend(asked(&call.tool, &call.arguments));
    }
}

/// Arguments that are not one strict JSON object could be another call to whoever reads them.
fn asked(tool: &str, arguments: &str) -> Option<Asked> {
    let text = if arguments.trim().is_empty() { "{}" } else { arguments };
    let document = Document::read(text.as_bytes(), LIMITS).ok()?;
    let root = document.root();
    root.is_object().then(|| Asked { tool: tool.to_owned(), arguments: root.digest() })
}

#[cfg(test)]
mod tests {
    use super::{Asked, Calls, MAX_ARGUMENTS, MAX_CALLS, asked};
    use crate::conversation::StopReason;
    use crate::stream::Delta;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn call(index: u32, name: &str) -> Delta {
        Delta::ToolCall { index, id: String::new(), name: name.to_owned() }
    }

    fn arguments(index: u32, json: &str) -> Delta {
        Delta::ToolArguments { index, json: json.to_owned() }
    }

    /// What is complete after each delta.
    fn taken(deltas: &[Delta]) -> Vec<Vec<Asked>> {
        let mut calls = Calls::default();
        deltas
            .iter()
            .map(|delta| {
                calls.push(delta);
                calls.take()
            })
            .collect()
    }

    #[test]
    fn a_call_is_known_as_soon_as_its_object_is_closed_and_one_without_arguments_at_the_end() {
        let steps = taken(&[
            call(0, "search"),
            call(1, "delete"),
            call(2, "ping"),
            arguments(1, "{\"id\":"),
            arguments(0, "{\"q\":\"}\"}"),
            arguments(1, " 7}"),
            arguments(1, "trailing"),
            Delta::Stop(StopReason::ToolUse),
        ]);
        let known = |tool, arguments| vec![asked(tool, arguments).unwrap()];
        let nothing = Vec::new;
        assert_eq!(
            steps,
            [
                nothing(),
                nothing(),
                nothing(),
                nothing(),
                known("search", r#"{"q":"}"}"#),
                known("delete", r#"{"id":7}"#),
                nothing(),
                known("ping", "{}"),
            ]
        );
    }

    #[test]
    fn arguments_that_are_no_strict_object_are_no_call() {
        for text in ["[1]", "{\"a\":1,\"a\":2}", "{a:1}", "{\"a\":1} {}", "{\"a\":", "null", "}"] {
            let steps = taken(&[call(0, "t"), arguments(0, text), Delta::Stop(StopReason::ToolUse)]);
            assert!(steps.iter().all(Vec::is_empty), "{text}");
        }
        assert_eq!(asked("t", " \n"), asked("t", "{ }"));
    }

    #[test]
    fn what_is_too_much_is_left_out_and_takes_no_memory() {
        let count = u32::try_from(MAX_CALLS).unwrap();
        let mut calls = Calls::default();
        for index in 0..=count {
            calls.push(&call(index, "t"));
            calls.push(&arguments(index, "{}"));
        }
        assert_eq!(calls.take().len(), MAX_CALLS);
        let mut calls = Calls::default();
        calls.push(&call(0, "t"));
        calls.push(&arguments(0, &format!("{{\"a\":\"{}", "x".repeat(MAX_ARGUMENTS - 6))));
        assert_eq!(calls.bytes(), MAX_ARGUMENTS);
        calls.push(&arguments(0, "\"}"));
        assert_eq!((calls.take(), calls.bytes()), (Vec::new(), 0));
        let long = "n".repeat(257);
        assert!(taken(&[call(0, &long), arguments(0, "{}")]).iter().all(Vec::is_empty));
    }
}

//! How fast answers of MCP servers are read, for bench/JSON.md: `cargo run --release -p tollgate-kernel --example answer_speed`.

use std::hint::black_box;
use std::io::{Write, stdout};
use std::time::Instant;
use tollgate_kernel::json::{Document, Limits};
use tollgate_kernel::json_rpc::Id;
use tollgate_kernel::mcp::Revision;
use tollgate_kernel::mcp::answer::{AnswerReader, Awaited, Editor, Entry, Expected, Form, List, Purpose, Shown};
use tollgate_kernel::mcp::lint::lint;
use tollgate_kernel::mcp::tool::Definition;

const CHUNK: usize = 16 * 1024;
const SECONDS: f64 = 1.0;

/// Hides every second tool.
#[derive(Default)]
struct Half {
    count: usize,
    digests: bool,
    lints: bool,
}

impl Editor for Half {
    fn entry(&mut self, entry: &Entry<'_, '_>) -> Shown {
        if self.digests {
            black_box(Definition::read(entry.value).map(|tool| tool.digest()).is_ok());
        }
        if self.lints {
            black_box(lint(entry.value, &|name| name == "send_email").len());
        }
        self.count = self.count.wrapping_add(1);
        if self.count.is_multiple_of(2) { Shown::Yes } else { Shown::No }
    }
}

fn main() -> std::io::Result<()> {
    let tool = |number: usize| {
        format!(
            r#"{{"name":"tool_{number}","description":"{}","inputSchema":{{"type":"object","properties":{{"a":{{"type":"string","description":"The name of the table."}},"b":{{"type":"integer","minimum":0}}}},"required":["a"]}},"annotations":{{"readOnlyHint":true}}}}"#,
            "Reads rows of a table and returns them as JSON. ".repeat(4)
        )
    };
    let tools = format!(r#"{{"tools":[{}]}}"#, (0..50).map(tool).collect::<Vec<_>>().join(","));
    let text = |text: String| format!(r#"{{"content":[{{"type":"text","text":"{text}"}}],"isError":false}}"#);
    let row = r#"{"id":12345,"name":"Ada Lovelace","tags":["a","b","c"],"score":0.125,"active":true,"note":null}"#;
    let mut out = stdout().lock();
    writeln!(out, "| result | bytes | | JSON, us | events, us |\n|---|---:|---|---:|---:|")?;
    let (watch, filter) = ((Purpose::Watch, "watched"), (Purpose::Filter(List::Tools), "filtered"));
    let inspect = (Purpose::Inspect, "read whole");
    for (name, result, purposes) in [
        ("a short text", text("lorem ipsum dolor ".repeat(10)), &[watch, inspect][..]),
        (
            "50 tools",
            tools,
            &[
                inspect,
                filter,
                (Purpose::Filter(List::Tools), "with digests"),
                (Purpose::Filter(List::Tools), "with digests and lint"),
            ],
        ),
        ("1 MB of text", text("lorem ipsum dolor ".repeat(58_000)), &[watch, inspect]),
        ("1 MB of text with escapes", text("lorem\\nipsum \\\"dolor\\\" ".repeat(44_000)), &[watch, inspect]),
        (
            "10,000 rows",
            format!(r#"{{"structuredContent":{{"rows":[{}]}}}}"#, vec![row; 10_000].join(",")),
            &[watch, inspect],
        ),
    ] {
        let json = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
        let events = format!("event: message\ndata: {json}\n\n");
        for (purpose, how) in purposes {
            let each = [(Form::Json, &json), (Form::EventStream, &events)]
                .map(|(form, raw)| microseconds(form, *purpose, how, raw.as_bytes()));
            writeln!(out, "| {name} | {} | {how} | {:.1} | {:.1} |", json.len(), each[0], each[1])?;
        }
    }
    Ok(())
}

/// The best of many: others use the machine too.
fn microseconds(form: Form, purpose: Purpose, how: &str, raw: &[u8]) -> f64 {
    let rounds = u32::try_from(100_000_usize.checked_div(raw.len()).unwrap_or(1).max(1)).unwrap_or(1);
    let (start, mut best) = (Instant::now(), f64::MAX);
    while start.elapsed().as_secs_f64() < SECONDS {
        let started = Instant::now();
        (0..rounds).for_each(|_| answer(form, purpose, how, raw));
        best = best.min(started.elapsed().as_secs_f64() * 1e6 / f64::from(rounds));
    }
    best
}

fn answer(form: Form, purpose: Purpose, how: &str, raw: &[u8]) {
    let bytes = if purpose == Purpose::Watch { 64 * 1024 } else { 4 << 20 };
    let limits = Limits { bytes, nodes: 1 << 20 };
    let document = Document::read(b"1", limits);
    let id = document.as_ref().ok().and_then(|one| Id::of(one.root())).map(Id::into_owned);
    let awaited = id.map_or(Awaited::Nothing, Awaited::Response);
    let mut reader = AnswerReader::new(form, Expected { awaited, purpose, revision: Revision::July2026 }, limits);
    let mut editor = Half { count: 0, digests: how.contains("digests"), lints: how.contains("lint") };
    for chunk in raw.chunks(CHUNK) {
        if reader.is_passing() {
            reader.skip(chunk.len());
        } else {
            black_box(reader.push(chunk, &mut editor));
        }
    }
    black_box(reader.finish(&mut editor));
}

//! What the reader of MCP makes of bodies, for comparing it with the readers of servers: a body a line in hexadecimal, and for
//! each a line of JSON, `{}` if it is refused.

use std::io::{BufRead, Write, stdin, stdout};
use tollgate_kernel::json::{Document, Limits, Value};
use tollgate_kernel::mcp::{Content, Headers, Names, Posted};

fn main() -> std::io::Result<()> {
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        let body = from_hex(&line?).ok_or(std::io::ErrorKind::InvalidData)?;
        writeln!(out, "{}", read(&body).unwrap_or_else(|| "{}".to_owned()))?;
    }
    Ok(())
}

fn read(body: &[u8]) -> Option<String> {
    let document = Document::read(body, Limits { bytes: 1 << 20, nodes: 100_000 }).ok()?;
    let posted = Posted::read(&document, Headers(&[]), &Names::default()).ok()?;
    let Content::Call(call) = posted.content else { return Some(r#"{"no_call":true}"#.to_owned()) };
    let arguments = call.arguments.map(|value| spelled(value)).unwrap_or_else(|| "null".to_owned());
    let seen = serde_json::json!({"method": call.method.as_str(), "name": call.target.name(), "arguments": arguments});
    Some(format!("{{\"id\":{},\"seen\":{seen}}}", call.id.raw()))
}

fn spelled(value: Value<'_, '_>) -> String {
    let mut text = String::new();
    value.canonical(&mut |piece| text.push_str(piece));
    text
}

fn from_hex(line: &str) -> Option<Vec<u8>> {
    line.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

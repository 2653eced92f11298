//! How fast JSON is read, for bench/JSON.md: `cargo run --release -p tollgate-kernel --example json_speed`.

use serde::Deserialize;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::time::Instant;
use tollgate_kernel::json::{Document, Limits};

const LIMITS: Limits = Limits { bytes: 1 << 24, nodes: 1 << 20 };
const SECONDS: f64 = 0.5;

/// As a reader with fixed types would see a call: the rest is skipped.
#[derive(Deserialize)]
struct Call<'a> {
    method: &'a str,
    #[serde(borrow)]
    params: Params<'a>,
}

#[derive(Deserialize)]
struct Params<'a> {
    name: &'a str,
    #[serde(borrow)]
    arguments: &'a serde_json::value::RawValue,
}

fn main() -> std::io::Result<()> {
    let call = |arguments: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"database.query","arguments":{arguments}}}}}"#
        )
    };
    let row = r#"{"id":12345,"name":"Ada Lovelace","tags":["a","b","c"],"score":0.125,"active":true,"note":null}"#;
    let rows = |count: usize| format!(r#"{{"rows":[{}]}}"#, vec![row; count].join(","));
    let mut out = stdout().lock();
    writeln!(out, "| body | bytes | strict, MB/s | with the digest of the arguments | `serde_json::Value` | typed |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for (name, body) in [
        ("a small call", call(r#"{"table":"users","where":{"id":42}}"#)),
        ("100 rows", call(&rows(100))),
        ("10,000 rows", call(&rows(10_000))),
        ("one string of 1 MB", call(&format!("{{\"text\":\"{}\"}}", "lorem ipsum dolor ".repeat(60_000)))),
        ("the same with escapes", call(&format!("{{\"text\":\"{}\"}}", "lorem\\nipsum \\\"dolor\\\" ".repeat(40_000)))),
        ("100,000 numbers", call(&format!("{{\"v\":[{}]}}", vec!["-0.0123456789"; 100_000].join(",")))),
    ] {
        let bytes = body.as_bytes();
        let strict = speed(bytes, |bytes| Document::read(bytes, LIMITS).is_ok());
        let digest = speed(bytes, |bytes| {
            let document = Document::read(bytes, LIMITS);
            let arguments = document.as_ref().ok().and_then(|it| it.root().get("params")?.get("arguments"));
            arguments.map(|value| value.digest()).is_some()
        });
        let tree = speed(bytes, |bytes| serde_json::from_slice::<serde_json::Value>(bytes).is_ok());
        let typed = speed(bytes, |bytes| {
            serde_json::from_slice::<Call<'_>>(bytes)
                .is_ok_and(|it| !black_box((it.method, it.params.name, it.params.arguments)).0.is_empty())
        });
        writeln!(out, "| {name} | {} | {strict:.0} | {digest:.0} | {tree:.0} | {typed:.0} |", bytes.len())?;
    }
    Ok(())
}

/// Megabytes in a second.
fn speed(bytes: &[u8], read: impl Fn(&[u8]) -> bool) -> f64 {
    let started = Instant::now();
    let mut count = 0.0;
    while started.elapsed().as_secs_f64() < SECONDS {
        for _ in 0..(1_000_000_usize.checked_div(bytes.len()).unwrap_or(1)).max(1) {
            assert!(black_box(read(black_box(bytes))), "unreadable");
            count += 1.0;
        }
    }
    let length = u32::try_from(bytes.len()).map_or(f64::MAX, f64::from);
    count * length / started.elapsed().as_secs_f64() / 1e6
}

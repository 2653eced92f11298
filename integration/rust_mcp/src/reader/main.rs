//! What a server in Rust reads of a body: serde_json. Told bodies in base64, a line each, it tells a line of JSON each:
//! what it read, or null.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    for line in std::io::stdin().lines() {
        let body = BASE64_STANDARD.decode(line?)?;
        println!("{}", serde_json::from_slice(&body).ok().as_ref().map_or(Value::Null, read));
    }
    Ok(())
}

fn read(body: &Value) -> Value {
    let params = &body["params"];
    json!({"id": body["id"], "method": body["method"], "name": params["name"], "arguments": params["arguments"]})
}

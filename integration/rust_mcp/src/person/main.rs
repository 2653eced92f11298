//! A person with the official Rust client: it is told a line of JSON on its standard input and tells one, until that
//! ends, as `mcp_servers/node/client.cjs` does.

mod person;
mod talk;

use person::{Person, Refused};
use serde_json::{Value, json};
use std::error::Error;
use std::sync::Arc;
use talk::Talk;
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let talk = Arc::new(Talk::default());
    let person = Arc::new(Person::new(Arc::clone(&talk)));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let mut told: Value = serde_json::from_str(&line)?;
        if let Some(answer) = told.get_mut("answer") {
            talk.answered(answer.take());
            continue;
        }
        let person = Arc::clone(&person);
        tokio::spawn(async move {
            talk::tell(&match person.does(told).await {
                Ok(done) => json!({"done": done}),
                Err(Refused { code, message, data }) => {
                    json!({"refused": {"code": code, "message": message, "data": data}})
                }
            });
        });
    }
    person.leaves().await;
    Ok(())
}

//! Prints the JSON Schema of the plugin configuration: `make schema` writes it to `docs/agent-config.schema.json`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use fake_envoy as _; // the filter's imports, which nothing here calls
use tollgate_agent::config::Config;

fn main() {
    let schema = schemars::schema_for!(Config).to_value();
    println!("{schema:#}");
}

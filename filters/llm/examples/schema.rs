//! Prints the JSON Schema of the plugin configuration: `make schema` writes it to `docs/config.schema.json`.

use fake_envoy as _; // the filter's imports, which nothing here calls
use tollgate_llm::config::Config;

fn main() {
    let schema = schemars::schema_for!(Config).to_value();
    println!("{schema:#}");
}

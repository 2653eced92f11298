//! The order of providers for one request, in the form Envoy's `priority_group` cluster specifier reads.
//!
//! Wasm cannot write dynamic metadata. A header can: `header_to_metadata` turns a base64 `google.protobuf.Value` into
//! metadata, which the route then reads as its groups, one per attempt.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The header that carries the list from the gate to Envoy; Envoy removes it.
pub const TARGETS_HEADER: &str = "x-tollgate-targets";
/// The header that Envoy's routes match.
pub const ROUTE_HEADER: &str = "x-tollgate-route";

/// The value of [`TARGETS_HEADER`] for these clusters, in order:
/// `[{name: "0", clusters: [{cluster_name: <cluster>, weight: 1}]}, ..]`.
#[must_use]
pub fn targets<'a>(clusters: impl Iterator<Item = &'a str>) -> String {
    let groups = clusters.enumerate().map(|(index, cluster)| {
        let member = structure(&[("cluster_name", string(cluster)), ("weight", number(1.0))]);
        structure(&[("name", string(&index.to_string())), ("clusters", list([member]))])
    });
    STANDARD.encode(list(groups))
}

// google.protobuf.Value: number_value = 2, string_value = 3, struct_value = 5, list_value = 6.

fn number(value: f64) -> Vec<u8> {
    let mut out = vec![2 << 3 | 1];
    out.extend(value.to_le_bytes());
    out
}

fn string(value: &str) -> Vec<u8> {
    field(3, value.as_bytes())
}

fn list(values: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    field(6, &values.into_iter().flat_map(|value| field(1, &value)).collect::<Vec<u8>>())
}

fn structure(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries = fields.iter().flat_map(|(name, value)| {
        let entry = [field(1, name.as_bytes()), field(2, value)].concat();
        field(1, &entry)
    });
    field(5, &entries.collect::<Vec<u8>>())
}

/// A length-delimited protobuf field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length > 0x7f {
        out.push(0x80 | length.to_le_bytes()[0]);
        length >>= 7;
    }
    out.push(length.to_le_bytes()[0]);
    out.extend(bytes);
    out
}

#[cfg(test)]
mod tests;

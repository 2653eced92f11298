#![expect(clippy::arithmetic_side_effects, reason = "tests")]

use super::targets;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What Python's `google.protobuf.struct_pb2.Value` makes of the groups of `anthropic` and `openai`.
const BY_PROTOBUF: &str = "MqsBClUqUwpECghjbHVzdGVycxI4MjYKNCoyChsKDGNsdXN0ZXJfbmFtZRILGglhbnRocm9waWMKEwoGd2VpZ2h0EgkR\
    AAAAAAAA8D8KCwoEbmFtZRIDGgEwClIqUApBCghjbHVzdGVycxI1MjMKMSovChgKDGNsdXN0ZXJfbmFtZRIIGgZvcGVuYWkKEwoGd2VpZ2h0EgkRA\
    AAAAAAA8D8KCwoEbmFtZRIDGgEx";

/// Takes a varint off the front.
fn varint(bytes: &mut &[u8]) -> usize {
    let (mut value, mut shift) = (0, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

/// Takes a field off the front: its number and its bytes.
fn field<'a>(bytes: &mut &'a [u8]) -> (usize, &'a [u8]) {
    let tag = varint(bytes);
    let size = if tag & 7 == 1 { 8 } else { varint(bytes) };
    let (value, rest) = bytes.split_at(size);
    *bytes = rest;
    (tag >> 3, value)
}

fn fields(mut bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| field(&mut bytes)))
}

/// Reads a `google.protobuf.Value`.
fn value(bytes: &[u8]) -> Value {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    match fields(bytes).next().expect("one field") {
        (2, number) => json!(f64::from_le_bytes(number.try_into().expect("eight bytes"))),
        (3, string) => json!(text(string)),
        (5, structure) => Value::Object(Map::from_iter(fields(structure).map(|(_, entry)| {
            let parts: Vec<&[u8]> = fields(entry).map(|(_, part)| part).collect();
            (text(parts[0]), value(parts[1]))
        }))),
        (6, list) => fields(list).map(|(_, member)| value(member)).collect(),
        other => panic!("not a kind that is used here: {other:?}"),
    }
}

fn decoded(header: &str) -> Value {
    value(&STANDARD.decode(header).expect("base64"))
}

#[test]
fn envoy_reads_the_list_that_protobuf_itself_would_write() {
    let ours = decoded(&targets(["anthropic", "openai"].into_iter()));
    assert_eq!(ours, decoded(BY_PROTOBUF));
    let group =
        |name: &str, cluster: &str| json!({"name": name, "clusters": [{"cluster_name": cluster, "weight": 1.0}]});
    assert_eq!(ours, json!([group("0", "anthropic"), group("1", "openai")]));
}

#[test]
fn a_group_per_attempt_in_order_the_same_cluster_as_often_as_it_is_named() {
    let names = ["a", "b", "a", "c", "d", "e", "f", "g"];
    let groups = decoded(&targets(names.into_iter()));
    for (index, name) in names.iter().enumerate() {
        assert_eq!(groups[index]["name"], index.to_string());
        assert_eq!(groups[index]["clusters"][0]["cluster_name"], *name);
    }
    assert_eq!(groups.as_array().map(Vec::len), Some(8));
}

#[test]
fn a_length_of_any_size_is_written_right() {
    for length in [1, 64, 90, 100, 127, 128, 255, 256, 16_383, 16_384, 70_000] {
        let name = "x".repeat(length);
        assert_eq!(decoded(&targets([name.as_str()].into_iter()))[0]["clusters"][0]["cluster_name"], name);
    }
}

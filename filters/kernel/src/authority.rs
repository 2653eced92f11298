//! The authority of a request.

/// The host of an authority, in lower case and without its port. `None` where something else than a port stands behind it:
/// Envoy's `host:*` takes that for the host, and its `host` does not, so that it could lead to one server under another's rules.
#[must_use]
pub fn host(authority: &str) -> Option<String> {
    let end = if authority.starts_with('[') { authority.find(']')?.checked_add(1)? } else { 0 };
    let colon = authority.get(end..)?.find(':').and_then(|at| at.checked_add(end)).unwrap_or(authority.len());
    let (host, port) = authority.split_at_checked(colon)?;
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.strip_prefix(':');
    port.is_none_or(is_port).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::host;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_host_stands_before_a_port_and_nothing_else() {
        for (authority, expected) in [
            ("Agents.Example:443", Some("agents.example")),
            ("agents.example", Some("agents.example")),
            ("[::1]:80", Some("[::1]")),
            ("agents.example:", None),
            ("agents.example:8x", None),
            ("[::1", None),
            ("", Some("")),
        ] {
            assert_eq!(host(authority).as_deref(), expected, "{authority}");
        }
    }
}

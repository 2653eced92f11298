//! Extensions that a request turns on.

use super::Reason;
use crate::headers::{Headers, plain};

const HEADERS: [&str; 2] = ["A2A-Extensions", "X-A2A-Extensions"];
const MAX_URI: usize = 512;
const MAX_EXTENSIONS: usize = 32;

/// Whether `text` can name an extension: a URI of visible characters without a comma.
pub(super) fn is_extension(text: &str) -> bool {
    (1..=MAX_URI).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// Those that headers name, under the name of either version: who turns it on for one turns it on.
pub(super) fn of_headers(headers: Headers<'_>) -> Result<Vec<String>, Reason> {
    let mut extensions = Vec::new();
    for name in HEADERS {
        for value in headers.all(name) {
            let value = plain(value).ok_or(Reason::MalformedHeader(name))?;
            for uri in value.split(',').map(str::trim).filter(|uri| !uri.is_empty()) {
                if !is_extension(uri) {
                    return Err(Reason::MalformedHeader(name));
                }
                add(&mut extensions, uri)?;
            }
        }
    }
    Ok(extensions)
}

/// Adds one that is not there yet.
pub(super) fn add(extensions: &mut Vec<String>, uri: &str) -> Result<(), Reason> {
    if extensions.iter().any(|one| one == uri) {
        return Ok(());
    }
    if extensions.len() >= MAX_EXTENSIONS {
        return Err(Reason::Extensions);
    }
    extensions.push(uri.to_owned());
    Ok(())
}

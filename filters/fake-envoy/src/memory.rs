//! Reading what the filter passes by pointer, and handing memory to it as Envoy does: through its own allocator.

use crate::exports;
use crate::headers::Headers;

/// What a filter passed as address and length; a null address is empty.
///
/// # Safety
/// `data` must be null or point to `size` readable bytes for the lifetime that the caller picks.
pub(crate) unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if data.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(data, size) } }
}

/// Copies `value` into memory of the filter and tells it where. Like Envoy, nothing is allocated for an empty value:
/// the filter gets a null pointer.
///
/// # Safety
/// Both places must be valid for a write.
pub(crate) unsafe fn give(value: &[u8], return_data: *mut *mut u8, return_size: *mut usize) {
    let copy = match value.len() {
        0 => std::ptr::null_mut(),
        size => exports::proxy_on_memory_allocate(size),
    };
    unsafe {
        if !copy.is_null() {
            std::ptr::copy_nonoverlapping(value.as_ptr(), copy, value.len());
        }
        return_data.write(copy);
        return_size.write(value.len());
    }
}

/// The ABI's encoding of a header map: count, all sizes, then names and values, each ended by NUL. An empty map is
/// nothing at all.
pub(crate) fn encode_pairs(headers: &Headers) -> Vec<u8> {
    if headers.is_empty() {
        return Vec::new();
    }
    let size = |len: usize| u32::try_from(len).expect("a header map below 4 GiB").to_le_bytes();
    let mut out = size(headers.len()).to_vec();
    for (name, value) in headers.iter() {
        out.extend_from_slice(&size(name.len()));
        out.extend_from_slice(&size(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        out.extend_from_slice(text);
        out.push(0);
    }
    out
}

/// The inverse of [`encode_pairs`]; `None` when the sizes do not fit the bytes.
pub(crate) fn decode_pairs(bytes: &[u8]) -> Option<Headers> {
    let size_at = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    if bytes.is_empty() {
        return Some(Headers::default());
    }
    let count = size_at(0)?;
    let mut at = 4 + count.checked_mul(8)?;
    let mut text = |size: usize| {
        let text = bytes.get(at..at + size)?;
        at += size + 1;
        Some(text)
    };
    (0..count).map(|i| Some((text(size_at(4 + i * 8)?)?, text(size_at(8 + i * 8)?)?))).collect()
}

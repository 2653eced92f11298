//! Hashes as they are written in configurations.

/// The bytes that 64 lowercase hex digits stand for.
pub(crate) fn read(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut hash = [0; 32];
    for (byte, [high, low]) in hash.iter_mut().zip(digits.as_chunks().0) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase())?;
    u8::try_from(digit).ok()
}

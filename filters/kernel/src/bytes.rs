//! How what is kept is written: numbers of fixed size, and texts with their length before them.

/// Reads what was written, from the front. `None`: it ends before that.
#[derive(Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// As many bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, left) = self.0.split_first_chunk::<N>()?;
        self.0 = left;
        Some(*taken)
    }

    /// A byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A number.
    pub fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// What [`put_text`] has written.
    pub fn text(&mut self) -> Option<&'a str> {
        let length = usize::from(self.array().map(u16::from_le_bytes)?);
        let (taken, left) = self.0.split_at_checked(length)?;
        self.0 = left;
        str::from_utf8(taken).ok()
    }
}

/// INVARIANT: `text` is no longer than [`u16::MAX`].
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(text.as_bytes());
}

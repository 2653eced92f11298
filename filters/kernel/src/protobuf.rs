//! Protobuf's wire format, as far as Envoy's messages need it: the fields of a message in, fields of a message out.

/// The value of a field, as the wire tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// An integer, a bool or an enum.
    Varint(u64),
    /// A double or a fixed integer.
    Fixed64(u64),
    /// A float or a fixed integer.
    Fixed32(u32),
    /// A text, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
}

/// The fields of a message, each with its number; the last is `None` when the bytes are no message.
pub fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Option<(u64, Field<'_>)>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let field = field(&mut bytes);
        if field.is_none() {
            bytes = &[];
        }
        Some(field)
    })
}

fn field<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let tag = varint(bytes)?;
    let field = match tag & 7 {
        0 => Field::Varint(varint(bytes)?),
        1 => Field::Fixed64(u64::from_le_bytes(take(bytes, 8)?.try_into().ok()?)),
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Field::Bytes(take(bytes, length)?)
        }
        5 => Field::Fixed32(u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?)),
        _ => return None,
    };
    Some((tag >> 3, field))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(bytes, 1)?.first()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// A message being written.
#[derive(Debug, Default)]
pub struct Message(Vec<u8>);

impl Message {
    /// Adds an integer or an enum; 0 is what a field is that is not there.
    pub fn number(&mut self, field: u8, value: u32) {
        if value != 0 {
            self.varint(u64::from(field) << 3);
            self.varint(u64::from(value));
        }
    }

    /// Adds a text or bytes; none are what a field is that is not there.
    pub fn bytes(&mut self, field: u8, value: &[u8]) {
        if !value.is_empty() {
            self.length_delimited(field, value);
        }
    }

    /// Adds a message.
    pub fn message(&mut self, field: u8, value: Self) {
        self.length_delimited(field, &value.0);
    }

    fn length_delimited(&mut self, field: u8, value: &[u8]) {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(value.len().try_into().unwrap_or(u64::MAX));
        self.0.extend_from_slice(value);
    }

    fn varint(&mut self, mut value: u64) {
        while let Some(rest) = Some(value >> 7).filter(|rest| *rest != 0) {
            self.0.push(low_bits(value) | 0x80);
            value = rest;
        }
        self.0.push(low_bits(value));
    }

    /// Its bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

fn low_bits(value: u64) -> u8 {
    let [lowest, ..] = value.to_le_bytes();
    lowest & 0x7f
}

//! Headers of a request.

use std::fmt;

/// The headers of a request, all of them. Some are secret, so they cannot be printed.
#[derive(Clone, Copy)]
pub struct Headers<'h>(pub &'h [(&'h str, &'h [u8])]);

impl<'h> Headers<'h> {
    /// The value of the header that is called `prefix` and `name` together, without white space around it.
    pub(crate) fn find(self, prefix: &str, name: &str) -> Result<Option<&'h [u8]>, ()> {
        let is = |header: &str| {
            let parts = header.split_at_checked(prefix.len());
            parts.is_some_and(|(begin, end)| begin.eq_ignore_ascii_case(prefix) && end.eq_ignore_ascii_case(name))
        };
        let mut values = self.0.iter().filter(|(header, _)| is(header)).map(|(_, value)| value.trim_ascii());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(()),
        }
    }

    /// The values of all headers that are called `name`.
    pub(crate) fn all(self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.0.iter().filter(move |(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_ascii())
    }
}

/// A value of visible characters, spaces and tabs.
pub(crate) fn plain(value: &[u8]) -> Option<&str> {
    let allowed = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    str::from_utf8(value).ok().filter(|_| value.iter().all(allowed))
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({})", self.0.len())
    }
}

//! From text to a tape, without recursion.

use super::text::unescape;
use super::{Fault, Kind, MAX_DEPTH, MAX_NUMBER, Reason, Token};

/// Fewer keys than this are compared with each other, more are sorted.
const FEW: usize = 12;

pub(super) fn read(text: &str, max_nodes: usize) -> Result<Vec<Token>, Fault> {
    // Usual messages have a value in 16 bytes or more.
    let tape = Vec::with_capacity(text.len().wrapping_shr(4).min(max_nodes));
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, tape, open: Vec::new(), max_nodes };
    let mut next = Next::Value;
    while let Some(expected) = reader.step(next)? {
        next = expected;
    }
    Ok(reader.tape)
}

/// What must come.
#[derive(Clone, Copy)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
    Nothing,
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    tape: Vec<Token>,
    /// The entries of arrays and objects that are not closed yet.
    open: Vec<usize>,
    max_nodes: usize,
}

impl Reader<'_> {
    fn step(&mut self, next: Next) -> Result<Option<Next>, Fault> {
        self.skip_space();
        let next = match (next, self.peek()) {
            (Next::Nothing, None) => return Ok(None),
            (Next::Nothing, Some(_)) => return Err(self.fault(Reason::Trailing)),
            (_, None) => return Err(self.fault(Reason::Incomplete)),
            (Next::ValueOrEnd, Some(b']')) => self.close(Kind::Array)?,
            (Next::Value | Next::ValueOrEnd, Some(byte)) => self.value(byte)?,
            (Next::KeyOrEnd, Some(b'}')) => self.close(Kind::Object)?,
            (Next::Key | Next::KeyOrEnd, Some(b'"')) => self.key()?,
            (Next::CommaOrEnd, Some(byte)) => self.comma_or_end(byte)?,
            (Next::Key | Next::KeyOrEnd, Some(_)) => return Err(self.fault(Reason::Unexpected)),
        };
        Ok(Some(next))
    }

    fn value(&mut self, first: u8) -> Result<Next, Fault> {
        let start = self.at;
        match first {
            b'{' => return self.open(Kind::Object, Next::KeyOrEnd),
            b'[' => return self.open(Kind::Array, Next::ValueOrEnd),
            b'"' => {
                let escaped = self.string()?;
                self.push(Kind::String, start, escaped)?;
            }
            b'-' | b'0'..=b'9' => {
                let rest = self.bytes.get(start..).unwrap_or_default();
                let length = number(rest).map_err(|reason| self.fault(reason))?;
                self.skip(length);
                self.push(Kind::Number, start, false)?;
            }
            b't' => self.literal("true", Kind::Bool)?,
            b'f' => self.literal("false", Kind::Bool)?,
            b'n' => self.literal("null", Kind::Null)?,
            _ => return Err(self.fault(Reason::Unexpected)),
        }
        Ok(self.after_value())
    }

    const fn after_value(&self) -> Next {
        if self.open.is_empty() { Next::Nothing } else { Next::CommaOrEnd }
    }

    fn literal(&mut self, text: &str, kind: Kind) -> Result<(), Fault> {
        let start = self.at;
        if !self.bytes.get(start..).is_some_and(|rest| rest.starts_with(text.as_bytes())) {
            return Err(self.fault(Reason::Unexpected));
        }
        self.skip(text.len());
        self.push(kind, start, false)
    }

    fn key(&mut self) -> Result<Next, Fault> {
        let start = self.at;
        let escaped = self.string()?;
        self.push(Kind::String, start, escaped)?;
        if escaped && self.tape.last().is_some_and(|key| self.says(key).contains('\0')) {
            return Err(Fault { reason: Reason::NulInKey, at: start });
        }
        self.skip_space();
        match self.peek() {
            Some(b':') => {
                self.skip(1);
                Ok(Next::Value)
            }
            Some(_) => Err(self.fault(Reason::Unexpected)),
            None => Err(self.fault(Reason::Incomplete)),
        }
    }

    fn open(&mut self, kind: Kind, next: Next) -> Result<Next, Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.fault(Reason::TooDeep));
        }
        self.open.push(self.tape.len());
        let start = self.at;
        self.skip(1);
        self.push(kind, start, false)?;
        Ok(next)
    }

    fn comma_or_end(&mut self, byte: u8) -> Result<Next, Fault> {
        let kind = self.open.last().and_then(|at| self.tape.get(*at)).map(|token| token.kind);
        match (kind, byte) {
            (Some(Kind::Object), b',') => {
                self.skip(1);
                Ok(Next::Key)
            }
            (Some(_), b',') => {
                self.skip(1);
                Ok(Next::Value)
            }
            (Some(Kind::Object), b'}') => self.close(Kind::Object),
            (Some(Kind::Array), b']') => self.close(Kind::Array),
            _ => Err(self.fault(Reason::Unexpected)),
        }
    }

    fn close(&mut self, kind: Kind) -> Result<Next, Fault> {
        self.skip(1);
        let opened = self.open.pop().unwrap_or_default();
        if kind == Kind::Object {
            self.distinct_keys(opened.saturating_add(1))?;
        }
        let (end, next) = (small(self.at)?, small(self.tape.len())?);
        if let Some(token) = self.tape.get_mut(opened) {
            (token.end, token.next) = (end, next);
        }
        Ok(self.after_value())
    }

    fn push(&mut self, kind: Kind, start: usize, escaped: bool) -> Result<(), Fault> {
        if self.tape.len() >= self.max_nodes {
            return Err(Fault { reason: Reason::TooManyNodes, at: start });
        }
        let next = small(self.tape.len().saturating_add(1))?;
        self.tape.push(Token { start: small(start)?, end: small(self.at)?, next, kind, escaped });
        Ok(())
    }

    /// Steps over a string; whether it has escapes.
    fn string(&mut self) -> Result<bool, Fault> {
        self.skip(1);
        let mut escaped = false;
        loop {
            self.skip(plain(self.bytes.get(self.at..).unwrap_or_default()));
            match self.peek() {
                Some(b'"') => break self.skip(1),
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.fault(Reason::ControlCharacter)),
                None => return Err(self.fault(Reason::Incomplete)),
            }
            escaped = true;
        }
        Ok(escaped)
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.bytes.get(self.at.saturating_add(1)) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.skip(2),
            Some(b'u') => match self.unit()? {
                0xd800..0xdc00 => {
                    let pair = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u"));
                    if !pair || !(0xdc00..0xe000).contains(&self.unit()?) {
                        return Err(self.fault(Reason::Surrogate));
                    }
                }
                0xdc00..0xe000 => return Err(self.fault(Reason::Surrogate)),
                _ => {}
            },
            Some(_) => return Err(self.fault(Reason::Escape)),
            None => return Err(self.fault(Reason::Incomplete)),
        }
        Ok(())
    }

    /// Steps over `\u` and four digits.
    fn unit(&mut self) -> Result<u32, Fault> {
        let from = self.at.saturating_add(2);
        let digits = self.bytes.get(from..from.saturating_add(4)).ok_or_else(|| self.fault(Reason::Escape))?;
        let unit = digits
            .iter()
            .try_fold(0_u32, |unit, byte| char::from(*byte).to_digit(16).map(|digit| unit.wrapping_shl(4) | digit));
        let unit = unit.ok_or_else(|| self.fault(Reason::Escape))?;
        self.skip(6);
        Ok(unit)
    }

    /// Whether the keys of an object, of which the first is at `first` and the last value at the end, are different.
    fn distinct_keys(&self, first: usize) -> Result<(), Fault> {
        let twice = |key: &Token| Err(Fault { reason: Reason::DuplicateKey, at: key.range().start });
        let mut few = [None; FEW];
        let mut count = 0_usize;
        for key in self.keys(first) {
            let Some(slot) = few.get_mut(count) else { return self.many_distinct_keys(first) };
            *slot = Some(key);
            count = count.saturating_add(1);
        }
        let mut before = few.iter().flatten();
        while let Some(key) = before.next_back() {
            if before.clone().any(|other| self.same(key, other)) {
                return twice(key);
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn many_distinct_keys(&self, first: usize) -> Result<(), Fault> {
        let mut keys: Vec<_> = self.keys(first).map(|key| (self.says(key), key.start)).collect();
        keys.sort_unstable();
        let mut before: Option<(_, _)> = None;
        for (key, at) in keys {
            if before.is_some_and(|(other, _)| other == key) {
                return Err(Fault { reason: Reason::DuplicateKey, at: usize::try_from(at).unwrap_or_default() });
            }
            before = Some((key, at));
        }
        Ok(())
    }

    fn keys(&self, first: usize) -> impl Iterator<Item = &Token> {
        let mut at = first;
        std::iter::from_fn(move || {
            let key = self.tape.get(at)?;
            let value = self.tape.get(at.saturating_add(1))?;
            at = usize::try_from(value.next).unwrap_or(usize::MAX);
            Some(key)
        })
    }

    fn same(&self, one: &Token, other: &Token) -> bool {
        if one.escaped || other.escaped {
            return self.says(one) == self.says(other);
        }
        let length = |key: &Token| key.end.wrapping_sub(key.start);
        length(one) == length(other) && self.bytes.get(one.range()) == self.bytes.get(other.range())
    }

    fn says(&self, key: &Token) -> std::borrow::Cow<'_, str> {
        let raw = self.raw(key);
        if key.escaped { unescape(raw).into() } else { raw.into() }
    }

    /// A string between its quotes.
    fn raw(&self, key: &Token) -> &str {
        let range = key.range();
        self.text.get(range.start.saturating_add(1)..range.end.saturating_sub(1)).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.skip(1);
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    const fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    #[cold]
    const fn fault(&self, reason: Reason) -> Fault {
        Fault { reason, at: self.at }
    }
}

fn small(at: usize) -> Result<u32, Fault> {
    u32::try_from(at).map_err(|_| Fault { reason: Reason::TooLarge, at })
}

/// How many bytes come before one that ends a string, begins an escape or is a control character. Eight at a time: by
/// subtraction a byte's highest bit is set if the byte is less than another, and nothing below it is touched.
fn plain(bytes: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = EACH << 7;
    let below = |word: u64, least: u64| word.wrapping_sub(least) & !word & HIGHEST;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut length = 0_usize;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quotes = below(word ^ EACH.wrapping_mul(b'"' as u64), EACH);
        let escapes = below(word ^ EACH.wrapping_mul(b'\\' as u64), EACH);
        let found = below(word, EACH.wrapping_mul(0x20)) | quotes | escapes;
        if found != 0 {
            let bits = usize::try_from(found.trailing_zeros()).unwrap_or_default();
            return length.saturating_add(bits.wrapping_shr(3));
        }
        length = length.saturating_add(8);
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    length.saturating_add(rest.iter().position(ends).unwrap_or(rest.len()))
}

/// The length of the number that `bytes` begin with.
pub(super) fn number(bytes: &[u8]) -> Result<usize, Reason> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from.saturating_add(rest.iter().take_while(|byte| byte.is_ascii_digit()).count())
    };
    let at_least_one = |from: usize| Some(digits(from)).filter(|end| *end > from).ok_or(Reason::Number);
    let first = usize::from(bytes.first() == Some(&b'-'));
    let mut end = match bytes.get(first) {
        Some(b'0') => first.saturating_add(1),
        Some(b'1'..=b'9') => digits(first),
        _ => return Err(Reason::Number),
    };
    if bytes.get(end) == Some(&b'.') {
        end = at_least_one(end.saturating_add(1))?;
    }
    let has_exponent = matches!(bytes.get(end), Some(b'e' | b'E'));
    if has_exponent {
        let sign = usize::from(matches!(bytes.get(end.saturating_add(1)), Some(b'+' | b'-')));
        end = at_least_one(end.saturating_add(1).saturating_add(sign))?;
    }
    if end > MAX_NUMBER {
        return Err(Reason::LongNumber);
    }
    // Without an exponent so few digits are a number that every reader can hold.
    let text = || bytes.get(..end).and_then(|number| str::from_utf8(number).ok());
    let is_finite = !has_exponent || text().and_then(|text| text.parse().ok()).is_some_and(f64::is_finite);
    if is_finite { Ok(end) } else { Err(Reason::LargeNumber) }
}

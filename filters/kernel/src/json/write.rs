//! JSON, written piece by piece.
//!
//! By hand, because a derived writer of every message of every format is several hundred kilobytes of wasm, which Envoy
//! compiles before it is ready; this is two. A copy of it at every call would be the same again: hence no inlining.

use serde_json::value::RawValue;

/// Appends one JSON value to a buffer. The caller opens, names and closes; commas come by themselves.
#[derive(Debug)]
pub struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    /// A writer that appends to `out`.
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self(out)
    }

    /// Begins an object.
    #[inline(never)]
    pub fn open_object(&mut self) -> &mut Self {
        self.begin();
        self.0.push(b'{');
        self
    }

    /// Ends it.
    #[inline(never)]
    pub fn close_object(&mut self) {
        self.0.push(b'}');
    }

    /// Begins a list.
    #[inline(never)]
    pub fn open_list(&mut self) -> &mut Self {
        self.begin();
        self.0.push(b'[');
        self
    }

    /// Ends it.
    #[inline(never)]
    pub fn close_list(&mut self) {
        self.0.push(b']');
    }

    /// The name of the value that comes next.
    #[inline(never)]
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.text(name);
        self.0.push(b':');
        self
    }

    /// A string.
    #[inline(never)]
    pub fn text(&mut self, text: &str) {
        self.open_text();
        self.more_text(text);
        self.close_text();
    }

    /// A string, or `null`.
    #[inline(never)]
    pub fn text_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    /// The string `name`, if there is one.
    #[inline(never)]
    pub fn text_if(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.key(name).text(text);
        }
    }

    /// The number `name`, if there is one.
    #[inline(never)]
    pub fn number_if(&mut self, name: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.key(name).number(number);
        }
    }

    /// The number `name`, or `null`.
    #[inline(never)]
    pub fn number_or_null(&mut self, name: &str, number: Option<u64>) {
        match number {
            Some(number) => self.key(name).number(number),
            None => self.key(name).null(),
        }
    }

    /// As [`Self::number_if`], for numbers that need not be whole.
    #[inline(never)]
    pub fn float_if(&mut self, name: &str, number: Option<f64>) {
        if let Some(number) = number {
            self.key(name).float(number);
        }
    }

    /// The flag `name`, if there is one.
    #[inline(never)]
    pub fn flag_if(&mut self, name: &str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.key(name).flag(flag);
        }
    }

    /// Begins a string that [`Self::more_text`] writes piece by piece.
    #[inline(never)]
    pub fn open_text(&mut self) {
        self.begin();
        self.0.push(b'"');
    }

    /// A piece of it.
    #[inline(never)]
    pub fn more_text(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
            let (plain, from) = rest.split_at(at);
            self.0.extend_from_slice(plain);
            let Some((byte, after)) = from.split_first() else { break };
            self.escape(*byte);
            rest = after;
        }
        self.0.extend_from_slice(rest);
    }

    /// Ends it.
    #[inline(never)]
    pub fn close_text(&mut self) {
        self.0.push(b'"');
    }

    /// A number that is whole and not negative.
    #[inline(never)]
    pub fn number(&mut self, number: u64) {
        self.raw_text(&number.to_string());
    }

    /// A whole number.
    #[inline(never)]
    pub fn signed(&mut self, number: i64) {
        self.raw_text(&number.to_string());
    }

    /// What is no number in JSON (infinity) is `null`.
    #[inline(never)]
    pub fn float(&mut self, number: f64) {
        self.begin();
        let _ = serde_json::to_writer(&mut *self.0, &number);
    }

    /// `true` or `false`.
    #[inline(never)]
    pub fn flag(&mut self, flag: bool) {
        self.raw_text(if flag { "true" } else { "false" });
    }

    /// `null`.
    #[inline(never)]
    pub fn null(&mut self) {
        self.raw_text("null");
    }

    /// A value that is JSON already, on one line: in an event a line end would end it. Strings have none that is not
    /// escaped.
    #[inline(never)]
    pub fn raw(&mut self, value: &RawValue) {
        self.json(value.get());
    }

    #[inline(never)]
    fn json(&mut self, json: &str) {
        self.begin();
        let is_line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        self.0.extend(json.bytes().map(|byte| if is_line_end(&byte) { b' ' } else { byte }));
    }

    /// A value that was read, as it is written but for line ends.
    #[inline(never)]
    pub fn value(&mut self, value: super::Value<'_, '_>) {
        self.json(value.raw());
    }

    #[inline(never)]
    fn raw_text(&mut self, json: &str) {
        self.begin();
        self.0.extend_from_slice(json.as_bytes());
    }

    /// A value has a comma before it unless it is the first, or follows its key. Of what can stand before it only a
    /// value ends in another byte than these; the blank is that of an event's `data: `.
    fn begin(&mut self) {
        if !matches!(self.0.last(), None | Some(b'{' | b'[' | b':' | b' ' | b'\n')) {
            self.0.push(b',');
        }
    }

    #[cold]
    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => return self.0.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        };
        self.0.extend_from_slice(&[b'\\', short]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn written(write: impl FnOnce(&mut Writer<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn commas_stand_between_values_and_nowhere_else() {
        let json = written(|json| {
            json.open_object().key("a").number(1);
            json.key("b").open_list().open_list().close_list();
            json.open_object().close_object();
            json.flag(true);
            json.null();
            json.signed(-2);
            json.close_list();
            json.key("c").float(0.25);
            json.key("d").text("{[:");
            json.key("e").raw(serde_json::from_str("{\r\n}").unwrap());
            json.key("f").float(f64::INFINITY);
            json.close_object();
        });
        assert_eq!(json, r#"{"a":1,"b":[[],{},true,null,-2],"c":0.25,"d":"{[:","e":{  },"f":null}"#);
    }

    #[test]
    fn an_event_begins_without_a_comma() {
        let mut out = b"data: ".to_vec();
        Writer::new(&mut out).number(u64::MAX);
        assert_eq!(out, b"data: 18446744073709551615");
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn any_text_and_number_is_read_back(text in ".*", controls in "[\u{0}-\u{30}\"\\\\\u{7f}]*", number: f64) {
            for text in [text, controls] {
                let json = written(|json| json.text(&text));
                proptest::prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            }
            // `serde_json` itself reads some numbers one bit off.
            let json = written(|json| json.float(number));
            proptest::prop_assert_eq!(json.parse().ok(), Some(number).filter(|number: &f64| number.is_finite()));
        }
    }
}

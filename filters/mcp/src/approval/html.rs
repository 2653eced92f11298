//! HTML, written so that no text from outside becomes markup.

/// A page. Markup is only what stands in this program.
#[derive(Debug, Default)]
pub(crate) struct Html(pub(crate) String);

impl Html {
    /// Markup.
    pub(crate) fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, also within quotes.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        for char in text.chars() {
            match char {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Safe text, in which what is written out as `\u{202e}` stands out.
    pub(crate) fn safe_text(&mut self, text: &str) -> &mut Self {
        self.safe(text, "")
    }

    /// The same with a new line behind each `\n`: where a line that somebody made up cannot be taken for another text.
    pub(crate) fn safe_lines(&mut self, text: &str) -> &mut Self {
        self.safe(text, "<br>")
    }

    fn safe(&mut self, text: &str, break_line: &'static str) -> &mut Self {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('\\') {
            self.text(before);
            let end = match after.as_bytes() {
                [b'u', b'{', ..] => after.find('}').map_or(0, |end| end.saturating_add(1)),
                _ => after.chars().next().map_or(0, char::len_utf8),
            };
            let (escape, behind) = after.split_at_checked(end).unwrap_or((after, ""));
            self.markup("<mark>\\").text(escape).markup("</mark>");
            if escape == "n" {
                self.markup(break_line);
            }
            rest = behind;
        }
        self.text(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::Html;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_line_break_is_shown_as_what_it_is_and_as_one() {
        let mut html = Html::default();
        html.safe_lines("a\\nb\\\\n").safe_text("c\\n");
        assert_eq!(html.0, "a<mark>\\n</mark><br>b<mark>\\\\</mark>nc<mark>\\n</mark>");
    }

    #[test]
    fn text_is_never_markup() {
        let mut html = Html::default();
        html.markup("<b>")
            .text("<img src=x onerror='a' \"&amp;>")
            .safe_text("\\u{202e}<i>\\\\u{1}\\\"\\")
            .markup("</b>");
        assert_eq!(
            html.0,
            "<b>&lt;img src=x onerror=&#39;a&#39; &quot;&amp;amp;&gt;<mark>\\u{202e}</mark>&lt;i&gt;<mark>\\\\</mark>u{1}\
             <mark>\\&quot;</mark><mark>\\</mark></b>"
        );
    }
}
